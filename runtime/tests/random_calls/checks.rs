//! What must be true after every step, and in the end.

use crate::{chain::Chain, court, exact, report::Report, rng::Rng, world::World};
use agora_primitives::{
    TaskId,
    courts::Offence,
    job::Claim,
    judging::Ruling,
    money::{Payee, Purpose},
    participants::Role,
};
use agora_runtime::{
    AccountId, AllPalletsWithSystem, Balance, Balances, Capability, Computation, Escrow, Judging, Registry, Reputation,
    Results, Rewards, Runtime, RuntimeEvent, RuntimeOrigin, System, Tasks,
};
use frame_support::traits::PalletsInfoAccess;
use sp_runtime::TryRuntimeError;
use std::collections::BTreeSet;

/// How many blocks the chain may take to finish every task that is under way when the calls end: several rounds of work
/// and appeal, each with all its windows.
const LONGEST_LIFE: u32 = 400;

pub struct Checks {
    issuance_at_start: Balance,
    burned: Balance,
    /// How many of this block's events have been checked.
    events_seen: u32,
}

impl Checks {
    /// Checks from now on.
    pub fn new() -> Self {
        Self {
            issuance_at_start: Balances::total_issuance(),
            burned: 0,
            events_seen: System::event_count(),
        }
    }

    pub fn after_step(&mut self, world: &mut World, report: &mut Report) {
        self.follow_events(world, report);
        self.money_is_conserved();
        try_state();
    }

    /// Ends this block and starts the next, and checks the events of both halves.
    pub fn next_block(&mut self, chain: &mut Chain, world: &mut World, rng: &mut Rng, report: &mut Report) {
        self.quiet_block(chain, world, rng, report);
        chain.execute(|| self.after_step(world, report));
    }

    fn quiet_block(&mut self, chain: &mut Chain, world: &mut World, rng: &mut Rng, report: &mut Report) {
        chain.end_block(rng);
        chain.execute(|| self.follow_events(world, report));
        chain.start_block();
        self.events_seen = 0;
        chain.execute(|| self.follow_events(world, report));
    }

    /// The events of this block since the last call.
    fn follow_events(&mut self, world: &mut World, report: &mut Report) {
        let new = System::read_events_no_consensus().skip(self.events_seen as usize);
        for record in new {
            self.follow(record.event, world, report);
        }
        self.events_seen = System::event_count();
    }

    fn follow(&mut self, event: RuntimeEvent, world: &mut World, report: &mut Report) {
        match event {
            RuntimeEvent::Tasks(event) => follow_task(event, world, report),
            RuntimeEvent::Judging(event) => follow_appeal_window(event, report),
            RuntimeEvent::Escrow(pallet_agora_escrow::Event::Paid {
                payee: Payee::Burn,
                amount,
                ..
            }) => {
                self.burned += amount;
                report.count_event("Burned");
            }
            RuntimeEvent::Escrow(pallet_agora_escrow::Event::PayeeReplaced { .. }) => {
                report.count_event("PayeeReplaced");
            }
            RuntimeEvent::Registry(pallet_agora_registry::Event::ExitRequested { .. }) => {
                report.count_event("ExitRequested");
            }
            RuntimeEvent::Registry(pallet_agora_registry::Event::WorkerDormant { .. }) => {
                report.count_event("WorkerDormant");
            }
            RuntimeEvent::Registry(pallet_agora_registry::Event::CapabilityExpired { .. }) => {
                report.count_event("CapabilityExpired");
            }
            RuntimeEvent::Registry(pallet_agora_registry::Event::OffenceReported { .. }) => {
                report.count_event("OffenceReported");
            }
            RuntimeEvent::Computation(pallet_agora_computation::Event::TrialEnded { .. }) => {
                report.count_event("TrialEnded");
            }
            RuntimeEvent::Computation(pallet_agora_computation::Event::AccusationJoined { .. }) => {
                report.count_event("AccusationJoined");
            }
            RuntimeEvent::Exact(pallet_agora_exact::Event::Computed { task, claim, .. }) => {
                assert_eq!(
                    world.ended.get(&task),
                    Some(&"Settled"),
                    "{task} is computed and not settled"
                );
                let right = exact::claim(task).expect("a task that is kept");
                assert_eq!(
                    claim, right,
                    "{task} is settled with something else than its job comes to"
                );
                report.count_event("Computed");
            }
            RuntimeEvent::Capability(pallet_agora_capability::Event::CapabilityProven { .. }) => {
                report.count_event("CapabilityProven");
            }
            RuntimeEvent::Capability(pallet_agora_capability::Event::CapabilityRefuted { .. }) => {
                report.count_event("CapabilityRefuted");
            }
            RuntimeEvent::Capability(pallet_agora_capability::Event::ResponseUndecided { .. }) => {
                report.count_event("ResponseUndecided");
            }
            RuntimeEvent::Capability(pallet_agora_capability::Event::VoterSlashed { .. }) => {
                report.count_event("VoterSlashed");
            }
            RuntimeEvent::Capability(pallet_agora_capability::Event::DecoyShown { .. }) => {
                report.count_event("DecoyShown");
            }
            _ => {}
        }
    }

    fn money_is_conserved(&self) {
        let accounts = frame_system::Account::<Runtime>::iter_values();
        let sum: Balance = accounts.map(|account| account.data.free + account.data.reserved).sum();
        assert_eq!(sum, Balances::total_issuance(), "accounts and issuance differ");
        assert_eq!(
            sum + self.burned,
            self.issuance_at_start,
            "balances and what was burned are not what there was at the start"
        );
    }

    /// The chain finishes every task without any calls, and then nothing is held for a task.
    pub fn finish(&mut self, chain: &mut Chain, world: &mut World, rng: &mut Rng, report: &mut Report) {
        for _ in 0..LONGEST_LIFE {
            if world.live.is_empty() {
                break;
            }
            self.next_block(chain, world, rng, report);
        }
        assert_eq!(world.live, [], "tasks that the chain does not finish by itself");
        chain.execute(|| {
            court::settle_all(&world.everybody[0]);
            self.after_step(world, report);
            assert_eq!(pallet_agora_computation::OpenCases::<Runtime>::iter_keys().count(), 0);
            assert_eq!(pallet_agora_computation::Trials::<Runtime>::iter_keys().count(), 0);
            let left: Vec<_> = pallet_agora_escrow::Deposits::<Runtime>::iter_keys()
                // A round of challenges may be open: its fees are gone when everybody goes home.
                .filter(|(_, purpose, _)| !matches!(purpose, Purpose::RoleBond | Purpose::Prepaid | Purpose::ChallengeFee))
                .collect();
            assert_eq!(left, [], "held though no task is under way");
        });
    }

    /// Everybody leaves. When the cool-down and the retention of records are over, nothing is left of the market.
    pub fn go_home(&mut self, chain: &mut Chain, world: &mut World, rng: &mut Rng, report: &mut Report) {
        chain.execute(|| {
            for (who, role) in members(world) {
                // Accounts without the role, and accounts that are leaving already, are refused.
                let _ = Registry::request_exit(RuntimeOrigin::signed(who), role);
            }
        });
        for _ in 0..cool_down_and_retention() {
            self.quiet_block(chain, world, rng, report);
        }
        assert!(world.ended.is_empty(), "records that are not purged: {:?}", world.ended);
        chain.execute(|| {
            self.after_step(world, report);
            for (who, role) in members(world) {
                let outcome = Registry::withdraw_bond(RuntimeOrigin::signed(who), role);
                report.count("Registry.withdraw_bond".into(), outcome);
            }
            let deposits: Vec<_> = pallet_agora_escrow::Deposits::<Runtime>::iter().collect();
            for ((who, purpose, _), amount) in deposits {
                assert_eq!(purpose, Purpose::Prepaid, "not given back to {who}");
                assert_eq!(Escrow::withdraw(RuntimeOrigin::signed(who), amount), Ok(()));
            }
            assert_eq!(pallet_agora_escrow::Deposits::<Runtime>::iter_keys().count(), 0);
            assert_eq!(pallet_agora_tasks::Tasks::<Runtime>::iter_keys().count(), 0);
            assert_eq!(pallet_agora_registry::Members::<Runtime>::iter_keys().count(), 0);
            self.after_step(world, report);
        });
    }
}

fn members(world: &World) -> impl Iterator<Item = (AccountId, Role)> {
    let roles = [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert];
    let everybody = world.everybody.clone().into_iter();
    everybody.flat_map(move |who| roles.map(|role| (who.clone(), role)))
}

/// After so many blocks without calls everybody may leave and no record of a task is kept, even if some blocks were
/// full.
fn cool_down_and_retention() -> u32 {
    let cool_down = <Runtime as pallet_agora_registry::Config>::ExitCoolDown::get();
    let retention = <Runtime as pallet_agora_tasks::Config>::RetentionPeriod::get();
    cool_down.max(retention) + 20
}

type TryState = fn() -> Result<(), TryRuntimeError>;

/// The try-state of each of the market's pallets.
const TRY_STATES: [(&str, TryState); 9] = [
    ("Registry", Registry::do_try_state),
    ("Escrow", Escrow::do_try_state),
    ("Tasks", Tasks::do_try_state),
    ("Judging", Judging::do_try_state),
    ("Capability", Capability::do_try_state),
    ("Computation", Computation::do_try_state),
    ("Reputation", Reputation::do_try_state),
    ("Rewards", Rewards::do_try_state),
    ("Results", Results::do_try_state),
];

/// Runs the try-state of every pallet of the market.
fn try_state() {
    for (pallet, try_state) in TRY_STATES {
        assert_eq!(try_state(), Ok(()), "try-state of {pallet}");
    }
}

/// The market's pallets, as the runtime names them.
pub fn market_pallets() -> BTreeSet<&'static str> {
    let pallets = AllPalletsWithSystem::infos().into_iter();
    let of_the_market = pallets.filter(|pallet| pallet.module_name.starts_with("pallet_agora_"));
    of_the_market.map(|pallet| pallet.name).collect()
}

/// The market's pallets that store nothing.
const WITHOUT_STATE: [&str; 1] = ["Exact"];

#[test]
fn the_state_of_every_market_pallet_is_checked() {
    let with_state = TRY_STATES.iter().map(|(pallet, _)| *pallet);
    let checked: BTreeSet<_> = with_state.chain(WITHOUT_STATE).collect();
    assert_eq!(checked, market_pallets());
}

fn follow_task(event: pallet_agora_tasks::Event<Runtime>, world: &mut World, report: &mut Report) {
    use pallet_agora_tasks::Event::*;
    match event {
        Published { task, .. } => {
            assert!(!world.live.contains(&task), "{task} is published twice");
            world.live.push(task);
        }
        Settled { task, claim, .. } => {
            if claim == Claim::Unusable {
                report.count_event("SettledAsUnusable");
            }
            end(task, "Settled", world, report);
        }
        Cancelled { task } => end(task, "Cancelled", world, report),
        Expired { task } => end(task, "Expired", world, report),
        Failed { task } => end(task, "Failed", world, report),
        Purged { task } => {
            let ending = world.ended.remove(&task);
            assert!(ending.is_some(), "{task} is purged without a terminal event");
            report.count_event("Purged");
        }
        WorkersInvited { .. } => report.count_event("WorkersInvited"),
        WorkerReplaced { .. } => report.count_event("WorkerReplaced"),
        RevealStarted { .. } => report.count_event("RevealStarted"),
        ReplicasWanted { .. } => report.count_event("ReplicasWanted"),
        ResultChosen { .. } => report.count_event("ResultChosen"),
        Reopened { .. } => report.count_event("Reopened"),
        ResultFell { .. } => report.count_event("ResultFell"),
        ClaimEntered { .. } => report.count_event("ClaimEntered"),
        ResultReplaced { .. } => report.count_event("ResultReplaced"),
        Postponed { .. } => report.count_event("Postponed"),
        NotScheduled { .. } => report.count_event("NotScheduled"),
        _ => {}
    }
}

/// A task has had a terminal event. It must be its only one.
fn end(task: TaskId, ending: &'static str, world: &mut World, report: &mut Report) {
    let at = world.live.iter().position(|live| *live == task);
    let at = at.unwrap_or_else(|| panic!("{task} is {ending} but was not under way"));
    world.live.swap_remove(at);
    assert_eq!(world.ended.insert(task, ending), None, "{task} has ended before");
    report.count_event(ending);
}

fn follow_appeal_window(event: pallet_agora_judging::Event<Runtime>, report: &mut Report) {
    use pallet_agora_judging::Event::*;
    report.count_event(match event {
        Attested { .. } => "Attested",
        AttesterUpheld { .. } => "AttesterUpheld",
        AttesterSlashed {
            offence: Offence::Silent,
            ..
        } => "AttesterSilent",
        AttesterSlashed { .. } => "AttesterSlashed",
        AppealWindowClosed {
            ruling: Ruling::Upheld, ..
        } => "Upheld",
        AppealWindowClosed {
            ruling: Ruling::Overturned,
            ..
        } => "Overturned",
        AppealWindowClosed {
            ruling: Ruling::Undecided,
            ..
        } => "Undecided",
        AppealWindowClosed {
            ruling: Ruling::Disagreed,
            ..
        } => "Disagreed",
        _ => return,
    });
}
