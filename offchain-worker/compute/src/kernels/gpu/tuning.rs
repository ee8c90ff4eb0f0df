//! Which configurations are fastest on a device: tried once, remembered in a file.

use super::{Configuration, Content, Epilogue, Gemm, Operand, OperandView, OutputView, Shape};
use crate::{
    device::{Batch, Context, DeviceError, DeviceInfo, DeviceType},
    run::CancelFlag,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

/// Products of up to so many rows are limited by how fast B can be read.
const FEW_ROWS: u32 = 8;
/// The products with which configurations are tried.
const MANY: Shape = Shape {
    m: 1024,
    n: 1024,
    k: 1024,
    batch: 1,
};
const FEW: Shape = Shape {
    m: 1,
    n: 4096,
    k: 4096,
    batch: 1,
};
/// How often each is timed.
const ROUNDS: u32 = 3;

/// The configurations that are fastest on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tuning {
    many: Configuration,
    few: Configuration,
}

impl Tuning {
    /// `configuration` for everything.
    pub const fn only(configuration: Configuration) -> Self {
        Self {
            many: configuration,
            few: configuration,
        }
    }

    /// What is good on most devices of a type. On software adapters, compiling all configurations takes longer than
    /// jobs do.
    pub const fn usual(device_type: DeviceType) -> Self {
        match device_type {
            DeviceType::Software => Self::only(Configuration::TEXELS),
            _ => Self {
                many: Configuration::SMALL_SHARED,
                few: Configuration::SPLIT,
            },
        }
    }

    /// For a product with so many rows.
    pub const fn of(self, rows: u32) -> Configuration {
        if rows <= FEW_ROWS { self.few } else { self.many }
    }

    /// The fastest on the device of `context`, by trying those that fit it.
    ///
    /// Errors: what the device reports.
    pub fn fastest(context: &Context, device: &DeviceInfo) -> Result<Self, DeviceError> {
        let fastest = |shape| {
            let mut best = (Configuration::SMALL, Duration::MAX);
            let all = Configuration::ALL.into_iter();
            for configuration in all.filter(|configuration| configuration.fits(&device.limits)) {
                let time = time(context, shape, configuration)?;
                let (device, name) = (&device.name, configuration.name());
                tracing::debug!(device, configuration = name, ?time, "A kernel configuration was tried.");
                if time < best.1 {
                    best = (configuration, time);
                }
            }
            Ok::<_, DeviceError>(best.0)
        };
        Ok(Self {
            many: fastest(MANY)?,
            few: fastest(FEW)?,
        })
    }
}

/// How long the device takes for one product, after a warm-up.
fn time(context: &Context, shape: Shape, configuration: Configuration) -> Result<Duration, DeviceError> {
    let Shape { m, n, k, .. } = shape;
    let lhs = context.storage((m * k).into())?;
    let rhs = context.storage((n * k).into())?;
    let out = context.storage((4 * m * n).into())?;
    let gemm = Gemm::with_configuration(
        context,
        configuration,
        shape,
        OperandView::dense(&Operand::new(&lhs, Content::Fixed), k),
        OperandView::dense(&Operand::new(&rhs, Content::Fixed), k),
        Epilogue::Sums {
            out: OutputView::dense(&out, n),
        },
    )?;
    let never = CancelFlag::new();
    let once = || {
        let started = Instant::now();
        let mut batch = Batch::new(context, &never);
        gemm.record(&mut batch)?;
        batch.finish()?;
        Ok::<_, DeviceError>(started.elapsed())
    };
    once()?;
    (0..ROUNDS).try_fold(Duration::MAX, |best, _| Ok(best.min(once()?)))
}

/// The file in which the fastest configurations are remembered.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cache {
    version: u32,
    /// By [`key`].
    devices: BTreeMap<String, Names>,
}

/// Names of configurations.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    many: String,
    few: String,
}

/// Of the file's form.
const VERSION: u32 = 1;

/// Why a cache could not be used.
#[derive(thiserror::Error, Debug)]
enum CacheError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("it has version {0}")]
    Version(u32),
}

/// The key of an entry: it is valid for one device with one driver and one version of the shaders.
fn key(device: &DeviceInfo) -> String {
    format!("{device} | {}", env!("CARGO_PKG_VERSION"))
}

/// The configurations that `path` remembers for `device`. A file that cannot be read counts as none, with a warning.
pub(crate) fn remembered(path: &Path, device: &DeviceInfo) -> Option<Tuning> {
    let cache = match load(path) {
        Ok(cache) => cache?,
        Err(error) => {
            let path = path.display();
            tracing::warn!(%path, %error, "The remembered configurations cannot be used; they are found anew.");
            return None;
        }
    };
    let names = cache.devices.get(&key(device))?;
    let named = |name: &str| Configuration::named(name).filter(|found| found.fits(&device.limits));
    Some(Tuning {
        many: named(&names.many)?,
        few: named(&names.few)?,
    })
}

/// Remembers `tuning` for `device` in `path`. A failure is only a warning: the configurations are then found again next
/// time.
pub(crate) fn remember(path: &Path, device: &DeviceInfo, tuning: Tuning) {
    if let Err(error) = store(path, device, tuning) {
        let path = path.display();
        tracing::warn!(%path, %error, "The fastest configurations cannot be remembered.");
    }
}

fn load(path: &Path) -> Result<Option<Cache>, CacheError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let cache: Cache = serde_json::from_slice(&text)?;
    if cache.version == VERSION {
        Ok(Some(cache))
    } else {
        Err(CacheError::Version(cache.version))
    }
}

fn store(path: &Path, device: &DeviceInfo, tuning: Tuning) -> Result<(), CacheError> {
    let mut cache = load(path).ok().flatten().unwrap_or_default();
    cache.version = VERSION;
    let names = Names {
        many: tuning.many.name().to_owned(),
        few: tuning.few.name().to_owned(),
    };
    cache.devices.insert(key(device), names);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Renamed when it is whole, so that nobody reads a part.
    let part = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&part, serde_json::to_vec_pretty(&cache)?)?;
    fs::rename(&part, path)?;
    Ok(())
}

#[cfg(test)]
mod tests;
