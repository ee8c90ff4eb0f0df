//! An image: what is known of how it is run, and what was translated of it.

use crate::{
    emit::Bounds,
    module,
    profile::Profile,
    region::{self, Region},
};
use agora_machine::{Code, IMAGE_BASE, RunError};
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};
use wasmtime::{Engine, Module};

/// When a program is translated, and how much of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Instructions that are interpreted before the first translation. Each later one waits for as many as all before, so that
    /// compiling takes no more than in proportion to running.
    pub first: u64,
    /// What was executed at least once in so many instructions is translated.
    pub rarest: u64,
    /// Instructions of an image that are translated at most.
    pub most: usize,
    /// Translations of an image at most.
    pub times: u32,
}

impl Default for Policy {
    /// A million instructions take an interpreter about 10 ms, and so does a compiler for 500 of them.
    fn default() -> Self {
        Self {
            first: 1 << 20,
            rarest: 1 << 14,
            most: 1 << 14,
            times: 10,
        }
    }
}

impl Policy {
    /// Translates whatever was executed, soon: for tests.
    pub const EAGER: Self = Self {
        first: 40,
        rarest: u64::MAX,
        most: 1 << 14,
        times: 10,
    };
}

/// What was translated of an image.
pub(crate) struct Translated {
    pub module: Module,
    pub bounds: Bounds,
    /// For each half within the bounds: the region, times 2¹⁶, and the number of the entry. 0: none.
    pub entries: Vec<u32>,
}

impl Translated {
    /// Whether a run can enter at `pc`.
    #[inline(always)]
    pub fn has_entry(&self, pc: u64) -> bool {
        let half = pc.wrapping_sub(IMAGE_BASE) / 2;
        let at = half.wrapping_sub(self.bounds.first.into());
        usize::try_from(at).is_ok_and(|at| self.entries.get(at).is_some_and(|&entry| entry != 0))
    }
}

/// What is learnt from runs.
#[derive(Default)]
pub(crate) struct Learning {
    pub profile: Profile,
    /// After how many instructions in all it is translated next.
    next: u64,
    times: u32,
    /// What was translated last.
    last: u64,
}

/// An image that is run, by any number of runs at the same time.
pub struct Image {
    pub(crate) code: Code,
    policy: Policy,
    engine: Engine,
    learning: Mutex<Learning>,
    translated: Mutex<Option<Arc<Translated>>>,
    /// How many translations there were.
    version: AtomicU32,
    /// Whether nothing more is learnt.
    is_settled: AtomicBool,
    is_refused: AtomicBool,
}

impl Image {
    pub(crate) fn new(image: Arc<[u8]>, engine: Engine, policy: Policy) -> Result<Self, RunError> {
        Ok(Self {
            code: Code::new(image)?,
            policy,
            engine,
            learning: Mutex::new(Learning {
                next: policy.first,
                ..Learning::default()
            }),
            translated: Mutex::new(None),
            version: AtomicU32::new(0),
            is_settled: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
        })
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &Arc<[u8]> {
        self.code.image()
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many translations there were.
    pub fn version(&self) -> u32 {
        self.version.load(Ordering::Acquire)
    }

    /// The last translation, if it may be used.
    pub(crate) fn translated(&self) -> Option<Arc<Translated>> {
        if self.is_refused.load(Ordering::Relaxed) {
            return None;
        }
        lock(&self.translated).clone()
    }

    /// From now on it is interpreted.
    pub(crate) fn refuse(&self) {
        self.is_refused.store(true, Ordering::Relaxed);
        self.is_settled.store(true, Ordering::Relaxed);
        *lock(&self.translated) = None;
        self.version.fetch_add(1, Ordering::Release);
    }

    /// What is learnt, unless another run has it, or no more is learnt.
    pub(crate) fn learning(&self) -> Option<MutexGuard<'_, Learning>> {
        if self.is_settled.load(Ordering::Relaxed) {
            return None;
        }
        self.learning.try_lock().ok()
    }

    /// Translates, if it is time to. Whoever calls waits; others go on as they were.
    pub(crate) fn learn(&self, learning: &mut Learning) {
        let total = learning.profile.total;
        if total < learning.next {
            return;
        }
        learning.next = total.saturating_mul(2);
        learning.times += 1;
        if learning.times >= self.policy.times {
            self.is_settled.store(true, Ordering::Relaxed);
        }
        let least = u32::try_from(total / self.policy.rarest).unwrap_or(u32::MAX);
        let blocks = learning.profile.blocks(&self.code, least);
        let mut shape = DefaultHasher::new();
        for block in blocks.values() {
            (block.at, block.instructions.len(), block.is_entry).hash(&mut shape);
        }
        let shape = shape.finish();
        if blocks.is_empty() || shape == learning.last {
            return;
        }
        learning.last = shape;
        let began = Instant::now();
        let regions = region::regions(blocks, self.policy.most);
        match self.translate(&regions) {
            Ok(None) => {}
            Ok(Some(translated)) => {
                let instructions: usize = regions.iter().map(Region::instructions).sum();
                let (regions, milliseconds) = (regions.len(), began.elapsed().as_millis() as u64);
                tracing::debug!(instructions, regions, milliseconds, "A program was translated.");
                *lock(&self.translated) = Some(Arc::new(translated));
                self.version.fetch_add(1, Ordering::Release);
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "A program cannot be translated, and is interpreted.");
                self.refuse();
            }
        }
    }

    fn translate(&self, regions: &[Region]) -> Result<Option<Translated>, wasmtime::Error> {
        let all = || regions.iter().flat_map(|region| &region.blocks);
        let first = all().map(|block| block.at).min();
        let end = all().map(|block| block.next()).max();
        let (Some(first), Some(end)) = (first, end) else {
            return Ok(None);
        };
        let bounds = Bounds {
            first,
            end,
            image_size: self.bytes().len() as u32,
        };
        let mut entries = vec![0; (end - first) as usize];
        for (number, region) in (1u32..).zip(regions) {
            for (block, &entry) in region.blocks.iter().zip(&region.entries) {
                if let Some(place) = entries.get_mut((block.at - first) as usize).filter(|_| entry != 0) {
                    *place = number << 16 | entry;
                }
            }
        }
        Ok(Some(Translated {
            module: Module::new(&self.engine, module::module(regions, bounds))?,
            bounds,
            entries,
        }))
    }
}

/// A lock holds no more than values that are replaced as a whole: whoever has panicked has left one of them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
