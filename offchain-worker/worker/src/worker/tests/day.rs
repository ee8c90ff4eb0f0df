//! A day of work: what a worker remembers does not grow with the tasks that have ended.

use super::{Rig, note};
use agora_bench_figures::{Better, Figure};
use agora_primitives::{
    job::{BlobRef, JobKind, JobSource, JobSpec, MatmulJob},
    participants::{Specialisation, Specialisations},
};

/// Blocks between two tasks that are taken, and between two that are not.
const EVERY: usize = 12;
/// Blocks in `make test`; a day of blocks of six seconds has 14,400.
const BLOCKS: u32 = 600;

/// A product whose matrix and vectors are nowhere.
fn product_of_nothing() -> JobSource {
    JobSource::Inline(JobSpec::V2(JobKind::Matmul(MatmulJob {
        matrix: BlobRef::to(&[1; 4]),
        columns: 2,
        first_row: 0,
        rows: 2,
        input: BlobRef::to(&[2; 2]),
        vectors: 1,
    })))
}

/// Memory of this process, in KiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[tokio::test]
async fn what_is_remembered_does_not_grow_with_the_tasks_that_have_ended() {
    let mut rig = Rig::new(3, 2);
    let both = [Specialisation::Synthetic, Specialisation::RowTransform];
    rig.policy.specialisations = both.into_iter().fold(Specialisations::NONE, Specialisations::with);
    rig.start();
    let blocks = agora_test_support::cases(BLOCKS).cases as usize;
    let (mut task, mut most) = (0, 0);
    let mut memory = Vec::new();
    for block in 0..blocks {
        if block % EVERY == 0 {
            task += 1;
            rig.chain.publish(task, 60);
        }
        if block % EVERY == EVERY / 2 {
            task += 1;
            // Another kind of work, which is declined for good.
            rig.chain
                .publish_as(task, 60, |task| task.specialisation = Specialisation::Training);
        }
        if block % EVERY == EVERY / 3 {
            task += 1;
            // Nobody has what it is made of.
            rig.chain.publish_as(task, 60, |task| {
                task.specialisation = Specialisation::RowTransform;
                task.job = product_of_nothing();
            });
        }
        rig.pass(1).await;
        rig.chain.forget_old();
        let remembered = rig.remembered();
        if block < blocks / 2 {
            most = most.max(remembered);
        } else {
            assert!(
                remembered <= most,
                "{remembered} things are remembered after {block} blocks, {most} before"
            );
        }
        if block + 1 == blocks / 2 || block + 1 == blocks {
            memory.extend(resident());
        }
        if block % 1000 == 999 {
            println!("block {}: {remembered} things, {:?} KiB", block + 1, resident());
        }
    }
    let newest = rig.chain.newest();
    assert_eq!((newest.lost, newest.refused), (0, 0));
    let text = rig.metrics.render();
    let right = text
        .lines()
        .find_map(|line| line.strip_prefix(r#"agora_outcomes_total{reason="right"} "#));
    let right: usize = right.and_then(|count| count.parse().ok()).expect("it is counted");
    assert!(right > blocks / EVERY / 2, "{right} tasks were done");
    if let [half, all] = memory.as_slice() {
        let name =
            format!("memory of a worker after {blocks} simulated blocks and {right} tasks, against half of them");
        note(&[Figure::new(name, "KiB", *all as f64, *half as f64, Better::Lower).goal(1.1)]);
    }
}
