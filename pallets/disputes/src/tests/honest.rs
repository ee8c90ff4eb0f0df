//! Whoever knows the truth wins, whatever others do, in bounded time, and loses nothing.

use super::world::*;
use crate::{
    Side, Verdict,
    player::{Knowledge, Truth},
};
use proptest::prelude::*;

fn lie(random: &mut Random) -> Lie {
    Lie {
        from: random.below(500),
        longer: random.below(5) as i64 - 2,
        end: [None, None, Some(0), Some(1), Some(2)][random.below(5) as usize],
        salt: random.below(1000),
    }
}

/// A claim that is wrong, accused by whoever knows better, or one that is right and defended by whoever does: `honest` says which. Liars who
/// agree play the other side, and there is a hijacker on each.
fn whoever_knows_wins(seed: u64, honest: Side) -> Result<(), TestCaseError> {
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
    let dishonest = match honest {
        Side::Accuser => Side::Defence,
        Side::Defence => Side::Accuser,
    };
    let mut liars: Vec<_> = (2..)
        .zip(&traces)
        .map(|(account, traces)| Liar {
            account,
            player: player(&wrong, traces, dishonest),
            zeal: [100, 90, 40][random.below(3) as usize],
            hijacks: false,
        })
        .collect();
    if honest == Side::Defence {
        // Enters wrong lists in the name of the right claim.
        liars.push(Liar {
            account: 8,
            player: player(&wrong, &traces[1], Side::Defence),
            zeal: 100,
            hijacks: false,
        });
    }
    // Adds bad runs, and never makes a move for them.
    liars.push(Liar {
        account: 9,
        player: player(&truth, &traces[0], honest),
        zeal: 100,
        hijacks: true,
    });
    let (accuser, accused, target) = match honest {
        Side::Accuser => (HONEST, wrong.claim(), truth.target(&wrong.claim())),
        Side::Defence => (2, truth.claim(), wrong.target(&truth.claim())),
    };
    let accusation = accusation(accused, target.unwrap());
    let honest_player = player(&truth, &honest_traces, honest);
    let report = play(&world, &accusation, accuser, &honest_player, &liars, &mut random).unwrap();
    let losers = report.game.losers();
    match honest {
        Side::Accuser => prop_assert!(
            matches!(report.verdict, Verdict::Falls(_)),
            "seed {}: {:?}",
            seed,
            report.verdict
        ),
        Side::Defence => {
            prop_assert_eq!(report.verdict, Verdict::Stands, "seed {}", seed);
            prop_assert!(losers.iter().any(|(who, _)| *who == 2));
        }
    }
    let lost: Vec<_> = losers.into_iter().filter(|(who, _)| *who == HONEST).collect();
    prop_assert!(lost.is_empty(), "seed {}: {:?}", seed, lost);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_wrong_claim_falls(seed: u64) {
        whoever_knows_wins(seed, Side::Accuser)?;
    }

    #[test]
    fn a_right_claim_stands(seed: u64) {
        whoever_knows_wins(seed, Side::Defence)?;
    }
}
