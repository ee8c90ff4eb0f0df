//! After the disputes: which claims stand, and what happens if they are several, or none.

use crate::Verdict;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What follows once all disputes of a round are over.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// This claim is right.
    Verdict(u32),
    /// These pairs of claims accuse each other; one without a partner waits.
    Duels(Vec<(u32, u32)>),
    /// No claim stands: the work is done once more, by others.
    Rerun,
    /// No claim stands, again: the publisher is refunded from the losers.
    Expired,
}

/// What follows, if `standing` are the numbers of the claims that stand and there have been `reruns`.
///
/// Each round of duels leaves at most one claim of each pair: [`settle`]. So they end after ⌈log₂ n⌉ rounds. Complexity: O(n).
pub fn next(standing: &[u32], reruns: u32) -> Next {
    match (standing, reruns) {
        ([claim], _) => Next::Verdict(*claim),
        ([], 0) => Next::Rerun,
        ([], _) => Next::Expired,
        _ => {
            let (pairs, _) = standing.as_chunks::<2>();
            Next::Duels(pairs.iter().map(|&[one, other]| (one, other)).collect())
        }
    }
}

/// What came of two claims of which at most one is right, after everybody could accuse the one in the other's name.
///
/// Such an accusation has the other claim as its own, and begins where the two differ first.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duel {
    /// How the accusations of the first in the name of the second ended: the best for the accuser. `None`: there was none.
    pub first: Option<Verdict>,
    /// The same of the second in the name of the first.
    pub second: Option<Verdict>,
}

/// Whether the first and the second still stand.
///
/// A claim falls if an accusation of it succeeded, *or if nobody showed, in its name, that the other is wrong*: whoever holds the right claim
/// can. So never do both stand. If the machine decided nothing, both stand, and the case is closed by that.
pub fn settle(duel: &Duel) -> (bool, bool) {
    let fell = |verdict| matches!(verdict, Some(Verdict::Falls(_)));
    match duel.first == Some(Verdict::Nothing) || duel.second == Some(Verdict::Nothing) {
        true => (true, true),
        false => {
            let (first, second) = (fell(duel.first), fell(duel.second));
            (!first && second, first && !second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    #[test]
    fn a_duel_leaves_one_at_most() {
        let all = [None, Some(Verdict::Stands), Some(Verdict::Falls(Fault::Wrong))];
        for first in all {
            for second in all {
                let (one, other) = settle(&Duel { first, second });
                assert!(!(one && other));
                // Whoever brought the other down, and was not, stands.
                assert_eq!(one, second == all[2] && first != all[2]);
                assert_eq!(other, first == all[2] && second != all[2]);
            }
        }
        let nothing = Duel {
            first: None,
            second: Some(Verdict::Nothing),
        };
        assert_eq!(settle(&nothing), (true, true));
    }

    #[test]
    fn the_right_claim_is_left_of_any_number() {
        for count in 0..70u32 {
            let (mut standing, mut rounds): (Vec<_>, _) = ((0..count).collect(), 0);
            let right = count / 3;
            while let Next::Duels(pairs) = next(&standing, 0) {
                for (one, other) in pairs {
                    let fallen = |claim| (claim != right).then_some(Verdict::Falls(Fault::Fraud));
                    let (first, second) = match one == right || other == right {
                        true => (fallen(one), fallen(other)),
                        false => (None, None),
                    };
                    let (one_stands, other_stands) = settle(&Duel { first, second });
                    standing.retain(|&claim| (claim != one || one_stands) && (claim != other || other_stands));
                }
                rounds += 1;
                assert!(rounds <= 7);
            }
            match count {
                0 => assert_eq!((next(&standing, 0), next(&standing, 1)), (Next::Rerun, Next::Expired)),
                _ => assert_eq!(next(&standing, 0), Next::Verdict(right)),
            }
        }
    }
}
