use super::super::{
    JobArgs, convert, describe,
    tests::{Files, assert_unfit, parse, prepare},
};
use super::*;
use agora_compute::{CancelFlag, CpuEngine, Engine, JobSpec, MemoryInputs, NoProgress, classifier::Package};

/// Four images of 2 × 2 pixels in two classes.
fn data() -> Vec<u8> {
    let data = Dataset {
        maximum: 16,
        width: 2,
        height: 2,
        classes: 2,
        pixels: (0..16).collect(),
        labels: vec![0, 1, 0, 1],
    };
    data.encode().expect("well formed")
}

fn arguments(data: &str) -> Vec<&str> {
    let sizes = ["--network", "perceptron:2", "--batch", "2"];
    let steps = ["--segments", "2", "--segment-steps", "3"];
    [&["training", "--data", data][..], &sizes, &steps].concat()
}

#[test]
fn networks_read_back_as_they_print() {
    for text in ["perceptron:128", "convolution:16:3:2"] {
        assert_eq!(network_text(parse_network(text).expect("well formed")), text);
    }
    for text in ["", "perceptron", "perceptron:1:2", "convolution:1:2", "transformer:1"] {
        let error = parse_network(text).expect_err("malformed");
        assert!(error.contains("known are"), "{error}");
    }
    let error = parse(&["training", "--data", "d", "--network", "perceptron:x"]).expect_err("no number");
    assert!(error.contains("is not a number"), "{error}");
}

#[test]
fn what_is_left_out_has_its_default() {
    let Ok(JobArgs::Training(args)) = parse(&["training", "--data", "d"]) else {
        panic!("it is well formed");
    };
    assert_eq!(args.network, NetworkShape::Perceptron { hidden: 128 });
    assert_eq!((args.batch, args.segments, args.segment_steps), (32, 16, 125));
    assert_eq!((args.rate_shift, args.halve_after, args.momentum_shift), (5, 500, 3));
    assert!(args.state_interval.is_none() && args.start.is_none());
    assert!(parse(&["training"]).expect_err("no data").contains("--data"));
}

#[tokio::test]
async fn sizes_follow_from_the_data() {
    let files = Files::new();
    let path = files.write("data", data());
    let JobSpec::V2(JobKind::Training(job)) = prepare(&arguments(&path)).await.expect("a job") else {
        panic!("it is training");
    };
    assert_eq!((job.width, job.height, job.classes), (2, 2, 2));
    assert_eq!((job.state_interval, job.steps()), (3, 6));
    assert_eq!(job.start, None);
}

#[tokio::test]
async fn a_start_or_data_that_no_worker_could_use_are_refused_before_money_is_spent() {
    let files = Files::new();
    let path = files.write("data", data());
    // A perceptron of 4 inputs, 2 hidden units and 2 classes: 16 weights, each with a momentum.
    let checkpoint = |weight: i32| {
        let mut bytes = vec![0; 4 + 8 * 16];
        bytes[4..8].copy_from_slice(&weight.to_le_bytes());
        bytes
    };
    let common = arguments(&path);
    let with = |start: &str| {
        [&common[..], &["--start", start]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (weight, is_usable) in [(127 << 16, true), ((127 << 16) + 1, false), (i32::MAX, false)] {
        let start = files.write("start", checkpoint(weight));
        let line = with(&start);
        let prepared = prepare(&line.iter().map(String::as_str).collect::<Vec<_>>()).await;
        match prepared {
            Ok(_) => assert!(is_usable, "{weight}"),
            Err(refused) => {
                assert!(
                    !is_usable && refused.starts_with(&format!("{start}, byte 4: a weight is too large")),
                    "{refused}"
                );
                assert!(refused.contains("--format checkpoint"), "{refused}");
            }
        }
    }
    let mut bright = data();
    bright[20] = 17;
    let bright = files.write("bright", bright);
    let refused = prepare(&arguments(&bright)).await.expect_err("a pixel is too bright");
    assert!(refused.starts_with(&bright), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_data_set_is_refused() {
    let files = Files::new();
    let path = files.write("data", "no data");
    let refused = prepare(&arguments(&path)).await.expect_err("no data set");
    assert!(refused.starts_with(&path), "{refused}");
}

#[tokio::test]
async fn a_result_becomes_a_model_a_checkpoint_and_losses() {
    let files = Files::new();
    let spec = prepare(&arguments(&files.write("data", data()))).await.expect("a job");
    let mut inputs = MemoryInputs::new();
    inputs.insert(data());
    let computed = CpuEngine::new().run(&spec, &inputs, &NoProgress, &CancelFlag::new());
    let output = computed.expect("computed").output;
    let made = |format| convert(&spec, &inputs, &output, format).expect("training has it");
    let package = Package::decode(&made(ResultFormat::Model)).expect("a package");
    assert_eq!((package.maximum, package.shape.channels), (16, 2));
    let JobSpec::V2(JobKind::Training(job)) = &spec else {
        panic!("it is training");
    };
    let last = Output::decode(job, &output).expect("an output").checkpoints[1].encode();
    assert_eq!(made(ResultFormat::Checkpoint), last);
    let losses = String::from_utf8(made(ResultFormat::Json)).expect("text");
    assert_eq!(losses.lines().count(), 6);
    assert!(losses.lines().all(|line| line.parse::<u32>().is_ok()), "{losses}");
    assert_unfit(&spec, [ResultFormat::Png]);
    let text = describe(&spec);
    assert!(text.starts_with("training of a perceptron:2 on data 0x"), "{text}");
    assert!(text.ends_with("6 steps of 2 images"), "{text}");
}
