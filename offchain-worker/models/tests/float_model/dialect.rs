//! The files of the small float model, in the ways in which people's tools write them.

use super::{FloatModel, HIDDEN, WORDS};
use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The files of a model by their paths.
pub type Files = BTreeMap<String, Vec<u8>>;

/// How tensors are written.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// In front of all names.
    pub prefix: &'static str,
    pub dtype: Dtype,
    /// Whether normalisations have a gamma and a beta.
    pub is_old: bool,
    /// In how many files.
    pub shards: usize,
    /// Rows of zeros behind the embeddings of words.
    pub padding: usize,
    /// Kinds of tokens: 1 or 2.
    pub kinds: usize,
    /// Whether there are tensors that shape no vector.
    pub has_heads: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            prefix: "",
            dtype: Dtype::F32,
            is_old: false,
            shards: 1,
            padding: 0,
            kinds: 2,
            has_heads: false,
        }
    }
}

/// A tensor to be written.
struct Written {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Dialect {
    fn bytes(&self, elements: &[f32]) -> Vec<u8> {
        match self.dtype {
            Dtype::F16 => elements.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect(),
            Dtype::BF16 => elements.iter().flat_map(|&x| bf16::from_f32(x).to_le_bytes()).collect(),
            Dtype::F64 => elements.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect(),
            Dtype::I8 => elements.iter().map(|&x| x as i8 as u8).collect(),
            _ => elements.iter().flat_map(|&x| x.to_le_bytes()).collect(),
        }
    }

    fn tensors(&self, model: &FloatModel) -> Vec<Written> {
        let mut tensors = Vec::new();
        for (name, (shape, elements)) in &model.0 {
            let (mut shape, mut elements) = (shape.clone(), elements.clone());
            if name.contains("word_embeddings") {
                shape[0] += self.padding;
                elements.resize(shape[0] * HIDDEN, 0.0);
            }
            if name.contains("token_type") {
                shape[0] = self.kinds;
                elements.truncate(self.kinds * HIDDEN);
            }
            let old = name
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta");
            let name = if self.is_old { &old } else { name };
            tensors.push(Written {
                name: format!("{}{name}", self.prefix),
                bytes: self.bytes(&elements),
                shape,
            });
        }
        if self.has_heads {
            for (name, shape) in [
                ("pooler.dense.weight", vec![HIDDEN, HIDDEN]),
                ("pooler.dense.bias", vec![HIDDEN]),
            ] {
                tensors.push(Written {
                    name: format!("{}{name}", self.prefix),
                    bytes: self.bytes(&vec![0.5; shape.iter().product()]),
                    shape,
                });
            }
            tensors.push(Written {
                name: "cls.predictions.bias".to_owned(),
                bytes: self.bytes(&[0.5; WORDS]),
                shape: vec![WORDS],
            });
        }
        tensors
    }

    /// The files of `model`, without any of sentence-transformers.
    pub fn files(&self, model: &FloatModel) -> Files {
        let tensors = self.tensors(model);
        let mut files = Files::from([
            ("config.json".to_owned(), FloatModel::config().into_bytes()),
            ("tokenizer.json".to_owned(), FloatModel::tokenizer().into_bytes()),
        ]);
        let each = tensors.len().div_ceil(self.shards);
        let mut map = BTreeMap::new();
        for (number, part) in tensors.chunks(each).enumerate() {
            let name = match self.shards {
                1 => "model.safetensors".to_owned(),
                shards => format!("model-{:05}-of-{shards:05}.safetensors", number + 1),
            };
            map.extend(part.iter().map(|tensor| (tensor.name.clone(), name.clone())));
            let views = part.iter().map(|tensor| {
                let view = TensorView::new(self.dtype, tensor.shape.clone(), &tensor.bytes);
                (tensor.name.as_str(), view.unwrap())
            });
            files.insert(name, safetensors::serialize(views, None).unwrap());
        }
        if self.shards > 1 {
            put(
                &mut files,
                "model.safetensors.index.json",
                &json!({"metadata": {}, "weight_map": map}),
            );
        }
        let kinds = json!(self.kinds);
        edit(&mut files, "config.json", |config| config["type_vocab_size"] = kinds);
        files
    }
}

/// Writes a JSON file.
pub fn put(files: &mut Files, name: &str, value: &Value) {
    files.insert(name.to_owned(), value.to_string().into_bytes());
}

/// Changes a JSON file, which may not be there yet.
pub fn edit(files: &mut Files, name: &str, change: impl FnOnce(&mut Value)) {
    let mut value = files
        .get(name)
        .map_or(json!({}), |bytes| serde_json::from_slice(bytes).unwrap());
    change(&mut value);
    put(files, name, &value);
}

/// Makes a model of sentence-transformers of `files`: with a pooling and what follows it.
pub fn add_modules(files: &mut Files, pooling: &Value, others: &[&str]) {
    let module =
        |idx: usize, path: &str, class: &str| json!({"idx": idx, "name": idx.to_string(), "path": path, "type": class});
    let mut modules = vec![
        module(0, "", "sentence_transformers.models.Transformer"),
        module(1, "1_Pooling", "sentence_transformers.models.Pooling"),
    ];
    for (place, class) in (2..).zip(others) {
        let name = class.rsplit('.').next().unwrap();
        modules.push(module(place, &format!("{place}_{name}"), class));
    }
    put(files, "modules.json", &Value::Array(modules));
    put(files, "1_Pooling/config.json", pooling);
}

pub const NORMALIZE: &str = "sentence_transformers.models.Normalize";
