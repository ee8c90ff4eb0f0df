//! A chain with a real mountain range, whose blocks have real headers and whose node indexes off chain.

use crate as pallet_agora_results;
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    results::{ProofError, ResultLeaf, ResultProof, ResultSink as _, compute_root},
};
use codec::Encode;
use frame_support::{
    derive_impl, parameter_types,
    traits::{OnFinalize, OnInitialize},
};
use sp_core::{
    H256,
    offchain::{DbExternalities, OffchainDbExt, StorageKind, testing::TestPersistentOffchainDB},
};
use sp_runtime::{
    BuildStorage, DispatchResult,
    traits::{BlakeTwo256, Header as _},
};

pub use agora_pallet_dev::AccountId;

type Block = frame_system::mocking::MockBlock<Test>;
pub type Header = <Block as sp_runtime::traits::Block>::Header;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Mmr = pallet_mmr::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Results = pallet_agora_results::Pallet<Test>;
}

parameter_types! {
    pub static BlockHashCount: u64 = 16;
    pub static MaxResultsPerBlock: u32 = 5;
    pub static Retention: u64 = 8;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type BlockHashCount = BlockHashCount;
}

impl pallet_mmr::Config for Test {
    const INDEXING_PREFIX: &'static [u8] = b"mmr";
    type Hashing = BlakeTwo256;
    type LeafData = Results;
    type OnNewRoot = Results;
    type BlockHashProvider = pallet_agora_results::BlockHashes<Test>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

impl crate::Config for Test {
    type MaxResultsPerBlock = MaxResultsPerBlock;
    type Retention = Retention;
    type WeightInfo = ();
}

/// The result of a task: every field depends on it.
pub fn leaf(task: u64) -> ResultLeaf<AccountId> {
    ResultLeaf {
        task: TaskId(task),
        job: H256::from_low_u64_be(task),
        claim: match task % 4 {
            3 => Claim::Unusable,
            _ => Claim::Output {
                output: BlobRef::to(&task.encode()),
                states_root: H256::repeat_byte(task as u8),
            },
        },
        winner: task + 1000,
    }
}

/// Off-chain databases of one node that has seen several forks; the first one's writes came last.
struct Databases(Vec<TestPersistentOffchainDB>);

impl DbExternalities for Databases {
    fn local_storage_set(&mut self, _: StorageKind, _: &[u8], _: &[u8]) {
        unreachable!("proofs only read");
    }
    fn local_storage_clear(&mut self, _: StorageKind, _: &[u8]) {
        unreachable!("proofs only read");
    }
    fn local_storage_compare_and_set(&mut self, _: StorageKind, _: &[u8], _: Option<&[u8]>, _: &[u8]) -> bool {
        unreachable!("proofs only read");
    }
    fn local_storage_get(&mut self, _: StorageKind, key: &[u8]) -> Option<Vec<u8>> {
        self.0.iter().find_map(|database| database.get(key))
    }
}

/// A node with its chain.
pub struct Chain {
    pub ext: sp_io::TestExternalities,
    pub headers: Vec<Header>,
}

impl Chain {
    /// Begins a chain: its only block is block 0.
    pub fn new() -> Self {
        let storage = RuntimeGenesisConfig::default().build_storage().unwrap();
        let genesis = Header::new(0, H256::zero(), H256::zero(), H256::zero(), Default::default());
        Self {
            ext: storage.into(),
            headers: vec![genesis],
        }
    }

    pub fn best(&self) -> &Header {
        self.headers.last().unwrap()
    }

    /// Adds a block that does `body`, checks the state, and lets the node index.
    pub fn block_with<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let parent = self.best().hash();
        let number = self.best().number() + 1;
        let (header, result) = self.ext.execute_with(|| {
            System::reset_events();
            System::initialize(&number, &parent, &Default::default());
            AllPalletsWithSystem::on_initialize(number);
            let result = body();
            Results::do_try_state().unwrap();
            AllPalletsWithSystem::on_finalize(number);
            Results::do_try_state().unwrap();
            (System::finalize(), result)
        });
        self.ext.persist_offchain_overlay();
        self.headers.push(header);
        result
    }

    /// Adds a block that settles `tasks`.
    pub fn block(&mut self, tasks: impl IntoIterator<Item = u64>) {
        self.block_with(|| {
            for task in tasks {
                append(task).unwrap();
            }
        });
    }

    /// Adds `count` empty blocks.
    pub fn empty(&mut self, count: u64) {
        (0..count).for_each(|_| self.block([]));
    }

    /// Asks this node for a proof.
    pub fn proof(&mut self, task: u64, best: Option<u64>) -> Result<ResultProof<AccountId>, ProofError> {
        let database = self.ext.offchain_db();
        self.proof_with(vec![database], task, best)
    }

    /// Asks for a proof a node that has these off-chain databases.
    pub fn proof_with(
        &mut self,
        databases: Vec<TestPersistentOffchainDB>,
        task: u64,
        best: Option<u64>,
    ) -> Result<ResultProof<AccountId>, ProofError> {
        self.ext.register_extension(OffchainDbExt::new(Databases(databases)));
        self.ext.execute_with(|| Results::result_proof(TaskId(task), best))
    }

    /// The compute root in the header of `block`.
    pub fn compute_root(&self, block: u64) -> H256 {
        compute_root(self.headers[block as usize].digest()).unwrap()
    }
}

pub fn append(task: u64) -> DispatchResult {
    Results::append(leaf(task))
}
