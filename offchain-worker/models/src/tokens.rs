//! Tokenisers, which come from anywhere: what of `tokenizer.json` the library would fail on is refused before it is used.
//!
//! The library `tokenizers` 0.22 panics on a map of letters, on merges and on templates that do not fit together, on pieces of no
//! letters, and on a length that leaves no room for the tokens around a text; and it draws random tokens if the file says so.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use std::collections::BTreeSet;
use tokenizers::{ModelWrapper, PostProcessor, Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

/// The parts of `tokenizer.json` that are looked at before the library does.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    normalizer: Value,
    model: Option<Model>,
}

#[derive(Deserialize)]
struct Model {
    merges: Option<IgnoredAny>,
    continuing_subword_prefix: Option<String>,
}

/// Reads a tokeniser, with or without a byte order mark. It neither cuts texts nor pads them.
///
/// Errors: what is wrong with it, in a sentence.
pub(crate) fn read(json: &[u8]) -> Result<Tokenizer, String> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let Parts { normalizer, model } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    maps(&normalizer)?;
    let is_prefixed = |model: &Model| {
        let prefix = model.continuing_subword_prefix.as_deref().unwrap_or_default();
        model.merges.is_some() && !prefix.is_empty()
    };
    if model.as_ref().is_some_and(is_prefixed) {
        return Err("a continuing_subword_prefix together with merges is not supported".to_owned());
    }
    let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
    if let ModelWrapper::BPE(model) = tokenizer.get_model()
        && model.dropout.is_some_and(|dropout| dropout != 0.0)
    {
        return Err("its dropout makes other tokens of a text each time; set \"dropout\" to null".to_owned());
    }
    // As the library has read them.
    let as_read = |part: serde_json::Result<Value>| part.map_err(|error| error.to_string());
    if let Some(processor) = tokenizer.get_post_processor() {
        let processor = as_read(serde_json::to_value(processor))?;
        match around(&processor)[..] {
            [] => {}
            [one] => surroundings(one)?,
            // The second would take the first token for the text.
            _ => return Err("more than one of its post-processors puts tokens around a text".to_owned()),
        }
    }
    if let Some(splitter) = tokenizer.get_pre_tokenizer() {
        pieces(&as_read(serde_json::to_value(splitter))?)?;
    }
    let told = |error: tokenizers::Error| error.to_string();
    // Jobs have items of any length up to the model's.
    tokenizer.with_padding(None).with_truncation(None).map_err(told)?;
    Ok(tokenizer)
}

/// Cuts texts to what a model with so many `positions` takes.
///
/// Errors: as [`read`], if there is no room for a token of a text.
pub(crate) fn cut(tokenizer: &mut Tokenizer, positions: u32) -> Result<(), String> {
    let positions = positions as usize;
    let added = tokenizer
        .get_post_processor()
        .map_or(0, |processor| processor.added_tokens(false));
    if added >= positions {
        return Err(format!(
            "it puts {added} tokens around each text, which leaves no room for the text: the model takes {positions} at most \
             (max_seq_length, model_max_length or max_position_embeddings)"
        ));
    }
    let truncation = TruncationParams {
        max_length: positions,
        strategy: TruncationStrategy::LongestFirst,
        stride: 0,
        direction: TruncationDirection::Right,
    };
    let told = |error: tokenizers::Error| error.to_string();
    tokenizer.with_truncation(Some(truncation)).map_err(told)?;
    Ok(())
}

/// Refuses what puts tokens around a text if it does not leave the text as it is, between tokens that it explains.
fn surroundings(processor: &Value) -> Result<(), String> {
    let single = processor.get("single").and_then(Value::as_array);
    let tokens = processor.get("special_tokens");
    let mut texts = 0;
    for piece in single.into_iter().flatten() {
        if let Some(id) = piece.pointer("/Sequence/id") {
            texts += 1;
            if id != "A" {
                return Err("its template for one text has a second text".to_owned());
            }
        }
        if let Some(token) = piece.pointer("/SpecialToken/id").and_then(Value::as_str)
            && tokens.is_none_or(|tokens| tokens.get(token).is_none())
        {
            return Err(format!(
                "its template has the token {token:?}, which is not among its special_tokens"
            ));
        }
    }
    match single {
        Some(_) if texts != 1 => Err(format!("its template for one text has {texts} texts")),
        _ => Ok(()),
    }
}

/// The post-processors that put tokens around a text: `processor`, or those inside of it.
fn around(processor: &Value) -> Vec<&Value> {
    const KINDS: [&str; 3] = ["TemplateProcessing", "BertProcessing", "RobertaProcessing"];
    let inner = processor.get("processors").and_then(Value::as_array);
    let mut found: Vec<&Value> = inner.into_iter().flatten().flat_map(around).collect();
    let kind = processor.get("type").and_then(Value::as_str);
    if kind.is_some_and(|kind| KINDS.contains(&kind)) {
        found.push(processor);
    }
    found
}

/// Refuses to split texts into pieces of no letters.
fn pieces(splitter: &Value) -> Result<(), String> {
    let is_fixed = splitter.get("type").is_some_and(|kind| kind == "FixedLength");
    if is_fixed && splitter.get("length").is_some_and(|length| length == 0) {
        return Err("its FixedLength has a length of 0".to_owned());
    }
    let inner = splitter.get("pretokenizers").and_then(Value::as_array);
    inner.into_iter().flatten().try_for_each(pieces)
}

/// Refuses maps of letters that lead nowhere, in `normalizer` or in what is inside of it.
fn maps(normalizer: &Value) -> Result<(), String> {
    match normalizer {
        Value::Array(inner) => inner.iter().try_for_each(maps),
        Value::Object(fields) => {
            let is_map = fields.get("type").is_some_and(|kind| kind == "Precompiled");
            let map = fields.get("precompiled_charsmap");
            let is_sound = map
                .and_then(Value::as_str)
                .is_some_and(|map| map_is_sound(map).is_some());
            if (is_map || map.is_some()) && !is_sound {
                return Err("its precompiled_charsmap is damaged; download it again".to_owned());
            }
            fields.values().try_for_each(maps)
        }
        _ => Ok(()),
    }
}

/// The width of a letter of a map.
const LETTERS: usize = 1 << 8;

/// Whether whatever text is looked up in a map, all that is read is inside of the map: `None` if not.
///
/// A map is the length of a trie in bytes, the trie, and texts. The trie is a double array of words of 32 bits: from a base,
/// each letter leads to one place, whose word has that letter if there is one, and by its offset the next base. There, if the
/// word says so, is where a text begins.
///
/// Source: `darts-clone`, `DoubleArrayUnit`. Complexity: O(n · 256).
fn map_is_sound(map: &str) -> Option<()> {
    let bytes = STANDARD.decode(map).ok()?;
    let (length, rest) = bytes.split_first_chunk()?;
    let (trie, texts) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let texts = std::str::from_utf8(texts).ok()?;
    let (words, []) = trie.as_chunks() else {
        return None;
    };
    let word = |place: usize| words.get(place).map(|&word| u32::from_le_bytes(word));
    let next = |base: usize, word: u32| base ^ ((word as usize >> 10) << ((word & (1 << 9)) >> 6));
    let first = next(0, word(0)?);
    let (mut seen, mut open) = (BTreeSet::from([first]), vec![first]);
    while let Some(base) = open.pop() {
        for letter in 1..LETTERS {
            let place = base ^ letter;
            let found = word(place)?;
            if (found & ((1 << 31) | 0xff)) as usize != letter {
                continue;
            }
            let base = next(place, found);
            if (found >> 8) & 1 == 1 {
                let text = word(base)? & !(1 << 31);
                texts.get(text as usize..)?;
            }
            if seen.insert(base) {
                open.push(base);
            }
        }
    }
    Some(())
}
