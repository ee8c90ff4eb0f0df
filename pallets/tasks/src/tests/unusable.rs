//! Settling a task whose input is unusable: its publisher pays for it with the stake, and whoever found it out is paid.

use crate::{Event, Results, mock::*};
use agora_primitives::{
    TaskId,
    job::Claim,
    judging::Ruling,
    reputation::{Outcome, Side},
    results::ResultLeaf,
    task::{Difficulty, Phase},
};
use frame_support::assert_ok;
use proptest::prelude::*;
use sp_runtime::Permill;

/// Burned, to workers, to verifiers, to the treasury, of the stake.
const BURN: Balance = 3_000;
const WORKERS_PART: Balance = 1_250;
const VERIFIERS_PART: Balance = 500;
const TREASURY_PART: Balance = 250;

const RIGHT: Outcome = Outcome::Right { confirmed: false };

/// Has workers answer, verifiers attest, and the appeal window end.
fn answer_and_close(task: TaskId, answers: &[(u64, u8)], (in_favour, against): (u32, u32)) {
    answer_all(task, answers);
    assert_eq!(phase(task), Phase::Appealable);
    attest(task, in_favour, against);
    run_to(progress(task).due + 1);
}

/// What all of these gained together.
fn gain_of(accounts: impl IntoIterator<Item = AccountId>) -> i128 {
    accounts.into_iter().map(gain).sum()
}

#[test]
fn the_stake_is_divided_and_the_reward_goes_back() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_and_close(task, &[(0, UNUSABLE), (1, UNUSABLE), (2, UNUSABLE)], (2, 0));
        assert_eq!(phase(task), Phase::Settled);
        let best = Results::<Test>::get(task).unwrap().best;
        let claim = Claim::Unusable;
        last_event(Event::Settled { task, claim, best });

        assert_eq!(gain(ALICE), -((STAKE + FEE) as i128));
        assert_eq!(Balances::reserved_balance(ALICE), 0);
        let best_part = WORKERS_PART * 7 / 10;
        let other_part = (WORKERS_PART - best_part) / 2;
        for who in (0..3).map(worker) {
            let expected = if who == best { best_part } else { other_part };
            assert_eq!(gain(who), expected as i128);
            assert_eq!(Balances::reserved_balance(who), 0);
            assert_eq!(records_of(who), [(AS_WORKER, RIGHT)], "right, and confirmed by nobody");
        }
        for verifier in [VERIFIER, VERIFIER + 1] {
            assert_eq!(gain(verifier), (VERIFIERS_PART / 2) as i128);
        }
        // With what is left of the division of two parts that are odd.
        assert_eq!(gain(TREASURY), (TREASURY_PART + FEE + 1) as i128);
        assert_eq!(burned(), BURN);
        assert_eq!(records_of(ALICE), [(Side::Publisher, Outcome::Wrong)]);
        assert_eq!(Rulings::get(), [(task, Ruling::Upheld)]);
        let (job, winner) = (job().job_hash(), best);
        assert_eq!(
            world(|world| world.leaves.clone()),
            [ResultLeaf {
                task,
                job,
                claim,
                winner
            }]
        );
        assert_eq!(terminal_events().len(), 1);
    });
}

#[test]
fn settling_it_writes_no_more_than_settling_an_output() {
    let events = [1, UNUSABLE].map(|answer| {
        let mut events = 0;
        ExtBuilder::default().build_and_execute(|| {
            let task = publish();
            answer_all(task, &[0, 1, 2].map(|n| (n, answer)));
            attest(task, 2, 0);
            let before = System::events().len();
            run_to(progress(task).due + 1);
            assert_eq!(phase(task), Phase::Settled);
            events = System::events().len() - before;
        });
        events
    });
    assert_eq!(events[0], events[1]);
}

#[test]
fn who_claims_an_output_of_it_is_wrong() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        ReputationDouble::set_confidence(worker(0), 30);
        answer_and_close(task, &[(0, UNUSABLE), (1, UNUSABLE), (2, 1)], (0, 0));
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(gain(worker(2)), -(WRONG as i128));
        assert_eq!(records_of(worker(2)), [(AS_WORKER, Outcome::Wrong)]);
        assert_eq!(gain(worker(0)) + gain(worker(1)), WORKERS_PART as i128);
    });
}

#[test]
fn who_claims_that_a_good_input_is_unusable_is_wrong() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        ReputationDouble::set_confidence(worker(0), 30);
        answer_and_close(task, &[(0, 1), (1, 1), (2, UNUSABLE)], (0, 0));
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(gain(worker(2)), -(WRONG as i128));
        assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
        assert_eq!(records_of(ALICE), [(Side::Publisher, RIGHT)]);
    });
}

#[test]
fn an_appeal_finds_it_out() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_and_close(task, &[(0, 1), (1, 1), (2, 1)], (1, 2));
        answer_all(task, &[(3, UNUSABLE), (4, UNUSABLE), (5, UNUSABLE)]);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(Rulings::get(), [(task, Ruling::Overturned)]);
        assert_eq!(gain_of((0..3).map(worker)), -3 * WRONG as i128);
        assert!((3..6).all(|n| gain(worker(n)) > 0));
        assert_eq!([gain(VERIFIER), gain(VERIFIER + 1)], [0, (VERIFIERS_PART / 3) as i128]);
        assert_eq!(gain(ALICE), -((STAKE + FEE) as i128));
        assert_eq!(burned(), BURN);
    });
}

#[test]
fn an_appeal_saves_the_publisher_of_a_good_input() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_and_close(task, &[(0, UNUSABLE), (1, UNUSABLE), (2, UNUSABLE)], (0, 1));
        answer_all(task, &[(3, 1), (4, 1), (5, 1)]);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(gain_of((0..3).map(worker)), -3 * WRONG as i128);
        assert!((3..6).all(|n| gain(worker(n)) > 0));
        assert_eq!(
            gain(ALICE),
            -((REWARD + FEE) as i128),
            "it has an output for its reward"
        );
        assert_eq!(records_of(ALICE), [(Side::Publisher, RIGHT)]);
    });
}

#[test]
fn a_publisher_of_garbage_loses_though_all_workers_and_verifiers_are_its_own() {
    // What no account gets back: burned, and to the treasury, which also has the experts' part.
    for (preset, lost) in [(0, BURN + TREASURY_PART), (1, STAKE * 15 / 100)] {
        let by_preset = |class: &mut Class| class.split = preset;
        ExtBuilder::default().with_class(by_preset).build_and_execute(|| {
            let task = publish();
            answer_and_close(task, &[(0, UNUSABLE), (1, UNUSABLE), (2, UNUSABLE)], (2, 0));
            let own = [ALICE, VERIFIER, VERIFIER + 1].into_iter().chain((0..3).map(worker));
            assert!(gain_of(own) <= -((lost + FEE) as i128));
            for n in 0..3 {
                let confirmed = (AS_WORKER, Outcome::Right { confirmed: true });
                assert!(!records_of(worker(n)).contains(&confirmed), "confidence was bought");
            }
        });
    }
}

/// What a cartel of all workers, and of a verifier, gains with an answer that nobody appeals, and with one that falls.
fn cartel(answer: u8) -> [i128; 2] {
    let cartel = || (0..3).map(worker).chain([VERIFIER]);
    let gained = |fresh: Option<u8>| {
        let mut gained = 0;
        ExtBuilder::default().build_and_execute(|| {
            let task = publish();
            let against = u32::from(fresh.is_some());
            answer_and_close(task, &[0, 1, 2].map(|n| (n, answer)), (1, against));
            if let Some(honest) = fresh {
                answer_all(task, &[3, 4, 5].map(|n| (n, honest)));
            }
            assert_eq!(phase(task), Phase::Settled);
            gained = gain_of(cartel());
        });
        gained
    };
    [gained(None), gained(Some(1))]
}

#[test]
fn a_cartel_gains_less_by_calling_a_good_input_unusable_than_by_a_wrong_output() {
    let ([unusable, caught], [wrong, caught_too]) = (cartel(UNUSABLE), cartel(2));
    assert_eq!(wrong, 3_500, "the parts of workers and verifiers, of the reward");
    assert_eq!(unusable, 1_749, "the same of the stake, rounded down");
    assert_eq!([caught, caught_too], [-3 * WRONG as i128; 2]);
}

/// How the one worker who is not honest fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Late,
    Silent,
    Wrong,
}

proptest! {
    #![proptest_config(agora_test_support::cases(64))]

    #[test]
    fn timely_right_work_never_loses_money(
        stake_rate in 1u32..=1_000_000,
        reward in 1_000u128..30_000,
        preset in 0u8..2,
        is_usable: bool,
        failure in prop::sample::select(vec![Failure::Late, Failure::Silent, Failure::Wrong]),
        is_appealed: bool,
    ) {
        let (truth, lie) = if is_usable { (1, UNUSABLE) } else { (UNUSABLE, 1) };
        let change = |class: &mut Class| {
            (class.replicas, class.max_replicas) = (5, 5);
            (class.stake_rate, class.split) = (Permill::from_parts(stake_rate), preset);
        };
        let mut gains = Vec::new();
        ExtBuilder::default().with_class(change).build_and_execute(|| {
            let deadline = now() + DEADLINE - 1;
            let signed = RuntimeOrigin::signed;
            assert_ok!(Tasks::publish(signed(ALICE), CLASS, job(), Difficulty::ONE, reward, deadline, reference(1)));
            let task = TaskId(0);
            let honest: Vec<_> = (0..4).map(|n| (n, truth)).collect();
            accept(4, task);
            commit_all(task, &honest);
            if !matches!(failure, Failure::Late) {
                commit(4, task, lie);
            }
            if phase(task) == Phase::Working {
                run_to(progress(task).due + 1);
            }
            honest.iter().for_each(|(n, answer)| reveal(*n, task, *answer));
            if matches!(failure, Failure::Wrong) {
                reveal(4, task, lie);
            }
            while phase(task) != Phase::Appealable {
                run_to(now() + 1);
            }
            attest(task, 0, is_appealed.into());
            run_to(progress(task).due + 1);
            if is_appealed {
                let fresh: Vec<_> = (5..10).map(|n| (n, truth)).collect();
                answer_all(task, &fresh);
            }
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(truth));
            gains = (0..10).filter(|n| *n != 4).map(|n| gain(worker(n))).collect();
            assert!(gain(worker(4)) <= 0);
        });
        prop_assert!(gains.iter().all(|gain| *gain >= 0), "{:?}", gains);
    }
}
