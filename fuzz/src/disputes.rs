//! What must hold of disputes about traces: a party that opens its own trace never loses, whatever the other party
//! sends.

use agora_math::{
    merkle::Hash,
    trace::{Account, AnswerError, Bisection, Commitment, Opening, Outcome, Party, StartError, open, root},
};
use codec::Decode;

const HONEST: Account = [1; 32];
/// The account of the party that may send anything.
pub const CHEAT: Account = [2; 32];

/// Two parties who have committed to traces of one job, as digests of the states.
#[derive(Clone, Debug)]
pub struct Dispute {
    /// The trace of the party that opens its own trace.
    pub honest: Vec<Hash>,
    /// The trace of the other party, of the same length.
    pub cheat: Vec<Hash>,
    /// The digest that the other party revealed as its result.
    pub cheat_result: Hash,
    /// Whether the other party is named first, and answers first.
    pub cheat_is_first: bool,
}

/// Plays the dispute. The cheat answers each question with what `edit` makes of its own opening. If the bytes do not decode
/// as an opening, or open another state, the cheat forfeits.
pub fn play(dispute: &Dispute, mut edit: impl FnMut(Opening) -> Vec<u8>) {
    let Dispute {
        honest,
        cheat,
        cheat_result,
        cheat_is_first,
    } = dispute;
    assert_eq!(honest.len(), cheat.len());
    let commitment = |account: Account, digests: &[Hash], result: Hash| Commitment {
        account,
        result,
        trace: root(&account, digests),
        states: digests.len() as u32,
    };
    let honest_result = honest.last().copied().unwrap_or_default();
    let ours = commitment(HONEST, honest, honest_result);
    let theirs = commitment(CHEAT, cheat, *cheat_result);
    let (parties, us, them) = if *cheat_is_first {
        ([theirs, ours], Party::Second, Party::First)
    } else {
        ([ours, theirs], Party::First, Party::Second)
    };
    let mut game = match Bisection::new(parties) {
        Ok(game) => game,
        Err(error) => {
            let expected = match honest.last() {
                None => StartError::NoStates,
                Some(_) => StartError::EqualResults,
            };
            assert_eq!(error, expected);
            assert!(honest.is_empty() || honest_result == *cheat_result);
            return;
        }
    };
    while let Some(state) = game.question() {
        let true_opening = open(&HONEST, honest, state).expect("what is asked for exists");
        let answer = |game: &mut Bisection| {
            game.answer(us, &true_opening).expect("the honest answer is taken");
            assert_ne!(game.outcome(), Some(Outcome::Forfeited(us)));
        };
        if !cheat_is_first {
            answer(&mut game);
        }
        let own = open(&CHEAT, cheat, state).expect("what is asked for exists");
        cheat_answers(&mut game, them, &theirs, cheat, state, &edit(own));
        if *cheat_is_first && game.outcome().is_none() {
            answer(&mut game);
        }
    }
    assert!(game.rounds() <= Bisection::most_rounds(ours.states));
    check_outcome(dispute, game.outcome().expect("there is nothing to ask for"), them);
}

/// Checks that `outcome` is right about `dispute`, in which `them` cheats.
fn check_outcome(dispute: &Dispute, outcome: Outcome, them: Party) {
    let Dispute { honest, cheat, .. } = dispute;
    let disputed = match outcome {
        Outcome::Forfeited(party) => return assert_eq!(party, them, "the honest party has lost"),
        Outcome::Disputed(disputed) => disputed,
    };
    let step = disputed.step as usize;
    let before = |digests: &[Hash]| step.checked_sub(1).map(|before| digests[before]);
    assert_eq!(disputed.agreed_state, before(honest));
    assert_eq!(disputed.agreed_state, before(cheat));
    let of_cheat = if step + 1 == cheat.len() {
        dispute.cheat_result
    } else {
        cheat[step]
    };
    let mut claims = [honest[step], of_cheat];
    let mut right = [true, false];
    if dispute.cheat_is_first {
        claims.reverse();
        right.reverse();
    }
    assert_eq!(disputed.claims, claims);
    assert_eq!(disputed.settle(&honest[step]), right, "the honest party has lost");
}

/// Answers with `bytes`, and loses if they are not the opening that was asked for.
fn cheat_answers(game: &mut Bisection, them: Party, theirs: &Commitment, cheat: &[Hash], state: u32, bytes: &[u8]) {
    let Ok(opening) = Opening::decode(&mut &bytes[..]) else {
        return game.forfeit(them).expect("an answer is due");
    };
    let is_true = open(&CHEAT, cheat, opening.index).is_some_and(|own| own == opening);
    assert_eq!(
        theirs.bears_out(&opening),
        is_true,
        "only what was committed to is borne out"
    );
    let before = game.clone();
    match game.answer(them, &opening) {
        Ok(()) if is_true => assert_ne!(game.outcome(), Some(Outcome::Forfeited(them))),
        Ok(()) => assert_eq!(game.outcome(), Some(Outcome::Forfeited(them))),
        Err(error) => {
            assert_eq!(error, AnswerError::WrongState { asked: state });
            assert!(opening.index != state && *game == before);
            game.forfeit(them).expect("an answer is due");
        }
    }
}

/// A dispute that a fuzzer can find: `states` has a byte for each state of the cheat; zero stands for the right state.
pub fn dispute(states: &[u8], lies_about_result: bool, cheat_is_first: bool) -> Dispute {
    let honest: Vec<Hash> = (0..states.len()).map(|state| [state as u8; 32]).collect();
    let differs = |(right, other): (&Hash, &u8)| if *other == 0 { *right } else { [255 - other; 32] };
    let cheat: Vec<Hash> = honest.iter().zip(states).map(differs).collect();
    let own_result = cheat.last().copied().unwrap_or_default();
    Dispute {
        cheat_result: if lies_about_result { [254; 32] } else { own_result },
        honest,
        cheat,
        cheat_is_first,
    }
}
