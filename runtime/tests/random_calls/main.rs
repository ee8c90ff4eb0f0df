//! The whole market on the real runtime, under random sequences of all its calls.
//!
//! Many accounts (honest, corrupt, silent, late, lying, poor and unregistered ones) make calls that mostly make sense and
//! sometimes do not, over many blocks. After every step, which is one call or one block, every market pallet's try-state
//! runs, all balances must add up to the issuance, and the issuance must be the genesis's less what was burned. Each task
//! must have exactly one terminal event. When an episode is over nobody makes calls any more and the chain must finish
//! every task by itself; then everybody goes home, and nothing may be left in escrow.
//!
//! | variable | what it sets | default |
//! |---|---|---|
//! | `AGORA_RANDOM_STEPS` | how many steps in all | 10,000 |
//! | `AGORA_RANDOM_SEED` | where the randomness starts | drawn, and printed |

mod calls;
mod capability;
mod chain;
mod checks;
mod court;
mod exact;
mod governance;
mod members;
mod report;
mod rng;
#[path = "../chain/start.rs"]
mod start;
mod tasks;
mod world;

use crate::{chain::Chain, checks::Checks, report::Report, rng::Rng, world::World};

/// Steps of an episode: each starts from genesis, so that the state stays small and checking it stays cheap.
const EPISODE: u64 = 1_000;
/// A long run says now and then how far it is.
const EPISODES_PER_MESSAGE: u64 = 10;
const DEFAULT_STEPS: u64 = 10_000;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
    )
}

fn drawn_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("agora")
}

/// Says where a panic happened: seed, episode and step are all it takes to see it again.
struct Place {
    seed: u64,
    episode: u64,
    step: u64,
    doing: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self {
                seed,
                episode,
                step,
                doing,
            } = self;
            eprintln!("AGORA_RANDOM_SEED={seed}: episode {episode}, step {step}, {doing}");
        }
    }
}

fn run_episode(steps: u64, rng: &mut Rng, report: &mut Report, place: &mut Place) {
    let mut chain = Chain::new(rng.bytes());
    let mut world = World::new(rng.bytes());
    chain.execute(|| world.settle_in());
    let mut checks = chain.execute(Checks::new);
    for step in 0..steps {
        place.step = step;
        if rng.chance(15) {
            place.doing = "a block".into();
            report.count("block".into(), Ok(()));
            checks.next_block(&mut chain, &mut world, rng, report);
        } else {
            let call = chain.execute(|| calls::draw(&world, rng));
            place.doing = format!("{call:?}");
            let name = call.name();
            let outcome = chain.execute(|| call.dispatch());
            report.count(name, outcome);
            chain.execute(|| checks.after_step(&mut world, report));
        }
    }
    place.doing = "finishing".into();
    checks.finish(&mut chain, &mut world, rng, report);
    if place.episode == 0 {
        // A day of blocks: once is enough.
        place.doing = "going home".into();
        checks.go_home(&mut chain, &mut world, rng, report);
    }
}

#[test]
fn no_sequence_of_calls_breaks_the_market() {
    let steps = from_environment("AGORA_RANDOM_STEPS").unwrap_or(DEFAULT_STEPS);
    let seed = from_environment("AGORA_RANDOM_SEED").unwrap_or_else(drawn_seed);
    println!("AGORA_RANDOM_SEED={seed} AGORA_RANDOM_STEPS={steps}");

    let mut report = Report::default();
    let mut rng = Rng::new(seed);
    let mut place = Place {
        seed,
        episode: 0,
        step: 0,
        doing: String::new(),
    };
    let mut left = steps;
    while left > 0 {
        let now = left.min(EPISODE);
        run_episode(now, &mut rng, &mut report, &mut place);
        left -= now;
        place.episode += 1;
        if place.episode.is_multiple_of(EPISODES_PER_MESSAGE) {
            println!("{} steps", steps - left);
        }
    }
    println!("{report}");
    if steps >= DEFAULT_STEPS {
        report.assert_the_common();
    }
    if steps >= 10 * DEFAULT_STEPS {
        report.assert_the_rare();
    }
}
