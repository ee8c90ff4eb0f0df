//! Changes to texts, word by word: changing a text byte by byte seldom gives another valid text.

/// Replacements for words: numbers at and beyond their limits, and the words of the formats of meshes and scenes.
pub const SCENE_WORDS: [&str; 64] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "4",
    "7",
    "0.5",
    "-0.0",
    "1e-400",
    "1e400",
    "1e308",
    "-1e308",
    "1e-40",
    "nan",
    "inf",
    "-inf",
    "255",
    "256",
    "65535",
    "65536",
    "1048576",
    "1048577",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "9223372036854775807",
    "99999999999999999999",
    "513",
    "null",
    "true",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "[]",
    "{}",
    "[0]",
    "[1]",
    "[0,0]",
    "\n",
    "/",
    "//",
    "f",
    "v",
    "vn",
    "5120",
    "5121",
    "5123",
    "5125",
    "5126",
    "\"SCALAR\"",
    "\"VEC3\"",
    "\"byteStride\":4,",
    "\"byteOffset\":8,",
    "\"children\":[0],",
    "data:;base64,AAAA",
    "#ffffff",
];

/// Replacements for words: those of any JSON, and those of the files of sentence models.
pub const MODEL_WORDS: [&str; 96] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "8",
    "-1",
    "0.5",
    "1e-400",
    "1e308",
    "-1e308",
    "255",
    "512",
    "65536",
    "65537",
    "2147483648",
    "4294967295",
    "18446744073709551615",
    "null",
    "true",
    "false",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "[]",
    "{}",
    "\"\"",
    "\u{feff}",
    "[null]",
    "[0]",
    "..",
    "/",
    "relu",
    "gelu_new",
    "one",
    "[UNK]",
    "[SEP]",
    "F16",
    "BF16",
    "F64",
    "I8",
    "cls",
    "max",
    "lasttoken",
    "weightedmean",
    "mean_sqrt_len_tokens",
    "dot",
    "\"prompts\":{\"one\":\"two \"},",
    "\"default_prompt_name\":\"one\",",
    "\"max_seq_length\":1,",
    "\"max_seq_length\":2,",
    "\"truncation_side\":\"left\",",
    "\"model_max_length\":3,",
    "2_Dense",
    "1_Pooling",
    "",
    "sentence_transformers.models.Dropout",
    "sentence_transformers.models.Normalize",
    "torch.nn.modules.linear.Identity",
    "\"bias\":false,",
    "model.safetensors",
    "tokenizer.json",
    "\"__metadata__\":{\"format\":\"pt\"},",
    "bert.embeddings",
    "LayerNorm.gamma",
    "pooler.dense.bias",
    "Lowercase",
    "NFKC",
    "Nmt",
    "ByteLevel",
    "Precompiled",
    "AAAA",
    "BPE",
    "WordPiece",
    "Unigram",
    "WordLevel",
    "\"dropout\":0.5,",
    "\"byte_fallback\":true,",
    "\"ignore_merges\":true,",
    "\"B\"",
    "\"stride\":9,",
    "\"max_length\":0,",
    "{\"String\":\"\"}",
    "{\"Regex\":\"(a+)+$\"}",
    "{\"Regex\":\"\"}",
    "MergedWithPrevious",
    "Whitespace",
    "UnicodeScripts",
    "{\"type\":\"FixedLength\",\"length\":0}",
    "CharDelimiterSplit",
    "\"continuing_subword_prefix\":\"##\",",
];

/// Where the words of `text` begin and end. A word is a run of letters, digits and the signs of numbers, or one other
/// byte.
fn words(text: &[u8]) -> Vec<(usize, usize)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-#".contains(&byte);
    let mut words: Vec<(usize, usize)> = Vec::new();
    for (at, &byte) in text.iter().enumerate() {
        match words.last_mut() {
            Some((_, end)) if is_word(byte) && *end == at && is_word(text[at - 1]) => *end += 1,
            _ => words.push((at, at + 1)),
        }
    }
    words
}

/// The most edits of a script, and the longest text that is edited further: more would cost time and find little.
const MAX_EDITS: usize = 32;
const MAX_TEXT: usize = 1 << 14;

/// Changes `text` as `script` says, a sequence of edits of four bytes each: what to do, to which word (little endian), how.
/// `replacements` are the words that are put there. An incomplete last edit and edits beyond the limit are ignored; numbers of
/// words wrap around.
pub fn apply(text: &[u8], script: &[u8], replacements: &[&str]) -> Vec<u8> {
    let mut text = text.to_vec();
    for [what, place @ .., how] in script.as_chunks::<4>().0.iter().take(MAX_EDITS) {
        if text.len() > MAX_TEXT {
            break;
        }
        let words = words(&text);
        let count = usize::from(*how);
        let first = usize::from(u16::from_le_bytes(*place)) % (words.len() + 1);
        let Some(&(start, end)) = words.get(first) else {
            text.extend(replacements[count % replacements.len()].bytes());
            continue;
        };
        let until = |words_more: usize| words[(first + words_more).min(words.len() - 1)].1;
        match what % 8 {
            0..=2 => drop(text.splice(start..end, replacements[count % replacements.len()].bytes())),
            3 => drop(text.splice(start..start, replacements[count % replacements.len()].bytes())),
            4 => drop(text.drain(start..until(count % 16))),
            5 => {
                let again = text[start..until(count % 64)].to_vec();
                text.splice(start..start, again);
            }
            6 => {
                // A number that is in the text already, which may be a reference.
                let (from, to) = words[(first + count) % words.len()];
                let other = text[from..to].to_vec();
                text.splice(start..end, other);
            }
            _ => text[start] = *how,
        }
    }
    text
}
