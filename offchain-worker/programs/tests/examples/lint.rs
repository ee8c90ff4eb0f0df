//! What is untidy in texts.

use super::{Ending, Job, Mode};

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/lint.bin");

/// The findings of each text: line, column, what.
fn lint(texts: &[&str]) -> Vec<Vec<(u64, u64, String)>> {
    let inputs: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    let job = Job {
        image: IMAGE,
        inputs: &inputs,
        mode: Mode::Map,
        items: texts.len() as u32,
        record_bytes: 16384,
    };
    let read = |line: &str| -> (u64, u64, String) {
        (
            super::field(line, "line"),
            super::field(line, "column"),
            super::field(line, "finding"),
        )
    };
    job.texts()
        .iter()
        .map(|text| text.lines().map(read).collect())
        .collect()
}

#[test]
fn each_fault_is_found_where_it_is_and_nothing_else() {
    let long = format!("{}\n", "é".repeat(121));
    let texts = [
        "fn main() {\n    println!(\"({[\\\"\"); // (\n}\n",
        "a\tb\nc \nd",
        "(]\n{\n)\n",
        &long,
        &long[2..],
    ];
    let found = lint(&texts);
    let shown = |at: usize| -> Vec<(u64, u64, &str)> {
        found[at]
            .iter()
            .map(|(line, column, what)| (*line, *column, what.as_str()))
            .collect()
    };
    assert_eq!(shown(0), []);
    assert_eq!(
        shown(1),
        [
            (1, 2, "tab"),
            (2, 2, "trailing blank"),
            (3, 1, "no end of the last line")
        ]
    );
    assert_eq!(
        shown(2),
        [(1, 2, "closes another bracket"), (3, 1, "closes another bracket")]
    );
    assert_eq!(shown(3), [(1, 121, "long line")]);
    assert_eq!(shown(4), []);
    let more = lint(&["}\n[\n(\n"]);
    let found: Vec<_> = more[0].iter().map(|(line, _, what)| (*line, what.as_str())).collect();
    assert_eq!(found, [(1, "closes nothing"), (2, "never closed"), (3, "never closed")]);
}

#[test]
fn many_findings_are_counted_and_an_item_without_a_file_says_so() {
    let text = "\t\n".repeat(60);
    let job = Job {
        image: IMAGE,
        inputs: &[text.as_bytes()],
        mode: Mode::Map,
        items: 2,
        record_bytes: 16384,
    };
    let records = job.run();
    let text = String::from_utf8(records[0].1.clone()).expect("it is text");
    // A tab at the end is a trailing blank, too.
    assert_eq!(text.lines().count(), 101);
    assert_eq!(super::field::<u64>(text.lines().last().expect("a line"), "more"), 20);
    assert_eq!(records[1], (Ending::Unusable, Vec::new()));
}
