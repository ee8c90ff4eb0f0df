//! Whole games, with a small law and a small machine.

mod attacks;
mod honest;
mod real;
mod rules;
mod world;
