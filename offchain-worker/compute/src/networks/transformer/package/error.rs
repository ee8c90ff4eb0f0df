//! Why a package is refused.

/// Why bytes are not a package, or a model cannot be one.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum PackageError {
    /// The first bytes are not those of a package.
    #[error("not a model package: it does not begin with \"AGMP\"")]
    Magic,
    /// Written by another version.
    #[error("version {0} of model packages is not known; this program knows version 1")]
    Version(u8),
    /// Another architecture.
    #[error("the package holds architecture {0}, not a transformer encoder (0)")]
    Architecture(u8),
    /// The bytes end too early.
    #[error("the package ends {missing} bytes too early, in {part}")]
    Truncated {
        /// What is missing.
        part: String,
        /// How many bytes.
        missing: u64,
    },
    /// Bytes follow the end.
    #[error("{0} bytes follow the end of the package")]
    Trailing(usize),
    /// A size is out of bounds.
    #[error("{what} is {found}; {least} to {most} are possible{}", unit(*.multiple_of))]
    Size {
        /// Which size.
        what: &'static str,
        /// What it is.
        found: u32,
        /// The least that is possible.
        least: u32,
        /// The most that is possible.
        most: u32,
        /// What it must be a multiple of.
        multiple_of: u32,
    },
    /// A part of the architecture that this version does not compute.
    #[error("{what} {found} cannot be computed by this version")]
    Unsupported {
        /// Which part.
        what: &'static str,
        /// What the package says.
        found: u8,
    },
    /// A tensor is not the one that the architecture has here.
    #[error("the tensor {expected} with {shape:?} elements of type {element} was expected, and is not there")]
    Tensor {
        /// The tensor's name.
        expected: String,
        /// Its shape.
        shape: Vec<u32>,
        /// Its type.
        element: &'static str,
    },
    /// An element of a tensor is out of bounds.
    #[error("an element of {tensor} is {found}; {least} to {most} are possible")]
    Element {
        /// The tensor's name.
        tensor: String,
        /// What it is.
        found: i32,
        /// The least that is possible.
        least: i32,
        /// The most that is possible.
        most: i32,
    },
}

fn unit(multiple_of: u32) -> String {
    match multiple_of {
        0 | 1 => String::new(),
        unit => format!(", in multiples of {unit}"),
    }
}
