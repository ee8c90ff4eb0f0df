//! From a directory of a published model to a package.

use crate::{
    config::{Config, SentenceConfig},
    quantise::{BETWEEN_BITS, LinearBuilder, MIXED_BITS, STATE_BITS, bits, bytes, gelu, multiplier, norm, value},
    tensors::Tensors,
};
use agora_compute::transformer::{
    Attention, Embedding, Encoder, Layer, Limbs, Linear, MAX_HIDDEN, MAX_LAYERS, MAX_POSITIONS, MAX_TWO_LIMB_WIDTH,
    MAX_VOCABULARY, MAX_WIDTH, Norm, Package, PackageError, Shape, exponent_table,
};
use safetensors::SafeTensorError;
use serde::de::DeserializeOwned;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The largest file that is read: 4 GiB.
const MAX_FILE: u64 = 1 << 32;

/// Why a model cannot be made into a package.
#[derive(thiserror::Error, Debug)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}; the directory must hold model.safetensors, config.json and tokenizer.json", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is too large.
    #[error("{} has {bytes} bytes, more than {MAX_FILE}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// A file is not the JSON that it should be.
    #[error("{name} is not a configuration: {source}")]
    Json {
        /// The file's name.
        name: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The tensors cannot be read.
    #[error("model.safetensors is damaged or lacks a tensor: {0}")]
    Tensors(#[from] SafeTensorError),
    /// The tokeniser cannot be read.
    #[error("tokenizer.json is not a tokeniser: {0}")]
    Tokenizer(String),
    /// A kind of model that cannot be made into a package.
    #[error("{what} {found:?} is not supported; {supported:?} is")]
    Unsupported {
        /// What of the model.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        supported: &'static str,
    },
    /// A size is out of bounds.
    #[error("{what} is {found}; 1 to {most} are possible")]
    Size {
        /// Which size.
        what: &'static str,
        /// What it is.
        found: u32,
        /// The most that is possible.
        most: u32,
    },
    /// The heads do not divide the hidden state.
    #[error("a hidden state of {hidden} cannot be divided among {heads} heads")]
    Heads {
        /// The width of the hidden state.
        hidden: u32,
        /// How many heads.
        heads: u32,
    },
    /// A tensor is not of 32-bit floats.
    #[error("the tensor {tensor} is of type {found}; only F32 can be imported")]
    Type {
        /// The tensor's name.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("the tensor {tensor} has the shape {found:?}, the configuration says {expected:?}")]
    Shape {
        /// The tensor's name.
        tensor: String,
        /// As the configuration says.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// An element of a tensor is infinite or not a number.
    #[error("the tensor {0} has elements that are not finite")]
    NotFinite(String),
    /// The elements of a tensor are too large for integers.
    #[error("the elements of {0} are too large to be quantised")]
    TooCoarse(String),
    /// What was made is not a package.
    #[error(transparent)]
    Package(#[from] PackageError),
}

/// Makes a package of the model in `directory`: an encoder of type BERT, with mean pooling, in 32-bit floats.
///
/// Reads `config.json`, `model.safetensors`, `tokenizer.json` and, if there is one, `sentence_bert_config.json` (for
/// the number of tokens that sentences are cut to). The same files give the same bytes on every machine.
///
/// Errors: `Read`, `Json`, and one for everything that such a model must not have. Takes memory for three copies of the
/// model.
pub fn import(directory: &Path) -> Result<Vec<u8>, ImportError> {
    let sentence = directory.join(SENTENCE);
    let sentence = sentence.exists().then(|| read(&sentence)).transpose()?;
    let files = ModelFiles {
        config: &read(&directory.join(CONFIG))?,
        sentence: sentence.as_deref(),
        tokenizer: &read(&directory.join("tokenizer.json"))?,
        tensors: &read(&directory.join("model.safetensors"))?,
    };
    files.import()
}

const CONFIG: &str = "config.json";
const SENTENCE: &str = "sentence_bert_config.json";

/// The files of a published model.
#[derive(Clone, Copy, Debug)]
pub struct ModelFiles<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// `sentence_bert_config.json`, if there is one.
    pub sentence: Option<&'a [u8]>,
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// `model.safetensors`.
    pub tensors: &'a [u8],
}

impl ModelFiles<'_> {
    /// Makes a package of the model, as [`import`] does.
    ///
    /// Errors: all of [`import`] but `Read` and `TooLarge`.
    pub fn import(&self) -> Result<Vec<u8>, ImportError> {
        let config: Config = json(CONFIG, self.config)?;
        let limit = match self.sentence {
            Some(sentence) => json::<SentenceConfig>(SENTENCE, sentence)?.max_seq_length,
            None => MAX_POSITIONS,
        };
        let shape = shape(&config, limit)?;
        let tokenizer = self.tokenizer.to_vec();
        tokenizers::Tokenizer::from_bytes(&tokenizer).map_err(|error| ImportError::Tokenizer(error.to_string()))?;
        let tensors = Tensors::new(self.tensors)?;
        let prefix = match tensors.has("bert.embeddings.LayerNorm.weight") {
            true => "bert.",
            false => "",
        };
        let importer = Importer {
            tensors,
            shape,
            prefix,
            rows: config.max_position_embeddings as usize,
        };
        let encoder = importer.encoder(config.layer_norm_eps)?;
        Ok(Package { encoder, tokenizer }.encode()?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let error = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let bytes = fs::metadata(path).map_err(error)?.len();
    if bytes > MAX_FILE {
        let path = path.to_owned();
        return Err(ImportError::TooLarge { path, bytes });
    }
    fs::read(path).map_err(error)
}

fn json<T: DeserializeOwned>(name: &'static str, bytes: &[u8]) -> Result<T, ImportError> {
    serde_json::from_slice(bytes).map_err(|source| ImportError::Json { name, source })
}

/// The sizes of the model that `config` describes, for sentences of `limit` tokens at most.
fn shape(config: &Config, limit: u32) -> Result<Shape, ImportError> {
    for (what, found, supported) in [
        ("the type of model", &config.model_type, "bert"),
        ("the activation", &config.hidden_act, "gelu"),
        (
            "the kind of position embedding",
            &config.position_embedding_type,
            "absolute",
        ),
    ] {
        if found != supported {
            let found = found.clone();
            return Err(ImportError::Unsupported { what, found, supported });
        }
    }
    let sizes = [
        ("vocab_size", config.vocab_size, MAX_VOCABULARY),
        ("max_position_embeddings", config.max_position_embeddings, 1 << 20),
        ("hidden_size", config.hidden_size, MAX_HIDDEN),
        ("num_hidden_layers", config.num_hidden_layers, MAX_LAYERS),
        ("num_attention_heads", config.num_attention_heads, MAX_HIDDEN),
        ("intermediate_size", config.intermediate_size, MAX_WIDTH),
        ("max_seq_length", limit, 1 << 20),
    ];
    for (what, found, most) in sizes {
        if found == 0 || found > most {
            return Err(ImportError::Size { what, found, most });
        }
    }
    let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
    if !hidden.is_multiple_of(heads) {
        return Err(ImportError::Heads { hidden, heads });
    }
    Ok(Shape {
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings.min(limit).min(MAX_POSITIONS),
        hidden,
        layers: config.num_hidden_layers,
        heads,
        key_value_heads: heads,
        head_size: hidden / heads,
        intermediate: config.intermediate_size,
    })
}

/// Makes the parts of an encoder from tensors by their names.
struct Importer<'a> {
    tensors: Tensors<'a>,
    shape: Shape,
    /// What the names of all tensors begin with.
    prefix: &'static str,
    /// How many positions the model has.
    rows: usize,
}

impl Importer<'_> {
    fn get(&self, name: &str, shape: &[u32]) -> Result<Vec<f64>, ImportError> {
        let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
        self.tensors.get(&format!("{}{name}", self.prefix), &shape)
    }

    fn encoder(&self, epsilon: f64) -> Result<Encoder, ImportError> {
        // The sums of squares of `hidden` values that this is added to are in units of 2⁻²⁰.
        let epsilon = epsilon * f64::from(self.shape.hidden) * libm::ldexp(1.0, 2 * STATE_BITS);
        Ok(Encoder {
            shape: self.shape,
            // The cast saturates.
            norm_epsilon: libm::rint(epsilon) as u32,
            embedding: self.embedding()?,
            layers: (0..self.shape.layers)
                .map(|i| self.layer(i))
                .collect::<Result<_, _>>()?,
            exponent: exponent_table(),
            activation: gelu(),
        })
    }

    fn embedding(&self) -> Result<Embedding, ImportError> {
        let Shape {
            vocabulary,
            positions,
            hidden,
            ..
        } = self.shape;
        // All tokens of a sentence are of type 0.
        let types = self.get("embeddings.token_type_embeddings.weight", &[2, hidden])?;
        let positions_of_all = self.get("embeddings.position_embeddings.weight", &[self.rows as u32, hidden])?;
        let position: Vec<f64> = positions_of_all
            .chunks_exact(hidden as usize)
            .take(positions as usize)
            .flat_map(|row| row.iter().zip(&types).map(|(place, kind)| place + kind))
            .collect();
        let name = "embeddings.word_embeddings.weight";
        let words = self.get(name, &[vocabulary, hidden])?;
        // The normalisation undoes whatever unit they have; values have four bits more than 16-bit integers.
        let unit = bits(&position).min(bits(&words) + 4);
        let (mut weight, mut multipliers, mut shifts) = (Vec::new(), Vec::new(), Vec::new());
        for row in words.chunks_exact(hidden as usize) {
            let (row, scale) = bytes(row);
            let scale = multiplier(libm::ldexp(scale, unit));
            let (multiplier, shift) = scale.ok_or_else(|| ImportError::TooCoarse(name.to_owned()))?;
            weight.extend(row);
            multipliers.push(multiplier);
            shifts.push(shift);
        }
        let bounded = |&place| value(place, unit).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        Ok(Embedding {
            weight,
            multiplier: multipliers,
            shift: shifts,
            position: position.iter().map(bounded).collect(),
            norm: self.norm("embeddings.LayerNorm")?,
        })
    }

    fn norm(&self, name: &str) -> Result<Norm, ImportError> {
        let [weight, bias] = ["weight", "bias"].map(|part| self.get(&format!("{name}.{part}"), &[self.shape.hidden]));
        norm(&weight?, &bias?).ok_or_else(|| ImportError::TooCoarse(name.to_owned()))
    }

    /// Adds the linear layer `name`, each of its outputs times `factor`, to `linear`.
    fn rows(
        &self,
        linear: LinearBuilder,
        name: &str,
        [outputs, width]: [u32; 2],
        (factor, bits): (f64, i32),
    ) -> Result<LinearBuilder, ImportError> {
        let weights = self.get(&format!("{name}.weight"), &[outputs, width])?;
        let biases = self.get(&format!("{name}.bias"), &[outputs])?;
        let linear = linear.rows(&weights, &biases, factor, bits);
        linear.ok_or_else(|| ImportError::TooCoarse(name.to_owned()))
    }

    /// The linear layer `name`, from values with so many bits behind the binary point to others.
    fn linear(
        &self,
        name: &str,
        shape: [u32; 2],
        limbs: Limbs,
        [input_bits, output_bits]: [i32; 2],
    ) -> Result<Linear, ImportError> {
        let linear = LinearBuilder::new(limbs, input_bits);
        Ok(self.rows(linear, name, shape, (1.0, output_bits))?.build())
    }

    fn layer(&self, i: u32) -> Result<Layer, ImportError> {
        let name = |part: &str| format!("encoder.layer.{i}.{part}");
        let Shape {
            hidden,
            intermediate,
            head_size,
            ..
        } = self.shape;
        let square = [hidden, hidden];
        let limbs = fine(hidden);
        // The scores of the softmax, which is in powers of two, are to come out in units of 2⁻¹⁰ after shifts of 36
        // bits.
        let to_score = core::f64::consts::LOG2_E / libm::sqrt(head_size.into());
        let query = libm::ldexp(to_score, 10 + 36 - 2 * STATE_BITS) / (2047.0 * 2047.0);
        let input = LinearBuilder::new(limbs, STATE_BITS);
        let input = self.rows(input, &name("attention.self.query"), square, (query, STATE_BITS))?;
        let input = self.rows(input, &name("attention.self.key"), square, (1.0, STATE_BITS))?;
        let input = self.rows(input, &name("attention.self.value"), square, (1.0, MIXED_BITS))?;
        let output = name("attention.output.dense");
        let up_proj = name("intermediate.dense");
        let down_proj = name("output.dense");
        Ok(Layer {
            attention: Attention {
                input: input.build(),
                output: self.linear(&output, square, Limbs::One, [MIXED_BITS, STATE_BITS])?,
            },
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            up_proj: self.linear(&up_proj, [intermediate, hidden], limbs, [STATE_BITS, BETWEEN_BITS])?,
            down_proj: self.linear(
                &down_proj,
                [hidden, intermediate],
                Limbs::One,
                [BETWEEN_BITS, STATE_BITS],
            )?,
            output_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }
}

/// Two limbs for inputs of this width, where sums allow it.
///
/// States have outliers, so that most of their values would be left with few levels in one limb: for MiniLM that would
/// be three times as far from the float model.
fn fine(width: u32) -> Limbs {
    if width <= MAX_TWO_LIMB_WIDTH {
        Limbs::Two
    } else {
        Limbs::One
    }
}
