//! What is in `deploy/` is whole. That workers serve what alerts and board name is tested in `tests/e2e`.

use std::{
    collections::BTreeSet,
    io::Write,
    path::Path,
    process::{Command, Output},
};

const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");
/// When each fires, for `promtool`.
const ALERT_TESTS: &str = include_str!("../../../deploy/prometheus/alerts.test.yml");
const BOARD: &str = include_str!("../../../deploy/grafana/agora-workers.json");
const CONTAINER: &str = include_str!("../../../deploy/Containerfile");
const NODE: &str = include_str!("../../../deploy/systemd/agora-node.service");
const WORKER: &str = include_str!("../../../deploy/systemd/agora-worker@.service");
const VERIFIER: &str = include_str!("../../../deploy/systemd/agora-verifier@.service");
/// The units, by the names with which they are started.
const UNITS: [(&str, &str); 3] = [
    ("agora-node.service", NODE),
    ("agora-worker@home.service", WORKER),
    ("agora-verifier@home.service", VERIFIER),
];

/// What `program` says, run in `folder`. `None`: it is not on this machine, and then that is said where it is seen although the test
/// passes: it has not looked.
fn where_it_is(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("XDG_RUNTIME_DIR");
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            // Not by `eprintln`, which is kept from whoever runs the tests.
            let line = format!(
                "NOT LOOKED AT: {program} is not on this machine ({error}); nothing is known of what it would say.\n"
            );
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
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
fn every_alert_says_how_bad_it_is_and_what_to_do_and_is_seen_to_fire() {
    let alerts: Vec<_> = ALERTS.split("- alert: ").skip(1).collect();
    assert!(!alerts.is_empty());
    for alert in alerts {
        let name = alert.lines().next().unwrap_or_default();
        for part in ["expr:", "severity:", "summary:", "action:"] {
            assert!(alert.contains(part), "{name} has no {part}");
        }
        let fires = format!(r#"alertname="{name}""#);
        assert!(ALERT_TESTS.contains(&fires), "nothing shows that {name} fires");
    }
}

#[test]
fn promtool_understands_the_alerts_and_sees_each_fire_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("alerts.yml", ALERTS), ("alerts.test.yml", ALERT_TESTS)] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let Some(output) = where_it_is("promtool", &arguments, folder.path()) else {
            return;
        };
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success(), "{arguments:?}: {}", said.concat());
    }
}

/// What each unit is kept from.
const CLOSED: [&str; 20] = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "PrivateTmp=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "UMask=0077",
    "LimitCORE=0",
];
/// What else those are kept from that use no GPU.
const CLOSED_WITHOUT_GPU: [&str; 3] = ["PrivateDevices=yes", "PrivateUsers=yes", "ProtectClock=yes"];

#[test]
fn units_are_closed() {
    for (name, unit) in UNITS {
        let lines: BTreeSet<_> = unit.lines().collect();
        let has_gpu = lines.contains("SupplementaryGroups=render video");
        assert_eq!(has_gpu, name.contains("worker"));
        for line in CLOSED {
            assert!(lines.contains(line), "{name} has no {line}");
        }
        for line in CLOSED_WITHOUT_GPU {
            assert_ne!(lines.contains(line), has_gpu, "{name}: {line}");
        }
    }
    // Without it `getifaddrs` fails, and the node listens to no peers.
    assert!(NODE.contains("AF_NETLINK"));
    for unit in [WORKER, VERIFIER] {
        assert!(unit.contains("ConditionPathExists=/etc/agora/config.toml"));
        assert!(unit.contains("AGORA_CONFIG=/etc/agora/config.toml"));
    }
}

/// The most that `systemd-analyze security` may say of a unit, in tenths.
const EXPOSURE: &str = "25";

#[test]
fn systemd_understands_the_units_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let analyze = |arguments: &[&str], name: &str| {
        // By its path: a bare name is that of an installed unit.
        let path = folder.path().join(name).to_string_lossy().into_owned();
        where_it_is(
            "systemd-analyze",
            &[arguments, &[path.as_str()][..]].concat(),
            folder.path(),
        )
    };
    for (name, unit) in UNITS {
        let path = folder.path().join(name);
        // The programs are not installed here.
        let unit = unit
            .replace("/usr/local/bin/agora-node", "/bin/true")
            .replace("/usr/local/bin/agora", "/bin/true");
        std::fs::write(&path, unit).expect("written");
        let Some(verified) = analyze(&["verify", "--man=no"], name) else {
            return;
        };
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        let about_it: Vec<_> = said.lines().filter(|line| line.contains("agora-")).collect();
        assert!(about_it.is_empty(), "{about_it:?}");
        let rated = analyze(&["security", "--offline=true", "--threshold", EXPOSURE], name).expect("it runs");
        let said = String::from_utf8_lossy(&rated.stdout);
        assert!(
            rated.status.success(),
            "{name}: {}",
            said.lines().last().unwrap_or_default()
        );
    }
}

#[test]
fn the_container_is_built_with_what_the_build_needs() {
    let toolchain = include_str!("../../../rust-toolchain.toml");
    let channel = toolchain
        .split("channel = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let image = CONTAINER
        .split("BUILD_IMAGE=docker.io/library/rust:")
        .nth(1)
        .and_then(|rest| rest.split('-').next());
    assert_eq!(image, channel, "nothing is fetched that the image has");
    assert!(
        CONTAINER.contains("\nARG PROFILE=production\n"),
        "what is shipped is what is built unless it is told"
    );

    // The image has a C compiler; the others are for tests.
    let not_needed = ["build-essential", "python3-pip", "libvulkan1", "mesa-vulkan-drivers"];
    let set_up = include_str!("../../../scripts/setup-packages.sh");
    let packages = set_up
        .split("missing+=(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let needed: Vec<_> = packages.filter(|package| !not_needed.contains(package)).collect();
    assert!(needed.len() > 4, "the set-up is read as it is written: {needed:?}");
    let (build, run) = CONTAINER.split_once("\nFROM ${RUN_IMAGE}").expect("it has two stages");
    let installed: BTreeSet<_> = build.split_whitespace().collect();
    for package in needed {
        assert!(installed.contains(package), "it is built without {package}");
    }
    for package in ["ca-certificates", "libvulkan1", "mesa-vulkan-drivers"] {
        assert!(run.contains(package), "it runs without {package}");
    }
}
