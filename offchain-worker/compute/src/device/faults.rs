//! Keeps what a device reports, at any moment and from any thread, until a call asks for it.

use super::DeviceError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a device has reported since it was opened. Clones share one record.
#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Reported>>);

#[derive(Default)]
struct Reported {
    lost: Option<String>,
    out_of_memory: bool,
    refused: Option<String>,
}

impl Faults {
    /// Records whatever goes wrong on `device`.
    pub fn watch(device: &wgpu::Device) -> Self {
        let faults = Self::default();
        let noted = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            noted
                .lock()
                .lost
                .get_or_insert_with(|| format!("{reason:?}: {message}"));
        });
        let noted = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error| match error {
            wgpu::Error::OutOfMemory { .. } => noted.lock().out_of_memory = true,
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                noted.lock().refused.get_or_insert(description);
            }
        }));
        faults
    }

    /// Whether commands were refused, and nothing else is known to be wrong.
    pub fn is_refused_only(&self) -> bool {
        let reported = self.lock();
        reported.refused.is_some() && reported.lost.is_none() && !reported.out_of_memory
    }

    /// Records that the device is gone, unless something else is known to be wrong with it.
    pub fn report_loss(&self, reason: &str) {
        let mut reported = self.lock();
        if reported.refused.is_none() && !reported.out_of_memory {
            reported.lost.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// Records that commands were refused because the device is gone.
    pub fn explain_refusal_by_loss(&self, reason: &str) {
        self.lock().lost.get_or_insert_with(|| reason.to_owned());
    }

    /// Errors: the gravest of what the device called `device` has reported.
    pub fn check(&self, device: &str) -> Result<(), DeviceError> {
        let reported = self.lock();
        let device = || device.to_owned();
        if let Some(reason) = reported.lost.clone() {
            let device = device();
            return Err(DeviceError::Lost { device, reason });
        }
        if reported.out_of_memory {
            return Err(DeviceError::OutOfMemory { device: device() });
        }
        match reported.refused.clone() {
            Some(reason) => Err(DeviceError::Refused {
                device: device(),
                reason,
            }),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reported> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
