use super::super::tests::Files;
use super::*;

fn read_bytes(content: &[u8]) -> Result<Texts, String> {
    let files = Files::new();
    let path = files.write("texts.txt", content);
    Texts::read(Path::new(&path)).map_err(|error| {
        let told = error.to_string();
        assert!(told.starts_with(&path), "{told} does not name the file");
        told
    })
}

fn lines_of(content: &[u8]) -> Vec<String> {
    read_bytes(content).expect("it can be read").lines
}

#[test]
fn every_line_has_its_answer_and_blank_ones_are_told() {
    let texts = read_bytes(b"alpha\n\nbeta\n   \ngamma\n\n\ndelta\n").expect("it can be read");
    assert_eq!(texts.lines(), ["alpha", "", "beta", "   ", "gamma", "", "", "delta"]);
    let [warning] = texts.warnings(&[]).try_into().expect("one");
    assert!(warning.starts_with("4 lines (2, 4, 6, 7) are blank"), "{warning}");
    let [_, cut] = texts.warnings(&[4]).try_into().expect("two");
    assert!(cut.starts_with("line 5 is longer"), "{cut}");
}

#[test]
fn many_lines_are_not_all_named() {
    let texts = read_bytes(&[&b"a\n"[..], &b"\n".repeat(30), b"b"].concat()).expect("it can be read");
    assert_eq!(texts.lines().len(), 32);
    let [warning] = texts.warnings(&[]).try_into().expect("one");
    assert!(
        warning.starts_with("30 lines (2, 3, 4, 5, 6, 7, 8, 9 and 22 more) are blank"),
        "{warning}"
    );
}

#[test]
fn files_without_a_text_are_refused() {
    assert!(
        read_bytes(b"")
            .expect_err("empty")
            .ends_with("it is empty; write one text a line")
    );
    let blank = read_bytes(b"\n  \n\t\n").expect_err("blank");
    assert!(blank.contains("all of its 3 lines are blank"), "{blank}");
    let bom = read_bytes(b"\xef\xbb\xbf").expect_err("a mark alone");
    assert!(bom.contains("empty"), "{bom}");
    let one = read_bytes(b"\xef\xbb\xbf\n").expect_err("a line without a letter");
    assert!(one.contains("its only line is blank"), "{one}");
}

#[test]
fn all_line_ends_end_lines_and_nothing_else_does() {
    assert_eq!(lines_of(b"alpha\rbeta\rgamma\r"), ["alpha", "beta", "gamma"]);
    assert_eq!(lines_of(b"a\r\nb\rc\nd"), ["a", "b", "c", "d"]);
    assert_eq!(lines_of(b"a\r\n\r\nb\n\rc"), ["a", "", "b", "", "c"]);
    let others = "a\u{2028}b\u{85}c\u{b}d\u{c}e";
    assert_eq!(lines_of(others.as_bytes()), [others]);
}

#[test]
fn marks_at_the_beginning_say_the_encoding() {
    let text = "é\n😀 b\r\n";
    let expected = ["é", "😀 b"];
    let units: Vec<u16> = text.encode_utf16().collect();
    let le: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let be: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let wide =
        |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> { text.chars().flat_map(|letter| bytes(letter.into())).collect() };
    assert_eq!(lines_of(text.as_bytes()), expected);
    assert_eq!(lines_of(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), expected);
    assert_eq!(lines_of(&[b"\xff\xfe", &le[..]].concat()), expected);
    assert_eq!(lines_of(&[b"\xfe\xff", &be[..]].concat()), expected);
    assert_eq!(
        lines_of(&[b"\xff\xfe\0\0", &wide(u32::to_le_bytes)[..]].concat()),
        expected
    );
    assert_eq!(
        lines_of(&[b"\0\0\xfe\xff", &wide(u32::to_be_bytes)[..]].concat()),
        expected
    );
}

#[test]
fn other_encodings_are_refused_with_the_line() {
    let latin = read_bytes(b"one\r\ntwo\nCaf\xe9\n").expect_err("Latin-1");
    assert!(
        latin.contains("line 3 is not UTF-8: byte 0xe9") && latin.contains("iconv"),
        "{latin}"
    );
    let unmarked: Vec<u8> = "one\ntwo\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let unmarked = read_bytes(&unmarked).expect_err("UTF-16");
    assert!(
        unmarked.contains("UTF-16LE without a byte order mark") && unmarked.contains("iconv -f UTF-16LE"),
        "{unmarked}"
    );
    // A NUL in a text is no sign of that.
    assert_eq!(lines_of(b"bell \x07 and null \0 here"), ["bell \u{7} and null \0 here"]);
    let half = read_bytes(b"\xff\xfea\0\n\0\x3d\xd8b\0").expect_err("half of a pair");
    assert!(half.contains("line 2 is not UTF-16"), "{half}");
    let odd = read_bytes(b"\xff\xfea\0b").expect_err("cut off");
    assert!(odd.contains("line 1 ends within a letter"), "{odd}");
}

#[test]
fn a_pointer_of_git_lfs_is_no_text() {
    let refused =
        read_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n").expect_err("a pointer");
    assert!(refused.contains("git lfs pull"), "{refused}");
}

#[test]
fn files_that_are_more_than_texts_are_told_of() {
    let files = Files::new();
    let told = |name: &str, content: &str| {
        let path = files.write(name, content);
        Texts::read(Path::new(&path)).expect("it can be read").warnings(&[])
    };
    for (name, content, what) in [
        ("t.csv", "id,text\n1,\"a, b\"\n", "a table (CSV)"),
        ("t.TSV", "id\ttext\n", "a table (CSV)"),
        ("t.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n", "JSON"),
        ("t.txt", " [\n  \"a\",\n  \"b\"\n]\n", "JSON"),
        ("t.txt", "\n<!DOCTYPE html>\n<p>a</p>\n", "a web page"),
    ] {
        let warnings = told(name, content);
        assert!(
            warnings[0].starts_with(&format!("the file seems to be {what}")),
            "{warnings:?}"
        );
    }
    for content in ["[1] says more\n", "{a}\n", "a,b\n", "\"a\"\n", "7\n"] {
        assert_eq!(told("t.txt", content), [""; 0]);
    }
    let [lost] = told("t.txt", "Caf\u{e9}\nCaf\u{fffd}\n")
        .try_into()
        .expect("one warning");
    assert!(lost.starts_with("line 2 is damaged: the sign U+FFFD"), "{lost}");
}

#[test]
fn documents_are_no_texts() {
    for (content, what) in [
        (&b"%PDF-1.7\n"[..], "a PDF document"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
        (b"{\\rtf1\\ansi a}", "Rich Text Format"),
        (b"\x1f\x8b\x08\0\0", "gzip"),
    ] {
        let refused = read_bytes(content).expect_err(what);
        assert!(refused.contains(what), "{refused}");
    }
}
