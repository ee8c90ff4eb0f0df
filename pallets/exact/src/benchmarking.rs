//! What revealing an exact task costs, and looking at a job when it is published.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use super::*;
use crate::{
    scenario::{SALT, heaviest, most_units},
    types::Evidence,
};
use agora_primitives::{exact::ExactCourt, job::JobSource};
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Get};
use frame_system::RawOrigin;

/// In 1024 operations: a little more than the heaviest kind of job takes at least.
const LEAST_WORK: u32 = 1200;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// `w`: 1024 operations, `e`: KiB of evidence, of the job that takes the longest for both. What settling weighs comes on top: it is among
    /// what is measured with the tasks, and here as well.
    #[benchmark]
    fn reveal(
        w: Linear<LEAST_WORK, { (T::MaxWork::get() / 1024) as u32 }>,
        e: Linear<2, { T::MaxEvidence::get() / 1024 }>,
    ) {
        let (job, evidence) = heaviest(u64::from(w) * 1024, e);
        let inputs = Evidence::open(&job, &evidence).expect("they are its inputs");
        let claim = agora_reference::run(&job, &inputs)
            .expect("it is within its limits")
            .claim;
        let (task, who) = T::BenchmarkHelper::committed(job, claim, SALT);
        let evidence = BoundedVec::try_from(evidence).expect("no more than there may be");

        #[extrinsic_call]
        _(RawOrigin::Signed(who), task, claim, SALT, evidence);
    }

    /// A job with as many units as there may be.
    #[benchmark]
    fn admit() {
        let job = JobSource::Inline(most_units(T::MaxWork::get()));
        let admitted;

        #[block]
        {
            admitted = Pallet::<T>::admits(&job);
        }

        assert_eq!(admitted, Ok(()));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
