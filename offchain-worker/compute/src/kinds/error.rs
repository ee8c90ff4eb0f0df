//! What can go wrong in computing and checking a job.

use super::{
    ItemsError,
    rendering::scene::SceneError,
    training::{DataError, StateError},
};
use crate::{
    device::{DeviceError, MayBeDevice},
    inputs::InputError,
    kernels::cpu::GemmError,
    networks::{
        classifier::{ClassifyError, NetworkError},
        transformer::PackageError,
    },
    run::Cancelled,
};
use agora_math::freivalds::FreivaldsError;
use agora_primitives::job::JobError;

/// Why a job was not computed or a result not checked.
#[derive(thiserror::Error, Debug)]
pub enum EngineError {
    /// The job is outside of the limits.
    #[error("the job is refused: {0}")]
    Job(#[from] JobError),
    /// An input of the job is missing or not what the job says.
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
    /// The device could not be opened, or did not do its work.
    #[error(transparent)]
    Device(DeviceError),
    /// The engine computes something else than the golden vectors say. It must not be used.
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
        /// What would be right.
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

impl From<Cancelled> for EngineError {
    fn from(Cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<GemmError> for EngineError {
    fn from(error: GemmError) -> Self {
        match error {
            GemmError::Cancelled => Self::Cancelled,
            error => Self::Gemm(error),
        }
    }
}

impl From<DeviceError> for EngineError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Cancelled => Self::Cancelled,
            error => Self::Device(error),
        }
    }
}

impl From<ClassifyError> for EngineError {
    fn from(error: ClassifyError) -> Self {
        match error {
            ClassifyError::Network(error) => error.into(),
            ClassifyError::Device(error) => error.into(),
        }
    }
}

impl MayBeDevice for EngineError {
    fn device_error(&self) -> Option<&DeviceError> {
        match self {
            Self::Device(error) => Some(error),
            _ => None,
        }
    }
}

impl EngineError {
    /// Whether the inputs are at hand and are not what the kind demands: then the job has no output, whoever computes it,
    /// and [`Claim::Unusable`](agora_primitives::job::Claim::Unusable) is its right claim.
    pub const fn is_unusable(&self) -> bool {
        match self {
            Self::Network(_) | Self::Data(_) | Self::State(_) | Self::Package(_) | Self::Items(_) | Self::Scene(_) => {
                true
            }
            Self::Job(_)
            | Self::Input(_)
            | Self::Cancelled
            | Self::Device(_)
            | Self::SelfTest { .. }
            | Self::Vectors(_)
            | Self::Gemm(_)
            | Self::Check(_) => false,
        }
    }

    /// Whether the same call may succeed later.
    pub const fn is_recoverable(&self) -> bool {
        match self {
            Self::Device(error) => error.is_recoverable(),
            _ => false,
        }
    }
}
