//! What colluding voters gain, by their share of the bonds: exactly, and by the draw that the chain makes. Printed as the table in
//! `docs/architecture.md` (`cargo test -p pallet-agora-capability collusion -- --nocapture`).

use agora_primitives::capability::{Decision, Lots, is_drawn};
use agora_primitives::judging::Tally;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use std::fmt::Write as _;

/// Verifiers with equal bonds that vote on a response, and the seats that the runtime's schedule has.
const VOTERS: u64 = 100;
const SEATS: u32 = 16;
const QUORUM: u32 = 2;

/// What is known about a share of colluders who vote for a wrong response, or against a right one: all honest verifiers vote otherwise.
#[derive(Clone, Copy, Default, Debug)]
struct Odds {
    /// How often they have their way.
    wins: f64,
    /// How often nothing is decided.
    open: f64,
    /// What they lose and gain by penalties, in vote bonds: all of their own that is wrong, half of what the others lose.
    balance: f64,
    /// What the honest ones lose and gain by penalties.
    honest: f64,
}

impl Odds {
    fn add(&mut self, probability: f64, colluders: u32, others: u32) {
        let tally = Tally {
            in_favour: colluders,
            against: others,
        };
        let (colluders, others) = (f64::from(colluders) * probability, f64::from(others) * probability);
        match Decision::of(tally, QUORUM) {
            Decision::Proven => {
                self.wins += probability;
                self.balance += others / 2.0;
                self.honest -= others;
            }
            Decision::Refuted => {
                self.balance -= colluders;
                self.honest += colluders / 2.0;
            }
            Decision::Open => self.open += probability,
        }
    }

    /// What a success must be worth before trying pays, in vote bonds.
    fn price(&self) -> f64 {
        (-self.balance / self.wins).max(0.0)
    }
}

/// The probabilities that so many of `voters` are drawn.
fn drawn(voters: u64) -> Vec<f64> {
    let share = f64::from(SEATS) / VOTERS as f64;
    let mut probabilities = vec![0.0; voters as usize + 1];
    let mut last = (1.0 - share).powi(voters as i32);
    for (number, probability) in probabilities.iter_mut().enumerate() {
        *probability = last;
        last *= (voters as f64 - number as f64) / (number as f64 + 1.0) * share / (1.0 - share);
    }
    probabilities
}

fn exact(colluders: u64) -> Odds {
    let mut odds = Odds::default();
    for (of_colluders, one) in (0..).zip(drawn(colluders)) {
        for (of_others, other) in (0..).zip(drawn(VOTERS - colluders)) {
            odds.add(one * other, of_colluders, of_others);
        }
    }
    odds
}

/// The same by `draws` of the chain's lots.
fn simulated(colluders: u64, draws: u32, seed: u64) -> Odds {
    let mut odds = Odds::default();
    for number in 0..draws {
        let lots = Lots {
            draw: H256(blake2_256(&[&seed.to_le_bytes()[..], &number.to_le_bytes()].concat())),
            total: 1_000 * VOTERS,
            seats: SEATS,
        };
        let count =
            |voters: std::ops::Range<u64>| voters.filter(|who| is_drawn(&lots, &u64::MAX, who, 1_000)).count() as u32;
        odds.add(1.0 / f64::from(draws), count(0..colluders), count(colluders..VOTERS));
    }
    odds
}

#[test]
fn costs_more_than_it_brings_to_whoever_has_less_than_half_of_the_bonds() {
    use std::hash::{BuildHasher, RandomState};
    const DRAWS: u32 = 400;
    let seed = RandomState::new().hash_one("collusion");
    println!("seed {seed}");
    let mut table =
        String::from("| share | wins | undecided | balance of a try | a success must be worth | honest voters |\n");
    let mut last = Odds::default();
    for share in (10..=60).step_by(5) {
        let (odds, drawn) = (exact(share), simulated(share, DRAWS, seed));
        writeln!(
            table,
            "| {share} % | {:.2} % | {:.1} % | {:+.2} | {:.1} | {:+.2} |",
            100.0 * odds.wins,
            100.0 * odds.open,
            odds.balance,
            odds.price(),
            odds.honest
        )
        .unwrap();
        // Six standard deviations of a frequency, and of a sum of about sixteen seats.
        let off = 6.0 / f64::from(DRAWS).sqrt();
        assert!(
            (odds.wins - drawn.wins).abs() <= 0.5 * off,
            "{share} %: {odds:?} {drawn:?}"
        );
        assert!(
            (odds.balance - drawn.balance).abs() <= 5.0 * off,
            "{share} %: {odds:?} {drawn:?}"
        );
        assert!(odds.wins > last.wins, "more bonds win more often");
        last = odds;
    }
    println!("{table}");

    // With less than half, a try costs; with a third or less, it hardly ever has its way.
    assert!((1..50).all(|share| exact(share).balance < 0.0));
    assert!(
        exact(10).wins < 1e-4 && exact(20).wins < 0.01 && exact(30).wins < 0.06,
        "{table}"
    );
    // Whoever has most of the bonds has most of the votes: no draw changes that.
    assert!(exact(60).wins > 0.7 && exact(60).balance > 0.0);
}
