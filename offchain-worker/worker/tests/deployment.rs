//! Alerts and board in `deploy/` name only figures that workers serve.

use std::collections::BTreeSet;

const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");
const BOARD: &str = include_str!("../../../deploy/grafana/agora-workers.json");
/// Where the figures are registered. Not all of them are served from the start: some only once there is something to tell.
const METRICS: &str = include_str!("../src/metrics.rs");

/// The words of `text` that begin with `agora_`.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|one: char| !one.is_ascii_alphanumeric() && one != '_');
    words.filter(|word| word.starts_with("agora_")).collect()
}

/// The names under which figures are served: those of counters end in `_total`.
fn registered() -> BTreeSet<String> {
    let names = METRICS
        .split("register!(\"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0));
    names
        .flat_map(|name| [format!("agora_{name}"), format!("agora_{name}_total")])
        .collect()
}

#[test]
fn every_figure_that_alerts_and_board_name_is_one_that_workers_serve() {
    let registered = registered();
    assert!(
        registered.contains("agora_best_block"),
        "the source is read as it is written: {registered:?}"
    );
    for (file, text) in [("alerts.yml", ALERTS), ("agora-workers.json", BOARD)] {
        let named = named(text);
        assert!(!named.is_empty(), "{file} names none");
        for name in named {
            assert!(registered.contains(name), "{file} names {name}, which nobody serves");
        }
    }
}

#[test]
fn the_board_is_json_and_its_panels_do_not_overlap() {
    let board: serde_json::Value = serde_json::from_str(BOARD).expect("it is JSON");
    let mut taken = BTreeSet::new();
    for panel in board["panels"].as_array().expect("it has panels") {
        let place = |name: &str| panel["gridPos"][name].as_u64().expect("a panel has a place");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(
                    x < 24 && taken.insert((x, y)),
                    "{} overlaps another panel",
                    panel["title"]
                );
            }
        }
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let alerts: Vec<_> = ALERTS.split("- alert: ").skip(1).collect();
    assert!(!alerts.is_empty());
    for alert in alerts {
        let name = alert.lines().next().unwrap_or_default();
        for part in ["expr:", "severity:", "summary:", "action:"] {
            assert!(alert.contains(part), "{name} has no {part}");
        }
    }
}
