use super::*;
use crate::commands::devices;

/// All that is printed.
pub fn example() -> Status {
    let text = || "1".to_owned();
    Status {
        url: "ws://127.0.0.1:9944".to_owned(),
        node: NodeView {
            name: "Agora".to_owned(),
            version: "1".to_owned(),
            syncing: true,
            peers: 2,
            should_have_peers: true,
            best: 100,
            finalised: 97,
            highest: 150,
        },
        finality_lag: 3,
        best_block_age: 6,
        account: text(),
        free: text(),
        held: text(),
        roles: vec![Standing {
            role: Role::Worker,
            bond: "1000000000000".to_owned(),
            last_heartbeat: 90,
        }],
        deposits: Vec::new(),
        tasks: vec![hand::tests::example()],
        journal: JournalState {
            file: text(),
            state: "closed",
            unfinished: Some(1),
        },
        data_folder: text(),
        disk_free: Some(1 << 30),
        devices: vec![devices::tests::health()],
    }
}

#[test]
fn a_glance_shows_what_matters() {
    let text = describe(&example(), 12_500_000_000_000, 0);
    for part in [
        "catching up, 50 blocks to go",
        "finalised block 97, 3 behind",
        "12.5 free",
        "worker     bond 1, ",
        "commit by block 110",
        "closed, 1 tasks not ended",
    ] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
}

#[test]
fn a_journal_is_looked_at_and_never_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.journal");
    assert_eq!(journal_state(&path).state, "absent");
    assert!(!path.exists());
    let worker = agora_worker::Journal::open(&path, [1; 32], [2; 32]).expect("it is new");
    assert_eq!(journal_state(&path).state, "in-use");
    drop(worker);
    assert_eq!(journal_state(&path).unfinished, Some(0));
    std::fs::write(&path, "no journal").expect("it is written");
    assert_eq!(journal_state(&path).state, "unreadable");
}

#[test]
fn space_is_told_of_a_folder_that_is_not_there_yet() {
    let folder = tempfile::tempdir().expect("a folder");
    let space = free_space(&folder.path().join("deep").join("deeper"));
    assert!(space.is_some_and(|bytes| bytes > 0), "{space:?}");
}

#[test]
fn ages_are_seconds_and_may_lie_ahead() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_millis() as u64;
    assert!((59..=62).contains(&age_s(now - 60_000)));
    assert!(age_s(now + 600_000) < -590);
}
