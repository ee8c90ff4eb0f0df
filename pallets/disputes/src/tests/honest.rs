//! Whoever knows the truth wins, whatever others do, in bounded time, and loses nothing.

use super::world::*;
use crate::{Side, Verdict, player::Truth};
use proptest::prelude::*;

fn lie(random: &mut Random) -> Lie {
    Lie {
        from: random.below(500),
        longer: random.below(5) as i64 - 2,
        end: [None, None, Some(0), Some(1), Some(2)][random.below(5) as usize],
        salt: random.below(1000),
    }
}

/// A claim that is wrong, accused by whoever knows better, and defended by liars who agree on it, with a hijacker on each side.
fn a_wrong_claim(seed: u64) -> Result<(), TestCaseError> {
    let mut random = Random::new(seed);
    let world = World::new(Toy::random(&mut random));
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let wrong = tampered(&truth, &world.law, &mut random);
    prop_assume!(wrong.claim() != truth.claim());
    let honest_traces = Traces::new(&world, Some(&truth), None);
    let lies: Vec<_> = (0..4).map(|_| lie(&mut random)).collect();
    // What a liar has made up is known to whoever it tells, and to nobody else: only its runs are.
    let mut traces: Vec<_> = lies
        .iter()
        .map(|&lie| Traces::new(&world, Some(&truth), Some(lie)))
        .collect();
    traces
        .iter_mut()
        .take(3)
        .for_each(|traces| traces.wanted = Some(&wrong));
    let honest = player(&truth, &honest_traces, Side::Accuser);
    let mut liars: Vec<_> = (2..)
        .zip(&traces)
        .map(|(account, traces)| Liar {
            account,
            player: player(&wrong, traces, Side::Defence),
            zeal: [100, 90, 40][random.below(3) as usize],
            hijacks: false,
        })
        .collect();
    // Adds bad runs, and never makes a move for them.
    liars.push(Liar {
        account: 9,
        player: player(&truth, &traces[0], Side::Accuser),
        zeal: 100,
        hijacks: true,
    });
    let target = truth.target(&wrong.claim()).unwrap();
    let accusation = accusation(wrong.claim(), target);
    let report = play(&world, &accusation, HONEST, &honest, &liars, &mut random).unwrap();
    prop_assert!(
        matches!(report.verdict, Verdict::Falls(_)),
        "seed {}: {:?}",
        seed,
        report.verdict
    );
    let lost: Vec<_> = report
        .game
        .losers()
        .into_iter()
        .filter(|(who, _)| *who == HONEST)
        .collect();
    prop_assert!(lost.is_empty(), "seed {}: {:?}", seed, lost);
    Ok(())
}

/// A claim that is right, accused by a liar, and defended by whoever knows better.
fn a_right_claim(seed: u64) -> Result<(), TestCaseError> {
    let mut random = Random::new(seed);
    let world = World::new(Toy::random(&mut random));
    let truth = Truth::compute(&world.law, &world.law).unwrap();
    let wrong = tampered(&truth, &world.law, &mut random);
    prop_assume!(wrong.claim() != truth.claim());
    let honest_traces = Traces::new(&world, Some(&truth), None);
    let lies: Vec<_> = (0..4).map(|_| lie(&mut random)).collect();
    let mut traces: Vec<_> = lies
        .iter()
        .map(|&lie| Traces::new(&world, Some(&truth), Some(lie)))
        .collect();
    traces
        .iter_mut()
        .take(3)
        .for_each(|traces| traces.wanted = Some(&wrong));
    let honest = player(&truth, &honest_traces, Side::Defence);
    let mut liars: Vec<_> = (2..)
        .zip(&traces)
        .map(|(account, traces)| Liar {
            account,
            player: player(&wrong, traces, Side::Accuser),
            zeal: [100, 90, 40][random.below(3) as usize],
            hijacks: false,
        })
        .collect();
    // Enters wrong lists in the name of the right claim.
    liars.push(Liar {
        account: 8,
        player: player(&wrong, &traces[1], Side::Defence),
        zeal: 100,
        hijacks: false,
    });
    liars.push(Liar {
        account: 9,
        player: player(&truth, &traces[0], Side::Defence),
        zeal: 100,
        hijacks: true,
    });
    let target = wrong.target(&truth.claim()).unwrap();
    let accusation = accusation(truth.claim(), target);
    let report = play(&world, &accusation, 2, &honest, &liars, &mut random).unwrap();
    prop_assert_eq!(report.verdict, Verdict::Stands, "seed {}", seed);
    let lost: Vec<_> = report
        .game
        .losers()
        .into_iter()
        .filter(|(who, _)| *who == HONEST)
        .collect();
    prop_assert!(lost.is_empty(), "seed {}: {:?}", seed, lost);
    prop_assert!(report.game.losers().iter().any(|(who, _)| *who == 2));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_wrong_claim_falls(seed: u64) {
        a_wrong_claim(seed)?;
    }

    #[test]
    fn a_right_claim_stands(seed: u64) {
        a_right_claim(seed)?;
    }
}
