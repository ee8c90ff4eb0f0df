//! Results as lines of JSON.

/// One line for each of `items`.
pub fn json_lines<Item: Into<serde_json::Value>>(items: impl IntoIterator<Item = Item>) -> Vec<u8> {
    let lines = items.into_iter().map(|item| format!("{}\n", item.into()));
    lines.collect::<String>().into_bytes()
}

/// The numbers of 32 bits that `bytes` hold, little-endian.
pub fn words(bytes: &[u8]) -> Vec<i32> {
    let words = bytes.as_chunks().0;
    words.iter().map(|&word| i32::from_le_bytes(word)).collect()
}
