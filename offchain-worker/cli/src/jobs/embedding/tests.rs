use super::super::{
    JobArgs,
    tests::{Files, parse, prepare},
};
use super::*;
use agora_compute::transformer::sample;
use agora_primitives::job::InferenceNetwork;

/// A tokeniser of a few words, with a mark at the beginning and one at the end.
const TOKENIZER: &str = r###"{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},
"post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},"decoder":null,"model":{"type":"WordPiece",
"unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"alpha":4,"query":5}}}"###;

/// A package with that tokeniser, behind the line `texts`.
fn package(texts: &str) -> Vec<u8> {
    let mut package = sample::package(&[1; 32], sample::SMALL);
    package.tokenizer = format!("{texts}{TOKENIZER}").into_bytes();
    package.encode().expect("within the limits")
}

/// What is prepared of `texts` with the package, and more arguments.
fn prepared(package: &[u8], texts: &[u8], more: &[&str]) -> Result<(JobKind, Vec<String>), String> {
    let files = Files::new();
    let (model, texts) = (files.write("model", package), files.write("texts", texts));
    let arguments = [&["embedding", "--model", &model, "--texts", &texts], more].concat();
    let prepared = parse(&arguments)?.prepare().map_err(|error| error.to_string())?;
    let JobSpec::V2(kind) = prepared.spec().clone();
    Ok((kind, prepared.warnings().to_vec()))
}

/// Items of the job, and the most tokens of one.
fn sizes(kind: &JobKind) -> [u32; 2] {
    match kind {
        JobKind::Inference(job) => match job.network {
            InferenceNetwork::Embedding { tokens, .. } => [job.items, tokens],
            other => panic!("{other:?} is no embedding"),
        },
        other => panic!("{other:?} is no inference"),
    }
}

#[test]
fn model_and_texts_are_named() {
    let arguments = ["embedding", "--model", "a.agmp", "--texts", "b.txt"];
    let Ok(JobArgs::Embedding(args)) = parse(&arguments) else {
        panic!("they are well formed");
    };
    assert_eq!((args.model, args.texts), ("a.agmp".into(), "b.txt".into()));
    let missing = parse(&["embedding"]).expect_err("no files");
    assert!(missing.contains("--model") && missing.contains("--texts"), "{missing}");
    let both = [&arguments[..], &["--prompt", "a", "--prompt-name", "b"]].concat();
    assert!(parse(&both).is_err());
}

#[tokio::test]
async fn a_file_that_is_no_model_is_refused() {
    let files = Files::new();
    let (model, texts) = (files.write("model", "no package"), files.write("texts", "One.\n"));
    let arguments = ["embedding", "--model", &model, "--texts", &texts];
    let refused = prepare(&arguments).await.expect_err("no package");
    assert!(refused.starts_with(&model) && refused.contains("package"), "{refused}");
    let pointer = files.write("model", "version https://git-lfs.github.com/spec/v1\n");
    let arguments = ["embedding", "--model", &pointer, "--texts", &texts];
    let refused = prepare(&arguments).await.expect_err("a pointer");
    assert!(refused.contains("git lfs pull"), "{refused}");
}

#[test]
fn there_is_an_item_for_each_line_and_blank_ones_are_told() {
    let lines = b"alpha\n\nbeta\n   \ngamma\n\n\ndelta\n";
    let (kind, warnings) = prepared(&package(""), lines, &[]).expect("a job");
    assert_eq!(sizes(&kind), [8, 3]);
    let [warning] = warnings.try_into().expect("one");
    assert!(warning.starts_with("4 lines (2, 4, 6, 7) are blank"), "{warning}");
    let (kind, warnings) = prepared(&package(""), b"alpha\rbeta\rgamma\r", &[]).expect("a job");
    assert_eq!((sizes(&kind), warnings), ([3, 3], vec![]));
    let refused = prepared(&package(""), b"\n  \n\t\n", &[]).expect_err("nothing to embed");
    assert!(refused.contains("all of its 3 lines are blank"), "{refused}");
}

#[test]
fn texts_that_are_cut_are_told() {
    let long = "alpha ".repeat(39);
    let (kind, warnings) = prepared(&package(""), format!("alpha\n{long}\n").as_bytes(), &[]).expect("a job");
    assert_eq!(sizes(&kind), [2, 40]);
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("line 2 is longer"),
        "{warnings:?}"
    );
}

#[test]
fn prompts_are_chosen_and_those_that_are_not_are_told() {
    let of = |default: &str| {
        package(&format!(
            "{{\"agora_texts\":1,\"lowercase\":false,\"prompts\":{{\"q\":\"query query \"}},\"default_prompt\":{default}}}\n"
        ))
    };
    let tokens = |package: &[u8], more: &[&str]| {
        let (kind, warnings) = prepared(package, b"alpha\n", more).expect("a job");
        (sizes(&kind)[1], warnings.len())
    };
    assert_eq!(tokens(&of("\"q\""), &[]), (5, 0));
    assert_eq!(tokens(&of("\"q\""), &["--prompt", ""]), (3, 0));
    assert_eq!(tokens(&of("null"), &[]), (3, 1));
    assert_eq!(tokens(&of("null"), &["--prompt-name", "q"]), (5, 0));
    assert_eq!(tokens(&of("null"), &["--prompt", "query "]), (4, 0));
    let refused = prepared(&of("null"), b"alpha\n", &["--prompt-name", "x"]).expect_err("no such prompt");
    assert!(refused.contains("no prompt \"x\"; it has q"), "{refused}");
}

#[test]
fn a_line_without_tokens_is_named() {
    let package = {
        let mut package = sample::package(&[1; 32], sample::SMALL);
        let start = TOKENIZER.find("\"post_processor\"").expect("it has one");
        let end = TOKENIZER.find("\"decoder\"").expect("it has one");
        package.tokenizer = format!("{}{}", &TOKENIZER[..start], &TOKENIZER[end..]).into_bytes();
        package.encode().expect("within the limits")
    };
    let refused = prepared(&package, b"alpha\n\nalpha\n", &[]).expect_err("line 2 has no tokens");
    assert!(refused.contains("line 2 gives no tokens"), "{refused}");
}
