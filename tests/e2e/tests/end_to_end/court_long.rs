//! Disputes that take too long for every change: those of the other kinds, false claims that inputs are unusable, and accusers who are
//! wrong. `make test-long` runs them; one of them, `cargo test -p agora-e2e -- --ignored NAME`.

use crate::Tests;
use agora_chain::{
    AtBlock, Client, H256, KeySource, Submitter,
    api::{
        Event,
        api::{computation, tasks},
    },
    calls,
};
use agora_compute::{Benchmark, Inputs};
use agora_disputes::{Accusation, Target, commitment};
use agora_e2e::{Chain, Market, account, finalised_up_to, publisher, worker};
use agora_primitives::{
    TaskId,
    job::{Claim, JobKind, JobSpec, SyntheticJob},
    money::Purpose,
    reputation::Outcome,
    task::Phase,
};
use codec::Encode;
use futures::future::join_all;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// So many workers compute each task; all but the last are a cartel.
const WORKERS: usize = 5;
/// Accounts that accuse what is right.
const SYBILS: usize = 20;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.long("court_long::a_cartel_that_multiplies_wrongly_falls", || {
        cartel("matmul")
    });
    tests.long("court_long::a_cartel_that_embeds_wrongly_falls", || cartel("embedding"));
    tests.long("court_long::a_cartel_that_classifies_wrongly_falls", || {
        cartel("classification")
    });
    tests.long("court_long::a_cartel_that_trains_wrongly_falls", || cartel("training"));
    tests.long("court_long::a_cartel_that_renders_wrongly_falls", || {
        cartel("rendering")
    });
    tests.long(
        "court_long::a_cartel_that_calls_a_usable_scene_unusable_falls",
        a_cartel_that_calls_a_usable_scene_unusable_falls,
    );
    tests.long(
        "court_long::an_accuser_who_is_wrong_loses",
        an_accuser_who_is_wrong_loses,
    );
    tests.long(
        "court_long::twenty_accusers_take_as_long_as_one",
        twenty_accusers_take_as_long_as_one,
    );
    tests.long(
        "court_long::moves_that_a_reorg_took_back_are_made_again",
        moves_that_a_reorg_took_back_are_made_again,
    );
}

/// A chain on which five workers compute every task at once, and with the phases `clock`, `entry` and `challenge` in court.
async fn chain(terms: [u64; 3]) -> Chain {
    Chain::start(|genesis| edit(genesis, terms)).await
}

fn edit(genesis: &mut Value, [clock, entry, challenge]: [u64; 3]) {
    let terms = &mut genesis["computation"]["terms"];
    for (phase, blocks) in [
        ("reveal", 30),
        ("clock", clock),
        ("entry", entry),
        ("challenge", challenge),
    ] {
        assert!(terms[phase].is_u64(), "the terms have no {phase}: {terms}");
        terms[phase] = json!(blocks);
    }
    let classes = genesis["tasks"]["classes"].as_array_mut();
    for class in classes.expect("there are classes") {
        class[1]["replicas"] = json!(WORKERS);
        class[1]["maxReplicas"] = json!(9);
    }
    let balances = genesis["balances"]["balances"].as_array_mut();
    let sybils = (0..SYBILS).map(|number| json!([account(&sybil(number)).to_string(), 1_000_000_000_000_000u64]));
    balances.expect("there are balances").extend(sybils);
}

fn sybil(number: usize) -> String {
    format!("//Sybil{number}")
}

async fn market(terms: [u64; 3]) -> Market {
    market_on(chain(terms).await).await
}

async fn market_on(chain: Chain) -> Market {
    let market = Market::on(Arc::new(chain), &publisher(1)).await;
    market.register(WORKERS, 0).await;
    market
}

/// A small job of a kind, with its inputs at hand.
async fn publish(market: &Market, kind: &str) -> TaskId {
    let all = Benchmark::all().expect("every kind has a workload");
    let benchmark = all.iter().find(|one| one.name() == kind).expect("the kind has one");
    let (spec, inputs) = benchmark.job(1).expect("it is within its limits");
    for blob in spec.inputs() {
        let content = inputs.get(&blob).expect("it is among the inputs");
        market.chain.put_input(&content).await;
    }
    market.publish_spec(spec).await
}

/// Starts a worker that is right, and four that are wrong in the same way, of whom one goes to court for all.
async fn start(market: &Market, fault: &str) -> Vec<agora_localnet::Process> {
    let mut processes = vec![market.mine(WORKERS, &[]).await];
    for number in 1..WORKERS {
        let arguments = ["--fault", fault, "--no-court"];
        let arguments = if number == 1 { &arguments[..2] } else { &arguments[..] };
        processes.push(market.mine(number, arguments).await);
    }
    processes
}

fn is_executed(event: &Event) -> bool {
    matches!(event, Event::Computation(computation::Event::SegmentExecuted { .. }))
}

/// Waits for the end: the fifth worker was right, the others were not, the runtime has executed a segment, and nobody who was right has
/// lost a bond.
async fn the_fifth_wins(market: &mut Market, task: TaskId) {
    assert_eq!(market.ended_within(task, PATIENCE).await, Phase::Settled);
    let honest = worker(WORKERS);
    assert!(matches!(market.outcome(task, &honest), Some(Outcome::Right { .. })));
    for number in 1..WORKERS {
        assert_eq!(market.outcome(task, &worker(number)), Some(Outcome::Wrong));
    }
    assert!(market.happened(is_executed), "the runtime has executed a segment");
    market.bonds_in_court_are_settled(task).await;
    assert_eq!(market.taken_from(&honest, Purpose::CourtBond), 0);
    assert_eq!(market.taken_from(&honest, Purpose::TaskBond), 0);
    market.assert_conserved(task).await;
}

/// How long a task with two trials, one after the other, may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// Clock, entry and challenge with time to run the largest units of small jobs on a busy machine.
const PATIENT: [u64; 3] = [300, 120, 20];
/// The same for jobs that take a moment.
const QUICK: [u64; 3] = [40, 16, 8];

/// Four of five workers say the same wrong thing, and one of them goes on to say so to the last instruction; the fifth brings it
/// down, and is then accused by them.
async fn cartel(kind: &str) {
    let mut market = market(PATIENT).await;
    let _processes = start(&market, "corrupt").await;
    let task = publish(&market, kind).await;
    the_fifth_wins(&mut market, task).await;
}

async fn a_cartel_that_calls_a_usable_scene_unusable_falls() {
    let mut market = market(PATIENT).await;
    let _processes = start(&market, "unusable").await;
    let task = publish(&market, "rendering").await;
    the_fifth_wins(&mut market, task).await;
}

async fn an_accuser_who_is_wrong_loses() {
    let mut market = market(QUICK).await;
    let mut processes = vec![market.mine(WORKERS, &["--fault", "corrupt"]).await];
    for number in 1..WORKERS {
        processes.push(market.mine(number, &[]).await);
    }
    let task = market.publish_small().await;
    assert_eq!(market.ended_within(task, PATIENCE).await, Phase::Settled);
    market.bonds_in_court_are_settled(task).await;
    let wrong = worker(WORKERS);
    assert!(market.happened(is_executed), "the runtime has executed a segment");
    // Of its accusation, and of its run.
    let bonds = market.taken_from(&wrong, Purpose::CourtBond);
    assert!(bonds > 0);
    assert_eq!(market.outcome(task, &wrong), Some(Outcome::Wrong));
    let mut won = 0;
    for number in 1..WORKERS {
        let honest = worker(number);
        assert_eq!(market.taken_from(&honest, Purpose::CourtBond), 0);
        assert_eq!(market.taken_from(&honest, Purpose::TaskBond), 0);
        won += market.paid_to(&honest, Purpose::CourtBond).into_iter().sum::<u128>();
    }
    assert_eq!(won, bonds / 2, "half goes to who was right, half is burned");
    market.assert_conserved(task).await;
}

/// Blocks from the choice of the result to the end of a task, and what the workers won in court, if `accusers` accuse its right
/// result and then say nothing more.
async fn accused_by(market: &mut Market, accusers: usize) -> (u32, u128) {
    let spec = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [accusers as u8; 32],
        matrix_size: 24,
        iterations: 5,
    }));
    let task = market.publish_spec(spec.clone()).await;
    let (case, claim) = market
        .event("a case", |event| match event {
            Event::Computation(computation::Event::CaseOpened {
                task: of, case, claim, ..
            }) if of.0 == task => Some((*case, claim.0)),
            _ => None,
        })
        .await;
    let accusation = Accusation {
        accused: claim,
        target: Target::Output,
        own: None::<Claim>,
    };
    let salt = [7; 32];
    let submitters: Vec<_> = (0..accusers)
        .map(|number| {
            let keypair = KeySource::Development(sybil(number)).load();
            let keypair = keypair.expect("development keys are well formed");
            Submitter::new(market.client.clone(), keypair)
        })
        .collect();
    let genesis = market.client.genesis_hash();
    let commit = |submitter: &Submitter| {
        let hash = commitment(&genesis.0.into(), case, &submitter.account().0, &accusation, &salt);
        let submitter = submitter.clone();
        async move { submitter.submit(&calls::accuse(task, H256(hash.0))).await }
    };
    for committed in join_all(submitters.iter().map(commit)).await {
        committed.expect("anybody may accuse");
    }
    loop {
        let at = market.client.best().await.expect("the chain answers");
        let cases = at.cases().await.expect("cases can be read");
        let of = cases.iter().find(|one| one.number == case);
        if at.block.number >= of.expect("it is open").until {
            break;
        }
        market.next_block().await;
    }
    let reveal = |submitter: &Submitter| {
        let call = calls::reveal_accusation(task, accusation.clone(), salt, spec.clone());
        let submitter = submitter.clone();
        async move { submitter.submit(&call).await }
    };
    for revealed in join_all(submitters.iter().map(reveal)).await {
        revealed.expect("it is revealed in time");
    }
    assert_eq!(market.ended_within(task, PATIENCE).await, Phase::Settled);
    market.bonds_in_court_are_settled(task).await;
    let chosen =
        |event: &Event| matches!(event, Event::Tasks(tasks::Event::ResultChosen { task: of, .. }) if of.0 == task);
    let settled = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Settled { task: of, .. }) if of.0 == task);
    let blocks = market.block_of(settled) - market.block_of(chosen);
    let won = (1..=WORKERS).flat_map(|number| market.paid_to(&worker(number), Purpose::CourtBond));
    let won = won.sum();
    for number in 1..=WORKERS {
        assert!(matches!(
            market.outcome(task, &worker(number)),
            Some(Outcome::Right { .. })
        ));
        assert_eq!(market.taken_from(&worker(number), Purpose::CourtBond), 0);
    }
    market.assert_conserved(task).await;
    (blocks, won)
}

/// Accusers who say nothing after they have accused cost the task the accuser's clock, however many they are; and every one of them pays.
async fn twenty_accusers_take_as_long_as_one() {
    let mut market = market(QUICK).await;
    let mut processes = Vec::new();
    for number in 1..=WORKERS {
        processes.push(market.mine(number, &[]).await);
    }
    let (alone, first) = accused_by(&mut market, 1).await;
    let (together, all) = accused_by(&mut market, SYBILS).await;
    println!("one accuser: {alone} blocks; {SYBILS}: {together}");
    assert!(together <= alone + 10, "one: {alone} blocks, {SYBILS}: {together}");
    // What was won with the first task is among what was won with both.
    assert_eq!(all - first, first * SYBILS as u128);
}

/// The validator that everybody here talks to is cut off in the middle of a trial. It goes on alone, and moves are made in its
/// blocks. Then it joins the others again, whose chain is longer: those blocks and moves are gone. All of it is played again, and
/// nobody who is right loses.
async fn moves_that_a_reorg_took_back_are_made_again() {
    let mut market = market_on(Chain::of_four(|genesis| edit(genesis, PATIENT)).await).await;
    let _processes = start(&market, "corrupt").await;
    let task = market.publish_small().await;
    let opened = |event: &Event| match event {
        Event::Computation(computation::Event::TrialOpened { task: of, trial, .. }) => (of.0 == task).then_some(*trial),
        _ => None,
    };
    let trial = market.event("the trial", opened).await;
    let (chain, client) = (Arc::clone(&market.chain), market.client.clone());
    let mut lost = None;
    chain
        .cut_off(async {
            let mut positions = BTreeSet::new();
            let from = best(&client).await.block.number;
            let in_time = async {
                while positions.len() < 4 || best(&client).await.block.number < from + 8 {
                    let at = best(&client).await;
                    if let Ok(Some(view)) = at.trial(trial).await {
                        positions.insert((view.game.dispute, view.game.branches).encode());
                    }
                    lost = Some(at.block);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            let in_time = tokio::time::timeout(PATIENCE, in_time).await;
            in_time.expect("moves are made in its own blocks");
        })
        .await;
    let lost = lost.expect("there was a block");
    finalised_up_to(&client, lost.number)
        .await
        .expect("it joins the others");
    let kept = client.at_number(lost.number).await.expect("it has the block").block;
    assert_ne!(kept, lost, "its own blocks are gone");
    the_fifth_wins(&mut market, task).await;
}

/// The best block, once the node is believed.
async fn best(client: &Client) -> AtBlock {
    loop {
        match client.best().await {
            Ok(at) => return at,
            Err(error) if error.is_recoverable() => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(error) => panic!("{error}"),
        }
    }
}
