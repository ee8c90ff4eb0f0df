//! From sentences to tokens: prompts, letters, lengths.

use super::{embed_with, imported, refusal};
use crate::float_model::{
    FloatModel,
    dialect::{Files, NORMALIZE, add_modules, edit, put},
};
use agora_models::{EmbedError, Embedder, Prompt};
use serde_json::{Value, json};

fn embedder(files: &Files) -> Embedder {
    Embedder::new(imported(files)).unwrap()
}

fn with(name: &str, settings: &Value) -> Files {
    let mut files = FloatModel::random(7).files();
    add_modules(&mut files, &json!({}), &[NORMALIZE]);
    put(&mut files, name, settings);
    files
}

fn ids(embedder: &Embedder, sentence: &str) -> Vec<u16> {
    embedder.tokens(0, sentence).unwrap().ids
}

#[test]
fn sentences_are_cut_to_what_the_model_can_take_and_that_is_told() {
    let embedder = embedder(&FloatModel::random(7).files());
    let long = "one ".repeat(100);
    let tokens = embedder.tokens(0, &long).unwrap();
    // [CLS], the words, [SEP].
    assert_eq!((tokens.ids.len(), tokens.is_cut), (20, true));
    let exact = embedder.tokens(0, &"one ".repeat(18)).unwrap();
    assert_eq!((exact.ids.len(), exact.is_cut), (20, false));
    let job = embedder.job(&["two", &long, "", &long]).unwrap();
    assert_eq!(job.cut, [1, 3]);
    assert!(embedder.job::<&str>(&[]).is_err());
    assert!(embedder.embeddings(&[0; 3]).is_err());
}

#[test]
fn the_most_tokens_come_from_the_settings_the_tokeniser_or_the_encoder() {
    let length = |name: &str, settings: Value| ids(&embedder(&with(name, &settings)), &"one ".repeat(100)).len();
    let (transformer, tokenizer) = ("sentence_bert_config.json", "tokenizer_config.json");
    assert_eq!(
        length(transformer, json!({"max_seq_length": 7, "do_lower_case": false})),
        7
    );
    assert_eq!(length(transformer, json!({"max_seq_length": null})), 20);
    assert_eq!(length(transformer, json!({"do_lower_case": false})), 20);
    assert_eq!(length(transformer, json!({"max_seq_length": 512})), 20);
    assert_eq!(length(tokenizer, json!({"model_max_length": 9})), 9);
    assert_eq!(length(tokenizer, json!({"model_max_length": 1e30})), 20);
    let mut both = with(tokenizer, &json!({"model_max_length": 9}));
    put(&mut both, transformer, &json!({"max_seq_length": 12}));
    assert_eq!(ids(&embedder(&both), &"one ".repeat(100)).len(), 12);
    let refused = refusal(&with(transformer, &json!({"max_seq_length": 0})));
    assert!(refused.contains("max_seq_length of 0"), "{refused}");
}

#[test]
fn prompts_are_put_in_front_of_sentences() {
    let settings = json!({"prompts": {"query": "one two ", "passage": "nine "}, "default_prompt_name": "query"});
    let files = with("config_sentence_transformers.json", &settings);
    let read = || embedder(&files);
    let expected = |text: &str| FloatModel::tokens(text);
    assert_eq!(ids(&read(), "three"), expected("one two three"));
    assert_eq!(read().prompts().collect::<Vec<_>>(), ["passage", "query"]);
    let named = read().with_prompt(&Prompt::Named("passage".to_owned())).unwrap();
    assert_eq!(ids(&named, "three"), expected("nine three"));
    let own = read().with_prompt(&Prompt::Text("five ".to_owned())).unwrap();
    assert_eq!(ids(&own, "three"), expected("five three"));
    let none = read().with_prompt(&Prompt::Text(String::new())).unwrap();
    assert_eq!(ids(&none, "three"), expected("three"));
    let Err(unknown) = read().with_prompt(&Prompt::Named("title".to_owned())) else {
        panic!("there is no such prompt");
    };
    assert_eq!(
        unknown.to_string(),
        "the model has no prompt \"title\"; it has passage, query"
    );
    // The vectors are those of the sentences with their prompts.
    assert_eq!(embed_with(&read(), &["three"]), embed_with(&none, &["one two three"]));
}

#[test]
fn a_model_without_a_default_prompt_puts_nothing_in_front() {
    let settings = json!({"prompts": {"query": "one "}, "default_prompt_name": null});
    let embedder = embedder(&with("config_sentence_transformers.json", &settings));
    assert_eq!(ids(&embedder, "three"), FloatModel::tokens("three"));
    assert_eq!((embedder.prompt(), embedder.prompts().count()), ("", 1));
}

#[test]
fn prompts_that_must_not_be_pooled_are_refused() {
    let mut files = with(
        "config_sentence_transformers.json",
        &json!({"prompts": {"query": "one "}}),
    );
    put(
        &mut files,
        "1_Pooling/config.json",
        &json!({"pooling_mode": "mean", "include_prompt": false}),
    );
    let told = refusal(&files);
    assert!(
        told.starts_with("1_Pooling/config.json: include_prompt false"),
        "{told}"
    );
    put(
        &mut files,
        "config_sentence_transformers.json",
        &json!({"prompts": {"query": ""}}),
    );
    imported(&files);
}

#[test]
fn letters_are_made_small_where_the_settings_say_so() {
    let sensitive = |files: &mut Files| {
        edit(files, "tokenizer.json", |tokenizer| {
            tokenizer["normalizer"]["lowercase"] = json!(false)
        });
    };
    let mut files = with("sentence_bert_config.json", &json!({"do_lower_case": true}));
    sensitive(&mut files);
    assert_eq!(ids(&embedder(&files), "ONE Two"), FloatModel::tokens("one two"));
    let mut files = with("sentence_bert_config.json", &json!({"do_lower_case": false}));
    sensitive(&mut files);
    assert_eq!(
        ids(&embedder(&files), "ONE Two"),
        [2, 1, 1, 3],
        "they are not in the vocabulary"
    );
}

#[test]
fn a_sentence_without_tokens_is_named() {
    let mut files = FloatModel::random(7).files();
    edit(&mut files, "tokenizer.json", |tokenizer| {
        tokenizer["post_processor"] = json!(null)
    });
    let refused = embedder(&files).job(&["one", "", "two"]).unwrap_err();
    assert!(matches!(refused, EmbedError::NoTokens { sentence: 1 }), "{refused}");
}

#[test]
fn a_package_made_by_something_else_is_refused_where_a_token_is_unknown() {
    let package = imported(&FloatModel::random(7).files());
    let at = package.windows(9).position(|bytes| bytes == b"\"nine\":12").unwrap();
    let mut package = package;
    package[at + 7..at + 9].copy_from_slice(b"99");
    let embedder = Embedder::new(package).unwrap();
    let refused = embedder.job(&["one", "nine"]).unwrap_err();
    assert!(
        matches!(
            refused,
            EmbedError::Token {
                sentence: 1,
                token: 99,
                vocabulary: 15
            }
        ),
        "{refused}"
    );
}
