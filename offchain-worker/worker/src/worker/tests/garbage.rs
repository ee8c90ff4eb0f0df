//! What is removed from a store and a cache, and what no age and no quota removes.

use super::{Rig, fake::WORKER};
use crate::{BlobOwner, Housekeeper, Housekeeping, Journal, SeenChain, Stage, TaskRecord, needed};
use agora_blobs::{
    BlobKind, BlobStore, Blobs, Cache, Denied,
    http::{PeerLimits, Peers},
};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, MatmulJob, StoredJob},
    participants::Specialisation,
    task::{Chosen, Phase},
};
use codec::Encode;
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);

/// Blobs in a folder, a chain and a journal.
struct House {
    rig: Rig,
    folder: tempfile::TempDir,
    journal: Journal,
    blobs: Blobs,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let store = BlobStore::open(&at("blobs").to_string_lossy()).expect("it opens");
        let cache = Cache::open(&at("cache"), 1 << 30).expect("it opens");
        let peers = Peers::new(PeerLimits::default()).expect("a client");
        Self {
            rig: Rig::new(1, 1),
            journal: Journal::open(&at("journal"), [0; 32], WORKER.0).expect("it opens"),
            blobs: Blobs::new(store, cache, peers, Vec::new()),
            folder,
        }
    }

    fn keeper(&self, age: Duration, quota: Option<u64>) -> Housekeeper<super::FakeChain> {
        let config = Housekeeping { age, quota };
        Housekeeper::new(self.rig.chain.clone(), self.journal.clone(), self.blobs.clone(), config)
    }

    /// Stores `content`, so long ago.
    async fn put(&self, kind: BlobKind, content: &[u8], ago: Duration) -> BlobRef {
        self.blobs.store().put(kind, content.to_vec()).await.expect("put");
        let folder = match kind {
            BlobKind::Job => "jobs",
            BlobKind::Output => "outputs",
            BlobKind::States => "states",
            BlobKind::Input => "inputs",
        };
        let name = hex::encode(kind.key_of(content));
        let path = self
            .folder
            .path()
            .join("blobs")
            .join(folder)
            .join(&name[..2])
            .join(name);
        set_age(&path, ago);
        BlobRef::to(content)
    }

    async fn has(&self, kind: BlobKind, blob: &BlobRef) -> bool {
        let found = self.blobs.store().contains(kind, &blob.hash.0).await;
        found.expect("it answers")
    }

    /// A task of a product whose specification is stored, and what it is made of, all of it a year old.
    async fn task(&self, id: u64, phase: Phase) -> [(BlobKind, BlobRef); 3] {
        let year = 365 * DAY;
        let matrix = self.put(BlobKind::Input, &[id as u8; 4], year).await;
        let input = self.put(BlobKind::Input, &[id as u8, 9], year).await;
        let spec = JobSpec::V2(JobKind::Matmul(MatmulJob {
            matrix,
            columns: 2,
            first_row: 0,
            rows: 2,
            input,
            vectors: 1,
        }));
        let spec = self.put(BlobKind::Job, &spec.encode(), year).await;
        self.rig.chain.publish_as(id, 1000, |task| {
            task.phase = phase;
            task.specialisation = Specialisation::RowTransform;
            task.job = JobSource::Stored(StoredJob {
                spec,
                specialisation: Specialisation::RowTransform,
            });
        });
        [
            (BlobKind::Input, matrix),
            (BlobKind::Input, input),
            (BlobKind::Job, spec),
        ]
    }
}

fn set_age(path: &Path, ago: Duration) {
    let file = std::fs::File::options().append(true).open(path).expect("it is there");
    file.set_modified(SystemTime::now() - ago).expect("set");
}

fn claim(output: &BlobRef) -> Claim {
    Claim::Output {
        output: *output,
        states_root: [3; 32].into(),
    }
}

#[tokio::test]
async fn what_open_tasks_need_stays_however_old_and_what_nobody_needs_goes_when_it_is_old() {
    let house = House::new();
    let open = house.task(1, Phase::Working).await;
    let failed = house.task(2, Phase::Failed).await;
    let old = house.put(BlobKind::Input, b"old", 31 * DAY).await;
    let young = house.put(BlobKind::Input, b"young", 29 * DAY).await;
    let removed = house.keeper(30 * DAY, None).tidy().await.expect("it answers");
    assert_eq!(removed.expect("the node is not behind").removed, 4);
    for (kind, blob) in open {
        assert!(house.has(kind, &blob).await, "{kind}");
    }
    for (kind, blob) in failed {
        assert!(!house.has(kind, &blob).await, "{kind}");
    }
    assert!(!house.has(BlobKind::Input, &old).await);
    assert!(house.has(BlobKind::Input, &young).await);
}

#[tokio::test]
async fn no_task_is_read_while_nothing_could_go() {
    let house = House::new();
    for task in 1..=3 {
        house.rig.chain.publish_as(task, 1000, |_| {});
    }
    house.put(BlobKind::Input, b"young", HOUR / 2).await;
    house.rig.chain.take_reads();
    let removed = house.keeper(DAY, Some(10)).tidy().await.expect("it answers");
    assert_eq!(removed.expect("it is not behind").removed, 0);
    assert_eq!(house.rig.chain.take_reads(), 0);
    house.put(BlobKind::Input, b"old", 2 * DAY).await;
    let removed = house.keeper(DAY, None).tidy().await.expect("it answers");
    assert_eq!(removed.expect("it is not behind").removed, 1);
    assert_eq!(house.rig.chain.take_reads(), 3);
}

#[tokio::test]
async fn what_may_still_be_asked_for_stays_until_the_chain_has_forgotten_its_task() {
    let house = House::new();
    let output = house.put(BlobKind::Output, b"the result", 365 * DAY).await;
    let parts = house.task(1, Phase::Settled).await;
    let choose = |task: &mut agora_chain::views::TaskView| {
        task.chosen = Some(Chosen {
            claim: claim(&output),
            best: WORKER,
        });
    };
    let settled = house.rig.chain.newest().tasks[&TaskId(1)].clone();
    house.rig.chain.publish_as(1, 1000, |task| {
        *task = settled;
        choose(task);
    });
    // No age at all, which the command line takes.
    let keeper = house.keeper(Duration::ZERO, Some(0));
    assert_eq!(
        keeper
            .tidy()
            .await
            .expect("it answers")
            .expect("it is not behind")
            .removed,
        0
    );
    assert!(house.has(BlobKind::Output, &output).await);
    house.rig.chain.forget(1);
    assert_eq!(
        keeper
            .tidy()
            .await
            .expect("it answers")
            .expect("it is not behind")
            .removed,
        4
    );
    for (kind, blob) in parts.into_iter().chain([(BlobKind::Output, output)]) {
        assert!(!house.has(kind, &blob).await, "{kind}");
    }
}

#[tokio::test]
async fn what_this_account_has_come_to_about_an_open_task_stays() {
    let house = House::new();
    house.task(1, Phase::Revealing).await;
    let output = house.put(BlobKind::Output, b"what I have computed", 365 * DAY).await;
    let task = house.rig.chain.newest().tasks[&TaskId(1)].clone();
    let record = TaskRecord {
        stage: Stage::Served,
        claim: Some(claim(&output)),
        ..TaskRecord::new(&task, [1; 32], 5)
    };
    let keeper = house.keeper(DAY, None);
    house.journal.put_task(TaskId(1), &record).expect("put");
    keeper.tidy().await.expect("it answers");
    assert!(house.has(BlobKind::Output, &output).await);
    house.rig.chain.publish_as(1, 1000, |other| {
        *other = task;
        other.phase = Phase::Cancelled;
    });
    keeper.tidy().await.expect("it answers");
    assert!(!house.has(BlobKind::Output, &output).await);
}

#[tokio::test]
async fn beyond_the_quota_the_oldest_goes_first_and_nothing_that_is_needed_or_new() {
    let house = House::new();
    let open = house.task(1, Phase::Open).await;
    let needed: u64 = open.iter().map(|(_, blob)| blob.size).sum();
    let mut stored = Vec::new();
    for (byte, ago) in [(1, 3 * DAY), (2, 2 * DAY), (3, DAY), (4, HOUR / 2)] {
        stored.push(house.put(BlobKind::Input, &[byte; 1000], ago).await);
    }
    let keeper = house.keeper(30 * DAY, Some(needed + 2000));
    let removed = keeper.tidy().await.expect("it answers").expect("it is not behind");
    assert_eq!((removed.removed, removed.removed_bytes), (2, 2000));
    for (blob, is_there) in stored.iter().zip([false, false, true, true]) {
        assert_eq!(house.has(BlobKind::Input, blob).await, is_there);
    }
    // What is needed, and what is new, is more than is allowed: that is said once.
    let logged = crate::logged::Logged::start();
    let keeper = house.keeper(30 * DAY, Some(10));
    for _ in 0..3 {
        keeper.tidy().await.expect("it answers");
    }
    assert!(house.has(BlobKind::Input, &stored[3]).await);
    for (kind, blob) in open {
        assert!(house.has(kind, &blob).await, "{kind}");
    }
    assert_eq!(logged.with("more bytes than --store-size allows").len(), 1);
}

#[tokio::test]
async fn nothing_is_removed_by_what_a_node_says_that_is_behind() {
    let house = House::new();
    let old = house.put(BlobKind::Input, b"old", 365 * DAY).await;
    let seen = SeenChain {
        best: 1_000_000,
        finalised: 999_997,
    };
    house.journal.put_seen(seen).expect("put");
    let keeper = house.keeper(DAY, None);
    assert_eq!(keeper.tidy().await.expect("it answers"), None);
    assert!(house.has(BlobKind::Input, &old).await);
}

#[tokio::test]
async fn what_is_denied_is_kept_for_no_task() {
    let house = House::new();
    let [(_, matrix), (_, input), _] = house.task(1, Phase::Open).await;
    let denied: Denied = [matrix.hash.0].into_iter().collect();
    let blobs = house.blobs.clone().without(denied);
    let best = crate::Chain::best(&house.rig.chain).await.expect("it answers");
    let needed = needed(&best, &blobs, BlobOwner::Nobody).await.expect("it answers");
    assert!(needed.contains(&input.hash.0) && !needed.contains(&matrix.hash.0));
}
