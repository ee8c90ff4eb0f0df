//! One device: opening it, and comparing its bits with the processor's.

use crate::{
    case::Case,
    compare::Difference,
    error::CheckError,
    large,
    report::{Bits, Report},
};
use agora_compute::{
    CPU_SELECTOR, Configuration, CpuEngine, DeviceError, DeviceInfo, Engine, EngineError, GpuEngine, GpuOptions,
    devices, find_device, self_test,
};
use std::time::Instant;

/// The processor's name in what is printed.
pub const PROCESSOR: &str = "the processor";

/// The devices that `selector` names; `None` is the processor.
///
/// Errors: `NoLoader`; `Engine` with `NoAdapter` or `UnknownDevice`.
pub fn select(selector: &str) -> Result<Vec<Option<DeviceInfo>>, CheckError> {
    if selector.eq_ignore_ascii_case(CPU_SELECTOR) {
        return Ok(vec![None]);
    }
    if !has_loader() {
        return Err(CheckError::NoLoader);
    }
    if selector != crate::args::ALL {
        // `auto` means the best adapter even where that is software: the processor would say nothing about it.
        let found = find_device(selector).map_err(EngineError::from)?;
        return Ok(vec![Some(found)]);
    }
    let all = devices();
    if all.is_empty() {
        return Err(EngineError::from(DeviceError::NoAdapter).into());
    }
    Ok(all.into_iter().map(Some).collect())
}

/// Whether the Vulkan loader is there. Without it wgpu finds no adapter, as without a driver.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "loading a library runs its initialisers")]
fn has_loader() -> bool {
    // The names under which wgpu looks for it.
    let mut names = ["libvulkan.so.1", "libvulkan.so"].into_iter();
    // SAFETY: wgpu loads the same library next, so its initialisers run anyway. No symbol is taken from it here.
    names.any(|name| unsafe { libloading::Library::new(name) }.is_ok())
}

#[cfg(not(target_os = "linux"))]
const fn has_loader() -> bool {
    true
}

/// Compares the processor with the golden vectors: it is what devices are compared with.
///
/// Errors: `Wrong`, after each wrong job is told; `Engine`.
pub fn check_processor(cases: &[Case], report: Report) -> Result<(), CheckError> {
    let started = Instant::now();
    self_test(&CpuEngine::new())?;
    let mut bits = Bits::default();
    for case in cases.iter().filter(|case| case.golden.is_some()) {
        match case.golden_difference(case.reference()?) {
            None => bits.equal += 1,
            Some(difference) => {
                bits.wrong += 1;
                report.wrong(PROCESSOR, &case.title(), &difference);
            }
        }
    }
    report.bits(PROCESSOR, &bits, started.elapsed());
    bits.result(PROCESSOR)
}

/// Opens the adapter, tests it and compares its bits with the processor's in all `cases`. Returns the engine, if all
/// are equal.
///
/// Errors: `Wrong`, `Failed` and `NothingFits`, after each such job is told; `Engine` if the device cannot be opened, is lost, or does
/// not answer.
pub fn check_adapter(
    info: &DeviceInfo,
    every_configuration: bool,
    cases: &[Case],
    report: Report,
) -> Result<GpuEngine, CheckError> {
    report.adapter(info);
    let started = Instant::now();
    let engine = GpuEngine::open(info, &GpuOptions::default())?;
    report.opened(&info.name, started.elapsed());
    let started = Instant::now();
    let mut bits = Bits::default();
    bits.note(report, &info.name, "self-test", self_test(&engine).map(|()| None))?;
    for case in cases {
        bits.note(report, &info.name, &case.title(), difference(&engine, case))?;
    }
    if every_configuration {
        check_configurations(info, report, &mut bits)?;
    }
    report.bits(&info.name, &bits, started.elapsed());
    bits.result(&info.name)?;
    Ok(engine)
}

/// How the engine's result differs from the right one.
fn difference(engine: &dyn Engine, case: &Case) -> Result<Option<Difference>, EngineError> {
    let found = case.run(engine)?;
    let byte = Difference::between(&found, case.reference()?);
    Ok(byte.or_else(|| case.golden_difference(&found)))
}

/// Compares the large product, and the self-test, with each kernel configuration that fits the device. Jobs use only
/// the fastest ones.
fn check_configurations(info: &DeviceInfo, report: Report, bits: &mut Bits) -> Result<(), CheckError> {
    let product = large::product();
    let all = Configuration::ALL.into_iter();
    for configuration in all.filter(|configuration| configuration.fits(&info.limits)) {
        let options = GpuOptions {
            configuration: Some(configuration),
            ..Default::default()
        };
        let engine = GpuEngine::open(info, &options)?;
        let title = |job: &str| format!("{job}, configuration {}", configuration.name());
        let tested = self_test(&engine).map(|()| None);
        bits.note(report, &info.name, &title("self-test"), tested)?;
        bits.note(
            report,
            &info.name,
            &title(&product.title()),
            difference(&engine, &product),
        )?;
    }
    Ok(())
}

impl Bits {
    /// Counts a job, and tells what is wrong with it.
    ///
    /// Errors: `Engine` if the device is gone, so that it makes no sense to go on.
    fn note(
        &mut self,
        report: Report,
        device: &str,
        title: &str,
        result: Result<Option<Difference>, EngineError>,
    ) -> Result<(), CheckError> {
        match result {
            Ok(None) => self.equal += 1,
            Ok(Some(difference)) => {
                self.wrong += 1;
                report.wrong(device, title, &difference);
            }
            Err(error @ EngineError::SelfTest { .. }) => {
                self.wrong += 1;
                report.wrong(device, title, &error);
            }
            Err(EngineError::Device(error @ DeviceError::Limit { .. })) => {
                self.too_large.push(format!("{title}: {error}"));
            }
            Err(error) if is_gone(&error) => {
                report.failed(device, title, &error);
                // Wrong bits are worse than a device that is gone.
                return Err(self.wrong_bits(device).unwrap_or_else(|| error.into()));
            }
            Err(error) => {
                self.failed += 1;
                report.failed(device, title, &error);
            }
        }
        Ok(())
    }

    /// Errors: `Wrong`, `Failed`, `NothingFits`.
    fn result(&self, device: &str) -> Result<(), CheckError> {
        match self.wrong_bits(device) {
            Some(wrong) => Err(wrong),
            None if self.compared() == 0 => Err(CheckError::NothingFits {
                device: device.to_owned(),
            }),
            None if self.failed == 0 => Ok(()),
            None => Err(CheckError::Failed {
                device: device.to_owned(),
                failed: self.failed,
                cases: self.compared(),
            }),
        }
    }

    /// The error for wrong bits, if there are any.
    fn wrong_bits(&self, device: &str) -> Option<CheckError> {
        (self.wrong > 0).then(|| CheckError::Wrong {
            device: device.to_owned(),
            wrong: self.wrong,
            cases: self.compared(),
        })
    }
}

/// Whether the device does nothing any more.
const fn is_gone(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Device(
            DeviceError::Lost { .. }
                | DeviceError::TimedOut { .. }
                | DeviceError::Open { .. }
                | DeviceError::NoAdapter
                | DeviceError::Defective { .. }
                | DeviceError::UnknownDevice { .. }
        )
    )
}

#[cfg(test)]
mod tests;
