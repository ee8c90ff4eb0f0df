//! Which configurations are fastest on a device: tried once, remembered in a file.

use super::{
    adapters::{DeviceInfo, DeviceType},
    batch::Batch,
    context::Context,
    gemm::{Content, Epilogue, Factor, Gemm, Lines, Shape, Tile, Words},
};
use crate::{engine::CancelFlag, error::EngineError};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

/// Up to so many rows are few: the product is as fast as B can be read.
const FEW_ROWS: u32 = 8;
/// The products with which configurations are tried.
const MANY: Shape = Shape {
    rows: 1024,
    columns: 1024,
    depth: 1024,
    items: 1,
};
const FEW: Shape = Shape {
    rows: 1,
    columns: 4096,
    depth: 4096,
    items: 1,
};
/// How often each is timed.
const ROUNDS: u32 = 3;

/// The configurations that are fastest on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tiles {
    many: Tile,
    few: Tile,
}

impl Tiles {
    /// `tile` for everything.
    pub const fn only(tile: Tile) -> Self {
        Self { many: tile, few: tile }
    }

    /// What is good on most devices of a type. On software adapters, compiling all configurations takes longer than jobs do.
    pub const fn usual(device_type: DeviceType) -> Self {
        match device_type {
            DeviceType::Software => Self::only(Tile::TEXELS),
            _ => Self {
                many: Tile::SMALL_SHARED,
                few: Tile::SPLIT,
            },
        }
    }

    /// For a product with so many rows.
    pub const fn of(self, rows: u32) -> Tile {
        if rows <= FEW_ROWS { self.few } else { self.many }
    }

    /// The fastest on the device of `context`, by trying those that fit it.
    ///
    /// Errors: what the device reports.
    pub fn fastest(context: &Context, device: &DeviceInfo) -> Result<Self, EngineError> {
        let fastest = |shape| {
            let mut best = (Tile::SMALL, Duration::MAX);
            for tile in Tile::ALL.into_iter().filter(|tile| tile.fits(&device.limits)) {
                let time = time(context, shape, tile)?;
                tracing::debug!(device = device.name, tile = tile.name(), ?time, "A tile was tried.");
                if time < best.1 {
                    best = (tile, time);
                }
            }
            Ok::<_, EngineError>(best.0)
        };
        Ok(Self {
            many: fastest(MANY)?,
            few: fastest(FEW)?,
        })
    }
}

/// How long the device takes for one product, after a warm-up.
fn time(context: &Context, shape: Shape, tile: Tile) -> Result<Duration, EngineError> {
    let [left, right, out] = [
        shape.rows * shape.depth,
        shape.columns * shape.depth,
        4 * shape.rows * shape.columns,
    ];
    let [left, right, out] = [
        context.storage(left.into())?,
        context.storage(right.into())?,
        context.storage(out.into())?,
    ];
    let gemm = Gemm::with_tile(
        context,
        shape,
        Lines::dense(&Factor::new(&left, Content::Fixed), shape.depth),
        Lines::dense(&Factor::new(&right, Content::Fixed), shape.depth),
        Epilogue::Sums {
            out: Words::dense(&out, shape.columns),
        },
        tile,
    )?;
    let never = CancelFlag::new();
    let once = || {
        let started = Instant::now();
        let mut batch = Batch::new(context, &never);
        batch.product(&gemm)?;
        batch.finish()?;
        Ok::<_, EngineError>(started.elapsed())
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

/// Names of tiles.
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

/// What is remembered is valid for one device with one driver and one version of the shaders.
fn key(device: &DeviceInfo) -> String {
    format!("{device} | {}", env!("CARGO_PKG_VERSION"))
}

/// The configurations that `path` remembers for `device`. A file that cannot be read is as none, with a warning.
pub(crate) fn remembered(path: &Path, device: &DeviceInfo) -> Option<Tiles> {
    let cache = match load(path) {
        Ok(cache) => cache?,
        Err(error) => {
            let path = path.display();
            tracing::warn!(%path, %error, "The remembered configurations cannot be used; they are found anew.");
            return None;
        }
    };
    let names = cache.devices.get(&key(device))?;
    let named = |name: &str| Tile::named(name).filter(|tile| tile.fits(&device.limits));
    Some(Tiles {
        many: named(&names.many)?,
        few: named(&names.few)?,
    })
}

/// Remembers `tiles` for `device` in `path`. If that fails there is a warning: they are only found again next time.
pub(crate) fn remember(path: &Path, device: &DeviceInfo, tiles: Tiles) {
    if let Err(error) = store(path, device, tiles) {
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

fn store(path: &Path, device: &DeviceInfo, tiles: Tiles) -> Result<(), CacheError> {
    let mut cache = load(path).ok().flatten().unwrap_or_default();
    cache.version = VERSION;
    let names = Names {
        many: tiles.many.name().to_owned(),
        few: tiles.few.name().to_owned(),
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
