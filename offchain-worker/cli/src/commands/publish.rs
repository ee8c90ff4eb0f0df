//! `agora publish` and `agora cancel`

use crate::{
    args::{PeerArgs, PublishArgs, TaskArgs, TermsArgs},
    commands::{addresses, quote},
    context::{Context, serve_blobs, shutdown},
    exit::CliError,
    output::{answer, not_final, warn},
    units::{Amount, Uuid},
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{
    Balance, BlockNumber, ProxyType, calls,
    views::{ClassView, ExactLimits},
};
use agora_primitives::{
    TaskId,
    job::{BlobRef, JobSource, JobSpec, StoredJob},
    judging::JudgeRule,
    task::Difficulty,
};
use agora_reference::total_work;
use codec::Encode;
use serde::Serialize;

/// A task that was published.
#[derive(Serialize)]
pub struct Published {
    task: TaskId,
    reference: String,
    class: u16,
    reward: String,
    stake: String,
    fee: String,
    deadline: BlockNumber,
    block: BlockNumber,
    /// What is probably not meant.
    warnings: Vec<String>,
}

pub async fn run(context: &Context, args: PublishArgs) -> Result<(), CliError> {
    let PublishArgs { terms, job } = args;
    // A dry run leaves nothing behind.
    let blobs = if terms.dry_run {
        BlobStore::in_memory()
    } else {
        context.blobs()?
    };
    // Before money is put up for what nobody can fetch.
    let serving = match terms.serve {
        Some(address) if !terms.dry_run => {
            let shutdown = shutdown();
            let source = context.source(&PeerArgs::none())?;
            Some(serve_blobs(&source, address, &shutdown).await?)
        }
        _ => None,
    };
    let prepared = job.prepare()?;
    let warnings = prepared.warnings().to_vec();
    warnings.iter().for_each(|one| warn(one));
    let spec = prepared.store(&blobs).await?;
    let submitter = context.submitter_as(ProxyType::Publish).await?;
    if !terms.dry_run {
        addresses::announce(&submitter, &terms.announce, terms.private_market).await?;
    }
    let at = submitter.client().best().await?;
    let class = choose_class(at.classes().await?, terms.class, &spec)?;
    let reward = reward(&class, &terms)?;
    if class.judge == JudgeRule::Exact {
        ensure_exact(&class, &spec, terms.stored, at.exact_limits()?)?;
    }
    let job = if terms.stored {
        store(&blobs, &spec).await?
    } else {
        JobSource::Inline(spec)
    };
    let reference = terms.reference.unwrap_or_else(Uuid::random);
    let deadline = at.block.number.saturating_add(terms.deadline);
    let call = calls::publish(
        class.id,
        job,
        Difficulty(terms.difficulty.0),
        reward,
        deadline,
        reference.0,
    );
    if terms.dry_run {
        return quote::show(
            context,
            &submitter,
            (&at, class.id, Difficulty(terms.difficulty.0), reward),
            &call,
            warnings,
        )
        .await;
    }
    let included = submitter.submit(&call).await?;
    let task = included
        .published()
        .ok_or_else(|| CliError::NotFound("the block that includes the publication has no event of it".to_owned()))?;
    let view = submitter.client().at(included.block.hash).await?.task(task).await?;
    let view = view.ok_or_else(|| CliError::NotFound(format!("the chain does not know task {task}")))?;
    let published = Published {
        task,
        reference: reference.to_string(),
        class: class.id.0,
        reward: view.reward.to_string(),
        stake: view.stake.to_string(),
        fee: view.fee.to_string(),
        deadline,
        block: included.block.number,
        warnings,
    };
    answer(context, &published, |published| {
        format!(
            "Published task {} in block {}.\n  reference  {}\n  reward     {}\n  stake      {} (returned)\n  fee        \
             {}\n  deadline   block {}",
            published.task,
            published.block,
            published.reference,
            Amount(view.reward),
            Amount(view.stake),
            Amount(view.fee),
            published.deadline
        )
    });
    if let Some(serving) = serving {
        tracing::info!("Serving until Ctrl-C stops it.");
        let _ = serving.await;
    }
    Ok(())
}

pub async fn cancel(context: &Context, args: TaskArgs) -> Result<(), CliError> {
    let submitter = context.submitter_as(ProxyType::Publish).await?;
    let included = submitter.submit_settled(&calls::cancel(TaskId(args.task))).await?;
    let cancelled = Cancelled {
        task: args.task,
        block: included.block.number,
        is_final: included.is_final,
    };
    answer(context, &cancelled, |one| {
        let not_final = not_final(one.is_final);
        format!("Task {} was taken back in block {}{not_final}.", one.task, one.block)
    });
    Ok(())
}

/// A task that was taken back.
#[derive(Serialize)]
pub struct Cancelled {
    task: u64,
    block: BlockNumber,
    is_final: bool,
}

fn choose_class(classes: Vec<ClassView>, wanted: Option<u16>, spec: &JobSpec) -> Result<ClassView, CliError> {
    let known = classes
        .iter()
        .map(|class| format!("{} ({})", class.id, class.name))
        .collect::<Vec<_>>()
        .join(", ");
    classes
        .into_iter()
        .find(|class| match wanted {
            Some(number) => class.id.0 == number,
            None => class.specialisation == spec.specialisation(),
        })
        .ok_or_else(|| CliError::NotFound(format!("there is no such class; the chain has {known}")))
}

/// Succeeds if the chain computes such a job itself, as it does in this class. The chain would refuse another.
fn ensure_exact(class: &ClassView, spec: &JobSpec, is_stored: bool, limits: ExactLimits) -> Result<(), CliError> {
    let ExactLimits { work, evidence } = limits;
    let bytes = spec.input_bytes();
    let why = if is_stored {
        "so it must be in the task: leave --stored out".to_owned()
    } else if bytes > evidence.into() {
        format!("which takes {evidence} bytes of inputs in one call, and those of the job have {bytes}")
    } else if total_work(spec, work).is_none() {
        format!("which does {work} operations in one call, reading and hashing included, and the job takes more")
    } else {
        return Ok(());
    };
    Err(CliError::WouldBeRefused(format!(
        "jobs of class {} ({}) are computed by the chain itself, {why}; a class in which workers agree takes larger jobs",
        class.id, class.name
    )))
}

/// The reward that is offered: as given, or the least that the class allows.
fn reward(class: &ClassView, terms: &TermsArgs) -> Result<Balance, CliError> {
    match terms.reward {
        Some(Amount(reward)) => Ok(reward),
        None => class.least_reward(Difficulty(terms.difficulty.0)).ok_or_else(|| {
            CliError::Usage("the least reward is larger than an amount can be; give a smaller --difficulty".to_owned())
        }),
    }
}

/// Puts the specification into the blob store, where workers find it.
async fn store(blobs: &BlobStore, spec: &JobSpec) -> Result<JobSource, CliError> {
    let bytes = spec.encode();
    let stored = BlobRef::to(&bytes);
    blobs.put(BlobKind::Job, bytes).await?;
    Ok(JobSource::Stored(StoredJob {
        spec: stored,
        specialisation: spec.specialisation(),
    }))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use agora_primitives::{
        ClassId,
        job::{JobKind, Mode, ProgramJob},
        participants::Specialisation,
    };

    #[test]
    fn what_the_chain_does_not_compute_is_refused_before_it_is_sent() {
        let class = ClassView {
            id: ClassId(11),
            name: "exact program".into(),
            specialisation: Specialisation::Program,
            base_reward: 4,
            judge: JudgeRule::Exact,
        };
        let spec = JobSpec::V2(JobKind::Program(ProgramJob {
            image: BlobRef::to(&[0; 100]),
            inputs: Default::default(),
            mode: Mode::Map,
            items: 1,
            gas: 1000,
            record_bytes: 1024,
        }));
        let work = total_work(&spec, u64::MAX).expect("a number");
        let limits = |work, evidence| ExactLimits { work, evidence };
        let check =
            |is_stored, limits| ensure_exact(&class, &spec, is_stored, limits).map_err(|error| error.to_string());
        assert_eq!(check(false, limits(work, 100)), Ok(()));
        for (is_stored, limits, why) in [
            (true, limits(work, 100), "--stored"),
            (false, limits(work - 1, 100), "operations"),
            (false, limits(work, 99), "bytes of inputs"),
        ] {
            let refused = check(is_stored, limits).expect_err(why);
            assert!(refused.contains(why) && refused.contains("class 11"), "{refused}");
        }
    }

    pub fn examples() -> [serde_json::Value; 2] {
        let text = || "1".to_owned();
        let published = Published {
            task: TaskId(7),
            reference: text(),
            class: 3,
            reward: text(),
            stake: text(),
            fee: text(),
            deadline: 110,
            block: 10,
            warnings: vec![text()],
        };
        let cancelled = Cancelled {
            task: 7,
            block: 12,
            is_final: true,
        };
        [serde_json::json!(published), serde_json::json!(cancelled)]
    }
}
