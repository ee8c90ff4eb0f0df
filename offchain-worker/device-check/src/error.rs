//! Why the program ends without a success.

use agora_compute::{DeviceError, EngineError};

/// For `--help`.
pub const EXPLAINED: &str = "Exit codes: 0 all bits are equal · 1 a device failed · 2 wrong usage · 3 no such device, \
                             driver or Vulkan loader · 6 wrong bits";

/// Why the program ends without a success.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The Vulkan loader is not installed.
    #[error(
        "there is no Vulkan loader (libvulkan.so.1), without which no graphics driver is found: install it (Debian and \
         Ubuntu: `apt-get install libvulkan1`; Fedora: `vulkan-loader`; Arch: `vulkan-icd-loader`)"
    )]
    NoLoader,
    /// The engine failed or could not be opened.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Jobs that were computed wrongly; each has been told.
    #[error("{device} computes wrong bits in {wrong} of {cases} jobs: do not use it")]
    Wrong {
        /// The device.
        device: String,
        /// How many jobs are wrong.
        wrong: usize,
        /// How many were computed.
        cases: usize,
    },
    /// Jobs that were not computed; each has been told.
    #[error("{device} failed in {failed} of {cases} jobs")]
    Failed {
        /// The device.
        device: String,
        /// How many jobs failed.
        failed: usize,
        /// How many were tried.
        cases: usize,
    },
    /// All jobs are too large for the device; each has been told.
    #[error("no job fits {device}, so that nothing is known about its bits")]
    NothingFits {
        /// The device.
        device: String,
    },
    /// The golden vectors inside this program cannot be read: a defect of this program.
    #[error("the golden vectors of {kind} cannot be read: {reason}")]
    Vectors {
        /// The kind of jobs.
        kind: &'static str,
        /// Why.
        reason: serde_json::Error,
    },
}

impl CheckError {
    /// The process's exit code: those of `agora`.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Wrong { .. }
            | Self::Engine(EngineError::SelfTest { .. } | EngineError::Device(DeviceError::Defective { .. })) => 6,
            Self::NoLoader
            | Self::Engine(EngineError::Device(DeviceError::NoAdapter | DeviceError::UnknownDevice { .. })) => 3,
            Self::Engine(_) | Self::Failed { .. } | Self::NothingFits { .. } | Self::Vectors { .. } => 1,
        }
    }
}
