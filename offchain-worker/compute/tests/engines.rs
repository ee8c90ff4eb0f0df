//! What all engines promise, on random jobs.

mod opened;

use agora_compute::{
    CancelFlag, DeviceError, DeviceInfo, DeviceType, Engine, EngineError, GpuOptions, JobKind, JobSpec, NoInputs,
    NoProgress, Place, SyntheticJob, Verdict, choose_device, devices, find_device, output_digest,
};
use opened::{CPU, GPU, engines, first_device, gpu};
use proptest::prelude::*;
use std::sync::Mutex;

fn job(seed: [u8; 32], matrix_size: u32, iterations: u32) -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed,
        matrix_size,
        iterations,
    }))
}

proptest! {
    #![proptest_config(agora_test_support::cases(48))]

    #[test]
    fn both_engines_compute_the_same_bits(seed: [u8; 32], n in 1u32..200, iterations in 1u32..7) {
        let job = job(seed, n, iterations);
        let [cpu, gpu] = engines().map(|engine| engine.run(&job, &NoInputs, &NoProgress, &CancelFlag::new()).unwrap());
        prop_assert!(cpu == gpu);
    }

    #[test]
    fn the_check_accepts_what_is_right_and_no_single_changed_residue(
        seed: [u8; 32], check_seed: [u8; 32], n in 1u32..48, iterations in 1u32..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..=255), 8),
    ) {
        let job = job(seed, n, iterations);
        let output = CPU.run(&job, &NoInputs, &NoProgress, &CancelFlag::new()).unwrap().output;
        prop_assert!(opened::check(&job, &NoInputs, &output, &check_seed).is_right());
        for (index, change) in changes {
            let mut wrong = output.clone();
            let element = &mut wrong[index.index(output.len())];
            *element = element.wrapping_add(change);
            prop_assert!(!opened::check(&job, &NoInputs, &wrong, &check_seed).is_right());
        }
    }
}

#[test]
fn the_check_finds_a_change_in_every_position() {
    let job = job([5; 32], 20, 3);
    let output = CPU
        .run(&job, &NoInputs, &NoProgress, &CancelFlag::new())
        .unwrap()
        .output;
    for position in 0..output.len() {
        let mut wrong = output.clone();
        wrong[position] = (wrong[position] + 1) % 251;
        let verdict = CPU.check_output(&job, &NoInputs, &wrong, &[6; 32]).unwrap();
        assert_eq!(verdict, Verdict::Wrong(Place::Row(position as u64 / 20)));
    }
}

#[test]
fn the_check_rejects_other_lengths_bytes_and_jobs() {
    let job_a = job([1; 32], 12, 2);
    let output = CPU
        .run(&job_a, &NoInputs, &NoProgress, &CancelFlag::new())
        .unwrap()
        .output;
    let check = |job: &JobSpec, output: &[u8]| CPU.check_output(job, &NoInputs, output, &[0; 32]).unwrap().is_right();
    assert!(check(&job_a, &output));
    assert!(!check(&job_a, &output[..143]));
    assert!(!check(&job_a, &[output.as_slice(), &[0]].concat()));
    assert!(!check(&job_a, &[]));
    assert!(!check(&job([2; 32], 12, 2), &output));
    assert!(!check(&job([1; 32], 12, 3), &output));
    // The same residue, written as a byte that is not canonical.
    let position = output.iter().position(|&byte| byte < 5).unwrap();
    let mut not_canonical = output.clone();
    not_canonical[position] += 251;
    assert!(!check(&job_a, &not_canonical));
}

#[test]
fn jobs_outside_of_the_limits_are_refused() {
    for bad in [
        job([0; 32], 0, 1),
        job([0; 32], 1, 0),
        job([0; 32], 4097, 1),
        job([0; 32], 1, 16_385),
    ] {
        for engine in engines() {
            let error = engine
                .run(&bad, &NoInputs, &NoProgress, &CancelFlag::new())
                .unwrap_err();
            assert!(matches!(error, EngineError::Job(_)), "{error}");
            assert!(!error.is_recoverable());
        }
        assert!(matches!(
            CPU.check_output(&bad, &NoInputs, &[], &[0; 32]),
            Err(EngineError::Job(_))
        ));
    }
}

#[test]
fn progress_goes_from_zero_to_the_end_without_falling_back() {
    for engine in engines() {
        let seen = Mutex::new(Vec::new());
        let listen = |done: u32, total: u32| seen.lock().unwrap().push((done, total));
        engine
            .run(&job([0; 32], 30, 9), &NoInputs, &listen, &CancelFlag::new())
            .unwrap();
        let expected: Vec<_> = (0..=9).map(|done| (done, 9)).collect();
        assert_eq!(*seen.lock().unwrap(), expected, "{}", engine.name());
    }
}

#[test]
fn a_cancelled_job_stops_and_leaves_the_engine_usable() {
    for engine in engines() {
        let cancel = CancelFlag::new();
        let stop_at_two = |done: u32, _: u32| {
            assert!(done <= 2 + 3, "went on after it was cancelled");
            if done == 2 {
                cancel.cancel();
            }
        };
        let result = engine.run(&job([0; 32], 64, 500), &NoInputs, &stop_at_two, &cancel);
        assert!(matches!(result, Err(EngineError::Cancelled)), "{}", engine.name());

        let cancelled_before = engine.run(&job([0; 32], 64, 500), &NoInputs, &NoProgress, &cancel);
        assert!(
            matches!(cancelled_before, Err(EngineError::Cancelled)),
            "{}",
            engine.name()
        );
        assert!(
            engine
                .run(&job([0; 32], 64, 1), &NoInputs, &NoProgress, &CancelFlag::new())
                .is_ok()
        );
    }
}

#[test]
fn a_claim_binds_output_and_states() {
    let result = CPU
        .run(&job([0; 32], 10, 3), &NoInputs, &NoProgress, &CancelFlag::new())
        .unwrap();
    assert_eq!(result.state_digests.len(), 4);
    assert_eq!(result.digest(), output_digest(&result.output));
    for state in 0..4 {
        let mut other = result.clone();
        other.state_digests[state][0] ^= 1;
        assert_ne!(result.claim(), other.claim());
    }
}

#[test]
fn devices_are_found_by_index_and_by_a_part_of_their_name() {
    let all = devices();
    let first = first_device();
    assert_eq!(all[0], first);
    assert_eq!(find_device("0").unwrap(), first);
    assert!(
        first
            .name
            .contains(&find_device(&first.name[..4].to_uppercase()).unwrap().name[..4])
    );
    assert!(first.limits.max_buffer_bytes >= 1 << 24);
    for selector in ["99", "no such device"] {
        let error = find_device(selector).unwrap_err();
        assert!(matches!(error, DeviceError::UnknownDevice { .. }));
        assert!(error.to_string().contains(&first.name), "{error}");
    }
}

#[test]
fn several_engines_compute_at_the_same_time() {
    let job = job([8; 32], 77, 5);
    let expected = CPU.run(&job, &NoInputs, &NoProgress, &CancelFlag::new()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let own = gpu(&GpuOptions::default());
                assert!(own.run(&job, &NoInputs, &NoProgress, &CancelFlag::new()).unwrap() == expected);
                assert!(GPU.run(&job, &NoInputs, &NoProgress, &CancelFlag::new()).unwrap() == expected);
            });
        }
    });
}

#[test]
fn the_best_device_is_a_gpu_or_the_processor_and_no_software() {
    let best = choose_device("auto").unwrap();
    let hardware = |device: &DeviceInfo| device.device_type != DeviceType::Software;
    assert_eq!(best, devices().into_iter().find(hardware));
    assert_eq!(choose_device("cpu").unwrap(), None);
    assert_eq!(choose_device("0").unwrap(), devices().into_iter().next());
    assert!(choose_device("no such adapter").is_err());
}

/// Without any adapter the error says what to install. The test runs itself again in a process in which the loader
/// finds no driver.
#[test]
fn without_an_adapter_the_error_says_what_to_install() {
    const NO_DRIVER: &str = "/nonexistent/driver.json";
    if std::env::var("VK_DRIVER_FILES").is_ok_and(|files| files == NO_DRIVER) {
        assert_eq!(devices(), []);
        let error = find_device("auto").unwrap_err();
        assert!(matches!(error, DeviceError::NoAdapter));
        assert!(error.to_string().contains("mesa-vulkan-drivers"));
        assert_eq!(choose_device("auto").unwrap(), None);
        return;
    }
    let test = std::thread::current().name().unwrap().to_owned();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test])
        .env("VK_DRIVER_FILES", NO_DRIVER)
        .env("VK_ICD_FILENAMES", NO_DRIVER)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn the_processor_in_place_of_a_graphics_device_says_why() {
    let options = GpuOptions::default();
    let engine = agora_compute::open_engine("auto", &options).unwrap();
    let reason = agora_compute::fall_back_reason("auto");
    if choose_device("auto").unwrap().is_none() {
        let reason = reason.unwrap();
        assert!(reason.contains("graphics adapter"), "{reason}");
        assert_eq!((engine.name(), engine.fall_back()), ("cpu", Some(reason.as_str())));
    } else {
        assert_eq!(reason, None);
    }
    // Who asks for the processor, or for a device by its name, gets that.
    let engine = agora_compute::open_engine("cpu", &options).unwrap();
    assert_eq!(
        (engine.fall_back(), agora_compute::fall_back_reason("cpu")),
        (None, None)
    );
    assert_eq!(agora_compute::fall_back_reason("0"), None);
}
