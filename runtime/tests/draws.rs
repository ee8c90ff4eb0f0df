//! Who gains by knowing, or by acting, before a draw: nobody. On the real registry, with the seeds of real blocks.
//!
//! Each test lets the attacker do more than it could: it acts between blocks, knows all of the state, and every output of
//! validators that is published.

mod chain;

use agora_primitives::{
    ClassId, TaskId,
    capability::Capabilities as _,
    job::{BlobRef, JobSource, StoredJob},
    judging::Seed,
    participants::{Participants, Role, Specialisation, Specialisations},
    task::Difficulty,
};
use agora_runtime::{AccountId, Registry, Runtime, RuntimeOrigin, System, Tasks, UNIT, randomness::BabeSeed};
use chain::{Chain, account};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use pallet_agora_registry::Profile;
use pallet_agora_tasks::{DRAW_DELAY, Invitations, NextTaskId};

/// The class of inference, which invites three workers.
const CLASS: ClassId = ClassId(1);
const SPECIALISATION: Specialisation = Specialisation::Inference;
/// The workers of the chain.
const WORKERS: u32 = 6;
/// How many tasks each attack is tried on.
const TASKS: u8 = 40;

fn worker(number: u32) -> AccountId {
    account(&format!("Worker{number}"))
}

fn profile(capability: u32) -> Profile {
    Profile {
        specialisations: Specialisations::NONE.with(SPECIALISATION),
        slots: 1,
        capability,
    }
}

/// A chain with [`WORKERS`] equal workers.
fn market() -> Chain {
    let mut chain = Chain::development();
    chain.block([]);
    chain.ext.execute_with(|| {
        for number in 1..=WORKERS {
            let origin = RuntimeOrigin::signed(worker(number));
            assert_ok!(Registry::register(origin, Role::Worker, 100 * UNIT, profile(100)));
            Registry::prove(&worker(number), 100, u32::MAX);
        }
    });
    chain
}

fn publish(number: u8) -> TaskId {
    let job = JobSource::Stored(StoredJob {
        spec: BlobRef::to(&[number]),
        specialisation: SPECIALISATION,
    });
    let id = NextTaskId::<Runtime>::get();
    let deadline = System::block_number() + 100;
    let origin = RuntimeOrigin::signed(account("Publisher"));
    let published = Tasks::publish(origin, CLASS, job, Difficulty::ONE, 100 * UNIT, deadline, [number; 16]);
    assert!(published.is_ok(), "{published:?}");
    id
}

fn invited(task: TaskId) -> Vec<AccountId> {
    Invitations::<Runtime>::get(task).map_or_else(Vec::new, |invited| invited.workers.to_vec())
}

/// Whom the task would draw in `block`, by what is known now.
fn predicted(task: TaskId, block: u32) -> Vec<AccountId> {
    let now = System::block_number();
    System::set_block_number(block);
    let seed = BabeSeed::seed(&(b"agora/invite", task, 0u32).encode());
    let drawn = Registry::draw_workers(seed, SPECIALISATION, 3, &[account("Publisher")]);
    System::set_block_number(now);
    drawn
}

/// The publisher chooses the block and, among many, the id: if it could compute who will be drawn, it would publish where it draws
/// its own workers.
#[test]
fn the_publisher_cannot_know_who_will_be_drawn() {
    let mut chain = market();
    let mut right = 0;
    for number in 0..TASKS {
        let (task, known) = chain.ext.execute_with(|| {
            let task = publish(number);
            (task, predicted(task, System::block_number() + DRAW_DELAY))
        });
        assert_eq!(known.len(), 3);
        for _ in 0..DRAW_DELAY {
            chain.ext.execute_with(|| assert_eq!(invited(task), []));
            chain.block([]);
        }
        let drawn = chain.ext.execute_with(|| invited(task));
        assert_eq!(drawn.len(), 3);
        right += usize::from(drawn == known);
    }
    // Three of six in their order: one in 120 by chance.
    assert!(right <= 3, "{right} of {TASKS} draws were known");
}

/// An account with a sixth of the weight tries 100 profiles in the last block before the draw, when the first of the two outputs is
/// known, and declares the one with which it would be drawn first.
#[test]
fn a_grinder_of_profiles_gains_nothing() {
    let attacker = worker(1);
    let mut chain = market();
    let (mut expected, mut first) = (0, 0);
    for number in 0..TASKS {
        let task = chain.ext.execute_with(|| publish(number));
        for _ in 1..DRAW_DELAY {
            chain.block([]);
        }
        chain.ext.execute_with(|| {
            let block = System::block_number() + 1;
            let declare = |capability| {
                let origin = RuntimeOrigin::signed(attacker.clone());
                assert_ok!(Registry::update_profile(origin, profile(capability)));
            };
            let wins = |capability: &u32| {
                declare(*capability);
                predicted(task, block).first() == Some(&attacker)
            };
            match (1..=100).rev().find(wins) {
                Some(_) => expected += 1,
                None => declare(100),
            }
        });
        chain.block([]);
        let drawn = chain.ext.execute_with(|| invited(task));
        assert_eq!(drawn.len(), 3);
        first += usize::from(drawn.first() == Some(&attacker));
    }
    // If the seed were known, it would be the first wherever it expects to be; it is in less than a sixth (with the smaller
    // profiles, even less often). Six standard deviations above 40 / 6 are 21.
    assert!(
        expected > usize::from(TASKS) / 3,
        "the attack was no attack: {expected}"
    );
    assert!(
        first < 21 && first < expected,
        "{first} of {TASKS}, expected in {expected}"
    );
}

/// The calls of the block that draws come after the draw: whoever sees the whole seed is too late.
#[test]
fn calls_of_the_block_that_draws_change_nothing() {
    let mut chain = market();
    let task = chain.ext.execute_with(|| publish(1));
    for _ in 1..DRAW_DELAY {
        chain.block([]);
    }
    let exit = |number: u32| {
        let call = pallet_agora_registry::Call::<Runtime>::request_exit { role: Role::Worker };
        (chain::key(&format!("Worker{number}")), call.into())
    };
    chain.must((1..=WORKERS).map(exit));
    chain.ext.execute_with(|| {
        assert_eq!(invited(task).len(), 3);
        let left = account("Worker1");
        assert_noop!(
            Registry::ensure_active(&left, Role::Worker),
            pallet_agora_registry::Error::<Runtime>::Leaving
        );
    });
}
