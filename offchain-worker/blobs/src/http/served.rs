//! What is served: a store and a cache, never more.

use crate::{BlobError, BlobKey, BlobKind, BlobStore, Cache, Denied, Wanted, disk, tree};
use agora_jobs::{BlobRef, H256};
use bao_tree::ChunkRanges;
use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::Semaphore;

/// The kinds that are addressed by the BLAKE3 hash of their content.
const CONTENT: [BlobKind; 3] = [BlobKind::Input, BlobKind::Job, BlobKind::Output];

/// Damaged files that are remembered.
const REMEMBERED: usize = 1024;

/// What is served: the blobs of a store that is a folder, and those of a cache. A result is served from the moment that it
/// is put into the store; what a worker computes before stays in a folder of its own, which no address leads to.
#[derive(Clone, Debug)]
pub struct Served {
    store: BlobStore,
    cache: Cache,
    denied: Denied,
    /// Trees are computed one at a time: to hash a large blob takes seconds, and anybody may ask for it.
    hashing: Arc<Semaphore>,
    /// Files that are not what their names say, as they were then: strangers cannot have them hashed again and again.
    bad: Arc<Mutex<HashMap<PathBuf, State>>>,
    /// What of files was found right lately.
    right: Arc<Mutex<HashMap<PathBuf, Right>>>,
}

/// What changes when a file is written to: its length and its time.
pub type State = (u64, SystemTime);

/// Groups of a file that were found right.
#[derive(Debug)]
struct Right {
    /// The file and its tree, as they were then.
    state: [State; 2],
    since: Instant,
    groups: ChunkRanges,
}

/// How long what was found right is sent without being hashed again, unless the file has changed. Whoever fetches it hashes
/// it anyway; here it is looked at for damage that nothing else tells of.
const TRUSTED: Duration = Duration::from_secs(3600);

impl Served {
    /// Serves `store` and `cache`.
    ///
    /// Errors: `NotAFolder`.
    pub fn new(store: BlobStore, cache: Cache) -> Result<Self, BlobError> {
        if !store.is_folder() {
            return Err(BlobError::NotAFolder);
        }
        Ok(Self {
            store,
            cache,
            denied: Denied::default(),
            hashing: Arc::new(Semaphore::new(1)),
            bad: Arc::default(),
            right: Arc::default(),
        })
    }

    /// The same, but for the blobs that are `denied`: they are not there for strangers, and nobody learns why.
    pub fn without(self, denied: Denied) -> Self {
        Self { denied, ..self }
    }

    /// The file of the content with this hash, and its length.
    pub fn content(&self, key: &BlobKey) -> Result<Option<(PathBuf, u64)>, BlobError> {
        if self.denied.contains(key) {
            return Ok(None);
        }
        if let Some(found) = self.store.served(&CONTENT, key)? {
            return Ok(Some(found));
        }
        Ok(self.cache.look(&anything(BlobKind::Input, key)))
    }

    /// The file of the list of states with this root, and its length.
    pub fn states(&self, root: &BlobKey) -> Result<Option<(PathBuf, u64)>, BlobError> {
        if self.denied.contains(root) {
            return Ok(None);
        }
        if let Some(found) = self.store.served(&[BlobKind::States], root)? {
            return Ok(Some(found));
        }
        Ok(self.cache.look(&anything(BlobKind::States, root)))
    }

    /// The hash pairs of the content with this hash, which is in the file `data`: from the cache, or computed and kept
    /// there. `None`: the file is another content.
    pub async fn tree(&self, key: &BlobKey, data: &Path, size: u64) -> Result<Option<File>, BlobError> {
        let blob = BlobRef { hash: H256(*key), size };
        let path = self.cache.tree(key);
        if let Some(file) = known(&path, &blob) {
            return Ok(Some(file));
        }
        if self.is_known_bad(data) {
            return Ok(None);
        }
        let Ok(one_at_a_time) = Arc::clone(&self.hashing).acquire_owned().await else {
            return Ok(None);
        };
        let (data, served) = (data.to_owned(), self.clone());
        disk::aside(move || {
            // Held by the work itself: it goes on when whoever asked for it has gone.
            let _one_at_a_time = one_at_a_time;
            // Somebody may have asked for the same meanwhile.
            if let Some(file) = known(&path, &blob) {
                return Ok(Some(file));
            }
            if served.is_known_bad(&data) {
                return Ok(None);
            }
            let tree = compute(&blob, &data, &path)?;
            if tree.is_none() {
                served.remember_bad(&data);
            }
            Ok(tree)
        })
        .await
    }

    /// Forgets the tree of a blob that did not fit its file: one of the two is damaged. The next who asks for a proof has it
    /// computed again.
    pub fn forget_tree(&self, key: &BlobKey) {
        if let Err(error) = disk::remove(&self.cache.tree(key)) {
            tracing::warn!(%error, "A damaged tree cannot be removed.");
        }
    }

    /// The states of the file `data` of a blob and of its tree. `None`: one of them is not there.
    pub fn states_of(&self, key: &BlobKey, data: &Path) -> Option<[State; 2]> {
        Some([state_of(data)?, state_of(&self.cache.tree(key))?])
    }

    /// Whether all `groups` of the file `data` were found right lately, when it and its tree were in this `state`.
    pub fn is_right(&self, data: &Path, groups: &ChunkRanges, state: [State; 2]) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(data).is_some_and(|right| {
            right.since.elapsed() < TRUSTED
                && right.state == state
                && (groups.clone() - right.groups.clone()).is_empty()
        })
    }

    /// Remembers that `groups` of the file `data` were found right, which was in this `state` with its tree before they were
    /// read.
    pub fn remember_right(&self, data: &Path, groups: &ChunkRanges, state: [State; 2]) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.clear();
        }
        let new = || Right {
            state,
            since: Instant::now(),
            groups: ChunkRanges::empty(),
        };
        let found = right.entry(data.to_owned()).or_insert_with(new);
        if found.state != state || found.since.elapsed() >= TRUSTED {
            *found = new();
        }
        found.groups |= groups.clone();
    }

    /// Whether `data` is a file that was found to be another content than its name says, and has not changed since.
    fn is_known_bad(&self, data: &Path) -> bool {
        let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        bad.get(data).is_some_and(|found| Some(*found) == state_of(data))
    }

    fn remember_bad(&self, data: &Path) {
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        if bad.len() >= REMEMBERED {
            bad.clear();
        }
        if let Some(state) = state_of(data) {
            bad.insert(data.to_owned(), state);
        }
    }
}

fn state_of(path: &Path) -> Option<State> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.len(), about.modified().ok()?))
}

fn anything(kind: BlobKind, key: &BlobKey) -> Wanted {
    Wanted {
        kind,
        key: *key,
        size: u64::MAX,
    }
}

/// The tree in the file at `path`, if it is as long as that of `blob`. Its pairs are checked when they are used.
fn known(path: &Path, blob: &BlobRef) -> Option<File> {
    let file = File::open(path).ok()?;
    (file.metadata().ok()?.len() == tree::shape(blob).outboard_size()).then_some(file)
}

/// Hashes the file `data`, and keeps its tree at `path`. `None`: it is not `blob`.
fn compute(blob: &BlobRef, data: &Path, path: &Path) -> Result<Option<File>, BlobError> {
    let file = File::open(data).map_err(|error| BlobError::file(data, error))?;
    let failed = |error| BlobError::file(path, error);
    let reader = std::io::BufReader::with_capacity(1 << 20, file);
    let mut is_damaged = false;
    let kept = disk::publish(path, |written| {
        let mut pairs = tree::in_file(blob, written.try_clone().map_err(failed)?);
        let found = bao_tree::io::sync::outboard(reader, tree::shape(blob), &mut pairs).map_err(failed)?;
        is_damaged = found.as_bytes() != &blob.hash.0;
        if is_damaged {
            return Err(failed(std::io::ErrorKind::InvalidData.into()));
        }
        Ok(())
    });
    if is_damaged {
        tracing::error!(file = ?data, "A blob is damaged: it has another hash than its name says. Remove it.");
        return Ok(None);
    }
    kept?;
    Ok(Some(File::open(path).map_err(failed)?))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_right_is_trusted_until_the_file_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("cache"), 1 << 20).expect("it opens");
        let store = BlobStore::open(&folder.path().join("blobs").display().to_string()).expect("it opens");
        let served = Served::new(store, cache).expect("it is a folder");
        let path = folder.path().join("file");
        let content = [7; 100_000];
        std::fs::write(&path, content).expect("written");
        let blob = BlobRef::to(&content);
        let (first, second) = (tree::groups(&blob, 0..50_000), tree::groups(&blob, 50_000..100_000));
        assert_eq!(served.states_of(&blob.hash.0, &path), None, "it has no tree yet");
        let kept = served.cache.tree(&blob.hash.0);
        disk::private_folder(kept.parent().expect("it is in a folder")).expect("made");
        std::fs::write(&kept, "pairs").expect("written");
        let now = || served.states_of(&blob.hash.0, &path).expect("both are there");
        let is_right = |groups: &ChunkRanges| served.is_right(&path, groups, now());
        let state = now();
        assert!(!is_right(&first));
        served.remember_right(&path, &first, state);
        assert!(is_right(&first) && !is_right(&second));
        served.remember_right(&path, &second, state);
        assert!(is_right(&tree::all(&blob)));
        // Written to, the tree or the file: told by its time, or by its length.
        let open = |path: &Path| File::options().append(true).open(path).expect("it is there");
        let later = |state: State| state.1 + Duration::from_millis(10);
        open(&kept).set_modified(later(state[1])).expect("set");
        assert!(!is_right(&first));
        open(&kept).set_modified(state[1].1).expect("set");
        assert!(is_right(&first));
        open(&path).set_modified(later(state[0])).expect("set");
        assert!(!is_right(&first));
        let changed = now();
        served.remember_right(&path, &first, changed);
        assert!(is_right(&first) && !is_right(&second), "nothing old is kept");
        open(&path).set_len(50_000).expect("cut");
        open(&path).set_modified(changed[0].1).expect("set");
        assert!(!is_right(&first));
    }

    #[tokio::test]
    async fn whoever_hangs_up_does_not_let_the_next_tree_begin() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("cache"), 1 << 20).expect("it opens");
        let store = BlobStore::open(&folder.path().join("blobs").display().to_string()).expect("it opens");
        let served = Served::new(store, cache).expect("it is a folder");
        // A file that cannot be read before somebody writes to it.
        let slow = folder.path().join("slow");
        let made = std::process::Command::new("mkfifo").arg(&slow).status();
        assert!(made.expect("it runs").success());
        let key = [1; 32];
        let asked = served.tree(&key, &slow, 100_000);
        let gone = tokio::time::timeout(Duration::from_millis(100), asked).await;
        assert!(gone.is_err(), "it takes long");
        let permits = served.hashing.available_permits();
        // First the thread is let go, or a failure would wait for it for ever.
        let writer = slow.clone();
        tokio::task::spawn_blocking(move || std::fs::write(writer, b"short"))
            .await
            .expect("it ends")
            .expect("it is written");
        let permit = tokio::time::timeout(Duration::from_secs(20), served.hashing.acquire()).await;
        assert_eq!(permits, 0, "it was still being computed");
        assert!(permit.is_ok(), "it has ended");
    }
}
