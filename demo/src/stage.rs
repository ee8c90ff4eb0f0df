//! The course of the demonstration.

use crate::{
    accounts::{Books, Cast, PUBLISHER, Part, VERIFIERS, WORKERS},
    error::{DemoError, check},
    report::{Report, Story},
    show,
};
use agora_chain::Client;
use agora_localnet::{Agora, Node, NodeOptions, Process};
use agora_primitives::TaskId;
use futures::future::try_join_all;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// The task that is computed.
const MATRIX_SIZE: &str = "512";
const ITERATIONS: &str = "64";
/// How long any one step may take.
const PATIENCE: Duration = Duration::from_secs(180);

pub async fn run() -> Result<(), DemoError> {
    let folder = tempfile::Builder::new()
        .prefix("agora-demo-")
        .tempdir()
        .map_err(DemoError::Folder)?;
    let cast = Cast::new()?;

    show::heading("A chain");
    let mut node = Node::start(NodeOptions::development(), folder.path()).await?;
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

    show::heading("Workers and verifiers");
    let capability = measure(&node, folder.path()).await?;
    register(&node, folder.path(), capability).await?;
    let workers = WORKERS
        .iter()
        .map(|part| mine(&node, part, folder.path()))
        .collect::<Result<Vec<_>, _>>()?;
    let verifiers = VERIFIERS
        .iter()
        .map(|part| validate(&node, part, folder.path()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut processes: Vec<Process> = workers.into_iter().chain(verifiers).collect();
    for process in &mut processes {
        process.printed("Ctrl-C stops", 0, PATIENCE).await?;
    }
    show::note("all run: each worker has checked its device against the golden vectors");

    show::heading("Two tasks");
    let publisher = Agora::new(&node.url(), PUBLISHER.key, folder.path());
    let large = publish(
        &publisher,
        &[
            "synthetic",
            "--matrix-size",
            MATRIX_SIZE,
            "--iterations",
            ITERATIONS,
            "--deadline",
            "60",
        ],
    )
    .await?;
    let mut story = Story::new(large);
    while story.accepted.len() < WORKERS.len() {
        let block = next(&mut blocks).await?;
        story.tell(&block, &cast);
    }
    // Each worker has one slot, and all are taken: nobody will be there for this one.
    let small = publish(
        &publisher,
        &[
            "synthetic",
            "--matrix-size",
            "16",
            "--iterations",
            "2",
            "--deadline",
            "6",
        ],
    )
    .await?;
    story.lonely = Some(small);
    while !story.is_over() {
        let block = next(&mut blocks).await?;
        story.tell(&block, &cast);
        for process in &mut processes {
            process.ensure_running()?;
        }
    }

    let report = Report {
        client: &client,
        publisher: &publisher,
        cast: &cast,
        before: &before,
        story: &story,
    };
    report.print().await?;

    for process in processes {
        process.stop().await?;
    }
    node.stop().await?;
    show::heading("Done");
    show::note("every check held, and nothing is left running");
    Ok(())
}

async fn next(blocks: &mut agora_chain::Blocks) -> Result<agora_chain::BlockEvents, DemoError> {
    match tokio::time::timeout(PATIENCE, blocks.next()).await {
        Ok(block) => Ok(block?),
        Err(_) => Err(DemoError::Check(format!(
            "no block was finalised for {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// Waits for the first finalised block after genesis.
async fn first_block(client: &Client) -> Result<agora_chain::BlockRef, DemoError> {
    let mut blocks = client.follow_finalised(None);
    loop {
        let block = next(&mut blocks).await?.block;
        if block.number > 0 {
            return Ok(block);
        }
    }
}

/// The device that all workers share: the best adapter, even if it is software, for the demonstration shows the engine that
/// GPUs have.
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
    let all = WORKERS
        .iter()
        .map(|part| (part, "worker"))
        .chain(VERIFIERS.iter().map(|part| (part, "verifier")));
    let registrations = all.map(|(part, role)| {
        let capability = capability.clone();
        async move {
            let agora = Agora::new(&node.url(), part.key, folder);
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
            Ok::<_, DemoError>((part, role, block))
        }
    });
    for (part, role, block) in try_join_all(registrations).await? {
        show::line(
            u32::try_from(block).unwrap_or_default(),
            &format!("{} registers as {role} with a bond of 1000", part.name),
        );
    }
    Ok(())
}

fn mine(node: &Node, part: &Part, folder: &Path) -> Result<Process, DemoError> {
    let agora = Agora::new(&node.url(), part.key, folder);
    let mut arguments = vec!["mine", "--device", DEVICE];
    arguments.extend(part.fault.into_iter().flat_map(|fault| ["--fault", fault]));
    Ok(agora.spawn(&arguments)?)
}

fn validate(node: &Node, part: &Part, folder: &Path) -> Result<Process, DemoError> {
    Ok(Agora::new(&node.url(), part.key, folder).spawn(&["validate"])?)
}

async fn publish(publisher: &Agora, arguments: &[&str]) -> Result<TaskId, DemoError> {
    let answers = publisher.json(&[&["publish"], arguments].concat()).await?;
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
