//! From sentences to a job, and from its output to vectors.

use agora_compute::{
    BlobRef, InferenceJob, InferenceNetwork, JobKind, JobSpec, encode_items,
    transformer::{Package, PackageError, Shape},
};
use agora_primitives::job::JobError;
use std::sync::Arc;
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

/// Why sentences cannot be embedded.
#[derive(thiserror::Error, Debug)]
pub enum EmbedError {
    /// The package cannot be read.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The package is larger than an input of a job may be.
    #[error("the package has {0} bytes, more than an input of a job may have")]
    TooLarge(usize),
    /// The package's tokeniser cannot be read.
    #[error("the package's tokeniser cannot be read: {0}")]
    Tokenizer(String),
    /// A sentence cannot be turned into tokens.
    #[error("sentence {sentence} cannot be turned into tokens: {reason}")]
    Sentence {
        /// Which one, counted from 0.
        sentence: usize,
        /// Why.
        reason: String,
    },
    /// The tokeniser gave a token that a model cannot have.
    #[error("the tokeniser gave the token {0}, above 65535")]
    Token(u32),
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

/// Turns sentences into jobs for one model, and the jobs' outputs into vectors.
pub struct Embedder {
    tokenizer: Tokenizer,
    shape: Shape,
    package: Arc<[u8]>,
    model: BlobRef,
}

/// The job that embeds some sentences.
#[derive(Clone, Debug)]
pub struct EmbeddingJob {
    /// What to publish.
    pub job: JobSpec,
    /// The job's second input, beside the package.
    pub input: Vec<u8>,
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
        let error = |error: tokenizers::Error| EmbedError::Tokenizer(error.to_string());
        let mut tokenizer = Tokenizer::from_bytes(&tokenizer).map_err(error)?;
        let truncation = TruncationParams {
            max_length: encoder.shape.positions as usize,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
            direction: TruncationDirection::Right,
        };
        // Items are not padded: padding would count as tokens.
        tokenizer
            .with_padding(None)
            .with_truncation(Some(truncation))
            .map_err(error)?;
        Ok(Self {
            tokenizer,
            shape: encoder.shape,
            package,
            model,
        })
    }

    /// The package, which is the job's first input.
    pub fn package(&self) -> &Arc<[u8]> {
        &self.package
    }

    /// The tokens of `sentence`, cut to what the model can take.
    ///
    /// Errors: `Sentence`, `Token`.
    pub fn tokens(&self, sentence: &str) -> Result<Vec<u16>, EmbedError> {
        let encoding = self
            .tokenizer
            .encode(sentence, true)
            .map_err(|error| EmbedError::Sentence {
                sentence: 0,
                reason: error.to_string(),
            })?;
        let token = |&token| u16::try_from(token).map_err(|_| EmbedError::Token(token));
        encoding.get_ids().iter().map(token).collect()
    }

    /// The job that embeds `sentences`. Each item is allowed the work of the longest.
    ///
    /// Errors: `Sentence`, `Token`, `Job`.
    pub fn job<T: AsRef<str>>(&self, sentences: &[T]) -> Result<EmbeddingJob, EmbedError> {
        let numbered = |(number, error)| match error {
            EmbedError::Sentence { reason, .. } => EmbedError::Sentence {
                sentence: number,
                reason,
            },
            other => other,
        };
        let items = (0..)
            .zip(sentences)
            .map(|(number, sentence)| {
                self.tokens(sentence.as_ref())
                    .map_err(|error| numbered((number, error)))
            })
            .collect::<Result<Vec<_>, _>>()?;
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
        Ok(EmbeddingJob { job, input })
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
