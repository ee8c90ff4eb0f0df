//! Why a model is refused.

use agora_compute::transformer::PackageError;
use std::{io, path::PathBuf};

/// How other formats of weights become safetensors.
pub(crate) const CONVERT: &str = "convert it where transformers and torch are installed: python3 -c 'from transformers \
    import AutoModel; AutoModel.from_pretrained(\"FOLDER\").save_pretrained(\"FOLDER\")', with the model's folder for FOLDER";
/// What helps against a file that did not arrive whole.
const AGAIN: &str = "download it again";

/// Why a model cannot be made into a package.
#[derive(thiserror::Error, Debug)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that every model has is not there.
    #[error("the folder has no {file}: {remedy}")]
    Missing {
        /// The file's name.
        file: String,
        /// What to do.
        remedy: String,
    },
    /// A file is too large.
    #[error("{file} has {bytes} bytes, more than {most}")]
    TooLarge {
        /// The file's name.
        file: String,
        /// Its length.
        bytes: u64,
        /// The most that is read.
        most: u64,
    },
    /// A file stands for another, which was not downloaded.
    #[error(
        "{file} is a Git LFS pointer, not the file itself: run `git lfs install` and `git lfs pull` in the model's folder"
    )]
    Pointer {
        /// The file's name.
        file: String,
    },
    /// A web page was saved instead of the file.
    #[error("{file} is a web page, not the file itself: {AGAIN}, by the link that says so or with `hf download`")]
    WebPage {
        /// The file's name.
        file: String,
    },
    /// A file ends too early.
    #[error("{file} is cut off: {AGAIN} (it has {found} bytes{})", at_least(*.needed))]
    CutOff {
        /// The file's name.
        file: String,
        /// Its length.
        found: u64,
        /// The length that it needs, where it says so.
        needed: Option<u64>,
    },
    /// A file holds something else than its name says.
    #[error("{file} is damaged: {reason}; {AGAIN}")]
    Damaged {
        /// The file's name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file is not the JSON that it should be.
    #[error("{file} is not as it should be: {source}")]
    Json {
        /// The file's name.
        file: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The tokeniser cannot be used.
    #[error("tokenizer.json is no tokeniser that can be used: {0}")]
    Tokenizer(String),
    /// Something that cannot be imported.
    #[error("{file}: {what} is not supported: {remedy}")]
    Unsupported {
        /// The file that says so.
        file: String,
        /// What it says.
        what: String,
        /// What is supported, or what to do.
        remedy: String,
    },
    /// A size is out of bounds.
    #[error("config.json: {what} is {found}; 1 to {most} are possible")]
    Size {
        /// Which size.
        what: &'static str,
        /// What it is.
        found: u32,
        /// The most that is possible.
        most: u32,
    },
    /// The heads do not divide the hidden state.
    #[error("config.json: a hidden_size of {hidden} cannot be divided among {heads} num_attention_heads")]
    Heads {
        /// The width of the hidden state.
        hidden: u32,
        /// How many heads.
        heads: u32,
    },
    /// A tensor that the model needs is not there.
    #[error(
        "{file} has no tensor {tensor}, which config.json demands: the two are not of one model, or a file is missing"
    )]
    NoTensor {
        /// The file.
        file: String,
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor that nothing would use.
    #[error("{file} has the tensor {tensor}, which is no part of the encoder that config.json describes: {remedy}")]
    Unused {
        /// The file.
        file: String,
        /// The tensor's name.
        tensor: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A tensor is not of floats.
    #[error(
        "{file}: the tensor {tensor} is of type {found}; F32, F16, BF16 and F64 are read: save the model with \
         model.float().save_pretrained(…)"
    )]
    Type {
        /// The file.
        file: String,
        /// The tensor's name.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("{file}: the tensor {tensor} has the shape {found:?}, config.json says {expected:?}")]
    Shape {
        /// The file.
        file: String,
        /// The tensor's name.
        tensor: String,
        /// As the configuration says.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// An element of a tensor is infinite or not a number.
    #[error("{file}: the tensor {tensor} has elements that are not finite: the model is broken")]
    NotFinite {
        /// The file.
        file: String,
        /// The tensor's name.
        tensor: String,
    },
    /// The elements of a tensor are too large for integers.
    #[error("the elements of {0} are too large to be quantised")]
    TooCoarse(String),
    /// A token of the tokeniser has no embedding.
    #[error(
        "tokenizer.json has the token {token:?} with the number {id}, but the model has embeddings for {vocabulary} tokens \
         alone: the two are not of one model, or the embeddings were not resized (model.resize_token_embeddings)"
    )]
    Vocabulary {
        /// The token.
        token: String,
        /// Its number.
        id: u32,
        /// How many tokens the model has.
        vocabulary: u32,
    },
    /// The states are larger than integers can be.
    #[error(
        "model.safetensors: states reach {most:.0} after {norm}, and in integers they reach {reach:.0} at most: a weight of this \
         normalisation is far from the others"
    )]
    OutOfReach {
        /// The normalisation after which they are.
        norm: String,
        /// How large they are in some texts.
        most: f64,
        /// How large they can be.
        reach: f64,
    },
    /// Integers give other vectors than the floats.
    #[error(
        "in integers the model gives other vectors than in floats: the least cosine is {cosine:.3}, {least} is needed{}",
        because(.reason)
    )]
    Inaccurate {
        /// The least cosine that was found.
        cosine: f64,
        /// The least that is accepted.
        least: f64,
        /// What may be the reason.
        reason: Option<String>,
    },
    /// What was made is not a package.
    #[error(transparent)]
    Package(#[from] PackageError),
}

fn at_least(needed: Option<u64>) -> String {
    needed.map_or_else(String::new, |needed| format!(", and by its own header needs {needed}"))
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map_or_else(String::new, |reason| format!("; {reason}"))
}

/// `what` of `file` is not supported.
pub(crate) fn unsupported(file: &str, what: impl Into<String>, remedy: impl Into<String>) -> ImportError {
    ImportError::Unsupported {
        file: file.to_owned(),
        what: what.into(),
        remedy: remedy.into(),
    }
}
