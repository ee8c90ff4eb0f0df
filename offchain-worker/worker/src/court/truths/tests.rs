//! Jobs that are larger than the memory for them, disks that are full, files that are left over.

use super::*;
use crate::logged::Logged;
use agora_blobs::{BlobKind, BlobStore, Wanted};
use agora_disputes::{
    Accusation, BranchMove, BranchPhase, Game, Move, Phase, RunMove, Side, Target, Terms, Time, Verdict,
    player::Knowledge,
};
use agora_primitives::job::{BlobRef, JobKind, MatmulJob, SyntheticJob};
use std::os::unix::fs::FileExt;

const TASK: TaskId = TaskId(7);

const TERMS: Terms = Terms {
    commit: 10,
    reveal: 10,
    clock: 40,
    entry: 20,
    challenge: 20,
    stops: 5,
};

/// Somebody's court, with so much room.
fn truths(folder: &Path, memory_bytes: u64, disk_bytes: Option<u64>) -> Truths {
    Truths::new(&CourtConfig {
        folder: folder.to_owned(),
        disk_bytes,
        memory_bytes,
        tasks: folder.join("tasks"),
        stop_loss: None,
        #[cfg(feature = "fault-injection")]
        fault: None,
    })
}

/// A chain of products whose states alone are more than the memory there once was for everything.
fn chain() -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [3; 32],
        matrix_size: 40,
        iterations: 300,
    }))
}

/// What was once held in memory for it, and the most that was allowed here.
const ONCE_ALLOWED: u64 = 1 << 18;

fn need(job: &JobSpec) -> Need {
    Need::of(job, u64::MAX).expect("it has one")
}

/// A product, and a store with its inputs.
async fn product() -> (JobSpec, BlobStore) {
    let (matrix, input) = (vec![7u8; 3000], vec![5u8; 30]);
    let job = JobSpec::V2(JobKind::Matmul(MatmulJob {
        matrix: BlobRef::to(&matrix),
        columns: 30,
        first_row: 0,
        rows: 100,
        input: BlobRef::to(&input),
        vectors: 1,
    }));
    let store = BlobStore::in_memory();
    for content in [matrix, input] {
        store.put(BlobKind::Input, content).await.expect("it is put");
    }
    (job, store)
}

#[tokio::test]
async fn a_job_above_what_memory_once_allowed_is_accused_and_its_trial_won() {
    let job = chain();
    let need = need(&job);
    assert!(need.states > ONCE_ALLOWED, "{need:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let truths = truths(folder.path(), need.memory(), Some(need.least()));
    let nothing = BlobStore::in_memory();
    let known = truths.compute(TASK, 10, &nothing, job).await.expect("computed");
    let known = known.expect("there is room");
    assert!(truths.find(TASK).is_some());
    // A claim with another state in the middle.
    let mut digests = known.files().states().to_vec();
    digests[100].0[0] ^= 1;
    let claim = Claim::Output {
        output: *known.claim().output().expect("it has one"),
        states_root: agora_primitives::job::states_root(&digests[..digests.len() - 1]),
    };
    let target = known.target(&claim).expect("it is wrong");
    assert_eq!(target, Target::States);
    let accusation = Accusation {
        accused: claim,
        target,
        own: Some(known.claim()),
    };
    // Its cartel shows the list of states that it has, and cannot show what state 100 is.
    let rules = known.rules(&TERMS);
    let mut game = Game::new(1u32, &accusation, &rules, Time::default()).expect("it fits");
    let mut shown = 0;
    for block in 0..TERMS.bound() {
        let now = Time { block, full: 0 };
        for made in known.moves(Side::Accuser, &game, &TERMS) {
            game.play(&1, &made, &rules, now).expect("it is taken");
        }
        if let Phase::States(descent) = &game.dispute.phase {
            let before = &digests[..digests.len() - 1];
            let children =
                agora_disputes::player::children(&descent.node, agora_disputes::player::Content::Digests(before));
            let made = Move::Show(agora_disputes::Shown::Children(children));
            shown += u32::from(game.play(&2, &made, &rules, now).is_ok());
        }
        let _ = game.play(&9, &Move::Advance, &rules, now);
        if game.verdict().is_some() {
            break;
        }
    }
    assert!(shown > 1, "{shown} nodes were shown");
    assert!(
        matches!(game.verdict(), Some(Verdict::Falls(_))),
        "{:?}",
        game.verdict()
    );
    assert!(game.losers().iter().all(|(who, _)| *who != 1));
}

#[tokio::test]
async fn what_is_right_of_such_a_job_is_defended_to_the_run() {
    let job = chain();
    let need = need(&job);
    let folder = tempfile::tempdir().expect("a folder");
    let truths = truths(folder.path(), need.memory(), Some(need.least()));
    let known = truths.compute(TASK, 10, &BlobStore::in_memory(), job).await;
    let known = known.expect("computed").expect("there is room");
    let rules = known.rules(&TERMS);
    let accusation = Accusation {
        accused: known.claim(),
        target: Target::States,
        own: None,
    };
    let mut game = Game::new(2u32, &accusation, &rules, Time::default()).expect("it fits");
    let mut runs = 0;
    for block in 0..TERMS.bound() {
        let now = Time { block, full: 0 };
        for made in known.moves(Side::Defence, &game, &TERMS) {
            runs += u32::from(matches!(&made, Move::Run(_, run) if matches!(**run, RunMove::Add(..))));
            game.play(&1, &made, &rules, now).expect("it is taken");
        }
        truths.look_after(TASK, &known);
        let _ = game.play(&2, &Move::Name(0), &rules, now);
        if game
            .branches
            .iter()
            .any(|(branch, _)| matches!(branch.phase, BranchPhase::Choose))
        {
            let choose = Move::Branch(0, BranchMove::Choose(None));
            game.play(&2, &choose, &rules, now).expect("it is taken");
        }
        let _ = game.play(&9, &Move::Advance, &rules, now);
        if game.verdict().is_some() {
            break;
        }
    }
    assert_eq!((game.verdict(), runs), (Some(Verdict::Stands), 1));
    assert!(truths.find(TASK).is_some(), "nothing was wrong with its files");
}

#[tokio::test]
async fn what_no_disk_or_memory_suffices_for_is_said_once_and_in_one_line() {
    let job = chain();
    let need = need(&job);
    let folder = tempfile::tempdir().expect("a folder");
    for (memory, disk) in [(need.memory(), need.least() - 1), (need.memory() - 1, need.least())] {
        let logged = Logged::start();
        let truths = truths(folder.path(), memory, Some(disk));
        for _ in 0..3 {
            let none = truths.compute(TASK, 10, &BlobStore::in_memory(), job.clone()).await;
            assert!(none.expect("it is no error").is_none());
        }
        assert_eq!(logged.with("Allow more with --store-size").len(), 1);
        assert!(!folder.path().join("7").exists(), "nothing was begun");
    }
}

#[tokio::test]
async fn a_disk_that_is_full_now_is_said_once_and_it_goes_on_when_it_is_not() {
    let (job, store) = product().await;
    let folder = tempfile::tempdir().expect("a folder");
    let truths = truths(folder.path(), 1 << 40, Some(need(&job).least()));
    // Something else is in the way: a file where the folder should be made is an error, and a full one is not.
    std::fs::create_dir(folder.path().join("7")).expect("made");
    std::fs::write(folder.path().join("7").join("states"), vec![0; 1 << 16]).expect("written");
    let known = truths.compute(TASK, 10, &store, job.clone()).await;
    let known = known
        .expect("computed")
        .expect("what was there is of no use, and was cut off");
    assert_eq!(known.files().states().len(), 1);
    let logged = Logged::start();
    for _ in 0..3 {
        let full = Trouble::Full {
            folder: folder.path().to_owned(),
            needs: 10,
            room: 3,
        };
        assert!(truths.no_room(TASK, full).expect("it is no error").is_none());
    }
    let lines = logged.with("10 more bytes are needed in");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let damaged = Trouble::Damaged { path: "x".into() };
    assert!(truths.no_room(TASK, damaged).is_err(), "that is tried again");
}

#[tokio::test]
async fn what_another_process_left_is_gone_on_with_or_removed() {
    let (job, store) = product().await;
    let folder = tempfile::tempdir().expect("a folder");
    let court = || truths(folder.path(), 1 << 40, None);
    let known = court().compute(TASK, 10, &store, job.clone()).await;
    let claim = known.expect("computed").expect("there is room").claim();
    // Killed, it leaves its files; those of a case that is over go, and what is no task's stays.
    std::fs::create_dir(folder.path().join("8")).expect("made");
    std::fs::write(folder.path().join("8").join("states"), b"left over").expect("written");
    std::fs::write(folder.path().join("notes"), b"somebody's").expect("written");
    let truths = court();
    truths.keep_only(&[TASK].into());
    let there = |name: &str| folder.path().join(name).exists();
    assert!(there("7") && !there("8") && there("notes"));
    let written = || {
        std::fs::metadata(folder.path().join("7").join("states"))
            .expect("it is there")
            .modified()
    };
    let known = truths
        .compute(TASK, 10, &store, job)
        .await
        .expect("computed")
        .expect("room");
    assert_eq!(known.claim(), claim);
    assert!(written().is_ok());
    truths.keep_only(&HashSet::new());
    assert!(!there("7") && truths.find(TASK).is_none());
    // Whoever still reads it is not disturbed.
    assert_eq!(known.files().bytes(0, 0, 4).map(|bytes| bytes.len()), Some(4));
}

#[tokio::test]
async fn a_damaged_file_is_said_once_and_made_anew() {
    let job = chain();
    let folder = tempfile::tempdir().expect("a folder");
    let truths = truths(folder.path(), 1 << 40, None);
    let nothing = BlobStore::in_memory();
    let known = truths.compute(TASK, 10, &nothing, job.clone()).await;
    let known = known.expect("computed").expect("room");
    let state = |known: &Known| known.files().bytes(200, 0, 1024);
    let right = state(&known);
    drop(known);
    truths.jobs.forget(TASK);
    let known = truths
        .compute(TASK, 10, &nothing, job.clone())
        .await
        .expect("computed")
        .expect("room");
    let file = std::fs::File::options()
        .write(true)
        .open(folder.path().join("7").join("states"))
        .expect("open");
    file.write_all_at(&[255; 600_000], 100).expect("written");
    let logged = Logged::start();
    assert_eq!(state(&known), None);
    truths.look_after(TASK, &known);
    assert_eq!(logged.with("is damaged").len(), 1);
    assert!(truths.find(TASK).is_none(), "it is opened anew");
    let again = truths
        .compute(TASK, 10, &nothing, job)
        .await
        .expect("computed")
        .expect("room");
    assert_eq!(state(&again), right);
    truths.look_after(TASK, &again);
    assert!(truths.find(TASK).is_some());
}

#[tokio::test]
async fn what_is_needed_earlier_takes_the_disk_of_what_is_needed_later() {
    let (job, other) = (
        chain(),
        JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [4; 32],
            matrix_size: 40,
            iterations: 300,
        })),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let truths = truths(folder.path(), 1 << 40, Some(need(&job).ample() + 100));
    let nothing = BlobStore::in_memory();
    let compute = |task, needed_by, job: &JobSpec| truths.compute(TaskId(task), needed_by, &nothing, job.clone());
    assert!(compute(1, 50, &job).await.expect("computed").is_some());
    let logged = Logged::start();
    assert!(compute(2, 60, &other).await.expect("it waits").is_none());
    assert!(compute(2, 60, &other).await.expect("it waits").is_none());
    assert_eq!(logged.with("take the room").len(), 1);
    assert!(compute(3, 40, &other).await.expect("computed").is_some());
    let there = |name: &str| folder.path().join(name).exists();
    assert!(!there("1") && there("3"), "its files went with it");
}

#[tokio::test]
async fn an_input_that_is_damaged_in_a_cache_is_not_believed() {
    let (job, _) = product().await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = BlobStore::open(&folder.path().join("store").to_string_lossy()).expect("it opens");
    for content in [vec![7u8; 3000], vec![5u8; 30]] {
        store.put(BlobKind::Input, content).await.expect("it is put");
    }
    let matrix = Wanted::content(BlobKind::Input, &BlobRef::to(&[7u8; 3000]));
    let agora_blobs::Fetched::Shared(path) = BlobSource::fetch(&store, &matrix).await.expect("there") else {
        panic!("it is a file");
    };
    let truths = truths(&folder.path().join("court"), 1 << 40, None);
    let known = truths.compute(TASK, 10, &store, job.clone()).await.expect("computed");
    assert!(known.is_some());
    truths.keep_only(&HashSet::new());
    std::fs::write(&path, [8u8; 3000]).expect("written");
    let error = truths
        .compute(TASK, 10, &store, job)
        .await
        .err()
        .expect("it is another");
    assert!(error.to_string().contains("is damaged"), "{error}");
}
