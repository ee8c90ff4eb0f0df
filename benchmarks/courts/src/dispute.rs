//! What one dispute of each kind of job costs: a cartel has settled on what is wrong, and defends it to the last instruction.

use crate::{
    Failure,
    market::{Market, Setting},
    names,
    trial::{Executed, Party, Played, play},
    wasm::Wasm,
};
use agora_arbiter::{Arbiter, Held, IMAGE};
use agora_bench_figures::{Better, Figure};
use agora_compute::{Benchmark, Inputs as _};
use agora_disputes::{Accusation, MAX_WITNESS_BYTES, Side, Verdict, player::Truth};
use agora_jobs::{BlobRef, JobSpec};
use agora_machine::{State, Witness, execute_segment};
use agora_primitives::task::Phase;
use agora_reference::Step;
use codec::Decode;
use frame_support::weights::constants::WEIGHT_REF_TIME_PER_MILLIS;
use std::{hint::black_box, time::Instant};

/// How often a segment is executed; the median counts.
const TIMES: usize = 9;
/// Seconds in which a side should be able to play a dispute on one core.
const MINUTES: f64 = 600.0;
/// What a segment may weigh, in milliseconds.
const SEGMENT_MS: f64 = 5.0;
/// What a dispute may weigh, in transfers.
const TRANSFERS: f64 = 300.0;

/// A dispute that was played.
pub struct Dispute {
    /// What the job is called.
    pub name: &'static str,
    /// What it took.
    pub played: Played,
    /// What the weight of one transfer is, with what every transaction does.
    pub transfer: f64,
    /// Moves of who is right, and of the liar.
    pub moves: [u32; 2],
    /// Seconds that whoever is right takes to compute the job, and to find its moves.
    pub seconds: f64,
}

/// What a cartel says that has computed everything, and then changed what is hardest to find: something that was kept on the way
/// to a state in the middle, and everything that it leads to there.
pub fn wrong(spec: &JobSpec, truth: &Truth) -> Truth {
    let mut wrong = truth.clone();
    let law = agora_reference::of(spec);
    let most = (0..truth.kept.len()).max_by_key(|&state| truth.kept[state].len());
    let state = match most.filter(|&state| !truth.kept[state].is_empty()) {
        Some(state) => {
            let work = |unit: &usize| law.unit(Step::State(state as u64), *unit as u64).map(|unit| unit.work);
            let units = 0..truth.kept[state].len();
            let dearest = units.rev().max_by_key(work).unwrap_or_default();
            change(&mut wrong.kept[state][dearest]);
            state
        }
        None => truth.states.len() / 2,
    };
    change(&mut wrong.states[state]);
    wrong
}

fn change(bytes: &mut Vec<u8>) {
    let middle = bytes.len() / 2;
    match bytes.get_mut(middle) {
        Some(byte) => *byte ^= 1,
        None => bytes.push(1),
    }
}

impl Dispute {
    /// Plays one about a job of about `work` multiply–adds.
    ///
    /// Errors: the job cannot be computed, or whoever is right does not win by an executed segment.
    pub fn play(benchmark: &Benchmark, work: u128, setting: Setting, wasm: Option<&Wasm>) -> Result<Self, Failure> {
        let (spec, inputs) = benchmark.job(work)?;
        let held = Held::of(&spec, |blob| inputs.get(blob).ok());
        let began = Instant::now();
        let honest = Arbiter::compute(spec.clone(), held.clone())?;
        let computing = began.elapsed().as_secs_f64();
        let liar = Arbiter::new(spec.clone(), held, wrong(&spec, honest.truth()));

        let cartel = names("Worker", 5);
        let mut market = Market::new(setting, &cartel, &[]);
        let transfer = pallet_balances::Call::transfer_keep_alive {
            dest: crate::chain::account("Verifier2").into(),
            value: agora_runtime::UNIT,
        };
        let transfer = market.must(vec![("Verifier1".to_owned(), transfer.into())]);
        let transfer = transfer.first().ok_or("no transfer was made")?.weight.ref_time() as f64;
        let task = market.publish("Publisher", &spec);
        let claims: Vec<_> = cartel.iter().map(|who| (who.clone(), liar.claim())).collect();
        let wanted = market.class(&spec).replicas as usize;
        market.work(task, &claims[..wanted]);

        let accusation = Accusation {
            accused: liar.claim(),
            target: honest.target(&liar.claim()).ok_or("the claims are the same")?,
            own: Some(honest.claim()),
        };
        let who = "Verifier1";
        let (receipts, trials) = market.accuse(task, &spec, &[(who.to_owned(), accusation)]);
        let mut parties = [
            Party::honest(who, Side::Accuser, &honest),
            Party::liar("Worker1", Side::Defence, &liar),
        ];
        let mut played = play(&mut market, &trials, &mut parties, |market, extrinsic| match wasm {
            Some(wasm) => wasm.apply(&mut market.chain, extrinsic, TIMES),
            None => Ok(Vec::new()),
        })?;
        if !matches!(played.verdicts[..], [Verdict::Falls(_)]) || played.executed.len() != 1 {
            return Err(format!(
                "{}: {} segments, then {:?}",
                benchmark.name(),
                played.executed.len(),
                played.verdicts
            )
            .into());
        }
        played.count(&receipts);
        played.count(&market.collect(who));
        if market.ended(task) != Phase::Settled {
            return Err("the task has no result although somebody was right".into());
        }
        let [right, lies] = &parties;
        Ok(Self {
            name: benchmark.name(),
            played,
            transfer,
            moves: [right.moves, lies.moves],
            seconds: right.seconds + computing,
        })
    }

    /// What it cost.
    ///
    /// Errors: the segment cannot be executed here.
    pub fn figures(&self) -> Result<Vec<Figure>, Failure> {
        let Self { name, played, .. } = self;
        let [moves, other_moves] = self.moves;
        let seconds = self.seconds;
        let executed = played.executed.first().ok_or("no segment was executed")?;
        let lower = |what: &str, unit, value, baseline| {
            Figure::new(format!("{name}: {what}"), unit, value, baseline, Better::Lower)
        };
        let mut figures = vec![
            lower(
                "moves of whoever is right, against the liar's",
                "moves",
                moves.into(),
                other_moves.into(),
            ),
            lower(
                "blocks of the trial, against the most",
                "blocks",
                played.blocks.into(),
                played.bound as f64,
            ),
            lower(
                "bytes of all calls, against those of a block",
                "KiB",
                played.bytes as f64 / 1024.0,
                f64::from(agora_runtime::configs::system::NORMAL_BLOCK_LENGTH) / 1024.0,
            ),
            lower(
                "weight of the dispute, against a transfer",
                "ms",
                played.weight.ref_time() as f64 / WEIGHT_REF_TIME_PER_MILLIS as f64,
                self.transfer / WEIGHT_REF_TIME_PER_MILLIS as f64,
            )
            .goal(TRANSFERS),
            lower(
                "weight of its segment, against 5 ms",
                "ms",
                executed.weight.ref_time() as f64 / WEIGHT_REF_TIME_PER_MILLIS as f64,
                SEGMENT_MS,
            )
            .goal(1.0),
            lower(
                "state and witness, against the most",
                "KiB",
                (executed.segment.state.len() + executed.segment.witness.len()) as f64 / 1024.0,
                MAX_WITNESS_BYTES as f64 / 1024.0,
            )
            .goal(1.0),
            lower(
                "computing and finding moves, against ten minutes",
                "s",
                seconds,
                MINUTES,
            )
            .goal(1.0),
        ];
        figures.extend(executed.speeds(name)?);
        Ok(figures)
    }
}

impl Executed {
    /// How long it takes in the runtime's Wasm, and how fast its instructions are executed there and natively.
    fn speeds(&self, name: &str) -> Result<Vec<Figure>, Failure> {
        let state = State::decode(&mut self.segment.state.as_slice())?;
        let witness = Witness::decode(&mut self.segment.witness.as_slice())?;
        let image = BlobRef::to(IMAGE);
        let mut native = Vec::new();
        let mut instructions = 0;
        for _ in 0..TIMES {
            let began = Instant::now();
            let after = execute_segment(&image, None, black_box(&state), black_box(&witness))?;
            native.push(began.elapsed().as_secs_f64());
            instructions = state.gas - black_box(after).gas;
        }
        let Some(in_wasm) = median(self.in_wasm.clone()) else {
            return Ok(Vec::new());
        };
        let native = median(native).ok_or("it was not executed")?;
        let mips = |seconds: f64| instructions as f64 / seconds / 1e6;
        Ok(vec![
            Figure::new(
                format!("{name}: time of its transaction in the runtime's Wasm, against its weight"),
                "ms",
                in_wasm * 1e3,
                self.weight.ref_time() as f64 / WEIGHT_REF_TIME_PER_MILLIS as f64,
                Better::Lower,
            )
            .goal(1.0),
            Figure::new(
                format!("{name}: the instructions of its segment in that time, against natively"),
                "MIPS",
                mips(in_wasm),
                mips(native),
                Better::Higher,
            ),
        ])
    }
}

/// `None`: there is nothing.
fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}
