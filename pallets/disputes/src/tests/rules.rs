//! The rules, one by one.

use super::world::*;
use crate::{player::Knowledge, *};
use agora_jobs::{BlobRef, Claim, H256, MatmulJob, SyntheticJob, blob, states_root};
use agora_reference::{Output, Reference, Step};
use codec::{Encode, MaxEncodedLen};

const fn at(block: u64) -> Time {
    Time { block, full: 0 }
}

#[test]
fn terms_leave_time_for_what_was_added_late() {
    assert_eq!(TERMS.validate(), Ok(()));
    assert_eq!(Terms { entry: 21, ..TERMS }.validate(), Err(Error::Terms));
    for terms in [
        Terms { commit: 0, ..TERMS },
        Terms { reveal: 0, ..TERMS },
        Terms { challenge: 0, ..TERMS },
        Terms { entry: 0, ..TERMS },
        Terms {
            clock: 1 << 32,
            ..TERMS
        },
        Terms {
            stops: 1 << 32,
            ..TERMS
        },
    ] {
        assert_eq!(terms.validate(), Err(Error::Terms));
    }
}

#[test]
fn an_accusation_is_revealed_when_nobody_can_copy_it() {
    let made = accusation(Claim::Unusable, Target::Inputs);
    let of = |account: u8, salt: u8| commitment(&H256::zero(), 7, &[account; 32], &made, &[salt; 32]);
    let ours = Commitment::new(of(1, 2), 100, &TERMS, at(109)).unwrap();
    assert_eq!(Commitment::new(of(1, 2), 100, &TERMS, at(110)), Err(Error::NotNow));
    assert_eq!(Commitment::new(of(1, 2), 100, &TERMS, at(99)), Err(Error::NotNow));
    assert_eq!(ours.reveal(of(1, 2), 100, &TERMS, at(109)), Err(Error::Early));
    assert_eq!(ours.reveal(of(1, 2), 100, &TERMS, at(110)), Ok(()));
    assert_eq!(ours.reveal(of(1, 2), 100, &TERMS, at(120)), Err(Error::NotNow));
    assert_eq!(ours.reveal(of(1, 3), 100, &TERMS, at(110)), Err(Error::NotCommitted));
    assert_ne!(of(1, 2), of(2, 2));
    assert_ne!(commitment(&H256::zero(), 8, &[1; 32], &made, &[2; 32]), of(1, 2));
    let other = Accusation {
        own: Some(Claim::Unusable),
        ..made.clone()
    };
    assert_ne!(other.id(), made.id());
    // To the byte.
    let id = sp_crypto_hashing::blake2_256(&[b"agora/accusation/1".as_slice(), &[1, 3, 0]].concat());
    assert_eq!(made.id().0, id);
    let bytes = [
        b"agora/accuse/1".as_slice(),
        &[0; 32],
        &7u64.to_le_bytes(),
        &[1; 32],
        &id,
        &[2; 32],
    ]
    .concat();
    assert_eq!(of(1, 2).0, sp_crypto_hashing::blake2_256(&bytes));
}

#[test]
fn a_claim_that_the_job_refutes_falls_at_once() {
    let law = Toy {
        seed: 5,
        states: 1,
        scans: 0,
        kept: 0,
        size: 900,
        failing: None,
    };
    let size = law.state_size(0);
    let claim = |size, root| Claim::Output {
        output: BlobRef {
            hash: H256::zero(),
            size,
        },
        states_root: root,
    };
    let begin = |accused, target| Dispute::new(&accusation(accused, target), &law, &TERMS, at(0)).map(|d| d.phase);
    let fallen = Ok(Phase::Over(Verdict::Falls(Fault::Fraud)));
    assert_eq!(begin(claim(size + 1, states_root(&[])), Target::Output), fallen);
    assert_eq!(begin(claim(size, H256::zero()), Target::Output), fallen);
    let right = claim(size, states_root(&[]));
    assert!(matches!(
        begin(right, Target::Output),
        Ok(Phase::Chunks { state: 0, .. })
    ));
    assert_eq!(begin(right, Target::States), Err(Error::Target));
    assert_eq!(begin(Claim::Unusable, Target::Output), Err(Error::Target));
    assert!(matches!(
        begin(Claim::Unusable, Target::Inputs),
        Ok(Phase::Defences { aim: Aim::Unusable, .. })
    ));
}

#[test]
fn a_defence_that_is_right_counts_more_than_runs_that_fail_in_others() {
    let law = Toy {
        seed: 5,
        states: 1,
        scans: 1,
        kept: 0,
        size: 900,
        failing: None,
    };
    let made = accusation(Claim::Unusable, Target::Inputs);
    let begun = Dispute::new(&made, &law, &TERMS, at(0)).unwrap();
    let (right, wrong, nothing) = (Found::Right, Found::Wrong, Found::Nothing);
    for (found, verdict) in [
        (vec![], Verdict::Falls(Fault::Wrong)),
        (vec![wrong, wrong], Verdict::Falls(Fault::Wrong)),
        (vec![nothing], Verdict::Nothing),
        (vec![wrong, nothing, wrong], Verdict::Nothing),
        (vec![nothing, wrong, right], Verdict::Stands),
        (vec![nothing, nothing, right], Verdict::Stands),
        (vec![right, nothing, wrong], Verdict::Stands),
    ] {
        let mut dispute = begun;
        let Phase::Defences { standing, .. } = &mut dispute.phase else {
            panic!("{:?}", dispute.phase);
        };
        *standing = found.len() as u32;
        for branch in &found {
            if matches!(dispute.phase, Phase::Defences { .. }) {
                // One is left, so that nothing but a right one ends it.
                assert_eq!(dispute.advance(at(TERMS.entry)), Err(Error::Early), "{found:?}");
            }
            dispute.close(*branch);
        }
        assert!(dispute.advance(at(TERMS.entry - 1)).is_err(), "{found:?}");
        let _ = dispute.advance(at(TERMS.entry));
        assert_eq!(dispute.phase, Phase::Over(verdict), "{found:?}");
    }
}

#[test]
fn counts_follow_from_the_job() {
    let synthetic = SyntheticJob {
        seed: [1; 32],
        matrix_size: 512,
        iterations: 3,
    };
    let matmul = MatmulJob {
        matrix: BlobRef {
            hash: H256::zero(),
            size: 3000 * 1000,
        },
        input: BlobRef {
            hash: H256::zero(),
            size: 1000 * 40,
        },
        columns: 1000,
        first_row: 0,
        rows: 3000,
        vectors: 40,
    };
    let laws: [&dyn Reference; 2] = [&synthetic, &matmul];
    for law in laws {
        for state in 0..law.states() {
            let step = Step::State(state);
            let count = (0..law.units(step))
                .filter(|&u| matches!(law.unit(step, u).unwrap().output, Output::Kept { .. }))
                .count();
            assert_eq!(kept(law, step), count as u64);
            let chunks = law.state_size(state).div_ceil(1024);
            for chunk in 0..chunks {
                let (unit, index) = maker(law, state, chunk).unwrap();
                let Output::Part { offset, size } = law.unit(step, unit).unwrap().output else {
                    panic!("{unit}")
                };
                assert_eq!(offset + index * 1024, chunk * 1024);
                assert!(index * 1024 < size);
            }
            assert_eq!(maker(law, state, chunks), None);
            assert_eq!(maker(law, state, u64::MAX), None);
        }
        assert_eq!(maker(law, law.states(), 0), None);
    }
}

#[test]
fn everything_that_is_stored_is_bounded() {
    // What a pallet keeps of one dispute, one branch, one match: less than four KiB each, whatever anybody does.
    assert!(Dispute::max_encoded_len() < 2048, "{}", Dispute::max_encoded_len());
    assert!(
        Branch::<[u8; 32]>::max_encoded_len() < 4096,
        "{}",
        Branch::<[u8; 32]>::max_encoded_len()
    );
    assert!(Match::max_encoded_len() < 2048, "{}", Match::max_encoded_len());
    assert_eq!(Run::<[u8; 32]>::max_encoded_len(), 32 + 32 + 1 + 2);
}

#[test]
fn only_the_last_state_of_a_run_says_how_it_ends() {
    let mut random = Random::new(3);
    let law = Toy {
        seed: 77,
        states: 2,
        scans: 0,
        kept: 0,
        size: 900,
        failing: None,
    };
    let world = World::new(law);
    let truth = player::Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    let point = Point {
        state: Some(0),
        unit: 0,
        expected: Expected::Chunk {
            index: 0,
            hash: blob::hash(&truth.states[0]),
        },
    };
    let aim = Aim::Chunk {
        state: 0,
        chunk: 0,
        hash: H256::zero(),
    };
    let run = aim
        .execution(
            &world.law,
            world.rules().job,
            &truth.defence(&world.law, &aim).unwrap(),
            &point,
        )
        .unwrap();
    let traced = player::Tracer::trace(&traces, &run, None).unwrap();
    let end = player::run_end(traced.as_ref(), &point).unwrap();
    let stand = |end: &RunEnd, point: &Point| end.stand(traced.root(), point, &world.law, &world);
    assert_eq!(stand(&end, &point), Ok(Stand::For));
    let other = Point {
        expected: Expected::Chunk {
            index: 0,
            hash: H256::zero(),
        },
        ..point
    };
    assert_eq!(stand(&end, &other), Ok(Stand::Against));
    let unusable = Point {
        expected: Expected::Unusable,
        ..point
    };
    assert_eq!(stand(&end, &unusable), Ok(Stand::Against));
    // A state before the end, another state, another node, another chunk, none.
    let refused = Err(Error::WrongOpening);
    let (before, _) = traced.segment(1).unwrap();
    assert_eq!(
        stand(
            &RunEnd {
                state: before,
                ..end.clone()
            },
            &point
        ),
        refused
    );
    let mut wrong = end.clone();
    wrong.state[50] ^= 1;
    assert_eq!(stand(&wrong, &point), refused);
    let mut wrong = end.clone();
    wrong.path[random.below(8) as usize][random.below(16) as usize].0[3] ^= 1;
    assert_eq!(stand(&wrong, &point), refused);
    let mut wrong = end.clone();
    wrong.path.pop();
    assert_eq!(stand(&wrong, &point), refused);
    let mut wrong = end.clone();
    wrong.chunk.as_mut().unwrap().chunk[0] ^= 1;
    assert_eq!(stand(&wrong, &point), refused);
    assert_eq!(
        stand(
            &RunEnd {
                chunk: None,
                ..end.clone()
            },
            &point
        ),
        refused
    );
    assert!(!end.encode().is_empty());
}

#[test]
fn runs_matches_and_moves_have_their_time() {
    let world = World::new(Toy {
        seed: 77,
        states: 2,
        scans: 0,
        kept: 0,
        size: 900,
        failing: None,
    });
    let truth = player::Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    let mut lying = Traces::new(
        &world,
        Some(&truth),
        Some(Lie {
            from: 30,
            longer: 0,
            end: None,
            salt: 4,
        }),
    );
    let mut wrong = truth.clone();
    wrong.states[0][2] ^= 1;
    lying.wanted = Some(&wrong);
    let chunk = Expected::Chunk {
        index: 0,
        hash: blob::hash(&truth.states[0]),
    };
    let point = Point {
        state: Some(0),
        unit: 0,
        expected: chunk,
    };
    let aim = Aim::Chunk {
        state: 0,
        chunk: 0,
        hash: H256::zero(),
    };
    let run = aim
        .execution(
            &world.law,
            world.rules().job,
            &truth.defence(&world.law, &aim).unwrap(),
            &point,
        )
        .unwrap();
    let input = BlobRef::to(&run.input());
    let right = player::Tracer::trace(&traces, &run, None).unwrap();
    let other = player::Tracer::trace(&lying, &run, None).unwrap();
    let mut bench = Bench::new(point, input, world.start(&run), &TERMS, at(0));
    let ends = [&right, &other].map(|traced| player::run_end(traced.as_ref(), &point).unwrap());
    let mut one = bench.add(1, right.root(), &ends[0], &world.law, &world, at(0)).unwrap();
    let mut two = bench
        .add(2, other.root(), &ends[1], &world.law, &world, at(19))
        .unwrap();
    assert_eq!((one.stand, two.stand), (Stand::For, Stand::Against));
    assert_eq!(
        bench.add(3, right.root(), &ends[0], &world.law, &world, at(20)),
        Err(Error::NotNow)
    );
    assert_eq!(bench.challenge(&one, &one.clone(), &TERMS, at(39)), Err(Error::NoMatch));
    assert_eq!(bench.challenge(&one, &two, &TERMS, at(40)), Err(Error::NotNow));
    // Two sides are left, and matches may still be begun; then nothing can change any more, but for the one that was.
    let undecided = bench.clone();
    assert_eq!(
        (undecided.found(at(39)), undecided.found(at(40))),
        (None, Some(Found::Right))
    );
    let mut game = bench.challenge(&one, &two, &TERMS, at(39)).unwrap();
    assert_eq!(bench.found(at(1000)), None);

    let top = [&right, &other].map(|traced| traced.open(8, 0).unwrap());
    assert_eq!(game.open(Player::First, &top[1], at(39)), Err(Error::WrongOpening));
    game.open(Player::First, &top[0], at(39)).unwrap();
    assert_eq!(game.open(Player::First, &top[0], at(39)), Err(Error::NotNow));
    assert_eq!(game.timeout(at(78)), None);
    assert_eq!(game.open(Player::Second, &top[1], at(79)), Err(Error::NotNow));
    assert_eq!(game.timeout(at(79)), Some([None, Some(Fault::Wrong)]));
    game.open(Player::Second, &top[1], at(78)).unwrap();
    assert_eq!(game.position(), (7, 0));
    // The second has used up its time but for a block; the first has all of it.
    assert_eq!(game.timeout(at(79)), Some([None, Some(Fault::Wrong)]));
    let segment = Segment {
        path: vec![],
        state: vec![],
        witness: vec![],
    };
    assert_eq!(game.execute(&segment, &run, &world, at(78)), Err(Error::NotNow));
    bench.close([&mut one, &mut two], [None, Some(Fault::Wrong)]);
    assert_eq!((one.lost, two.lost), (None, Some(Fault::Wrong)));
    assert_eq!(bench.challenge(&one, &two, &TERMS, at(21)), Err(Error::NoMatch));
    // One side is left: nobody waits for matches.
    assert_eq!((bench.found(at(19)), bench.found(at(20))), (None, Some(Found::Right)));
}

#[test]
fn a_match_ends_where_the_two_part() {
    let world = World::new(Toy {
        seed: 399,
        states: 2,
        scans: 0,
        kept: 0,
        size: 900,
        failing: None,
    });
    let truth = player::Truth::compute(&world.law, &world.law).unwrap();
    let traces = Traces::new(&world, Some(&truth), None);
    let aim = Aim::Chunk {
        state: 0,
        chunk: 0,
        hash: H256::zero(),
    };
    let point = Point {
        state: Some(0),
        unit: 0,
        expected: Expected::Output(H256::zero()),
    };
    let run = aim
        .execution(
            &world.law,
            world.rules().job,
            &truth.defence(&world.law, &aim).unwrap(),
            &point,
        )
        .unwrap();
    let right = player::Tracer::trace(&traces, &run, None).unwrap();
    for from in [0, 1, 14, 15, 16, 17, 255, 256, 300, 399] {
        let lying = Traces::new(
            &world,
            Some(&truth),
            Some(Lie {
                from,
                longer: 0,
                end: None,
                salt: 4,
            }),
        );
        let other = player::Tracer::trace(&lying, &run, None).unwrap();
        let mut game = Match::new([right.root(), other.root()], world.start(&run), &TERMS, at(0));
        while game.position().0 > 0 {
            let (height, number) = game.position();
            game.open(Player::Second, &other.open(height, number).unwrap(), at(1))
                .unwrap();
            game.open(Player::First, &right.open(height, number).unwrap(), at(1))
                .unwrap();
        }
        let (_, number) = game.position();
        assert_eq!(number, from);
        let (state, witness) = right.segment(number).unwrap();
        let path = player::before(right.as_ref(), game.before(), number).unwrap();
        let segment = Segment { path, state, witness };
        assert_eq!(
            game.execute(&segment, &run, &world, at(2)),
            Ok([None, Some(Fault::Fraud)])
        );
        // Not from another state, nor along another way.
        let (later, _) = right.segment(number + 1).unwrap();
        let elsewhere = Segment {
            state: later,
            ..segment.clone()
        };
        assert_eq!(game.execute(&elsewhere, &run, &world, at(2)), Err(Error::WrongSegment));
        let mut longer = segment.clone();
        longer.path.push([H256::zero(); 16]);
        assert_eq!(game.execute(&longer, &run, &world, at(2)), Err(Error::WrongOpening));
        let shown_more = Segment {
            witness: vec![1],
            ..segment
        };
        assert_eq!(game.execute(&shown_more, &run, &world, at(2)), Err(Error::WrongSegment));
    }
}
