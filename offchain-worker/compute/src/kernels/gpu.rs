//! Kernels on graphics devices, and a device with the kernel configurations that are fastest on it.

mod blake3;
mod comparison;
mod configuration;
mod gemm;
mod tuning;

pub(crate) use blake3::{Digest, Lines};
pub use configuration::Configuration;
pub(crate) use gemm::{
    Content, Epilogue, Gemm, Operand, OperandView, OutputView, Scales, ScalesView, Shape, texture_bytes,
};
pub(crate) use tuning::{Tuning, remember};

use crate::device::{Bounds, Caps, Context, Device, DeviceError, DeviceInfo, DeviceType, MayBeDevice};
use comparison::Comparison;
use std::path::PathBuf;
use tuning::remembered;

/// Settings of a device. All are optional: what is `None` follows from the device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GpuOptions {
    /// The largest buffer to use, in bytes, if less than the device allows.
    pub max_buffer_bytes: Option<u64>,
    /// Workgroups per dimension of a dispatch, if fewer than the device allows.
    pub max_workgroups: Option<u32>,
    /// The most multiply–add operations of one submission, if fewer than its time allows.
    pub max_work: Option<u64>,
    /// The configuration of products, where this one can be used at all.
    pub configuration: Option<Configuration>,
    /// Whether what is computed on the device is hashed there. If not set, it is, except on software adapters: there the
    /// processor is faster.
    pub hash_on_device: Option<bool>,
    /// The file in which the fastest configurations of each device are remembered.
    pub tuning_cache: Option<PathBuf>,
}

impl GpuOptions {
    const fn caps(&self) -> Caps {
        Caps {
            max_buffer_bytes: self.max_buffer_bytes,
            max_workgroups: self.max_workgroups,
            max_work: self.max_work,
            #[cfg(test)]
            sabotage: None,
        }
    }
}

/// An opened device and the kernel configurations that are fastest on it.
pub struct Gpu {
    device: Device,
    tuning: Tuning,
    hashes: bool,
    bounds: Bounds,
}

impl Gpu {
    /// Opens `device`. Each configuration that will be used is compared with the processor before. Unless `options`
    /// name a configuration, or a file that remembers the fastest ones, these are found by trying, which takes a few
    /// seconds. A software adapter gets those that are usually best: compiling all would take longer than jobs do.
    ///
    /// Errors: `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if the device is gone, `Unusable` if it
    /// computes something else than the processor.
    pub(crate) fn open(info: &DeviceInfo, options: &GpuOptions) -> Result<Self, DeviceError> {
        Self::open_within(info, options, options.caps())
    }

    pub(crate) fn open_within(info: &DeviceInfo, options: &GpuOptions, caps: Caps) -> Result<Self, DeviceError> {
        let device = Device::open(info, caps)?;
        let tuning = if caps.are_none() {
            choose(&device, options)?
        } else {
            // The products that are compared need more than a small limit allows.
            choose(&Device::open(info, caps.lifted())?, options)?
        };
        let wanted = options
            .hash_on_device
            .unwrap_or(info.device_type != DeviceType::Software);
        let hashes = wanted
            && match device.on_device(blake3::is_right) {
                Err(DeviceError::Limit { .. }) => false,
                right => right?,
            };
        if wanted && !hashes {
            tracing::warn!(device = %info.name, "The device does not hash as the processor does: its results are hashed by the processor.");
        }
        Ok(Self {
            bounds: device.on_device(|context| Ok::<_, DeviceError>(context.bounds))?,
            device,
            tuning,
            hashes,
        })
    }

    /// Whether what is computed on the device is hashed there.
    pub(crate) const fn hashes(&self) -> bool {
        self.hashes
    }

    /// What the device allows.
    pub(crate) const fn bounds(&self) -> &Bounds {
        &self.bounds
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

    /// Gives the device up, so that it is opened again before it is used, and says why: `what` it computed is not what
    /// the processor computes.
    pub(crate) fn give_up(&self, what: String) -> DeviceError {
        let device = self.info().name.clone();
        let wrong = DeviceError::Miscomputed { device, what };
        self.device.give_up();
        wrong
    }

    #[cfg(test)]
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}

/// The configurations to use on `device`.
///
/// Errors: `Unusable`, and what the device reports.
fn choose(device: &Device, options: &GpuOptions) -> Result<Tuning, DeviceError> {
    let info = device.info();
    let is_software = info.device_type == DeviceType::Software;
    let cache = options.tuning_cache.as_deref().filter(|_| !is_software);
    let known = match options.configuration {
        Some(configuration) => Some(Tuning::only(configuration)),
        None if is_software => Some(Tuning::only(Configuration::TEXELS)),
        None => cache.and_then(|path| remembered(path, info)),
    };
    let mut comparison = Comparison::on(device);
    let mut reasons = Vec::new();
    if let Some(tuning) = known {
        if right(tuning.configurations(), &mut comparison, &mut reasons).len() == tuning.configurations().len() {
            return Ok(tuning);
        }
        if options.configuration.is_some() {
            return Err(unusable(info, &reasons));
        }
        reasons.clear();
    }
    let all = Configuration::ALL.into_iter();
    let right = right(all.filter(|one| one.fits(&info.limits)), &mut comparison, &mut reasons);
    let tuning = if is_software {
        Tuning::first_of(&right)
    } else {
        device.on_device(|context| Tuning::fastest(context, &right))?
    };
    let tuning = tuning.ok_or_else(|| unusable(info, &reasons))?;
    if let Some(path) = cache {
        remember(path, info, tuning);
    }
    Ok(tuning)
}

/// Those of `configurations` that compute what the processor does. The others' reasons go to `reasons` and the log.
fn right(
    configurations: impl IntoIterator<Item = Configuration>,
    comparison: &mut Comparison<'_>,
    reasons: &mut Vec<String>,
) -> Vec<Configuration> {
    let is_right = |configuration: &Configuration| match comparison.check(*configuration) {
        Ok(()) => true,
        Err(reason) => {
            let (device, name) = (comparison.device_name(), configuration.name());
            tracing::warn!(
                device,
                configuration = name,
                reason,
                "A kernel configuration is not used."
            );
            reasons.push(format!("{name}: {reason}"));
            false
        }
    };
    configurations.into_iter().filter(is_right).collect()
}

fn unusable(info: &DeviceInfo, reasons: &[String]) -> DeviceError {
    DeviceError::Defective {
        device: info.name.clone(),
        reasons: reasons.join("; "),
    }
}
