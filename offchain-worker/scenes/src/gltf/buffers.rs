//! The data of a glTF file: in its text, in its binary chunk, or in files beside it.

use super::{document::Document, named, part};
use crate::{
    content,
    error::{MeshError, PartError, at_most},
    files::{Files, check_length, find},
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

/// The most elements that are looked at, so that no file refers to the same data without end.
const MAX_ELEMENTS: u64 = 1 << 28;
/// With or without the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Extensions with which a view's data are compressed.
const COMPRESSIONS: [&str; 2] = ["EXT_meshopt_compression", "KHR_meshopt_compression"];

pub(super) struct Source<'a> {
    pub(super) document: &'a Document,
    binary: Option<&'a [u8]>,
    files: &'a dyn Files,
    buffers: Vec<OnceCell<Cow<'a, [u8]>>>,
    /// The length of all buffers that were read.
    length: Cell<usize>,
    elements: Cell<u64>,
}

impl<'a> Source<'a> {
    pub(super) fn new(document: &'a Document, binary: Option<&'a [u8]>, files: &'a dyn Files) -> Self {
        Self {
            document,
            binary,
            files,
            buffers: document.buffers.iter().map(|_| OnceCell::new()).collect(),
            length: Cell::new(0),
            elements: Cell::new(0),
        }
    }

    /// Counts elements that will be looked at.
    ///
    /// Errors: `TooMany`.
    pub(super) fn spend(&self, elements: u64) -> Result<(), MeshError> {
        self.elements.set(self.elements.get().saturating_add(elements));
        at_most("elements to read", self.elements.get(), MAX_ELEMENTS)
    }

    /// The bytes of a view, and its stride.
    pub(super) fn view(&self, index: u32, at: &str) -> Result<(&[u8], Option<u64>), MeshError> {
        let view = named(&self.document.buffer_views, "bufferViews", index, at)?;
        let at = format!("bufferViews[{index}]");
        let buffer = named(&self.document.buffers, "buffers", view.buffer, &at)?;
        let compression = COMPRESSIONS.iter().find(|name| view.extensions.contains_key(**name));
        if let (Some(name), None) = (compression, &buffer.uri) {
            // What is in the binary chunk is compressed; a buffer without any data stands for what it would be.
            return Err(part(at, PartError::Extension((*name).to_owned())));
        }
        let content = self.buffer(view.buffer)?;
        let end = view.byte_offset.saturating_add(view.byte_length);
        let range = usize::try_from(view.byte_offset).ok().zip(usize::try_from(end).ok());
        let bytes = range.and_then(|(start, end)| content.get(start..end));
        let bytes = bytes.ok_or_else(|| {
            let (what, found) = ("it", content.len() as u64);
            part(
                at,
                PartError::CutOff {
                    what,
                    needed: end,
                    found,
                },
            )
        })?;
        Ok((bytes, view.byte_stride))
    }

    /// The content of a buffer, which exists; it is read when it is first needed.
    fn buffer(&self, index: u32) -> Result<&[u8], MeshError> {
        let cell = named(&self.buffers, "buffers", index, "buffers")?;
        if let Some(content) = cell.get() {
            return Ok(content);
        }
        let content = self.load(index)?;
        self.length.set(self.length.get().saturating_add(content.len()));
        check_length(self.length.get())?;
        Ok(cell.get_or_init(|| content))
    }

    fn load(&self, index: u32) -> Result<Cow<'a, [u8]>, MeshError> {
        let buffer = named(&self.document.buffers, "buffers", index, "buffers")?;
        let at = format!("buffers[{index}]");
        let mut content = match (&buffer.uri, self.binary) {
            (Some(uri), _) => Cow::Owned(self.address(uri, &at)?),
            (None, Some(binary)) if index == 0 => Cow::Borrowed(binary),
            (None, _) => {
                return Err(part(
                    at,
                    PartError::Unfit("it has neither a uri nor data in a binary file"),
                ));
            }
        };
        let found = content.len() as u64;
        match usize::try_from(buffer.byte_length) {
            Ok(length) if length <= content.len() => match &mut content {
                Cow::Owned(bytes) => bytes.truncate(length),
                Cow::Borrowed(bytes) => *bytes = &bytes[..length],
            },
            _ => {
                let needed = buffer.byte_length;
                let what = "its byteLength";
                return Err(part(at, PartError::CutOff { what, needed, found }));
            }
        }
        Ok(content)
    }

    /// The data at a URI: within it, or in a file.
    fn address(&self, uri: &str, at: &str) -> Result<Vec<u8>, MeshError> {
        let scheme = scheme(uri);
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("data")) {
            return data(uri, at);
        }
        let shown = || uri.chars().take(100).collect();
        if scheme.is_some() || uri.starts_with("//") {
            return Err(part(at, PartError::Address(shown())));
        }
        let decoded = percent_decode_str(uri).decode_utf8();
        let path = decoded.map_err(|_| part(at, PartError::Address(shown())))?;
        let content = match find(self.files, &path) {
            // Some programs write names as they are.
            Err(error) if error.is_missing() && path != uri => self.files.read(uri).or(Err(error)),
            result => result.map(|(content, _)| content),
        }?;
        content::stand_in(&content).map_err(|source| MeshError::StandIn {
            path: path.into_owned(),
            source,
        })?;
        Ok(content)
    }
}

/// What is before the first colon of a URI, if that is a scheme.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some(scheme)
}

/// The data within a URI.
fn data(uri: &str, at: &str) -> Result<Vec<u8>, MeshError> {
    let malformed = || part(at, PartError::Unfit("its data URI has no comma before the data"));
    let (head, body) = uri.split_once(',').ok_or_else(malformed)?;
    let body: Cow<'_, [u8]> = percent_decode_str(body).into();
    let is_base64 = head
        .rsplit(';')
        .next()
        .is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    if !is_base64 {
        return Ok(body.into_owned());
    }
    let packed = if body.iter().any(u8::is_ascii_whitespace) {
        Cow::Owned(
            body.iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect(),
        )
    } else {
        body
    };
    BASE64
        .decode(packed)
        .map_err(|reason| part(at, PartError::Base64(reason)))
}
