//! Files that become inputs of jobs.

use crate::exit::CliError;
use std::path::Path;

/// What helps with files of numbers or pixels that a program packed.
const BARE: &str = "write the bytes alone, such as with numpy.asarray(…).astype(numpy.int8).tofile(…)";
const UNPACK: &str = "unpack it first";
const TEXT: &str = "save it as plain text, one text a line";
const FETCH: &str = "download the file itself";

/// Files that are no input of any job, whatever their names are: how they begin, what they are, what to do.
const FOREIGN: [(&[u8], &str, &str); 17] = [
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file itself",
        "run `git lfs pull` in its folder",
    ),
    (b"\x93NUMPY", "a NumPy file, whose header would count as numbers", BARE),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture, whose pixels are compressed", BARE),
    (
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        "a JPEG picture, whose pixels are compressed",
        BARE,
    ),
    (b"GIF89a", "a GIF picture, whose pixels are compressed", BARE),
    (b"PK\x03\x04", "a zip archive, such as .npz, .docx or .xlsx", UNPACK),
    (b"\x1f\x8b\x08\0", "packed with gzip", UNPACK),
    (b"\x1f\x8b\x08\x08", "packed with gzip", UNPACK),
    (b"\xfd7zXZ\0", "packed with xz", UNPACK),
    (b"(\xb5/\xfd", "packed with zstd", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip", UNPACK),
    (b"%PDF-", "a PDF document", TEXT),
    (b"{\\rtf1", "a document in Rich Text Format", TEXT),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a document of Microsoft Office",
        TEXT,
    ),
    (b"SQLite format 3\0", "a SQLite database", TEXT),
    (b"PAR1", "a Parquet file", TEXT),
    (
        b"GGUF",
        "a GGUF model",
        "give the package that `agora model import` made",
    ),
];

/// The content of the file at `path`, which is none of the kinds of files that are known to be no input.
///
/// Errors: `File`, `Usage`.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let content = std::fs::read(path).map_err(|reason| CliError::File {
        path: path.display().to_string(),
        reason,
    })?;
    match FOREIGN.iter().find(|(beginning, ..)| content.starts_with(beginning)) {
        Some((_, what, remedy)) => Err(unusable(path, format!("{what}: {remedy}"))),
        None => Ok(content),
    }
}

/// As [`read`], of a file of numbers, one a byte: a web page is none.
///
/// Errors: `File`, `Usage`.
pub fn read_numbers(path: &Path) -> Result<Vec<u8>, CliError> {
    let content = read(path)?;
    if is_page(&content) {
        return Err(unusable(path, format!("a web page in place of the file: {FETCH}")));
    }
    Ok(content)
}

/// Whether this begins as a web page does.
pub fn is_page(content: &[u8]) -> bool {
    let text = content.trim_ascii_start();
    let begins = |beginning: &[u8]| {
        let start = text.get(..beginning.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    begins(b"<!doctype html") || begins(b"<html")
}

/// What to say of `content`, numbers with one a byte, if it is a text with numbers in it: then each letter counts as a number.
pub fn written_out(path: &Path, content: &[u8]) -> Option<String> {
    // So many bytes of other data are hardly ever all of these.
    const MANY: usize = 16;
    let is_written = |byte: &u8| byte.is_ascii_digit() || b" \t\r\n,;.+-eE[]".contains(byte);
    let is_text = content.len() >= MANY && content.iter().all(is_written);
    let is_several = content.iter().any(|byte| b" \t\n,;".contains(byte));
    (is_text && is_several).then(|| {
        format!(
            "{}: it looks like numbers written as text, and each letter of it is taken as a number: {BARE}",
            path.display()
        )
    })
}

/// The file at `path` is not what the job needs.
pub fn unusable(path: &Path, reason: impl std::fmt::Display) -> CliError {
    CliError::Usage(format!("{}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::Files, *};

    #[test]
    fn files_of_other_kinds_are_refused_by_name() {
        let files = Files::new();
        for (beginning, what, remedy) in FOREIGN {
            let path = files.write("input", [beginning, b" and more"].concat());
            let refused = read(Path::new(&path)).expect_err(what);
            assert_eq!(refused.code(), 2);
            assert_eq!(refused.to_string(), format!("{path}: {what}: {remedy}"));
            // The beginning of the beginning is none.
            let path = files.write("input", &beginning[..beginning.len() - 1]);
            read(Path::new(&path)).expect("it may be anything");
        }
    }

    #[test]
    fn pages_are_no_numbers() {
        let files = Files::new();
        for page in ["<!DOCTYPE html><p>", "\n  <html lang=\"en\">", "<!doctype HTML PUBLIC"] {
            let path = files.write("input", page);
            let refused = read_numbers(Path::new(&path)).expect_err("a page").to_string();
            assert!(
                refused.contains("a web page") && refused.starts_with(&path),
                "{refused}"
            );
            read(Path::new(&path)).expect("a text may begin like that");
        }
        let path = files.write("input", "<!doc");
        read_numbers(Path::new(&path)).expect("it may be anything");
    }

    #[test]
    fn numbers_that_are_written_out_are_told_of() {
        let told = |content: &[u8]| written_out(Path::new("m.csv"), content);
        for text in ["1,2,3,4\n-5,6,7,8\n", "0.5 1.25 3e-4 77\r\n", "[1, 2, 3, 4, 5, 6]"] {
            let warning = told(text.as_bytes()).expect("it is text");
            assert!(warning.starts_with("m.csv: it looks like numbers"), "{warning}");
        }
        for other in [&b"1,2,3"[..], &[b'1'; 64], b"1,2,3,4,5,6,7,8,x", &[0; 64]] {
            assert_eq!(told(other), None);
        }
    }
}
