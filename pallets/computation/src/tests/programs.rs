//! Whole games about publishers' own programs, through the calls: the runtime executes a segment of the program itself.

use super::world::*;
use crate::{Runs, mock::*};
use agora_arbiter::{Arbiter, Liar};
use agora_disputes::{Side, Stand, Verdict};
use agora_primitives::{
    courts::Standing,
    job::{
        BlobRef, JobKind, JobSpec, Mode, ProgramJob,
        program::{Ending, read_record},
    },
};
use agora_reference::Inputs;
use frame_support::assert_ok;

/// `li a0, 0; li a7, 0; ecall`: it halts.
const HALTS: [u32; 3] = [0x0000_0513, 0x0000_0893, 0x0000_0073];
/// `ebreak`.
const TRAPS: [u32; 1] = [0x0010_0073];
/// `jal x0, 0`: it uses all its gas.
const LOOPS: [u32; 1] = [0x0000_006F];
/// `li a7, 1; li a0, 0x8000_0000; ecall`: it reads the blob of zeroes, which it may not, and nobody has.
const READS: [u32; 4] = [0x0010_0893, 0x0080_0513, 0x01C5_1513, 0x0000_0073];

#[derive(Clone)]
struct Image(Vec<u8>);

impl Inputs for Image {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        (BlobRef::to(&self.0) == *blob).then_some(&self.0)
    }
}

fn image(words: &[u32]) -> Image {
    Image(words.iter().flat_map(|word| word.to_le_bytes()).collect())
}

fn job(image: &Image, mode: Mode) -> JobSpec {
    JobSpec::V2(JobKind::Program(ProgramJob {
        image: BlobRef::to(&image.0),
        inputs: Default::default(),
        mode,
        items: 3,
        gas: 70_000,
        record_bytes: 2048,
    }))
}

/// Who says that the last run wrote `said` and was done.
fn liar(honest: &Arbiter<Image>, image: &Image, said: &[u8]) -> Arbiter<Image> {
    let JobSpec::V2(JobKind::Program(job)) = honest.spec() else {
        panic!("another kind")
    };
    let mut truth = honest.truth().clone();
    let record = job.record(Ending::Done, said);
    let output = truth.states.last_mut().unwrap();
    let from = output.len() - record.len();
    output[from..].copy_from_slice(&record);
    Arbiter::new(honest.spec().clone(), image.clone(), truth)
}

#[test]
fn programs_are_decided_whatever_they_do() {
    for (words, ending) in [
        (&HALTS[..], Ending::Done),
        (&TRAPS, Ending::Trapped(4)),
        (&LOOPS, Ending::OutOfGas),
        (&READS, Ending::Trapped(5)),
    ] {
        let image = image(words);
        for mode in [Mode::Map, Mode::Fold] {
            let honest = Arbiter::compute(job(&image, mode), image.clone()).unwrap();
            let output = honest.truth().states.last().unwrap();
            let record = &output[output.len() - 2048..];
            assert_eq!(read_record(record), Some((ending, &[][..])));
            for (side, said) in [
                (Side::Accuser, &b"it lies"[..]),
                (Side::Defence, b"it lies"),
                (Side::Accuser, &[7; 1500]),
            ] {
                run(|| decided(&honest, &liar(&honest, &image, said), side));
            }
        }
    }
}

/// Plays a game in which `honest` has `side`: it wins, and a segment of the program refutes the liar.
fn decided(honest: &Arbiter<Image>, lying: &Arbiter<Image>, side: Side) {
    let (accused, accuser, other) = match side {
        Side::Accuser => (lying.claim(), HONEST, Side::Defence),
        Side::Defence => (honest.claim(), LIAR, Side::Accuser),
    };
    let target = match side {
        Side::Accuser => honest.target(&accused),
        Side::Defence => lying.target(&accused),
    };
    open_case_of(honest.spec().clone(), accused);
    let accusation = accusation(accused, target.unwrap());
    assert_ok!(commit(accuser, &accusation));
    run_to_reveal();
    let id = reveal_of(honest.spec().clone(), accuser, &accusation).unwrap();
    play(&[
        Seat {
            who: LIAR,
            moves: Box::new(move |trial, game| Liar(lying).moves(other, game, &trial.terms)),
            is_right: false,
        },
        Seat {
            who: HONEST,
            moves: Box::new(move |trial, game| honest.moves(side, game, &trial.terms)),
            is_right: true,
        },
    ]);
    match side {
        Side::Accuser => assert!(matches!(verdict(id), Some(Verdict::Falls(_)))),
        Side::Defence => assert_eq!(verdict(id), Some(Verdict::Stands)),
    }
    let runs: Vec<_> = Runs::<Test>::iter_values().collect();
    assert!(runs.iter().all(|run| run.stand != Stand::Failure));
    assert!(runs.iter().any(|run| run.by == LIAR && run.lost.is_some()));
    assert!(runs.iter().any(|run| run.by == HONEST && run.lost.is_none()));
    let falls = matches!(standing(), Standing::Fallen { .. });
    assert_eq!(falls, side == Side::Accuser);
    collect_all();
    assert!(has(HONEST) > ENDOWMENT && has(LIAR) < ENDOWMENT);
}
