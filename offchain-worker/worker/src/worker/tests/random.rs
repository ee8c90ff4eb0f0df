//! Everything at once, at random.

use super::{
    Rig,
    fake::{BOND, Mishap},
    note,
};
use agora_bench_figures::{Better, Figure};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::sync::atomic::Ordering;

/// How many runs in `make test`.
const RUNS: u32 = 16;
/// Rounds of a run in which things go wrong.
const ROUNDS: usize = 120;

/// One thing that goes wrong, or nothing.
fn mishap(rig: &mut Rig, random: &mut StdRng, lag: usize) {
    match random.gen_range(0..22) {
        0 => rig.chain.reorg(random.gen_range(1..=lag.max(1))),
        1 => rig.chain.mishaps(&[Mishap::AnswerLost]),
        2 => rig.chain.mishaps(&[Mishap::CallLost, Mishap::CallLost]),
        3 => rig.chain.mishaps(&[Mishap::PoolFull]),
        4 => rig.chain.show(Some(random.gen_range(1..60))),
        5 if !rig.is_disk_full.load(Ordering::SeqCst) => rig.start(),
        6 => rig.chain.mishaps(&[Mishap::Late(random.gen_range(1..50))]),
        7 => rig.is_disk_full.store(true, Ordering::SeqCst),
        8 | 9 => rig.is_disk_full.store(false, Ordering::SeqCst),
        _ => {
            rig.chain.show(None);
            rig.chain.mishaps(&[]);
        }
    }
}

#[tokio::test]
async fn an_honest_worker_loses_nothing_whatever_node_and_process_do() {
    let runs = agora_test_support::cases(RUNS).cases;
    let (mut lost, mut tasks) = (0, 0);
    for seed in 0..u64::from(runs) {
        let mut random = StdRng::seed_from_u64(seed);
        let mut rig = Rig::new(3, 1);
        let mut task = 0;
        for round in 0..ROUNDS {
            if round % 15 == 0 {
                task += 1;
                rig.chain.publish(task, random.gen_range(30..80));
            }
            let lag = random.gen_range(0..6);
            mishap(&mut rig, &mut random, lag);
            let _ = rig.look().await;
            rig.chain.grow(random.gen_range(0..3), lag);
        }
        rig.is_disk_full.store(false, Ordering::SeqCst);
        rig.chain.show(None);
        rig.chain.mishaps(&[]);
        rig.until(400, |rig| rig.in_hand() == 0).await;
        let newest = rig.chain.newest();
        assert_eq!(newest.lost, 0, "seed {seed}: {:?}", newest.judged);
        assert!(!newest.judged.is_empty(), "seed {seed}: nothing was done");
        lost += newest.lost;
        tasks += newest.judged.len() as u128;
    }
    let name = format!(
        "lost by an honest worker in {runs} runs with faults at random, {tasks} tasks, against its bonds for them"
    );
    note(&[Figure::new(name, "plancks", lost as f64, (tasks * BOND) as f64, Better::Lower).goal(0.0)]);
}
