//! The input of an embedding job: lists of tokens.

use crate::networks::transformer::Shape;
use agora_primitives::job::InferenceJob;
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
    /// An item has no token, or more than the model has positions.
    #[error("item {item} has {found} tokens; the model takes 1 to {most}")]
    Length {
        /// Which item.
        item: u32,
        /// How many tokens it has.
        found: u16,
        /// How many positions the model has.
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
    /// An item is more work than the job says.
    #[error("item {item} takes {found} operations, the job allows {most}: publish it with a larger `item_work`")]
    Work {
        /// Which item.
        item: u32,
        /// What it takes.
        found: u64,
        /// What the job says.
        most: u64,
    },
    /// The model's output has another length than the job says.
    #[error("the model gives {found} bytes for each item, the job says {expected}")]
    Output {
        /// As the job says.
        expected: u32,
        /// As the model says.
        found: u32,
    },
}

/// The items of an embedding job, each with at least one token, all known to the model.
pub(super) struct Items {
    tokens: Vec<u16>,
    places: Vec<Range<usize>>,
    work: Vec<u64>,
}

impl Items {
    /// Reads `bytes`, and compares them with the job and the model.
    ///
    /// Errors: every difference. Nothing is allocated that the bytes do not hold.
    pub fn read(bytes: &[u8], job: &InferenceJob, shape: &Shape) -> Result<Self, ItemsError> {
        if job.item_output != shape.output_bytes() {
            return Err(ItemsError::Output {
                expected: job.item_output,
                found: shape.output_bytes(),
            });
        }
        let (count, mut rest) = bytes.split_first_chunk().ok_or(ItemsError::Truncated(0))?;
        let found = u32::from_le_bytes(*count);
        if found != job.items {
            return Err(ItemsError::Count {
                expected: job.items,
                found,
            });
        }
        let mut items = Self {
            tokens: Vec::with_capacity(rest.len() / 2),
            places: Vec::new(),
            work: Vec::new(),
        };
        for item in 0..found {
            rest = items.read_item(rest, item, job, shape)?;
        }
        match rest.len() {
            0 => Ok(items),
            left => Err(ItemsError::Trailing(left)),
        }
    }

    /// Reads one item, and returns it with the rest of the bytes.
    fn read_item<'a>(
        &mut self,
        bytes: &'a [u8],
        item: u32,
        job: &InferenceJob,
        shape: &Shape,
    ) -> Result<&'a [u8], ItemsError> {
        let truncated = ItemsError::Truncated(item);
        let (length, rest) = bytes.split_first_chunk().ok_or(truncated.clone())?;
        let length = u16::from_le_bytes(*length);
        if length == 0 || u32::from(length) > shape.positions {
            return Err(ItemsError::Length {
                item,
                found: length,
                most: shape.positions,
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
        let work = shape.work(length.into());
        if work > job.item_work {
            return Err(ItemsError::Work {
                item,
                found: work,
                most: job.item_work,
            });
        }
        self.places.push(start..self.tokens.len());
        self.work.push(work);
        Ok(rest)
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
