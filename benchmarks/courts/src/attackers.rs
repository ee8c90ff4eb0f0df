//! What attacks bring to those who try them, played on the real runtime with the money of its genesis.
//!
//! Fees of transactions are counted, electricity is not: so whoever works honestly has less than is said here, and so has an attacker
//! who computes something.

use crate::{
    Failure,
    market::{Attester, Market, REWARD, Setting},
    names,
    trial::{Party, play},
};
use agora_arbiter::{Arbiter, Held};
use agora_bench_figures::{Better, Figure};
use agora_disputes::{Accusation, Side, Target, Verdict, player::Truth};
use agora_jobs::{Claim, JobKind, JobSpec, SyntheticJob};
use agora_primitives::{TaskId, job::H256, judging::Attestation, participants::Role, task::Phase};
use agora_runtime::{Balance, BlockNumber, Runtime, RuntimeCall, UNIT};
use std::collections::BTreeMap;

/// Workers of a synthetic task.
const WORKERS: usize = 5;
/// Accounts of whoever accuses with many.
const SYBILS: usize = 20;
/// As many as there are seats: all may attest.
const VERIFIERS: usize = 8;

/// What an attack brought.
pub struct Attack {
    /// What was tried.
    pub name: &'static str,
    /// What all accounts of the attacker won together, in plancks.
    pub profit: i128,
    /// What as many accounts get for honest work, in plancks.
    pub honest: i128,
    /// What those got together who stopped it, or were to be harmed by it, in plancks.
    pub others: i128,
    /// Blocks from the publication to the end of the task; of an undisturbed one.
    pub blocks: [BlockNumber; 2],
    /// How the task ended.
    pub end: &'static str,
}

impl Attack {
    /// Its profit beside that of honest work. The goal: it has none.
    pub fn figure(&self) -> Figure {
        let units = |plancks: i128| plancks as f64 / UNIT as f64;
        Figure::new(
            format!("profit of {}, against honest work", self.name),
            "units",
            units(self.profit),
            units(self.honest),
            Better::Lower,
        )
        .goal(0.0)
    }
}

/// Prints what the figures leave out.
pub fn print(attacks: &[Attack]) {
    let units = |plancks: i128| plancks as f64 / UNIT as f64;
    println!(
        "With a reward of {} units; blocks beside those of an undisturbed task.\n",
        REWARD / UNIT
    );
    println!("| attack | attacker | honest work | the others | blocks | the task |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for attack in attacks {
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {} ({}) | {} |",
            attack.name,
            units(attack.profit),
            units(attack.honest),
            units(attack.others),
            attack.blocks[0],
            attack.blocks[1],
            attack.end,
        );
    }
    println!("\nNot played here: {}.\n", NOT_PLAYED.join("; "));
}

/// What would take more than one chain in memory, or what the chain does not have yet.
pub const NOT_PLAYED: [&str; 6] = [
    "a copier on a fork (needs a re-organisation; reveals wait for no finality yet)",
    "a grinder of draws and lots (needs an author who withholds blocks)",
    "a verifier that has a half of a result (it is found in three of four; see the tests of the judging pallet)",
    "a bribed panel of drawn verifiers (the court has the last word)",
    "accounts that enter wrong claims, one after the other, until the task fails (see the tests of the tasks pallet)",
    "a part of the draw's weight short of a majority (whoever has all replicas is played instead: one who is right suffices)",
];

/// A task, and what is true of it.
struct Stage {
    market: Market,
    job: JobSpec,
    honest: Arbiter<Held>,
    liar: Arbiter<Held>,
    task: TaskId,
    published: BlockNumber,
    before: BTreeMap<String, Balance>,
}

impl Stage {
    /// A market with six workers and eight verifiers, in which a task is published; and `sybils` accounts that have nothing but money.
    fn new(setting: Setting, sybils: usize) -> Result<Self, Failure> {
        let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [7; 32],
            matrix_size: 24,
            iterations: 5,
        }));
        let honest = Arbiter::compute(job.clone(), Held::default())?;
        let mut truth = honest.truth().clone();
        if let Some(byte) = truth.states.last_mut().and_then(|output| output.first_mut()) {
            *byte ^= 1;
        }
        let liar = Arbiter::new(job.clone(), Held::default(), truth);
        let (workers, verifiers) = (names("Worker", WORKERS + 1), names("Verifier", VERIFIERS));
        let mut market = Market::new(setting, &workers, &verifiers);
        let sybils = names("Sybil", sybils);
        market.endow(&sybils);
        let all = workers
            .into_iter()
            .chain(verifiers)
            .chain(sybils)
            .chain(["Publisher", "Bob", "Charlie"].map(str::to_owned));
        let mut before: BTreeMap<_, _> = all.map(|who| (who, 0)).collect();
        for (who, wealth) in &mut before {
            *wealth = market.wealth(who);
        }
        let published = market.now();
        let task = market.publish("Publisher", &job);
        Ok(Self {
            market,
            job,
            honest,
            liar,
            task,
            published,
            before,
        })
    }

    /// What these accounts have won since the task was about to be published.
    fn profit(&mut self, accounts: &[String]) -> i128 {
        let profit = |who: &String| self.market.wealth(who) as i128 - self.before[who] as i128;
        accounts.iter().map(profit).sum()
    }

    fn claims(workers: &[String], claim: Claim) -> Vec<(String, Claim)> {
        workers.iter().map(|who| (who.clone(), claim)).collect()
    }

    /// Has verifiers commit to attestations. What they reveal follows by itself, when they can.
    fn attest(&mut self, verifiers: &[(&str, Attests)]) {
        let attesters = verifiers.iter().map(|(who, how)| self.attester(who, *how)).collect();
        self.market.attest(self.task, attesters);
    }

    fn attester(&self, who: &str, how: Attests) -> Attester {
        let output = |truth: &Truth| truth.states.last().cloned().unwrap_or_default();
        let has = match how {
            Attests::Wrongly => output(self.liar.truth()),
            _ => output(self.honest.truth()),
        };
        Attester {
            who: who.to_owned(),
            attestation: Attestation::of(how != Attests::Against),
            had: match how {
                Attests::WithNothing => vec![0; has.len()],
                _ => has.clone(),
            },
            has,
            copies: (how == Attests::AsAnother).then(|| "Verifier2".to_owned()),
            reveals: how != Attests::Silently,
        }
    }

    /// Waits for the end of the task, and for all bonds.
    fn end(&mut self, collector: &str) -> (&'static str, BlockNumber) {
        let end = match self.market.ended(self.task) {
            Phase::Settled => "settled",
            Phase::Failed => "failed",
            Phase::Expired => "expired",
            _ => "?",
        };
        let blocks = self.market.now() - self.published;
        self.market.collect(collector);
        (end, blocks)
    }

    /// Somebody who is right accuses, and what was said falls.
    fn bring_down(&mut self, who: &str, claim: Claim, liar: Option<&Arbiter<Held>>) -> Result<usize, Failure> {
        let accusation = Accusation {
            accused: claim,
            target: self.honest.target(&claim).ok_or("it is right")?,
            own: Some(self.honest.claim()),
        };
        let (_, trials) = self
            .market
            .accuse(self.task, &self.job, &[(who.to_owned(), accusation)]);
        let mut parties = vec![Party::honest(who, Side::Accuser, &self.honest)];
        parties.extend(liar.map(|liar| Party::liar("Worker1", Side::Defence, liar)));
        let played = play(&mut self.market, &trials, &mut parties, |_, _| Ok(Vec::new()))?;
        match played.verdicts[..] {
            [Verdict::Falls(_)] => Ok(played.executed.len()),
            _ => Err(format!("it does not fall: {:?}", played.verdicts).into()),
        }
    }
}

/// How a verifier says that a result is right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attests {
    /// It has had all of it, and has checked it or not: nobody sees the difference.
    WithEverything,
    /// It had none of it, and has the drawn chunks when they are drawn.
    WithNothing,
    /// It commits to what the other verifier has committed to.
    AsAnother,
    /// It does not reveal.
    Silently,
    /// It has all of what is wrong.
    Wrongly,
    /// It says that the result is wrong.
    Against,
}

/// An honest market: what its five workers win, what an attester wins, and how many blocks the task takes.
struct Baseline {
    five: i128,
    attester: i128,
    blocks: BlockNumber,
}

fn baseline(setting: Setting) -> Result<Baseline, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let workers = names("Worker", WORKERS);
    stage
        .market
        .work(stage.task, &Stage::claims(&workers, stage.honest.claim()));
    stage.attest(&["Verifier1", "Verifier2"].map(|who| (who, Attests::WithEverything)));
    let (_, blocks) = stage.end("Bob");
    Ok(Baseline {
        five: stage.profit(&workers),
        attester: stage.profit(&names("Verifier", 1)),
        blocks,
    })
}

/// All attacks, in turn.
///
/// Errors: one does not go as it should.
pub fn all(setting: Setting) -> Result<Vec<Attack>, Failure> {
    let usual = baseline(setting)?;
    let mut all = vec![
        a_cartel(setting, &usual, Cartel::Defends)?,
        a_cartel(setting, &usual, Cartel::Withholds)?,
        a_cartel(setting, &usual, Cartel::Unusable)?,
        a_cartel(setting, &usual, Cartel::AccusesItself)?,
        a_publisher_with_its_own_workers(setting, &usual)?,
        a_false_root(setting, &usual)?,
        a_lazy_attester(setting, &usual, Attests::Wrongly)?,
        a_lazy_attester(setting, &usual, Attests::WithNothing)?,
        a_lazy_attester(setting, &usual, Attests::AsAnother)?,
        a_lazy_attester(setting, &usual, Attests::Silently)?,
        a_lazy_attester(setting, &usual, Attests::WithEverything)?,
        a_copier(setting, &usual)?,
        a_silent_worker(setting, &usual)?,
        an_early_leaver(setting, &usual)?,
    ];
    all.push(wrong_accusers(setting, &usual, "whoever accuses what is right", 1)?);
    all.push(wrong_accusers(
        setting,
        &usual,
        "twenty who accuse what is right",
        SYBILS,
    )?);
    all.push(a_hijacker(setting, &usual)?);
    all.push(a_block_stuffer(setting, &usual)?);
    Ok(all)
}

/// What a cartel that has all replicas does with them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cartel {
    Defends,
    Withholds,
    Unusable,
    AccusesItself,
}

fn a_cartel(setting: Setting, usual: &Baseline, how: Cartel) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let mut cartel = names("Worker", WORKERS);
    let unusable = Arbiter::new(
        stage.job.clone(),
        Held::default(),
        Truth {
            unusable: true,
            ..Truth::default()
        },
    );
    let claim = match how {
        Cartel::Unusable => unusable.claim(),
        _ => stage.liar.claim(),
    };
    stage.market.work(stage.task, &Stage::claims(&cartel, claim));
    let accuser = match how {
        Cartel::AccusesItself => "Worker6",
        _ => "Bob",
    };
    let liar = Arbiter::new(stage.job.clone(), Held::default(), stage.liar.truth().clone());
    let defended = match how {
        Cartel::Defends => Some(&liar),
        Cartel::Unusable => Some(&unusable),
        Cartel::Withholds | Cartel::AccusesItself => None,
    };
    let executed = stage.bring_down(accuser, claim, defended)?;
    if executed != usize::from(how == Cartel::Defends) {
        return Err(format!("{executed} segments were executed").into());
    }
    let (end, blocks) = stage.end("Charlie");
    if how == Cartel::AccusesItself {
        cartel.push(accuser.to_owned());
    }
    let others = match how {
        Cartel::AccusesItself => 0,
        _ => stage.profit(&["Bob".to_owned()]),
    };
    Ok(Attack {
        name: match how {
            Cartel::Defends => "a cartel with all replicas, which defends what is wrong to the last instruction",
            Cartel::Withholds => "a cartel that shows nothing of its result, nor of the way to it",
            Cartel::Unusable => "a cartel that calls usable inputs unusable",
            Cartel::AccusesItself => "a cartel that accuses itself, and says then what is right",
        },
        profit: stage.profit(&cartel),
        honest: usual.five,
        others,
        blocks: [blocks, usual.blocks],
        end,
    })
}

fn a_publisher_with_its_own_workers(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let mut own = names("Worker", WORKERS);
    stage.market.work(stage.task, &Stage::claims(&own, stage.liar.claim()));
    let verifiers = ["Verifier1", "Verifier2"];
    stage.attest(&verifiers.map(|who| (who, Attests::Wrongly)));
    own.extend(verifiers.map(str::to_owned));
    let (end, blocks) = stage.end("Charlie");
    own.push("Publisher".to_owned());
    Ok(Attack {
        name: "a publisher whose own workers and verifiers agree on anything, unseen",
        profit: stage.profit(&own),
        honest: usual.five,
        others: 0,
        blocks: [blocks, usual.blocks],
        end,
    })
}

/// A publisher has all the workers and a seat. They say the right output after false states, which the check of such work does not see; then it
/// brings that down, and says what is right.
fn a_false_root(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let mut own = names("Worker", WORKERS);
    let Claim::Output { output, .. } = stage.honest.claim() else {
        return Err("the job has an output".into());
    };
    let claim = Claim::Output {
        output,
        states_root: H256::repeat_byte(9),
    };
    stage.market.work(stage.task, &Stage::claims(&own, claim));
    let mut verifiers = names("Verifier", VERIFIERS);
    let seat = verifiers.pop().ok_or("there are verifiers")?;
    let honest = verifiers.iter().map(|who| (who.as_str(), Attests::WithEverything));
    let all: Vec<_> = honest.chain([(seat.as_str(), Attests::Against)]).collect();
    stage.attest(&all);
    stage.bring_down("Bob", claim, None)?;
    let (end, blocks) = stage.end("Charlie");
    own.extend([seat, "Publisher".to_owned(), "Bob".to_owned()]);
    Ok(Attack {
        name: "a publisher whose workers say a right output after false states, which it brings down itself",
        profit: stage.profit(&own),
        honest: usual.five,
        others: stage.profit(&verifiers),
        blocks: [blocks, usual.blocks],
        end,
    })
}

fn a_lazy_attester(setting: Setting, usual: &Baseline, how: Attests) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let workers = names("Worker", WORKERS);
    let claim = match how {
        Attests::Wrongly => stage.liar.claim(),
        _ => stage.honest.claim(),
    };
    stage.market.work(stage.task, &Stage::claims(&workers, claim));
    let other = match how {
        Attests::Wrongly => Attests::Wrongly,
        _ => Attests::WithEverything,
    };
    stage.attest(&[("Verifier1", how), ("Verifier2", other)]);
    let others = match how {
        Attests::Wrongly => {
            stage.bring_down("Bob", claim, None)?;
            "Bob"
        }
        _ => "Verifier2",
    };
    let (end, blocks) = stage.end("Charlie");
    Ok(Attack {
        name: match how {
            Attests::Wrongly => "a verifier that has a wrong result and attests it unseen",
            Attests::WithNothing => "a verifier that attests a right result without having had it",
            Attests::AsAnother => "a verifier that commits to what another has committed to",
            Attests::Silently => "a verifier that commits to an attestation and does not reveal it",
            Attests::WithEverything => "a verifier that has carried all of a right result and attests it unseen",
            Attests::Against => return Err("who is lazy says that results are right".into()),
        },
        profit: stage.profit(&names("Verifier", 1)),
        honest: usual.attester,
        others: stage.profit(&[others.to_owned()]),
        blocks: [blocks, usual.blocks],
        end,
    })
}

fn a_copier(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let workers = names("Worker", WORKERS);
    let (task, claim) = (stage.task, stage.honest.claim());
    stage.market.accept(task, &workers);
    let honest = Stage::claims(&workers[..4], claim);
    stage.market.commit(task, &honest[..3]);
    let copied = stage.market.commitment(task, "Worker1", &claim);
    let copy = pallet_agora_tasks::Call::commit {
        task,
        commitment: copied,
    };
    stage.market.must(vec![("Worker5".to_owned(), copy.into())]);
    stage.market.commit(task, &honest[3..]);
    let receipts = stage.market.reveal(task, &Stage::claims(&workers, claim));
    if receipts
        .iter()
        .map(|receipt| receipt.result.is_ok())
        .collect::<Vec<_>>()
        != [true, true, true, true, false]
    {
        return Err("what was copied can be revealed".into());
    }
    stage.market.chosen(task);
    let (end, blocks) = stage.end("Charlie");
    Ok(Attack {
        name: "a worker that commits to what another has committed to",
        profit: stage.profit(&workers[4..]),
        honest: usual.five / WORKERS as i128,
        others: stage.profit(&workers[..4]),
        blocks: [blocks, usual.blocks],
        end,
    })
}

fn a_silent_worker(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let workers = names("Worker", WORKERS);
    let (task, honest) = (stage.task, Stage::claims(&workers[..4], stage.honest.claim()));
    stage.market.accept(task, &workers);
    stage.market.commit(task, &honest);
    stage.market.reveal(task, &honest);
    stage.market.chosen(task);
    let (end, blocks) = stage.end("Charlie");
    Ok(Attack {
        name: "a worker that accepts and stays silent, where nobody else is free",
        profit: stage.profit(&workers[4..]),
        honest: usual.five / WORKERS as i128,
        others: stage.profit(&workers[..4]),
        blocks: [blocks, usual.blocks],
        end,
    })
}

fn an_early_leaver(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let cartel = names("Worker", WORKERS);
    let claim = stage.liar.claim();
    stage.market.work(stage.task, &Stage::claims(&cartel, claim));
    // It may say so, but has its bonds until the task has ended, and that of its role for a day.
    let role = Role::Worker;
    let leave = pallet_agora_registry::Call::request_exit { role };
    stage.market.must(vec![("Worker1".to_owned(), leave.into())]);
    let take = pallet_agora_registry::Call::withdraw_bond { role };
    let receipts = stage.market.block(vec![("Worker1".to_owned(), take.into())]);
    if receipts.iter().any(|receipt| receipt.result.is_ok()) {
        return Err("a worker is gone while its result may be accused".into());
    }
    stage.bring_down("Bob", claim, None)?;
    let (end, blocks) = stage.end("Charlie");
    Ok(Attack {
        name: "a worker that would leave before its wrong result is accused",
        profit: stage.profit(&cartel[..1]),
        honest: usual.five / WORKERS as i128,
        others: stage.profit(&["Bob".to_owned()]),
        blocks: [blocks, usual.blocks],
        end,
    })
}

/// `count` accounts accuse a right result, and play to the last instruction; one of its workers defends it against all of them.
fn wrong_accusers(setting: Setting, usual: &Baseline, name: &'static str, count: usize) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, count)?;
    let workers = names("Worker", WORKERS);
    let claim = stage.honest.claim();
    stage.market.work(stage.task, &Stage::claims(&workers, claim));
    let sybils = names("Sybil", count);
    let accusation = Accusation {
        accused: claim,
        target: Target::Output,
        own: Some(stage.liar.claim()),
    };
    let all: Vec<_> = sybils.iter().map(|who| (who.clone(), accusation.clone())).collect();
    let (_, trials) = stage.market.accuse(stage.task, &stage.job, &all);
    let mut parties = vec![Party::honest("Worker1", Side::Defence, &stage.honest)];
    parties.extend(sybils.iter().map(|who| Party::liar(who, Side::Accuser, &stage.liar)));
    let played = play(&mut stage.market, &trials, &mut parties, |_, _| Ok(Vec::new()))?;
    let stands = played.verdicts.iter().all(|verdict| *verdict == Verdict::Stands);
    if !stands || played.executed.len() != count || played.verdicts.len() != count {
        return Err(format!("{} segments, then {:?}", played.executed.len(), played.verdicts).into());
    }
    let (end, blocks) = stage.end("Charlie");
    Ok(Attack {
        name,
        profit: stage.profit(&sybils),
        honest: usual.five / WORKERS as i128,
        others: stage.profit(&workers[..1]),
        blocks: [blocks, usual.blocks],
        end,
    })
}

/// Somebody adds a run for a right claim that nobody can play, in the hope that the claim falls with it.
fn a_hijacker(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 2)?;
    let workers = names("Worker", WORKERS);
    let claim = stage.honest.claim();
    stage.market.work(stage.task, &Stage::claims(&workers, claim));
    let accusation = Accusation {
        accused: claim,
        target: Target::Output,
        own: None,
    };
    let (accuser, hijacker) = ("Sybil1".to_owned(), "Sybil2".to_owned());
    let (_, trials) = stage
        .market
        .accuse(stage.task, &stage.job, &[(accuser.clone(), accusation)]);
    let mut parties = [
        Party::honest("Worker1", Side::Defence, &stage.honest),
        Party::liar(&accuser, Side::Accuser, &stage.liar),
        Party::hijacker(&hijacker, Side::Defence, &stage.honest),
    ];
    let played = play(&mut stage.market, &trials, &mut parties, |_, _| Ok(Vec::new()))?;
    if played.verdicts != [Verdict::Stands] || parties[2].moves == 0 {
        return Err(format!("{} runs of the hijacker, then {:?}", parties[2].moves, played.verdicts).into());
    }
    let (end, blocks) = stage.end("Charlie");
    let pair = [accuser, hijacker];
    Ok(Attack {
        name: "a hijacker of the right side, with the accuser",
        profit: stage.profit(&pair),
        honest: usual.five / WORKERS as i128,
        others: stage.profit(&workers[..1]),
        blocks: [blocks, usual.blocks],
        end,
    })
}

/// Somebody fills blocks so that nobody can answer in time: they stop clocks, up to a bound. One is filled here, and its price
/// counted for each.
fn a_block_stuffer(setting: Setting, usual: &Baseline) -> Result<Attack, Failure> {
    let mut stage = Stage::new(setting, 0)?;
    let workers = names("Worker", WORKERS);
    stage
        .market
        .work(stage.task, &Stage::claims(&workers, stage.honest.claim()));
    let full = |stage: &mut Stage| {
        let count = pallet_agora_computation::FullBlocks::<Runtime>::get;
        stage.market.chain.ext.execute_with(count)
    };
    let (before, poorer) = (full(&mut stage), stage.profit(&["Charlie".to_owned()]));
    // Longer ones are refused in a block that has another.
    let piece = agora_runtime::configs::system::NORMAL_BLOCK_LENGTH as usize / 4 - 1024;
    let call = || RuntimeCall::from(frame_system::Call::<Runtime>::remark { remark: vec![0; piece] });
    let calls = (0..4).map(|_| ("Charlie".to_owned(), call())).collect();
    stage.market.must(calls);
    if full(&mut stage) != before + 1 {
        return Err("the block is not full".into());
    }
    let price = stage.profit(&["Charlie".to_owned()]) - poorer;
    let stops = stage.market.terms().stops;
    let (end, blocks) = stage.end("Bob");
    Ok(Attack {
        name: "whoever fills the blocks of a clock until it goes on all the same",
        profit: price * i128::from(stops),
        honest: usual.five / WORKERS as i128,
        others: stage.profit(&workers[..1]),
        blocks: [blocks, usual.blocks],
        end,
    })
}
