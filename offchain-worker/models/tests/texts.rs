//! Files of texts: what is read of each encoding and each line end, and what is refused.

#[path = "../../../fuzz/src/lines.rs"]
mod lines;

use agora_models::{TextError, decode_text, text_lines};
use lines::{ENCODINGS, Encoding, check_text};
use proptest::prelude::*;

/// Letters of any script, and those that something could take for a mark, an end or another encoding.
fn letter() -> impl Strategy<Value = char> {
    let odd = [
        '\0', ' ', 'a', '\t', '\u{b}', '\u{c}', '\u{85}', 'é', '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffd}', '漢',
        '😀',
    ];
    prop_oneof![prop::sample::select(odd.to_vec()), any::<char>()]
        .prop_filter("it ends no line", |letter| !matches!(letter, '\n' | '\r'))
}

fn line() -> impl Strategy<Value = String> {
    prop::collection::vec(letter(), 0..6).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(agora_test_support::cases(4000))]

    #[test]
    fn lines_are_read_from_each_encoding_with_each_line_end(
        lines in prop::collection::vec(line(), 0..6),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        is_ended: bool,
    ) {
        let mut text = lines.join(end);
        let mut expected = lines;
        if is_ended && !expected.is_empty() {
            text += end;
        } else if expected.last().is_some_and(String::is_empty) {
            // Nothing follows the last line end.
            expected.pop();
        }
        for encoding in ENCODINGS {
            let decoded = decode_text(&encoding.encode(&text));
            if encoding.can_say(&text) {
                prop_assert_eq!(text_lines(&decoded.unwrap()), &expected[..], "{:?}", encoding);
            }
        }
        if Encoding::Utf8.can_say(&text) && !text.starts_with('\u{feff}') {
            prop_assert_eq!(text_lines(&decode_text(text.as_bytes()).unwrap()), &expected[..]);
        }
    }

    #[test]
    fn changed_texts_are_refused_or_read_as_others_read_them(
        text in prop::collection::vec(prop_oneof![letter(), prop::sample::select(vec!['\n', '\r'])], 0..12),
        encoding in prop::sample::select(ENCODINGS.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in any::<prop::sample::Index>(),
        is_cut in prop::bool::weighted(0.3),
    ) {
        let mut bytes = encoding.encode(&String::from_iter(text));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check_text(&bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_read_as_others_read_them(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        check_text(&bytes);
    }
}

#[test]
fn an_encoding_without_its_mark_is_told_by_its_nulls() {
    let text = "Grüße, 漢字 and 😀\nтекст\n";
    for (encoding, name) in [
        (Encoding::Utf16Le, "UTF-16LE"),
        (Encoding::Utf16Be, "UTF-16BE"),
        (Encoding::Utf32Le, "UTF-32LE"),
        (Encoding::Utf32Be, "UTF-32BE"),
    ] {
        let marked = encoding.encode(text);
        assert_eq!(decode_text(&marked).as_deref(), Ok(text));
        let mark = encoding.encode("").len();
        assert_eq!(decode_text(&marked[mark..]), Err(TextError::Unmarked(name)));
    }
    assert_eq!(decode_text(&[0; 9]), Err(TextError::Binary));
    assert_eq!(decode_text(b"\x80\0\0\x80\0\0\x80"), Err(TextError::Binary));
    // A quarter of NULs may be a text.
    assert_eq!(decode_text(b"a\0bc").as_deref(), Ok("a\0bc"));
}

#[test]
fn errors_name_the_line() {
    for (bytes, error) in [
        (
            &b"one\r\ntwo\nCaf\xe9\n"[..],
            TextError::NotUtf8 { line: 3, byte: 0xe9 },
        ),
        (b"\xff", TextError::NotUtf8 { line: 1, byte: 0xff }),
        (b"\xff\xfea\0\r\0\x3d\xd8b\0", TextError::NotUtf16 { line: 2 }),
        (b"\xfe\xff\0a\0\n\0\n\xdc\0", TextError::NotUtf16 { line: 3 }),
        (b"\xff\xfea\0b", TextError::CutOff { line: 1 }),
        (
            b"\xff\xfe\0\0a\0\0\0\n\0\0\0\0\xd8\0\0",
            TextError::NotUtf32 { line: 2 },
        ),
        (b"\0\0\xfe\xff\0\0\0a\0\x11\0\0", TextError::NotUtf32 { line: 1 }),
        (b"\0\0\xfe\xff\0\0\0\n\0\0", TextError::CutOff { line: 2 }),
    ] {
        assert_eq!(decode_text(bytes), Err(error), "{bytes:?}");
        assert_eq!(check_text(bytes), None);
    }
}
