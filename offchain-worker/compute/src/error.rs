//! What can go wrong in computing a job.

use crate::{
    gemm::GemmError,
    inputs::InputError,
    kinds::{
        ItemsError,
        rendering::scene::SceneError,
        training::{DataError, StateError},
    },
    model::PackageError,
    network::NetworkError,
};
use agora_math::freivalds::FreivaldsError;
use agora_primitives::job::JobError;

/// Why a job was not computed or a result not checked.
#[derive(thiserror::Error, Debug)]
pub enum EngineError {
    /// The job is outside of the limits.
    #[error("the job is refused: {0}")]
    Job(#[from] JobError),
    /// An input of the job cannot be had.
    #[error("the job cannot be computed: {0}")]
    Input(#[from] InputError),
    /// A network cannot be used.
    #[error("the network cannot be used: {0}")]
    Network(#[from] NetworkError),
    /// A data set cannot be used.
    #[error("the data set cannot be used: {0}")]
    Data(#[from] DataError),
    /// A checkpoint or an output of training cannot be used.
    #[error("the state of training cannot be used: {0}")]
    State(#[from] StateError),
    /// The model package of the job cannot be read.
    #[error("the job's model is refused: {0}")]
    Package(#[from] PackageError),
    /// The job's items do not fit the job or its model.
    #[error("the job's input is refused: {0}")]
    Items(#[from] ItemsError),
    /// The scene of a rendering job is refused.
    #[error("the scene is refused: {0}")]
    Scene(#[from] SceneError),
    /// The [`crate::CancelFlag`] was set.
    #[error("cancelled")]
    Cancelled,
    /// There is no graphics adapter at all.
    #[error(
        "no Vulkan adapter was found: install a graphics driver, or the software one (Debian and Ubuntu: \
         `apt-get install mesa-vulkan-drivers libvulkan1`), or compute on the processor with the device `cpu`"
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
    /// The device was reset, unplugged, or its driver gave up.
    #[error("the device {device} was lost: {reason}")]
    DeviceLost {
        /// The adapter's name.
        device: String,
        /// The driver's reason.
        reason: String,
    },
    /// The device did not end its work in time.
    #[error("the device {device} did not answer for {seconds} s")]
    TimedOut {
        /// The adapter's name.
        device: String,
        /// How long it was waited for.
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
    /// The engine computes something else than the golden vectors say: it must not be used.
    #[error("{engine} failed the self-test {vector:?}: {what} is {found}, must be {expected}")]
    SelfTest {
        /// The engine's name.
        engine: String,
        /// The vector's name.
        vector: String,
        /// What differs.
        what: &'static str,
        /// What the engine computed.
        found: String,
        /// What is right.
        expected: String,
    },
    /// The golden vectors cannot be read.
    #[error("the golden vectors cannot be read: {0}")]
    Vectors(#[from] serde_json::Error),
    /// A matrix product could not be computed: a defect of this program, as jobs are checked before.
    #[error("a matrix product is impossible: {0}")]
    Gemm(GemmError),
    /// The check could not be made.
    #[error("the result cannot be checked: {0}")]
    Check(#[from] FreivaldsError),
}

impl From<GemmError> for EngineError {
    fn from(error: GemmError) -> Self {
        match error {
            GemmError::Cancelled => Self::Cancelled,
            error => Self::Gemm(error),
        }
    }
}

impl EngineError {
    /// Whether the device must be opened again before it is used.
    pub(crate) const fn is_device_fault(&self) -> bool {
        matches!(
            self,
            Self::DeviceLost { .. } | Self::TimedOut { .. } | Self::OutOfMemory { .. } | Self::Refused { .. }
        )
    }

    /// Whether the same call may succeed later.
    pub const fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::DeviceLost { .. } | Self::TimedOut { .. } | Self::OutOfMemory { .. } | Self::Open { .. }
        )
    }
}
