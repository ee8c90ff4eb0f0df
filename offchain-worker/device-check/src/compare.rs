//! Where two results differ.

use agora_compute::Computation;
use std::fmt;

/// The first difference of a result from the right one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Difference {
    /// The output has another length.
    Length {
        /// Its length.
        found: usize,
        /// The right length.
        expected: usize,
    },
    /// A byte of the output is another.
    Byte {
        /// The first such byte.
        at: usize,
        /// What it is.
        found: u8,
        /// What is right.
        expected: u8,
        /// How many bytes are wrong.
        wrong: usize,
        /// How many bytes the output has.
        length: usize,
    },
    /// The output is right, and there is another number of states.
    States {
        /// How many there are.
        found: usize,
        /// How many are right.
        expected: usize,
    },
    /// The output is right, and the digest of a state is another.
    State {
        /// The first such state.
        at: usize,
    },
    /// Something else, in hexadecimal.
    Hex {
        /// What it is.
        what: &'static str,
        /// What was computed.
        found: String,
        /// What is right.
        expected: String,
    },
}

impl Difference {
    /// The first difference of `found` from `expected`, the output first.
    pub fn between(found: &Computation, expected: &Computation) -> Option<Self> {
        let lengths = (found.output.len(), expected.output.len());
        if lengths.0 != lengths.1 {
            return Some(Self::Length {
                found: lengths.0,
                expected: lengths.1,
            });
        }
        let pairs = found.output.iter().zip(&expected.output).enumerate();
        let mut wrong = pairs.filter(|(_, (found, expected))| found != expected);
        if let Some((at, (&found, &expected))) = wrong.next() {
            return Some(Self::Byte {
                at,
                found,
                expected,
                wrong: 1 + wrong.count(),
                length: lengths.0,
            });
        }
        let states = (found.state_digests.len(), expected.state_digests.len());
        if states.0 != states.1 {
            return Some(Self::States {
                found: states.0,
                expected: states.1,
            });
        }
        let mut pairs = found.state_digests.iter().zip(&expected.state_digests);
        let at = pairs.position(|(found, expected)| found != expected)?;
        Some(Self::State { at })
    }

    /// The difference of `what`, if there is one.
    pub fn of_hex(what: &'static str, found: &[u8], expected: &[u8]) -> Option<Self> {
        (found != expected).then(|| Self::Hex {
            what,
            found: hex::encode(found),
            expected: hex::encode(expected),
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, expected } => {
                write!(f, "the output has {found} bytes, must have {expected}")
            }
            Self::Byte {
                at,
                found,
                expected,
                wrong,
                length,
            } => write!(
                f,
                "byte {at} of the output is {found:#04x}, must be {expected:#04x} ({wrong} of {length} bytes are wrong)"
            ),
            Self::States { found, expected } => write!(f, "there are {found} states, must be {expected}"),
            Self::State { at } => write!(f, "the output is right, and the digest of state {at} is wrong"),
            Self::Hex { what, found, expected } => write!(f, "{what} is {found}, must be {expected}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computation(output: &[u8], states: &[u8]) -> Computation {
        Computation {
            output: output.to_vec(),
            state_digests: states.iter().map(|&state| [state; 32]).collect(),
        }
    }

    #[test]
    fn the_first_difference_is_named_to_the_byte() {
        let right = computation(&[1, 2, 3, 4], &[5, 6]);
        let told = |found: &Computation| Difference::between(found, &right).map(|difference| difference.to_string());
        assert_eq!(told(&right), None);
        let wrong = computation(&[1, 7, 3, 8], &[5, 9]);
        let text = "byte 1 of the output is 0x07, must be 0x02 (2 of 4 bytes are wrong)";
        assert_eq!(told(&wrong).as_deref(), Some(text));
        let short = computation(&[1, 2], &[5, 6]);
        assert_eq!(told(&short).as_deref(), Some("the output has 2 bytes, must have 4"));
        let state = computation(&[1, 2, 3, 4], &[7, 6]);
        let text = "the output is right, and the digest of state 0 is wrong";
        assert_eq!(told(&state).as_deref(), Some(text));
        let few = computation(&[1, 2, 3, 4], &[6]);
        assert_eq!(told(&few).as_deref(), Some("there are 1 states, must be 2"));
    }

    #[test]
    fn what_is_known_only_by_its_digest_is_told_in_hexadecimal() {
        assert_eq!(Difference::of_hex("the claim", &[1], &[1]), None);
        let difference = Difference::of_hex("the claim", &[1], &[2]).unwrap();
        assert_eq!(difference.to_string(), "the claim is 01, must be 02");
    }
}
