//! One file per command.

pub mod balance;
pub mod devices;
pub mod keys;
pub mod leave;
pub mod mine;
pub mod model;
pub mod profile;
pub mod publish;
pub mod register;
pub mod result;
pub mod tasks;
pub mod verify;
pub mod verify_work;
