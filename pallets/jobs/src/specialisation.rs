//! The kinds of work.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A kind of work. Reputation is kept per specialisation; a worker declares those it takes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Specialisation {
    Synthetic,
    Inference,
    Embedding,
    Training,
    Rendering,
    RowTransform,
    SyntaxCheck,
    DataStatistics,
    SecurityAudit,
    AlgorithmOptimisation,
    Program,
}

impl Specialisation {
    /// All specialisations, in the order of their codec index.
    pub const ALL: [Self; 11] = [
        Self::Synthetic,
        Self::Inference,
        Self::Embedding,
        Self::Training,
        Self::Rendering,
        Self::RowTransform,
        Self::SyntaxCheck,
        Self::DataStatistics,
        Self::SecurityAudit,
        Self::AlgorithmOptimisation,
        Self::Program,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use scale_info::TypeDef;

    #[test]
    fn all_specialisations_are_listed_in_the_order_of_their_index() {
        let TypeDef::Variant(known) = Specialisation::type_info().type_def else {
            panic!("a specialisation is a variant");
        };
        let known: Vec<u8> = known.variants.iter().map(|one| one.index).collect();
        assert_eq!(Specialisation::ALL.map(|one| one as u8).to_vec(), known);
    }
}
