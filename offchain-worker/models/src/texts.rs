//! What a package says of texts: its tokeniser, and what is done with sentences before that.
//!
//! These bytes end a package, and no result depends on them. They are the tokeniser's JSON; in front of it, if there is
//! anything to say, is a line of JSON that begins with `{"agora_texts":1`.

use crate::modules::Recipe;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the line begins with.
const MARK: &[u8] = b"{\"agora_texts\":";

/// What is done with a sentence before it becomes tokens.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    agora_texts: u8,
    /// It is put in small letters.
    pub lowercase: bool,
    /// What can be put in front of it, by name.
    pub prompts: BTreeMap<String, String>,
    /// Which of them is, unless another is chosen.
    pub default_prompt: Option<String>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            agora_texts: 1,
            lowercase: false,
            prompts: BTreeMap::new(),
            default_prompt: None,
        }
    }
}

impl Texts {
    pub fn of(recipe: &Recipe) -> Self {
        let prompts = &recipe.prompts;
        // What sentence-transformers writes of a model without prompts.
        let is_without = recipe.default_prompt.is_none() && prompts.values().all(String::is_empty);
        Self {
            lowercase: recipe.lowercase,
            prompts: if is_without { BTreeMap::new() } else { prompts.clone() },
            default_prompt: recipe.default_prompt.clone(),
            ..Self::default()
        }
    }

    /// The bytes with `tokenizer`.
    pub fn encode(&self, tokenizer: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        if *self == Self::default() {
            return Ok(tokenizer.to_vec());
        }
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(tokenizer);
        Ok(bytes)
    }

    /// What `bytes` say, and the tokeniser.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        if !bytes.starts_with(MARK) {
            return Ok((Self::default(), bytes));
        }
        let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
        let (line, tokenizer) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let texts: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match texts.agora_texts {
            1 => Ok((texts, tokenizer)),
            other => Err(format!(
                "its texts are of version {other}; this program knows version 1"
            )),
        }
    }
}
