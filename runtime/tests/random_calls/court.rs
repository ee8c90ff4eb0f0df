//! Accusations, and moves in trials: mostly possible, hardly ever right. Nobody here computes a job: `pallet-agora-computation` tests that
//! those win who do.

use crate::{calls::Call, rng::Rng, world::World};
use agora_disputes::{
    Accusation, BranchMove, Defence, List, Player, RunEnd, Segment, Shown, Target, Terms, commitment,
};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim, JobSource, JobSpec, blob},
};
use agora_runtime::{AccountId, Computation, Runtime, RuntimeOrigin, System, configs::computation::REFERENCE_IMAGE};
use pallet_agora_computation::{
    Call as Court, Clocked, Defences, HiddenAccusations, Matches, OpenCases, Part, Runs, Suspensions, Trials,
};
use sp_core::H256;

/// Trials that fit a run of some hundred blocks.
pub const TERMS: Terms = Terms {
    commit: 1,
    reveal: 4,
    clock: 6,
    entry: 3,
    challenge: 3,
    stops: 2,
};
const SALT: [u8; 32] = [3; 32];

/// What `who` would say of `claim`.
fn accusation(who: &AccountId, claim: Claim, case: u64) -> Accusation {
    let own = match case % 4 {
        0 => None,
        1 => Some(Claim::Unusable),
        _ => Some(Claim::Output {
            output: BlobRef::to(who.as_ref()),
            states_root: H256::zero(),
        }),
    };
    Accusation {
        accused: claim,
        target: match claim {
            Claim::Output { .. } => Target::Output,
            Claim::Unusable => Target::Inputs,
        },
        own: own.filter(|own| *own != claim),
    }
}

fn anyone(world: &World, rng: &mut Rng) -> Option<AccountId> {
    Some(rng.pick(&world.everybody)?.clone())
}

fn any_case(rng: &mut Rng) -> Option<(TaskId, u64, Claim)> {
    let cases: Vec<_> = OpenCases::<Runtime>::iter()
        .map(|(task, case)| (task, case.number, case.terms.claim))
        .collect();
    rng.pick(&cases).copied()
}

fn any_trial(rng: &mut Rng) -> Option<u64> {
    let trials: Vec<_> = Trials::<Runtime>::iter_keys().collect();
    rng.pick(&trials).copied()
}

fn any_defence(trial: u64, rng: &mut Rng) -> H256 {
    let keys: Vec<_> = Defences::<Runtime>::iter_key_prefix(trial).collect();
    rng.pick(&keys).copied().unwrap_or_default()
}

pub fn accuse(world: &World, rng: &mut Rng) -> Option<Call> {
    let (task, case, claim) = any_case(rng)?;
    let who = anyone(world, rng)?;
    let account: &[u8; 32] = who.as_ref();
    let commitment = commitment(
        &System::block_hash(0),
        case,
        account,
        &accusation(&who, claim, case),
        &SALT,
    );
    Some(Call::signed(who, Court::commit { task, commitment }))
}

pub fn reveal(_: &World, rng: &mut Rng) -> Option<Call> {
    let hidden: Vec<_> = HiddenAccusations::<Runtime>::iter().collect();
    let (case, who, hidden) = rng.pick(&hidden)?.clone();
    let task = hidden.task;
    let claim = OpenCases::<Runtime>::get(task)?.terms.claim;
    let job = job_of(task)?;
    let call = Court::reveal {
        task,
        accusation: Box::new(accusation(&who, claim, case)),
        salt: SALT,
        job: Box::new(job),
    };
    Some(Call::signed(who, call))
}

/// The specification of a task that has it inline.
fn job_of(task: TaskId) -> Option<JobSpec> {
    match OpenCases::<Runtime>::get(task)?.terms.job {
        JobSource::Inline(job) => Some(job),
        JobSource::Stored(_) => None,
    }
}

pub fn withdraw(world: &World, rng: &mut Rng) -> Option<Call> {
    let hidden: Vec<_> = HiddenAccusations::<Runtime>::iter_keys().collect();
    let (case, accuser) = rng.pick(&hidden)?.clone();
    Some(Call::signed(anyone(world, rng)?, Court::withdraw { case, accuser }))
}

/// The accuser's moves; now and then by somebody else.
pub fn accuse_on(world: &World, rng: &mut Rng) -> Option<Call> {
    let trial = any_trial(rng)?;
    let accuser = Trials::<Runtime>::get(trial)?.accuser;
    let who = if rng.chance(90) { accuser } else { anyone(world, rng)? };
    let child = rng.below(3) as u32;
    let defence = any_defence(trial, rng);
    let made = match rng.below(4) {
        0 => BranchMove::Choose(Some(List::Kept)),
        1 => BranchMove::Name(child),
        2 => BranchMove::Entry(child),
        _ => BranchMove::Choose(None),
    };
    Some(Call::signed(
        who,
        match rng.below(2) {
            0 => Court::name_child { trial, child },
            _ => Court::dispute_list { trial, defence, made },
        },
    ))
}

/// What anybody may do in a trial.
pub fn play(world: &World, rng: &mut Rng) -> Option<Call> {
    let trial = any_trial(rng)?;
    let defence = any_defence(trial, rng);
    let hash = H256::repeat_byte(rng.below(3) as u8);
    let end = RunEnd {
        path: vec![[hash; 16]; rng.below(9) as usize],
        state: vec![1; rng.below(200) as usize],
        chunk: None,
    };
    let segment = Segment {
        path: vec![[hash; 16]; rng.below(3) as usize],
        state: vec![0; rng.below(300) as usize],
        witness: vec![0; rng.below(300) as usize],
    };
    let nothing = blob::hash(&[]);
    let empty = Defence {
        states: nothing,
        scans: nothing,
        kept: nothing,
        failing: 0,
    };
    let root = hash;
    let call = match rng.below(7) {
        0 => Court::show {
            trial,
            shown: Shown::Children(vec![hash; rng.below(20) as usize]),
        },
        1 => Court::defend {
            trial,
            defence: if rng.chance(50) {
                empty
            } else {
                Defence { states: hash, ..empty }
            },
        },
        2 => Court::add_run {
            trial,
            defence,
            root,
            end: Box::new(end),
        },
        3 => Court::challenge {
            trial,
            defence,
            one: root,
            other: H256::zero(),
        },
        4 => Court::open_node {
            trial,
            defence,
            one: H256::zero(),
            other: root,
            player: Player::First,
            children: Box::new([hash; 16]),
        },
        5 => Court::execute {
            trial,
            defence,
            one: H256::zero(),
            other: root,
            segment: Box::new(segment),
        },
        _ => Court::dispute_list {
            trial,
            defence,
            made: BranchMove::Show(Shown::Chunk(vec![0; rng.below(1100) as usize])),
        },
    };
    Some(Call::signed(anyone(world, rng)?, call))
}

pub fn advance(world: &World, rng: &mut Rng) -> Option<Call> {
    let trial = any_trial(rng)?;
    let what = match rng.below(3) {
        0 => Clocked::Defence(any_defence(trial, rng)),
        _ => Clocked::Trial,
    };
    Some(Call::signed(anyone(world, rng)?, Court::advance { trial, what }))
}

pub fn collect(world: &World, rng: &mut Rng) -> Option<Call> {
    let trial = any_trial(rng)?;
    let part = match rng.below(2) {
        0 => Part::Defence(any_defence(trial, rng)),
        _ => Part::Accusation,
    };
    Some(Call::signed(anyone(world, rng)?, Court::collect { trial, part }))
}

pub fn set_terms(_: &World, rng: &mut Rng) -> Option<Call> {
    let odd = Terms {
        clock: rng.below(9),
        entry: rng.below(5),
        ..TERMS
    };
    let terms = rng.pick(&[None, Some(odd), Some(TERMS), Some(TERMS)]).copied()?;
    Some(Call::root(Court::set_terms { terms }))
}

/// Suspends the image now and then; after that the suspension is lifted.
pub fn suspend_or_lift(_: &World, rng: &mut Rng) -> Option<Call> {
    let image = *rng.pick(&[REFERENCE_IMAGE, REFERENCE_IMAGE, REFERENCE_IMAGE, H256::zero()])?;
    if !Suspensions::<Runtime>::get(image).holds && image == REFERENCE_IMAGE {
        return rng.chance(3).then(|| Call::root(Court::suspend { image }));
    }
    Some(Call::root(Court::lift_suspension { image }))
}

/// Settles all bonds, which anybody may once no case is open.
pub fn settle_all(who: &AccountId) {
    let origin = || RuntimeOrigin::signed(who.clone());
    let collect = |trial, part| {
        let collected = Computation::collect(origin(), trial, part);
        assert!(collected.is_ok(), "{part:?} of trial {trial}: {collected:?}");
    };
    for (case, accuser) in HiddenAccusations::<Runtime>::iter_keys().collect::<Vec<_>>() {
        assert!(Computation::withdraw(origin(), case, accuser).is_ok());
    }
    for trial in Trials::<Runtime>::iter_keys().collect::<Vec<_>>() {
        for (key, one, other) in Matches::<Runtime>::iter_key_prefix((trial,)).collect::<Vec<_>>() {
            collect(trial, Part::Match(key, one, other));
        }
        for (key, root) in Runs::<Runtime>::iter_key_prefix((trial,)).collect::<Vec<_>>() {
            collect(trial, Part::Run(key, root));
        }
        for key in Defences::<Runtime>::iter_key_prefix(trial).collect::<Vec<_>>() {
            collect(trial, Part::Defence(key));
        }
        collect(trial, Part::Accusation);
    }
}
