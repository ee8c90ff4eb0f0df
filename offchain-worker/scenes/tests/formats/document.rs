//! glTF files, put together part by part.

use agora_scenes::{Files, Mesh, MeshError, NoFiles, gltf};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const FLOAT: u32 = 5126;
pub const BYTE: u32 = 5120;
pub const UNSIGNED_BYTE: u32 = 5121;
pub const SHORT: u32 = 5122;
pub const UNSIGNED_SHORT: u32 = 5123;
pub const UNSIGNED_INT: u32 = 5125;

/// Where the data of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    DataUri,
    Binary,
    Beside,
}

/// The name of the file beside.
pub const BESIDE: &str = "data/my box.bin";

/// A document and the bytes of its buffer.
#[derive(Clone)]
pub struct Document {
    pub json: Value,
    pub bytes: Vec<u8>,
}

/// Numbers as elements have them.
pub fn floats(numbers: impl IntoIterator<Item = f64>) -> Vec<u8> {
    numbers
        .into_iter()
        .flat_map(|number| (number as f32).to_le_bytes())
        .collect()
}

pub fn integers(component: u32, numbers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let bytes = |number: i64| match component {
        BYTE | UNSIGNED_BYTE => vec![number as u8],
        SHORT | UNSIGNED_SHORT => (number as u16).to_le_bytes().to_vec(),
        _ => (number as u32).to_le_bytes().to_vec(),
    };
    numbers.into_iter().flat_map(bytes).collect()
}

impl Document {
    /// One node with one mesh without primitives.
    pub fn new() -> Self {
        let json = json!({
            "asset": { "version": "2.0" },
            "scene": 0,
            "scenes": [{ "nodes": [0] }],
            "nodes": [{ "mesh": 0 }],
            "meshes": [{ "primitives": [] }],
            "accessors": [],
            "bufferViews": [],
            "buffers": [],
        });
        Self {
            json,
            bytes: Vec::new(),
        }
    }

    /// Adds an object to a list, and returns its place.
    pub fn push(&mut self, list: &str, object: Value) -> usize {
        let list = self.json[list].as_array_mut().expect("it is a list");
        list.push(object);
        list.len() - 1
    }

    /// Adds data, and returns the place of their view.
    pub fn view(&mut self, bytes: &[u8]) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0xee);
        let offset = self.bytes.len();
        self.bytes.extend(bytes);
        self.push(
            "bufferViews",
            json!({ "buffer": 0, "byteOffset": offset, "byteLength": bytes.len() }),
        )
    }

    /// Adds an accessor to data of its own.
    pub fn accessor(&mut self, component: u32, shape: &str, count: usize, bytes: &[u8]) -> usize {
        let view = self.view(bytes);
        let accessor = json!({ "bufferView": view, "componentType": component, "count": count, "type": shape });
        self.push("accessors", accessor)
    }

    pub fn vectors(&mut self, vectors: &[[f64; 3]]) -> usize {
        self.accessor(FLOAT, "VEC3", vectors.len(), &floats(vectors.iter().flatten().copied()))
    }

    pub fn indices(&mut self, component: u32, indices: &[usize]) -> usize {
        let bytes = integers(component, indices.iter().map(|&index| index as i64));
        self.accessor(component, "SCALAR", indices.len(), &bytes)
    }

    pub fn primitive(&mut self, primitive: Value) {
        let list = self.json["meshes"][0]["primitives"]
            .as_array_mut()
            .expect("it is a list");
        list.push(primitive);
    }

    /// The unit cube: accessor 0 has its corners, accessor 1 its indices.
    pub fn cube() -> Self {
        let mut document = Self::new();
        document.vectors(&CORNERS);
        document.indices(UNSIGNED_SHORT, &INDICES);
        document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": 1 }));
        document
    }

    /// The text, with the buffer that it names.
    pub fn text(&self, storage: Storage) -> String {
        let mut json = self.json.clone();
        let mut buffer = json!({ "byteLength": self.bytes.len() });
        match storage {
            Storage::DataUri => {
                let data = STANDARD.encode(&self.bytes);
                buffer["uri"] = format!("data:application/octet-stream;base64,{data}").into();
            }
            Storage::Binary => {}
            Storage::Beside => buffer["uri"] = BESIDE.replace(' ', "%20").into(),
        }
        json["buffers"].as_array_mut().expect("it is a list").insert(0, buffer);
        json.to_string()
    }

    /// The file.
    pub fn file(&self, storage: Storage) -> Vec<u8> {
        let text = self.text(storage);
        match storage {
            Storage::DataUri | Storage::Beside => text.into_bytes(),
            Storage::Binary => binary(text.as_bytes(), &self.bytes),
        }
    }

    /// What is read of it.
    pub fn read(&self) -> Result<Mesh, MeshError> {
        gltf::read(self.text(Storage::DataUri).as_bytes(), &NoFiles)
    }
}

/// A binary file.
pub fn binary(text: &[u8], data: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8], padding: u8| {
        let mut content = content.to_vec();
        content.resize(content.len().next_multiple_of(4), padding);
        [&(content.len() as u32).to_le_bytes()[..], kind, &content].concat()
    };
    let chunks = [chunk(b"JSON", text, b' '), chunk(b"BIN\0", data, 0)].concat();
    let length = (12 + chunks.len()) as u32;
    [&b"glTF\x02\0\0\0"[..], &length.to_le_bytes(), &chunks].concat()
}

pub const CORNERS: [[f64; 3]; 8] = [
    [0.0, 0.0, 0.0],
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [1.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
    [1.0, 0.0, 1.0],
    [0.0, 1.0, 1.0],
    [1.0, 1.0, 1.0],
];

pub const INDICES: [usize; 36] = [
    0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1, 5, 0, 5, 4, 2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5,
];

/// Files in memory.
#[derive(Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Memory {
    pub fn with(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(name.to_owned(), content.into());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, MeshError> {
        self.0.get(path).cloned().map_or_else(|| NoFiles.read(path), Ok)
    }
}
