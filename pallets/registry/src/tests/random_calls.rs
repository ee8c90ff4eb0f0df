//! Random calls by many accounts; after each, the tree equals what is worked out from scratch, and no money is lost.

use crate::{Profile, mock::*};
use agora_math::fenwick::Tickets;
use agora_primitives::{
    capability::Capabilities,
    participants::{Participants, Role, Specialisation, Specialisations},
    reputation::{Level, OnLevelChanged},
};
use frame_support::assert_ok;
use proptest::prelude::*;
use sp_core::H256;

const ACCOUNTS: AccountId = 12;
const ROLES: [Role; 4] = [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert];
const LEVELS: [Level; 4] = [Level::Beginner, Level::Skilled, Level::Expert, Level::Master];

#[derive(Clone, Debug)]
enum Step {
    Register(Role, Balance, Profile),
    UpdateProfile(Profile),
    AddBond(Role, Balance),
    Heartbeat,
    SetAddresses(usize, bool),
    RequestExit(Role),
    WithdrawBond(Role),
    Ban(Option<BlockNumber>),
    LiftBan,
    OccupySlot,
    FreeSlot,
    ChangeLevel(Specialisation, Level),
    Prove(u32),
    Refute,
    CutBond(Role, Balance),
    Draw(H256, Specialisation, u32),
    Pass(BlockNumber),
}

fn role() -> impl Strategy<Value = Role> {
    // Workers are what it is about.
    prop_oneof![4 => Just(Role::Worker), 1 => prop::sample::select(&ROLES[..])]
}

/// Most of them are possible.
fn any_profile() -> impl Strategy<Value = Profile> {
    let sets = prop_oneof![6 => 1..1u16 << 10, 1 => any::<u16>()];
    let slots = prop_oneof![6 => 1..=MAX_SLOTS, 1 => any::<u32>()];
    let capabilities = prop_oneof![6 => 1..=MAX_CAPABILITY, 1 => any::<u32>()];
    (sets, slots, capabilities).prop_map(|(set, slots, capability)| Profile {
        specialisations: Specialisations(set),
        slots,
        capability,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let specialisation = prop::sample::select(&Specialisation::ALL[..]);
    prop_oneof![
        6 => (role(), 90..400u128, any_profile()).prop_map(|(role, bond, profile)| Step::Register(role, bond, profile)),
        2 => any_profile().prop_map(Step::UpdateProfile),
        2 => (role(), 0..50u128).prop_map(|(role, amount)| Step::AddBond(role, amount)),
        3 => Just(Step::Heartbeat),
        2 => (0..=4usize, any::<bool>()).prop_map(|(count, valid)| Step::SetAddresses(count, valid)),
        2 => role().prop_map(Step::RequestExit),
        4 => role().prop_map(Step::WithdrawBond),
        1 => prop::option::of(0..60u64).prop_map(Step::Ban),
        1 => Just(Step::LiftBan),
        4 => Just(Step::OccupySlot),
        3 => Just(Step::FreeSlot),
        3 => (specialisation.clone(), prop::sample::select(&LEVELS[..])).prop_map(|(one, level)| Step::ChangeLevel(one, level)),
        3 => (1..=MAX_CAPABILITY).prop_map(Step::Prove),
        1 => Just(Step::Refute),
        1 => (role(), 0..500u128).prop_map(|(role, amount)| Step::CutBond(role, amount)),
        3 => (any::<[u8; 32]>(), specialisation, 0..6u32)
            .prop_map(|(seed, one, count)| Step::Draw(seed.into(), one, count)),
        3 => (1..8u64).prop_map(Step::Pass),
    ]
}

/// Calls may be refused; what they leave behind is checked by the caller.
fn perform(who: AccountId, step: Step) {
    use crate::Call;
    use sp_runtime::traits::Dispatchable;
    let call = match step {
        Step::Register(role, bond, profile) => Call::register { role, bond, profile },
        Step::UpdateProfile(profile) => Call::update_profile { profile },
        Step::AddBond(role, amount) => Call::add_bond { role, amount },
        Step::Heartbeat => Call::heartbeat {},
        Step::SetAddresses(count, valid) => {
            let address = if valid { b"http://a".to_vec() } else { b"a b".to_vec() };
            let addresses = vec![address.try_into().unwrap(); count].try_into().unwrap();
            Call::set_addresses { addresses }
        }
        Step::RequestExit(role) => Call::request_exit { role },
        Step::WithdrawBond(role) => Call::withdraw_bond { role },
        Step::Ban(ban_until) => {
            let _ = Registry::ban(RuntimeOrigin::root(), who, ban_until);
            return;
        }
        Step::LiftBan => {
            let _ = Registry::lift_ban(RuntimeOrigin::root(), who);
            return;
        }
        Step::OccupySlot => {
            let _ = Registry::occupy_slot(&who);
            return;
        }
        Step::FreeSlot => {
            let member = crate::Members::<Test>::get(who);
            if member
                .and_then(|member| member.worker)
                .is_none_or(|worker| worker.occupied > 0)
            {
                Registry::free_slot(&who);
            }
            return;
        }
        Step::ChangeLevel(one, level) => return Registry::on_level_changed(&who, one, level),
        Step::Prove(capability) => return prove(who, capability, BlockNumber::MAX),
        Step::Refute => return <Registry as Capabilities<_, _>>::refute(&who),
        Step::CutBond(role, amount) => return cut_bond(who, role, amount.min(bond_of(who, role))),
        Step::Draw(seed, one, count) => return draw_as_on_paper(seed, one, count, who),
        Step::Pass(blocks) => return run_to(System::block_number() + blocks),
    };
    let _ = RuntimeCall::Registry(call).dispatch(signed(who));
}

/// Draws by walking along the list of all workers, and compares.
fn draw_as_on_paper(seed: H256, specialisation: Specialisation, count: u32, excluded: AccountId) {
    let mut weights: Vec<(AccountId, u128)> = (0..workers())
        .map(|leaf| crate::LeafOwners::<Test>::get(leaf).unwrap())
        .map(|who| (who, worker(who).weights()[specialisation as usize].into()))
        .collect();
    let mut tickets = Tickets::new(seed.0);
    let mut expected = Vec::new();
    for _ in 0..MAX_TRIES {
        let total = weights.iter().map(|(_, weight)| weight).sum();
        if expected.len() == count as usize {
            break;
        }
        let Some(mut ticket) = tickets.below(total) else {
            break;
        };
        let (who, weight) = weights
            .iter_mut()
            .find(|(_, weight)| match ticket.checked_sub(*weight) {
                Some(rest) => {
                    ticket = rest;
                    false
                }
                None => true,
            })
            .unwrap();
        *weight = 0;
        assert_ok!(Registry::ensure_suited(who, specialisation));
        let covered = bond_of(*who, Role::Worker) / WORKER_BOND;
        let counted = worker(*who).backed_slots();
        if Registry::ensure_active(who, Role::Worker).is_ok() && covered >= counted.into() && *who != excluded {
            expected.push(*who);
        }
    }
    assert_eq!(
        Registry::draw_workers(seed, specialisation, count, &[excluded]),
        expected
    );
}

proptest! {
    #![proptest_config(agora_test_support::cases(64))]
    #[test]
    fn hold_after_any_calls(steps in prop::collection::vec((1..=ACCOUNTS, step()), 1..150)) {
        ExtBuilder::default().build_and_execute(|| {
            for (who, step) in steps {
                perform(who, step);
                check_state();
            }
            leave_all();
        });
    }
}

/// Whatever happened, everybody gets back what is left of the bonds, and nothing remains.
fn leave_all() {
    for who in 1..=ACCOUNTS {
        while crate::Members::<Test>::get(who)
            .and_then(|it| it.worker)
            .is_some_and(|it| it.occupied > 0)
        {
            Registry::free_slot(&who);
        }
        for role in ROLES {
            let _ = Registry::request_exit(signed(who), role);
        }
    }
    run_to(System::block_number() + COOL_DOWN);
    for who in 1..=ACCOUNTS {
        for role in ROLES {
            if crate::Members::<Test>::get(who)
                .and_then(|member| member.standing(role))
                .is_some()
            {
                assert_ok!(Registry::withdraw_bond(signed(who), role));
            }
        }
        assert_ok!(Registry::set_addresses(signed(who), Default::default()));
        assert_eq!(Balances::reserved_balance(who), 0);
    }
    assert_eq!((workers(), crate::Nodes::<Test>::iter().count()), (0, 0));
    assert_eq!(
        (
            crate::Members::<Test>::iter().count(),
            crate::LeafOwners::<Test>::iter().count()
        ),
        (0, 0)
    );
}
