//! Makes integer model packages from published float models, and the packages' input from text.
//!
//! [`import`] turns a directory as `scripts/fetch-minilm.sh` makes it into the bytes of a package; this is the only
//! place where floats influence a result, and it happens once: the package's hash then names the model. [`Embedder`]
//! turns sentences into a job's input, and the job's output into vectors.
//!
//! This crate opens no connection, reads no environment and prints nothing.

#![deny(missing_docs)]

mod config;
mod dense;
mod embedder;
mod encoder;
mod error;
mod files;
mod floats;
mod import;
mod lines;
mod modules;
mod probe;
mod quantise;
mod tensors;
mod texts;
mod tokens;

pub use embedder::{EmbedError, Embedder, Embedding, EmbeddingJob, Prompt, Tokens};
pub use error::ImportError;
pub use files::{Folder, ModelFiles};
pub use import::{Imported, import, import_files};
pub use lines::{TextError, decode_text, text_lines};
