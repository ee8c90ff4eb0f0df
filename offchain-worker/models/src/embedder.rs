//! From sentences to a job, and from its output to vectors.

use crate::{texts::Texts, tokens};
use agora_compute::{
    BlobRef, InferenceJob, InferenceNetwork, JobKind, JobSpec, encode_items,
    transformer::{Package, PackageError, Shape},
};
use agora_primitives::job::JobError;
use std::{borrow::Cow, sync::Arc};
use tokenizers::Tokenizer;

/// Why sentences cannot be embedded.
#[derive(thiserror::Error, Debug)]
pub enum EmbedError {
    /// The package cannot be read.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The package is larger than an input of a job may be.
    #[error("the package has {0} bytes, more than an input of a job may have")]
    TooLarge(usize),
    /// The package's tokeniser cannot be used.
    #[error("the package's tokeniser cannot be used: {0}")]
    Tokenizer(String),
    /// A sentence cannot be turned into tokens.
    #[error("sentence {sentence} cannot be turned into tokens: {reason}")]
    Sentence {
        /// Which one, counted from 0.
        sentence: usize,
        /// Why.
        reason: String,
    },
    /// The tokeniser gave a token that the model does not have.
    #[error("sentence {sentence}: the tokeniser gave the token {token}; the model has {vocabulary} tokens, from 0 on")]
    Token {
        /// Which sentence, counted from 0.
        sentence: usize,
        /// The token.
        token: u32,
        /// How many tokens the model has.
        vocabulary: u32,
    },
    /// A sentence has no tokens at all.
    #[error("sentence {sentence} has no tokens: the model's tokeniser puts none around an empty text; leave it out")]
    NoTokens {
        /// Which sentence, counted from 0.
        sentence: usize,
    },
    /// The model has no such prompt.
    #[error("the model has no prompt {name:?}; it has {}", listed(.known))]
    Prompt {
        /// The name.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// There are too many sentences, or none.
    #[error("the sentences are no job: {0}")]
    Job(#[from] JobError),
    /// An output is not one of this model.
    #[error("an output of {found} bytes is not made of embeddings of {expected} bytes")]
    Output {
        /// Bytes of one embedding.
        expected: usize,
        /// Bytes of the output.
        found: usize,
    },
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none: write what is to be in front of the sentences into the prompt itself".to_owned(),
        names => names.join(", "),
    }
}

/// What is put in front of each sentence.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Prompt {
    /// What the model says is put there if nothing else is said; usually nothing.
    #[default]
    Default,
    /// The model's prompt of this name.
    Named(String),
    /// This text.
    Text(String),
}

/// Turns sentences into jobs for one model, and the jobs' outputs into vectors.
pub struct Embedder {
    tokenizer: Tokenizer,
    shape: Shape,
    package: Arc<[u8]>,
    model: BlobRef,
    texts: Texts,
    /// In front of each sentence.
    prompt: String,
}

/// The job that embeds some sentences.
#[derive(Clone, Debug)]
pub struct EmbeddingJob {
    /// What to publish.
    pub job: JobSpec,
    /// The job's second input, beside the package.
    pub input: Vec<u8>,
    /// The numbers of the sentences, from 0 on, that were cut to what the model can take.
    pub cut: Vec<usize>,
}

/// The tokens of a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tokens {
    /// The tokens.
    pub ids: Vec<u16>,
    /// Whether there were more than the model can take.
    pub is_cut: bool,
}

/// A vector of Euclidean length 1, in units of 2⁻¹⁵.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Embedding(pub Vec<i16>);

impl Embedding {
    /// The vector as it stands in a job's output: signed numbers, little endian.
    pub fn from_le_bytes(bytes: &[[u8; 2]]) -> Self {
        Self(bytes.iter().map(|&number| i16::from_le_bytes(number)).collect())
    }

    /// The cosine of the angle to `other`: 1 for the same direction.
    pub fn cosine(&self, other: &Self) -> f64 {
        let dot =
            |a: &Self, b: &Self| -> f64 { a.0.iter().zip(&b.0).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum() };
        dot(self, other) / (dot(self, self) * dot(other, other)).sqrt().max(f64::MIN_POSITIVE)
    }

    /// The vector in floats.
    pub fn to_floats(&self) -> Vec<f32> {
        self.0.iter().map(|&number| f32::from(number) / 32_768.0).collect()
    }
}

impl Embedder {
    /// Reads `package` and its tokeniser.
    ///
    /// Errors: `Package`, `TooLarge`, `Tokenizer`.
    pub fn new(package: impl Into<Arc<[u8]>>) -> Result<Self, EmbedError> {
        let package = package.into();
        let model = BlobRef::to(&package);
        let Package { encoder, tokenizer } = Package::decode(&package)?;
        let (texts, tokenizer) = Texts::decode(&tokenizer).map_err(EmbedError::Tokenizer)?;
        let mut tokenizer = tokens::read(tokenizer).map_err(EmbedError::Tokenizer)?;
        tokens::cut(&mut tokenizer, encoder.shape.positions).map_err(EmbedError::Tokenizer)?;
        let embedder = Self {
            tokenizer,
            shape: encoder.shape,
            package,
            model,
            texts,
            prompt: String::new(),
        };
        embedder.with_prompt(&Prompt::Default)
    }

    /// With `prompt` in front of each sentence.
    ///
    /// Errors: `Prompt`.
    pub fn with_prompt(mut self, prompt: &Prompt) -> Result<Self, EmbedError> {
        let name = match prompt {
            Prompt::Default => self.texts.default_prompt.as_ref(),
            Prompt::Named(name) => Some(name),
            Prompt::Text(text) => {
                self.prompt.clone_from(text);
                return Ok(self);
            }
        };
        self.prompt = match name {
            None => String::new(),
            Some(name) => self
                .texts
                .prompts
                .get(name)
                .cloned()
                .ok_or_else(|| EmbedError::Prompt {
                    name: name.clone(),
                    known: self.prompts().map(str::to_owned).collect(),
                })?,
        };
        Ok(self)
    }

    /// The names of the model's prompts.
    pub fn prompts(&self) -> impl Iterator<Item = &str> {
        self.texts.prompts.keys().map(String::as_str)
    }

    /// What is put in front of each sentence.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The package, which is the job's first input.
    pub fn package(&self) -> &Arc<[u8]> {
        &self.package
    }

    /// The tokens of `sentence`, number `number` of several, behind the prompt and cut to what the model can take.
    ///
    /// Errors: `Sentence`, `Token`, `NoTokens`.
    pub fn tokens(&self, number: usize, sentence: &str) -> Result<Tokens, EmbedError> {
        let text: Cow<'_, str> = match self.prompt.as_str() {
            "" => sentence.into(),
            prompt => format!("{prompt}{sentence}").into(),
        };
        let text = if self.texts.lowercase {
            text.to_lowercase().into()
        } else {
            text
        };
        let encoding = self.tokenizer.encode(text.as_ref(), true);
        let encoding = encoding.map_err(|error| EmbedError::Sentence {
            sentence: number,
            reason: error.to_string(),
        })?;
        let token = |&token| {
            let known = u16::try_from(token).ok().filter(|_| token < self.shape.vocabulary);
            known.ok_or(EmbedError::Token {
                sentence: number,
                token,
                vocabulary: self.shape.vocabulary,
            })
        };
        let ids: Vec<u16> = encoding.get_ids().iter().map(token).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Err(EmbedError::NoTokens { sentence: number });
        }
        let is_cut = !encoding.get_overflowing().is_empty();
        Ok(Tokens { ids, is_cut })
    }

    /// The job that embeds `sentences`. Each item is allowed the work of the longest.
    ///
    /// Errors: `Sentence`, `Token`, `NoTokens`, `Job`.
    pub fn job<T: AsRef<str>>(&self, sentences: &[T]) -> Result<EmbeddingJob, EmbedError> {
        let (mut items, mut cut) = (Vec::with_capacity(sentences.len()), Vec::new());
        for (number, sentence) in sentences.iter().enumerate() {
            let tokens = self.tokens(number, sentence.as_ref())?;
            items.push(tokens.ids);
            if tokens.is_cut {
                cut.push(number);
            }
        }
        let longest = items.iter().map(Vec::len).max().unwrap_or(0) as u32;
        let input = encode_items(&items).ok_or(JobError::TooLarge)?;
        let job = JobSpec::V2(JobKind::Inference(InferenceJob {
            model: self.model,
            input: BlobRef::to(&input),
            network: InferenceNetwork::Embedding {
                shape: self.shape,
                tokens: longest,
            },
            items: u32::try_from(items.len()).map_err(|_| JobError::TooLarge)?,
        }));
        job.validate()?;
        Ok(EmbeddingJob { job, input, cut })
    }

    /// The vectors in the `output` of a job, one for each sentence.
    ///
    /// Errors: `Output`.
    pub fn embeddings(&self, output: &[u8]) -> Result<Vec<Embedding>, EmbedError> {
        let expected = self.shape.output_bytes() as usize;
        if !output.len().is_multiple_of(expected) {
            return Err(EmbedError::Output {
                expected,
                found: output.len(),
            });
        }
        Ok(output
            .chunks_exact(expected)
            .map(|bytes| Embedding::from_le_bytes(bytes.as_chunks().0))
            .collect())
    }
}
