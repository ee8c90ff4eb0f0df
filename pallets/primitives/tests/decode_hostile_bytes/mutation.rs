//! Bytes that almost make sense.

use proptest::{collection::vec, prelude::*, sample::Index};

/// One thing that can happen to bytes on their way.
#[derive(Clone, Debug)]
enum Mutation {
    FlipBit(Index, u8),
    Replace(Index, u8),
    /// Numbers at their limits are where arithmetic breaks.
    Saturate(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Truncate(Index),
    Repeat(Index, Index),
    /// Compact lengths of up to 2³⁰ and more.
    ClaimLength(Index, u32),
}

impl Mutation {
    fn apply(self, bytes: &mut Vec<u8>) {
        let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::FlipBit(index, bit) if !bytes.is_empty() => {
                let position = index.index(bytes.len());
                bytes[position] ^= 1 << (bit % 8);
            }
            Self::Replace(index, value) if !bytes.is_empty() => {
                let position = index.index(bytes.len());
                bytes[position] = value;
            }
            Self::Saturate(index, count) => {
                let from = at(&index, bytes);
                bytes
                    .iter_mut()
                    .skip(from)
                    .take(count.into())
                    .for_each(|byte| *byte = 0xff);
            }
            Self::Insert(index, new) => {
                let position = at(&index, bytes);
                bytes.splice(position..position, new);
            }
            Self::Remove(index, count) => {
                let from = at(&index, bytes);
                let to = (from + usize::from(count)).min(bytes.len());
                bytes.drain(from..to);
            }
            Self::Truncate(index) => bytes.truncate(at(&index, bytes)),
            Self::Repeat(one, other) => {
                let (one, other) = (at(&one, bytes), at(&other, bytes));
                let again = bytes[one.min(other)..one.max(other)].to_vec();
                bytes.extend(again);
            }
            Self::ClaimLength(index, length) => {
                let position = at(&index, bytes);
                bytes.splice(position..position, codec::Encode::encode(&codec::Compact(length)));
            }
            Self::FlipBit(..) | Self::Replace(..) => {}
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        4 => (index(), any::<u8>()).prop_map(|(at, bit)| Mutation::FlipBit(at, bit)),
        4 => (index(), any::<u8>()).prop_map(|(at, value)| Mutation::Replace(at, value)),
        2 => (index(), 1u8..17).prop_map(|(at, count)| Mutation::Saturate(at, count)),
        1 => (index(), vec(any::<u8>(), 1..40)).prop_map(|(at, new)| Mutation::Insert(at, new)),
        1 => (index(), 1u8..40).prop_map(|(at, count)| Mutation::Remove(at, count)),
        1 => index().prop_map(Mutation::Truncate),
        1 => (index(), index()).prop_map(|(one, other)| Mutation::Repeat(one, other)),
        1 => (index(), any::<u32>()).prop_map(|(at, length)| Mutation::ClaimLength(at, length)),
    ]
}

/// Valid bytes with a few mutations, or, one time in eight, any bytes.
pub fn hostile(valid: impl Strategy<Value = Vec<u8>> + 'static) -> impl Strategy<Value = Vec<u8>> {
    let mutated = (valid, vec(mutation(), 0..5)).prop_map(|(mut bytes, mutations)| {
        mutations.into_iter().for_each(|mutation| mutation.apply(&mut bytes));
        bytes
    });
    prop_oneof![7 => mutated, 1 => vec(any::<u8>(), 0..300)]
}
