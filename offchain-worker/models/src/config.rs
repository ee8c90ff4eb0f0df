//! What `config.json` says of a model.

use serde::Deserialize;

/// The fields of a BERT configuration that matter here.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct Config {
    pub model_type: String,
    pub hidden_act: String,
    pub hidden_size: u32,
    pub intermediate_size: u32,
    pub max_position_embeddings: u32,
    pub num_attention_heads: u32,
    pub num_hidden_layers: u32,
    pub vocab_size: u32,
    pub layer_norm_eps: f64,
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
}

fn absolute() -> String {
    "absolute".to_owned()
}

/// What `sentence_bert_config.json` says.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct SentenceConfig {
    pub max_seq_length: u32,
}
