//! Programs that are translated, against the interpreter and against the same sources compiled for this processor.
//!
//! All three take turns, and what counts is the time that each has had a processor: other programs that run here slow each of them
//! alike, but do not count.

use crate::{Failure, Input, unit};
use agora_bench_figures::{Better, Figure};
use agora_jobs::BlobRef;
use agora_machine::{Chunks, Machine, Program, Status};
use agora_translator::{Policy, Run, Translator};
use random::Random;
use std::{hint::black_box, process::Command, sync::Arc, time::Instant};

#[path = "../../../guests/agora-guest/src/random.rs"]
#[allow(dead_code, reason = "the program uses more of it than its loop does")]
mod random;

const PI: &[u8] = include_bytes!("../../../guests/images/pi.bin");
const PRIMES: &[u8] = include_bytes!("../../../guests/images/primes.bin");
const PRIMES_SOURCE: &str = include_str!("../../../guests/c/primes.c");
/// Points of a run of the program that estimates π.
const POINTS: u64 = 1_000_000;
/// The million in which primes are counted.
const ITEM: u64 = 9;
const GAS: u64 = 1 << 34;

/// Takes the place of `agora.h` on this processor: counts again and again, and prints the seconds of each time.
const NATIVE_HEADER: &str = r#"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
struct agora_arguments { uint64_t item; };
void run(const struct agora_arguments *arguments);
static inline _Noreturn void agora_halt(uint64_t code) { exit((int)code + 1); }
static inline void agora_print(const char *text) { fputs(text, stderr); }
static inline void agora_print_number(uint64_t number) { fprintf(stderr, "%llu", (unsigned long long)number); }
int main(int count, char **arguments) {
    struct timespec from, to;
    struct agora_arguments given = { strtoull(arguments[count - 1], 0, 10) };
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    run(&given);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    printf("%.9f\n", (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
    return 0;
}
"#;

/// How often what takes milliseconds natively is done.
const TIMES: u32 = 16;

/// The seconds that this thread has had a processor for; where the system does not say so, those since `began`.
fn spent(began: Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = text.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| began.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// The seconds that `work` has had a processor for.
fn timed<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(f64, T), Failure> {
    let began = Instant::now();
    let before = spent(began);
    let result = work()?;
    Ok((spent(began) - before, result))
}

/// The same of what is done [`TIMES`] times.
fn native(mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let (seconds, ()) = timed(|| (0..TIMES).try_for_each(|_| work()))?;
    Ok(seconds / f64::from(TIMES))
}

/// What is run in three ways.
struct Subject<'a> {
    name: &'a str,
    image: &'a [u8],
    input: BlobRef,
    reads: Vec<BlobRef>,
    chunks: &'a dyn Chunks,
    /// The seconds that it takes natively.
    native: Box<dyn FnMut() -> Result<f64, Failure> + 'a>,
}

/// How it went.
struct Measured {
    instructions: f64,
    interpreted: f64,
    translated: f64,
    native: f64,
    /// The first run, with what is interpreted and compiled before it is fast.
    first: f64,
}

impl Subject<'_> {
    fn measure(&mut self, repetitions: usize) -> Result<Measured, Failure> {
        let image: Arc<[u8]> = self.image.into();
        let (mut interpreted, mut translated, mut natively, mut first) = (vec![], vec![], vec![], vec![]);
        let mut instructions = 0;
        for _ in 0..repetitions {
            natively.push((self.native)()?);
            let program = Program {
                image: self.image,
                input: self.input,
                gas: GAS,
                reads: Some(&self.reads),
            };
            let (seconds, (machine, status)) = timed(|| {
                let mut machine = Machine::new(&program, self.chunks)?;
                let status = machine.advance(u64::MAX)?;
                Ok((machine, status))
            })?;
            interpreted.push(seconds);
            let translator = Translator::new(Policy::default())?;
            let image = translator.image(&image)?;
            for seconds in [&mut first, &mut translated] {
                let (taken, run) = timed(|| {
                    let mut run = Run::new(&image, self.input, GAS, &self.reads, self.chunks)?;
                    while run.advance(u64::MAX)? == Status::Running {}
                    Ok(run)
                })?;
                seconds.push(taken);
                if run.output() != machine.output() || run.gas_used() != machine.gas_used() || status != Status::Done {
                    return Err(format!("{}: the translation does something else", self.name).into());
                }
            }
            instructions = machine.gas_used();
        }
        Ok(Measured {
            instructions: instructions as f64,
            interpreted: median(interpreted),
            translated: median(translated),
            native: median(natively),
            first: median(first),
        })
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Runs each subject so often in each way.
///
/// Errors: a translation gives something else than the interpreter, or there is no C compiler.
pub fn figures(repetitions: usize) -> Result<Vec<Figure>, Failure> {
    let input = format!("9 {POINTS}").into_bytes();
    let pi = Given::new(0, &input);
    let primes = Given::new(ITEM, &[]);
    let folder = std::env::temp_dir().join(format!("agora-bench-machine-{}", std::process::id()));
    let counter = compile(&folder);
    let unit = unit::matrices()?;
    let mut subjects = vec![
        Subject {
            name: "π by random points",
            image: PI,
            input: pi.input,
            reads: pi.reads.clone(),
            chunks: &pi,
            native: Box::new(|| {
                native(|| {
                    black_box(hits(black_box(9), 0, POINTS));
                    Ok(())
                })
            }),
        },
        Subject {
            name: "a unit of a chain of matrices",
            image: unit::IMAGE,
            input: unit.input,
            reads: unit.reads(),
            chunks: &unit.blobs,
            native: Box::new(|| {
                native(|| {
                    black_box(unit.run.compute(&unit.blobs)?);
                    Ok(())
                })
            }),
        },
    ];
    match counter {
        Ok(counter) => subjects.push(Subject {
            name: "primes, in C",
            image: PRIMES,
            input: primes.input,
            reads: primes.reads.clone(),
            chunks: &primes,
            native: Box::new(move || {
                let output = Command::new(&counter).arg(ITEM.to_string()).output()?;
                Ok(String::from_utf8(output.stdout)?.trim().parse()?)
            }),
        }),
        Err(error) => eprintln!("There is no C compiler, so primes are not counted: {error}"),
    }
    let mut figures = Vec::new();
    for subject in &mut subjects {
        let measured = subject.measure(repetitions)?;
        let Measured {
            instructions,
            interpreted,
            translated,
            native,
            first,
        } = measured;
        let name = subject.name;
        let mips = |seconds: f64| instructions / seconds / 1e6;
        let figure = |what: &str, value, baseline| {
            Figure::new(
                format!("{name}: {what}"),
                "MIPS",
                mips(value),
                mips(baseline),
                Better::Higher,
            )
        };
        figures.push(figure("translated, against native", translated, native).goal(1.0 / 3.0));
        figures.push(figure("translated, against interpreted", translated, interpreted).goal(1.0));
        figures.push(figure("the first run, against interpreted", first, interpreted).goal(1.0));
    }
    let _ = std::fs::remove_dir_all(folder);
    Ok(figures)
}

/// As the program does it.
#[inline(never)]
fn hits(seed: u64, item: u64, points: u64) -> usize {
    let mut random = Random::new(seed, item);
    let mut square = || u64::from(random.word()).pow(2);
    (0..points).filter(|_| square().checked_add(square()).is_some()).count()
}

/// Compiles the counter of primes for this processor.
fn compile(folder: &std::path::Path) -> Result<std::path::PathBuf, Failure> {
    std::fs::create_dir_all(folder)?;
    let (source, program) = (folder.join("primes.c"), folder.join("primes"));
    std::fs::write(&source, PRIMES_SOURCE)?;
    std::fs::write(folder.join("agora.h"), NATIVE_HEADER)?;
    let status = Command::new("cc")
        .arg("-O2")
        .arg("-o")
        .args([&program, &source])
        .status()?;
    if !status.success() {
        return Err("cc fails".into());
    }
    Ok(program)
}

/// What a run of a program job is given.
struct Given {
    input: BlobRef,
    reads: Vec<BlobRef>,
    blobs: Vec<Input>,
}

impl Given {
    fn new(item: u64, input: &[u8]) -> Self {
        let mut arguments: Vec<u8> = [1, item, item + 1]
            .iter()
            .flat_map(|number: &u64| number.to_le_bytes())
            .collect();
        let add = |arguments: &mut Vec<u8>, blob: &BlobRef| {
            arguments.extend(blob.hash.0);
            arguments.extend(blob.size.to_le_bytes());
        };
        add(&mut arguments, &BlobRef::to(&[]));
        let inputs: Vec<&[u8]> = if input.is_empty() { vec![] } else { vec![input] };
        arguments.extend((inputs.len() as u64).to_le_bytes());
        for input in &inputs {
            add(&mut arguments, &BlobRef::to(input));
        }
        let all = [vec![arguments], inputs.iter().map(|input| input.to_vec()).collect()].concat();
        let blobs: Vec<Input> = all
            .into_iter()
            .map(|content| {
                let blob = BlobRef::to(&content);
                Input(content, blob)
            })
            .collect();
        let reads: Vec<BlobRef> = blobs.iter().map(|input| input.1).chain([BlobRef::to(&[])]).collect();
        Self {
            input: reads[0],
            reads,
            blobs,
        }
    }
}

impl Chunks for Given {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; agora_machine::PAGE_BYTES]) -> Option<()> {
        self.blobs.iter().find_map(|input| input.chunk(blob, index, chunk))
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<agora_jobs::ChunkProof> {
        self.blobs.iter().find_map(|input| input.prove(blob, index))
    }
}
