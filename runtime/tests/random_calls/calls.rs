//! Calls that anybody can make: mostly sensible, sometimes not.

use crate::{
    governance,
    rng::Rng,
    world::{Fate, Habit, World, any_class, minimum_bond},
};
use agora_primitives::{
    ClassId, TaskId,
    job::{JobKind, JobSource, JobSpec, StoredJob, SyntheticJob},
    judging::Attestation,
    participants::{Role, Specialisation, Specialisations},
};
use agora_runtime::{
    AccountId, Balance, Balances, MICRO_UNIT, Runtime, RuntimeCall, RuntimeOrigin, System, UNIT,
};
use frame_support::traits::{GetCallMetadata, UnfilteredDispatchable};
use pallet_agora_registry::Profile;
use pallet_agora_tasks::{
    Difficulty,
    types::{ContributionState, Phase},
};
use sp_core::H256;
use sp_keyring::Sr25519Keyring;
use sp_runtime::DispatchError;

/// Whose call it is.
#[derive(Clone, Debug)]
pub enum Caller {
    Signed(AccountId),
    Root,
}

/// A call and who makes it.
#[derive(Clone, Debug)]
pub struct Call {
    pub caller: Caller,
    pub call: RuntimeCall,
}

impl Call {
    pub fn signed(who: AccountId, call: impl Into<RuntimeCall>) -> Self {
        Self {
            caller: Caller::Signed(who),
            call: call.into(),
        }
    }

    pub fn root(call: impl Into<RuntimeCall>) -> Self {
        Self {
            caller: Caller::Root,
            call: call.into(),
        }
    }

    pub fn name(&self) -> String {
        let metadata = self.call.get_call_metadata();
        format!("{}.{}", metadata.pallet_name, metadata.function_name)
    }

    pub fn dispatch(self) -> Result<(), DispatchError> {
        let origin = match self.caller {
            Caller::Signed(who) => RuntimeOrigin::signed(who),
            Caller::Root => RuntimeOrigin::root(),
        };
        self.call
            .dispatch_bypass_filter(origin)
            .map(drop)
            .map_err(|failed| failed.error)
    }
}

type Draw = fn(&World, &mut Rng) -> Option<Call>;

/// What is called, and how often compared with the rest. Nothing comes of a draw that makes no sense at the time.
const CALLS: [(u64, Draw); 22] = [
    (60, publish),
    (220, accept),
    (220, commit),
    (220, reveal),
    (90, attest),
    (40, advance),
    (12, cancel),
    (20, heartbeat),
    (25, register),
    (8, update_profile),
    (8, add_bond),
    (6, request_exit),
    (12, withdraw_bond),
    (8, deposit),
    (8, withdraw),
    (15, transfer),
    (12, batch),
    (6, governance::ban),
    (12, governance::lift_ban),
    (8, governance::classes),
    (8, governance::presets),
    (4, governance::usurp),
];

/// Draws the next call.
pub fn draw(world: &World, rng: &mut Rng) -> Call {
    let total = CALLS.iter().map(|(weight, _)| weight).sum();
    loop {
        let mut at = rng.below(total);
        for (weight, draw) in CALLS {
            if at < weight {
                if let Some(call) = draw(world, rng) {
                    return call;
                }
                break;
            }
            at -= weight;
        }
    }
}

/// Numbers that hardly ever make sense.
fn odd_amount(rng: &mut Rng) -> Balance {
    *rng.pick(&[0, 1, MICRO_UNIT, UNIT, u128::MAX / 2, u128::MAX])
        .expect("there are some")
}

fn profile(rng: &mut Rng) -> Profile {
    let any = Profile {
        specialisations: Specialisations(rng.below(1 << 11) as u16),
        slots: rng.below(5) as u32,
        capability: rng.below(300) as u32,
    };
    let all: Specialisations = Specialisation::ALL.into_iter().collect();
    if rng.chance(30) {
        any
    } else {
        Profile {
            specialisations: all,
            slots: 3,
            capability: 50,
        }
    }
}

fn job(class: ClassId, rng: &mut Rng) -> JobSource {
    let own = Specialisation::ALL.get(usize::from(class.0)).copied();
    let mut specialisation = own.unwrap_or(Specialisation::Synthetic);
    if rng.chance(3) {
        specialisation = *rng.pick(&Specialisation::ALL).expect("there are some");
    }
    if specialisation == Specialisation::Synthetic && rng.chance(80) {
        let size = if rng.chance(95) {
            rng.between(1, 64)
        } else {
            rng.below(1 << 13)
        };
        let (matrix_size, iterations) = (size as u32, rng.between(1, 4) as u32);
        return JobSource::Inline(JobSpec::V1(JobKind::Synthetic(SyntheticJob {
            seed: rng.bytes(),
            matrix_size,
            iterations,
        })));
    }
    let size = if rng.chance(95) {
        50_000
    } else {
        rng.below(1 << 31) as u32
    };
    let (hash, chunk_root) = (H256(rng.bytes()), H256(rng.bytes()));
    JobSource::Stored(StoredJob {
        hash,
        size,
        chunk_root,
        specialisation,
    })
}

fn publish(world: &World, rng: &mut Rng) -> Option<Call> {
    if world.live.len() > 24 {
        return None;
    }
    let class = any_class(rng);
    let difficulty = Difficulty(if rng.chance(95) {
        rng.between(1_000, 2_000) as u32
    } else {
        rng.below(20_000) as u32
    });
    let least = pallet_agora_tasks::Classes::<Runtime>::get(class)
        .and_then(|class| class.min_reward(difficulty))
        .unwrap_or(UNIT);
    let reward = match rng.below(100) {
        0..4 => odd_amount(rng),
        4..60 => least,
        _ => least + least / 1_000 * Balance::from(rng.below(500)) + Balance::from(rng.below(7)),
    };
    let now = System::block_number();
    let deadline = match rng.below(100) {
        0..4 => rng.below(2 * u64::from(now) + 2) as u32,
        4..6 => u32::MAX - rng.below(2) as u32,
        _ => now + rng.between(6, 30) as u32,
    };
    // Few of them, so that some are used twice.
    let reference = [rng.below(200) as u8; 16];
    let publisher = if rng.chance(90) {
        rng.pick(&world.publishers)?.clone()
    } else {
        world.anybody(rng)
    };
    let job = job(class, rng);
    let call = pallet_agora_tasks::Call::publish {
        class,
        job,
        difficulty,
        reward,
        deadline,
        reference,
    };
    Some(Call::signed(publisher, call))
}

/// A live task in one of `phases`, mostly.
fn task_in(phases: &[Phase], world: &World, rng: &mut Rng) -> Option<TaskId> {
    if rng.chance(6) {
        return Some(world.any_task(rng));
    }
    let fits = |task: &&TaskId| {
        let progress = pallet_agora_tasks::Progress::<Runtime>::get(*task);
        progress.is_some_and(|progress| phases.contains(&progress.phase))
    };
    let among: Vec<_> = world.live.iter().filter(fits).copied().collect();
    rng.pick(&among).copied()
}

fn accept(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Open, Phase::Working], world, rng)?;
    if world.fate(task) == Fate::Unattractive && rng.chance(97) {
        return None;
    }
    if let Some(progress) = pallet_agora_tasks::Progress::<Runtime>::get(task)
        && progress.accepted >= progress.wanted
        && rng.chance(95)
    {
        return None;
    }
    let invited = pallet_agora_tasks::Invitations::<Runtime>::get(task);
    let who = match invited {
        Some(invited) if rng.chance(70) => rng.pick(&invited.workers)?.clone(),
        _ if rng.chance(95) => rng.pick(&world.workers)?.clone(),
        _ => world.anybody(rng),
    };
    Some(Call::signed(who, pallet_agora_tasks::Call::accept { task }))
}

/// A worker of `task`'s current round for whom `fits` holds, and its contribution.
fn worker_of(
    task: TaskId,
    fits: impl Fn(&ContributionState<u32>) -> bool,
    rng: &mut Rng,
) -> Option<(AccountId, pallet_agora_tasks::types::Contribution<u32>)> {
    let among: Vec<_> = pallet_agora_tasks::Contributions::<Runtime>::iter_prefix(task)
        .filter(|(_, contribution)| fits(&contribution.state))
        .collect();
    rng.pick(&among).cloned()
}

fn commit(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Working], world, rng)?;
    let progress = pallet_agora_tasks::Progress::<Runtime>::get(task);
    let is_open =
        |state: &ContributionState<u32>| matches!(state, ContributionState::Accepted { .. });
    let picked = match rng.below(100) {
        0..3 => None,
        3..6 => worker_of(task, |_| true, rng),
        _ => Some(worker_of(task, is_open, rng)?),
    };
    let (who, commitment) = match (picked, progress) {
        (Some((who, contribution)), Some(progress)) => {
            if world.habit(&who) == Habit::Late && rng.chance(97) {
                return None;
            }
            let answer = world.answer(task, &who, &contribution, progress.kind);
            let commitment = world.commitment(task, &who, answer);
            (who, commitment)
        }
        _ => (world.anybody(rng), H256(rng.bytes())),
    };
    Some(Call::signed(
        who,
        pallet_agora_tasks::Call::commit { task, commitment },
    ))
}

fn reveal(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Revealing], world, rng)?;
    if world.fate(task) == Fate::Abandoned && rng.chance(97) {
        return None;
    }
    let progress = pallet_agora_tasks::Progress::<Runtime>::get(task)?;
    let is_open =
        |state: &ContributionState<u32>| matches!(state, ContributionState::Committed { .. });
    let (who, contribution) = if rng.chance(95) {
        worker_of(task, is_open, rng)?
    } else {
        worker_of(task, |_| true, rng)?
    };
    if world.habit(&who) == Habit::Silent && rng.chance(97) {
        return None;
    }
    let (mut digest, mut trace_root, mut salt) =
        world.answer(task, &who, &contribution, progress.kind);
    match rng.below(100) {
        0 => digest = H256(rng.bytes()),
        1 => trace_root = H256(rng.bytes()),
        2 => salt = rng.bytes(),
        _ => {}
    }
    let caller = if rng.chance(98) {
        who
    } else {
        world.anybody(rng)
    };
    Some(Call::signed(
        caller,
        pallet_agora_tasks::Call::reveal {
            task,
            digest,
            trace_root,
            salt,
        },
    ))
}

fn attest(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Challengeable], world, rng)?;
    let who = if rng.chance(92) {
        rng.pick(&world.validators)?.clone()
    } else {
        world.anybody(rng)
    };
    let contested = matches!(
        world.fate(task),
        Fate::ContestedWrongly | Fate::ContestedRightly
    );
    let says_invalid = if contested { 60 } else { 2 };
    let attestation = if rng.chance(says_invalid) {
        Attestation::Invalid
    } else {
        Attestation::Valid
    };
    Some(Call::signed(
        who,
        pallet_agora_judging::Call::attest { task, attestation },
    ))
}

fn advance(world: &World, rng: &mut Rng) -> Option<Call> {
    let now = System::block_number();
    let is_due = |task: &&TaskId| {
        let progress = pallet_agora_tasks::Progress::<Runtime>::get(*task);
        progress.is_some_and(|progress| progress.due <= now)
    };
    let due: Vec<_> = world.live.iter().filter(is_due).copied().collect();
    let task = match rng.pick(&due) {
        Some(task) => *task,
        None if rng.chance(10) => world.any_task(rng),
        None => return None,
    };
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_tasks::Call::advance { task },
    ))
}

fn cancel(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Open], world, rng)?;
    let publisher = pallet_agora_tasks::Tasks::<Runtime>::get(task).map(|task| task.publisher);
    let who = publisher
        .filter(|_| rng.chance(85))
        .unwrap_or_else(|| world.anybody(rng));
    Some(Call::signed(who, pallet_agora_tasks::Call::cancel { task }))
}

fn heartbeat(world: &World, rng: &mut Rng) -> Option<Call> {
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_registry::Call::heartbeat {},
    ))
}

/// A role and somebody who should have it, mostly.
fn member(world: &World, rng: &mut Rng) -> Option<(AccountId, Role)> {
    Some(match rng.below(100) {
        0..70 => (rng.pick(&world.workers)?.clone(), Role::Worker),
        70..92 => (rng.pick(&world.validators)?.clone(), Role::Validator),
        _ => {
            let roles = [
                Role::Worker,
                Role::Validator,
                Role::Orchestrator,
                Role::Expert,
            ];
            (world.anybody(rng), *rng.pick(&roles)?)
        }
    })
}

fn register(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    let bond = match rng.below(10) {
        0 => odd_amount(rng),
        1..6 => minimum_bond(role),
        _ => minimum_bond(role) + Balance::from(rng.below(1_000)) * MICRO_UNIT,
    };
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::register {
            role,
            bond,
            profile: profile(rng),
        },
    ))
}

fn update_profile(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, _) = member(world, rng)?;
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::update_profile {
            profile: profile(rng),
        },
    ))
}

fn add_bond(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    let amount = if rng.chance(80) {
        UNIT
    } else {
        odd_amount(rng)
    };
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::add_bond { role, amount },
    ))
}

fn request_exit(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    // The cool-down may be longer than an episode: who leaves does not come back.
    let is_needed = world
        .workers
        .iter()
        .skip(3)
        .chain(&world.validators[2..])
        .any(|one| *one == who);
    if is_needed && rng.chance(98) {
        return None;
    }
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::request_exit { role },
    ))
}

fn withdraw_bond(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::withdraw_bond { role },
    ))
}

fn prepaid_amount(rng: &mut Rng) -> Balance {
    if rng.chance(80) {
        Balance::from(rng.below(5_000)) * MICRO_UNIT
    } else {
        odd_amount(rng)
    }
}

fn deposit(world: &World, rng: &mut Rng) -> Option<Call> {
    let amount = prepaid_amount(rng);
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_escrow::Call::deposit { amount },
    ))
}

fn withdraw(world: &World, rng: &mut Rng) -> Option<Call> {
    let amount = prepaid_amount(rng);
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_escrow::Call::withdraw { amount },
    ))
}

/// Moves money about, so that some accounts run dry or die and others can go on.
fn transfer(world: &World, rng: &mut Rng) -> Option<Call> {
    let dest = world.anybody(rng);
    if rng.chance(50) {
        let value = 500 * UNIT;
        let call = pallet_balances::Call::transfer_keep_alive {
            dest: dest.into(),
            value,
        };
        return Some(Call::signed(Sr25519Keyring::Alice.to_account_id(), call));
    }
    let from = world.anybody(rng);
    let value = match rng.below(10) {
        0 => odd_amount(rng),
        1..4 => Balances::free_balance(&from),
        _ => Balances::free_balance(&from) / Balance::from(rng.between(2, 50)),
    };
    let call = pallet_balances::Call::transfer_allow_death {
        dest: dest.into(),
        value,
    };
    Some(Call::signed(from, call))
}

/// Two calls of one account in one: the first stays done where the second fails, or neither is done.
fn batch(world: &World, rng: &mut Rng) -> Option<Call> {
    let drawn = [draw(world, rng), draw(world, rng)];
    let caller = drawn.iter().find_map(|one| match &one.caller {
        Caller::Signed(who) => Some(who.clone()),
        Caller::Root => None,
    })?;
    let calls = drawn.into_iter().map(|one| one.call).collect();
    Some(Call::signed(
        caller,
        if rng.chance(50) {
            pallet_utility::Call::batch { calls }
        } else {
            pallet_utility::Call::batch_all { calls }
        },
    ))
}
