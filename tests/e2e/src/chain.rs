//! A development chain of one node, which tests may share, or of four validators.

use crate::validators::{self, Validators};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{Balance, Client, KeySource};
use agora_localnet::{Agora, Node, NodeOptions};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// How long a slot takes, in milliseconds: half of the development chain's, as most of what tests do is waiting for blocks.
pub const SLOT_MS: u64 = 500;

/// Windows of the classes, in blocks. Working and revealing end early when all have committed or revealed, so their
/// long windows cost time only in the tests in which a worker stays silent, and keep workers on a busy machine from
/// being late or replaced. The appeal window always lasts in full.
const WINDOWS: [(&str, u32); 4] = [
    ("commitWindow", 400),
    ("workWindow", 40),
    ("revealWindow", 30),
    ("appealWindow", 12),
];

/// How many publishers a shared chain has: one for each test, so that a test can tell its own money apart.
const PUBLISHERS: u32 = 14;

/// What a publisher starts with, in plancks.
const ENDOWMENT: u64 = 1_000_000_000_000_000_000;

/// A running chain. Its node is killed when this is dropped.
pub struct Chain {
    node: Mutex<Node>,
    /// The other validators.
    _others: Vec<Node>,
    url: String,
    folder: TempDir,
    issuance: Balance,
}

/// The key of the `number`th publisher of a shared chain.
pub fn publisher(number: u32) -> String {
    assert!((1..=PUBLISHERS).contains(&number), "there are {PUBLISHERS} publishers");
    format!("//Publisher{number}")
}

/// How the genesis of a test's chain differs from that of the development chain.
fn edit(genesis: &mut Value) {
    genesis["blockTime"]["slotDurationMs"] = json!(SLOT_MS);
    for class in list(&mut genesis["tasks"]["classes"]) {
        for (window, blocks) in WINDOWS {
            assert!(class[1][window].is_u64(), "a class has no {window}: {class}");
            class[1][window] = json!(blocks);
        }
    }
    let publishers = (1..=PUBLISHERS).map(|number| json!([account(&publisher(number)).to_string(), ENDOWMENT]));
    list(&mut genesis["balances"]["balances"]).extend(publishers);
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("the genesis has this list")
}

impl Chain {
    /// Starts a chain, with the genesis changed by `further`, and waits until its node answers.
    pub async fn start(further: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spec = agora_localnet::write_chain_spec("dev", folder.path(), |genesis| {
            edit(genesis);
            further(genesis);
        });
        let options = NodeOptions {
            chain: spec.expect("the node exports its specification").display().to_string(),
            ..NodeOptions::development()
        };
        let node = Node::start(options, folder.path()).await.expect("the node starts");
        Self::of(node, Vec::new(), folder).await
    }

    /// Starts a chain of four validators, with the genesis changed by `further`. Clients talk to the first, without which the others
    /// finalise.
    pub async fn of_four(further: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let validators = Validators::start(folder.path(), |genesis| {
            edit(genesis);
            further(genesis);
        });
        let [first, others @ ..] = validators.await.0;
        Self::of(first, others.into(), folder).await
    }

    async fn of(node: Node, others: Vec<Node>, folder: TempDir) -> Self {
        let client = node.client().await.expect("it answers");
        let genesis = client.at(client.genesis_hash()).await.expect("it has a first block");
        Self {
            issuance: genesis.total_issuance().await.expect("it tells the issuance"),
            url: node.url(),
            node: Mutex::new(node),
            _others: others,
            folder,
        }
    }

    /// Cuts the first of four validators off from the others until `seen` is there: it makes blocks of its own, and nothing that they make
    /// becomes final with it.
    pub async fn cut_off(&self, seen: impl Future<Output = ()>) {
        let mut node = self.node.lock().await;
        let alone = validators::alone(node.options().clone());
        let together = node.replace(alone).await.expect("it starts alone");
        seen.await;
        node.replace(together).await.expect("it starts again");
    }

    /// All money, at the beginning.
    pub const fn issuance(&self) -> Balance {
        self.issuance
    }

    /// A new connection to its node.
    pub async fn client(&self) -> Client {
        self.node.lock().await.client().await.expect("it answers")
    }

    /// `agora` with this key. All that are run on one chain share its blobs.
    pub fn agora(&self, key: &str) -> Agora {
        self.agora_at(&self.url, key)
    }

    /// `agora` with this key, talking to another node.
    pub fn agora_at(&self, url: &str, key: &str) -> Agora {
        Agora::new(url, key, self.folder.path())
    }

    /// How many bytes processes with this key have printed.
    pub(crate) fn output_of(&self, key: &str) -> usize {
        let log = self.folder.path().join(format!("{}.log", key.trim_start_matches('/')));
        // Without a log nothing was printed.
        std::fs::metadata(log).map_or(0, |log| log.len() as usize)
    }

    /// Kills its node, as `kill -9` does, and starts it again.
    pub async fn restart_node(&self) {
        let mut node = self.node.lock().await;
        node.kill().await.expect("it can be killed");
        node.resume().await.expect("it starts again");
    }

    /// Has another chain answer at its node's place until `seen` is there, and then its node again.
    pub async fn with_another_chain(&self, seen: impl Future<Output = ()>) {
        let folder = self.folder.path().join("other");
        std::fs::create_dir_all(&folder).expect("the folder can be written to");
        let spec = agora_localnet::write_chain_spec("dev", &folder, |genesis| {
            edit(genesis);
            // One account less, and the first block is another one.
            list(&mut genesis["balances"]["balances"]).pop();
        });
        let other = NodeOptions {
            name: "other-node".to_owned(),
            chain: spec.expect("the node exports its specification").display().to_string(),
            ..NodeOptions::development()
        };
        let mut node = self.node.lock().await;
        let own = node.replace(other).await.expect("the other node starts");
        seen.await;
        node.replace(own).await.expect("it starts again");
    }

    /// Takes the store of blobs away, as a disk that is not mounted.
    pub fn take_blobs_away(&self) {
        let blobs = self.folder.path().join("blobs");
        // There is none before the first blob.
        std::fs::create_dir_all(&blobs).expect("the folder can be written to");
        std::fs::rename(&blobs, self.folder.path().join("blobs-away")).expect("it can be moved");
        std::fs::write(&blobs, "nothing").expect("the folder can be written to");
    }

    /// Gives the store of blobs back.
    pub fn give_blobs_back(&self) {
        let blobs = self.folder.path().join("blobs");
        std::fs::remove_file(&blobs).expect("it is a file");
        std::fs::rename(self.folder.path().join("blobs-away"), &blobs).expect("it can be moved");
    }

    /// `agora` with this key on another machine: nothing is shared but the chain.
    pub fn agora_elsewhere(&self, key: &str) -> Agora {
        let folder = self.folder.path().join("elsewhere");
        std::fs::create_dir_all(&folder).expect("the folder can be written to");
        Agora::new(&self.url, key, &folder)
    }

    /// Puts `content` into the blobs, as an input of jobs, without looking at it.
    pub async fn put_input(&self, content: &[u8]) {
        let blobs = BlobStore::open(&self.folder.path().join("blobs").display().to_string());
        let put = blobs
            .expect("the store opens")
            .put(BlobKind::Input, content.to_vec())
            .await;
        put.expect("it is put");
    }

    /// Writes `content` to a file of that name beside the chain's, and returns its path.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("the folder can be written to");
        path.display().to_string()
    }

    /// The path of the file `name` beside the chain's.
    pub fn path(&self, name: &str) -> PathBuf {
        let files = self.folder.path().join("files");
        std::fs::create_dir_all(&files).expect("the folder can be written to");
        files.join(Path::new(name))
    }
}

/// The account of a development key.
pub fn account(key: &str) -> agora_chain::AccountId {
    KeySource::Development(key.to_owned())
        .load()
        .expect("development keys are well formed")
        .account()
}
