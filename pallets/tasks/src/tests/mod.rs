//! One module per call, step and trait method, and what goes beyond one.

mod accept;
mod advance;
mod agenda;
mod appeal;
mod cancel;
mod classes;
mod commit;
mod composition;
mod expire;
mod genesis;
mod integrity;
mod judge;
mod parties;
mod publish;
mod purge;
mod random_calls;
mod remove_class;
mod reveal;
mod scenarios;
mod set_class;
mod settle;
mod transitions;
mod try_state;
mod unusable;
mod views;
mod weight;
