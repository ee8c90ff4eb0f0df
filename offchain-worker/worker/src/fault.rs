//! Deliberate misbehaviour, for demonstrations and tests. Compiled only with the feature `fault-injection`.

use std::str::FromStr;

/// How a worker or a verifier misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Changes one residue of each result before committing to it.
    Corrupt,
    /// Says of all inputs that they are unusable.
    Unusable,
    /// Commits and never reveals.
    Silent,
    /// Attests the opposite of what it found.
    Lie,
    /// Stops at this point for ever, so that a test can kill it there.
    Pause(Pause),
}

/// A point between journal and chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pause {
    /// The journal knows of the acceptance, the chain does not.
    BeforeAccept,
    /// The acceptance is in a block.
    AfterAccept,
    /// The journal knows the salt and the result, the chain no commitment.
    BeforeCommit,
    /// The commitment is in a block.
    AfterCommit,
    /// The journal says that the result is about to be revealed.
    BeforeReveal,
    /// The reveal is in a block.
    AfterReveal,
    /// A verifier's commitment to an attestation is in a block.
    AfterAttestation,
}

impl Pause {
    /// All points, with their names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("before-accept", Self::BeforeAccept),
        ("after-accept", Self::AfterAccept),
        ("before-commit", Self::BeforeCommit),
        ("after-commit", Self::AfterCommit),
        ("before-reveal", Self::BeforeReveal),
        ("after-reveal", Self::AfterReveal),
        ("after-attestation", Self::AfterAttestation),
    ];
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "corrupt" => Ok(Self::Corrupt),
            "unusable" => Ok(Self::Unusable),
            "silent" => Ok(Self::Silent),
            "lie" => Ok(Self::Lie),
            _ => Pause::ALL
                .iter()
                .find(|(name, _)| text == *name)
                .map(|(_, pause)| Self::Pause(*pause))
                .ok_or_else(|| {
                    let names: Vec<_> = Pause::ALL.iter().map(|(name, _)| *name).collect();
                    format!(
                        "unknown fault {text:?}; known are corrupt, unusable, silent, lie, {}",
                        names.join(", ")
                    )
                }),
        }
    }
}
