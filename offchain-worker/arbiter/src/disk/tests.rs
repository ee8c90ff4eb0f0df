//! Files of jobs: played by, killed, torn, damaged, full.

use super::{files::Files, folder::Folder, index::HEADER_BYTES, need::Need, pages::*, series::Series};
use crate::{
    Arbiter, Error, Shared,
    computed::Computed,
    tests::{
        programs,
        world::{Contents, From, Job, Liar, Lie, Random, TERMS, play},
    },
};
use agora_disputes::{Game, Side, player::Knowledge};
use agora_jobs::{BlobRef, JobSpec};
use agora_reference::{Fault, Step, of};
use std::{
    fs::File,
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
};
use tempfile::TempDir;

const SIDES: [Side; 2] = [Side::Accuser, Side::Defence];

/// One job of each kind, and of programs one of each mode.
fn kinds() -> Vec<Job> {
    let names = [
        "synthetic: one more than two tiles",
        "matmul: no multiple of anything",
        "embedding: two layers",
        "classification: a convolution",
        "training: a convolution",
        "rendering: still life",
    ];
    let programs = ["every ending", "a fold"].map(programs::named);
    names.map(Job::named).into_iter().chain(programs).collect()
}

fn least(spec: &JobSpec) -> u64 {
    Need::of(spec, u64::MAX).unwrap().least()
}

fn files(job: &Job, folder: &Path, limit: u64, memory: usize) -> Result<Files, Error> {
    let inputs = Shared::new(job.contents());
    Files::compute(job.spec.clone(), inputs, folder, limit, &Pages::new(memory))
}

/// Somebody with as little disk as is possible, and no memory for what is on it.
fn poor(job: &Job, folder: &Path) -> Arbiter<Shared, Files> {
    Arbiter::in_files(files(job, folder, least(&job.spec), 0).unwrap())
}

/// Games about `job`, of which the claim or the accusation is wrong in every way, as they are after each block.
fn games(job: &Job, seed: u64) -> Vec<(String, Side, Vec<Game<u32>>)> {
    let honest = job.arbiter();
    let mut random = Random(seed);
    let mut games = Vec::new();
    for lie in Lie::ALL {
        let Some(wrong) = lie.tell(honest.truth(), &mut random) else {
            continue;
        };
        let own = job.believer(wrong);
        for side in SIDES {
            let from = [From::Number(random.next()), From::List][random.below(2) as usize];
            let liar = Liar {
                own: &own,
                other: &honest,
                from,
            };
            let hint = format!("{}, {lie:?}, honest {side:?}, {from:?}, seed {seed}", job.name);
            let report = play(&honest, side, &[liar], &hint);
            games.push((hint, side, report.blocks));
        }
    }
    games
}

#[test]
fn whoever_has_no_memory_and_little_disk_wins_in_every_kind() {
    let mut random = Random(31);
    for job in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let honest = poor(&job, folder.path());
        let other = job.arbiter();
        assert_eq!(honest.claim(), other.claim(), "{}", job.name);
        for lie in Lie::ALL {
            let Some(wrong) = lie.tell(other.truth(), &mut random) else {
                continue;
            };
            let own = job.believer(wrong);
            for side in SIDES {
                let liar = Liar {
                    own: &own,
                    other: &other,
                    from: From::Number(random.next()),
                };
                let hint = format!("{}, {lie:?}, honest {side:?}, seed 31", job.name);
                play(&honest, side, &[liar], &hint);
                assert_eq!(honest.files().take_trouble(), None, "{hint}");
            }
        }
    }
}

#[test]
fn each_move_is_the_one_that_is_made_from_memory() {
    // Another each day would do as well: it is printed.
    let seed = 32;
    let mut random = Random(seed);
    let mut compared = 0;
    for job in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let honest = job.arbiter();
        let rich = Arbiter::in_files(files(&job, &folder.path().join("rich"), u64::MAX, 1 << 20).unwrap());
        let poor = poor(&job, &folder.path().join("poor"));
        for (hint, side, blocks) in games(&job, random.next()) {
            for (block, game) in blocks.iter().enumerate() {
                let expected = honest.moves(side, game, &TERMS);
                assert_eq!(rich.moves(side, game, &TERMS), expected, "{hint}, block {block}");
                assert_eq!(poor.moves(side, game, &TERMS), expected, "{hint}, block {block}");
                compared += expected.len();
            }
        }
    }
    assert!(compared > 200, "{compared} moves were compared, seed {seed}");
}

#[test]
fn unusable_inputs_are_found_and_known_again() {
    for name in [
        "embedding: two layers",
        "training: a convolution",
        "rendering: still life",
    ] {
        let usable = Job::named(name);
        let mut found = 0;
        for at in [0, usable.inputs[0].len() - 1] {
            let job = usable.with_input(0, at);
            let honest = job.arbiter();
            if !honest.truth().unusable {
                continue;
            }
            found += 1;
            let folder = tempfile::tempdir().unwrap();
            let computed = poor(&job, folder.path());
            let read = Files::compute(
                job.spec.clone(),
                Shared::new(Contents::default()),
                folder.path(),
                u64::MAX,
                &Pages::new(0),
            );
            let read = Arbiter::in_files(read.unwrap());
            let own = job.believer(usable.arbiter().truth().clone());
            for side in SIDES {
                let liar = Liar {
                    own: &own,
                    other: &honest,
                    from: From::Number(1),
                };
                let report = play(&computed, side, &[liar], name);
                assert_eq!(report.executed, 1);
                for game in &report.blocks {
                    // Without the inputs a run cannot be made, but the lists are known.
                    if game.branches.is_empty() {
                        assert_eq!(read.moves(side, game, &TERMS), honest.moves(side, game, &TERMS));
                    }
                }
            }
            assert_eq!(read.claim(), honest.claim());
            assert_eq!(read.files().scans(), honest_scans(&honest));
        }
        assert!(found > 0, "{name}");
    }
}

fn honest_scans(honest: &Arbiter<Contents>) -> Vec<agora_jobs::H256> {
    honest.truth().scans().into_owned()
}

#[test]
fn what_is_needed_follows_from_the_job() {
    for job in kinds().into_iter().chain(Job::all()) {
        let truth = job.arbiter().truth().clone();
        if truth.unusable {
            continue;
        }
        let name = &job.name;
        let sum = |contents: &Vec<Vec<u8>>| contents.iter().map(Vec::len).sum::<usize>() as u64;
        let need = Need::of(&job.spec, u64::MAX).unwrap();
        let records = (truth.states.len() + truth.scans.len()) as u64 * 40 + 40;
        assert_eq!(need.states, sum(&truth.states) + records, "{name}");
        assert_eq!(need.scans, sum(&truth.scans), "{name}");
        assert_eq!(need.kept, truth.kept.iter().map(sum).sum::<u64>(), "{name}");
        assert_eq!(need.kept_most, truth.kept.iter().map(sum).max().unwrap(), "{name}");
        assert_eq!(need.least(), need.states + need.scans + need.kept_most);
        assert!(need.least() <= need.ample() && need.ample() <= need.states + need.scans + need.kept);
        assert_eq!(Need::of(&job.spec, need.least()), Some(need), "{name}");
        assert_eq!(Need::of(&job.spec, need.least() - 1), None, "{name}");
        // On disk it is as much.
        let folder = tempfile::tempdir().unwrap();
        files(&job, folder.path(), need.least(), 0).unwrap();
        let on_disk: u64 = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert_eq!(
            on_disk,
            need.states + need.scans,
            "{name}: what was kept is gone with its owner"
        );
    }
}

/// A job with all that can be in files, and its folder.
fn trained() -> (Job, TempDir) {
    let job = Job::named("training: a convolution");
    let folder = tempfile::tempdir().unwrap();
    files(&job, folder.path(), u64::MAX, 0).unwrap();
    (job, folder)
}

/// What is read of a folder without the inputs: nothing can be computed then.
fn read_only(job: &Job, folder: &Path) -> Result<Files, Error> {
    let nothing = Shared::new(Contents::default());
    Files::compute(job.spec.clone(), nothing, folder, u64::MAX, &Pages::new(0))
}

fn assert_complete(found: &Files, job: &Job, hint: &str) {
    let honest = job.arbiter();
    assert_eq!(found.claim(), honest.truth().claim(), "{hint}");
    assert_eq!(found.states(), honest.truth().states(), "{hint}");
    assert_eq!(found.scans(), honest.truth().scans(), "{hint}");
    for state in 0..honest.truth().states.len() as u64 {
        let right = &honest.truth().states[state as usize];
        assert_eq!(
            found.bytes(state, 0, right.len() as u64).as_ref(),
            Some(right),
            "{hint}"
        );
    }
}

#[test]
fn whoever_is_killed_goes_on_from_what_is_on_disk() {
    let (job, folder) = trained();
    // As after a kill, something of the last state is left over.
    for name in ["kept-2", "kept-17"] {
        std::fs::write(folder.path().join(name), b"left over").unwrap();
    }
    let found = read_only(&job, folder.path()).unwrap();
    assert_complete(&found, &job, "all is there");
    assert!(!folder.path().join("kept-17").exists(), "nobody needs it");
    // With less of it, the last state is computed again, for which the inputs are needed.
    let states = folder.path().join("states");
    let whole = std::fs::metadata(&states).unwrap().len();
    File::options()
        .write(true)
        .open(&states)
        .unwrap()
        .set_len(whole - 1)
        .unwrap();
    drop(found);
    let mut last = Job::named("training: a convolution");
    last.inputs.clear();
    // The output is joined of the states before: no input is read.
    let found = read_only(&last, folder.path()).unwrap();
    assert_complete(&found, &job, "the output was computed again");
    drop(found);
    File::options()
        .write(true)
        .open(&states)
        .unwrap()
        .set_len(whole / 3)
        .unwrap();
    let error = read_only(&job, folder.path()).err().unwrap();
    assert!(matches!(error, Error::Unit(Fault::Missing { .. })), "{error}");
    let found = files(&job, folder.path(), u64::MAX, 0).unwrap();
    assert_complete(&found, &job, "the rest was computed again");
}

#[test]
fn a_torn_or_changed_file_is_noticed_and_made_anew() {
    // It has bytes in all of them.
    let job = Job::named("embedding: two layers");
    let folder = tempfile::tempdir().unwrap();
    files(&job, folder.path(), u64::MAX, 0).unwrap();
    let seed = 33;
    let mut random = Random(seed);
    for round in 0..60 {
        let name = ["index", "scans", "states"][round % 3];
        let path = folder.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = random.below(bytes.len() as u64) as usize;
        match round / 3 % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << random.below(8),
            // A torn write: pages that were not written are zero.
            _ => bytes[at..].fill(0),
        }
        std::fs::write(&path, bytes).unwrap();
        let found = files(&job, folder.path(), u64::MAX, 0).unwrap();
        let hint = format!("round {round}: {name} at {at}, seed {seed}");
        assert_complete(&found, &job, &hint);
        drop(found);
        // It is all there again.
        assert_complete(&read_only(&job, folder.path()).unwrap(), &job, &hint);
    }
}

#[test]
fn a_folder_of_another_job_is_begun_anew() {
    let (_, folder) = trained();
    let other = Job::named("synthetic: one more than two tiles");
    let found = files(&other, folder.path(), u64::MAX, 0).unwrap();
    assert_complete(&found, &other, "another job");
    let size = std::fs::metadata(folder.path().join("states")).unwrap().len();
    assert_eq!(size, other.arbiter().truth().states.concat().len() as u64);
    assert_eq!(std::fs::metadata(folder.path().join("scans")).unwrap().len(), 0);
}

#[test]
fn files_are_their_owners_alone() {
    let (job, folder) = trained();
    let inner = folder.path().join("deep").join("deeper");
    let found = files(&job, &inner, u64::MAX, 0).unwrap();
    let _kept = found.of_step(Step::State(1)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    let names: Vec<_> = std::fs::read_dir(&inner).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for entry in names {
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
    }
}

/// Changes a byte of each chunk of a file.
fn damage(path: &Path) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let size = file.metadata().unwrap().len();
    for at in (0..size).step_by(64) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    }
}

#[test]
fn no_move_is_made_from_what_is_damaged_and_it_is_told() {
    for name in ["states", "scans", "kept"] {
        let job = Job::named("embedding: two layers");
        let folder = tempfile::tempdir().unwrap();
        let honest = job.arbiter();
        let mut damaged = 0;
        for (hint, side, blocks) in games(&job, 34) {
            let found = Arbiter::in_files(files(&job, folder.path(), u64::MAX, 0).unwrap());
            for state in (0..honest.truth().states.len() as u64).filter(|_| name == "kept") {
                found.files().of_step(Step::State(state)).unwrap();
            }
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                let entry = entry.unwrap();
                if entry.file_name().to_str().unwrap().starts_with(name) {
                    damage(&entry.path());
                }
            }
            for game in &blocks {
                let expected = honest.moves(side, game, &TERMS);
                let made = found.moves(side, game, &TERMS);
                let trouble = found.files().take_trouble();
                // What it makes is right, and where it makes less it says why.
                assert!(made.iter().all(|made| expected.contains(made)), "{hint}");
                assert!(made == expected || trouble.is_some(), "{hint}");
                damaged += usize::from(matches!(trouble, Some(Trouble::Damaged { .. })));
            }
            drop(found);
            // The next one finds it when it opens the files, and goes on.
            let again = Arbiter::in_files(files(&job, folder.path(), u64::MAX, 0).unwrap());
            let last = blocks.last().unwrap();
            assert_eq!(again.moves(side, last, &TERMS), honest.moves(side, last, &TERMS));
            assert_eq!(again.files().take_trouble(), None);
        }
        assert!(damaged > 0, "{name}: no move needed what was damaged");
    }
}

#[test]
fn what_there_is_no_room_for_is_not_begun_and_changes_nothing() {
    for job in kinds() {
        let name = &job.name;
        let folder = tempfile::tempdir().unwrap();
        let needs = least(&job.spec);
        let error = files(&job, folder.path(), needs - 1, 0).err().unwrap();
        // What the index begins with is there.
        let needs_now = needs - HEADER_BYTES;
        let expected = Trouble::Full {
            folder: folder.path().to_owned(),
            needs: needs_now,
            room: needs_now - 1,
        };
        assert_eq!(error, Error::Disk(expected), "{name}");
        assert!(error.is_recoverable());
        assert!(
            error
                .to_string()
                .contains(&format!("{needs_now} more bytes are needed in")),
            "{error}"
        );
        let found = files(&job, folder.path(), needs, 0).unwrap();
        assert_eq!(found.claim(), job.arbiter().claim(), "{name}");
        drop(found);
        // What is there takes no more room than it has.
        assert_eq!(
            files(&job, folder.path(), needs, 0).unwrap().claim(),
            job.arbiter().claim()
        );
    }
}

#[test]
fn a_disk_that_is_full_in_the_middle_keeps_what_is_there_and_it_goes_on_later() {
    let job = Job::named("training: a convolution");
    let honest = job.arbiter();
    let needs = least(&job.spec);
    let (mut full, mut begun) = (0, std::collections::BTreeSet::new());
    for taken in 1..40 {
        let folder = tempfile::tempdir().unwrap();
        // Somebody else takes the disk while it is computed.
        let limited = Folder::open(folder.path(), needs, &Pages::new(0)).unwrap();
        limited.take(needs * taken / 40).unwrap();
        let inputs = Shared::new(job.contents());
        let mut files = Files::resume(job.spec.clone(), inputs, limited).unwrap();
        let made = files.go_on();
        match made {
            // What the units of the largest state kept is gone before all states are there.
            Ok(()) => assert_eq!(files.claim(), honest.claim()),
            Err(error) => {
                assert!(matches!(error, Error::Disk(Trouble::Full { .. })), "{error}");
                full += 1;
            }
        }
        begun.insert(files.states.count());
        drop(files);
        let found = self::files(&job, folder.path(), u64::MAX, 0).unwrap();
        assert_complete(&found, &job, &format!("{taken} of 40 were taken"));
    }
    assert!(full > 20 && begun.len() > 2, "{full} times, after {begun:?} states");
}

#[test]
fn what_was_kept_goes_where_there_is_no_room_and_is_computed_again() {
    let job = Job::named("training: a convolution");
    let honest = job.arbiter();
    let folder = tempfile::tempdir().unwrap();
    let found = files(&job, folder.path(), least(&job.spec), 0).unwrap();
    let law = of(&job.spec);
    let with: Vec<_> = (0..law.states())
        .filter(|state| !honest.truth().kept[*state as usize].is_empty())
        .collect();
    assert!(with.len() > 1);
    let on_disk = || {
        let names = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with("kept-")).count()
    };
    for state in with.iter().chain(&with) {
        // Whoever reads it still has it when it is dropped for another.
        let reads = found.of_step(Step::State(*state)).unwrap();
        assert_eq!(on_disk(), 1, "there is room for one");
        drop(found.of_step(Step::State(with[0])));
        drop(found.of_step(Step::State(with[1])));
        for content in &honest.truth().kept[*state as usize] {
            let mut chunk = [0; 1024];
            let read = reads.chunk(&BlobRef::to(content), 0, &mut chunk).unwrap();
            assert_eq!(chunk[..read], content[..read]);
        }
        drop(reads);
        // That there was no room meanwhile was told, or it was another.
        let _ = found.take_trouble();
    }
    // Where there is room for several, they stay.
    let rich = files(&job, &folder.path().join("rich"), u64::MAX, 0).unwrap();
    for state in &with {
        rich.of_step(Step::State(*state)).unwrap();
    }
    assert_eq!(
        std::fs::read_dir(folder.path().join("rich")).unwrap().count(),
        3 + with.len()
    );
}

#[test]
fn a_list_for_which_there_is_no_room_now_is_told_and_made_later() {
    let job = Job::named("embedding: two layers");
    let honest = job.arbiter();
    let folder = tempfile::tempdir().unwrap();
    let poor = poor(&job, folder.path());
    let files = poor.files();
    let (mut missed, mut compared) = (0, 0);
    for (hint, side, blocks) in games(&job, 35) {
        for game in &blocks {
            let expected = honest.moves(side, game, &TERMS);
            // All that is kept is dropped, and somebody else takes the room.
            while files.drop_oldest() {}
            let room = files.folder.room();
            files.folder.take(room).unwrap();
            let made = poor.moves(side, game, &TERMS);
            assert!(made.iter().all(|made| expected.contains(made)), "{hint}");
            match files.take_trouble() {
                Some(trouble) => {
                    assert!(matches!(trouble, Trouble::Full { .. }), "{hint}: {trouble}");
                    missed += 1;
                }
                None => assert_eq!(made, expected, "{hint}"),
            }
            files.folder.give(room);
            assert_eq!(poor.moves(side, game, &TERMS), expected, "{hint}");
            assert_eq!(files.take_trouble(), None, "{hint}");
            compared += expected.len();
        }
    }
    assert!(missed > 0 && compared > 0, "{missed} {compared}");
}

/// Whoever accuses every state at once has nothing computed again for lists: only for what a run reads.
#[test]
fn lists_are_known_of_what_was_kept_and_went() {
    let job = Job::named("training: a convolution");
    let honest = job.arbiter();
    let folder = tempfile::tempdir().unwrap();
    let found = files(&job, folder.path(), least(&job.spec), 0).unwrap();
    while found.drop_oldest() {}
    // Nothing can be computed now: there is no room.
    found.folder.take(found.folder.room()).unwrap();
    let with = |state: &u64| !honest.truth().kept[*state as usize].is_empty();
    for state in 0..of(&job.spec).states() {
        assert_eq!(found.kept(state), honest.truth().kept(state), "state {state}");
    }
    assert_eq!(found.take_trouble(), None);
    let state = (0..of(&job.spec).states()).find(with).unwrap();
    assert!(found.of_step(Step::State(state)).is_none());
    assert!(found.take_trouble().unwrap().is_full());
}

/// A device on which nothing has room.
#[cfg(target_os = "linux")]
#[test]
fn a_write_that_finds_no_room_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("full")).unwrap();
    let inner = std::sync::Arc::new(Folder::open(folder.path(), 100, &Pages::new(0)).unwrap());
    let mut full = Series::new(&inner, "full");
    let trouble = full.append(&[1; 10]).unwrap_err();
    assert!(trouble.is_full(), "{trouble}");
    assert_eq!((full.count(), full.bytes(), inner.room()), (0, 0, 100));
    let mut other = Series::new(&inner, "other");
    other.append(&[1; 60]).unwrap();
    assert!(other.append(&[1; 41]).unwrap_err().is_full(), "that is the limit");
    other.append(&[2; 40]).unwrap();
    assert_eq!(
        other.finish(),
        BlobRef::to(&[[1; 60].as_slice(), &[2; 40]].concat()).hash
    );
    assert_eq!(other.get(0).unwrap().bytes(58, 4), Some(vec![1, 1, 2, 2]));
    drop(other);
    assert_eq!(inner.room(), 100, "nobody holds it");
}
