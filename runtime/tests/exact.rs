//! Tasks that the chain computes itself, in the real runtime: verdict and pay in the block of the reveal.

mod chain;

use agora_primitives::{
    ClassId, TaskId,
    commitment::commitment,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, Mode, ProgramJob},
    judging::JudgeRule,
    participants::{Role, Specialisation, Specialisations},
    task::{Difficulty, Phase},
};
use agora_reference::{Inputs, run};
use agora_runtime::{
    AccountId, Balance, Balances, Results, Runtime, RuntimeCall, RuntimeEvent, System, Tasks, TransactionPayment, UNIT,
    block_time::MIN_SLOT_DURATION_MS,
    configs::exact::{MAX_EVIDENCE, MAX_WORK},
    genesis_presets::ENDOWMENT,
};
use chain::{Chain, account, key, profile};
use frame_support::{
    dispatch::GetDispatchInfo,
    traits::fungible::Inspect,
    weights::{Weight, constants::WEIGHT_REF_TIME_PER_MILLIS},
};
use sp_runtime::DispatchError;

/// Programs, which the chain runs.
const CLASS: ClassId = ClassId(11);
const TASK: TaskId = TaskId(0);
const SALT: [u8; 32] = [7; 32];
const REWARD: Balance = 4 * UNIT;

/// A program that counts words, and a text.
struct Known {
    job: JobSpec,
    inputs: [Vec<u8>; 2],
}

impl Known {
    fn new() -> Self {
        let image = include_bytes!("../../guests/images/words.bin").to_vec();
        let text = b"the chain computes it, and the chain is right".to_vec();
        let job = ProgramJob {
            image: BlobRef::to(&image),
            inputs: vec![BlobRef::to(&text)].try_into().unwrap(),
            mode: Mode::Map,
            items: 1,
            gas: 500_000,
            record_bytes: 1024,
        };
        Self {
            job: JobSpec::V2(JobKind::Program(job)),
            inputs: [image, text],
        }
    }

    fn claim(&self) -> Claim {
        run(&self.job, self).unwrap().claim
    }
}

impl Inputs for Known {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.inputs
            .iter()
            .find(|content| BlobRef::to(content) == *blob)
            .map(Vec::as_slice)
    }
}

fn total(chain: &mut Chain, who: &AccountId) -> Balance {
    chain.ext.execute_with(|| <Balances as Inspect<_>>::total_balance(who))
}

/// A chain on which `worker` has committed to `claim` about the task of `known`.
fn committed(known: &Known, claim: Claim) -> Chain {
    let mut chain = Chain::development();
    chain.block([]);
    let worker = pallet_agora_registry::Call::register {
        role: Role::Worker,
        bond: 500 * UNIT,
        profile: pallet_agora_registry::Profile {
            specialisations: Specialisations::NONE.with(Specialisation::Program),
            ..profile(Role::Worker)
        },
    };
    let publish = pallet_agora_tasks::Call::publish {
        class: CLASS,
        job: JobSource::Inline(known.job.clone()),
        difficulty: Difficulty::ONE,
        reward: REWARD,
        deadline: 20,
        reference: [9; 16],
    };
    chain.must([(key("Worker1"), worker.into()), (key("Publisher"), publish.into())]);
    chain.must([(key("Worker1"), pallet_agora_tasks::Call::accept { task: TASK }.into())]);
    chain.block([]);
    let genesis = chain.ext.execute_with(|| System::block_hash(0));
    let commitment = commitment(genesis, TASK, &account("Worker1"), &claim, &SALT);
    let commit = pallet_agora_tasks::Call::commit { task: TASK, commitment };
    chain.must([(key("Worker1"), commit.into())]);
    chain
}

fn reveal(known: &Known, claim: Claim) -> RuntimeCall {
    pallet_agora_exact::Call::reveal {
        task: TASK,
        claim,
        salt: SALT,
        evidence: known.inputs.concat().try_into().unwrap(),
    }
    .into()
}

#[test]
fn a_program_decides_in_the_block_of_the_reveal() {
    let known = Known::new();
    let claim = known.claim();
    let mut chain = committed(&known, claim);
    let events = chain.must([(key("Worker1"), reveal(&known, claim))]);
    let settled = events.iter().any(|event| {
        matches!(event, RuntimeEvent::Tasks(pallet_agora_tasks::Event::Settled { task: TASK, claim: is, .. }) if *is == claim)
    });
    assert!(settled, "{events:?}");
    let paid = events.iter().any(|event| {
        matches!(
            event,
            RuntimeEvent::Escrow(pallet_agora_escrow::Event::Paid {
                payee: agora_primitives::money::Payee::Account(who),
                amount,
                ..
            }) if *who == account("Worker1") && *amount == REWARD / 4
        )
    });
    assert!(paid, "{events:?}");
    chain.ext.execute_with(|| {
        let view = Tasks::task(TASK).unwrap();
        assert_eq!((view.phase, view.judge), (Phase::Settled, JudgeRule::Exact));
        assert_eq!(view.chosen.map(|chosen| chosen.claim), Some(claim));
        // The tree of results of this block has a leaf for it, which any header proves from then on.
        assert!(pallet_agora_results::Places::<Runtime>::contains_key(TASK));
        assert_eq!(Tasks::do_try_state(), Ok(()));
        assert_eq!(Results::do_try_state(), Ok(()));
    });
}

#[test]
fn a_wrong_claim_is_refused_and_the_publisher_has_everything_back() {
    let known = Known::new();
    let wrong = Claim::Output {
        output: BlobRef::to(b"wrong"),
        states_root: Default::default(),
    };
    let mut chain = committed(&known, wrong);
    let (_, outcomes) = chain.block([(key("Worker1"), reveal(&known, wrong))]);
    let error: DispatchError = pallet_agora_exact::Error::<Runtime>::OtherClaim.into();
    let refused = |outcome: &Result<(), DispatchError>| match (outcome, error) {
        (Err(DispatchError::Module(is)), DispatchError::Module(expected)) => {
            (is.index, is.error) == (expected.index, expected.error)
        }
        _ => false,
    };
    assert!(refused(&outcomes[0]), "{outcomes:?}");
    for _ in 0..10 {
        chain.block([]);
    }
    let phase = chain.ext.execute_with(|| Tasks::task(TASK).unwrap().phase);
    assert_eq!(phase, Phase::Expired);
    let spent = ENDOWMENT - total(&mut chain, &account("Publisher"));
    // The fee of a transaction, and nothing else.
    assert!(spent < UNIT / 100, "{spent}");
}

#[test]
fn the_fee_is_for_what_was_computed() {
    let known = Known::new();
    let claim = known.claim();
    let mut chain = committed(&known, claim);
    let call = reveal(&known, claim);
    let declared = call.get_dispatch_info().call_weight;
    let before = total(&mut chain, &account("Worker1"));
    chain.must([(key("Worker1"), call)]);
    let pay = REWARD / 4;
    let fee = before + pay - total(&mut chain, &account("Worker1"));
    let most = chain.ext.execute_with(|| TransactionPayment::weight_to_fee(declared));
    assert!(fee < most, "{fee} of {most}");
    // What it brings is many times what it costs.
    assert!(fee * 5 < pay, "{fee} of {pay}");
}

/// The heaviest call there can be.
fn heaviest() -> Weight {
    let call = pallet_agora_exact::Call::<Runtime>::reveal {
        task: TASK,
        claim: Claim::Unusable,
        salt: SALT,
        evidence: vec![0; MAX_EVIDENCE as usize].try_into().unwrap(),
    };
    call.get_dispatch_info().call_weight
}

#[test]
fn the_largest_job_leaves_an_author_of_the_shortest_slots_most_of_its_time() {
    // An author stops when half of its slot has passed.
    let time = MIN_SLOT_DURATION_MS * WEIGHT_REF_TIME_PER_MILLIS / 2;
    let most = heaviest().ref_time();
    assert!(most * 3 < time, "{most} of {time}");
}

#[test]
fn who_is_right_and_in_time_never_loses_by_the_fee() {
    let mut chain = Chain::development();
    chain.block([]);
    chain.ext.execute_with(|| {
        let weight = TransactionPayment::weight_to_fee(heaviest());
        let length = TransactionPayment::length_to_fee(MAX_EVIDENCE + 300);
        for (id, class) in pallet_agora_tasks::Classes::<Runtime>::iter() {
            if class.judge == JudgeRule::Exact {
                // Unusable inputs are paid with the stake, of which workers have a quarter with preset 0.
                let pay = class.stake_rate.mul_floor(class.base_reward) / 4;
                assert!(weight + length < pay, "class {id}: {weight} and {length} of {pay}");
            }
        }
    });
}

#[test]
fn what_a_program_may_have_is_what_the_guides_say() {
    let with_gas = |gas| {
        let JobSpec::V2(JobKind::Program(job)) = Known::new().job else {
            panic!("no program");
        };
        let job = JobSource::Inline(JobSpec::V2(JobKind::Program(ProgramJob { gas, ..job })));
        pallet_agora_exact::admits(&job, MAX_WORK, MAX_EVIDENCE).map(drop)
    };
    assert_eq!(with_gas(700_000), Ok(()));
    assert!(with_gas(750_000).is_err());
}
