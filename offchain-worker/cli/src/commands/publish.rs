//! `agora publish` and `agora cancel`

use crate::{
    args::{PublishArgs, TaskArgs, TermsArgs},
    context::Context,
    exit::CliError,
    output::answer,
    units::{Amount, Uuid},
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{Balance, BlockNumber, calls, views::ClassView};
use agora_primitives::{
    TaskId,
    job::{BlobRef, JobSource, JobSpec, StoredJob},
    task::Difficulty,
};
use codec::Encode;
use serde::Serialize;

#[derive(Serialize)]
struct Published {
    task: TaskId,
    reference: String,
    class: u16,
    reward: String,
    stake: String,
    fee: String,
    deadline: BlockNumber,
    block: BlockNumber,
}

pub async fn run(context: &Context, args: PublishArgs) -> Result<(), CliError> {
    let PublishArgs { terms, job } = args;
    let blobs = context.blobs()?;
    let spec = job.prepare(&blobs).await?;
    let submitter = context.submitter().await?;
    let at = submitter.client().best().await?;
    let class = choose_class(at.classes().await?, terms.class, &spec)?;
    let reward = reward(&class, &terms)?;
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
    Ok(())
}

pub async fn cancel(context: &Context, args: TaskArgs) -> Result<(), CliError> {
    let submitter = context.submitter().await?;
    let included = submitter.submit_finalised(&calls::cancel(TaskId(args.task))).await?;
    answer(
        context,
        &serde_json::json!({ "task": args.task, "block": included.block.number }),
        |_| format!("Task {} was taken back in block {}.", args.task, included.block.number),
    );
    Ok(())
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
