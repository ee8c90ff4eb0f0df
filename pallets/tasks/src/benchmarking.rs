//! Benchmarks of the calls and of each step of the agenda, in the worst case.
#![allow(unused_qualifications, clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use crate::{
    pallet::*,
    scenario::{Answers, BenchmarkHelper, CLASS},
};
use agora_primitives::{
    TaskId,
    courts::MAX_SHARERS,
    task::{Difficulty, Invitation, Phase},
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    BoundedVec,
    traits::{EnsureOrigin, Get},
    weights::WeightMeter,
};
use frame_system::RawOrigin;

type Scenario<T> = crate::scenario::Scenario<T, <T as Config>::BenchmarkHelper>;

fn phase<T: Config>(id: TaskId) -> Phase {
    Progress::<T>::get(id).expect("task").phase
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn publish() {
        // For the block number and the class.
        let other = Scenario::<T>::publish(1, 1, 2);
        let publisher = T::BenchmarkHelper::publisher();
        let deadline = Scenario::<T>::deadline();
        let after = deadline - Scenario::<T>::now();
        Scenario::<T>::crowd(other, after);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(publisher),
            CLASS,
            Scenario::<T>::job(),
            Difficulty::ONE,
            Scenario::<T>::reward(),
            deadline,
            [2; 16],
        );

        assert_eq!(NextTaskId::<T>::get().0, other.0 + 2);
    }

    /// Drawing the most workers, with as many excluded.
    #[benchmark]
    fn invite() {
        let most = T::MaxContributions::get();
        let id = Scenario::<T>::publish(1, 1, 2);
        let task = Tasks::<T>::get(id).expect("task");
        let mut exclude = Scenario::<T>::many_workers();
        exclude.truncate(most as usize);
        let now = Scenario::<T>::now();

        #[block]
        {
            Pallet::<T>::invite(id, &task, 1, most, exclude, now);
        }

        assert!(Invitations::<T>::contains_key(id));
    }

    #[benchmark]
    fn cancel() {
        let id = Scenario::<T>::publish(1, 1, 2);
        Scenario::<T>::crowd(id, T::RetentionPeriod::get());
        let publisher = T::BenchmarkHelper::publisher();

        #[extrinsic_call]
        _(RawOrigin::Signed(publisher), id);

        assert_eq!(phase::<T>(id), Phase::Cancelled);
    }

    #[benchmark]
    fn accept() {
        let most = T::MaxContributions::get();
        let id = Scenario::<T>::publish(1, 1, 2);
        let worker = Scenario::<T>::worker(most - 1);
        let workers = (0..most).map(Scenario::<T>::worker).collect();
        let workers = BoundedVec::truncate_from(workers);
        Invitations::<T>::insert(
            id,
            Invitation {
                workers,
                until: Scenario::<T>::now(),
            },
        );

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), id);

        assert_eq!(phase::<T>(id), Phase::Working);
    }

    /// The first of as many as can be invited.
    #[benchmark]
    fn decline() {
        let most = T::MaxContributions::get();
        let id = Scenario::<T>::publish(1, 1, 2);
        let workers: alloc::vec::Vec<_> = (0..most).map(Scenario::<T>::worker).collect();
        let worker = Scenario::<T>::worker(0);
        let until = Scenario::<T>::now();
        let workers = BoundedVec::truncate_from(workers);
        Invitations::<T>::insert(id, Invitation { workers, until });

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), id);

        assert_eq!(Invitations::<T>::get(id).unwrap().workers.len() as u32, most - 1);
    }

    /// The last commitment that is waited for.
    #[benchmark]
    fn commit() {
        let id = Scenario::<T>::publish(1, 1, 2);
        Scenario::<T>::accept(id, 0..1);
        Scenario::<T>::fill_hastened();
        let worker = Scenario::<T>::worker(0);
        let commitment = Scenario::<T>::commitment(id, 0, Answers::Same(1));

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), id, commitment);

        assert_eq!(phase::<T>(id), Phase::Revealing);
    }

    /// The last reveal that is waited for.
    #[benchmark]
    fn reveal() {
        let id = Scenario::<T>::publish(1, 1, 2);
        Scenario::<T>::accept(id, 0..1);
        Scenario::<T>::commit(id, 0..1, Answers::Same(1));
        Scenario::<T>::fill_hastened();
        let worker = Scenario::<T>::worker(0);
        let (claim, salt) = Scenario::<T>::reveal_of(0, Answers::Same(1));

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), id, claim, salt);

        assert_eq!(phase::<T>(id), Phase::Judging);
    }

    #[benchmark]
    fn set_class() -> Result<(), BenchmarkError> {
        let origin = T::ClassOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let mut class = Scenario::<T>::class(1, 1, 2);
        class.max_replicas = T::MaxContributions::get().saturating_sub(1).max(1);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, CLASS, class);

        assert!(Classes::<T>::contains_key(CLASS));
        Ok(())
    }

    #[benchmark]
    fn remove_class() -> Result<(), BenchmarkError> {
        let origin = T::ClassOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        Classes::<T>::insert(CLASS, Scenario::<T>::class(1, 1, 2));

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, CLASS);

        assert!(!Classes::<T>::contains_key(CLASS));
        Ok(())
    }

    /// Nobody revealed.
    #[benchmark]
    fn expire(n: Linear<1, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_expire(n);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Expired);
    }

    #[benchmark]
    fn start_reveal() {
        let id = Scenario::<T>::to_start_reveal();

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Revealing);
    }

    /// A result is chosen.
    #[benchmark]
    fn judge(n: Linear<1, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_be_judged(n, n, Answers::Same(1));

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Appealable);
    }

    /// No result is chosen: more workers are drawn.
    #[benchmark]
    fn replicate(n: Linear<1, { T::MaxContributions::get() }>) {
        Scenario::<T>::many_workers();
        let id = Scenario::<T>::to_be_judged(n, u32::MAX, Answers::Different);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Working);
    }

    /// No result can be chosen.
    #[benchmark]
    fn fail(n: Linear<1, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_be_judged(n, n, Answers::Different);
        Scenario::<T>::crowd(id, T::RetentionPeriod::get());

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Failed);
    }

    /// A result was attested against: fresh workers are drawn.
    #[benchmark]
    fn reopen(n: Linear<1, { T::MaxContributions::get() }>) {
        Scenario::<T>::many_workers();
        let id = Scenario::<T>::to_reopen(n);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Working);
    }

    /// The court has not decided about the result.
    #[benchmark]
    fn await_court() {
        let id = Scenario::<T>::to_await_court();

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Appealable);
    }

    /// An accuser takes the last place.
    #[benchmark]
    fn enter() {
        let (id, accuser) = Scenario::<T>::to_enter();

        #[block]
        {
            Scenario::<T>::enter(id, &accuser);
        }

        assert_eq!(Places::<T>::decode_len(id), Some(crate::MAX_PLACES as usize));
    }

    /// `n` accusers get shares of what somebody loses. What each of them costs more than the one before is what counts.
    #[benchmark]
    fn share(n: Linear<1, MAX_SHARERS>) {
        let id = Scenario::<T>::to_close(1);
        let worker = Scenario::<T>::worker(0);
        let accusers: Vec<_> = (1..=n).map(Scenario::<T>::worker).collect();
        let part = Tasks::<T>::get(id).expect("task").terms.bond / 8u32.into();

        #[block]
        {
            for accuser in &accusers {
                Pallet::<T>::pay_share(id, &worker, accuser, part).expect("its bond is held");
            }
        }
    }

    /// The result fell: the claim that was entered takes its place.
    #[benchmark]
    fn bring_down(n: Linear<1, { T::MaxContributions::get() - 1 }>) {
        let id = Scenario::<T>::to_bring_down(n);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Appealable);
        assert_eq!(
            Results::<T>::get(id).map(|chosen| chosen.best),
            Places::<T>::get(id).first().map(|place| place.who.clone())
        );
    }

    /// Judging an appeal; where no court is asked about what comes out of it, settling comes on top.
    #[benchmark]
    fn rule(n: Linear<2, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_be_ruled_on(n);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Appealable);
    }

    /// An output. An unusable input is paid with as many payments, and its claim is shorter.
    #[benchmark]
    fn settle(n: Linear<1, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_close(n);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Settled);
    }

    /// All claims but one fell: each penalty is divided between an accuser and nobody. That one was entered; who has entered is dismissed as
    /// a worker is.
    #[benchmark]
    fn settle_fallen(n: Linear<2, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_settle_fallen(n);

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert_eq!(phase::<T>(id), Phase::Settled);
    }

    /// The chain has computed a task: it is looked at, and settled. All of `n` workers but the last were replaced.
    #[benchmark]
    fn deliver(n: Linear<1, { T::MaxContributions::get() }>) {
        let id = Scenario::<T>::to_deliver(n);

        #[block]
        {
            Scenario::<T>::deliver(id);
        }

        assert_eq!(phase::<T>(id), Phase::Settled);
    }

    #[benchmark]
    fn purge() {
        let id = Scenario::<T>::to_purge();

        #[block]
        {
            Scenario::<T>::step(id);
        }

        assert!(!Tasks::<T>::contains_key(id));
    }

    #[benchmark]
    fn reschedule() {
        let id = Scenario::<T>::to_be_rescheduled();
        let progress = Progress::<T>::get(id).expect("task");
        let now = Scenario::<T>::now();
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::reschedule(id, progress, now, &mut meter);
        }

        assert_eq!(phase::<T>(id), Phase::Revealing);
    }

    /// A block in which nothing is due.
    #[benchmark]
    fn on_idle_base() {
        Scenario::<T>::wait(1);
        let now = Scenario::<T>::now();
        ServedUpTo::<T>::put(now);

        #[block]
        {
            Pallet::<T>::serve_agenda(now, frame_support::weights::Weight::MAX);
        }

        assert_eq!(ServedUpTo::<T>::get(), Some(now));
    }

    /// Reading one bucket, full.
    #[benchmark]
    fn on_idle_bucket() {
        Scenario::<T>::wait(1);
        let now = Scenario::<T>::now();
        Scenario::<T>::fill(now, 0);
        let read;

        #[block]
        {
            read = Agenda::<T>::get(now).len() as u32;
        }

        assert_eq!(read, T::MaxTasksPerBlock::get());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
