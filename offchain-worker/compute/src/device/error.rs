//! What can go wrong on a device.

use crate::run::Cancelled;

/// Why a device could not be opened or did not do its work.
#[derive(thiserror::Error, Debug)]
pub enum DeviceError {
    /// There is no graphics adapter at all.
    #[error(
        "no graphics adapter was found: install a graphics driver (Linux: with Vulkan), or the software one (Debian and \
         Ubuntu: `apt-get install mesa-vulkan-drivers libvulkan1`), or compute on the processor with the device `cpu`"
    )]
    NoAdapter,
    /// No adapter fits the selection.
    #[error("no device is called {selector:?}; there are: {available}")]
    UnknownDevice {
        /// What was asked for.
        selector: String,
        /// Which devices there are.
        available: String,
    },
    /// The driver gave no device for the adapter.
    #[error("the driver of {device} refused to open it")]
    Open {
        /// The adapter's name.
        device: String,
        /// The driver's reason.
        source: wgpu::RequestDeviceError,
    },
    /// The device was reset or unplugged, or its driver gave up.
    #[error("the device {device} was lost: {reason}")]
    Lost {
        /// The adapter's name.
        device: String,
        /// The driver's reason.
        reason: String,
    },
    /// The device did not finish its work in time.
    #[error("the device {device} did not answer for {seconds} s")]
    TimedOut {
        /// The adapter's name.
        device: String,
        /// How long the program waited.
        seconds: u64,
    },
    /// The device has not enough memory.
    #[error("the device {device} has not enough memory for the job")]
    OutOfMemory {
        /// The adapter's name.
        device: String,
    },
    /// A limit of the device is too low for even the smallest part of the job.
    #[error("the device allows {available} of {limit}, {needed} are needed")]
    Limit {
        /// The limit's name.
        limit: &'static str,
        /// What the job needs.
        needed: u64,
        /// What the device allows.
        available: u64,
    },
    /// The graphics layer refused a command: a defect of this program or of the driver.
    #[error("the device {device} refused a command: {reason}")]
    Refused {
        /// The adapter's name.
        device: String,
        /// The graphics layer's reason.
        reason: String,
    },
    /// No kernel configuration computes on it what the processor does.
    #[error("the device {device} computes wrong and must not be used; {reasons}")]
    Defective {
        /// The adapter's name.
        device: String,
        /// What is wrong with each configuration.
        reasons: String,
    },
    /// In a check, the device computed something else than the processor. The check gave no verdict.
    #[error("the device {device} computes wrong and must not be used: {what} is not what the processor computes")]
    Miscomputed {
        /// The adapter's name.
        device: String,
        /// What it computed.
        what: String,
    },
    /// The [`crate::CancelFlag`] was set.
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for DeviceError {
    fn from(Cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl DeviceError {
    /// Whether the device must be opened again before it is used.
    pub(crate) const fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. }
                | Self::TimedOut { .. }
                | Self::OutOfMemory { .. }
                | Self::Refused { .. }
                | Self::Miscomputed { .. }
        )
    }

    /// Whether the same call may succeed later.
    pub const fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. } | Self::TimedOut { .. } | Self::OutOfMemory { .. } | Self::Open { .. }
        )
    }
}

/// An error that a device may have caused: tells [`super::Device`] whether to open the device again.
pub(crate) trait MayBeDevice {
    /// The device's error, if it is the cause.
    fn device_error(&self) -> Option<&DeviceError>;
}

impl MayBeDevice for DeviceError {
    fn device_error(&self) -> Option<&DeviceError> {
        Some(self)
    }
}
