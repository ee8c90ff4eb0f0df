//! Hashing where results are computed, against reading them back and hashing them on the processor.

use super::Subject;
use crate::{Failure, timing::in_turn};
use agora_bench_figures::{Better, Figure};
use agora_compute::{DeviceInfo, GpuEngine, GpuOptions};

/// `subject` on `device`, with each state hashed there and 32 bytes of it read, beside the same with each state read and
/// hashed by the processor. The results are compared.
pub fn measure(subject: &Subject, device: &DeviceInfo, repetitions: usize) -> Result<Figure, Failure> {
    let open = |hash_on_device| {
        let options = GpuOptions {
            hash_on_device: Some(hash_on_device),
            ..GpuOptions::default()
        };
        GpuEngine::open(device, &options)
    };
    let (there, here) = (open(true)?, open(false)?);
    if subject.compute(&there)? != subject.compute(&here)? {
        return Err(format!("hashing on the device changes {}", subject.name).into());
    }
    let [on_device, read_back] = in_turn(
        repetitions,
        [
            Box::new(|| subject.compute(&there).map(drop)),
            Box::new(|| subject.compute(&here).map(drop)),
        ],
    )?;
    Ok(Figure::new(
        format!(
            "{}: states hashed on {} against read and hashed by the processor",
            subject.name, device.name
        ),
        subject.unit,
        subject.amount / on_device,
        subject.amount / read_back,
        Better::Higher,
    ))
}
