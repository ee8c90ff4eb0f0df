//! Calls, who makes them, and which is made how often.

use crate::{capability, court, exact, governance, members, rng::Rng, tasks, world::World};
use agora_runtime::{AccountId, Balance, MICRO_UNIT, RuntimeCall, RuntimeOrigin, UNIT};
use frame_support::traits::{GetCallMetadata, UnfilteredDispatchable};
use sp_runtime::DispatchError;

/// The account that makes a call.
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

/// The calls, and how often each is drawn compared with the others. A draw that makes no sense at the time gives no
/// call.
const CALLS: [(u64, Draw); 41] = [
    (45, tasks::publish),
    (220, tasks::accept),
    (12, tasks::decline),
    (220, tasks::commit),
    (220, tasks::reveal),
    (60, exact::reveal),
    (90, tasks::commit_attestation),
    (120, tasks::reveal_attestation),
    (40, tasks::advance),
    (12, tasks::cancel),
    (20, members::heartbeat),
    (25, members::register),
    (8, members::update_profile),
    (8, members::add_bond),
    (6, members::request_exit),
    (12, members::withdraw_bond),
    (8, members::deposit),
    (8, members::withdraw),
    (15, members::transfer),
    (4, members::forget),
    (50, capability::respond),
    (90, capability::commit_vote),
    (90, capability::reveal_vote),
    (20, capability::show_decoy),
    (3, capability::set_schedule),
    (25, court::accuse),
    (60, court::reveal),
    (6, court::withdraw),
    (20, court::accuse_on),
    (40, court::play),
    (25, court::advance),
    (25, court::collect),
    (2, court::set_terms),
    (12, batch),
    (6, governance::ban),
    (12, governance::lift_ban),
    (3, governance::offences),
    (10, court::suspend_or_lift),
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
pub fn odd_amount(rng: &mut Rng) -> Balance {
    *rng.pick(&[0, 1, MICRO_UNIT, UNIT, u128::MAX / 2, u128::MAX])
        .expect("there are some")
}

/// Two calls of one account as one. If the second fails, the first stays or is undone too.
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
