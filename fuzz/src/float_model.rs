//! A small float model of type BERT, and changes to its files.

use crate::texts;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const HIDDEN: usize = 8;
const BETWEEN: usize = 4;
const TOKENIZER: &[u8] =
    br###"{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"BertPreTokenizer"},
"post_processor":null,"decoder":null,"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
"max_input_chars_per_word":100,"vocab":{"[PAD]":0,"[UNK]":1,"one":2}}}"###;
const CONFIG: &[u8] = br#"{"model_type":"bert","hidden_act":"gelu","hidden_size":8,"intermediate_size":4,
"max_position_embeddings":3,"num_attention_heads":2,"num_hidden_layers":1,"vocab_size":3,"layer_norm_eps":1e-12}"#;

/// The files of a model.
pub struct FloatModel {
    config: Vec<u8>,
    /// The text in front of the tensors, which says where each tensor is.
    header: Vec<u8>,
    data: Vec<u8>,
}

impl Default for FloatModel {
    fn default() -> Self {
        let mut shapes = vec![
            ("embeddings.word_embeddings.weight".to_owned(), vec![3, HIDDEN]),
            ("embeddings.position_embeddings.weight".to_owned(), vec![3, HIDDEN]),
            ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
        ];
        let mut add_pair = |name: &str, weight: Vec<usize>| {
            shapes.push((format!("{name}.bias"), vec![weight[0]]));
            shapes.push((format!("{name}.weight"), weight));
        };
        add_pair("embeddings.LayerNorm", vec![HIDDEN]);
        for (part, shape) in [
            ("attention.self.query", vec![HIDDEN, HIDDEN]),
            ("attention.self.key", vec![HIDDEN, HIDDEN]),
            ("attention.self.value", vec![HIDDEN, HIDDEN]),
            ("attention.output.dense", vec![HIDDEN, HIDDEN]),
            ("intermediate.dense", vec![BETWEEN, HIDDEN]),
            ("output.dense", vec![HIDDEN, BETWEEN]),
            ("attention.output.LayerNorm", vec![HIDDEN]),
            ("output.LayerNorm", vec![HIDDEN]),
        ] {
            add_pair(&format!("encoder.layer.0.{part}"), shape);
        }
        let (mut header, mut data) = (Map::new(), Vec::new());
        for (name, shape) in shapes {
            let start = data.len();
            // All are between −1 and 1, and no two are equal.
            let elements = (0..shape.iter().product()).map(|i: usize| ((start + 4 * i) as f32 * 0.7).sin());
            data.extend(elements.flat_map(f32::to_le_bytes));
            let tensor = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
            header.insert(name, tensor);
        }
        Self {
            config: CONFIG.to_vec(),
            header: Value::Object(header).to_string().into_bytes(),
            data,
        }
    }
}

/// Changed files of a model.
pub struct Edited {
    config: Vec<u8>,
    tensors: Vec<u8>,
    /// Whether it must be refused, because a number that every import uses is not finite.
    pub is_infinite: bool,
}

impl Edited {
    /// The files.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = [
            ("config.json", &self.config[..]),
            ("tokenizer.json", TOKENIZER),
            ("model.safetensors", &self.tensors[..]),
        ];
        files.map(|(name, content)| (name.to_owned(), content.to_vec())).into()
    }
}

impl FloatModel {
    /// The model's files as `input` says. If it begins with 255, the rest is the tensors' file. Else it consists of the
    /// number of edits ([`texts`]) of the configuration, and these edits; the number of edits of the tensors' header
    /// (with the highest bit set, the length of the header is not adjusted), and these edits; then edits of numbers,
    /// each a place (little endian) and the upper half of a float.
    pub fn edited(&self, input: &[u8]) -> Edited {
        if let [255, tensors @ ..] = input {
            return Edited {
                config: self.config.clone(),
                tensors: tensors.to_vec(),
                is_infinite: false,
            };
        }
        let (config, input) = script(input, 0xff);
        let keeps_length = input.first().is_some_and(|count| *count >= 0x80);
        let (header, input) = script(input, 0x7f);
        let header = texts::apply(&self.header, header);
        let mut data = self.data.clone();
        for &[low, high, upper @ ..] in input.as_chunks::<4>().0 {
            let place = usize::from(u16::from_le_bytes([low, high])) % (data.len() / 4) * 4;
            data[place..place + 4].copy_from_slice(&[0, 0, upper[0], upper[1]]);
        }
        let length = if keeps_length { &self.header } else { &header }.len() as u64;
        let mut floats = data.as_chunks::<4>().0.iter().map(|&float| f32::from_le_bytes(float));
        Edited {
            config: texts::apply(&self.config, config),
            tensors: [&length.to_le_bytes()[..], &header, &data].concat(),
            is_infinite: header == self.header && floats.any(|float| !float.is_finite()),
        }
    }
}

/// The script after the number of its edits, and the bytes after the script.
fn script(input: &[u8], mask: u8) -> (&[u8], &[u8]) {
    match input.split_first() {
        Some((count, rest)) => rest.split_at((4 * usize::from(count & mask)).min(rest.len())),
        None => (&[], &[]),
    }
}
