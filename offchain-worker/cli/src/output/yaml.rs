//! YAML, as far as answers need it: strings are quoted as in JSON, which YAML 1.2 contains, so that nothing in them is
//! taken for something else.

use serde_json::Value;
use std::fmt::Write;

/// `value` as a document of a stream.
pub fn document(value: &Value) -> String {
    let mut text = String::from("---");
    below(&mut text, value, 0);
    text
}

/// Writes `value` behind a key, or behind the start of the document.
fn below(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                line(text, depth);
                let _ = write!(text, "{}:", key(name));
                below(text, value, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                line(text, depth);
                text.push('-');
                below(text, item, depth + 1);
            }
        }
        // Writing to a string does not fail. Empty lists and maps are written as in JSON.
        scalar => {
            let _ = write!(text, " {scalar}");
        }
    }
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// Names of fields are plain words; anything else is quoted.
fn key(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|one| one.is_ascii_lowercase() || one == '_');
    // Words that YAML reads as something else.
    let taken = matches!(
        name,
        "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if plain && !taken {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_indented_and_their_strings_quoted() {
        let value = json!({
            "amount": "12", "count": 3, "on": true, "nothing": null, "empty": [], "none": {},
            "list": ["a: b", { "inner": -1.5 }, ["deep"]],
        });
        let lines = [
            "---",
            "amount: \"12\"",
            "count: 3",
            "empty: []",
            "list:",
            "  - \"a: b\"",
            "  -",
            "    inner: -1.5",
            "  -",
            "    - \"deep\"",
            "none: {}",
            "nothing: null",
            "\"on\": true",
        ];
        let mut expected: Vec<_> = lines.to_vec();
        let text = document(&value);
        let mut written: Vec<_> = text.lines().collect();
        // The order of fields is that of the structure, or of the alphabet, as `serde_json` was built.
        expected.sort_unstable();
        written.sort_unstable();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_string_cannot_break_out_of_its_line() {
        let text = document(&json!({ "name": "x\"\n---\nother: true" }));
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
