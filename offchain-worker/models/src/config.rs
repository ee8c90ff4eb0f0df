//! What `config.json` says of an encoder, with the values that BERT has where it says nothing.

use crate::{
    error::{ImportError, unsupported},
    files::{ModelFiles, inside, json},
    quantise::Function,
};
use agora_compute::transformer::{MAX_HIDDEN, MAX_LAYERS, MAX_VOCABULARY, MAX_WIDTH};
use serde::Deserialize;
use serde_json::Value;

/// The fields of a BERT configuration that matter here. `null` counts as left out, as transformers takes it.
#[derive(Deserialize, Default, Debug)]
struct Written {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
    hidden_act: Option<String>,
    hidden_size: Option<u32>,
    intermediate_size: Option<u32>,
    max_position_embeddings: Option<u32>,
    num_attention_heads: Option<u32>,
    num_hidden_layers: Option<u32>,
    vocab_size: Option<u32>,
    type_vocab_size: Option<u32>,
    layer_norm_eps: Option<f64>,
    position_embedding_type: Option<String>,
    is_decoder: Option<bool>,
    add_cross_attention: Option<bool>,
    pruned_heads: Option<Value>,
    auto_map: Option<Value>,
    quantization_config: Option<Value>,
}

/// An encoder of type BERT.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Config {
    pub activation: Function,
    pub hidden: u32,
    pub intermediate: u32,
    pub positions: u32,
    pub heads: u32,
    pub layers: u32,
    pub vocabulary: u32,
    /// Kinds of tokens. All of a sentence are of kind 0.
    pub kinds: u32,
    pub epsilon: f64,
}

/// Classes of transformers whose encoder is all that there is, or whose other parts do not shape a sentence's vector.
const ARCHITECTURES: [&str; 3] = ["BertModel", "BertForMaskedLM", "BertForPreTraining"];
/// The most of sizes that only have to be read.
const MANY: u32 = 1 << 20;

impl Config {
    /// Reads `config.json` in `folder`.
    ///
    /// Errors: `Missing`, `Unsupported`, `Size`, `Heads`, and those of [`json`].
    pub fn read(files: &dyn ModelFiles, folder: &str) -> Result<Self, ImportError> {
        let path = inside(folder, "config.json");
        let written: Written = json(files, &path)?.ok_or_else(|| ImportError::Missing {
            file: path.clone(),
            remedy: if files.names().contains("snapshots") {
                "this is a cache of downloads; give the folder of one version of the model, which is in its folder snapshots"
            } else {
                "it says what the model is; give the folder into which the whole model was downloaded"
            }
            .to_owned(),
        })?;
        written.refuse(&path)?;
        let config = Self {
            activation: activation(&path, written.hidden_act.as_deref())?,
            hidden: written.hidden_size.unwrap_or(768),
            intermediate: written.intermediate_size.unwrap_or(3072),
            positions: written.max_position_embeddings.unwrap_or(512),
            heads: written.num_attention_heads.unwrap_or(12),
            layers: written.num_hidden_layers.unwrap_or(12),
            vocabulary: written.vocab_size.unwrap_or(30_522),
            kinds: written.type_vocab_size.unwrap_or(2),
            epsilon: written.layer_norm_eps.unwrap_or(1e-12),
        };
        config.check(&path)?;
        Ok(config)
    }

    fn check(&self, path: &str) -> Result<(), ImportError> {
        let sizes = [
            ("vocab_size", self.vocabulary, MAX_VOCABULARY),
            ("max_position_embeddings", self.positions, MANY),
            ("hidden_size", self.hidden, MAX_HIDDEN),
            ("num_hidden_layers", self.layers, MAX_LAYERS),
            ("num_attention_heads", self.heads, MAX_HIDDEN),
            ("intermediate_size", self.intermediate, MAX_WIDTH),
            ("type_vocab_size", self.kinds, MANY),
        ];
        for (what, found, most) in sizes {
            if found == 0 || found > most {
                return Err(ImportError::Size { what, found, most });
            }
        }
        let (hidden, heads) = (self.hidden, self.heads);
        if !hidden.is_multiple_of(heads) {
            return Err(ImportError::Heads { hidden, heads });
        }
        if !self.epsilon.is_finite() || self.epsilon < 0.0 {
            let what = format!("a layer_norm_eps of {}", self.epsilon);
            return Err(unsupported(path, what, "it is a small number, such as 1e-12"));
        }
        Ok(())
    }
}

impl Written {
    /// Refuses everything that makes another function of the model than a BERT encoder.
    fn refuse(&self, path: &str) -> Result<(), ImportError> {
        const BERT: &str = "encoders of type BERT are (all-MiniLM, BGE, E5, GTE and others that are built on BERT)";
        match (self.model_type.as_deref(), self.architectures.as_deref()) {
            (Some("bert"), _) => {}
            (None, Some([first, ..])) if ARCHITECTURES.contains(&first.as_str()) => {}
            (None, _) => return Err(unsupported(path, "a model without a model_type", BERT)),
            (Some(other), _) => return Err(unsupported(path, format!("the model_type {other:?}"), BERT)),
        }
        let other = |name: &&String| !ARCHITECTURES.contains(&name.as_str());
        if let Some(name) = self.architectures.iter().flatten().find(other) {
            let remedy = "its answer is not the vector of a sentence; if its encoder alone is meant, save that with \
                          AutoModel.from_pretrained(…).save_pretrained(…)";
            return Err(unsupported(path, format!("the architecture {name:?}"), remedy));
        }
        self.refuse_settings(path)
    }

    /// Refuses settings that change what an encoder of type BERT computes.
    fn refuse_settings(&self, path: &str) -> Result<(), ImportError> {
        let is = |setting: Option<bool>| setting.unwrap_or(false);
        let has = |setting: &Option<Value>| setting.as_ref().is_some_and(|value| !is_empty(value));
        let refused = [
            (
                is(self.is_decoder),
                "is_decoder",
                "its tokens would see those before them alone",
            ),
            (
                is(self.add_cross_attention),
                "add_cross_attention",
                "a sentence is all the input that there is",
            ),
            (
                has(&self.pruned_heads),
                "pruned_heads",
                "all layers must have all heads",
            ),
            (
                has(&self.auto_map),
                "auto_map",
                "the model is computed by code of its own, which is not known here",
            ),
            (
                has(&self.quantization_config),
                "quantization_config",
                "give the model that it was made from, in floats",
            ),
        ];
        if let Some((_, what, remedy)) = refused.into_iter().find(|(found, ..)| *found) {
            return Err(unsupported(path, what, remedy));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => Ok(()),
            Some(other) => {
                let what = format!("the position_embedding_type {other:?}");
                Err(unsupported(path, what, "\"absolute\" is"))
            }
        }
    }
}

fn activation(path: &str, name: Option<&str>) -> Result<Function, ImportError> {
    match name {
        None | Some("gelu" | "gelu_python") => Ok(Function::Gelu),
        Some("gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_accurate") => Ok(Function::GeluTanh),
        Some("relu") => Ok(Function::Relu),
        Some(other) => {
            let remedy = "gelu, gelu_python, gelu_new, gelu_fast, gelu_accurate, gelu_pytorch_tanh and relu are";
            Err(unsupported(path, format!("the hidden_act {other:?}"), remedy))
        }
    }
}

/// Whether a setting says nothing: `null`, or nothing inside of brackets.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(inner) => inner.is_empty(),
        Value::Array(inner) => inner.is_empty(),
        _ => false,
    }
}
