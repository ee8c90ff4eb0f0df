//! A market on the real runtime, in memory: accounts, tasks from their publication to their end, and accusations.

use crate::chain::{self, Chain, account, key};
use agora_disputes::{Accusation, Terms, Time};
use agora_primitives::{
    ClassId, TaskId,
    commitment::commitment,
    job::{BlobRef, ChunkProof, Claim, H256, JobSource, JobSpec, keyed_hash},
    judging::{Attestation, Possession, Sealed, attestation_commitment, drawn_chunks, possession_key, to_be_shown},
    participants::{Role, Specialisation},
    task::{Difficulty, Phase},
};
use agora_runtime::{
    Babe, Balance, BlockNumber, Computation, Runtime, RuntimeCall, RuntimeEvent, System, UNIT, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::{traits::Get, weights::Weight};
use pallet_agora_computation::{
    Case, CurrentTerms, Defences, Event as CourtEvent, FullBlocks, Matches, Part, Runs, Trials,
};
use pallet_agora_judging::{AppealWindows, Event as JudgingEvent};
use pallet_agora_registry::Profile;
use pallet_agora_tasks::{ClassOf, Classes, Event as TaskEvent};
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

/// The reward of every task.
pub const REWARD: Balance = 100 * UNIT;
/// Nothing of what a market waits for takes so many blocks.
const PATIENCE: u32 = 20_000;
const SALT: [u8; 32] = [7; 32];

type Court = pallet_agora_computation::Call<Runtime>;

/// What became of a transaction.
pub struct Receipt {
    /// The length of its call.
    pub bytes: usize,
    /// What it weighed, with what every transaction does.
    pub weight: Weight,
    /// How it ended.
    pub result: Result<(), DispatchError>,
}

/// How a chain starts.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The preset of its genesis.
    pub preset: &'static str,
    /// Other lengths of the phases in court. The money is that of every chain.
    pub terms: Option<Terms>,
}

/// What a verifier says of a result, and what it does for that.
#[derive(Clone)]
pub struct Attester {
    /// Who.
    pub who: String,
    /// What it says.
    pub attestation: Attestation,
    /// The bytes that it has of the output when it commits.
    pub had: Vec<u8>,
    /// Those that it has when chunks are drawn.
    pub has: Vec<u8>,
    /// Whose commitment it commits to: its own, or a copied one.
    pub copies: Option<String>,
    /// Whether it tries to reveal.
    pub reveals: bool,
}

/// The class of a job in the genesis of every chain.
fn class_of(job: &JobSpec) -> ClassId {
    let kind = job.specialisation();
    let class = Specialisation::ALL.iter().position(|one| *one == kind);
    ClassId(class.expect("it is one of them") as u16)
}

/// A chain, and everything that has happened on it.
pub struct Market {
    pub chain: Chain,
    events: Vec<RuntimeEvent>,
    /// Those who reveal in the block after the draw of chunks, of a task.
    attesters: Vec<(TaskId, Attester)>,
}

impl Market {
    /// A chain with these workers of every kind and these verifiers registered.
    pub fn new(setting: Setting, workers: &[String], verifiers: &[String]) -> Self {
        let mut market = Self {
            chain: Chain::of(setting.preset),
            events: Vec::new(),
            attesters: Vec::new(),
        };
        if let Some(terms) = setting.terms {
            market.chain.ext.execute_with(|| CurrentTerms::<Runtime>::put(terms));
        }
        let poor: Vec<_> = workers
            .iter()
            .chain(verifiers)
            .filter(|who| market.wealth(who) == 0)
            .cloned()
            .collect();
        market.endow(&poor);
        let register = |role, who: &String, bond| {
            let profile = match role {
                Role::Worker => Profile {
                    specialisations: Specialisation::ALL.into_iter().collect(),
                    slots: 8,
                    capability: 100,
                },
                _ => Profile::default(),
            };
            let call = pallet_agora_registry::Call::register { role, bond, profile };
            (who.clone(), call.into())
        };
        let workers = workers.iter().map(|who| register(Role::Worker, who, 100 * UNIT));
        let verifiers = verifiers.iter().map(|who| register(Role::Verifier, who, 500 * UNIT));
        market.must(workers.chain(verifiers).collect());
        market
    }

    /// Gives accounts money that have none.
    pub fn endow(&mut self, accounts: &[String]) {
        let give = |who: &String| {
            let call = pallet_balances::Call::transfer_keep_alive {
                dest: account(who).into(),
                value: 10_000 * UNIT,
            };
            ("Alice".to_owned(), call.into())
        };
        self.must(accounts.iter().map(give).collect());
    }

    /// Whether the next block ends a session. Then it has no room for transactions.
    fn ends_session(&mut self) -> bool {
        self.chain.ext.execute_with(|| {
            let next = u64::from(pallet_babe::CurrentSlot::<Runtime>::get()) + 1;
            let began = u64::from(Babe::current_epoch_start());
            next.saturating_sub(began) >= <Runtime as pallet_babe::Config>::EpochDuration::get()
        })
    }

    /// Adds a block with these transactions, and with the reveals of those who attest, when it is time.
    pub fn block(&mut self, mut calls: Vec<(String, RuntimeCall)>) -> Vec<Receipt> {
        if !calls.is_empty() && self.ends_session() {
            self.block(Vec::new());
        }
        let asked_for = calls.len();
        if !self.ends_session() {
            calls.extend(self.reveals());
        }
        let lengths: Vec<_> = calls.iter().map(|(_, call)| call.encoded_size()).collect();
        let (events, results) = self.chain.block(calls.into_iter().map(|(who, call)| (key(&who), call)));
        let weights = events.iter().filter_map(|event| match event {
            RuntimeEvent::System(
                frame_system::Event::ExtrinsicSuccess { dispatch_info }
                | frame_system::Event::ExtrinsicFailed { dispatch_info, .. },
            ) => Some(dispatch_info.weight),
            _ => None,
        });
        // The first is the inherent of the time.
        let ended = weights.skip(1).zip(results).zip(lengths);
        let receipt = |((weight, result), bytes)| Receipt { bytes, weight, result };
        let receipts = ended.map(receipt).take(asked_for).collect();
        self.events.extend(events);
        receipts
    }

    /// Has these commit to attestations about the result of `task`, in one block, and reveal them when that is possible.
    pub fn attest(&mut self, task: TaskId, attesters: Vec<Attester>) {
        let mut calls = Vec::new();
        for attester in attesters {
            let of = attester.copies.clone().unwrap_or_else(|| attester.who.clone());
            let (commitment, _) = self.sealed(task, &of, &attester, None);
            let call = pallet_agora_judging::Call::commit_attestation { task, commitment };
            calls.push((attester.who.clone(), call.into()));
            self.attesters.push((task, attester));
        }
        self.must(calls);
    }

    /// What `who` commits to if it has what an attester had, and what that attester shows of it once chunks are drawn.
    fn sealed(
        &mut self,
        task: TaskId,
        who: &str,
        attester: &Attester,
        draw: Option<H256>,
    ) -> (H256, Option<Possession>) {
        let window = self.chain.ext.execute_with(|| AppealWindows::<Runtime>::get(task));
        let terms = window.expect("a window is open").terms;
        let by = account(who);
        let output = to_be_shown(&terms.claim, attester.attestation);
        let key = possession_key(terms.seed, task, &by);
        let root = output.map(|_| keyed_hash(&key, &attester.had));
        let genesis = self.chain.ext.execute_with(|| System::block_hash(0));
        let about = Sealed {
            genesis,
            task,
            seed: terms.seed,
            claim: &terms.claim,
            verifier: &by,
            attestation: attester.attestation,
            root,
        };
        let shown = |(output, draw): (&BlobRef, H256)| {
            let drawn = drawn_chunks(draw, task, &by, output.chunks());
            let mut shown = Possession::new(&key, root?, &attester.had, &drawn)?;
            // It shows what it has since.
            for opening in &mut shown.openings {
                opening.plain = ChunkProof::new(&attester.has, opening.plain.index)?;
            }
            Some(shown)
        };
        let possession = output.zip(draw).and_then(shown);
        (attestation_commitment(&about, &SALT), possession)
    }

    /// The reveals of those whose chunks are drawn.
    fn reveals(&mut self) -> Vec<(String, RuntimeCall)> {
        let draws = self.events.iter().filter_map(|event| match event {
            RuntimeEvent::Judging(JudgingEvent::ChunksDrawn { task, draw, .. }) => Some((*task, *draw)),
            _ => None,
        });
        let draws: BTreeMap<_, _> = draws.collect();
        let (ready, waiting) = std::mem::take(&mut self.attesters)
            .into_iter()
            .partition(|(task, _)| draws.contains_key(task));
        self.attesters = waiting;
        let mut calls = Vec::new();
        for (task, attester) in ready.into_iter().filter(|(_, attester)| attester.reveals) {
            let (_, possession) = self.sealed(task, &attester.who, &attester, draws.get(&task).copied());
            let call = pallet_agora_judging::Call::reveal_attestation {
                task,
                attestation: attester.attestation,
                salt: SALT,
                possession,
            };
            calls.push((attester.who, call.into()));
        }
        calls
    }

    /// Adds a block with these transactions, all of which succeed.
    ///
    /// # Panics
    ///
    /// If one does not.
    pub fn must(&mut self, calls: Vec<(String, RuntimeCall)>) -> Vec<Receipt> {
        let names: Vec<_> = calls.iter().map(|(who, _)| who.clone()).collect();
        let receipts = self.block(calls);
        for (who, receipt) in names.iter().zip(&receipts) {
            assert_eq!(receipt.result, Ok(()), "a transaction of {who}");
        }
        receipts
    }

    /// Number of the last block.
    pub fn now(&self) -> BlockNumber {
        self.chain.headers.len() as BlockNumber
    }

    /// What an account has, free and held.
    pub fn wealth(&mut self, who: &str) -> Balance {
        let data = self.chain.ext.execute_with(|| System::account(account(who)).data);
        data.free + data.reserved
    }

    /// A transaction as `who` would sign it now.
    pub fn signed(&mut self, who: &str, call: RuntimeCall) -> UncheckedExtrinsic {
        self.chain.ext.execute_with(|| chain::signed(&key(who), call))
    }

    /// Adds blocks until `found` finds something among the events from number `from` on.
    fn until<T>(&mut self, what: &str, from: usize, found: impl Fn(&RuntimeEvent) -> Option<T>) -> T {
        for _ in 0..PATIENCE {
            if let Some(found) = self.events[from..].iter().find_map(&found) {
                return found;
            }
            self.block(Vec::new());
        }
        panic!("not in {PATIENCE} blocks: {what}");
    }

    /// Publishes a task.
    pub fn publish(&mut self, who: &str, job: &JobSpec) -> TaskId {
        let class = class_of(job);
        let window = self.class(job).commit_window;
        let call = pallet_agora_tasks::Call::publish {
            class,
            job: JobSource::Inline(job.clone()),
            difficulty: Difficulty::ONE,
            reward: REWARD,
            // Time enough to be invited, to accept and to work.
            deadline: self.now() + window + 60,
            reference: [9; 16],
        };
        let from = self.events.len();
        self.must(vec![(who.to_owned(), call.into())]);
        self.until("a publication", from, |event| match event {
            RuntimeEvent::Tasks(TaskEvent::Published { task, .. }) => Some(*task),
            _ => None,
        })
    }

    /// The class of a job.
    pub fn class(&mut self, job: &JobSpec) -> ClassOf<Runtime> {
        let class = self.chain.ext.execute_with(|| Classes::<Runtime>::get(class_of(job)));
        class.expect("every kind has a class")
    }

    /// Has workers accept a task, each as soon as it may.
    pub fn accept(&mut self, task: TaskId, workers: &[String]) {
        let mut left = workers.to_vec();
        for _ in 0..PATIENCE {
            let accept = |who: &String| (who.clone(), pallet_agora_tasks::Call::accept { task }.into());
            let receipts = self.block(left.iter().map(accept).collect());
            let mut accepted = receipts.iter().map(|receipt| receipt.result.is_ok());
            left.retain(|_| !accepted.next().unwrap_or(false));
            if left.is_empty() {
                return;
            }
        }
        panic!("{left:?} cannot accept task {task}");
    }

    /// What `who` commits to if it makes `claim`.
    pub fn commitment(&mut self, task: TaskId, who: &str, claim: &Claim) -> H256 {
        let genesis = self.chain.ext.execute_with(|| System::block_hash(0));
        commitment(genesis, task, &account(who), claim, &SALT)
    }

    /// Has everybody commit; once that is possible.
    pub fn commit(&mut self, task: TaskId, claims: &[(String, Claim)]) {
        // The least time to think.
        for _ in 0..12 {
            self.block(Vec::new());
        }
        let mut calls = Vec::new();
        for (who, claim) in claims {
            let commitment = self.commitment(task, who, claim);
            calls.push((
                who.clone(),
                pallet_agora_tasks::Call::commit { task, commitment }.into(),
            ));
        }
        self.must(calls);
    }

    /// Waits until claims may be revealed, and has everybody try it.
    pub fn reveal(&mut self, task: TaskId, claims: &[(String, Claim)]) -> Vec<Receipt> {
        self.until("revealing", 0, |event| match event {
            RuntimeEvent::Tasks(TaskEvent::RevealStarted { task: of, .. }) if *of == task => Some(()),
            _ => None,
        });
        let reveal = |(who, claim): &(String, Claim)| {
            let call = pallet_agora_tasks::Call::reveal {
                task,
                claim: *claim,
                salt: SALT,
            };
            (who.clone(), call.into())
        };
        self.block(claims.iter().map(reveal).collect())
    }

    /// Has the workers accept `task`, commit to their claims and reveal them, and waits until a result is chosen.
    pub fn work(&mut self, task: TaskId, claims: &[(String, Claim)]) {
        let workers: Vec<_> = claims.iter().map(|(who, _)| who.clone()).collect();
        self.accept(task, &workers);
        self.commit(task, claims);
        for receipt in self.reveal(task, claims) {
            assert_eq!(receipt.result, Ok(()), "a claim is revealed");
        }
        self.chosen(task);
    }

    /// Waits until a result is chosen.
    pub fn chosen(&mut self, task: TaskId) {
        self.until("a result", 0, |event| match event {
            RuntimeEvent::Tasks(TaskEvent::ResultChosen { task: of, .. }) if *of == task => Some(()),
            _ => None,
        });
    }

    /// Waits until the task ends, and returns how.
    pub fn ended(&mut self, task: TaskId) -> Phase {
        self.until("the end of a task", 0, |event| {
            let RuntimeEvent::Tasks(event) = event else { return None };
            let (of, phase) = match event {
                TaskEvent::Settled { task, .. } => (task, Phase::Settled),
                TaskEvent::Failed { task } => (task, Phase::Failed),
                TaskEvent::Expired { task } => (task, Phase::Expired),
                _ => return None,
            };
            (*of == task).then_some(phase)
        })
    }

    fn case(&mut self, task: TaskId) -> Case<agora_runtime::AccountId, BlockNumber> {
        let case = self.chain.ext.execute_with(|| Computation::case(task));
        case.expect("the claim may be accused")
    }

    /// Everybody commits to an accusation of what the task has come to, and reveals it when that is possible. Returns the receipts and the
    /// trials.
    pub fn accuse(
        &mut self,
        task: TaskId,
        job: &JobSpec,
        accusations: &[(String, Accusation)],
    ) -> (Vec<Receipt>, Vec<u64>) {
        let case = self.case(task);
        let genesis = self.chain.ext.execute_with(|| System::block_hash(0));
        let commit = |(who, accusation): &(String, Accusation)| {
            let by = account(who);
            let hash = agora_disputes::commitment(&genesis, case.number, by.as_ref(), accusation, &SALT);
            let call = Court::commit { task, commitment: hash };
            (who.clone(), call.into())
        };
        let mut receipts = self.must(accusations.iter().map(commit).collect());
        // Blocks that were full, such as those that end a session, are no time.
        let full = FullBlocks::<Runtime>::get;
        while self.now() < case.commit_until(self.chain.ext.execute_with(full)) {
            self.block(Vec::new());
        }
        let reveal = |(who, accusation): &(String, Accusation)| {
            let call = Court::reveal {
                task,
                accusation: Box::new(accusation.clone()),
                salt: SALT,
                job: Box::new(job.clone()),
            };
            (who.clone(), call.into())
        };
        let from = self.events.len();
        receipts.extend(self.must(accusations.iter().map(reveal).collect()));
        let trials = self.events[from..].iter().filter_map(|event| match event {
            RuntimeEvent::Computation(CourtEvent::TrialOpened { task: of, trial, .. }) if *of == task => Some(*trial),
            _ => None,
        });
        (receipts, trials.collect())
    }

    /// When a transaction is included at the earliest, as the court counts it.
    pub fn next_time(&mut self) -> Time {
        let full = self.chain.ext.execute_with(FullBlocks::<Runtime>::get);
        Time {
            block: u64::from(self.now()) + 1,
            full,
        }
    }

    /// What trials have that is settled apart, in an order in which it can be.
    pub fn parts(&mut self) -> Vec<(u64, Part)> {
        self.chain.ext.execute_with(|| {
            let mut all = Vec::new();
            let mut trials: Vec<_> = Trials::<Runtime>::iter_keys().collect();
            trials.sort_unstable();
            for trial in trials {
                let matches = Matches::<Runtime>::iter_key_prefix((trial,));
                all.extend(matches.map(|(key, one, other)| (trial, Part::Match(key, one, other))));
                let runs = Runs::<Runtime>::iter_key_prefix((trial,));
                all.extend(runs.map(|(key, root)| (trial, Part::Run(key, root))));
                let defences = Defences::<Runtime>::iter_key_prefix(trial);
                all.extend(defences.map(|key| (trial, Part::Defence(key))));
                all.push((trial, Part::Accusation));
            }
            all
        })
    }

    /// Has `who` settle all bonds of trials that are over.
    pub fn collect(&mut self, who: &str) -> Vec<Receipt> {
        let parts = self.parts().into_iter();
        let collect = |(trial, part)| (who.to_owned(), Court::collect { trial, part }.into());
        self.must(parts.map(collect).collect())
    }

    /// The lengths of the phases of trials that begin now, without the time to compute a job.
    pub fn terms(&mut self) -> Terms {
        let terms = self.chain.ext.execute_with(CurrentTerms::<Runtime>::get);
        terms.expect("the chain has a court")
    }
}
