use super::{lease::learned, *};
use agora_compute::CpuEngine;

fn pool(devices: usize) -> EnginePool {
    EnginePool::new(
        (0..devices)
            .map(|_| Arc::new(CpuEngine::new()) as Arc<dyn Engine>)
            .collect(),
    )
}

fn within(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

#[tokio::test]
async fn the_earliest_deadline_is_served_first() {
    let pool = pool(1);
    let busy = pool.take(within(1000), Wanted::default()).await.expect("it is idle");
    let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
    for seconds in [30, 10, 20] {
        let (pool, order) = (pool.clone(), order.clone());
        tokio::spawn(async move {
            let lease = pool.take(within(seconds * 1000), Wanted::default()).await;
            order.send((seconds, lease.is_some())).expect("somebody listens");
        });
    }
    while pool.0.lock().waiting.len() < 3 {
        tokio::task::yield_now().await;
    }
    drop(busy);
    for seconds in [10, 20, 30] {
        assert_eq!(served.recv().await, Some((seconds, true)));
    }
}

#[tokio::test]
async fn nobody_waits_beyond_the_deadline() {
    let pool = pool(1);
    let _busy = pool.take(within(1000), Wanted::default()).await.expect("it is idle");
    let before = Instant::now();
    assert!(pool.take(within(30), Wanted::default()).await.is_none());
    assert!(before.elapsed() >= Duration::from_millis(30));
    assert!(pool.0.lock().waiting.is_empty());
}

#[tokio::test]
async fn a_device_that_fails_rests_longer_each_time_and_others_go_on() {
    let pool = pool(2);
    let one = pool.take(within(1000), Wanted::default()).await.expect("idle");
    let failed = one.index;
    assert_eq!(one.rest(), FIRST_REST);
    assert_eq!(pool.health().1.len(), 1);
    assert_eq!(pool.lanes().len(), 1, "the forecast does not count on it");
    let other = pool
        .take(within(1000), Wanted::default())
        .await
        .expect("the other goes on");
    assert_ne!(other.index, failed);
    let again = pool
        .take(within(10_000), Wanted::default())
        .await
        .expect("its rest is over");
    assert_eq!(again.index, failed);
    assert!(again.is_suspect);
    assert_eq!(again.rest(), FIRST_REST * 2);
    drop(other);
}

/// A job that takes so many seconds on a device with a speed of 1000.
fn wanted(seconds: u128) -> Wanted {
    Wanted {
        load: Some((Specialisation::Synthetic, seconds * 1000)),
        without: Vec::new(),
    }
}

/// A pool of devices with these speeds.
async fn with_speeds(speeds: &[f64]) -> EnginePool {
    let pool = pool(speeds.len());
    for &speed in speeds {
        let lease = pool.take_unmeasured(Specialisation::Synthetic).expect("idle");
        lease.learn(Specialisation::Synthetic, speed);
    }
    pool
}

#[tokio::test]
async fn work_goes_to_the_device_that_has_it_done_first() {
    let pool = with_speeds(&[1.0, 1000.0, 500.0]).await;
    let first = pool.take(within(10_000), wanted(1)).await.expect("idle");
    let second = pool.take(within(10_000), wanted(1)).await.expect("idle");
    assert_eq!((first.index, second.index), (1, 2));
}

#[tokio::test]
async fn work_waits_for_the_device_that_has_it_done_in_time_and_others_pass_by() {
    let pool = with_speeds(&[1.0, 1000.0]).await;
    let fast = pool.take(within(10_000), wanted(1)).await.expect("idle");
    assert_eq!(fast.index, 1);
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.take(within(60_000), wanted(1)).await.map(|lease| lease.index) }
    });
    while pool.0.lock().waiting.is_empty() {
        tokio::task::yield_now().await;
    }
    // It is behind the one that waits, and has time enough for the slow device.
    let slow = pool.take(within(100_000_000), wanted(1)).await.expect("idle");
    assert_eq!(slow.index, 0);
    drop(fast);
    assert_eq!(waiting.await.expect("no panic"), Some(1));
}

#[tokio::test]
async fn a_device_that_cannot_do_it_is_passed_over_and_none_is_waited_for_if_none_can() {
    let pool = with_speeds(&[1000.0, 500.0]).await;
    let mut wanted = wanted(1);
    wanted.without.push(0);
    let other = pool.take(within(10_000), wanted.clone()).await.expect("idle");
    assert_eq!(other.index, 1);
    drop(other);
    wanted.without.push(1);
    assert!(pool.take(within(10_000), wanted).await.is_none());
}

#[tokio::test]
async fn what_the_processor_computes_is_for_one_device_and_teaches_nothing_if_it_ends_early() {
    use agora_compute::{MemoryInputs, NoProgress, ProgramJob};
    use agora_primitives::job::{JobKind, JobSpec, Limits, Mode, ProgramInputs, SyntheticJob};
    // It traps at once.
    let mut inputs = MemoryInputs::new();
    let job = ProgramJob {
        image: inputs.insert(*b"\0\0"),
        inputs: ProgramInputs::default(),
        mode: Mode::Map,
        items: 1,
        gas: 1 << 34,
        record_bytes: 1024,
    };
    let (work, spec) = (job.work(), JobSpec::V2(JobKind::Program(job)));
    let pool = pool(3);
    assert_eq!(pool.without(&spec), [1, 2]);
    let synthetic = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 8,
        iterations: 1,
    }));
    assert!(pool.without(&synthetic).is_empty());

    let lease = pool.take(within(1000), Wanted::default()).await.expect("idle");
    lease.learn(Specialisation::Program, 1e3);
    // As if it had taken long enough to tell: see `TELLING`.
    assert_eq!(learned(Some(1e3), 5e3, &spec), 1e3);
    assert_eq!(learned(Some(1e3), 1e2, &spec), 1e2);
    assert_eq!(learned(Some(1e3), 5e3, &synthetic), 3e3);
    assert_eq!(learned(None, 5e3, &spec), 5e3);
    lease
        .run(&spec, &inputs, &NoProgress, &agora_compute::CancelFlag::new())
        .expect("it has a result");
    assert!(work > 1 << 38);
    let speed = pool.lanes()[lease.index()].speeds[&Specialisation::Program];
    assert_eq!(speed, 1e3);
}
