//! Tests: one file per call, and one per part of what the agenda does.

mod accept;
mod advance;
mod agenda;
mod appeal;
mod cancel;
mod classes;
mod commit;
mod expire;
mod fuzz;
mod genesis;
mod judge;
mod parties;
mod publish;
mod purge;
mod reveal;
mod scenarios;
mod settle;
mod transitions;
mod views;
