//! Blobs over iroh, behind the trait that fetching over HTTP is behind: what is compared, and nothing that is shipped.
//!
//! - [`Provider`] serves files over `iroh-blobs`; [`IrohSource`] fetches them, as an [`agora_blobs::BlobSource`].
//! - [`tunnel`]: our HTTP between the same endpoints, byte for byte, over streams of iroh. Neither side's HTTP notices.
//! - [`relay`]: a relay of one's own. No public one is ever asked, nor any public directory: addresses are given.

#![deny(missing_docs)]

mod endpoint;
mod provider;
mod queue;
pub mod relay;
mod source;
pub mod tunnel;

pub use endpoint::{Place, endpoint};
pub use provider::{Provider, ServeLimits};
pub use source::{IrohSource, Limits};

/// Why something could not be set up.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
