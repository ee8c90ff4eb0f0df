use super::super::tests::{Files, assert_unfit, convert, parse, prepare};
use super::*;
use agora_compute::{JobSpec, NoInputs};
use agora_primitives::job::blob;

const PI: &[u8] = include_bytes!("../../../../../guests/images/pi.bin");
const LIFE: &[u8] = include_bytes!("../../../../../guests/images/life.bin");

fn program(spec: JobSpec) -> ProgramJob {
    match spec {
        JobSpec::V2(JobKind::Program(job)) => job,
        other => panic!("{other:?} is no program"),
    }
}

async fn warnings(arguments: &[&str]) -> Vec<String> {
    let prepared = parse(arguments).expect("well formed").prepare().expect("a job");
    prepared.warnings().to_vec()
}

#[tokio::test]
async fn arguments_become_a_job_whose_gas_suffices() {
    let files = Files::new();
    let (image, input) = (files.write("pi.bin", PI), files.write("input", "5 1000"));
    let common = ["program", &image, "--input", &input, "--items", "3"];
    let job = program(prepare(&common).await.expect("a job"));
    assert_eq!((job.mode, job.items, job.record_bytes), (Mode::Map, 3, 1024));
    assert_eq!(job.image.hash, blob::hash(PI));
    assert_eq!(job.inputs.as_slice(), [BlobRef::to(b"5 1000")]);
    assert!(warnings(&common).await.is_empty(), "half of the gas is room");
    // Its digits are few.
    assert!(job.gas >= 100_000 && job.gas.is_multiple_of(1000), "{}", job.gas);
    let said = [&common[..], &["--gas", "7M", "--record-bytes", "2048"]].concat();
    let job = program(prepare(&said).await.expect("a job"));
    assert_eq!((job.gas, job.record_bytes), (7_000_000, 2048));
}

#[tokio::test]
async fn what_is_probably_not_meant_is_told_before_money_is_put_up() {
    let files = Files::new();
    let (image, input) = (files.write("pi.bin", PI), files.write("input", "5 many"));
    let told = warnings(&["program", &image, "--input", &input, "--items", "9"]).await;
    let [first, last] = &told[..] else { panic!("{told:?}") };
    assert!(
        first.starts_with("item 0 ends so") && first.contains("unusable"),
        "{first}"
    );
    assert!(last.starts_with("item 8 "), "{last}");
    let input = files.write("input", "5 1000");
    let told = warnings(&["program", &image, "--input", &input, "--gas", "9000"]).await;
    assert!(told[0].contains("out of gas"), "{told:?}");

    // A board that does not fit a record.
    let (life, board, steps) = (
        files.write("life.bin", LIFE),
        files.write("board", format!("{}\n", ".".repeat(59)).repeat(40)),
        files.write("steps", "1"),
    );
    let arguments = [
        "program", &life, "--fold", "--items", "2", "--input", &board, "--input", &steps,
    ];
    let told = warnings(&arguments).await;
    assert!(
        told[0].contains("writes 2400 bytes") && told[0].contains("--record-bytes 3072"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("item 1 ends so"),
        "the step after has no board: {told:?}"
    );
    assert!(
        warnings(&[&arguments[..], &["--record-bytes", "3072"]].concat())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let files = Files::new();
    let (image, empty) = (files.write("pi.bin", PI), files.write("empty", ""));
    let refused = |arguments: Vec<String>| async move {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        prepare(&[&["program"], &arguments[..]].concat())
            .await
            .expect_err("it is refused")
    };
    let with = |further: &[&str]| {
        [&[image.as_str()], further]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let said = refused(with(&["--input", &empty])).await;
    assert!(said.starts_with(&empty) && said.contains("empty"), "{said}");
    let inputs = ["--input", &image].repeat(17);
    assert!(refused(with(&inputs)).await.contains("at most 16"));
    for (option, value, word) in [
        ("--items", "0", "zero"),
        ("--gas", "18G", "above its limit"),
        ("--record-bytes", "1000", "do not fit"),
        ("--gas", "much", "no amount of gas"),
    ] {
        let said = refused(with(&[option, value])).await;
        assert!(said.contains(word), "{option} {value}: {said}");
    }
    let other = files.write("other.elf", b"\x7fELF\x02\x01 and nothing else that matters to anybody");
    let said = refused(vec![other.clone()]).await;
    assert!(said.starts_with(&other) && said.contains("another processor"), "{said}");
}

fn job(mode: Mode) -> ProgramJob {
    ProgramJob {
        image: BlobRef::to(PI),
        inputs: ProgramInputs::default(),
        mode,
        items: 12,
        gas: 500,
        record_bytes: 1024,
    }
}

/// The records of twelve items.
fn output() -> Vec<u8> {
    let job = job(Mode::Map);
    let record = |item: usize| match item {
        1 => job.record(Ending::Trapped(5), b""),
        2 => job.record(Ending::Done, b"\xff\x00"),
        3 => job.record(Ending::OutOfGas, b"cut"),
        4 => vec![9; 1024],
        _ => job.record(Ending::Done, format!("{item}\n").as_bytes()),
    };
    (0..12).flat_map(record).collect()
}

#[test]
fn a_job_is_described() {
    let spec = JobSpec::V2(JobKind::Program(job(Mode::Fold)));
    let text = super::super::describe(&spec);
    assert!(text.starts_with("program 0x"), "{text}");
    assert!(
        text.ends_with("0 inputs, 12 steps, one after the other, of 500 gas and 1024 bytes each"),
        "{text}"
    );
}

#[test]
fn a_result_is_texts_lines_or_files_and_says_what_failed() {
    let spec = JobSpec::V2(JobKind::Program(job(Mode::Map)));
    let text = super::super::convert(&spec, &NoInputs, &output(), ResultFormat::Text).expect("it has texts");
    assert!(text.starts_with(b"0\n\xff\x00\ncut\n5\n6\n"), "{text:?}");
    let json = convert(&spec, &output(), ResultFormat::Json);
    let lines: Vec<&str> = json.lines().collect();
    assert_eq!(lines.len(), 12);
    assert_eq!(lines[0], r#"{"ending":"done","hex":null,"item":0,"text":"0\n"}"#);
    assert_eq!(lines[2], r#"{"ending":"done","hex":"ff00","item":2,"text":null}"#);
    let files = super::super::files(&spec, &output()).expect("it has items");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names[0], names[3], names[11]), ("00", "03", "11"));
    assert_eq!((&files[3].1[..], &files[11].1[..]), (&b"cut"[..], &b"11\n"[..]));
    assert!(super::super::may_fail(&spec));
    let failures = super::super::failures(&spec, &output());
    assert_eq!(failures.len(), 3);
    assert!(failures[0].starts_with("item 1: trapped: "), "{failures:?}");
    assert_eq!(
        failures[1..],
        ["item 3: out of gas", "item 4: no run leaves such a record"]
    );
    assert_unfit(
        &spec,
        [ResultFormat::Png, ResultFormat::Model, ResultFormat::Checkpoint],
    );

    // Of a fold it is the last step's record.
    let spec = JobSpec::V2(JobKind::Program(job(Mode::Fold)));
    let last = job(Mode::Fold).record(Ending::Done, b"end");
    assert_eq!(convert(&spec, &last, ResultFormat::Text), "end\n");
    assert_eq!(
        super::super::files(&spec, &last).expect("a record"),
        [("11".to_owned(), b"end".to_vec())]
    );
}

#[test]
fn other_kinds_have_no_records() {
    let spec = JobSpec::V2(JobKind::Synthetic(agora_primitives::job::SyntheticJob {
        seed: [1; 32],
        matrix_size: 8,
        iterations: 1,
    }));
    assert!(!super::super::may_fail(&spec));
    let refused = super::super::files(&spec, &[1]).expect_err("it has none");
    assert!(refused.to_string().contains("only programs give records"), "{refused}");
    assert_unfit(&spec, [ResultFormat::Text]);
}
