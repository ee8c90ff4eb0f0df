//! The adapter on which the tests of this crate compute, and how they break it.

use super::{DeviceInfo, find_device, pacer::Took};
use crate::run::Progress;
use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The first adapter; in CI the software one that the set-up installs.
pub fn first_device() -> DeviceInfo {
    find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"))
}

/// Breaks `device`, once, when a job has done `at` of its steps.
pub struct BreakAt {
    at: u32,
    device: wgpu::Device,
    broken: AtomicBool,
}

impl BreakAt {
    pub const fn new(at: u32, device: wgpu::Device) -> Self {
        Self {
            at,
            device,
            broken: AtomicBool::new(false),
        }
    }

    /// Whether the device was broken.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

impl Progress for BreakAt {
    fn update(&self, done: u32, _: u32) {
        if done == self.at && !self.broken.swap(true, Ordering::Relaxed) {
            self.device.destroy();
        }
    }
}

/// Makes shaders wrong: gets the name of each with its text, and returns what is compiled.
#[derive(Clone, Copy)]
pub struct Sabotage(pub fn(&str, String) -> String);

impl fmt::Debug for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sabotage")
    }
}

/// Notes the submissions of batches on a device and what is held there then, and pretends how long they take.
#[derive(Default)]
pub struct Watch(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    /// The work of each submission.
    submissions: Vec<u64>,
    /// Nanoseconds that a unit of work seems to take.
    pretended: Option<u64>,
    /// The most bytes that were held on the device at a submission.
    most_held: u64,
}

impl Watch {
    pub fn note(&self, work: u64, device: &wgpu::Device) {
        let mut noted = self.0.lock().unwrap();
        noted.submissions.push(work);
        noted.most_held = noted.most_held.max(held_bytes(device));
    }

    /// The work of each submission since the last call.
    pub fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.0.lock().unwrap().submissions)
    }

    /// From now on, each unit of work seems to take so many nanoseconds.
    pub fn pretend(&self, nanoseconds: u64) {
        self.0.lock().unwrap().pretended = Some(nanoseconds);
    }

    pub fn pretended(&self, work: u64) -> Option<Took> {
        let nanoseconds = self.0.lock().unwrap().pretended?;
        Some(Took::Exactly(Duration::from_nanos(work * nanoseconds)))
    }

    /// The most bytes that were held on the device at a submission.
    pub fn most_held(&self) -> u64 {
        self.0.lock().unwrap().most_held
    }
}

/// Bytes of all buffers and textures on `device`, as its allocator counts them.
pub fn held_bytes(device: &wgpu::Device) -> u64 {
    device
        .generate_allocator_report()
        .map_or(0, |report| report.total_allocated_bytes)
}
