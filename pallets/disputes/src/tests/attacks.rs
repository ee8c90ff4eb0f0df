//! Attacks, one by one.

use super::world::*;
use crate::{
    player::{Knowledge, Truth},
    *,
};
use agora_jobs::{Claim, H256, states_root};

fn world(seed: u64) -> World {
    World::new(Toy {
        seed,
        states: 5,
        scans: 40,
        kept: 5,
        size: 5000,
        failing: None,
    })
}

/// A claim of which one state is changed.
fn wrong_state(truth: &Truth, state: usize) -> Truth {
    let mut wrong = truth.clone();
    wrong.states[state][0] ^= 1;
    wrong
}

#[test]
fn a_digest_without_preimage_falls_by_the_clock() {
    let world = world(11);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    let honest = player(&truth, &traces, Side::Accuser);
    let Claim::Output {
        output,
        states_root: root,
    } = truth.claim()
    else {
        panic!()
    };
    // The output, a state, or all states: nobody knows what is behind the hash.
    let mut digests = truth.digests();
    digests.pop();
    digests[2] = H256::repeat_byte(7);
    for claim in [
        Claim::Output {
            output: agora_jobs::BlobRef {
                hash: H256::repeat_byte(9),
                ..output
            },
            states_root: root,
        },
        Claim::Output {
            output,
            states_root: states_root(&digests),
        },
        Claim::Output {
            output,
            states_root: H256::repeat_byte(8),
        },
    ] {
        // Its defender shows what it can: the digests, as far as it made them.
        let liar_truth = Truth { ..truth.clone() };
        let liar = Liar {
            account: 2,
            player: player(&liar_truth, &traces, Side::Defence),
            zeal: 100,
            hijacks: false,
        };
        let target = truth.target(&claim).unwrap();
        let mut random = Random::new(5);
        let report = play(
            &world,
            &accusation(claim, target),
            HONEST,
            &honest,
            &[liar],
            &mut random,
        )
        .unwrap();
        assert_eq!(report.verdict, Verdict::Falls(Fault::Wrong));
        assert!(report.game.losers().is_empty());
    }
}

#[test]
fn whoever_adds_the_right_run_and_is_silent_harms_nobody() {
    let world = world(12);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let wrong = wrong_state(&truth, 3);
    let traces = Traces::new(&world, Some(&truth), None);
    let mut lying = Traces::new(
        &world,
        Some(&truth),
        Some(Lie {
            from: 9,
            longer: 0,
            end: None,
            salt: 1,
        }),
    );
    lying.wanted = Some(&wrong);
    let honest = player(&truth, &traces, Side::Accuser);
    let liars = [
        Liar {
            account: 7,
            player: player(&truth, &traces, Side::Accuser),
            zeal: 100,
            hijacks: true,
        },
        Liar {
            account: 2,
            player: player(&wrong, &lying, Side::Defence),
            zeal: 100,
            hijacks: false,
        },
    ];
    let target = truth.target(&wrong.claim()).unwrap();
    let made = accusation(wrong.claim(), target);
    let report = play(&world, &made, HONEST, &honest, &liars, &mut Random::new(6)).unwrap();
    assert!(matches!(report.verdict, Verdict::Falls(_)));
    let losers = report.game.losers();
    // The defender loses its lists, and its run by its own opening.
    assert!(
        losers.contains(&(2, Fault::Fraud)) && losers.contains(&(2, Fault::Wrong)),
        "{losers:?}"
    );
    assert!(losers.iter().all(|&(who, _)| who == 2));
    let mut runs = report.game.branches.iter().flat_map(|(_, runs)| &runs.runs);
    assert!(runs.any(|run| run.by == 7 && run.lost.is_none()));
    assert!(report.game.moves[&(Side::Accuser, HONEST)] >= 8);
}

#[test]
fn twenty_accusers_delay_a_right_claim_no_longer_than_one() {
    let world = world(13);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    let honest = player(&truth, &traces, Side::Defence);
    let rules = world.rules();
    let wrongs: Vec<_> = (0..20).map(|at| wrong_state(&truth, at % 5)).collect();
    let lying: Vec<_> = (0..20)
        .map(|salt| {
            Traces::new(
                &world,
                Some(&truth),
                Some(Lie {
                    from: salt * 7,
                    longer: 0,
                    end: None,
                    salt,
                }),
            )
        })
        .collect();
    let mut now = Time { block: 0, full: 0 };
    let mut games: Vec<_> = wrongs
        .iter()
        .zip(2..)
        .map(|(wrong, account): (&Truth, u32)| {
            let target = wrong.target(&truth.claim()).unwrap();
            Game::new(account, &accusation(truth.claim(), target), &rules, now).unwrap()
        })
        .collect();
    let mut moves = 0;
    while games.iter().any(|game| game.verdict().is_none()) {
        for ((game, wrong), lying) in games.iter_mut().zip(&wrongs).zip(&lying) {
            let accuser = game.accuser;
            for made in player(wrong, lying, Side::Accuser).moves(game, &rules) {
                let _ = game.play(&accuser, &made, &rules, now);
            }
            for made in honest.moves(game, &rules) {
                moves += u32::from(game.play(&HONEST, &made, &rules, now).is_ok());
            }
            let _ = game.play(&99, &Move::Advance, &rules, now);
        }
        now.block += 1;
        assert!(now.block <= TERMS.bound());
    }
    for game in &games {
        assert_eq!(game.verdict(), Some(Verdict::Stands));
        assert!(game.losers().iter().all(|&(who, _)| who == game.accuser));
    }
    // Each accuser costs the defence a number of moves that is bounded by the heights of the trees.
    assert!(moves <= 20 * 30, "{moves}");
}

#[test]
fn twenty_bad_runs_are_beaten_at_once() {
    let world = world(14);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let wrong = wrong_state(&truth, 1);
    let traces = Traces::new(&world, Some(&truth), None);
    let lying: Vec<_> = (0..20)
        .map(|salt| {
            let mut traces = Traces::new(
                &world,
                Some(&truth),
                Some(Lie {
                    from: salt * 3,
                    longer: 0,
                    end: None,
                    salt,
                }),
            );
            traces.wanted = Some(&wrong);
            traces
        })
        .collect();
    let liars: Vec<_> = (2..)
        .zip(&lying)
        .map(|(account, traces)| Liar {
            account,
            player: player(&wrong, traces, Side::Defence),
            zeal: 100,
            hijacks: false,
        })
        .collect();
    let honest = player(&truth, &traces, Side::Accuser);
    let target = truth.target(&wrong.claim()).unwrap();
    let made = accusation(wrong.claim(), target);
    let report = play(&world, &made, HONEST, &honest, &liars, &mut Random::new(8)).unwrap();
    assert!(matches!(report.verdict, Verdict::Falls(_)));
    let beaten = report
        .game
        .losers()
        .iter()
        .filter(|&&(_, fault)| fault == Fault::Fraud)
        .count();
    assert_eq!(beaten, 20);
    assert!(report.game.losers().iter().all(|&(who, _)| who != HONEST));
}

#[test]
fn a_published_chunk_is_accused_without_a_descent() {
    let world = world(15);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    for state in 0..5 {
        let wrong = wrong_state(&truth, state);
        let target = truth.point(&wrong.digests(), &wrong.states[state]).unwrap();
        let made = accusation(wrong.claim(), target.clone());
        let begun = Dispute::new(&made, &world.law, &TERMS, Time::default()).unwrap();
        assert!(matches!(begun.phase, Phase::Defences { .. }));
        // It shows nothing of another claim.
        let of_right = accusation(truth.claim(), target);
        assert_eq!(
            Dispute::new(&of_right, &world.law, &TERMS, Time::default()),
            Err(Error::WrongOpening)
        );
        let honest = player(&truth, &traces, Side::Accuser);
        let liar = Liar {
            account: 2,
            player: player(&wrong, &traces, Side::Defence),
            zeal: 100,
            hijacks: false,
        };
        let report = play(&world, &made, HONEST, &honest, &[liar], &mut Random::new(9)).unwrap();
        assert!(matches!(report.verdict, Verdict::Falls(_)));
    }
}

#[test]
fn a_run_that_fails_decides_nothing_unless_it_is_a_lie() {
    let world = world(16);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let wrong = wrong_state(&truth, 2);
    let failing = Traces::new(
        &world,
        Some(&truth),
        Some(Lie {
            from: 4,
            longer: 0,
            end: Some(2),
            salt: 3,
        }),
    );
    let traces = Traces::new(&world, Some(&truth), None);
    let made = accusation(wrong.claim(), truth.target(&wrong.claim()).unwrap());
    let play_with = |tracer| {
        let accuser = player(&truth, tracer, Side::Accuser);
        let liar = Liar {
            account: 2,
            player: player(&wrong, &failing, Side::Defence),
            zeal: 100,
            hijacks: false,
        };
        play(&world, &made, HONEST, &accuser, &[liar], &mut Random::new(10))
            .unwrap()
            .verdict
    };
    assert!(matches!(play_with(&traces), Verdict::Falls(_)));
    // Nobody adds the run that really happens.
    assert_eq!(play_with(&failing), Verdict::Nothing);
}

#[test]
fn the_list_of_states_must_be_that_of_the_claim() {
    let world = world(18);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    // The claim has one wrong state, the lists of its defence have another.
    let wrong = wrong_state(&truth, 3);
    let listed = wrong_state(&wrong, 1);
    let made = accusation(wrong.claim(), truth.point(&wrong.digests(), &wrong.states[3]).unwrap());
    let honest = player(&truth, &traces, Side::Accuser);
    let liar = Liar {
        account: 2,
        player: player(&listed, &traces, Side::Defence),
        zeal: 100,
        hijacks: false,
    };
    let report = play(&world, &made, HONEST, &honest, &[liar], &mut Random::new(2)).unwrap();
    assert!(matches!(report.verdict, Verdict::Falls(_)));
    let lists = listed.defence(&world.law, &report.game.branches[0].0.aim).unwrap();
    let (branch, runs) = report
        .game
        .branches
        .iter()
        .find(|(branch, _)| branch.defence == lists)
        .unwrap();
    assert_eq!(branch.named.map(|(list, ..)| list), Some(List::States));
    assert!(runs.runs.is_empty() && branch.lost().is_some());

    // And whoever says so of a right list is refuted by the claim.
    let output = wrong_state(&listed, 4);
    let made = accusation(truth.claim(), Target::Output);
    let honest = player(&truth, &traces, Side::Defence);
    let liar = Liar {
        account: 2,
        player: player(&output, &traces, Side::Accuser),
        zeal: 100,
        hijacks: false,
    };
    let report = play(&world, &made, 2, &honest, &[liar], &mut Random::new(3)).unwrap();
    assert_eq!(report.verdict, Verdict::Stands);
    assert!(report.game.branches.iter().any(|(branch, runs)| {
        branch.named.map(|(list, ..)| list) == Some(List::States) && branch.by == HONEST && runs.runs.is_empty()
    }));
}

#[test]
fn an_accuser_that_is_silent_loses_by_the_clock_and_nothing_is_taken_twice() {
    let world = world(17);
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    let honest = player(&truth, &traces, Side::Defence);
    for target in [Target::States, Target::Output, Target::Inputs] {
        let made = accusation(truth.claim(), target);
        let report = play(&world, &made, 2, &honest, &[], &mut Random::new(1)).unwrap();
        assert_eq!(report.verdict, Verdict::Stands);
        assert_eq!(report.game.losers(), [(2, Fault::Wrong)]);
    }
}
