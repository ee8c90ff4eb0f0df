//! Everything that one job comes to, in its folder.

use super::{
    folder::Folder,
    index::{INDEX, Index, RECORD_BYTES, UNUSABLE},
    lists::Lists,
    need::{Need, kept},
    pages::{GROUP_BYTES, Paged, Pages, Trouble},
    series::Series,
    stored::Stored,
};
use crate::{
    Error,
    computed::Computed,
    contents::{Contents, Shared},
};
use agora_disputes::player::Knowledge;
use agora_jobs::{BlobRef, ChunkProof, Claim, H256, JobSpec, blob::CHUNK_BYTES, states_root};
#[cfg(feature = "fault-injection")]
use agora_reference::Reference;
use agora_reference::{Blobs, Fault, Output, Source, Step, of};
use std::{
    borrow::Cow,
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How the files are called, and how those begin that hold what the units of a state kept.
const SCANS: &str = "scans";
const STATES: &str = "states";
const KEPT: &str = "kept-";

/// How much has to be on disk at least.
fn needs(spec: &JobSpec) -> u64 {
    Need::of(spec, u64::MAX).map_or(u64::MAX, |need| need.least())
}

/// What the units of some states kept: those used last, the last of them last.
type Kept = Mutex<VecDeque<(u64, Arc<Series>)>>;

/// What a job comes to, in files: see [`disk`](crate::disk).
pub struct Files {
    pub(super) spec: Arc<JobSpec>,
    pub(super) inputs: Shared,
    pub(super) folder: Arc<Folder>,
    index: Index,
    pub(super) scans: Series,
    pub(super) unusable: bool,
    pub(super) states: Series,
    kept: Kept,
    /// Their lists, also of some that went.
    lists: Mutex<Lists>,
    /// Held while what the units of a state kept is computed again: once is enough.
    again: Mutex<()>,
}

impl Files {
    /// Computes the job of `spec` in the folder `path`, in which are `limit` bytes at most; goes on with what is there of it. What `inputs`
    /// gives for a blob hashes to it. Whatever cannot be read later is reported to `pages`.
    ///
    /// Errors: `Job`, `Unit`, `Disk`; what was computed until then is on disk. Complexity: that of the job, in plain code.
    pub fn compute(spec: JobSpec, inputs: Shared, path: &Path, limit: u64, pages: &Pages) -> Result<Self, Error> {
        spec.validate()?;
        let mut files = Self::resume(spec, inputs, Folder::open(path, limit, pages)?)?;
        if !files.is_complete() {
            let needs = files.still_needs();
            files.folder.check_room(needs)?;
            files.go_on().map_err(|error| match error {
                // Others may have taken the room that there was.
                Error::Disk(trouble) if trouble.is_full() => files.folder.full(files.still_needs()).into(),
                error => error,
            })?;
        }
        files.scans.seal();
        files.states.seal();
        Ok(files)
    }

    /// Checks that there is room in the folder `path`, in which are `limit` bytes at most, for what [`Self::compute`] has still to write of a
    /// job that needs so much, as far as the lengths of its files tell.
    ///
    /// Errors: `Full`, `File`.
    pub fn check_room(need: &Need, path: &Path, limit: u64) -> Result<(), Trouble> {
        let folder = Folder::open(path, limit, &Pages::new(0))?;
        let length = |name: &str| std::fs::metadata(folder.at(name)).map_or(0, |file| file.len());
        let is_there = [SCANS, STATES, INDEX]
            .iter()
            .fold(0, |sum, name| length(name).saturating_add(sum));
        folder.take(is_there.min(limit))?;
        folder.check_room(need.least().saturating_sub(is_there))
    }

    /// What is in the folder of the job, as far as it is right.
    pub(super) fn resume(spec: JobSpec, inputs: Shared, folder: Folder) -> Result<Self, Trouble> {
        folder.remove(|name| name.starts_with(KEPT))?;
        let (index, digests) = Index::open(&folder, spec.hash())?;
        let folder = Arc::new(folder);
        let mut files = Self {
            spec: Arc::new(spec),
            inputs,
            index,
            scans: Series::new(&folder, SCANS),
            unusable: false,
            states: Series::new(&folder, STATES),
            kept: Mutex::default(),
            lists: Mutex::default(),
            again: Mutex::default(),
            folder,
        };
        let mut adopted: u64 = 0;
        for digest in &digests {
            if files.is_complete() || !files.adopt(digest)? {
                break;
            }
            adopted = adopted.saturating_add(1);
        }
        files.index.cut(adopted)?;
        files.folder.take(files.index.bytes())?;
        files.scans.cut()?;
        files.states.cut()?;
        Ok(files)
    }

    /// Takes the next content from its file, if it hashes to `digest`.
    fn adopt(&mut self, digest: &H256) -> Result<bool, Trouble> {
        let spec = Arc::clone(&self.spec);
        let law = of(&spec);
        let scans = law.units(Step::Inputs);
        if self.scans.count() == scans {
            return self.states.adopt(law.state_size(self.states.count()), *digest);
        }
        if *digest == UNUSABLE {
            self.unusable = true;
            return Ok(true);
        }
        match law.unit(Step::Inputs, self.scans.count()).map(|unit| unit.output) {
            Some(Output::Kept { size }) => self.scans.adopt(size, *digest),
            Some(Output::Part { .. }) | None => Ok(false),
        }
    }

    fn is_complete(&self) -> bool {
        self.unusable || self.states.count() == of(&self.spec).states()
    }

    /// How much more has to be on disk for what is still to be computed.
    fn still_needs(&self) -> u64 {
        let is_there = [self.scans.bytes(), self.states.bytes(), self.index.bytes()];
        needs(&self.spec).saturating_sub(is_there.into_iter().fold(0, u64::saturating_add))
    }

    /// Notes that the content with this digest is complete.
    fn note(&mut self, digest: &H256) -> Result<(), Trouble> {
        with_room(&self.kept, || self.folder.take(RECORD_BYTES))?;
        with_room(&self.kept, || self.index.append(digest))
    }

    /// Computes all that is left.
    pub(super) fn go_on(&mut self) -> Result<(), Error> {
        self.scan()?;
        while !self.is_complete() {
            self.add_state()?;
        }
        Ok(())
    }

    /// Computes the units of the inputs that are left.
    fn scan(&mut self) -> Result<(), Error> {
        let spec = Arc::clone(&self.spec);
        let law = of(&spec);
        let none = Series::temporary(&self.folder, KEPT);
        for unit in self.scans.count()..law.units(Step::Inputs) {
            match law.compute(&self.sources(Step::Inputs, &none), Step::Inputs, unit) {
                Err(Fault::Unusable { .. }) => {
                    self.unusable = true;
                    self.note(&UNUSABLE)?;
                    return Ok(());
                }
                Err(fault) => return Err(self.error(fault)),
                Ok(output) => append(&mut self.scans, &output, &self.kept)?,
            }
            let digest = self.scans.finish();
            self.note(&digest)?;
        }
        Ok(())
    }

    /// Computes the next state.
    fn add_state(&mut self) -> Result<(), Error> {
        let spec = Arc::clone(&self.spec);
        let (law, state) = (of(&spec), self.states.count());
        let step = Step::State(state);
        let mut kept = self.series(state);
        for unit in 0..law.units(step) {
            let known = law.unit(step, unit).ok_or(Fault::NoUnit)?;
            let output = law.compute(&self.sources(step, &kept), step, unit);
            let output = output.map_err(|fault| self.error(fault))?;
            match known.output {
                Output::Kept { .. } => {
                    append(&mut kept, &output, &self.kept)?;
                    kept.finish();
                }
                Output::Part { .. } => append(&mut self.states, &output, &self.kept)?,
            }
        }
        let digest = self.states.finish();
        self.note(&digest)?;
        self.keep(state, kept);
        Ok(())
    }

    pub(super) fn series(&self, state: u64) -> Series {
        Series::temporary(&self.folder, &format!("{KEPT}{state}"))
    }

    const fn sources<'a>(&'a self, step: Step, kept: &'a Series) -> Sources<'a> {
        Sources {
            files: self,
            step,
            kept,
        }
    }

    /// Why a unit has no output: something that it reads may be damaged.
    fn error(&self, fault: Fault) -> Error {
        let trouble = self.folder.pages.take_trouble();
        trouble.map_or(Error::Unit(fault), Error::Disk)
    }

    /// Keeps what the units of `state` kept, until there is no room for it.
    pub(super) fn keep(&self, state: u64, mut kept: Series) -> Arc<Series> {
        kept.seal();
        lock(&self.lists).keep(state, kept.digests());
        let kept = Arc::new(kept);
        if kept.count() > 0 {
            lock(&self.kept).push_back((state, Arc::clone(&kept)));
        }
        kept
    }

    fn find_kept(&self, state: u64) -> Option<Arc<Series>> {
        let mut all = lock(&self.kept);
        let at = all.iter().position(|(other, _)| *other == state)?;
        let (_, kept) = all.remove(at)?;
        all.push_back((state, Arc::clone(&kept)));
        Some(kept)
    }

    /// What the units of `state` kept; computed again if it went. `None`: something that this takes is not at hand, which is reported.
    pub(super) fn kept_of(&self, state: u64) -> Option<Arc<Series>> {
        if let Some(found) = self.find_kept(state) {
            return Some(found);
        }
        let _turn = lock(&self.again);
        if let Some(found) = self.find_kept(state) {
            return Some(found);
        }
        match self.compute_kept(state) {
            Ok(kept) => Some(self.keep(state, kept)),
            Err(error) => {
                if let Error::Disk(trouble) = error {
                    self.folder.pages.report(trouble);
                }
                None
            }
        }
    }

    fn compute_kept(&self, state: u64) -> Result<Series, Error> {
        let law = of(&self.spec);
        let step = Step::State(state);
        let (bytes, units) = kept(law, step, u64::MAX).ok_or(Fault::NoUnit)?;
        while let Err(full) = self.folder.check_room(bytes) {
            if !drop_oldest(&self.kept) {
                return Err(full.into());
            }
        }
        let mut kept = self.series(state);
        for unit in 0..units {
            let output = law.compute(&self.sources(step, &kept), step, unit);
            append(&mut kept, &output.map_err(|fault| self.error(fault))?, &self.kept)?;
            kept.finish();
        }
        Ok(kept)
    }

    #[cfg(test)]
    pub(super) fn drop_oldest(&self) -> bool {
        drop_oldest(&self.kept)
    }

    /// Writes the output to a file of its own in the folder, which the caller removes; else it goes with the folder. `None`: there is none.
    ///
    /// Errors: `Full`, `File`, `Damaged`.
    pub fn save_output(&self) -> Result<Option<PathBuf>, Trouble> {
        const NAME: &str = "output";
        let Some(output) = self.last() else {
            return Ok(None);
        };
        let path = self.folder.at(NAME);
        let file = Paged::new(&self.folder.pages, path.clone(), self.folder.file(NAME)?);
        file.cut(0)?;
        for first in (0..output.blob.size).step_by(GROUP_BYTES as usize) {
            let len = output.blob.size.saturating_sub(first).min(GROUP_BYTES);
            let bytes = output.bytes(first, len).ok_or_else(|| {
                let path = self.folder.at(STATES);
                self.take_trouble().unwrap_or(Trouble::Damaged { path })
            })?;
            file.write(first, &bytes)?;
        }
        Ok(Some(path))
    }

    fn last(&self) -> Option<Stored<'_>> {
        self.states.get(self.states.count().checked_sub(1)?)
    }

    /// What was wrong with a file first since this was asked last.
    pub fn take_trouble(&self) -> Option<Trouble> {
        self.folder.pages.take_trouble()
    }

    pub(crate) const fn spec(&self) -> &Arc<JobSpec> {
        &self.spec
    }

    pub(crate) const fn inputs(&self) -> &Shared {
        &self.inputs
    }
}

/// Appends to a content.
fn append(to: &mut Series, bytes: &[u8], kept: &Kept) -> Result<(), Trouble> {
    with_room(kept, || to.append(bytes))
}

/// Has `write` write something. What units of other states kept makes room for it.
fn with_room(kept: &Kept, mut write: impl FnMut() -> Result<(), Trouble>) -> Result<(), Trouble> {
    loop {
        match write() {
            Err(trouble) if trouble.is_full() && drop_oldest(kept) => {}
            written => return written,
        }
    }
}

/// Drops what the units of the state kept that was used first. `false`: there is nothing left.
fn drop_oldest(kept: &Kept) -> bool {
    lock(kept).pop_front().is_some()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What units read while they are computed.
struct Sources<'a> {
    files: &'a Files,
    step: Step,
    /// What the units of this step kept so far.
    kept: &'a Series,
}

impl Blobs for Sources<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let stored = match source {
            Source::Input(blob) => return self.files.inputs.chunk(blob, index, chunk),
            Source::State(state) => self.files.states.get(*state),
            Source::Kept(Step::Inputs, unit) => self.files.scans.get(*unit),
            Source::Kept(step, unit) if *step == self.step => self.kept.get(*unit),
            Source::Kept(..) => None,
        };
        stored?.chunk(index, chunk)
    }
}

impl Knowledge for Files {
    fn scans(&self) -> Cow<'_, [H256]> {
        self.scans.digests().into()
    }

    fn is_unusable(&self) -> bool {
        self.unusable
    }

    fn states(&self) -> Cow<'_, [H256]> {
        self.states.digests().into()
    }

    fn kept(&self, state: u64) -> Option<Cow<'_, [H256]>> {
        if self.unusable {
            return Some(Cow::default());
        }
        let list = lock(&self.lists).find(state);
        if let Some(list) = list {
            return Some(list.to_vec().into());
        }
        Some(self.kept_of(state)?.digests().to_vec().into())
    }

    fn subtree(&self, state: u64, first: u64, len: u64) -> Option<H256> {
        self.states.get(state)?.subtree((first, len))
    }

    fn bytes(&self, state: u64, first: u64, len: u64) -> Option<Vec<u8>> {
        self.states.get(state)?.bytes(first, len)
    }

    fn claim(&self) -> Claim {
        match (self.last(), self.states.digests().split_last()) {
            (Some(output), Some((_, before))) => Claim::Output {
                output: output.blob,
                states_root: states_root(before),
            },
            _ => Claim::Unusable,
        }
    }
}

impl Computed for Files {
    fn of_step(&self, step: Step) -> Option<Box<dyn Contents + '_>> {
        let kept = match step {
            Step::State(state) if !self.unusable => Some(self.kept_of(state)?),
            Step::State(_) | Step::Inputs => None,
        };
        Some(Box::new(OfStep { files: self, kept }))
    }

    fn troubles(&self) -> u64 {
        self.folder.pages.troubles()
    }

    #[cfg(feature = "fault-injection")]
    fn output(&self, law: &dyn Reference, step: Step, unit: u64) -> Option<Vec<u8>> {
        let whole = |stored: Stored<'_>| stored.bytes(0, stored.blob.size);
        match (step, law.unit(step, unit)?.output) {
            (Step::Inputs, _) => whole(self.scans.get(unit)?),
            (Step::State(state), Output::Kept { .. }) => whole(self.kept_of(state)?.get(unit)?),
            (Step::State(state), Output::Part { offset, size }) => self.bytes(state, offset, size),
        }
    }
}

/// What the units of a step read of it. It holds what they kept, whatever becomes of that meanwhile.
struct OfStep<'a> {
    files: &'a Files,
    kept: Option<Arc<Series>>,
}

impl OfStep<'_> {
    fn find(&self, blob: &BlobRef) -> Option<Stored<'_>> {
        let kept = self.kept.as_ref().and_then(|kept| kept.find(blob));
        kept.or_else(|| self.files.states.find(blob))
            .or_else(|| self.files.scans.find(blob))
    }
}

impl Contents for OfStep<'_> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        self.find(blob)?.chunk(index, chunk)
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        self.find(blob)?.prove(index)
    }
}
