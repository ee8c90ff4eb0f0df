//! One file per call and trait.

mod config;
mod forget;
mod genesis;
mod record;
