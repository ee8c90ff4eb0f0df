//! Which configurations are fastest on a device: tried once, remembered in a file.

use super::{Configuration, Content, Epilogue, Gemm, Operand, OperandView, OutputView, Shape};
use crate::{
    device::{Batch, Context, DeviceError, DeviceInfo, Pacer},
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
/// Sides of the square products with which configurations are tried for many rows, and of the matrix of which one row
/// is multiplied for few. A large device needs the larger ones to be busy.
const MANY: [u32; 3] = [1024, 2048, 4096];
const FEW: [u32; 2] = [4096, 8192];
/// A product that takes so long is large enough.
const LARGE_ENOUGH: Duration = Duration::from_millis(2);
/// How long a timed submission should last at least, by as many products as it takes: else its start is timed as well.
const TIMED: Duration = Duration::from_millis(5);
/// The most products of a timed submission.
const MAX_REPETITIONS: u32 = 256;
/// How often each is timed, unless a product takes as long as `SLOW`.
const ROUNDS: u32 = 3;
const SLOW: Duration = Duration::from_millis(100);
/// A configuration so many times as slow as the best is not timed again.
const HOPELESS: u32 = 4;

/// The configurations that are fastest on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tuning {
    many: Configuration,
    few: Configuration,
    /// For products that the others do not suit.
    spare: Configuration,
}

impl Tuning {
    /// `configuration` for everything that it suits.
    pub const fn only(configuration: Configuration) -> Self {
        Self {
            many: configuration,
            few: configuration,
            spare: Configuration::SMALL,
        }
    }

    /// The first of `right`, which are in order. `None` if none of them suits every product.
    pub fn first_of(right: &[Configuration]) -> Option<Self> {
        let spare = right
            .iter()
            .copied()
            .find(|configuration| configuration.is_universal())?;
        Some(Self {
            spare,
            ..Self::only(spare)
        })
    }

    /// The configurations for a product with so many rows, the fastest first.
    pub const fn in_order(self, rows: u32) -> [Configuration; 3] {
        let Self { many, few, spare } = self;
        if rows <= FEW_ROWS {
            [few, many, spare]
        } else {
            [many, spare, few]
        }
    }

    /// All that it uses.
    pub fn configurations(self) -> Vec<Configuration> {
        let mut all = vec![self.many];
        for configuration in [self.few, self.spare] {
            if !all.contains(&configuration) {
                all.push(configuration);
            }
        }
        all
    }

    /// The fastest of `right` on the device of `context`, by trying. `None` if none of them suits every product.
    ///
    /// Errors: what the device reports.
    pub fn fastest(context: &Context, right: &[Configuration]) -> Result<Option<Self>, DeviceError> {
        let (Some(first), Some(usual)) = (right.first(), Self::first_of(right)) else {
            return Ok(None);
        };
        let many = times(
            context,
            right,
            size(context, *first, MANY.map(|side| square(side, side)))?,
        )?;
        let few = times(context, right, size(context, *first, FEW.map(|side| square(1, side)))?)?;
        let best = |times: &[(Configuration, Duration)]| times.iter().min_by_key(|(_, time)| *time).map(|best| best.0);
        let universal: Vec<_> = many.iter().copied().filter(|(one, _)| one.is_universal()).collect();
        Ok(Some(Self {
            many: best(&many).unwrap_or(usual.many),
            few: best(&few).unwrap_or(usual.few),
            spare: best(&universal).unwrap_or(usual.spare),
        }))
    }
}

/// So many rows times the rows of a square matrix.
const fn square(rows: u32, side: u32) -> Shape {
    Shape {
        m: rows,
        n: side,
        k: side,
        batch: 1,
    }
}

/// The first of `shapes` that takes long enough with `configuration`, or the last whose buffers the device allows.
///
/// Errors: what the device reports.
fn size<const N: usize>(
    context: &Context,
    configuration: Configuration,
    shapes: [Shape; N],
) -> Result<Shape, DeviceError> {
    let bytes = |Shape { m, n, k, .. }: Shape| 4 * u64::from(m) * u64::from(n) + u64::from(n) * u64::from(k);
    let mut chosen = shapes[0];
    for shape in shapes {
        if bytes(shape) > context.bounds.buffer_bytes {
            break;
        }
        chosen = shape;
        let trial = Trial::new(context, shape, configuration)?;
        trial.run(1)?;
        if trial.run(1)? >= LARGE_ENOUGH {
            break;
        }
    }
    Ok(chosen)
}

/// How long each of `right` takes for a product of `shape`.
///
/// Errors: what the device reports.
fn times(
    context: &Context,
    right: &[Configuration],
    shape: Shape,
) -> Result<Vec<(Configuration, Duration)>, DeviceError> {
    let (mut best, mut times) = (Duration::MAX, Vec::new());
    for &configuration in right {
        let time = Trial::new(context, shape, configuration)?.time(best)?;
        tracing::debug!(
            configuration = configuration.name(),
            ?shape,
            ?time,
            "A kernel configuration was tried."
        );
        best = best.min(time);
        times.push((configuration, time));
    }
    Ok(times)
}

/// A product to be timed.
struct Trial<'a> {
    context: &'a Context,
    gemm: Gemm,
}

impl<'a> Trial<'a> {
    fn new(context: &'a Context, shape: Shape, configuration: Configuration) -> Result<Self, DeviceError> {
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
        Ok(Self { context, gemm })
    }

    /// How long so many products take in one submission.
    fn run(&self, repetitions: u32) -> Result<Duration, DeviceError> {
        let never = CancelFlag::new();
        let started = Instant::now();
        let mut batch = Batch::paced(self.context, &never, Pacer::new(u64::MAX, u64::MAX));
        for _ in 0..repetitions {
            self.gemm.record(&mut batch)?;
        }
        batch.finish()?;
        Ok(started.elapsed())
    }

    /// How long one product takes, after a warm-up, more exactly if it is not much longer than `best`.
    fn time(&self, best: Duration) -> Result<Duration, DeviceError> {
        self.run(1)?;
        let once = self.run(1)?;
        if once >= SLOW || once / HOPELESS > best {
            return Ok(once);
        }
        // The cast saturates.
        let needed = (TIMED.as_secs_f64() / once.as_secs_f64().max(f64::EPSILON)).ceil() as u32;
        let repetitions = needed.clamp(1, MAX_REPETITIONS);
        let round = || Ok::<_, DeviceError>(self.run(repetitions)? / repetitions);
        (0..ROUNDS).try_fold(Duration::MAX, |best, _| Ok(best.min(round()?)))
    }
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
    spare: String,
}

/// Of the file's form.
const VERSION: u32 = 2;

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
        spare: named(&names.spare).filter(|spare| spare.is_universal())?,
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
        spare: tuning.spare.name().to_owned(),
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
