//! Blobs between strangers, over real sockets of this machine.

mod cache;
mod fetch;
mod hostile;
mod serve;
mod support;
