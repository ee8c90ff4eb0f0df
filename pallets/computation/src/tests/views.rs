//! The view functions: a game from the storage is the same as one that was played in one value.

use super::world::*;
use crate::{Call, mock::*};
use agora_disputes::{Game, Side, Time};
use agora_primitives::{TaskId, job::Claim};
use codec::{Decode, Encode};
use frame_support::{assert_ok, view_functions::ViewFunction};
use std::collections::BTreeSet;

#[test]
fn there_is_nothing_to_see_where_nothing_is() {
    run(|| {
        assert_eq!(Computation::case(TASK), None);
        assert!(Computation::trial_of(0).is_none());
        assert!(!Computation::hidden(0, 1));
        open_case(Claim::Unusable);
        assert_eq!(Computation::case(TASK), crate::OpenCases::<Test>::get(TASK));
    });
}

/// Checks that two games are the same but for the order of their parts.
fn assert_same(stored: &Game<AccountId>, played: &Game<AccountId>) {
    assert_eq!((stored.accuser, stored.dispute), (played.accuser, played.dispute));
    assert_eq!(stored.branches.len(), played.branches.len());
    let keys: Vec<_> = (0..stored.branches.len()).map(|at| stored.key(at).unwrap()).collect();
    assert!(keys.is_sorted());
    assert_eq!(stored.key(keys.len()), None);
    for (at, key) in keys.iter().enumerate() {
        let there = (0..keys.len()).find(|&there| played.key(there) == Some(*key)).unwrap();
        let ((branch, runs), (other, other_runs)) = (&stored.branches[at], &played.branches[there]);
        assert_eq!(branch, other);
        assert_eq!(runs.openings, other_runs.openings);
        assert!(runs.runs.is_sorted_by_key(|run| run.root));
        let set =
            |runs: &agora_disputes::Runs<AccountId>| -> BTreeSet<_> { runs.runs.iter().map(Encode::encode).collect() };
        assert_eq!(set(runs), set(other_runs));
        assert_eq!(runs.matches.len(), other_runs.matches.len());
        for number in 0..runs.matches.len() {
            let (one, two) = stored.roots(at, number).unwrap();
            assert!(one < two);
            let same = |&there_too: &usize| {
                let (other_one, other_two) = played.roots(there, there_too).unwrap();
                [(one, two), (two, one)].contains(&(other_one, other_two))
            };
            let there_too = (0..runs.matches.len()).find(same).unwrap();
            let (game, other) = (&runs.matches[number].1, &other_runs.matches[there_too].1);
            assert_eq!(
                game.as_ref().map(agora_disputes::Match::position),
                other.as_ref().map(agora_disputes::Match::position)
            );
        }
    }
}

#[test]
fn a_trial_is_shown_as_the_game_that_it_is() {
    let world = World::new();
    run(|| {
        let (liar, hijacker) = (world.liar(2, 1), world.liar(0, 0));
        open_case(world.right());
        let accusation = accusation(world.right(), liar.own.target(&world.right()).unwrap());
        let id = accuse(LIAR, &accusation);
        let rules = world.honest.rules(&TERMS);
        let time = |block| Time { block, full: 0 };
        let mut played = Game::new(LIAR, &accusation, &rules, time(now())).unwrap();
        let mut moves = 0;
        while verdict(id).is_none() {
            for (who, side) in [
                (LIAR, Side::Accuser),
                (3, Side::Defence),
                (4, Side::Accuser),
                (HONEST, Side::Defence),
            ] {
                // Each reads its own game: their parts have other numbers.
                let (trial, stored) = Computation::trial_of(id).unwrap();
                let decide = |game: &Game<AccountId>| match who {
                    LIAR => liar.moves(side, &trial, game),
                    HONEST => world.honest.moves(side, game, &trial.terms),
                    _ => hijacker.moves(side, &trial, game),
                };
                for made in decide(&stored) {
                    moves += usize::from(dispatch(who, Call::of_move(id, &stored, made).unwrap()).is_ok());
                }
                for made in decide(&played.clone()) {
                    let _ = played.play(&who, &made, &rules, time(now()));
                }
                assert_same(&Computation::trial_of(id).unwrap().1, &played);
            }
            run_to(now() + 1);
            // All that has ended at once, in both.
            advance_all(id);
            let advance = agora_disputes::Move::Advance;
            let _ = played.play(&PASSER_BY, &advance, &rules, time(now()));
            let _ = played.play(&PASSER_BY, &advance, &rules, time(now()));
            assert_same(&Computation::trial_of(id).unwrap().1, &played);
        }
        assert!(moves > 20, "{moves}");
        // Off the chain it is decoded again.
        let (_, game) = Computation::trial_of(id).unwrap();
        let bytes = crate::GameViewFunction::<Test>::new(id).invoke().encode();
        let decoded = <Option<Game<AccountId>>>::decode(&mut &bytes[..]).unwrap().unwrap();
        assert_eq!(decoded.encode(), game.encode());
        assert_ok!(Computation::do_try_state());
    });
}

#[test]
fn pages_show_every_open_case_once_with_the_blocks_that_were_full() {
    use agora_primitives::courts::{CaseTerms, CaseView, Court, HowEnded};
    run(|| {
        let claim = World::new().right();
        let many = u64::from(crate::CASES_PER_PAGE) + 3;
        for n in 0..many {
            let terms = CaseTerms {
                job: agora_primitives::job::JobSource::Inline(job()),
                claim,
                until: WINDOW + n,
            };
            assert_eq!(Computation::open(TaskId(n), terms), Ok(true));
        }
        crate::FullBlocks::<Test>::put(2);
        let first = Computation::cases(None);
        assert_eq!(first.cases.len() as u64, many - 3);
        let second = Computation::cases(first.next);
        assert_eq!(second.next, None);
        let mut all = [first.cases, second.cases].concat();
        all.sort_unstable_by_key(|case| case.task);
        let view = |n, decided| CaseView {
            task: TaskId(n),
            number: n,
            claim,
            until: WINDOW + n + 2,
            reveal_until: WINDOW + n + 2 + TERMS.reveal,
            hidden: 0,
            decided,
        };
        assert_eq!(all, (0..many).map(|n| view(n, None)).collect::<Vec<_>>());
        suspend_image();
        let again = Computation::cases(None);
        assert!(again.cases.iter().all(|case| case.decided == Some(HowEnded::Undecided)));
        assert!(again.cases.iter().all(CaseView::is_decided));
    });
}
