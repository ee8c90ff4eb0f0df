//! Openings and what is none; games of honest parties, of liars and of those who do not play by the rules.

use super::*;
use proptest::prelude::*;

const ACCOUNTS: [Account; 2] = [[1; 32], [2; 32]];
const PARTIES: [Party; 2] = [Party::First, Party::Second];

/// The digest that state `index` has in version `version` of a computation.
fn state(index: usize, version: u8) -> Hash {
    merkle::leaf_hash(&[&index.to_le_bytes()[..], &[version]].concat())
}

/// A trace whose state `i` has version `versions[i]`.
fn trace(versions: &[u8]) -> Vec<Hash> {
    versions
        .iter()
        .enumerate()
        .map(|(i, &version)| state(i, version))
        .collect()
}

fn commitment(account: Account, digests: &[Hash]) -> Commitment {
    Commitment {
        account,
        result: digests[digests.len() - 1],
        trace: root(&account, digests),
        states: digests.len() as u32,
    }
}

fn commitments(traces: &[Vec<Hash>; 2]) -> [Commitment; 2] {
    [0, 1].map(|i| commitment(ACCOUNTS[i], &traces[i]))
}

/// Plays to the end, both answering as their traces say.
fn play(traces: &[Vec<Hash>; 2]) -> (Disputed, u32) {
    let mut game = Bisection::new(commitments(traces)).unwrap();
    while let Some(asked) = game.question() {
        for i in [0, 1] {
            assert!(game.awaits(PARTIES[i]));
            game.answer(PARTIES[i], &open(&ACCOUNTS[i], &traces[i], asked).unwrap())
                .unwrap();
        }
    }
    assert!(PARTIES.iter().all(|&party| !game.awaits(party)));
    assert!(game.rounds() <= Bisection::most_rounds(traces[0].len() as u32));
    match game.outcome() {
        Some(Outcome::Disputed(disputed)) => (disputed, game.rounds()),
        other => panic!("two who open what they have end at a step, not at {other:?}"),
    }
}

/// Two traces of which the second is wrong from state `wrong` on.
fn parting(states: usize, wrong: usize) -> [Vec<Hash>; 2] {
    let versions: Vec<u8> = (0..states).map(|i| u8::from(i >= wrong)).collect();
    [trace(&vec![0; states]), trace(&versions)]
}

fn before(digests: &[Hash], step: u32) -> Option<Hash> {
    (step as usize).checked_sub(1).map(|place| digests[place])
}

#[test]
fn the_root_is_that_of_the_protocol_page() {
    let hash = |text: &str| -> Hash {
        let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
        core::array::from_fn(byte)
    };
    let digests = [
        "b388d663001a401b2767be0d2168cb0cd95f4fb51ace7e3fa88bccae154f13a6",
        "5e262ca87f5d058484e3654f0bcf551f4d421a8cb3104566319cee6801950a4c",
        "c7f98fcb7b55b752449426523b56b9c50dc5a4a5c9d826e9fc166d5b43b22201",
        "bbabd40f03b0902e22541c439f3690f14300b08b73a4d24bbff0303faeda32fd",
    ]
    .map(hash);
    let account = core::array::from_fn(|i| i as u8);
    let expected = hash("96c76d091f67ef067260bdad83089f85ae64c7d903479caa73a6c023612c41e3");
    assert_eq!(root(&account, &digests), expected);
}

#[test]
fn rounds_are_the_logarithm_of_the_number_of_states() {
    let expected = [
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 3),
        (8, 3),
        (9, 4),
        (1 << 20, 20),
        (u32::MAX, 32),
    ];
    for (states, rounds) in expected {
        assert_eq!(Bisection::most_rounds(states), rounds, "{states}");
    }
}

#[test]
fn every_first_wrong_step_of_every_short_trace_is_found() {
    for states in 1..=33 {
        let mut most = 0;
        for wrong in 0..states {
            let traces = parting(states, wrong);
            let (disputed, rounds) = play(&traces);
            assert_eq!(disputed.step as usize, wrong, "of {states}");
            assert_eq!(disputed.agreed_state, before(&traces[0], disputed.step));
            assert_eq!(disputed.claims, [state(wrong, 0), state(wrong, 1)]);
            most = most.max(rounds);
        }
        // As many as that are needed, and no more.
        assert_eq!(most, Bisection::most_rounds(states as u32), "{states}");
    }
}

#[test]
fn a_game_needs_two_results_of_one_length() {
    let [right, wrong] = commitments(&parting(5, 2));
    let start = |one: Commitment, other: Commitment| Bisection::new([one, other]).unwrap_err();
    let result = right.result;
    assert_eq!(start(right, Commitment { result, ..wrong }), StartError::EqualResults);
    let trace = right.trace;
    assert_eq!(start(right, Commitment { trace, ..wrong }), StartError::EqualRoots);
    assert_eq!(
        start(right, Commitment { states: 4, ..wrong }),
        StartError::UnequalLengths
    );
    let [none, other] = [right, wrong].map(|commitment| Commitment {
        states: 0,
        ..commitment
    });
    assert_eq!(start(none, other), StartError::NoStates);
}

#[test]
fn answers_out_of_turn_change_nothing() {
    let traces = parting(9, 3);
    let mut game = Bisection::new(commitments(&traces)).unwrap();
    let opening = |i: usize, index| open(&ACCOUNTS[i], &traces[i], index).unwrap();
    assert_eq!(game.question(), Some(4));
    let error = game.answer(Party::First, &opening(0, 3)).unwrap_err();
    assert_eq!(error, AnswerError::WrongState { asked: 4 });
    game.answer(Party::First, &opening(0, 4)).unwrap();
    let before = game.clone();
    assert_eq!(
        game.answer(Party::First, &opening(0, 4)),
        Err(AnswerError::AlreadyAnswered)
    );
    assert_eq!(game.forfeit(Party::First), Err(AnswerError::AlreadyAnswered));
    assert_eq!(game, before);
    assert!(!game.awaits(Party::First) && game.awaits(Party::Second));
    game.answer(Party::Second, &opening(1, 4)).unwrap();
    // The next round: an opening of the last one is late.
    assert_eq!((game.question(), game.rounds()), (Some(2), 1));
    let error = game.answer(Party::Second, &opening(1, 4)).unwrap_err();
    assert_eq!(error, AnswerError::WrongState { asked: 2 });
    game.forfeit(Party::Second).unwrap();
    assert_eq!(game.outcome(), Some(Outcome::Forfeited(Party::Second)));
    assert_eq!(game.answer(Party::First, &opening(0, 2)), Err(AnswerError::Over));
    assert_eq!(game.forfeit(Party::First), Err(AnswerError::Over));
}

#[test]
fn a_single_state_is_disputed_at_once() {
    let traces = parting(1, 0);
    let game = Bisection::new(commitments(&traces)).unwrap();
    assert_eq!((game.question(), game.rounds()), (None, 0));
    let (disputed, _) = play(&traces);
    assert_eq!((disputed.step, disputed.agreed_state), (0, None));
    assert_eq!(disputed.settle(&state(0, 0)), [true, false]);
    assert_eq!(disputed.settle(&state(0, 1)), [false, true]);
    assert_eq!(disputed.settle(&state(0, 2)), [false, false]);
}

#[test]
fn whoever_has_another_ones_root_cannot_open_it() {
    let [right, wrong] = parting(6, 0);
    let [honest, thief] = commitments(&[right.clone(), wrong]);
    let mut game = Bisection::new([
        honest,
        Commitment {
            // The root of the first one's states, which another account cannot have made.
            trace: root(&ACCOUNTS[0], &right[..5]),
            ..thief
        },
    ])
    .unwrap();
    let asked = game.question().unwrap();
    game.answer(Party::Second, &open(&ACCOUNTS[0], &right, asked).unwrap())
        .unwrap();
    assert_eq!(game.outcome(), Some(Outcome::Forfeited(Party::Second)));
}

/// Ways to spoil an opening.
#[derive(Clone, Debug)]
enum Spoiled {
    Digest(usize, u8),
    Sibling(prop::sample::Index, usize, u8),
    More(Hash),
    Fewer,
    /// As another account has it.
    OfAnother,
    /// Far too long a proof.
    Endless,
}

fn spoiled() -> impl Strategy<Value = Spoiled> {
    prop_oneof![
        (0..32usize, 1u8..).prop_map(|(at, change)| Spoiled::Digest(at, change)),
        (any::<prop::sample::Index>(), 0..32usize, 1u8..)
            .prop_map(|(which, at, change)| Spoiled::Sibling(which, at, change)),
        any::<Hash>().prop_map(Spoiled::More),
        Just(Spoiled::Fewer),
        Just(Spoiled::OfAnother),
        Just(Spoiled::Endless),
    ]
}

impl Spoiled {
    fn apply(&self, opening: &mut Opening, digests: &[Hash], account: &Account) {
        let proof = &mut opening.proof;
        match self {
            Self::Digest(at, change) => opening.digest[*at] ^= change,
            Self::Sibling(which, at, change) => {
                let which = which.index(proof.len());
                proof[which][*at] ^= change;
            }
            Self::More(hash) => proof.push(*hash),
            Self::Fewer => {
                proof.pop();
            }
            Self::OfAnother => {
                let other = account.map(|byte| byte ^ 0xff);
                *opening = open(&other, digests, opening.index).unwrap();
            }
            Self::Endless => proof.resize(100_000, [0; 32]),
        }
    }
}

proptest! {
    #[test]
    fn each_state_is_shown_by_its_opening_alone(
        states in 2usize..200, at: prop::sample::Index, other: prop::sample::Index, spoiled in spoiled(),
    ) {
        let digests = trace(&vec![0; states]);
        let own = commitment(ACCOUNTS[0], &digests);
        let at = at.index(states) as u32;
        let opening = open(&ACCOUNTS[0], &digests, at).unwrap();
        prop_assert!(own.bears_out(&opening));
        prop_assert_eq!(open(&ACCOUNTS[0], &digests, states as u32), None);
        let other = other.index(states) as u32;
        let moved = Opening { index: other, ..opening.clone() };
        prop_assert_eq!(own.bears_out(&moved), other == at);
        let length = Commitment { states: own.states + 1, ..own };
        prop_assert!(!length.bears_out(&opening));
        let mut wrong = opening;
        spoiled.apply(&mut wrong, &digests, &ACCOUNTS[0]);
        prop_assert!(!own.bears_out(&wrong));
    }

    #[test]
    fn the_first_wrong_step_is_found_in_as_many_rounds_as_the_logarithm(states in 1usize..1000, wrong: prop::sample::Index) {
        let wrong = wrong.index(states);
        let traces = parting(states, wrong);
        let (disputed, _) = play(&traces);
        prop_assert_eq!(disputed.step as usize, wrong);
        prop_assert_eq!(disputed.settle(&state(wrong, 0)), [true, false]);
    }

    /// Traces that part and meet as often as they like: wherever it ends, the parties agree about the state before.
    #[test]
    fn a_liar_ends_at_a_step_that_one_computation_decides(
        mut versions in prop::collection::vec(0u8..3, 1..300), honest in 0usize..2,
    ) {
        let states = versions.len();
        versions[states - 1] = 1;
        let mut traces = [trace(&vec![0; states]), trace(&versions)];
        traces.rotate_left(honest);
        let (disputed, _) = play(&traces);
        let at = disputed.step as usize;
        prop_assert_ne!(disputed.claims[0], disputed.claims[1]);
        prop_assert_eq!(disputed.claims, [traces[0][at], traces[1][at]]);
        for digests in &traces {
            prop_assert_eq!(disputed.agreed_state, before(digests, disputed.step));
        }
        prop_assert!(disputed.settle(&state(at, 0))[honest]);
    }

    /// Whatever the liar sends and whenever, in whichever order: the honest party wins.
    #[test]
    fn whoever_opens_wrongly_loses_at_once(
        states in 2usize..300, wrong: prop::sample::Index, honest in 0usize..2,
        spoiled in spoiled(), round in 0u32..9, liar_first: bool,
    ) {
        let mut traces = parting(states, wrong.index(states));
        traces.rotate_left(honest);
        let liar = 1 - honest;
        let mut game = Bisection::new(commitments(&traces)).unwrap();
        let round = round % Bisection::most_rounds(states as u32);
        while let Some(asked) = game.question() {
            let mut order = [honest, liar];
            if liar_first {
                order.reverse();
            }
            for i in order {
                let mut opening = open(&ACCOUNTS[i], &traces[i], asked).unwrap();
                if i == liar && game.rounds() == round {
                    spoiled.apply(&mut opening, &traces[i], &ACCOUNTS[i]);
                    game.answer(PARTIES[i], &opening).unwrap();
                    prop_assert_eq!(game.outcome(), Some(Outcome::Forfeited(PARTIES[liar])));
                    prop_assert_eq!(game.question(), None);
                    return Ok(());
                }
                game.answer(PARTIES[i], &opening).unwrap();
            }
        }
        // Ended before the liar began to lie: short games differ in length by a round.
        prop_assert!(matches!(game.outcome(), Some(Outcome::Disputed(_))));
    }

    /// A root that is of nothing, or of other states than the result: it is lost in the first round, or at the last step.
    #[test]
    fn roots_that_do_not_fit_the_result_do_not_help(states in 2usize..100, fake: Hash) {
        let right = trace(&vec![0; states]);
        let own = commitment(ACCOUNTS[0], &right);
        let play = |commitment: Commitment, digests: &[Hash]| {
            let mut game = Bisection::new([own, commitment]).unwrap();
            while let Some(asked) = game.question() {
                game.answer(Party::First, &open(&ACCOUNTS[0], &right, asked).unwrap()).unwrap();
                game.answer(Party::Second, &open(&ACCOUNTS[1], digests, asked).unwrap()).unwrap();
            }
            game.outcome().unwrap()
        };
        let other = Commitment { result: fake, ..commitment(ACCOUNTS[1], &right) };
        prop_assert_eq!(play(Commitment { trace: fake, ..other }, &right), Outcome::Forfeited(Party::Second));
        // The trace is right and the result is not: only the last step is wrong.
        let last = states - 1;
        let expected = Disputed {
            step: last as u32,
            agreed_state: Some(right[last - 1]),
            claims: [right[last], fake],
        };
        prop_assert_eq!(play(other, &right), Outcome::Disputed(expected));
    }

    #[test]
    fn a_game_is_its_encoding(states in 1usize..100, wrong: prop::sample::Index, rounds in 0usize..8) {
        let traces = parting(states, wrong.index(states));
        let mut game = Bisection::new(commitments(&traces)).unwrap();
        for answer in 0..rounds {
            let Some(asked) = game.question() else { break };
            let i = answer % 2;
            game.answer(PARTIES[i], &open(&ACCOUNTS[i], &traces[i], asked).unwrap()).unwrap();
        }
        let bytes = game.encode();
        prop_assert!(bytes.len() <= Bisection::max_encoded_len());
        prop_assert_eq!(Bisection::decode(&mut &bytes[..]), Ok(game));
    }
}
