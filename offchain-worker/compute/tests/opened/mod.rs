//! The engines that the tests compare, each opened once for a whole test program.

#![allow(dead_code, reason = "each test program uses its part")]

use agora_compute::{CpuEngine, DeviceInfo, Engine, GpuEngine, GpuOptions, Inputs, JobSpec, Verdict, find_device};
use std::sync::LazyLock;

pub static CPU: CpuEngine = CpuEngine::new();
/// On the first adapter.
pub static GPU: LazyLock<GpuEngine> = LazyLock::new(|| gpu(&GpuOptions::default()));

/// Both engines, the reference first.
pub fn engines() -> [&'static dyn Engine; 2] {
    [&CPU, &*GPU]
}

/// What a check with `seed` finds, on both engines.
pub fn check(job: &JobSpec, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Verdict {
    let [cpu, gpu] = engines().map(|engine| engine.check_output(job, inputs, output, seed).unwrap());
    assert_eq!(cpu, gpu, "the engines differ with the seed {seed:?}");
    cpu
}

/// An engine of its own on the first adapter.
pub fn gpu(options: &GpuOptions) -> GpuEngine {
    GpuEngine::open(&first_device(), options).unwrap()
}

/// The first adapter; in CI the software one that the set-up installs.
pub fn first_device() -> DeviceInfo {
    find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"))
}
