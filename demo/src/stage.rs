//! The course of the demonstration.

use crate::{
    accounts::{Books, Names, PUBLISHER, Participant, VERIFIERS, WORKERS},
    dispute,
    error::{DemoError, check},
    report::Report,
    show,
    story::Story,
};
use agora_chain::{BlockEvents, BlockRef, Blocks, Client};
use agora_localnet::{Agora, Node, NodeOptions, Process};
use agora_primitives::TaskId;
use futures::future::try_join_all;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// The task that is computed.
const MATRIX_SIZE: &str = "512";
const ITERATIONS: &str = "64";
/// Blocks in which defences, and then runs, may be added to a trial, and in which matches may be begun after that.
const ENTRY: u64 = 20;
const CHALLENGE: u64 = 10;
/// How long any one step may take.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub async fn run() -> Result<(), DemoError> {
    let folder = tempfile::Builder::new()
        .prefix("agora-demo-")
        .tempdir()
        .map_err(DemoError::Folder)?;
    let names = Names::new()?;

    show::heading("A chain");
    let spec = agora_localnet::write_chain_spec("dev", folder.path(), |genesis| {
        // Its jobs are small: nobody needs a minute and a half to compute a unit of one. Clocks stay as long as they are.
        let terms = &mut genesis["computation"]["terms"];
        terms["entry"] = ENTRY.into();
        terms["challenge"] = CHALLENGE.into();
    })?;
    let options = NodeOptions {
        chain: spec.display().to_string(),
        ..NodeOptions::development()
    };
    let mut node = Node::start(options, folder.path()).await?;
    let client = node.client().await?;
    let start = first_block(&client).await?;
    let before = Books::read(&client.at(start.hash).await?).await?;
    show::line(
        start.number,
        "a development node produces and finalises blocks (BABE, GRANDPA)",
    );
    show::note(&format!(
        "genesis {:?}, issuance {}",
        client.genesis_hash(),
        show::amount(before.issuance)
    ));
    // Followed from here, so that no event is missed.
    let mut blocks = client.follow_finalised(Some(start.number));

    let mut processes = start_participants(&node, folder.path()).await?;
    let publisher = Agora::new(&node.url(), PUBLISHER.key, folder.path());
    let story = run_two_tasks(&publisher, &mut blocks, &mut processes, &names).await?;

    let report = Report {
        client: &client,
        publisher: &publisher,
        names: &names,
        before: &before,
        story: &story,
    };
    report.print().await?;

    // Nobody else takes part in the dispute.
    for process in processes {
        process.stop().await?;
    }
    dispute::run(&node, folder.path(), &publisher, &mut blocks, &names).await?;
    node.stop().await?;
    show::heading("Done");
    show::note("every check held, and nothing is left running");
    Ok(())
}

/// Registers everybody and starts their processes.
async fn start_participants(node: &Node, folder: &Path) -> Result<Vec<Process>, DemoError> {
    show::heading("Workers and verifiers");
    let capability = measure(node, folder).await?;
    register(node, folder, capability).await?;
    let workers = WORKERS.iter().map(|participant| mine(node, participant, folder));
    let verifiers = VERIFIERS
        .iter()
        .map(|participant| verify_work(node, participant, folder));
    let mut processes = workers.chain(verifiers).collect::<Result<Vec<_>, _>>()?;
    for process in &mut processes {
        process.printed("Ctrl-C stops", 0, PATIENCE).await?;
    }
    show::note("all run: each worker has checked its device against the golden vectors");
    Ok(processes)
}

/// Publishes a task that all workers take, then one for which no worker is free, and follows both to their ends.
async fn run_two_tasks(
    publisher: &Agora,
    blocks: &mut Blocks,
    processes: &mut [Process],
    names: &Names,
) -> Result<Story, DemoError> {
    show::heading("Two tasks");
    let mut story = Story::new(publish(publisher, MATRIX_SIZE, ITERATIONS, "60").await?);
    while story.accepted.len() < WORKERS.len() {
        story.tell(&next(blocks).await?, names);
    }
    // Each worker has one slot, and all slots are taken: nobody will accept this task.
    story.lonely = Some(publish(publisher, "16", "2", "6").await?);
    while !story.is_over() {
        story.tell(&next(blocks).await?, names);
        for process in &mut *processes {
            process.ensure_running()?;
        }
    }
    Ok(story)
}

pub async fn next(blocks: &mut Blocks) -> Result<BlockEvents, DemoError> {
    match tokio::time::timeout(PATIENCE, blocks.next()).await {
        Ok(block) => Ok(block?),
        Err(_) => Err(DemoError::Check(format!(
            "no block was finalised for {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// Waits for the first finalised block after genesis.
async fn first_block(client: &Client) -> Result<BlockRef, DemoError> {
    let mut blocks = client.follow_finalised(None);
    loop {
        let block = next(&mut blocks).await?.block;
        if block.number > 0 {
            return Ok(block);
        }
    }
}

/// The device that all workers share: the best adapter, even if it is software, so that the engine for GPUs is shown.
const DEVICE: &str = "0";

/// Measures the device.
async fn measure(node: &Node, folder: &Path) -> Result<String, DemoError> {
    let agora = Agora::new(&node.url(), WORKERS[0].key, folder);
    let devices = agora.json(&["devices", DEVICE, "--measure"]).await?;
    let device = devices
        .first()
        .ok_or_else(|| DemoError::Check("there is no device".to_owned()))?;
    let gops = device["speed"]["synthetic_gops"].as_f64().unwrap_or_default();
    check(gops > 0.0, || format!("the device's speed is unknown: {device}"))?;
    show::note(&format!(
        "device: {} ({}), {gops:.1} GOPS",
        text(device, "name"),
        text(device, "backend")
    ));
    // The workers share the device.
    Ok(((gops / WORKERS.len() as f64).floor().max(1.0) as u32).to_string())
}

async fn register(node: &Node, folder: &Path, capability: String) -> Result<(), DemoError> {
    let workers = WORKERS.iter().map(|participant| (participant, "worker"));
    let verifiers = VERIFIERS.iter().map(|participant| (participant, "verifier"));
    register_all(node, folder, capability, workers.chain(verifiers)).await
}

/// Registers these, side by side.
pub async fn register_all(
    node: &Node,
    folder: &Path,
    capability: String,
    all: impl Iterator<Item = (&'static Participant, &'static str)>,
) -> Result<(), DemoError> {
    let registrations = all.map(|(participant, role)| {
        let capability = capability.clone();
        async move {
            let agora = Agora::new(&node.url(), participant.key, folder);
            let arguments = [
                "register",
                "--role",
                role,
                "--bond",
                "1000",
                "--capability",
                &capability,
            ];
            let answers = agora.json(&arguments).await?;
            let block = answers
                .first()
                .and_then(|answer| answer["block"].as_u64())
                .unwrap_or_default();
            Ok::<_, DemoError>((participant, role, block))
        }
    });
    for (participant, role, block) in try_join_all(registrations).await? {
        show::line(
            u32::try_from(block).unwrap_or_default(),
            &format!("{} registers as {role} with a bond of 1000", participant.name),
        );
    }
    Ok(())
}

fn mine(node: &Node, participant: &Participant, folder: &Path) -> Result<Process, DemoError> {
    let agora = Agora::new(&node.url(), participant.key, folder);
    let mut arguments = vec!["mine", "--device", DEVICE];
    // In court it would accuse the right result, and lose: that takes some minutes.
    let faulty = participant.fault.into_iter();
    arguments.extend(faulty.flat_map(|fault| ["--fault", fault, "--no-court"]));
    Ok(agora.spawn(&arguments)?)
}

fn verify_work(node: &Node, participant: &Participant, folder: &Path) -> Result<Process, DemoError> {
    Ok(Agora::new(&node.url(), participant.key, folder).spawn(&["verify-work"])?)
}

pub async fn publish(
    publisher: &Agora,
    matrix_size: &str,
    iterations: &str,
    deadline: &str,
) -> Result<TaskId, DemoError> {
    let arguments = [
        "--matrix-size",
        matrix_size,
        "--iterations",
        iterations,
        "--deadline",
        deadline,
    ];
    let answers = publisher
        .json(&[&["publish", "synthetic"], &arguments[..]].concat())
        .await?;
    let published = answers
        .first()
        .ok_or_else(|| DemoError::Check("`agora publish` printed nothing".to_owned()))?;
    let number = published["task"]
        .as_u64()
        .ok_or_else(|| DemoError::Check(format!("no task number in {published}")))?;
    Ok(TaskId(number))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("unknown")
}
