//! One module per call or trait method, one for what must hold whatever is done.

mod deposit;
mod hold;
mod pay;
mod properties;
mod purposes;
mod release;
mod try_state;
mod withdraw;
