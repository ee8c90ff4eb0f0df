//! Checks on a device that computes wrong, is lost or is too small: it gives no wrong verdict.

use super::*;

/// A job of each kind of work, small, with its right output.
fn jobs() -> Vec<(&'static str, Sample, Vec<u8>)> {
    let job = |workload: &dyn Workload| {
        // Of a picture that many pixels are drawn that a device renders them.
        let parts = if workload.name() == "rendering" { 16 } else { 2 };
        let sample = workload.job(parts).unwrap();
        let right = CpuEngine::new()
            .run(&sample.spec, &sample.inputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        (workload.name(), sample, right.output)
    };
    workloads()
        .unwrap()
        .iter()
        .map(|workload| job(workload.as_ref()))
        .collect()
}

/// The kinds of work that are checked on the processor only.
const ON_CPU: [&str; 3] = ["synthetic", "matmul", "programs, on the processor"];

fn check(engine: &dyn Engine, sample: &Sample, output: &[u8]) -> Result<Verdict, EngineError> {
    engine.check_output(&sample.spec, &sample.inputs, output, &[9; 32])
}

/// Changes a part of every result, and no product that is compared when a device is opened.
fn sabotage(_: &str, shader: String) -> String {
    let changes = [
        ("sums[word] += sum.x;", "sums[word] += sum.x + 100000000u;"),
        ("state[id] = weight;", "state[id] = weight / 2;"),
        ("= atomicLoad(&logits[label]);", "= atomicLoad(&logits[label]) + 1;"),
        (
            "target_rows[row * params.outputs + i] = x;",
            "target_rows[row * params.outputs + i] = x / 2;",
        ),
    ];
    changes
        .iter()
        .fold(shader, |shader, (right, wrong)| shader.replace(right, wrong))
}

fn sabotaged(sabotage: fn(&str, String) -> String) -> GpuEngine {
    let caps = Caps {
        sabotage: Some(Sabotage(sabotage)),
        ..Caps::default()
    };
    GpuEngine(Gpu::open_within(&first_device(), &GpuOptions::default(), caps).unwrap())
}

#[test]
fn a_device_that_computes_wrong_never_says_that_a_right_output_is_wrong() {
    let engine = sabotaged(sabotage);
    for (name, sample, right) in jobs() {
        let before = context(&engine);
        let checked = check(&engine, &sample, &right);
        if ON_CPU.contains(&name) {
            assert_eq!(checked.unwrap(), Verdict::Right, "{name}");
            continue;
        }
        let error = checked.unwrap_err();
        assert!(
            matches!(error, EngineError::Device(DeviceError::Miscomputed { .. })),
            "{name}: {error}"
        );
        assert!(!error.is_unusable() && !error.is_recoverable());
        assert!(
            !Arc::ptr_eq(&before, &context(&engine)),
            "{name}: the device is opened again"
        );
        // Nor does it help an output that is wrong.
        let wrong: Vec<u8> = right.iter().map(|byte| byte ^ 1).collect();
        assert!(!check(&engine, &sample, &wrong).is_ok_and(Verdict::is_right), "{name}");
    }
}

#[test]
fn the_self_test_finds_a_device_that_computes_wrong_only_when_it_checks() {
    let engine = sabotaged(|key, shader| match key {
        "render_pixels" => sabotage(key, shader),
        _ => shader,
    });
    let error = self_test(&engine).unwrap_err();
    assert!(
        matches!(error, EngineError::Device(DeviceError::Miscomputed { .. })),
        "{error}"
    );
}

#[test]
fn a_device_lost_before_a_check_is_opened_again() {
    let engine = open(GpuOptions::default());
    for (name, sample, right) in jobs() {
        context(&engine).device.destroy();
        assert_eq!(check(&engine, &sample, &right).unwrap(), Verdict::Right, "{name}");
        let mut wrong = right;
        wrong[0] ^= 1;
        let found = check(&CpuEngine::new(), &sample, &wrong).unwrap();
        context(&engine).device.destroy();
        assert_eq!(check(&engine, &sample, &wrong).unwrap(), found, "{name}");
    }
}

#[test]
fn a_device_that_is_too_small_gives_no_verdict() {
    let engine = open(GpuOptions {
        max_buffer_bytes: Some(512),
        ..Default::default()
    });
    for (name, sample, right) in jobs() {
        let mut wrong = right.clone();
        // Not where a training job's steps are counted, which needs no device.
        *wrong.last_mut().unwrap() ^= 1;
        for output in [right, wrong] {
            let checked = check(&engine, &sample, &output);
            let is_too_small = matches!(checked, Err(EngineError::Device(DeviceError::Limit { .. })));
            assert_eq!(is_too_small, !ON_CPU.contains(&name), "{name}: {checked:?}");
        }
    }
}
