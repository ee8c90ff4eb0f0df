//! Some texts that go through a model in floats while it is imported, and through the package that is made of it: what comes
//! out of the two is compared, so that no model is imported of which integers make another.

use crate::{
    config::Config,
    dense::DenseFloats,
    embedder::Embedding,
    error::ImportError,
    floats::{Affine, Layer, Row, dot},
    quantise::{Function, STATE_BITS},
};
use agora_compute::{
    CancelFlag, CpuEngine, Engine, InferenceJob, InferenceNetwork, JobKind, JobSpec, MemoryInputs, NoProgress,
    encode_items,
    transformer::{Pooling, Shape, VALUE_MAX},
};
use tokenizers::Tokenizer;

/// Texts of several kinds; a vocabulary may have some of their words.
const TEXTS: [&str; 4] = [
    "The quick brown fox jumps over the lazy dog, and nobody minds.",
    "Die Prüfung kostet 12,50 € (ohne Gewähr)!",
    "hello",
    "東京は日本の首都です",
];
/// States of this size leave other states, which are around 1, few of the levels that they are given.
const FEW_LEVELS: f64 = 16.0;
/// The most tokens of a text here.
const MAX_TOKENS: usize = 20;

/// The texts, on their way through the model.
pub(crate) struct Probe {
    items: Vec<Vec<u16>>,
    /// The states of the tokens of each.
    states: Vec<Vec<Row>>,
    heads: usize,
    activation: Function,
    epsilon: f64,
    pooling: Pooling,
    /// The largest state after a normalisation, and which.
    largest: (f64, String),
}

impl Probe {
    /// Turns the texts into tokens.
    ///
    /// Errors: `Tokenizer` if it cannot, `Vocabulary` if it gives tokens that the model does not have.
    pub fn new(tokenizer: &Tokenizer, shape: &Shape, config: &Config, pooling: Pooling) -> Result<Self, ImportError> {
        let tokens = |text| -> Result<Vec<u16>, ImportError> {
            let encoding = tokenizer.encode(text, true);
            let encoding = encoding.map_err(|error| ImportError::Tokenizer(error.to_string()))?;
            let token = |(&id, token): (&u32, &String)| {
                let known = u16::try_from(id).ok().filter(|_| id < shape.vocabulary);
                known.ok_or_else(|| ImportError::Vocabulary {
                    token: token.clone(),
                    id,
                    vocabulary: shape.vocabulary,
                })
            };
            encoding
                .get_ids()
                .iter()
                .zip(encoding.get_tokens())
                .map(token)
                .collect()
        };
        // All over the vocabulary, and the same every time.
        let spread = |first: u32| {
            let token = move |i: u32| i.wrapping_mul(2_654_435_761) % shape.vocabulary.max(1);
            (first..first + 12).map(token).map(|token| token as u16).collect()
        };
        let mut items = TEXTS.into_iter().map(tokens).collect::<Result<Vec<_>, _>>()?;
        items.extend([1, 13, 25, 37].map(spread));
        for item in &mut items {
            item.truncate(MAX_TOKENS.min(shape.positions as usize));
            if item.is_empty() {
                item.push(0);
            }
        }
        Ok(Self {
            items,
            states: Vec::new(),
            heads: shape.heads as usize,
            activation: config.activation,
            epsilon: config.epsilon,
            pooling,
            largest: (0.0, String::new()),
        })
    }

    /// The first states, by the embeddings of words and positions.
    pub fn embed(&mut self, words: &[f64], positions: &[f64], norm: &Affine) {
        let width = norm.bias.len();
        let row = |matrix: &[f64], i: usize| matrix.get(i * width..(i + 1) * width).unwrap_or_default().to_vec();
        let state = |(place, &token): (usize, &u16)| {
            let (word, position) = (row(words, token.into()), row(positions, place));
            let sum: Row = word.iter().zip(&position).map(|(x, y)| x + y).collect();
            norm.normalise(&sum, self.epsilon)
        };
        let item = |item: &Vec<u16>| item.iter().enumerate().map(state).collect();
        self.states = self.items.iter().map(item).collect();
        let states = std::mem::take(&mut self.states);
        states.iter().for_each(|rows| self.note(rows, "embeddings.LayerNorm"));
        self.states = states;
    }

    /// The states after the layer `name`.
    pub fn layer(&mut self, name: &str, layer: &Layer) {
        for rows in std::mem::take(&mut self.states) {
            let [middle, last] = layer.apply(&rows, self.heads, (self.activation, self.epsilon));
            self.note(&middle, &format!("{name}.attention.output.LayerNorm"));
            self.note(&last, &format!("{name}.output.LayerNorm"));
            self.states.push(last);
        }
    }

    fn note(&mut self, rows: &[Row], name: &str) {
        let most = rows.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
        if most > self.largest.0 {
            self.largest = (most, name.to_owned());
        }
    }

    /// The least cosine between the vectors of the floats, with `dense` behind the pooling, and those of `package`, and what
    /// may make it small.
    pub fn compare(&self, package: &[u8], shape: &Shape, dense: Option<&DenseFloats>) -> (f64, Option<String>) {
        let Some(vectors) = self.embed_integers(package, shape) else {
            return (f64::NAN, Some("the package cannot be computed".to_owned()));
        };
        let cosines = self.states.iter().zip(vectors).map(|(rows, integers)| {
            let pooled = pool(rows, self.pooling);
            let floats = dense.map_or_else(|| pooled.clone(), |dense| dense.apply(&pooled));
            let integers: Row = integers.0.iter().map(|&x| f64::from(x)).collect();
            let lengths = libm::sqrt(dot(&floats, &floats) * dot(&integers, &integers));
            dot(&floats, &integers) / lengths.max(f64::MIN_POSITIVE)
        });
        // Unlike that of `f64::min`, this is no number if one is not.
        let least = cosines.fold(1.0, |least: f64, cosine| match least.is_nan() || cosine >= least {
            true => least,
            false => cosine,
        });
        let (most, name) = &self.largest;
        let reason = format!(
            "states reach {most:.0} after {name}, which leaves few levels to the others: weights of this normalisation are \
             far apart"
        );
        (least, (*most > FEW_LEVELS).then_some(reason))
    }

    /// Refuses states that integers would cut.
    ///
    /// Errors: `OutOfReach`.
    pub fn check_reach(&self) -> Result<(), ImportError> {
        let reach = libm::ldexp(f64::from(VALUE_MAX), -STATE_BITS);
        match &self.largest {
            (most, norm) if *most > reach => Err(ImportError::OutOfReach {
                norm: norm.clone(),
                most: *most,
                reach,
            }),
            _ => Ok(()),
        }
    }

    /// The vectors by `package`. `None`: it cannot be computed.
    fn embed_integers(&self, package: &[u8], shape: &Shape) -> Option<Vec<Embedding>> {
        let mut inputs = MemoryInputs::new();
        let job = JobSpec::V2(JobKind::Inference(InferenceJob {
            model: inputs.insert(package.to_vec()),
            input: inputs.insert(encode_items(&self.items)?),
            network: InferenceNetwork::Embedding {
                shape: *shape,
                tokens: self.items.iter().map(Vec::len).max().unwrap_or(1) as u32,
            },
            items: self.items.len() as u32,
        }));
        let computed = CpuEngine::new()
            .run(&job, &inputs, &NoProgress, &CancelFlag::new())
            .ok()?;
        let vectors = computed.output.chunks_exact(shape.output_bytes() as usize);
        Some(
            vectors
                .map(|bytes| Embedding::from_le_bytes(bytes.as_chunks().0))
                .collect(),
        )
    }
}

/// The vector of an item, of any length.
fn pool(rows: &[Row], pooling: Pooling) -> Row {
    // Of the row in place `j`.
    let weigh = |weight: fn(usize) -> f64| -> Row {
        let mut sums = vec![0.0; rows.first().map_or(0, Vec::len)];
        for (j, row) in rows.iter().enumerate() {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += weight(j) * x;
            }
        }
        let weights: f64 = (0..rows.len()).map(weight).sum();
        sums.into_iter().map(|sum| sum / weights.max(1.0)).collect()
    };
    match pooling {
        Pooling::Mean => weigh(|_| 1.0),
        Pooling::Weighted => weigh(|j| (j + 1) as f64),
        Pooling::Max => {
            let mut most = rows.first().cloned().unwrap_or_default();
            for row in rows {
                most.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(*x));
            }
            most
        }
        Pooling::First => rows.first().cloned().unwrap_or_default(),
        Pooling::Last => rows.last().cloned().unwrap_or_default(),
    }
}
