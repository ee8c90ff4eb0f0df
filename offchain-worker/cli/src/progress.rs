//! Progress for people who wait: on a terminal only, and never where a program reads the answer.

use crate::{context::Context, output::Format};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::IsTerminal, time::Duration};

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// A bar of `steps` steps. It is erased when it is dropped.
pub fn bar(context: &Context, what: &str, steps: u64) -> Shown {
    let bar = ProgressBar::with_draw_target(Some(steps), target(context)).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    Shown(bar)
}

/// A sign that something goes on, for work whose length is not known. It is erased when it is dropped.
pub fn spinner(context: &Context, what: &str) -> Shown {
    let spinner = ProgressBar::with_draw_target(None, target(context)).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    if !spinner.is_hidden() {
        spinner.enable_steady_tick(TURN);
    }
    Shown(spinner)
}

fn target(context: &Context) -> ProgressDrawTarget {
    if context.format() == Format::Table && std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// A bar or spinner on the screen.
pub struct Shown(ProgressBar);

impl Shown {
    /// One step is done.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// Says what is waited for now.
    pub fn say(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
