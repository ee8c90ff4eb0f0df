//! Tokenisers that the library for them would fail on, and others of which texts cannot be made.

use super::{imported, refusal};
use crate::float_model::{
    FloatModel,
    dialect::{Files, add_modules, edit, put},
};
use agora_compute::transformer::Package;
use agora_models::{EmbedError, Embedder};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The files of a model with a changed `tokenizer.json`.
fn with(change: impl FnOnce(&mut Value)) -> Files {
    let mut files = FloatModel::random(7).files();
    edit(&mut files, "tokenizer.json", change);
    files
}

/// What is said of a model with such a tokeniser, by the import, and of a package with it.
fn refused(change: impl Fn(&mut Value)) -> String {
    let files = with(&change);
    let told = refusal(&files);
    let told = told
        .strip_prefix("tokenizer.json is no tokeniser that can be used: ")
        .unwrap_or_else(|| panic!("{told}"));
    let mut package = Package::decode(&imported(&FloatModel::random(7).files())).unwrap();
    package.tokenizer = files["tokenizer.json"].clone();
    match Embedder::new(package.encode().unwrap()) {
        Err(EmbedError::Tokenizer(of_package)) => assert_eq!(of_package, told),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the package was read"),
    }
    told.to_owned()
}

/// A template of `pieces`, with the tokens [CLS] and [SEP].
fn template(pieces: &Value) -> Value {
    json!({"type": "TemplateProcessing", "single": pieces, "pair": [], "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
    }})
}

fn piece(kind: &str, id: &str) -> Value {
    json!({kind: {"id": id, "type_id": 0}})
}

#[test]
fn a_byte_order_mark_cutting_and_padding_of_its_own_change_nothing() {
    let expected = Embedder::new(imported(&FloatModel::random(7).files())).unwrap();
    let mut files = with(|tokenizer| {
        tokenizer["truncation"] =
            json!({"direction": "Left", "max_length": 1, "strategy": "LongestFirst", "stride": 9});
        tokenizer["padding"] = json!({"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    });
    let tokenizer = files.get_mut("tokenizer.json").unwrap();
    tokenizer.splice(0..0, *b"\xef\xbb\xbf");
    let embedder = Embedder::new(imported(&files)).unwrap();
    for text in ["one", "one two three four five six seven eight nine"] {
        assert_eq!(embedder.tokens(0, text).unwrap(), expected.tokens(0, text).unwrap());
    }
}

#[test]
fn templates_that_do_not_fit_together_are_refused() {
    let good = json!([
        piece("SpecialToken", "[CLS]"),
        piece("Sequence", "A"),
        piece("SpecialToken", "[SEP]")
    ]);
    let files = with(|tokenizer| tokenizer["post_processor"] = template(&good));
    let embedder = Embedder::new(imported(&files)).unwrap();
    assert_eq!(embedder.tokens(0, "one").unwrap().ids, FloatModel::tokens("one"));
    for (bad, said) in [
        (
            json!([piece("Sequence", "A"), piece("SpecialToken", "[EOS]")]),
            "\"[EOS]\"",
        ),
        (json!([piece("Sequence", "A"), piece("Sequence", "B")]), "a second text"),
        (json!([piece("Sequence", "A"), piece("Sequence", "A")]), "2 texts"),
        (json!([piece("SpecialToken", "[CLS]")]), "0 texts"),
    ] {
        for is_inner in [false, true] {
            let told = refused(|tokenizer| {
                let template = template(&bad);
                tokenizer["post_processor"] = match is_inner {
                    true => json!({"type": "Sequence", "processors": [template]}),
                    false => template,
                };
            });
            assert!(told.contains(said), "{told}");
        }
    }
}

#[test]
fn tokens_are_put_around_a_text_once() {
    let bert = json!({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]});
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
    let sequence = |processors: Value| json!({"type": "Sequence", "processors": processors});
    let good = sequence(json!([bytes, sequence(json!([bert]))]));
    let embedder = Embedder::new(imported(&with(|tokenizer| tokenizer["post_processor"] = good))).unwrap();
    assert_eq!(embedder.tokens(0, "one").unwrap().ids, FloatModel::tokens("one"));
    let told = refused(|tokenizer| tokenizer["post_processor"] = sequence(json!([bert, sequence(json!([bert]))])));
    assert!(told.contains("more than one"), "{told}");
}

#[test]
fn pieces_of_no_letters_are_refused() {
    let splitter = |length: u32| json!({"type": "FixedLength", "length": length});
    imported(&with(|tokenizer| tokenizer["pre_tokenizer"] = splitter(1)));
    for bad in [
        splitter(0),
        json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, splitter(0)]}),
    ] {
        let told = refused(|tokenizer| tokenizer["pre_tokenizer"] = bad.clone());
        assert!(told.contains("FixedLength"), "{told}");
    }
}

#[test]
fn a_length_without_room_for_a_token_is_refused() {
    for length in [1, 2] {
        let said = format!(
            "it puts 2 tokens around each text, which leaves no room for the text: the model takes {length} at most"
        );
        let mut files = FloatModel::random(7).files();
        add_modules(&mut files, &json!({"pooling_mode": "mean"}), &[]);
        put(
            &mut files,
            "sentence_bert_config.json",
            &json!({"max_seq_length": length}),
        );
        let told = refusal(&files);
        assert!(told.contains(&said) && told.contains("max_seq_length"), "{told}");
    }
    let mut files = FloatModel::random(7).files();
    add_modules(&mut files, &json!({"pooling_mode": "mean"}), &[]);
    put(&mut files, "sentence_bert_config.json", &json!({"max_seq_length": 3}));
    let embedder = Embedder::new(imported(&files)).unwrap();
    let tokens = embedder.tokens(0, "one two").unwrap();
    assert_eq!((&tokens.ids[..], tokens.is_cut), (&[2, 4, 3][..], true));
}

#[test]
fn merges_with_a_prefix_and_random_merges_are_refused() {
    let model = |dropout: Value, prefix: Value| {
        json!({"type": "BPE", "dropout": dropout, "unk_token": "u", "continuing_subword_prefix": prefix,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": {"u": 0, "o": 1, "n": 2, "on": 3}, "merges": [["o", "n"]]})
    };
    for nothing in [json!(null), json!(0.0)] {
        let files = with(|tokenizer| tokenizer["model"] = model(nothing.clone(), json!("")));
        let embedder = Embedder::new(imported(&files)).unwrap();
        assert_eq!(embedder.tokens(0, "on").unwrap().ids, [2, 3, 3]);
    }
    let told = refused(|tokenizer| tokenizer["model"] = model(json!(0.5), json!(null)));
    assert!(told.contains("dropout"), "{told}");
    let told = refused(|tokenizer| tokenizer["model"] = model(json!(null), json!("##")));
    assert!(told.contains("continuing_subword_prefix"), "{told}");
}

/// A map of letters with such a trie and such texts.
fn map(trie: &[u32], texts: &[u8]) -> Value {
    let words = trie.iter().flat_map(|word| word.to_le_bytes());
    let length = (4 * trie.len() as u32).to_le_bytes();
    let bytes: Vec<u8> = length.into_iter().chain(words).chain(texts.iter().copied()).collect();
    json!({"type": "Precompiled", "precompiled_charsmap": STANDARD.encode(bytes)})
}

#[test]
fn maps_of_letters_are_read_if_they_lead_nowhere_else() {
    // In a double array, base XOR letter is a letter's place. `B` leads to the base 128, whose word says which text.
    let (letter, leaf) = (u32::from(b'B'), 1 << 8);
    let mut trie = [0u32; 256];
    trie[letter as usize] = letter | leaf | (letter ^ 128) << 10;
    let with_map = |map: &Value| with(|tokenizer| tokenizer["normalizer"] = map.clone());
    let embedder = Embedder::new(imported(&with_map(&map(&trie, b"one\0")))).unwrap();
    assert_eq!(embedder.tokens(0, "B").unwrap().ids, FloatModel::tokens("one"));

    let mut beyond = trie;
    beyond[letter as usize] = letter | leaf | 1 << 20;
    let mut texts_end = trie;
    texts_end[128] = 5;
    let mut within_a_letter = trie;
    within_a_letter[128] = 1;
    let mut loop_of_letters = trie;
    loop_of_letters[letter as usize] = letter | letter << 10;
    for bad in [
        map(&[], b""),
        map(&trie[..255], b"one\0"),
        map(&beyond, b"one\0"),
        map(&texts_end, b"one\0"),
        map(&within_a_letter, "é\0".as_bytes()),
        map(&trie, b"\xff\0"),
        json!({"type": "Precompiled", "precompiled_charsmap": "!"}),
        json!({"type": "Precompiled", "precompiled_charsmap": "////fw=="}),
        json!({"type": "Precompiled"}),
    ] {
        let told = refused(|tokenizer| tokenizer["normalizer"] = bad.clone());
        assert!(told.contains("precompiled_charsmap"), "{told}");
        let told = refused(|tokenizer| tokenizer["normalizer"] = json!({"type": "Sequence", "normalizers": [bad]}));
        assert!(told.contains("precompiled_charsmap"), "{told}");
    }
    imported(&with_map(&map(&loop_of_letters, b"")));
}

#[test]
fn tokens_that_the_tokeniser_or_the_model_does_not_have_are_found_at_import() {
    let told = refusal(&with(|tokenizer| tokenizer["model"]["unk_token"] = json!("[NONE]")));
    assert!(
        told.starts_with("tokenizer.json") && told.contains("unk_token") || told.contains("[UNK]"),
        "{told}"
    );
    let told = refusal(&with(|tokenizer| {
        tokenizer["post_processor"]["sep"] = json!(["[SEP]", 15])
    }));
    assert!(told.contains("the token \"[SEP]\" with the number 15"), "{told}");
}
