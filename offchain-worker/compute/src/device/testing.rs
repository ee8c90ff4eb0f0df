//! The adapter on which the tests of this crate compute, and how they break it.

use super::{DeviceInfo, find_device};
use crate::run::Progress;
use std::sync::atomic::{AtomicBool, Ordering};

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
