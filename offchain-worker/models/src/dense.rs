//! The Dense module of sentence-transformers: a linear layer of the pooled vector, and what its outputs go through.

use crate::{
    encoder::{fine, rows},
    error::{ImportError, unsupported},
    files::{ModelFiles, inside, json, whole},
    floats::{Affine, Row, dot},
    modules::{Settings, typed},
    quantise::{LinearBuilder, STATE_BITS},
    tensors::{Rows, TENSORS, deserialize, elements},
};
use agora_compute::transformer::{self, DenseActivation, MAX_WIDTH, Pooling, VALUE_MAX, WIDTH_UNIT};

/// Bits behind the binary point of the pooled vector: it is in eighths of values.
const POOLED_BITS: i32 = STATE_BITS + 3;
/// Units of the value of which packages take the hyperbolic tangent, in a number: `2048 / ln 2`.
const TANH_UNITS: f64 = 2048.0 * core::f64::consts::LOG2_E;
/// The largest bias before a hyperbolic tangent. Values reach to ±177 there: where they are cut, the sum with such a bias is
/// beyond ±49, and its tangent is one in any case.
const MAX_TANH_BIAS: f64 = 128.0;
const CONVERT: &str = "convert it where sentence-transformers is installed: python3 -c 'from sentence_transformers import \
    SentenceTransformer; SentenceTransformer(\"FOLDER\").save(\"FOLDER\")', with the model's folder for FOLDER";

/// What the configuration of the module says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DenseModule {
    folder: String,
    pub outputs: u32,
    has_bias: bool,
    activation: DenseActivation,
}

/// The module in floats.
pub(crate) struct DenseFloats {
    affine: Affine,
    activation: DenseActivation,
}

impl DenseModule {
    /// Reads the configuration in `folder`, of a layer of a vector of `width` numbers.
    ///
    /// Errors: `Missing`, `Unsupported`, and those of [`json`].
    pub fn read(files: &dyn ModelFiles, folder: &str, width: u32) -> Result<Self, ImportError> {
        let file = inside(folder, "config.json");
        let mut settings = json::<Settings>(files, &file)?.ok_or_else(|| ImportError::Missing {
            file: file.clone(),
            remedy: "modules.json names it, and it says what the Dense layer is; download the whole model".to_owned(),
        })?;
        let mut size = |name: &str| {
            let found = typed::<u32>(&file, settings.take(name))?;
            found.ok_or_else(|| {
                unsupported(
                    &file,
                    format!("a Dense without {name}"),
                    "it says how wide the layer is",
                )
            })
        };
        let (inputs, outputs) = (size("in_features")?, size("out_features")?);
        if inputs != width {
            let remedy = format!("the encoder's hidden_size is {width}");
            return Err(unsupported(&file, format!("the in_features {inputs}"), remedy));
        }
        if !(WIDTH_UNIT..=MAX_WIDTH).contains(&outputs) || !outputs.is_multiple_of(WIDTH_UNIT) {
            let remedy = format!("multiples of {WIDTH_UNIT} from {WIDTH_UNIT} to {MAX_WIDTH} are");
            return Err(unsupported(&file, format!("the out_features {outputs}"), remedy));
        }
        let has_bias = typed(&file, settings.take("bias"))?.unwrap_or(true);
        let activation = typed::<String>(&file, settings.take("activation_function"))?;
        let activation = activation_of(&file, activation.as_deref())?;
        settings.of_the_sentence(&file)?;
        settings.end(&file)?;
        Ok(Self {
            folder: folder.to_owned(),
            outputs,
            has_bias,
            activation,
        })
    }

    /// Whether the direction of its output depends on that of its input alone.
    pub fn is_linear(&self) -> bool {
        !self.has_bias && self.activation == DenseActivation::Identity
    }

    /// Reads the weights, of a layer of a vector of `width` numbers.
    ///
    /// Errors: `Missing`, `Unsupported`, `NoTensor`, those of [`elements`] and of [`whole`].
    pub fn floats(&self, files: &dyn ModelFiles, width: u32) -> Result<DenseFloats, ImportError> {
        let file = inside(&self.folder, TENSORS);
        let Some(content) = whole(files, &file)? else {
            let other = inside(&self.folder, "pytorch_model.bin");
            return Err(match files.content(&other)? {
                Some(_) => unsupported(&other, "a Dense without model.safetensors", CONVERT),
                None => ImportError::Missing {
                    file,
                    remedy: "it holds the weights of the Dense layer; download the whole model".to_owned(),
                },
            });
        };
        let tensors = deserialize(&file, &content)?;
        let names: &[&str] = match self.has_bias {
            true => &["linear.weight", "linear.bias"],
            false => &["linear.weight"],
        };
        let mut held = tensors.names();
        held.sort_unstable();
        if let Some(other) = held.iter().find(|name| !names.contains(*name)) {
            let remedy = format!(
                "of this Dense, {} would be read, and nothing is left out",
                names.join(" and ")
            );
            return Err(unsupported(&file, format!("the tensor {other}"), remedy));
        }
        let get = |name: &str, shape: &[usize]| {
            let view = tensors.tensor(name).map_err(|_| ImportError::NoTensor {
                file: file.clone(),
                tensor: name.to_owned(),
            })?;
            elements((&file, name), &view, shape, Rows::Exactly)
        };
        let [outputs, width] = [self.outputs, width].map(|size| size as usize);
        Ok(DenseFloats {
            affine: Affine {
                weight: get("linear.weight", &[outputs, width])?,
                bias: match self.has_bias {
                    true => get("linear.bias", &[outputs])?,
                    false => vec![0.0; outputs],
                },
            },
            activation: self.activation,
        })
    }

    /// The layer in integers, of vectors that are at most `longest` long.
    ///
    /// Errors: `TooCoarse`.
    pub fn quantise(&self, floats: &DenseFloats, longest: f64) -> Result<transformer::Dense, ImportError> {
        let Affine { weight, bias } = &floats.affine;
        let name = inside(&self.folder, "linear");
        let width = weight.len() / bias.len().max(1);
        let linear = LinearBuilder::new(fine(width as u32), POOLED_BITS);
        let (factor, bits) = match self.activation {
            DenseActivation::Tanh => {
                if bias.iter().any(|bias| bias.abs() > MAX_TANH_BIAS) {
                    return Err(ImportError::TooCoarse(name));
                }
                (TANH_UNITS, 0)
            }
            DenseActivation::Identity => {
                // No output is larger, and the direction of the vector is all that matters: they are in whatever unit
                // leaves them half of the reach, for what rounding adds.
                let most = weight
                    .chunks_exact(width)
                    .zip(bias)
                    .fold(0.0, |most: f64, (row, bias)| {
                        most.max(libm::sqrt(dot(row, row)) * longest + bias.abs())
                    });
                let (_, exponent) = libm::frexp(most);
                (1.0, VALUE_MAX.ilog2() as i32 - exponent)
            }
        };
        Ok(transformer::Dense {
            linear: rows(linear, &name, &floats.affine, (factor, bits))?.build(),
            activation: self.activation,
        })
    }
}

impl DenseFloats {
    /// What the layer makes of `vector`.
    pub fn apply(&self, vector: &[f64]) -> Row {
        let outputs = self.affine.linear(vector).into_iter();
        match self.activation {
            DenseActivation::Identity => outputs.collect(),
            DenseActivation::Tanh => outputs.map(libm::tanh).collect(),
        }
    }
}

/// The most that the Euclidean length of what is pooled of rows behind `norm` can be.
///
/// A row that is normalised to the mean 0 and the variance 1 has the length √width, and no number of it is larger. A mean of
/// rows is no longer than the longest; a maximum takes each number from another.
pub(crate) fn longest(norm: &Affine, pooling: Pooling) -> f64 {
    let Affine { weight, bias } = norm;
    let root = libm::sqrt(weight.len() as f64);
    match pooling {
        Pooling::Mean | Pooling::Weighted | Pooling::First | Pooling::Last => {
            let most = weight.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
            most * root + libm::sqrt(dot(bias, bias))
        }
        Pooling::Max => {
            let largest: Row = weight.iter().zip(bias).map(|(w, b)| w.abs() * root + b.abs()).collect();
            libm::sqrt(dot(&largest, &largest))
        }
    }
}

fn activation_of(file: &str, name: Option<&str>) -> Result<DenseActivation, ImportError> {
    const KNOWN: &str = "torch.nn.modules.activation.Tanh and torch.nn.modules.linear.Identity are";
    match name {
        Some("torch.nn.modules.activation.Tanh" | "torch.nn.Tanh") => Ok(DenseActivation::Tanh),
        Some("torch.nn.modules.linear.Identity" | "torch.nn.Identity") => Ok(DenseActivation::Identity),
        Some(other) => Err(unsupported(file, format!("the activation_function {other:?}"), KNOWN)),
        // Versions of sentence-transformers differ in what they take.
        None => Err(unsupported(file, "a Dense without activation_function", KNOWN)),
    }
}
