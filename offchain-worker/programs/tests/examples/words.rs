//! What a new program begins as.

use super::{Job, Mode, assert_unusable};

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/words.bin");

#[test]
fn all_items_together_count_each_word_once() {
    // Lines of up to 90 bytes, some of which begin where a part or a chunk does; no line has an end at the end.
    let line = |number: usize| "word ".repeat(number % 19) + &"x".repeat(number % 7);
    let text = (0..900).map(line).collect::<Vec<_>>().join("\n");
    assert!(text.len() > 20_000 && !text.ends_with('\n'));
    let expected = text.split_whitespace().count();
    for items in [1, 2, 7, 64] {
        let job = Job {
            image: IMAGE,
            inputs: &[text.as_bytes()],
            mode: Mode::Map,
            items,
            record_bytes: 1024,
        };
        let counts = job.texts();
        let count = |text: &String| -> usize {
            let number = text.strip_suffix(" words\n").expect("it says words");
            number.parse().expect("it is a number")
        };
        assert_eq!(counts.iter().map(count).sum::<usize>(), expected, "{items}");
        assert!(counts.len() == 1 || counts.iter().all(|text| count(text) < expected));
    }
}

#[test]
fn without_a_text_there_is_nothing_to_count() {
    assert_unusable(&Job {
        image: IMAGE,
        inputs: &[],
        mode: Mode::Map,
        items: 3,
        record_bytes: 1024,
    });
}
