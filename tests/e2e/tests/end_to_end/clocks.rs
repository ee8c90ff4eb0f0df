//! Machines whose clocks are hours wrong, or jump. Time on chain is block numbers, so nobody loses anything by that.

use crate::Tests;
use agora_chain::api::{Event, api::tasks};
use agora_e2e::{Market, PATIENCE, account, verifier, worker};
use agora_localnet::{Agora, Process};
use agora_primitives::{TaskId, money::Purpose, reputation::Outcome, task::Phase};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "clocks::wrong_clocks_and_clocks_that_jump_cost_nobody_anything",
        wrong_clocks_and_clocks_that_jump_cost_nobody_anything,
    );
}

const HOUR: i64 = 3600;
/// What a clock shows that jumps: how many seconds more than the time. In between it is right, as a worker whose clock is ahead
/// takes no task.
const JUMPS: [i64; 6] = [5 * HOUR, 0, -7 * HOUR, 0, 40 * 24 * HOUR, -40 * 24 * HOUR];
/// How long each of them lasts: some blocks.
const JUMPS_EVERY: Duration = Duration::from_millis(1500);
/// Blocks in which a worker would accept that accepts at all.
const SOON: usize = 8;

/// The wall clock of one process.
struct Clock {
    shift: File,
    path: PathBuf,
}

impl Clock {
    /// A clock that shows so many seconds more than the time.
    fn ahead(path: PathBuf, seconds: i64) -> Self {
        let shift = File::create(&path).expect("the folder can be written to");
        let clock = Self { shift, path };
        clock.set(seconds);
        clock
    }

    /// Sets it.
    fn set(&self, seconds: i64) {
        let written = self.shift.write_all_at(&seconds.to_ne_bytes(), 0);
        written.expect("the folder can be written to");
    }

    /// `agora` on a machine with this clock.
    fn of(&self, agora: Agora, library: &Path) -> Agora {
        let agora = agora.with("LD_PRELOAD", library);
        agora.with("WALL_CLOCK_SHIFT", &self.path)
    }

    /// Lets it jump for as long as this is polled.
    async fn jump(&self) {
        for seconds in JUMPS.into_iter().cycle() {
            self.set(seconds);
            tokio::time::sleep(JUMPS_EVERY).await;
        }
    }
}

/// Compiles the library that shifts the clock of a process.
fn library(at: PathBuf) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/wall_clock.c");
    let mut compiler = Command::new("cc");
    let compiled = compiler
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&at)
        .arg(source)
        .status();
    assert!(compiled.expect("the set-up installs a C compiler").success());
    at
}

async fn started(agora: Agora, arguments: &[&str]) -> Process {
    let mut process = agora.spawn(arguments).expect("it starts");
    process.printed("Ctrl-C stops", 0, PATIENCE).await.expect("it works");
    process
}

async fn said(process: &mut Process, text: &str) {
    process.printed(text, 0, PATIENCE).await.expect("it says so");
}

/// Whether the worker with this number has accepted `task`.
fn has_accepted(event: &Event, task: TaskId, number: usize) -> bool {
    matches!(event, Event::Tasks(tasks::Event::Accepted { task: of, worker: by, .. })
        if of.0 == task && *by == account(&worker(number)))
}

/// Waits until `task` is settled, and checks that everybody did its part and lost nothing.
async fn assert_settled(market: &mut Market, task: TaskId) {
    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=WORKERS {
        let key = worker(number);
        let outcome = market.outcome(task, &key);
        assert_eq!(outcome, Some(Outcome::Right { confirmed: true }), "{key}");
        assert_eq!(market.taken_for(task, &key), 0, "{key}");
        assert!(!market.paid_to(&key, Purpose::TaskReward).is_empty(), "{key}");
    }
    for number in 1..=2 {
        assert_eq!(market.taken_for(task, &verifier(number)), 0, "verifier {number}");
    }
    market.assert_conserved(task).await;
}

/// So many workers are wanted for a task.
const WORKERS: usize = 3;

async fn wrong_clocks_and_clocks_that_jump_cost_nobody_anything() {
    let mut market = Market::start().await;
    let further = ["--specialisations", "row-transform", "--slots", "4"];
    market
        .register_all((1..=WORKERS).map(|number| (worker(number), "worker", &further[..])))
        .await;
    market.register(0, 2).await;
    let library = library(market.chain.path("wall_clock.so"));
    let clock = |name: &str, seconds| Clock::ahead(market.chain.path(name), seconds);
    let mine = ["mine", "--device", "cpu"];

    let behind = clock("behind", -5 * HOUR);
    let mut of_behind = started(behind.of(market.agora(&worker(1)), &library), &mine).await;
    let jumping = clock("jumping", 0);
    let mut of_jumping = started(jumping.of(market.agora(&worker(2)), &library), &mine).await;
    // Right until it has accepted, and then hours ahead.
    let ahead = clock("ahead", 0);
    let mut of_ahead = started(ahead.of(market.agora(&worker(3)), &library), &mine).await;
    let early = clock("early", 6 * HOUR);
    let mut of_early = started(early.of(market.agora(&verifier(1)), &library), &["verify-work"]).await;
    let late = clock("late", -6 * HOUR);
    let mut of_late = started(late.of(market.agora(&verifier(2)), &library), &["verify-work"]).await;

    let (matrix, vectors) = (
        market.chain.file("matrix", &[3; 64 * 64]),
        market.chain.file("vectors", &[5; 2 * 64]),
    );
    let job = ["matmul", "--matrix", &matrix, "--vectors", &vectors, "--columns", "64"];
    let job = [&job[..], &["--deadline", "300"]].concat();
    let all = async {
        let first = market.publish(&job).await;
        let accepted = |event: &Event| has_accepted(event, first, 3).then_some(());
        market.event("an acceptance", accepted).await;
        ahead.set(5 * HOUR);
        assert_settled(&mut market, first).await;
        said(&mut of_ahead, "this machine's clock is ahead").await;
        said(&mut of_behind, "clock is minutes behind the chain's").await;
        said(&mut of_jumping, "clock is ahead").await;

        // It begins nothing else before its clock is right: the others do.
        let second = market.publish(&job).await;
        for number in 1..WORKERS {
            let accepted = |event: &Event| has_accepted(event, second, number).then_some(());
            market.event("an acceptance", accepted).await;
        }
        for _ in 0..SOON {
            market.next_block().await;
        }
        assert!(!market.happened(|event| has_accepted(event, second, 3)));
        ahead.set(0);
        assert_settled(&mut market, second).await;
    };
    tokio::select! {
        () = all => {}
        () = jumping.jump() => unreachable!("it jumps for ever"),
    }
    for process in [&mut of_early, &mut of_late] {
        let output = process.output();
        assert_eq!(output.matches("Attested").count(), 2, "{output}");
    }
    for process in [of_behind, of_jumping, of_ahead, of_early, of_late] {
        process.stop().await.expect("it still runs, and stops when asked to");
    }
}
