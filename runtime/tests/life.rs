//! A task's whole life in the real runtime: published, worked on, judged, attested, paid by rule, proven.

mod chain;

use agora_primitives::{
    ClassId, TaskId,
    commitment::commitment,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, SyntheticJob, keyed_hash},
    judging::{Attestation, Possession, Sealed, attestation_commitment, possession_key},
    participants::{Role, Specialisation},
    reputation::Side,
    results::compute_root,
    task::{Difficulty, Phase, TaskView},
};
use agora_runtime::{
    AccountId, Balance, Balances, EXISTENTIAL_DEPOSIT, Results, Runtime, RuntimeCall, RuntimeEvent, System, Tasks,
    UNIT, configs::treasury::TreasuryAccount, genesis_presets::ENDOWMENT,
};
use chain::{Chain, account, key, profile};
use codec::{DecodeAll, Encode};
use frame_support::view_functions::ViewFunction;
use pallet_agora_reputation::Records;
use sp_core::{
    H256,
    offchain::{OffchainDbExt, testing::TestOffchainExt},
};
use sp_runtime::Perbill;
use std::collections::BTreeMap;

const TASK: TaskId = TaskId(0);
const SALT: [u8; 32] = [7; 32];
const WORKERS: [&str; 5] = ["Worker1", "Worker2", "Worker3", "Worker4", "Worker5"];
const VERIFIERS: [&str; 2] = ["Verifier1", "Verifier2"];
const REWARD: Balance = 100 * UNIT;

/// What worker number `n` claims.
type Claims = fn(n: usize) -> Claim;

/// What all workers but the last find.
const CONTENT: [u8; 64] = [0x60; 64];

/// The last worker finds another output than the others.
fn outputs(n: usize) -> Claim {
    Claim::Output {
        output: BlobRef::to(&if n == 4 { [0xbd; 64] } else { CONTENT }),
        states_root: H256::repeat_byte(3),
    }
}

/// All but the last worker find the input unusable.
fn unusable(n: usize) -> Claim {
    if n == 4 { outputs(n) } else { Claim::Unusable }
}

/// The story so far: the chain, and what everybody paid in fees.
struct Story {
    chain: Chain,
    fees: BTreeMap<AccountId, Balance>,
    events: Vec<RuntimeEvent>,
}

impl Story {
    fn block<'a>(&mut self, calls: impl IntoIterator<Item = (&'a str, RuntimeCall)>) {
        let events = self.chain.must(calls.into_iter().map(|(who, call)| (key(who), call)));
        for event in &events {
            if let RuntimeEvent::TransactionPayment(pallet_transaction_payment::Event::TransactionFeePaid {
                who,
                actual_fee,
                ..
            }) = event
            {
                *self.fees.entry(who.clone()).or_default() += actual_fee;
            }
        }
        self.events.extend(events);
    }

    /// Adds empty blocks until one has an event of the tasks that `wanted` accepts.
    fn until(&mut self, what: &str, wanted: impl Fn(&pallet_agora_tasks::Event<Runtime>) -> bool) {
        self.until_event(
            what,
            |event| matches!(event, RuntimeEvent::Tasks(event) if wanted(event)),
        );
    }

    /// Adds empty blocks until one has an event that `wanted` accepts.
    fn until_event(&mut self, what: &str, wanted: impl Fn(&RuntimeEvent) -> bool) {
        for _ in 0..30 {
            if self.events.iter().any(&wanted) {
                return;
            }
            self.block([]);
        }
        panic!("not in 30 blocks: {what}; last events: {:?}", self.events);
    }

    fn fee(&self, who: &str) -> Balance {
        self.fees.get(&account(who)).copied().unwrap_or_default()
    }

    /// What `who` has gained or lost since genesis, without fees.
    fn gain(&mut self, who: &str) -> i128 {
        let total = self.chain.ext.execute_with(|| {
            use frame_support::traits::fungible::Inspect;
            <Balances as Inspect<_>>::total_balance(&account(who))
        });
        (total + self.fee(who)) as i128 - ENDOWMENT as i128
    }
}

fn publish(deadline: u32) -> RuntimeCall {
    let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 8,
        iterations: 2,
    }));
    pallet_agora_tasks::Call::publish {
        class: ClassId(0),
        job: JobSource::Inline(job),
        difficulty: Difficulty::ONE,
        reward: REWARD,
        deadline,
        reference: [9; 16],
    }
    .into()
}

fn register(role: Role, bond: Balance) -> RuntimeCall {
    pallet_agora_registry::Call::register {
        role,
        bond,
        profile: profile(role),
    }
    .into()
}

fn settled(claims: Claims) -> Story {
    let mut story = Story {
        chain: Chain::development(),
        fees: BTreeMap::new(),
        events: Vec::new(),
    };
    let workers = WORKERS.map(|who| (who, register(Role::Worker, 100 * UNIT)));
    let verifiers = VERIFIERS.map(|who| (who, register(Role::Verifier, 500 * UNIT)));
    story.block(workers.into_iter().chain(verifiers));
    story.block([("Publisher", publish(20))]);
    story.block(WORKERS.map(|who| (who, pallet_agora_tasks::Call::accept { task: TASK }.into())));
    story.block([]);

    let genesis = story.chain.ext.execute_with(|| System::block_hash(0));
    let commit = |(n, who): (usize, &&'static str)| {
        let commitment = commitment(genesis, TASK, &account(who), &claims(n), &SALT);
        (*who, pallet_agora_tasks::Call::commit { task: TASK, commitment }.into())
    };
    story.block(WORKERS.iter().enumerate().map(commit).collect::<Vec<_>>());
    story.until("revealing", |event| {
        matches!(event, pallet_agora_tasks::Event::RevealStarted { .. })
    });

    let reveal = |(n, who): (usize, &&'static str)| {
        let call = pallet_agora_tasks::Call::reveal {
            task: TASK,
            claim: claims(n),
            salt: SALT,
        };
        (*who, call.into())
    };
    story.block(WORKERS.iter().enumerate().map(reveal).collect::<Vec<_>>());
    story.until("a result", |event| {
        matches!(event, pallet_agora_tasks::Event::ResultChosen { .. })
    });

    let window = story
        .chain
        .ext
        .execute_with(|| pallet_agora_judging::AppealWindows::<Runtime>::get(TASK));
    let terms = window.expect("a window is open").terms;
    let attest = |who: &'static str| {
        let by = account(who);
        let key = possession_key(terms.seed, TASK, &by);
        let root = terms.claim.output().map(|_| keyed_hash(&key, &CONTENT));
        let sealed = Sealed {
            genesis,
            task: TASK,
            seed: terms.seed,
            claim: &terms.claim,
            verifier: &by,
            attestation: Attestation::Valid,
            root,
        };
        let commitment = attestation_commitment(&sealed, &SALT);
        let commit = pallet_agora_judging::Call::commit_attestation { task: TASK, commitment };
        (
            commit,
            root.and_then(|root| Possession::new(&key, root, &CONTENT, &[0])),
        )
    };
    story.block(VERIFIERS.map(|who| (who, attest(who).0.into())));
    story.until_event("the draw of chunks", |event| {
        matches!(
            event,
            RuntimeEvent::Judging(pallet_agora_judging::Event::ChunksDrawn { .. })
        )
    });
    let reveal = |who| pallet_agora_judging::Call::reveal_attestation {
        task: TASK,
        attestation: Attestation::Valid,
        salt: SALT,
        possession: attest(who).1,
    };
    story.block(VERIFIERS.map(|who| (who, reveal(who).into())));
    story.until("settlement", |event| {
        matches!(event, pallet_agora_tasks::Event::Settled { .. })
    });
    story
}

#[test]
fn everybody_is_paid_by_rule_and_no_planck_is_lost() {
    let mut story = settled(outputs);

    // Burned 60 %, workers 25 % (the best 70 % of it), verifiers 10 %, treasury 5 %; half of the wrong one's bond and the
    // fee for publishing to the treasury.
    let unit = UNIT as i128;
    assert_eq!(story.gain("Publisher"), -100 * unit - unit / 2);
    let mut right: Vec<i128> = WORKERS[..4].iter().map(|who| story.gain(who)).collect();
    right.sort_unstable();
    assert_eq!(right, [2_500, 2_500, 2_500, 17_500].map(|milli| milli * unit / 1_000));
    assert_eq!(story.gain("Worker5"), -10 * unit);
    for who in VERIFIERS {
        assert_eq!(story.gain(who), 5 * unit);
    }

    let fees: Balance = story.fees.values().sum();
    let accounts = genesis_accounts() * ENDOWMENT + EXISTENTIAL_DEPOSIT;
    story.chain.ext.execute_with(|| {
        let treasury = Balances::free_balance(TreasuryAccount::get());
        assert_eq!(treasury, EXISTENTIAL_DEPOSIT + fees + 5 * UNIT + 10 * UNIT + UNIT / 2);
        let all: Balance = frame_system::Account::<Runtime>::iter_values()
            .map(|account| account.data.free + account.data.reserved)
            .sum();
        assert_eq!(all, Balances::total_issuance());
        assert_eq!(
            all + 60 * UNIT,
            accounts,
            "all balances and what was burned are the issuance at the start"
        );
        try_state();
    });
}

#[test]
fn an_unusable_input_is_paid_with_the_stake_and_right_work_loses_nothing() {
    let mut story = settled(unusable);

    // The stake, half of the reward, is divided as the reward is of an output.
    let unit = UNIT as i128;
    assert_eq!(story.gain("Publisher"), -50 * unit - unit / 2);
    let mut right: Vec<i128> = WORKERS[..4].iter().map(|who| story.gain(who)).collect();
    right.sort_unstable();
    assert_eq!(right, [1_250, 1_250, 1_250, 8_750].map(|milli| milli * unit / 1_000));
    assert_eq!(story.gain("Worker5"), -10 * unit);
    for who in VERIFIERS {
        assert_eq!(story.gain(who), 5 * unit / 2);
    }
    let accounts = genesis_accounts() * ENDOWMENT + EXISTENTIAL_DEPOSIT;
    story.chain.ext.execute_with(|| {
        assert_eq!(
            Balances::total_issuance() + 30 * UNIT,
            accounts,
            "three fifths are burned"
        );
        let rate = |who: &str, side| pallet_agora_reputation::Pallet::<Runtime>::success_rate(&account(who), side);
        let (publisher, worker) = (Side::Publisher, Side::Worker(Specialisation::Synthetic));
        assert!(Records::<Runtime>::contains_key(account("Publisher"), publisher));
        assert_eq!(rate("Publisher", publisher), Perbill::zero());
        assert_eq!(rate("Worker1", worker), Perbill::one());
        try_state();
    });
}

#[test]
fn everybodys_part_is_remembered() {
    let mut story = settled(outputs);
    story.chain.ext.execute_with(|| {
        let rate = |who: &str, side| pallet_agora_reputation::Pallet::<Runtime>::success_rate(&account(who), side);
        let remembered = |who: &str, side| Records::<Runtime>::contains_key(account(who), side);
        let worker = Side::Worker(Specialisation::Synthetic);
        let verifier = Side::Verifier(Specialisation::Synthetic);
        let good = WORKERS[..4].iter().map(|who| (*who, worker));
        let good = good.chain(VERIFIERS.map(|who| (who, verifier)));
        for (who, side) in good.chain([("Publisher", Side::Publisher)]) {
            assert!(remembered(who, side), "{who}");
            assert_eq!(rate(who, side), Perbill::one(), "{who}");
        }
        assert!(remembered("Worker5", worker));
        assert_eq!(rate("Worker5", worker), Perbill::zero());
    });
}

#[test]
fn clients_see_the_task_through_the_runtimes_view_functions() {
    let mut story = settled(outputs);
    story.chain.ext.execute_with(|| {
        let id = <pallet_agora_tasks::TaskViewFunction<Runtime> as ViewFunction>::id();
        let answer = Runtime::execute_view_function(id, TASK.encode()).expect("the function exists");
        let view = Option::<TaskView<AccountId, Balance, u32>>::decode_all(&mut &answer[..]);
        let view = view.expect("it answers with a view").expect("the task is known");
        assert_eq!(view, Tasks::task(TASK).expect("the task is known"));
        assert_eq!((view.id, view.phase, view.reward), (TASK, Phase::Settled, REWARD));
        assert_eq!(view.chosen.expect("a result was chosen").claim, outputs(0));
        let page = Tasks::tasks(None);
        assert_eq!((page.tasks.len(), page.next), (1, None));
        assert!(Tasks::tasks_wanting_workers(None).tasks.is_empty());
    });
}

/// Accounts that genesis endows.
fn genesis_accounts() -> Balance {
    let genesis = chain::start::genesis("development");
    let balances = genesis["balances"]["balances"].as_array().expect("a list");
    balances.len() as Balance - 1
}

fn try_state() {
    pallet_agora_escrow::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_registry::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_rewards::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_reputation::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_judging::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_capability::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_tasks::Pallet::<Runtime>::do_try_state().unwrap();
    pallet_agora_results::Pallet::<Runtime>::do_try_state().unwrap();
}

#[test]
fn a_result_is_proven_by_any_later_header_alone() {
    is_proven_by_any_later_header_alone(outputs);
    is_proven_by_any_later_header_alone(unusable);
}

fn is_proven_by_any_later_header_alone(claims: Claims) {
    let mut story = settled(claims);
    story.block([]);
    let first = story.chain.headers.last().cloned().expect("a header");
    for _ in 0..5 {
        story.block([]);
    }
    let last = story.chain.headers.last().cloned().expect("a header");
    let (offchain, _) = TestOffchainExt::with_offchain_db(story.chain.ext.offchain_db());
    story.chain.ext.register_extension(OffchainDbExt::new(offchain));
    for header in [first, last] {
        let proof = story
            .chain
            .ext
            .execute_with(|| Results::result_proof(TASK, Some(header.number)))
            .expect("the result can be proven");
        assert_eq!(proof.leaf.task, TASK);
        assert_eq!(proof.leaf.claim, claims(0));
        let root = compute_root(&header.digest).expect("each header has a compute root");
        assert_eq!(proof.verify(root), Ok(()));
        assert!(proof.verify(H256::repeat_byte(1)).is_err());
    }
}

#[test]
fn every_header_has_exactly_one_compute_root() {
    let mut story = Story {
        chain: Chain::development(),
        fees: BTreeMap::new(),
        events: Vec::new(),
    };
    for _ in 0..3 {
        story.block([]);
    }
    for header in &story.chain.headers {
        let roots = header.digest.logs.iter().filter(|item| {
            compute_root(&sp_runtime::Digest {
                logs: vec![(*item).clone()],
            })
            .is_some()
        });
        assert_eq!(roots.count(), 1);
    }
}
