//! Graphics devices through wgpu: finding them, opening them, buffers, submissions, and what goes wrong.
//!
//! This module knows neither jobs nor kernels. A device can be lost at any moment (a reset, an unplugged card, a driver
//! that gives up), and a driver can refuse a command. The next call that waits or allocates returns this as a
//! [`DeviceError`]. [`Device::on_device`] opens a lost device again and repeats the work. After any other fault it
//! gives the device up, so that the next job starts on a fresh one.

mod adapters;
mod batch;
mod context;
mod error;
mod faults;
mod needs;
mod pacer;
mod pipeline;
mod pool;
#[cfg(test)]
pub(crate) mod testing;

pub use adapters::{DeviceInfo, DeviceLimits, DeviceType, devices, find_device};
pub(crate) use batch::{Batch, Readback};
pub(crate) use context::{Bounds, Context};
pub use error::DeviceError;
pub(crate) use error::MayBeDevice;
pub(crate) use needs::Needs;
pub(crate) use pacer::Pacer;
pub(crate) use pool::Pooled;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name by which the best device is selected.
pub const AUTO_SELECTOR: &str = "auto";

/// How many losses of the device a job survives.
const MAX_LOSSES: u32 = 3;

/// Limits below those of the adapter. What is `None` follows from the adapter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caps {
    /// The largest buffer to use, in bytes.
    pub max_buffer_bytes: Option<u64>,
    /// Workgroups per dimension of a dispatch.
    pub max_workgroups: Option<u32>,
    /// The most multiply–add operations of one submission.
    pub max_work: Option<u64>,
    /// How shaders are made wrong.
    #[cfg(test)]
    pub sabotage: Option<testing::Sabotage>,
}

impl Caps {
    /// Whether the adapter's own limits hold.
    pub const fn are_none(&self) -> bool {
        self.max_buffer_bytes.is_none() && self.max_workgroups.is_none() && self.max_work.is_none()
    }

    /// Without limits.
    #[allow(clippy::needless_update, reason = "tests have a field more")]
    pub fn lifted(self) -> Self {
        Self {
            max_buffer_bytes: None,
            max_workgroups: None,
            max_work: None,
            ..self
        }
    }
}

/// One graphics adapter, opened. Jobs share it: while one uploads or reads back, another computes.
pub(crate) struct Device {
    info: DeviceInfo,
    caps: Caps,
    /// `None` after a fault, until the next job opens the device again.
    context: Mutex<Option<Arc<Context>>>,
}

impl Device {
    /// Opens the adapter that `info` describes.
    ///
    /// Errors: `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if it is gone.
    pub fn open(info: &DeviceInfo, caps: Caps) -> Result<Self, DeviceError> {
        let context = Context::open(info, caps)?;
        Ok(Self {
            info: info.clone(),
            caps,
            context: Mutex::new(Some(Arc::new(context))),
        })
    }

    /// The adapter.
    pub const fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Whether its shaders are made wrong, by a test.
    pub const fn is_sabotaged(&self) -> bool {
        #[cfg(test)]
        return self.caps.sabotage.is_some();
        #[cfg(not(test))]
        false
    }

    /// Runs `work` on the opened device. When the device is lost, it is opened again and `work` is called again, so
    /// `work` must keep its progress in what it captures. Several threads can do this at the same time.
    ///
    /// Errors: those of `work`, and `Open`, `UnknownDevice` or `NoAdapter` if the device cannot be opened again.
    pub fn on_device<T, E: MayBeDevice + From<DeviceError>>(
        &self,
        mut work: impl FnMut(&Context) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut losses = 0;
        loop {
            let mut lease = Lease {
                device: self,
                context: self.context()?,
                in_order: false,
            };
            let result = work(&lease.context);
            match result.as_ref().err().and_then(MayBeDevice::device_error) {
                Some(DeviceError::Lost { device, reason }) if losses < MAX_LOSSES => {
                    losses += 1;
                    tracing::warn!(device, reason, "The device was lost and is opened again.");
                }
                Some(error) if error.is_fault() => return result,
                _ => {
                    lease.in_order = true;
                    return result;
                }
            }
        }
    }

    /// Gives the open device up: the next job opens it again.
    pub fn give_up(&self) {
        *self.slot() = None;
    }

    /// The open device, opened again if it was given up.
    pub fn context(&self) -> Result<Arc<Context>, DeviceError> {
        let mut slot = self.slot();
        if let Some(context) = &*slot {
            return Ok(Arc::clone(context));
        }
        let context = Arc::new(Context::open(&self.info, self.caps)?);
        *slot = Some(Arc::clone(&context));
        Ok(context)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Context>>> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One use of the open device.
struct Lease<'a> {
    device: &'a Device,
    context: Arc<Context>,
    in_order: bool,
}

impl Drop for Lease<'_> {
    /// Gives the device up after a fault or a panic, unless another thread has done so before.
    fn drop(&mut self) {
        let mut slot = self.device.slot();
        if !self.in_order && slot.as_ref().is_some_and(|open| Arc::ptr_eq(open, &self.context)) {
            *slot = None;
        }
    }
}
