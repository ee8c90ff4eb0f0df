//! What publishers, workers and verifiers do with tasks: mostly sensible, sometimes not.

use crate::{
    calls::{Call, odd_amount},
    exact,
    rng::Rng,
    world::{Fate, Habit, World, any_class, bytes_of, output},
};
use agora_primitives::{
    ClassId, TaskId,
    commitment::Salt,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, StoredJob, SyntheticJob, keyed_hash},
    judging::{
        Attestation, Possession, Said, Sealed, attestation_commitment, drawn_chunks, possession_key, to_be_shown,
    },
    participants::Specialisation,
    task::{Contribution, ContributionState, Difficulty, Phase, RoundKind},
};
use agora_runtime::{AccountId, Balance, Runtime, System, UNIT};
use pallet_agora_tasks::types::TaskProgress;
use sp_core::H256;

fn job(class: ClassId, rng: &mut Rng) -> JobSource {
    if let Some(job) = exact::job(class, rng) {
        return job;
    }
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
        return JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: rng.bytes(),
            matrix_size,
            iterations,
        })));
    }
    let size = if rng.chance(95) { 50_000 } else { rng.below(1 << 40) };
    let hash = H256(rng.bytes());
    JobSource::Stored(StoredJob {
        spec: BlobRef { hash, size },
        specialisation,
    })
}

pub fn publish(world: &World, rng: &mut Rng) -> Option<Call> {
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
pub fn task_in(phases: &[Phase], world: &World, rng: &mut Rng) -> Option<TaskId> {
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

/// Whether slots of `task` may be taken over.
fn some_are_late(task: TaskId, progress: &TaskProgress<u32>) -> bool {
    let now = System::block_number();
    let mut workers = pallet_agora_tasks::Contributions::<Runtime>::iter_prefix_values(task);
    workers.any(|worker| progress.is_late(&worker, now))
}

pub fn accept(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Open, Phase::Working], world, rng)?;
    if world.fate(task) == Fate::Unattractive && rng.chance(97) {
        return None;
    }
    if let Some(progress) = pallet_agora_tasks::Progress::<Runtime>::get(task)
        && progress.accepted >= progress.wanted
        && rng.chance(if some_are_late(task, &progress) { 40 } else { 95 })
    {
        return None;
    }
    let invited = pallet_agora_tasks::Invitations::<Runtime>::get(task);
    let who = match invited {
        Some(invited) if rng.chance(70) => rng.pick(&invited.workers)?.clone(),
        _ if rng.chance(95) => {
            let worked = |who: &&AccountId| pallet_agora_tasks::Contributions::<Runtime>::contains_key(task, who);
            let fresh: Vec<_> = world.workers.iter().filter(|who| !worked(who)).collect();
            (*rng.pick(&fresh)?).clone()
        }
        _ => world.anybody(rng),
    };
    Some(Call::signed(who, pallet_agora_tasks::Call::accept { task }))
}

pub fn decline(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Open, Phase::Working], world, rng)?;
    let who = match pallet_agora_tasks::Invitations::<Runtime>::get(task) {
        Some(invited) => rng.pick(&invited.workers)?.clone(),
        None if rng.chance(10) => world.anybody(rng),
        None => return None,
    };
    Some(Call::signed(who, pallet_agora_tasks::Call::decline { task }))
}

/// A worker of `task` for whom `fits` holds, mostly in the current round, and its contribution.
fn worker_of(
    task: TaskId,
    fits: impl Fn(&ContributionState<u32>) -> bool,
    rng: &mut Rng,
) -> Option<(AccountId, Contribution<u32>)> {
    let round = pallet_agora_tasks::Progress::<Runtime>::get(task)?.round;
    let any_round = rng.chance(4);
    let among: Vec<_> = pallet_agora_tasks::Contributions::<Runtime>::iter_prefix(task)
        .filter(|(_, contribution)| fits(&contribution.state) && (any_round || contribution.round == round))
        .collect();
    rng.pick(&among).cloned()
}

pub fn commit(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Working], world, rng)?;
    let progress = pallet_agora_tasks::Progress::<Runtime>::get(task);
    let is_open = |state: &ContributionState<u32>| matches!(state, ContributionState::Accepted { .. });
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
    Some(Call::signed(who, pallet_agora_tasks::Call::commit { task, commitment }))
}

pub fn reveal(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Revealing], world, rng)?;
    if world.fate(task) == Fate::Abandoned && rng.chance(97) {
        return None;
    }
    let progress = pallet_agora_tasks::Progress::<Runtime>::get(task)?;
    if progress.kind == RoundKind::Exact && rng.chance(90) {
        return None;
    }
    let (caller, claim, salt) = revealed(task, progress.kind, world, rng)?;
    Some(Call::signed(
        caller,
        pallet_agora_tasks::Call::reveal { task, claim, salt },
    ))
}

/// What somebody reveals of `task`: mostly a worker what it has committed to.
pub fn revealed(task: TaskId, kind: RoundKind, world: &World, rng: &mut Rng) -> Option<(AccountId, Claim, Salt)> {
    let is_open = |state: &ContributionState<u32>| matches!(state, ContributionState::Committed { .. });
    let (who, contribution) = if rng.chance(95) {
        worker_of(task, is_open, rng)?
    } else {
        worker_of(task, |_| true, rng)?
    };
    if world.habit(&who) == Habit::Silent && rng.chance(97) {
        return None;
    }
    let (mut claim, mut salt) = world.answer(task, &who, &contribution, kind);
    match rng.below(100) {
        0 => claim = output(rng.bytes(), rng.bytes()),
        1 => claim = Claim::Unusable,
        2 => salt = rng.bytes(),
        _ => {}
    }
    let caller = if rng.chance(98) { who } else { world.anybody(rng) };
    Some((caller, claim, salt))
}

/// What `verifier` says about the result of a task, always the same, and the salt of it: so it can be revealed without being remembered.
fn said(world: &World, task: TaskId, verifier: &AccountId) -> (Attestation, Salt) {
    let salt = world.hash("attestation", (task, verifier));
    let contested = matches!(world.fate(task), Fate::ContestedWrongly | Fate::ContestedRightly);
    let says_invalid = if contested { 60 } else { 2 };
    (Attestation::of(salt[0] % 100 >= says_invalid), salt)
}

/// What `verifier` commits to, and what it shows of the output when it reveals that. Some verifiers have not had the output.
fn sealed(world: &World, task: TaskId, verifier: &AccountId) -> Option<(H256, Attestation, Salt, Option<Possession>)> {
    let window = pallet_agora_judging::AppealWindows::<Runtime>::get(task)?;
    let (attestation, salt) = said(world, task, verifier);
    let (claim, seed) = (window.terms.claim, window.terms.seed);
    let output = to_be_shown(&claim, attestation);
    let key = possession_key(seed, task, verifier);
    let bytes = output.and_then(bytes_of);
    let had = bytes.as_ref().map(|bytes| match salt[1] % 20 {
        0 => vec![0; bytes.len()],
        _ => bytes.clone(),
    });
    let root = output.map(|_| keyed_hash(&key, &had.unwrap_or_default()));
    let about = Sealed {
        genesis: System::block_hash(0),
        task,
        seed,
        claim: &claim,
        verifier,
        attestation,
        root,
    };
    let drawn = |output: &BlobRef| Some(drawn_chunks(window.draw?.seed, task, verifier, output.chunks()));
    let shown = output.and_then(drawn).zip(bytes).zip(root);
    let possession = shown.and_then(|((drawn, bytes), root)| Possession::new(&key, root, &bytes, &drawn));
    Some((attestation_commitment(&about, &salt), attestation, salt, possession))
}

pub fn commit_attestation(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Appealable], world, rng)?;
    let who = if rng.chance(92) {
        rng.pick(&world.verifiers)?.clone()
    } else {
        world.anybody(rng)
    };
    let (commitment, ..) = sealed(world, task, &who)?;
    let call = pallet_agora_judging::Call::commit_attestation { task, commitment };
    Some(Call::signed(who, call))
}

pub fn reveal_attestation(world: &World, rng: &mut Rng) -> Option<Call> {
    let hidden = pallet_agora_judging::AppealWindows::<Runtime>::iter().flat_map(|(task, window)| {
        let is_drawn = window.draw.is_some();
        let hidden = window.attestations.iter().cloned().collect::<Vec<_>>().into_iter();
        hidden.filter_map(move |(who, said)| (is_drawn && matches!(said, Said::Hidden(_))).then_some((task, who)))
    });
    let mut hidden: Vec<_> = hidden.collect();
    // Some never reveal.
    hidden.retain(|(task, who)| !world.hash("silent", (task, who))[0].is_multiple_of(12));
    let (task, who) = match rng.pick(&hidden) {
        Some(one) if rng.chance(95) => one.clone(),
        _ => (
            task_in(&[Phase::Appealable], world, rng)?,
            rng.pick(&world.verifiers)?.clone(),
        ),
    };
    let (_, mut attestation, salt, possession) = sealed(world, task, &who)?;
    if rng.chance(3) {
        attestation = Attestation::of(attestation == Attestation::Invalid);
    }
    let call = pallet_agora_judging::Call::reveal_attestation {
        task,
        attestation,
        salt,
        possession,
    };
    Some(Call::signed(who, call))
}

pub fn advance(world: &World, rng: &mut Rng) -> Option<Call> {
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

pub fn cancel(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Open], world, rng)?;
    let publisher = pallet_agora_tasks::Tasks::<Runtime>::get(task).map(|task| task.publisher);
    let who = publisher
        .filter(|_| rng.chance(85))
        .unwrap_or_else(|| world.anybody(rng));
    Some(Call::signed(who, pallet_agora_tasks::Call::cancel { task }))
}
