//! End-to-end tests: real nodes, real `agora` processes, real adapters. Run them with `make test`, or after `make build`
//! with `cargo test -p agora-e2e -- NAME`, which runs those whose name contains NAME.
//!
//! One program, so that tests can share chains: a chain that a test gets from [`Shared`] is started by the first that asks
//! for it and ends with the program. Tests on one chain run at the same time. They keep out of each other's way by the
//! kinds of work that their workers take, and each that publishes has a publisher of its own.

mod blobs;
mod capability;
mod clocks;
mod court;
mod court_long;
mod figures;
mod kill;
mod kinds;
mod large;
mod machines;
mod network;
mod operate;
mod publisher;
mod roles;
mod settling;
mod shared;
mod transactions;
mod unusable;
mod withheld;

use libtest_mimic::{Arguments, Trial};
use shared::Shared;
use std::{future::Future, sync::Arc, time::Instant};
use tokio::runtime::Runtime;

/// How many tests run at a time if `--test-threads` does not say: they mostly wait for blocks.
const TESTS_AT_A_TIME: usize = 4;

/// Collects the tests, and runs each of them on one runtime.
struct Tests {
    runtime: Arc<Runtime>,
    shared: Arc<Shared>,
    trials: Vec<Trial>,
}

impl Tests {
    /// Adds a test that has chains of its own.
    fn alone<F: Future<Output = ()>>(&mut self, name: &'static str, test: impl FnOnce() -> F + Send + 'static) {
        let trial = self.trial(name, test);
        self.trials.push(trial);
    }

    /// Adds a test that has chains of its own, and is run only if it is asked for (`--ignored`): it takes minutes.
    fn long<F: Future<Output = ()>>(&mut self, name: &'static str, test: impl FnOnce() -> F + Send + 'static) {
        let trial = self.trial(name, test).with_ignored_flag(true);
        self.trials.push(trial);
    }

    fn trial<F: Future<Output = ()>>(&self, name: &'static str, test: impl FnOnce() -> F + Send + 'static) -> Trial {
        let runtime = Arc::clone(&self.runtime);
        Trial::test(name, move || {
            let started = Instant::now();
            runtime.block_on(test());
            // As `libtest` would say it: scripts/test.sh looks for the slowest.
            println!("test {name} ... <{:.3}s>", started.elapsed().as_secs_f64());
            Ok(())
        })
    }

    /// Adds a test that shares a chain.
    fn sharing<F: Future<Output = ()>>(
        &mut self,
        name: &'static str,
        test: impl FnOnce(Arc<Shared>) -> F + Send + 'static,
    ) {
        let shared = Arc::clone(&self.shared);
        self.alone(name, move || test(shared));
    }
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TESTS_AT_A_TIME);
    let mut tests = Tests {
        runtime: Arc::new(Runtime::new().expect("a runtime")),
        shared: Arc::default(),
        trials: Vec::new(),
    };
    // The longest first, so that none of them is waited for alone at the end.
    network::add(&mut tests);
    machines::add(&mut tests);
    kill::add(&mut tests);
    blobs::add(&mut tests);
    clocks::add(&mut tests);
    large::add(&mut tests);
    court::add(&mut tests);
    court_long::add(&mut tests);
    withheld::add(&mut tests);
    settling::add(&mut tests);
    capability::add(&mut tests);
    transactions::add(&mut tests);
    kinds::add(&mut tests);
    unusable::add(&mut tests);
    operate::add(&mut tests);
    figures::add(&mut tests);
    publisher::add(&mut tests);
    roles::add(&mut tests);
    let Tests {
        runtime,
        shared,
        trials,
    } = tests;
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Processes end when they are dropped, which `exit` alone would not do.
    runtime.block_on(async { drop(shared) });
    drop(runtime);
    conclusion.exit();
}
