//! What a check or a judge finds.

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing wrong.
    Right,
    /// Something wrong; this is the first place.
    Wrong(Place),
}

impl Verdict {
    /// Whether nothing wrong was found.
    pub fn is_right(self) -> bool {
        self == Self::Right
    }
}

/// A place in an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The output's length.
    Length {
        /// As the job demands, in bytes.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// A byte, counted from 0.
    Byte(u64),
    /// A row of a product, counted from 0.
    Row(u64),
    /// The inputs: the result is claimed of inputs that are unusable, or the inputs are claimed to be unusable and are not.
    Inputs,
    /// The states before the output.
    States,
    /// An item of a batch, counted from 0.
    Item(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "the output has {found} bytes, not {expected}"),
            Self::Byte(at) => write!(f, "byte {at} is wrong"),
            Self::Row(at) => write!(f, "row {at} is wrong"),
            Self::Inputs => f.write_str("whether the inputs can be used is wrong"),
            Self::States => f.write_str("the states root is wrong"),
            Self::Item(at) => write!(f, "item {at} is wrong"),
        }
    }
}
