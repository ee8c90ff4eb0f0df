//! What governance does, and what others try.

use crate::{
    calls::{Call, Caller},
    rng::Rng,
    world::{World, any_class},
};
use agora_primitives::{courts::Offence, judging::JudgeRule, task::Assignment};
use agora_runtime::{Runtime, System, UNIT};
use pallet_agora_rewards::Split;
use pallet_agora_tasks::{Windows, exact_classes, genesis_classes};
use sp_keyring::Sr25519Keyring;
use sp_runtime::Permill;

/// By root itself or by the sudo key.
fn by_root(call: Call, rng: &mut Rng) -> Call {
    if rng.chance(80) {
        return call;
    }
    let sudo = pallet_sudo::Call::sudo {
        call: Box::new(call.call),
    };
    Call::signed(Sr25519Keyring::Alice.to_account_id(), sudo)
}

pub fn ban(world: &World, rng: &mut Rng) -> Option<Call> {
    let now = System::block_number();
    let ban_until = match rng.below(10) {
        0 => Some(rng.below(u64::from(now) + 1) as u32),
        1 => None,
        _ => Some(now + rng.between(1, 40) as u32),
    };
    let call = pallet_agora_registry::Call::ban {
        who: world.anybody(rng),
        ban_until,
    };
    Some(by_root(Call::root(call), rng))
}

pub fn lift_ban(world: &World, rng: &mut Rng) -> Option<Call> {
    let banned: Vec<_> = pallet_agora_registry::Bans::<Runtime>::iter_keys().collect();
    let who = match rng.pick(&banned) {
        Some(who) => who.clone(),
        None if rng.chance(20) => world.anybody(rng),
        None => return None,
    };
    Some(by_root(Call::root(pallet_agora_registry::Call::lift_ban { who }), rng))
}

/// Says for how long an offence bans.
pub fn offences(_: &World, rng: &mut Rng) -> Option<Call> {
    let offence = *rng.pick(&[Offence::Late, Offence::Silent, Offence::Wrong, Offence::Fraud])?;
    let blocks = *rng.pick(&[None, Some(0), Some(5), Some(5), Some(30)])?;
    let call = pallet_agora_registry::Call::set_offence_ban { offence, blocks };
    Some(by_root(Call::root(call), rng))
}

/// Sets a class back to what it was, changes one, or removes one.
pub fn classes(_: &World, rng: &mut Rng) -> Option<Call> {
    let id = any_class(rng);
    let windows = Windows::<u32>::short();
    let all = [genesis_classes(UNIT, windows), exact_classes(UNIT, windows)].concat();
    let (_, mut class) = all.into_iter().find(|(known, _)| *known == id)?;
    let call = match rng.below(10) {
        0 => pallet_agora_tasks::Call::remove_class { id },
        1..6 => pallet_agora_tasks::Call::set_class { id, class },
        _ => {
            class.base_reward = class.base_reward / 100 * u128::from(rng.between(1, 300));
            class.replicas = rng.between(0, 6) as u32;
            class.max_replicas = rng.between(1, 12) as u32;
            class.max_open_per_publisher = rng.below(4) as u32;
            class.stake_rate = Permill::from_percent(rng.below(101) as u32);
            class.bond_rate = Permill::from_percent(rng.below(60) as u32);
            class.attest_bond_rate = Permill::from_percent(rng.below(30) as u32);
            class.late_penalty = Permill::from_percent(rng.below(40) as u32);
            class.wrong_penalty = Permill::from_percent(rng.between(20, 100) as u32);
            class.split = rng.below(4) as u8;
            class.judge = JudgeRule::Replication {
                trust: rng.below(8) as u32,
            };
            // With one worker, mostly: it is refused with more.
            if rng.chance(25) {
                class.judge = JudgeRule::Exact;
                if rng.chance(80) {
                    (class.replicas, class.max_replicas) = (1, 1);
                }
            }
            class.min_thinking = rng.below(4) as u32;
            class.commit_window = rng.between(2, 12) as u32;
            class.invite_window = rng.below(4) as u32;
            class.appeal_window = rng.below(8) as u32;
            if rng.chance(50) {
                class.assignment = Assignment::Priority;
            }
            pallet_agora_tasks::Call::set_class { id, class }
        }
    };
    Some(by_root(Call::root(call), rng))
}

pub fn presets(world: &World, rng: &mut Rng) -> Option<Call> {
    // Half of the time, the preset in the class of a task that is under way.
    let in_use = rng.pick(&world.live).filter(|_| rng.chance(50)).and_then(|task| {
        let task = pallet_agora_tasks::Tasks::<Runtime>::get(task)?;
        pallet_agora_tasks::Classes::<Runtime>::get(task.class)
    });
    let id = in_use.map_or_else(|| rng.below(5) as u8, |class| class.split);
    let percent = |part: u64| Permill::from_percent(part as u32);
    let (burn, worker) = (rng.below(50), rng.between(10, 50));
    let verifier = 100 - burn - worker;
    let any = Split {
        burn: percent(burn),
        worker: percent(worker),
        verifier: percent(verifier),
        expert: Permill::zero(),
        treasury: percent(u64::from(rng.chance(10))),
        best_share: percent(rng.between(40, 100)),
    };
    let call = match rng.below(10) {
        0..3 => pallet_agora_rewards::Call::remove_preset { id },
        3..6 => pallet_agora_rewards::Call::set_preset {
            id,
            split: Split::PEERS,
        },
        _ => pallet_agora_rewards::Call::set_preset { id, split: any },
    };
    Some(by_root(Call::root(call), rng))
}

/// Somebody without the right tries a call of governance.
pub fn usurp(world: &World, rng: &mut Rng) -> Option<Call> {
    let draws = [ban, lift_ban, classes, presets];
    let call: Call = rng.pick(&draws)?(world, rng)?;
    // Alice may, by the sudo key.
    let who = rng.pick(&world.workers)?.clone();
    Some(Call {
        caller: Caller::Signed(who),
        ..call
    })
}
