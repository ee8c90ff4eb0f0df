//! One module per call, then the traits, the draw and what must always hold.

mod add_bond;
mod ban;
mod capabilities;
mod composition;
mod draw;
mod genesis;
mod heartbeat;
mod integrity;
mod levels;
mod lift_ban;
mod offences;
mod participants;
mod random_calls;
mod register;
mod request_exit;
mod scale;
mod set_addresses;
mod stakes;
mod try_state;
mod types;
mod update_profile;
mod weight;
mod withdraw_bond;
