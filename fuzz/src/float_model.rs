//! A small float model of type BERT as several programs write it, and changes to its files.

use crate::texts;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const HIDDEN: usize = 8;
const BETWEEN: usize = 4;
const WORDS: usize = 8;
const POSITIONS: usize = 4;
const CONFIG: &str = r#"{"model_type":"bert","hidden_act":"gelu","hidden_size":8,"intermediate_size":4,
"max_position_embeddings":4,"num_attention_heads":2,"num_hidden_layers":1,"vocab_size":8,"layer_norm_eps":1e-12}"#;

/// What sentence-transformers writes around an encoder.
const MODULES: [(&str, &str); 6] = [
    (
        "modules.json",
        r#"[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
{"idx":2,"name":"2","path":"2_Dense","type":"sentence_transformers.models.Dense"},
{"idx":3,"name":"3","path":"3_Normalize","type":"sentence_transformers.models.Normalize"}]"#,
    ),
    (
        "sentence_bert_config.json",
        r#"{"max_seq_length":4,"do_lower_case":true}"#,
    ),
    (
        "config_sentence_transformers.json",
        r#"{"__version__":{"transformers":"4.41.0"},"prompts":{"query":"one ","passage":""},"default_prompt_name":"query",
"similarity_fn_name":"cosine"}"#,
    ),
    (
        "tokenizer_config.json",
        r#"{"model_max_length":1000000000000000019884624838656,"truncation_side":"right","do_lower_case":null}"#,
    ),
    (
        "1_Pooling/config.json",
        r#"{"word_embedding_dimension":8,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true,
"pooling_mode":"mean","include_prompt":true}"#,
    ),
    (
        "2_Dense/config.json",
        r#"{"in_features":8,"out_features":4,"bias":true,"activation_function":"torch.nn.modules.activation.Tanh"}"#,
    ),
];

/// Tokenisers of each kind. `MAP` stands for a map of letters.
const TOKENIZERS: [&str; 4] = [
    r###"{"version":"1.0","truncation":{"direction":"Right","max_length":4,"strategy":"LongestFirst","stride":0},
"padding":{"strategy":{"Fixed":4},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},
"added_tokens":[{"id":2,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"TemplateProcessing","single":[
{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{
"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},
"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":"WordPiece","unk_token":"[UNK]",
"continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"one":4,"two":5,"##s":6}}}"###,
    r#"{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,
"trim_offsets":true,"use_regex":true},"post_processor":{"type":"BertProcessing","sep":["e",3],"cls":["o",1]},"decoder":null,
"model":{"type":"BPE","dropout":null,"unk_token":"u","continuing_subword_prefix":null,"end_of_word_suffix":null,
"fuse_unk":false,"byte_fallback":false,"vocab":{"u":0,"o":1,"n":2,"e":3,"on":4,"one":5},"merges":[["o","n"],["on","e"]]}}"#,
    r#"{"version":"1.0","added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[{"type":"Precompiled",
"precompiled_charsmap":"MAP"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "},
{"type":"Strip","strip_left":true,"strip_right":true},{"type":"Prepend","prepend":"_"}]},
"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true},
"post_processor":{"type":"RobertaProcessing","sep":["e",4],"cls":["o",2],"trim_offsets":true,"add_prefix_space":true},
"decoder":null,"model":{"type":"Unigram","unk_id":0,"byte_fallback":false,
"vocab":[["u",0.0],["_",-1.0],["o",-2.0],["n",-2.5],["e",-3.0],["_one",-1.5]]}}"#,
    r#"{"version":"1.0","added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},
{"type":"Lowercase"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\s+"},
"behavior":"Removed","invert":false},{"type":"Punctuation","behavior":"Isolated"},{"type":"Digits","individual_digits":true}]},
"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false}]},
"decoder":null,"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"one":1,"two":2}}}"#,
];

/// A map of letters that makes `a` of `A`: a trie of 256 words, of which 0 leads to the base 0, the letter's to the base
/// 128, and that to the text.
fn map() -> String {
    let mut words = [0u32; 256];
    words[usize::from(b'A')] = u32::from(b'A') | 1 << 8 | (u32::from(b'A') ^ 128) << 10;
    let words = words.iter().flat_map(|word| word.to_le_bytes());
    let bytes: Vec<u8> = 1024u32.to_le_bytes().into_iter().chain(words).chain(*b"a\0").collect();
    STANDARD.encode(bytes)
}

/// A file: a text, and for files of tensors the numbers behind it.
#[derive(Clone)]
struct Part {
    path: &'static str,
    text: Vec<u8>,
    /// The text is the header of a file of tensors with these bytes.
    data: Option<Vec<u8>>,
    /// Whether the text says which numbers the model has, and where.
    is_guide: bool,
}

impl Part {
    fn text(path: &'static str, text: impl Into<Vec<u8>>) -> Self {
        let is_guide = matches!(path, INDEX | "modules.json");
        let (text, data) = (text.into(), None);
        Self {
            path,
            text,
            data,
            is_guide,
        }
    }

    /// A file of `tensors`, whose numbers are between −1 and 1 and all different.
    fn tensors(path: &'static str, tensors: &[(String, Vec<usize>)]) -> Self {
        let (mut header, mut data) = (Map::new(), Vec::new());
        for (name, shape) in tensors {
            let start = data.len();
            let elements = (0..shape.iter().product()).map(|i: usize| ((start + 4 * i) as f32 * 0.7).sin());
            data.extend(elements.flat_map(f32::to_le_bytes));
            let tensor = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
            header.insert(name.clone(), tensor);
        }
        Self {
            path,
            text: Value::Object(header).to_string().into_bytes(),
            data: Some(data),
            is_guide: true,
        }
    }
}

const INDEX: &str = "model.safetensors.index.json";
const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

/// The names and shapes of an encoder's tensors.
fn encoder() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![WORDS, HIDDEN]),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![POSITIONS, HIDDEN],
        ),
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
    shapes
}

/// How many [`FloatModel`]s there are.
pub const MODELS: u8 = 16;

/// The files of a model.
#[derive(Clone)]
pub struct FloatModel(Vec<Part>);

impl FloatModel {
    /// The model `number`: its last two bits say of what kind the tokeniser is, the next if the tensors are in two files, the
    /// highest if it is one of sentence-transformers, with a Dense layer and prompts.
    pub fn new(number: u8) -> Self {
        let tokenizer = TOKENIZERS[usize::from(number % 4)].replace("MAP", &map());
        let mut parts = vec![
            Part::text("config.json", CONFIG),
            Part::text("tokenizer.json", tokenizer),
        ];
        let tensors = encoder();
        if number & 4 == 0 {
            parts.push(Part::tensors("model.safetensors", &tensors));
        } else {
            let halves = tensors.split_at(tensors.len() / 2);
            let shards = [halves.0, halves.1].into_iter().zip(SHARDS);
            let mut files = Map::new();
            for (tensors, path) in shards {
                files.extend(tensors.iter().map(|(name, _)| (name.clone(), path.into())));
                parts.push(Part::tensors(path, tensors));
            }
            let index = json!({"metadata": {"total_size": 1}, "weight_map": files});
            parts.push(Part::text(INDEX, index.to_string()));
        }
        if number & 8 != 0 {
            parts.extend(MODULES.map(|(path, text)| Part::text(path, text)));
            let dense = [("linear.bias", vec![4]), ("linear.weight", vec![4, HIDDEN])];
            let dense = dense.map(|(name, shape)| (name.to_owned(), shape));
            parts.push(Part::tensors("2_Dense/model.safetensors", &dense));
        }
        Self(parts)
    }

    /// The paths of the files, in the order by which inputs name them.
    pub fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|part| part.path).collect()
    }
}

/// Changed files of a model.
pub struct Edited {
    /// The files by their paths.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Whether it must be refused, because a number that every import uses is not finite.
    pub is_infinite: bool,
}

/// All models.
pub fn models() -> Vec<FloatModel> {
    (0..MODELS).map(FloatModel::new).collect()
}

/// The files as `input` says. If it begins with 255, the rest is the tensors' file of the first of `models`.
///
/// Else its first byte is the number of a model. The second is how many texts are edited (modulo 8); each of them is the number
/// of a file, the number of edits ([`texts`]), and these edits, of four bytes each. If the number of a file of tensors has its
/// highest bit set, the length of the header is not adjusted. What follows are numbers, each a place (little endian) and the
/// upper half of a float.
pub fn edited(models: &[FloatModel], input: &[u8]) -> Edited {
    let (number, input) = input.split_first().unwrap_or((&0, &[]));
    let mut parts = models[usize::from(*number) % models.len()].0.clone();
    if *number == 255 {
        let mut files = written(&models[0].0, &BTreeMap::new());
        files.insert("model.safetensors".to_owned(), input.to_vec());
        return Edited {
            files,
            is_infinite: false,
        };
    }
    let (count, mut input) = input.split_first().unwrap_or((&0, &[]));
    let (mut is_guided, mut lengths) = (false, BTreeMap::new());
    for _ in 0..count % 8 {
        let [file, count, rest @ ..] = input else {
            break;
        };
        let (script, rest) = rest.split_at((4 * usize::from(*count)).min(rest.len()));
        input = rest;
        let place = usize::from(file & 0x7f) % parts.len();
        let part = &mut parts[place];
        let text = texts::apply(&part.text, script, &texts::MODEL_WORDS);
        if file & 0x80 != 0 {
            lengths.entry(place).or_insert(part.text.len());
        }
        is_guided |= part.is_guide && text != part.text;
        part.text = text;
    }
    let floats: usize = parts
        .iter()
        .flat_map(|part| &part.data)
        .map(|data| data.len() / 4)
        .sum();
    for &[low, high, upper @ ..] in input.as_chunks::<4>().0 {
        let mut place = 4 * (usize::from(u16::from_le_bytes([low, high])) % floats);
        for data in parts.iter_mut().filter_map(|part| part.data.as_mut()) {
            if let Some(float) = data.get_mut(place..place + 4) {
                float.copy_from_slice(&[0, 0, upper[0], upper[1]]);
                break;
            }
            place -= data.len();
        }
    }
    let data = parts
        .iter()
        .flat_map(|part| &part.data)
        .flatten()
        .copied()
        .collect::<Vec<u8>>();
    let mut floats = data.as_chunks::<4>().0.iter().map(|&float| f32::from_le_bytes(float));
    Edited {
        files: written(&parts, &lengths),
        is_infinite: !is_guided && floats.any(|float| !float.is_finite()),
    }
}

/// The contents of files; `lengths` are those of headers that say another.
fn written(parts: &[Part], lengths: &BTreeMap<usize, usize>) -> BTreeMap<String, Vec<u8>> {
    let content = |(place, part): (usize, &Part)| {
        let content = match &part.data {
            None => part.text.clone(),
            Some(data) => {
                let length = lengths.get(&place).copied().unwrap_or(part.text.len()) as u64;
                [&length.to_le_bytes()[..], &part.text, data].concat()
            }
        };
        (part.path.to_owned(), content)
    };
    parts.iter().enumerate().map(content).collect()
}
