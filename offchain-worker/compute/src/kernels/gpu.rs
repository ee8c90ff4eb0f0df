//! Kernels on graphics devices, and a device with the kernel configurations that are fastest on it.

mod configuration;
mod gemm;
mod tuning;

pub use configuration::Configuration;
pub(crate) use gemm::{Content, Epilogue, Gemm, Operand, OperandView, OutputView, Shape};
pub(crate) use tuning::{Tuning, remember};

use crate::device::{Caps, Context, Device, DeviceError, DeviceInfo, DeviceType, MayBeDevice};
use std::path::PathBuf;
use tuning::remembered;

/// Settings of a device. All are optional: what is `None` follows from the device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GpuOptions {
    /// The largest buffer to use, in bytes, if less than the device allows.
    pub max_buffer_bytes: Option<u64>,
    /// Workgroups per dimension of a dispatch, if fewer than the device allows.
    pub max_workgroups: Option<u32>,
    /// The most multiply–add operations of one submission.
    pub max_work: Option<u64>,
    /// The configuration of products, where this one can be used at all.
    pub configuration: Option<Configuration>,
    /// The file in which the fastest configurations of each device are remembered.
    pub tuning_cache: Option<PathBuf>,
}

impl GpuOptions {
    const fn caps(&self) -> Caps {
        Caps {
            max_buffer_bytes: self.max_buffer_bytes,
            max_workgroups: self.max_workgroups,
            max_work: self.max_work,
        }
    }
}

/// An opened device and the kernel configurations that are fastest on it.
pub struct Gpu {
    device: Device,
    tuning: Tuning,
}

impl Gpu {
    /// Opens `device`. Unless `options` name a configuration, or a file that remembers the fastest ones, these are
    /// found by trying, which takes a few seconds. A software adapter gets those that are usually best: compiling all
    /// would take longer than jobs do.
    ///
    /// Errors: `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if the device is gone.
    pub(crate) fn open(info: &DeviceInfo, options: &GpuOptions) -> Result<Self, DeviceError> {
        let device = Device::open(info, options.caps())?;
        let cache = options.tuning_cache.as_deref();
        let tuning = match options.configuration {
            Some(configuration) => Tuning::only(configuration),
            None if info.device_type == DeviceType::Software => Tuning::usual(info.device_type),
            None => match cache.and_then(|path| remembered(path, info)) {
                Some(tuning) => tuning,
                None => {
                    let tuning = device.on_device(|context| Tuning::fastest(context, info))?;
                    if let Some(path) = cache {
                        remember(path, info, tuning);
                    }
                    tuning
                }
            },
        };
        Ok(Self { device, tuning })
    }

    /// The adapter.
    pub const fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    /// The fastest configurations.
    pub(crate) const fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// As [`Device::on_device`].
    ///
    /// Errors: as [`Device::on_device`].
    pub(crate) fn on_device<T, E: MayBeDevice + From<DeviceError>>(
        &self,
        work: impl FnMut(&Context) -> Result<T, E>,
    ) -> Result<T, E> {
        self.device.on_device(work)
    }

    #[cfg(test)]
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}
