//! What the benchmarks measure is what they say.

use crate::{
    Progress,
    mock::{BenchmarkAccounts, ExtBuilder, MAX_CONTRIBUTIONS, Test},
    scenario::{Answers, Scenario},
    transitions::Step,
};
use agora_primitives::{TaskId, task::Phase};

type Scenes = Scenario<Test, BenchmarkAccounts>;

/// Runs a scenario, in which agendas are crowded with tasks that do not exist, and takes the step that is due.
fn step(build: impl Fn() -> TaskId, step: Step, then: Option<Phase>) {
    ExtBuilder::default().build().execute_with(|| {
        let id = build();
        assert_eq!(Progress::<Test>::get(id).unwrap().step(Scenes::now()), Some(step));
        Scenes::step(id);
        assert_eq!(Progress::<Test>::get(id).map(|progress| progress.phase), then);
        if then.is_some() {
            assert!(
                Progress::<Test>::get(id).unwrap().scheduled_at.is_some(),
                "no room was left"
            );
        }
    });
}

#[test]
fn every_step_is_reached_with_any_number_of_workers() {
    for n in [1, 2, MAX_CONTRIBUTIONS] {
        let close = Step::CloseAppealWindow;
        step(|| Scenes::to_expire(n), Step::Expire, Some(Phase::Expired));
        let same = Answers::Same(1);
        step(
            || Scenes::to_be_judged(n, n, same),
            Step::Judge,
            Some(Phase::Appealable),
        );
        let apart = Answers::Different;
        step(|| Scenes::to_be_judged(n, n, apart), Step::Judge, Some(Phase::Failed));
        step(
            || Scenes::to_be_judged(n, u32::MAX, apart),
            Step::Judge,
            Some(Phase::Working),
        );
        step(|| Scenes::to_close(n), close, Some(Phase::Settled));
        step(|| Scenes::to_reopen(n), close, Some(Phase::Working));
        if n > 1 {
            step(|| Scenes::to_be_ruled_on(n), Step::Judge, Some(Phase::Appealable));
            step(|| Scenes::to_settle_fallen(n), close, Some(Phase::Settled));
        }
        if n < MAX_CONTRIBUTIONS {
            step(|| Scenes::to_bring_down(n), close, Some(Phase::Appealable));
        }
    }
    let close = Step::CloseAppealWindow;
    step(Scenes::to_await_court, close, Some(Phase::Appealable));
    step(Scenes::to_start_reveal, Step::StartReveal, Some(Phase::Revealing));
    step(Scenes::to_purge, Step::Purge, None);
}

#[test]
fn a_task_is_delivered_with_any_number_of_workers_that_were_late() {
    for n in [1, 2, MAX_CONTRIBUTIONS] {
        ExtBuilder::default().build().execute_with(|| {
            let id = Scenes::to_deliver(n);
            assert_eq!(crate::Contributions::<Test>::iter_prefix(id).count(), n as usize);
            Scenes::deliver(id);
            let progress = Progress::<Test>::get(id).unwrap();
            assert_eq!((progress.phase, progress.workers()), (Phase::Settled, n));
            assert!(progress.scheduled_at.is_some(), "no room was left");
        });
    }
}

#[test]
fn one_place_is_left_for_whoever_enters() {
    ExtBuilder::default().build().execute_with(|| {
        let (task, accuser) = Scenes::to_enter();
        assert!(Scenes::enter(task, &accuser));
        assert_eq!(crate::Places::<Test>::get(task).len(), crate::MAX_PLACES as usize);
        assert_eq!(
            crate::Contributions::<Test>::iter_prefix(task).count(),
            MAX_CONTRIBUTIONS as usize
        );
    });
}

#[test]
fn the_other_scenarios_are_what_they_say() {
    ExtBuilder::default().build().execute_with(|| {
        let id = Scenes::to_be_rescheduled();
        let progress = Progress::<Test>::get(id).unwrap();
        assert_eq!(progress.phase, Phase::Revealing);
        assert_ne!(progress.scheduled_at, Some(progress.due));
        Scenes::fill_hastened();
        assert_eq!(crate::Hastened::<Test>::get().len(), 2);
        assert_eq!(Scenes::many_workers().len(), 2 * MAX_CONTRIBUTIONS as usize);
        let revealed = |n, answers| Scenes::reveal_of(n, answers).0;
        assert_eq!(revealed(0, Answers::Same(1)), revealed(1, Answers::Same(1)));
        assert_ne!(revealed(0, Answers::Different), revealed(1, Answers::Different));
    });
}
