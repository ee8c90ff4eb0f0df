//! The input of an embedding job: lists of tokens.

use crate::networks::transformer::Shape;
use std::ops::Range;

/// Why the items of a job are refused.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ItemsError {
    /// The input ends too early.
    #[error("the input ends within item {0}")]
    Truncated(u32),
    /// Bytes follow the last item.
    #[error("{0} bytes follow the last item of the input")]
    Trailing(usize),
    /// The input holds another number of items than the job says.
    #[error("the input holds {found} items, the job says {expected}")]
    Count {
        /// As the job says.
        expected: u32,
        /// As the input says.
        found: u32,
    },
    /// An item has no token, or more than the job allows.
    #[error("item {item} has {found} tokens; the job allows 1 to {most}")]
    Length {
        /// Which item.
        item: u32,
        /// How many tokens it has.
        found: u16,
        /// How many the job allows.
        most: u32,
    },
    /// A token is not in the model's vocabulary.
    #[error("item {item} has the token {token}; the model's vocabulary has {vocabulary}")]
    Token {
        /// Which item.
        item: u32,
        /// The token.
        token: u16,
        /// How many tokens there are.
        vocabulary: u32,
    },
    /// The package holds another network than the job says.
    #[error("the model package holds another network than the job says")]
    Network,
}

/// The items of an embedding job, each with at least one token, all known to the model.
pub(super) struct Items {
    tokens: Vec<u16>,
    places: Vec<Range<usize>>,
    work: Vec<u64>,
}

impl Items {
    /// Reads `bytes`, and compares them with what the job says: how many items are `expected`, the `shape` of the model, and
    /// how many tokens an item has at `most`.
    ///
    /// Errors: every difference. Nothing is allocated that the bytes do not hold.
    pub fn read(bytes: &[u8], expected: u32, shape: &Shape, most: u32) -> Result<Self, ItemsError> {
        let (count, mut rest) = bytes.split_first_chunk().ok_or(ItemsError::Truncated(0))?;
        let found = u32::from_le_bytes(*count);
        if found != expected {
            return Err(ItemsError::Count { expected, found });
        }
        let mut items = Self {
            tokens: Vec::with_capacity(rest.len() / 2),
            places: Vec::new(),
            work: Vec::new(),
        };
        for item in 0..found {
            rest = items.read_item(rest, item, shape, most)?;
        }
        match rest.len() {
            0 => Ok(items),
            left => Err(ItemsError::Trailing(left)),
        }
    }

    /// Reads one item, and returns it with the rest of the bytes.
    fn read_item<'a>(&mut self, bytes: &'a [u8], item: u32, shape: &Shape, most: u32) -> Result<&'a [u8], ItemsError> {
        let truncated = ItemsError::Truncated(item);
        let (length, rest) = bytes.split_first_chunk().ok_or(truncated.clone())?;
        let length = u16::from_le_bytes(*length);
        if length == 0 || u32::from(length) > most {
            return Err(ItemsError::Length {
                item,
                found: length,
                most,
            });
        }
        let (tokens, rest) = rest.split_at_checked(2 * usize::from(length)).ok_or(truncated)?;
        let start = self.tokens.len();
        self.tokens.extend(bytemuck::pod_collect_to_vec::<u8, u16>(tokens));
        let added = &self.tokens[start..];
        if let Some(&token) = added.iter().find(|&&token| u32::from(token) >= shape.vocabulary) {
            return Err(ItemsError::Token {
                item,
                token,
                vocabulary: shape.vocabulary,
            });
        }
        self.places.push(start..self.tokens.len());
        self.work.push(shape.work(length.into()));
        Ok(rest)
    }

    /// These items alone, in this order.
    pub fn only(&self, items: &[usize]) -> Self {
        let mut only = Self {
            tokens: Vec::new(),
            places: Vec::new(),
            work: Vec::new(),
        };
        for &item in items {
            let start = only.tokens.len();
            only.tokens.extend(self.tokens(item));
            only.places.push(start..only.tokens.len());
            only.work.push(self.work[item]);
        }
        only
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The tokens of an item.
    pub fn tokens(&self, item: usize) -> &[u16] {
        &self.tokens[self.places[item].clone()]
    }

    /// The tokens of each item.
    pub fn iter(&self) -> impl Iterator<Item = &[u16]> {
        (0..self.len()).map(|item| self.tokens(item))
    }

    /// Multiply–add operations of each item.
    pub fn work(&self) -> &[u64] {
        &self.work
    }
}

/// The input of an embedding job: the lists of tokens that are to be embedded.
///
/// `None` if there are more items, or more tokens in one, than can be written.
pub fn encode_items<T: AsRef<[u16]>>(items: &[T]) -> Option<Vec<u8>> {
    let mut bytes = u32::try_from(items.len()).ok()?.to_le_bytes().to_vec();
    for item in items {
        let tokens = item.as_ref();
        bytes.extend(u16::try_from(tokens.len()).ok()?.to_le_bytes());
        bytes.extend(tokens.iter().flat_map(|token| token.to_le_bytes()));
    }
    Some(bytes)
}
