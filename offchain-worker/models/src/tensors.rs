//! The float tensors of a safetensors file, checked.

use crate::import::ImportError;
use safetensors::{Dtype, SafeTensors};

/// The tensors of a file.
pub(crate) struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    /// Reads the header of `bytes`, and checks that the tensors are as long as it says.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ImportError> {
        Ok(Self(SafeTensors::deserialize(bytes)?))
    }

    /// Whether there is a tensor called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.0.tensor(name).is_ok()
    }

    /// The elements of the tensor `name`, which must have `shape`.
    ///
    /// Errors: `Tensors` if there is none, `Type` unless it is of 32-bit floats, `Shape` if it has another,
    /// `NotFinite`.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, ImportError> {
        let view = self.0.tensor(name)?;
        if view.dtype() != Dtype::F32 {
            return Err(ImportError::Type {
                tensor: name.to_owned(),
                found: format!("{:?}", view.dtype()),
            });
        }
        if view.shape() != shape {
            return Err(ImportError::Shape {
                tensor: name.to_owned(),
                expected: shape.to_vec(),
                found: view.shape().to_vec(),
            });
        }
        let (floats, _) = view.data().as_chunks();
        let floats: Vec<f64> = floats.iter().map(|&bytes| f32::from_le_bytes(bytes).into()).collect();
        if floats.iter().all(|float| float.is_finite()) {
            Ok(floats)
        } else {
            Err(ImportError::NotFinite(name.to_owned()))
        }
    }
}
