//! Products on the adapter, by burn: tuned on the adapter and fused, as its users get them, from shaders in WGSL.

use crate::{Failure, operands::Operands};
use agora_compute::{DeviceInfo, DeviceType, devices};
use burn_tensor::{Device, DeviceKind, Element, Tensor, TensorData, kind::Numeric};

/// Opens `device` for burn.
///
/// Errors: burn cannot open it, or opens another.
pub fn open(device: &DeviceInfo) -> Result<Device, Failure> {
    let options = Device::wgpu_options().device_kind(kind(device)?);
    let (opened, setup) = options.init_with_setup()?;
    let found = setup.adapter.get_info().name;
    if found != device.name {
        return Err(format!("burn opens {found} instead of {}", device.name).into());
    }
    Ok(opened)
}

/// How burn names `device`: by its type, and its place among those of that type.
fn kind(device: &DeviceInfo) -> Result<DeviceKind, Failure> {
    let same = |other: &&DeviceInfo| other.device_type == device.device_type && other.index < device.index;
    let place = devices().iter().filter(same).count();
    match device.device_type {
        DeviceType::Discrete => Ok(DeviceKind::DiscreteGpu(place)),
        DeviceType::Integrated => Ok(DeviceKind::IntegratedGpu(place)),
        DeviceType::Virtual => Ok(DeviceKind::VirtualGpu(place)),
        DeviceType::Software => Ok(DeviceKind::Cpu),
        DeviceType::Other => Err(format!("burn cannot select {device}, whose type is unknown").into()),
    }
}

/// A chain of products on the adapter.
pub struct Chain<K: Numeric> {
    factor: Tensor<2, K>,
    start: Tensor<2, K>,
}

impl<K: Numeric> Chain<K> {
    /// Of `operands`, multiplied with `factor`, after a product of theirs that was checked.
    ///
    /// Errors: the device's, or the product is another than the reference's.
    pub fn new<E>(name: &str, operands: &Operands, factor: Vec<E>, device: &Device) -> Result<Self, Failure>
    where
        E: Element + From<i16> + Into<f64>,
    {
        let tensor =
            |numbers: Vec<E>| Tensor::from_data(TensorData::new(numbers, [operands.size; 2]), (device, E::dtype()));
        let chain = Self {
            factor: tensor(operands.factor()),
            start: tensor(operands.start()),
        };
        operands.check(name, &chain.run(1)?.try_into_vec::<E>()?)?;
        Ok(Self {
            factor: tensor(factor),
            ..chain
        })
    }

    /// Multiplies `iterations` times, beginning with the start, and reads the result.
    ///
    /// Errors: the device's.
    pub fn run(&self, iterations: u32) -> Result<TensorData, Failure> {
        let start = self.start.clone();
        let result = (0..iterations).fold(start, |state, _| self.factor.clone().matmul(state));
        let data = result.try_into_data()?;
        // Multiplying only queues the work, and so does reading a large result until somebody looks at it.
        data.as_bytes();
        Ok(data)
    }
}
