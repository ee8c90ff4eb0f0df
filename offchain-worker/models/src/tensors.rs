//! The float tensors of a model's safetensors files, checked.

use crate::{
    error::{CONVERT, ImportError, unsupported},
    files::{ModelFiles, inside, json, whole},
};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// Where the tensors of a model are.
pub(crate) const TENSORS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// The tensor by which the encoder's tensors are found, whatever stands in front of their names.
const WORDS: &str = "embeddings.word_embeddings.weight";
/// Weights in formats that are not read.
const OTHERS: [&str; 7] = [
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "flax_model.msgpack",
    "rust_model.ot",
    "onnx",
    "openvino",
];

/// The files with a model's tensors.
pub(crate) struct TensorFiles(Vec<(String, Vec<u8>)>);

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl TensorFiles {
    /// Reads the files with tensors in `folder`.
    ///
    /// Errors: `Missing`, `Unsupported`, `Damaged`, and those of [`whole`].
    pub fn read(files: &dyn ModelFiles, folder: &str) -> Result<Self, ImportError> {
        let names = files.names();
        if names.contains("adapter_config.json") {
            let remedy =
                "an adapter changes another model's weights: save both as one, with merge_and_unload() of peft";
            return Err(unsupported("adapter_config.json", "an adapter", remedy));
        }
        let single = inside(folder, TENSORS);
        if let Some(content) = whole(files, &single)? {
            return Ok(Self(vec![(single, content)]));
        }
        let index = inside(folder, INDEX);
        if let Some(Index { weight_map }) = json(files, &index)? {
            let shards: BTreeSet<&String> = weight_map.values().collect();
            let read = |name: &&String| {
                if name.contains(['/', '\\']) {
                    return Err(unsupported(
                        &index,
                        format!("the file {name:?}"),
                        "the files are beside the index",
                    ));
                }
                let path = inside(folder, name);
                let content = whole(files, &path)?.ok_or_else(|| ImportError::Missing {
                    file: path.clone(),
                    remedy: format!("{index} names it; download the whole model"),
                })?;
                Ok((path, content))
            };
            return Ok(Self(shards.iter().map(read).collect::<Result<_, _>>()?));
        }
        let other = OTHERS.iter().find(|name| names.contains(**name));
        let gguf = names.iter().find(|name| name.ends_with(".gguf")).map(String::as_str);
        Err(match other.copied().or(gguf) {
            Some(other) => unsupported(other, "a model without model.safetensors", CONVERT),
            None => ImportError::Missing {
                file: single,
                remedy: "it holds the weights; give the folder into which the whole model was downloaded".to_owned(),
            },
        })
    }

    /// The tensors.
    ///
    /// Errors: `CutOff`, `Damaged`, `NoTensor` if there is no encoder, `Unsupported` if there are several.
    pub fn tensors(&self) -> Result<Tensors<'_>, ImportError> {
        let mut tensors = BTreeMap::new();
        for (file, content) in &self.0 {
            let parsed = deserialize(file, content)?;
            for (name, view) in parsed.tensors() {
                if tensors.insert(name.clone(), (file.as_str(), view)).is_some() {
                    let reason = format!("the tensor {name} is in another file too");
                    let file = file.clone();
                    return Err(ImportError::Damaged { file, reason });
                }
            }
        }
        let prefixes: Vec<&str> = tensors.keys().filter_map(|name| name.strip_suffix(WORDS)).collect();
        let prefix = match prefixes.as_slice() {
            &[prefix] => prefix.to_owned(),
            [] => return Err(self.missing(WORDS)),
            several => {
                let what = format!(
                    "more than one encoder, {}{WORDS},",
                    several.join(&format!("{WORDS} and "))
                );
                return Err(unsupported(self.file(), what, "save the one that embeds sentences"));
            }
        };
        Ok(Tensors {
            files: self,
            tensors,
            prefix,
            used: RefCell::default(),
        })
    }

    /// The file, or the first of several.
    fn file(&self) -> &str {
        self.0.first().map_or(TENSORS, |(name, _)| name)
    }

    fn missing(&self, tensor: &str) -> ImportError {
        ImportError::NoTensor {
            file: self.file().to_owned(),
            tensor: tensor.to_owned(),
        }
    }
}

/// The tensors in `content`, of the file `file`.
///
/// Errors: `CutOff`, `Damaged`.
pub(crate) fn deserialize<'a>(file: &str, content: &'a [u8]) -> Result<SafeTensors<'a>, ImportError> {
    SafeTensors::deserialize(content).map_err(|error| damaged(file, content, &error))
}

/// What is wrong with a file that cannot be read.
fn damaged(file: &str, content: &[u8], error: &safetensors::SafeTensorError) -> ImportError {
    let file = file.to_owned();
    let found = content.len() as u64;
    // A header has some hundred bytes for each tensor; a length beyond this is not one.
    const MAX_HEADER: u64 = 100_000_000;
    let header = content.first_chunk().map(|&length| u64::from_le_bytes(length));
    let needed = match header {
        None => None,
        Some(header) if header > MAX_HEADER => {
            let reason = "it does not begin like a safetensors file".to_owned();
            return ImportError::Damaged { file, reason };
        }
        Some(header) => match content.get(8..8 + header as usize) {
            None => Some(8 + header),
            Some(text) => end_of_tensors(text).map(|end| 8 + header + end),
        },
    };
    match needed {
        Some(needed) if needed < found => ImportError::Damaged {
            file,
            reason: format!("it has {} bytes more than its header says", found - needed),
        },
        Some(needed) if needed == found => ImportError::Damaged {
            file,
            reason: error.to_string(),
        },
        None if header.is_some() => ImportError::Damaged {
            file,
            reason: error.to_string(),
        },
        needed => ImportError::CutOff { file, found, needed },
    }
}

/// Where the last tensor ends, by the header of a file.
fn end_of_tensors(header: &[u8]) -> Option<u64> {
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    let ends = header
        .values()
        .filter_map(|tensor| tensor.pointer("/data_offsets/1")?.as_u64());
    ends.max().filter(|end| *end < 1 << 40)
}

/// The tensors of a model.
pub(crate) struct Tensors<'a> {
    files: &'a TensorFiles,
    tensors: BTreeMap<String, (&'a str, TensorView<'a>)>,
    /// What the names of the encoder's tensors begin with.
    prefix: String,
    /// The names of tensors that were asked for.
    used: RefCell<BTreeSet<String>>,
}

impl Tensors<'_> {
    /// The tensor `name` by the name that it has in its file, by an old one if need be.
    fn find(&self, name: &str) -> Result<(String, &(&str, TensorView<'_>)), ImportError> {
        let old = match name.rsplit_once("LayerNorm.") {
            Some((owner, "weight")) => Some(format!("{owner}LayerNorm.gamma")),
            Some((owner, _)) => Some(format!("{owner}LayerNorm.beta")),
            None => None,
        };
        for name in [Some(name.to_owned()), old].into_iter().flatten() {
            let name = format!("{}{name}", self.prefix);
            if let Some(found) = self.tensors.get(&name) {
                return Ok((name, found));
            }
        }
        Err(self.files.missing(&format!("{}{name}", self.prefix)))
    }

    /// How many rows the embeddings of words have.
    ///
    /// Errors: `NoTensor`.
    pub fn words(&self) -> Result<usize, ImportError> {
        let (_, (_, view)) = self.find(WORDS)?;
        Ok(view.shape().first().copied().unwrap_or_default())
    }

    /// The elements of the tensor `name`, which must have `shape`, with its `rows` as said.
    ///
    /// Errors: `NoTensor`, and those of [`elements`].
    pub fn get(&self, name: &str, shape: &[usize], rows: Rows) -> Result<Vec<f64>, ImportError> {
        let (tensor, (file, view)) = self.find(name)?;
        let floats = elements((file, &tensor), view, shape, rows)?;
        self.used.borrow_mut().insert(tensor);
        Ok(floats)
    }

    /// Refuses tensors that nothing has asked for, but for those that shape no vector of a sentence.
    ///
    /// Errors: `Unused`.
    pub fn end(&self) -> Result<(), ImportError> {
        let used = self.used.borrow();
        let is_of_no_account = |name: &str| {
            let inner = name.strip_prefix(&self.prefix).unwrap_or(name);
            // The heads of pre-training, the pooler's layer behind [CLS], and numbers from 0 on.
            [
                "pooler.dense.",
                "cls.predictions.",
                "cls.seq_relationship.",
                "bert.pooler.dense.",
            ]
            .iter()
            .any(|head| inner.starts_with(head) || name.starts_with(head))
                || ["embeddings.position_ids", "embeddings.token_type_ids"].contains(&inner)
        };
        let unused = self
            .tensors
            .iter()
            .find(|(name, _)| !used.contains(*name) && !is_of_no_account(name));
        match unused {
            None => Ok(()),
            Some((tensor, (file, _))) => Err(ImportError::Unused {
                file: (*file).to_owned(),
                tensor: tensor.clone(),
                remedy: "it would be left out without a word; save the encoder alone, with \
                         AutoModel.from_pretrained(…).save_pretrained(…)",
            }),
        }
    }
}

/// How many rows a tensor must have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rows {
    Exactly,
    /// Vocabularies are padded to a multiple of something.
    AtLeast,
}

/// The elements of the tensor `view`, called `tensor` in its file, which must have `shape`, with its `rows` as said.
///
/// Errors: `Type` unless it is of floats, `Shape` if it has another, `NotFinite`.
pub(crate) fn elements(
    (file, tensor): (&str, &str),
    view: &TensorView<'_>,
    shape: &[usize],
    rows: Rows,
) -> Result<Vec<f64>, ImportError> {
    let (file, tensor) = (file.to_owned(), tensor.to_owned());
    let fits = match (rows, view.shape(), shape) {
        (Rows::Exactly, found, expected) => found == expected,
        (Rows::AtLeast, [found, inner @ ..], [expected, wanted @ ..]) => found >= expected && inner == wanted,
        (Rows::AtLeast, ..) => false,
    };
    if !fits {
        return Err(ImportError::Shape {
            file,
            tensor,
            expected: shape.to_vec(),
            found: view.shape().to_vec(),
        });
    }
    let Some(mut floats) = floats(view) else {
        let found = format!("{:?}", view.dtype());
        return Err(ImportError::Type { file, tensor, found });
    };
    // Those in rows that are left out too: they are no sign of a sound model.
    if floats.iter().any(|float| !float.is_finite()) {
        return Err(ImportError::NotFinite { file, tensor });
    }
    floats.truncate(shape.iter().product());
    Ok(floats)
}

/// The elements, or `None` if they are no floats.
fn floats(view: &TensorView<'_>) -> Option<Vec<f64>> {
    let data = view.data();
    let halves = || data.as_chunks().0.iter();
    Some(match view.dtype() {
        Dtype::F16 => halves().map(|&bytes| f16::from_le_bytes(bytes).to_f64()).collect(),
        Dtype::BF16 => halves().map(|&bytes| bf16::from_le_bytes(bytes).to_f64()).collect(),
        Dtype::F32 => {
            let floats = data.as_chunks().0.iter();
            floats.map(|&bytes| f32::from_le_bytes(bytes).into()).collect()
        }
        Dtype::F64 => {
            let floats = data.as_chunks().0.iter();
            floats.map(|&bytes| f64::from_le_bytes(bytes)).collect()
        }
        _ => return None,
    })
}
