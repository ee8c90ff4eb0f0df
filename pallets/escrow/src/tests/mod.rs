//! One module per call or trait method, and what goes beyond one.

mod composition;
mod deposit;
mod hold;
mod pay;
mod properties;
mod purposes;
mod release;
mod try_state;
mod weight;
mod withdraw;
