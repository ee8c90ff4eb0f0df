//! One module per call or trait method, and what goes beyond one.

mod composition;
mod deposit;
mod hold;
mod integrity;
mod pay;
mod purposes;
mod random_calls;
mod release;
mod try_state;
mod weight;
mod withdraw;
