//! The pallets of this runtime are connected: each test fails if a pallet is given `()`, or a constant, in place of
//! another.

mod chain;

use agora_primitives::{
    ClassId, TaskId,
    capability::Capabilities as _,
    courts::{Cases, Offence, Offences},
    job::{Claim, JobKind, JobSource, JobSpec, SyntheticJob},
    judging::{AppealTerms, Judge as _, Seed, TaskParties},
    money::{Escrow as _, Purpose, Scope},
    participants::{Participants as _, Role, Specialisation},
    reputation::{Level, Outcome, Reputation as _, Side},
    task::Difficulty,
};
use agora_runtime::{
    AccountId, Balances, Capability, Escrow, Judging, Registry, Reputation, Runtime, RuntimeOrigin, System, Tasks,
    UNIT,
    block_time::{MAX_SLOT_DURATION_MS, MIN_SLOT_DURATION_MS, SlotDurationMs},
    configs::{capability::SCHEDULE, system::MAXIMUM_BLOCK_WEIGHT},
    randomness::BabeSeed,
};
use chain::{Chain, account, profile};
use frame_support::{
    assert_ok,
    traits::{Get, fungible::Mutate as _},
    weights::constants::WEIGHT_REF_TIME_PER_MILLIS,
};
use pallet_agora_capability::{CurrentRound, Votes};
use pallet_agora_registry::{Members, Trees};
use pallet_agora_reputation::Records;
use sp_consensus_babe::{BABE_ENGINE_ID, digests::PreDigest};
use sp_core::H256;

const SIDE: Side = Side::Worker(Specialisation::Synthetic);

/// Runs `test` on the development chain after its first block.
fn with_a_chain(test: impl FnOnce()) {
    let mut chain = Chain::development();
    chain.block([]);
    chain.ext.execute_with(test);
}

fn register(who: &AccountId, role: Role) {
    let origin = RuntimeOrigin::signed(who.clone());
    assert_ok!(Registry::register(origin, role, 500 * UNIT, profile(role)));
}

#[test]
fn the_seed_follows_the_chains_randomness_the_block_and_the_subject() {
    with_a_chain(|| {
        let seed = || BabeSeed::seed(b"one");
        let mut seen = vec![H256::zero(), seed(), BabeSeed::seed(b"another")];
        assert_eq!(seed(), seen[1]);
        pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([1; 32]));
        seen.push(seed());
        pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([2; 32]));
        seen.push(seed());
        pallet_babe::NextRandomness::<Runtime>::put([3; 32]);
        seen.push(seed());
        // What the block's own author signed, for two slots.
        for slot in [1, 2] {
            let digest = chain::start::babe_digest(&chain::key("Alice"), slot.into());
            let own = digest
                .logs
                .iter()
                .find_map(|log| log.pre_runtime_try_to::<PreDigest>(&BABE_ENGINE_ID));
            assert!(own.is_some(), "the digest is that of a block");
            pallet_babe::Initialized::<Runtime>::put(own);
            seen.push(seed());
        }
        System::set_block_number(System::block_number() + 1);
        seen.push(seed());
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all, "a seed came twice");
    });
}

#[test]
fn draws_and_checks_get_another_seed_in_every_block() {
    let mut chain = Chain::development();
    let mut seeds: Vec<H256> = (0..4)
        .map(|_| {
            chain.block([]);
            chain
                .ext
                .execute_with(|| <Runtime as pallet_agora_tasks::Config>::Seed::seed(b"one"))
        })
        .collect();
    seeds.dedup();
    assert_eq!(seeds.len(), 4);
}

#[test]
fn the_publisher_and_the_workers_of_a_task_may_not_attest() {
    with_a_chain(|| {
        let (publisher, worker, verifier) = (account("Publisher"), account("Worker1"), account("Verifier1"));
        register(&worker, Role::Worker);
        let job = JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 8,
            iterations: 2,
        })));
        let origin = RuntimeOrigin::signed(publisher.clone());
        let (reward, deadline) = (100 * UNIT, 20);
        let class = ClassId(0);
        let published = Tasks::publish(origin, class, job, Difficulty::ONE, reward, deadline, [9; 16]);
        assert!(published.is_ok(), "{published:?}");
        let task = TaskId(0);
        let is_party = <Runtime as pallet_agora_judging::Config>::Parties::is_party;
        assert!(is_party(task, &publisher));
        assert!(!is_party(task, &worker));
        assert_ok!(Tasks::accept(RuntimeOrigin::signed(worker.clone()), task));
        assert!(is_party(task, &worker));
        assert!(!is_party(task, &verifier));
    });
}

#[test]
fn attesters_are_drawn_by_what_their_bonds_weighed_before() {
    with_a_chain(|| {
        let verifiers: Vec<_> = (1..=20).map(|number| account(&format!("Verifier{number}"))).collect();
        for who in verifiers.iter().chain([&account("Late")]) {
            let _ = Balances::mint_into(who, 10_000 * UNIT);
        }
        verifiers.iter().for_each(|who| register(who, Role::Verifier));
        System::set_block_number(System::block_number() + 1);
        // In the block of the seed, by whoever knows it.
        let origin = || RuntimeOrigin::signed(verifiers[0].clone());
        assert_ok!(Registry::add_bond(origin(), Role::Verifier, 9_000 * UNIT));
        register(&account("Late"), Role::Verifier);
        let open = |number: u64, seed: u8| {
            let terms = AppealTerms {
                claim: Claim::Unusable,
                seed: H256::repeat_byte(seed),
                until: System::block_number() + 100,
                reveal_window: 5,
                bond: UNIT,
                specialisation: Specialisation::Synthetic,
            };
            assert_ok!(Judging::open_appeal_window(TaskId(number), terms));
        };
        let windows = 200;
        (0..windows).for_each(|number| open(number, number as u8));
        let seats = |who: &AccountId, windows: core::ops::Range<u64>| {
            windows
                .filter(|number| Judging::may_attest(TaskId(*number), who.clone()))
                .count()
        };
        assert_eq!(seats(&account("Late"), 0..windows), 0);
        let all: usize = verifiers.iter().map(|who| seats(who, 0..windows)).sum();
        // Eight of twenty in each.
        assert!((1_380..=1_760).contains(&all), "{all} seats in {windows} windows");
        // It weighed nothing before it registered, not long ago, and raised its bond then: no more than others, in any case.
        assert!(
            seats(&verifiers[0], 0..windows) <= 110,
            "{}",
            seats(&verifiers[0], 0..windows)
        );
        // From the next block on both count.
        System::set_block_number(System::block_number() + 1);
        (windows..2 * windows).for_each(|number| open(number, number as u8));
        assert_eq!(seats(&verifiers[0], windows..2 * windows), windows as usize);
        assert!(seats(&account("Late"), windows..2 * windows) > 0);
    });
}

#[test]
fn full_blocks_lengthen_the_time_to_reveal() {
    with_a_chain(|| {
        let full = <Runtime as pallet_agora_judging::Config>::FullBlocks::get;
        let before = full();
        pallet_agora_computation::FullBlocks::<Runtime>::mutate(|full| *full += 3);
        assert_eq!(full(), before + 3);
    });
}

#[test]
fn who_does_not_reveal_an_attestation_is_reported_and_tasks_hear_of_the_last_who_does() {
    with_a_chain(|| {
        let who = account("Verifier1");
        assert_ok!(Registry::set_offence_ban(
            RuntimeOrigin::root(),
            Offence::Silent,
            Some(9)
        ));
        <Runtime as pallet_agora_judging::Config>::Offences::report(&who, Offence::Silent);
        assert!(Registry::ensure_not_banned(&who).is_err());
        // It costs as much as being told by the court.
        let weight = <Tasks as TaskParties<AccountId>>::weight();
        assert_eq!(weight, <Tasks as Cases<AccountId>>::weight());
    });
}

#[test]
fn tasks_and_judging_tell_the_reputations() {
    with_a_chain(|| {
        let who = account("Worker1");
        <Runtime as pallet_agora_tasks::Config>::Reputation::record(&who, SIDE, Outcome::Wrong);
        assert!(Records::<Runtime>::contains_key(&who, SIDE));
        let side = Side::Verifier(Specialisation::Synthetic);
        <Runtime as pallet_agora_judging::Config>::Reputation::record(&who, side, Outcome::Wrong);
        assert!(Records::<Runtime>::contains_key(&who, side));
    });
}

#[test]
fn the_judge_is_given_the_workers_confidence() {
    with_a_chain(|| {
        let (who, right) = (account("Worker1"), Outcome::Right { confirmed: true });
        Reputation::record(&who, SIDE, right);
        let confidence =
            <Runtime as pallet_agora_tasks::Config>::Reputation::confidence(&who, Specialisation::Synthetic);
        assert!(confidence > 0);
    });
}

#[test]
fn a_worker_who_reaches_a_level_is_drawn_more_often() {
    with_a_chain(|| {
        let who = account("Worker1");
        register(&who, Role::Worker);
        let worker = || {
            Members::<Runtime>::get(&who)
                .and_then(|member| member.worker)
                .expect("it is registered")
        };
        let newcomer = worker().priority(Specialisation::Synthetic);
        for _ in 0..10 {
            Reputation::record(&who, SIDE, Outcome::Right { confirmed: true });
        }
        assert_eq!(Reputation::level(&who, SIDE), Level::Master);
        assert_eq!(worker().levels.of(Specialisation::Synthetic), Level::Master);
        assert!(worker().priority(Specialisation::Synthetic) > newcomer);
    });
}

#[test]
fn an_account_that_registers_brings_its_level_along() {
    with_a_chain(|| {
        let who = account("Worker1");
        for _ in 0..10 {
            Reputation::record(&who, SIDE, Outcome::Right { confirmed: true });
        }
        register(&who, Role::Worker);
        let worker = Members::<Runtime>::get(&who)
            .and_then(|member| member.worker)
            .expect("it is registered");
        assert_eq!(worker.levels.of(Specialisation::Synthetic), Level::Master);
    });
}

#[test]
fn a_capability_that_is_proven_raises_the_weight_in_the_draw() {
    with_a_chain(|| {
        let who = account("Worker1");
        register(&who, Role::Worker);
        let weight = || {
            let member = Members::<Runtime>::get(&who).and_then(|member| member.worker);
            let leaf = member.expect("it is registered").leaf;
            let trees = Trees::<Runtime>::load();
            let weight = trees.of(Specialisation::Synthetic).weight(leaf);
            weight.expect("its leaf is in the tree")
        };
        assert_eq!(weight(), 1);
        <Runtime as pallet_agora_capability::Config>::Capabilities::prove(&who, 40, 1_000);
        assert_eq!(weight(), 40);
    });
}

/// Fees of responses are held, votes weigh what bonds are worth, and nobody has a bond back before the round in which it votes is over.
#[test]
fn votes_on_hardware_put_the_bonds_of_verifiers_at_stake() {
    with_a_chain(|| {
        let (worker, verifier) = (account("Worker1"), account("Verifier1"));
        register(&worker, Role::Worker);
        register(&verifier, Role::Verifier);
        let now = System::block_number();
        let round = SCHEDULE.open(1, H256::zero(), now, SlotDurationMs::<Runtime>::get());
        CurrentRound::<Runtime>::put(round);
        let digest = H256::repeat_byte(1);
        assert_ok!(Capability::respond(RuntimeOrigin::signed(worker.clone()), 1, digest));
        let fee = Escrow::held(Purpose::ChallengeFee, Scope::Role(Role::Worker), &worker);
        assert_eq!(fee, UNIT / 10);
        let origin = RuntimeOrigin::signed(verifier.clone());
        assert_ok!(Capability::commit_vote(origin, 1, worker.clone(), digest, digest));
        let vote = Votes::<Runtime>::get((1, &verifier, &worker)).expect("it was cast");
        assert_eq!(vote.weight, 1_000);

        let cool_down = <Runtime as pallet_agora_registry::Config>::ExitCoolDown::get();
        assert!(cool_down > SCHEDULE.period, "a bond is withdrawn while it is at stake");
        assert!(round.ends_at - now < SCHEDULE.period);
    });
}

/// A pallet that misses `try-runtime` would be left out when the state of a chain is tried, and nobody would notice.
#[test]
fn every_pallet_of_the_market_follows_the_features_of_the_runtime() {
    let manifest = include_str!("../Cargo.toml");
    let dependencies = manifest.lines().filter_map(|line| line.split_once(' '));
    let pallets: Vec<&str> = dependencies
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("pallet-agora-"))
        .collect();
    assert!(pallets.contains(&"pallet-agora-tasks"), "{pallets:?}");
    for feature in ["std", "runtime-benchmarks", "try-runtime"] {
        let (_, list) = manifest
            .split_once(&format!("\n{feature} = [\n"))
            .expect("the runtime has the feature");
        let (list, _) = list.split_once("\n]").expect("a list ends");
        for pallet in &pallets {
            let line = format!("    \"{pallet}/{feature}\",");
            assert!(
                list.lines().any(|has| has == line),
                "runtime/Cargo.toml: `{feature}` lacks {line}"
            );
        }
    }
}

#[test]
fn the_agenda_has_half_of_what_an_author_has_and_that_is_enough_in_the_shortest_slots() {
    with_a_chain(|| {
        for slot_ms in [MIN_SLOT_DURATION_MS, 1_000, 3_000, MAX_SLOT_DURATION_MS] {
            SlotDurationMs::<Runtime>::put(slot_ms);
            let share = <Runtime as pallet_agora_tasks::Config>::MaxAgendaWeight::get();
            let author_has = WEIGHT_REF_TIME_PER_MILLIS * slot_ms / 2;
            assert!(share.ref_time() <= author_has / 2, "{slot_ms} ms");
            assert!(share.ref_time() <= MAXIMUM_BLOCK_WEIGHT.ref_time() / 4, "{slot_ms} ms");
            assert_ok!(Tasks::do_try_state());
        }
    });
}

#[test]
fn the_court_has_the_registry_ban_and_the_tasks_take_claims() {
    with_a_chain(|| {
        type Court = <Runtime as pallet_agora_computation::Config>::Offences;
        let who = account("Ferdie");
        Court::report(&who, Offence::Wrong);
        assert_ok!(Registry::ensure_not_banned(&who));
        Court::report(&who, Offence::Fraud);
        assert!(Registry::ensure_not_banned(&who).is_err(), "a chain starts with that");
        type Told = <Runtime as pallet_agora_computation::Config>::Cases;
        assert!(<Told as Cases<AccountId>>::weight().ref_time() > 0);
        assert!(<Court as Offences<AccountId>>::weight().ref_time() > 0);
    });
}
