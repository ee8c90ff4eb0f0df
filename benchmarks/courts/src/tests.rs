//! What is measured is what is said, on small jobs and with the short windows of development. The money is that of every chain.

use crate::{attackers, dispute::Dispute, market::Setting};
use agora_compute::Benchmark;
use agora_disputes::Terms;

const QUICK: Setting = Setting {
    preset: "development",
    terms: Some(Terms {
        commit: 1,
        reveal: 4,
        clock: 12,
        entry: 5,
        challenge: 4,
        stops: 8,
    }),
};

/// A dispute about the shortest job of each kind ends with an executed segment and a settled task: else `play` fails.
#[test]
fn the_shortest_dispute_of_a_kind_is_played_to_the_end() {
    let all = Benchmark::all().unwrap();
    let training = all.iter().find(|one| one.name() == "training").unwrap();
    let dispute = Dispute::play(training, 1, QUICK, None).unwrap();
    let figures = dispute.figures().unwrap();
    let value = |name: &str| {
        let found = figures.iter().find(|figure| figure.name.contains(name));
        found.unwrap_or_else(|| panic!("no figure about {name}")).ratio
    };
    // Both opened eight nodes of their runs, and did something before that.
    assert!(dispute.moves.iter().all(|moves| *moves > 8), "{:?}", dispute.moves);
    let transfers = value("weight of the dispute");
    assert!((20.0..=300.0).contains(&transfers), "{transfers} transfers");
    // More than 5 ms: as much as the longest segment of a publisher's program takes.
    assert!(value("weight of its segment") <= 2.0);
    assert!(value("state and witness") <= 1.0);
}

#[test]
fn no_attack_on_the_default_parameters_pays() {
    let attacks = attackers::all(QUICK).unwrap();
    attackers::print(&attacks);
    for attack in &attacks {
        // It has the share of whoever looks, for carrying and reading all of it: what is to be caught is a wrong result, and
        // there it loses.
        let is_free_rider = attack.name.contains("has carried all of a right result");
        assert_eq!(attack.profit > 0, is_free_rider, "{}: {}", attack.name, attack.profit);
        assert!(attack.profit <= attack.honest, "{}", attack.name);
        assert!(
            attack.others >= 0,
            "{}: those against whom it is lose {}",
            attack.name,
            attack.others
        );
        assert_eq!(attack.end, "settled", "{}", attack.name);
    }
    let blocks = |name: &str| {
        let found = attacks.iter().find(|attack| attack.name.starts_with(name));
        found.unwrap_or_else(|| panic!("{name} was not played")).blocks[0]
    };
    // Trials do not wait for each other.
    assert_eq!(
        blocks("twenty who accuse what is right"),
        blocks("whoever accuses what is right")
    );
}
