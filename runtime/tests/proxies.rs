//! What a key may do that acts for an account: work with its bonds, or publish with its money, and nothing else.

mod chain;

use agora_disputes::{Accusation, Target};
use agora_primitives::{
    ClassId, TaskId,
    job::{Claim, JobKind, JobSource, JobSpec, SyntheticJob},
    participants::Role,
    task::Difficulty,
};
use agora_runtime::{
    Balances, Runtime, RuntimeCall, RuntimeEvent, UNIT,
    configs::proxy::ProxyType::{self, Any, Publish, Work},
};
use chain::{Chain, account, key, profile};
use codec::Decode;
use frame_support::traits::{GetCallMetadata, InstanceFilter, fungible::Inspect};
use pallet_agora_registry::Members;
use sp_runtime::DispatchError;
use std::collections::{BTreeMap, BTreeSet};

/// A call of each sort, made from bytes of zero, or of another number where zero begins nothing.
fn calls() -> BTreeMap<String, RuntimeCall> {
    let sorts = (0..=u8::MAX).flat_map(|pallet| (0..=u8::MAX).map(move |call| [pallet, call]));
    let of = |sort: [u8; 2], fill: u8| {
        let bytes = [&sort[..], &[fill; 4096]].concat();
        RuntimeCall::decode(&mut bytes.as_slice()).ok()
    };
    let made = sorts.filter_map(|sort| (0..4).find_map(|fill| of(sort, fill)));
    let named = made.map(|call| {
        let metadata = call.get_call_metadata();
        (format!("{}.{}", metadata.pallet_name, metadata.function_name), call)
    });
    let versioned = [("Tasks.publish", publish()), ("Computation.reveal", reveal())];
    named
        .chain(versioned.map(|(name, call)| (name.to_owned(), call)))
        .collect()
}

fn job() -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 8,
        iterations: 2,
    }))
}

fn reveal() -> RuntimeCall {
    pallet_agora_computation::Call::reveal {
        task: TaskId(0),
        accusation: Box::new(Accusation {
            accused: Claim::Unusable,
            target: Target::Inputs,
            own: None,
        }),
        salt: [1; 32],
        job: Box::new(job()),
    }
    .into()
}

fn publish() -> RuntimeCall {
    pallet_agora_tasks::Call::publish {
        class: ClassId(0),
        job: JobSource::Inline(job()),
        difficulty: Difficulty::ONE,
        reward: 1000 * UNIT,
        deadline: 20,
        reference: [9; 16],
    }
    .into()
}

#[test]
fn every_call_of_the_runtime_is_made_here() {
    let made: BTreeSet<String> = calls().into_keys().collect();
    let all = RuntimeCall::get_module_names().iter().flat_map(|pallet| {
        let calls = RuntimeCall::get_call_names(pallet).iter();
        calls.map(move |call| format!("{pallet}.{call}"))
    });
    let missing: BTreeSet<String> = all.filter(|call| !made.contains(call)).collect();
    // These take two headers and their seals; a list of what is allowed does not name them.
    let proofs = ["Babe", "Grandpa"]
        .iter()
        .flat_map(|pallet| ["", "_unsigned"].map(|end| format!("{pallet}.report_equivocation{end}")));
    assert_eq!(missing, proofs.collect());
}

fn allowed(to: ProxyType) -> BTreeSet<String> {
    let allowed = calls().into_iter().filter(|(_, call)| to.filter(call));
    allowed.map(|(name, _)| name).collect()
}

fn names(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Each of its calls is filtered by itself.
const BATCHES: [&str; 3] = ["Utility.batch", "Utility.batch_all", "Utility.force_batch"];

#[test]
fn a_key_for_work_may_make_these_calls_and_no_other() {
    let work = [
        "Tasks.accept",
        "Tasks.decline",
        "Tasks.commit",
        "Tasks.reveal",
        "Tasks.advance",
        "Exact.reveal",
        "Judging.commit_attestation",
        "Judging.reveal_attestation",
        "Computation.commit",
        "Computation.reveal",
        "Computation.withdraw",
        "Computation.show",
        "Computation.name_child",
        "Computation.defend",
        "Computation.dispute_list",
        "Computation.add_run",
        "Computation.challenge",
        "Computation.open_node",
        "Computation.execute",
        "Computation.advance",
        "Computation.collect",
        "Capability.respond",
        "Capability.commit_vote",
        "Capability.reveal_vote",
        "Capability.show_decoy",
        "Registry.heartbeat",
        "Registry.update_profile",
        "Registry.set_addresses",
    ];
    assert_eq!(allowed(Work), names(&[&work[..], &BATCHES].concat()));
}

#[test]
fn a_key_for_publishing_may_make_these_calls_and_no_other() {
    let publish = [
        "Tasks.publish",
        "Tasks.cancel",
        "Tasks.advance",
        "Registry.set_addresses",
    ];
    assert_eq!(allowed(Publish), names(&[&publish[..], &BATCHES].concat()));
    assert!(allowed(Any).len() > 60, "{:?}", allowed(Any));
}

#[test]
fn no_sort_of_key_gives_more_than_it_has() {
    for (to, over) in [(Work, Publish), (Publish, Work), (Work, Any), (Publish, Any)] {
        assert!(!to.is_superset(&over), "{to:?} over {over:?}");
    }
    for of in [Any, Work, Publish] {
        assert!(Any.is_superset(&of) && of.is_superset(&of), "{of:?}");
    }
}

fn act(call: impl Into<RuntimeCall>) -> RuntimeCall {
    pallet_proxy::Call::proxy {
        real: account("Owner").into(),
        force_proxy_type: None,
        call: Box::new(call.into()),
    }
    .into()
}

/// What came of the call that a proxy made.
fn result(events: &[RuntimeEvent]) -> Result<(), DispatchError> {
    let mut results = events.iter().filter_map(|event| match event {
        RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(*result),
        _ => None,
    });
    results.next_back().expect("a proxy acted")
}

/// A worker whose hot key may work.
fn chain_with_a_hot_key() -> Chain {
    let mut chain = Chain::development();
    let (owner, hot) = (account("Owner"), account("Hot"));
    let fund = |dest: &agora_runtime::AccountId| pallet_balances::Call::transfer_keep_alive {
        dest: dest.clone().into(),
        value: 1000 * UNIT,
    };
    chain.must([(key("Alice"), fund(&owner).into()), (key("Alice"), fund(&hot).into())]);
    let register = pallet_agora_registry::Call::register {
        role: Role::Worker,
        bond: 100 * UNIT,
        profile: profile(Role::Worker),
    };
    let add = pallet_proxy::Call::add_proxy {
        delegate: hot.into(),
        proxy_type: Work,
        delay: 0,
    };
    chain.must([(key("Owner"), register.into()), (key("Owner"), add.into())]);
    chain
}

#[test]
fn a_hot_key_works_for_the_account_and_pays_the_fees_itself() {
    let mut chain = chain_with_a_hot_key();
    let money = |chain: &mut Chain, who: &str| {
        chain
            .ext
            .execute_with(|| <Balances as Inspect<_>>::total_balance(&account(who)))
    };
    let before = (money(&mut chain, "Owner"), money(&mut chain, "Hot"));
    let events = chain.must([(key("Hot"), act(pallet_agora_registry::Call::heartbeat {}))]);
    assert_eq!(result(&events), Ok(()));
    chain.ext.execute_with(|| {
        let member = Members::<Runtime>::get(account("Owner")).expect("it is registered");
        assert_eq!(member.last_heartbeat, agora_runtime::System::block_number());
    });
    assert_eq!(money(&mut chain, "Owner"), before.0);
    assert!(money(&mut chain, "Hot") < before.1);
}

#[test]
fn a_stolen_hot_key_moves_no_money_however_the_call_is_wrapped() {
    let mut chain = chain_with_a_hot_key();
    let to_thief = || pallet_balances::Call::transfer_all {
        dest: account("Thief").into(),
        keep_alive: false,
    };
    let batch = pallet_utility::Call::batch_all {
        calls: vec![pallet_agora_registry::Call::heartbeat {}.into(), to_thief().into()],
    };
    let nested = pallet_utility::Call::batch_all {
        calls: vec![batch.clone().into()],
    };
    let promoted = pallet_proxy::Call::add_proxy {
        delegate: account("Thief").into(),
        proxy_type: Any,
        delay: 0,
    };
    let twice: RuntimeCall = act(to_thief());
    let tried: [RuntimeCall; 8] = [
        to_thief().into(),
        batch.into(),
        nested.into(),
        promoted.into(),
        pallet_proxy::Call::remove_proxies {}.into(),
        pallet_agora_registry::Call::request_exit { role: Role::Worker }.into(),
        pallet_agora_registry::Call::withdraw_bond { role: Role::Worker }.into(),
        twice,
    ];
    for call in tried {
        let events = chain.must([(key("Hot"), act(call.clone()))]);
        assert_eq!(
            result(&events),
            Err(frame_system::Error::<Runtime>::CallFiltered.into()),
            "{call:?}"
        );
    }
    chain.ext.execute_with(|| {
        assert_eq!(<Balances as Inspect<_>>::total_balance(&account("Thief")), 0);
        assert!(Members::<Runtime>::contains_key(account("Owner")));
    });
}
