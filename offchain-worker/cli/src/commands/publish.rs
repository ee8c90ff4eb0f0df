//! `agora publish` and `agora cancel`

use crate::{
    args::{PublishArgs, TaskArgs},
    context::Context,
    exit::CliError,
    output::answer,
    units::{Amount, Uuid},
};
use agora_blobs::BlobKind;
use agora_chain::{BlockNumber, calls, views::ClassView};
use agora_primitives::{
    TaskId,
    job::{JobKind, JobSource, JobSpec, StoredJob, SyntheticJob},
};
use codec::Encode;
use serde::Serialize;

/// Length of the chunks whose Merkle root a stored job carries.
const JOB_CHUNK_BYTES: usize = 16 * 1024;

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
    let spec = JobSpec::V1(JobKind::Synthetic(SyntheticJob {
        seed: seed(args.seed.as_deref())?,
        matrix_size: args.matrix_size,
        iterations: args.iterations,
    }));
    spec.validate().map_err(|error| CliError::Usage(error.to_string()))?;
    let submitter = context.submitter().await?;
    let at = submitter.client().best().await?;
    let class = choose_class(at.classes().await?, args.class, &spec)?;
    let least = class.least_reward(args.difficulty.0);
    let reward = match args.reward {
        Some(Amount(reward)) => reward,
        None => least.ok_or_else(|| CliError::Usage("the difficulty is out of range".to_owned()))?,
    };
    let job = if args.stored {
        store(context, &spec).await?
    } else {
        JobSource::Inline(spec)
    };
    let reference = args.reference.unwrap_or_else(Uuid::random);
    let deadline = at.block.number.saturating_add(args.deadline);
    let call = calls::publish(class.id, job, args.difficulty.0, reward, deadline, reference.0);
    let included = submitter.submit(&call).await?;
    let task = included
        .published()
        .ok_or_else(|| CliError::NotFound("the block has no event of the publication".to_owned()))?;
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

fn seed(text: Option<&str>) -> Result<[u8; 32], CliError> {
    let Some(text) = text else { return Ok(rand::random()) };
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut seed)
        .map_err(|_| CliError::Usage("--seed takes 64 hex digits".to_owned()))?;
    Ok(seed)
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

/// Puts the specification where workers find it.
async fn store(context: &Context, spec: &JobSpec) -> Result<JobSource, CliError> {
    let bytes = spec.encode();
    let size = u32::try_from(bytes.len()).map_err(|_| CliError::Usage("the job is too large".to_owned()))?;
    let chunk_root = agora_math::merkle::chunked_root(&bytes, JOB_CHUNK_BYTES);
    let hash = context.blobs()?.put(BlobKind::Job, bytes).await?;
    Ok(JobSource::Stored(StoredJob {
        hash: hash.into(),
        size,
        chunk_root: chunk_root.into(),
        specialisation: spec.specialisation(),
    }))
}
