//! One file per command.

pub mod addresses;
pub mod balance;
pub mod blobs;
pub mod court;
pub mod devices;
pub mod disputes;
pub mod doctor;
pub mod earnings;
pub mod generate;
pub mod journal;
pub mod keys;
pub mod leave;
pub mod mine;
pub mod model;
pub mod profile;
pub mod program;
pub mod proxy;
pub mod publish;
pub mod quote;
pub mod register;
pub mod result;
pub mod status;
pub mod tasks;
pub mod verify;
pub mod verify_work;
pub mod wait;

#[cfg(test)]
mod documented;
