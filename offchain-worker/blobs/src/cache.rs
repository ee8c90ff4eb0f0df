//! The private cache: what came from others, checked, on disk, within a quota.
//!
//! | below the folder | what |
//! | --- | --- |
//! | `blobs/<2 hex digits>/<hash>` | whole blobs |
//! | `states/<2 hex digits>/<root>` | lists of states |
//! | `trees/<2 hex digits>/<hash>` | hash pairs of the blobs here, and of those that are served from a store |
//! | `partial/<hash>-<length>`, the same with `.tree` | blobs of which a part has arrived, with holes, and their trees; with `-1`, `-2` or `-3` after the length, where another process was too slow |
//!
//! A file's time is when it was last used.

use crate::{
    BlobError, BlobKey, BlobKind, Garbage, Wanted, disk,
    kind::key_of_name,
    partial::{Locked, Partial},
    tree,
};
use agora_jobs::BlobRef;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant, SystemTime},
};

/// How long a fetch waits before it looks again whether another process has fetched the same blob.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long a fetch leaves a blob to another process that brings less than [`LEAST_BROUGHT`] in this time.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 150 } else { 10_000 });
/// Bytes that are worth waiting for, in a [`PATIENCE`].
const LEAST_BROUGHT: u64 = 4 << 20;
/// Most processes that fetch one blob at a time, each to a file of its own.
const MOST_PLACES: usize = 4;
/// After this time nobody writes to an unfinished file any more: its process has died.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A private cache. Cheap to clone; clones fetch a blob together. Several processes of one user may share a folder.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Arc<Path>,
    quota: u64,
    /// The blobs that are being fetched from peers, by the first of their files.
    fetching: Arc<Mutex<HashMap<PathBuf, Weak<Partial>>>>,
}

/// A file that may be removed.
struct Removable {
    file: disk::Found,
    key: BlobKey,
    /// The folder that it is in.
    place: &'static str,
    /// How many bytes its removal frees.
    size: u64,
}

/// Who may fetch a blob together with somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Company {
    /// Everybody who checks it group by group, in this process.
    Any,
    /// Nobody.
    None,
}

/// What to do about a blob that is wanted.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is here.
    Here(PathBuf),
    /// It is to be fetched; what has arrived of it is kept.
    Fetch(Arc<Partial>),
}

impl Cache {
    /// Opens the cache in `folder`, which is made if need be, readable by its owner alone. It has at most `quota` bytes.
    ///
    /// Errors: `File`, `DiskFull`.
    pub fn open(folder: &Path, quota: u64) -> Result<Self, BlobError> {
        for name in ["blobs", "states", "trees", "partial"] {
            let folder = folder.join(name);
            let made = disk::private_folder(&folder).and_then(|()| disk::close_folder(&folder));
            made.map_err(|error| BlobError::file(&folder, error))?;
        }
        disk::close_folder(folder).map_err(|error| BlobError::file(folder, error))?;
        Ok(Self {
            folder: folder.into(),
            quota,
            fetching: Arc::default(),
        })
    }

    /// The file of a blob that is here, and its length. Its time becomes now.
    pub fn find(&self, wanted: &Wanted) -> Option<(PathBuf, u64)> {
        let (path, size) = self.look(wanted)?;
        // The time only says what to remove first: one that cannot be set is no reason to fetch the blob again.
        let _ = std::fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some((path, size))
    }

    /// As [`Cache::find`], for strangers: what they ask for says nothing about what is used here.
    pub(crate) fn look(&self, wanted: &Wanted) -> Option<(PathBuf, u64)> {
        let path = self.path(wanted.kind, &wanted.key);
        let about = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        Some((path, about.len()))
    }

    /// The file of a blob that is here with the length that is wanted. A file of another length that is not this blob is
    /// removed.
    ///
    /// Errors: `TooLarge` and `Length` if the blob itself has another length, `File`.
    pub(crate) fn find_right(&self, wanted: &Wanted) -> Result<Option<PathBuf>, BlobError> {
        let Some((path, size)) = self.find(wanted) else {
            return Ok(None);
        };
        match wanted.check_len(size) {
            Ok(()) => Ok(Some(path)),
            Err(error) if disk::has_key(wanted, &path)? => Err(error),
            Err(error) => {
                tracing::warn!(file = ?path, %error, "A file of the cache is damaged; it is removed.");
                disk::remove(&path)?;
                Ok(None)
            }
        }
    }

    /// How many bytes are here. Of what is still to arrive, nothing counts.
    ///
    /// Errors: `File`.
    pub fn used(&self) -> Result<u64, BlobError> {
        let mut used = 0u64;
        for file in disk::files(&self.folder)? {
            used = used.saturating_add(file.allocated);
        }
        Ok(used)
    }

    /// Joins those who fetch `blob` from peers, or begins it: whoever has better peers need not wait for the others'. Room is
    /// made for it while it arrives: before, whoever named it may have lied about how long it is.
    ///
    /// Errors: `Quota` if it cannot fit, `File`, `DiskFull`.
    pub(crate) async fn join(&self, wanted: &Wanted, blob: BlobRef) -> Result<Claim, BlobError> {
        self.claim(wanted, blob, Company::Any).await
    }

    /// Waits until nobody else fetches `blob`, or is too slow at it: what is written without proofs must not be mixed with
    /// anything.
    ///
    /// Errors: as [`Cache::join`].
    pub(crate) async fn claim_alone(&self, wanted: &Wanted, blob: BlobRef) -> Result<Claim, BlobError> {
        self.claim(wanted, blob, Company::None).await
    }

    async fn claim(&self, wanted: &Wanted, blob: BlobRef, company: Company) -> Result<Claim, BlobError> {
        let mut places = 1;
        let mut since = Instant::now();
        let mut brought = 0;
        loop {
            let (cache, wanted) = (self.clone(), *wanted);
            if let Some(claim) = disk::aside(move || cache.try_claim(&wanted, blob, company, places)).await? {
                return Ok(claim);
            }
            if since.elapsed() >= PATIENCE {
                let arrived = (0..places).map(|place| disk::allocated_at(&self.partial(&wanted, &blob, place)));
                let arrived = arrived.max().unwrap_or_default();
                if arrived < brought + LEAST_BROUGHT && places < MOST_PLACES {
                    tracing::info!(kind = %wanted.kind, key = hex::encode(wanted.key), "Whoever fetches this blob is slow; it is fetched beside it.");
                    places += 1;
                }
                (since, brought) = (Instant::now(), arrived);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// As [`Cache::claim`], at the first of `places` that nobody has. `None`: others have them all.
    fn try_claim(
        &self,
        wanted: &Wanted,
        blob: BlobRef,
        company: Company,
        places: usize,
    ) -> Result<Option<Claim>, BlobError> {
        if let Some(path) = self.find_right(wanted)? {
            return Ok(Some(Claim::Here(path)));
        }
        let first = self.partial(wanted, &blob, 0);
        if company == Company::Any
            && let Some(partial) = self.fetching().get(&first).and_then(Weak::upgrade)
            && !partial.is_finished()
        {
            return Ok(Some(Claim::Fetch(partial)));
        }
        let needed = blob.size.saturating_add(tree::shape(&blob).outboard_size());
        self.check_fits(needed, disk::allocated_at(&first))?;
        for place in 0..places {
            let Some(locked) = Locked::open(&self.partial(wanted, &blob, place))? else {
                continue;
            };
            // Finished while the lock was not ours.
            if self.look(wanted).is_some() {
                locked.remove()?;
                return Ok(None);
            }
            let partial = Arc::new(Partial::open(blob, locked, self.clone())?);
            if company == Company::Any {
                let mut fetching = self.fetching();
                fetching.retain(|_, partial| partial.strong_count() > 0);
                fetching.insert(first, Arc::downgrade(&partial));
            }
            return Ok(Some(Claim::Fetch(partial)));
        }
        Ok(None)
    }

    fn fetching(&self) -> MutexGuard<'_, HashMap<PathBuf, Weak<Partial>>> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where `blob` is while it arrives. The length is a part of the name, so that a lie about it does not touch what has
    /// arrived of the true one.
    fn partial(&self, wanted: &Wanted, blob: &BlobRef, place: usize) -> PathBuf {
        let name = format!("{}-{}", hex::encode(wanted.key), blob.size);
        let name = if place == 0 { name } else { format!("{name}-{place}") };
        self.folder.join("partial").join(name)
    }

    /// Keeps a blob that has arrived whole, and returns its file.
    pub(crate) fn keep(&self, wanted: &Wanted, partial: &Partial) -> Result<PathBuf, BlobError> {
        let path = self.path(wanted.kind, &wanted.key);
        partial.finish(&path, &self.tree(&wanted.key))?;
        Ok(path)
    }

    /// Keeps content that was checked, and returns its file.
    pub(crate) fn put(&self, wanted: &Wanted, content: &[u8]) -> Result<PathBuf, BlobError> {
        self.make_room(content.len() as u64)?;
        let path = self.path(wanted.kind, &wanted.key);
        disk::write(&path, content)?;
        Ok(path)
    }

    /// Removes what was last used longer than `age` ago and what `wanted` does not want, and nobody else names. Then,
    /// while there is more than the quota allows, what was used longest ago, however young.
    ///
    /// Errors: `File`.
    pub fn collect_garbage(&self, age: Duration, wanted: impl Fn(&BlobKey) -> bool) -> Result<Garbage, BlobError> {
        let newest = before(age);
        let mut garbage = Garbage::default();
        self.remove_abandoned(age.max(ABANDONED))?;
        let (mut used, mut kept) = (self.used()?, Vec::new());
        // Nobody is asked about what stays in any case: who wants what may be a long story.
        let is_large = used > self.quota;
        let stays = |file: &disk::Found, key: &BlobKey| (file.used > newest && !is_large) || wanted(key);
        for file in self.removable(&stays, &mut garbage)? {
            if file.file.used <= newest {
                self.remove(&file, &mut garbage, &mut used)?;
            } else {
                kept.push(file);
            }
        }
        for file in kept {
            if used > self.quota {
                self.remove(&file, &mut garbage, &mut used)?;
            } else if file.place != "trees" {
                garbage.kept += 1;
            }
        }
        Ok(garbage)
    }

    /// Removes what a process that died did not finish.
    fn remove_abandoned(&self, age: Duration) -> Result<(), BlobError> {
        let newest = before(age);
        for file in disk::files(&self.folder)? {
            if file.name.ends_with(disk::UNFINISHED) && file.used <= newest {
                disk::remove(&file.path)?;
            }
        }
        Ok(())
    }

    /// Checks that `size` bytes fit, if what may be removed is; `taken` of them are here already.
    fn check_fits(&self, size: u64, taken: u64) -> Result<(), BlobError> {
        let used = self.used()?;
        if used.saturating_sub(taken).saturating_add(size) <= self.quota {
            return Ok(());
        }
        let removable = self.removable(&|_, _| false, &mut Garbage::default())?;
        // The file itself may be among them.
        let removable = removable.iter().map(|file| file.size).sum::<u64>();
        let in_use = used.saturating_sub(removable);
        if in_use.saturating_add(size) <= self.quota {
            return Ok(());
        }
        Err(self.full(size, in_use))
    }

    fn full(&self, size: u64, in_use: u64) -> BlobError {
        BlobError::Quota {
            folder: self.folder.to_path_buf(),
            size,
            quota: self.quota,
            in_use,
        }
    }

    /// Makes room for `size` bytes, by removing what was used longest ago and nobody names.
    pub(crate) fn make_room(&self, size: u64) -> Result<(), BlobError> {
        let mut used = self.used()?;
        if used.saturating_add(size) <= self.quota {
            return Ok(());
        }
        self.remove_abandoned(ABANDONED)?;
        let mut garbage = Garbage::default();
        let removable = self.removable(&|_, _| false, &mut garbage)?;
        let in_use = used.saturating_sub(removable.iter().map(|file| file.size).sum());
        if in_use.saturating_add(size) > self.quota {
            return Err(self.full(size, in_use));
        }
        for file in removable {
            if used.saturating_add(size) <= self.quota {
                break;
            }
            self.remove(&file, &mut garbage, &mut used)?;
        }
        Ok(())
    }

    /// The blobs, whole or partial, and the trees of blobs that are elsewhere, that may be removed; those used longest ago
    /// first. Counts other blobs as kept.
    fn removable(
        &self,
        stays: &impl Fn(&disk::Found, &BlobKey) -> bool,
        garbage: &mut Garbage,
    ) -> Result<Vec<Removable>, BlobError> {
        let mut removable = Vec::new();
        for place in ["blobs", "states", "partial", "trees"] {
            for file in disk::files(&self.folder.join(place))? {
                // The name of a partial blob has its length, too.
                let name = file.name.split_once('-').map_or(&*file.name, |(name, _)| name);
                let Some(key) = key_of_name(name).filter(|_| !file.name.ends_with(".tree")) else {
                    continue;
                };
                let is_kept = stays(&file, &key);
                if place == "trees" {
                    if !is_kept && !self.below("blobs", &key).exists() {
                        let size = file.allocated;
                        removable.push(Removable { file, key, place, size });
                    }
                } else if is_kept || file.is_linked || (place == "partial" && Locked::is_held(&file.path)) {
                    garbage.kept += 1;
                } else {
                    let size = file.allocated;
                    removable.push(Removable { file, key, place, size });
                }
            }
        }
        removable.sort_by_key(|file| file.file.used);
        Ok(removable)
    }

    /// Removes a blob and its tree. A partial one that somebody has begun to fetch stays.
    fn remove(&self, removable: &Removable, garbage: &mut Garbage, used: &mut u64) -> Result<(), BlobError> {
        match removable.place {
            "partial" => match Locked::existing(&removable.file.path)? {
                Some(locked) => locked.remove()?,
                None => return Ok(()),
            },
            "blobs" => {
                disk::remove(&removable.file.path)?;
                disk::remove(&self.tree(&removable.key))?;
            }
            _ => disk::remove(&removable.file.path)?,
        }
        if removable.place != "trees" {
            garbage.removed += 1;
            garbage.removed_bytes += removable.size;
        }
        *used = used.saturating_sub(removable.size);
        Ok(())
    }

    /// Where the tree of a blob is.
    pub(crate) fn tree(&self, key: &BlobKey) -> PathBuf {
        self.below("trees", key)
    }

    fn path(&self, kind: BlobKind, key: &BlobKey) -> PathBuf {
        match kind {
            BlobKind::States => self.below("states", key),
            BlobKind::Job | BlobKind::Output | BlobKind::Input => self.below("blobs", key),
        }
    }

    fn below(&self, folder: &str, key: &BlobKey) -> PathBuf {
        let name = hex::encode(key);
        self.folder
            .join(folder)
            .join(name.get(..2).unwrap_or_default())
            .join(name)
    }
}

/// The time that was `age` ago.
fn before(age: Duration) -> SystemTime {
    SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_jobs::H256;

    const BLOB: BlobRef = BlobRef {
        hash: H256([7; 32]),
        size: 64 << 20,
    };

    fn fetched(claim: Result<Claim, BlobError>) -> Arc<Partial> {
        match claim.expect("it is claimed") {
            Claim::Fetch(partial) => partial,
            Claim::Here(path) => panic!("{path:?} is not there"),
        }
    }

    #[tokio::test]
    async fn those_of_one_process_fetch_a_blob_together_and_nobody_waits_for_a_slow_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Cache::open(folder.path(), 1 << 30).expect("it opens");
        let wanted = Wanted::content(BlobKind::Input, &BLOB);
        let (ours, theirs) = (open(), open());
        let slow = fetched(theirs.join(&wanted, BLOB).await);
        let began = Instant::now();
        let beside = fetched(ours.join(&wanted, BLOB).await);
        assert!(began.elapsed() >= PATIENCE, "it was given a while");
        assert_ne!(beside.path(), slow.path());
        let again = fetched(ours.clone().join(&wanted, BLOB).await);
        assert!(Arc::ptr_eq(&beside, &again), "the same process fetches it once");
        // What comes without proofs is mixed with nothing.
        let alone = fetched(ours.claim_alone(&wanted, BLOB).await);
        assert!(!Arc::ptr_eq(&beside, &alone));
        assert_ne!(alone.path(), slow.path());
        let joined = tokio::time::timeout(PATIENCE * 3, ours.join(&wanted, BLOB)).await;
        assert!(Arc::ptr_eq(&fetched(joined.expect("at once")), &beside));
        // There is an end to it.
        let fourth = fetched(ours.claim_alone(&wanted, BLOB).await);
        let fifth = tokio::time::timeout(PATIENCE * 5, ours.claim_alone(&wanted, BLOB)).await;
        assert!(fifth.is_err());
        drop((slow, beside, again, alone, fourth));
    }

    #[tokio::test]
    async fn a_process_that_brings_enough_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Cache::open(folder.path(), 1 << 30).expect("it opens");
        let wanted = Wanted::content(BlobKind::Input, &BLOB);
        let (ours, theirs) = (open(), open());
        let fast = fetched(theirs.join(&wanted, BLOB).await);
        let path = fast.path().to_owned();
        let writing = std::thread::spawn(move || {
            for round in 0..8u64 {
                let bytes = vec![1; LEAST_BROUGHT as usize];
                let mut file = std::fs::OpenOptions::new().write(true).open(&path).expect("it opens");
                let written = bao_tree::io::sync::WriteAt::write_all_at(&mut file, round * LEAST_BROUGHT, &bytes);
                written.expect("written");
                std::thread::sleep(PATIENCE / 2);
            }
        });
        let waited = tokio::time::timeout(PATIENCE * 3, ours.join(&wanted, BLOB)).await;
        assert!(waited.is_err(), "it is waited for");
        writing.join().expect("no panic");
    }
}
