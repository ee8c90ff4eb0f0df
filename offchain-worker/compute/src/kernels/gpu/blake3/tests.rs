use super::*;
use crate::device::{
    Caps,
    testing::{Sabotage, first_device},
};
use proptest::prelude::*;
use std::sync::OnceLock;

/// One device for all cases; few workgroups, so that invocations hash several chunks.
fn context() -> &'static Context {
    static CONTEXT: OnceLock<Context> = OnceLock::new();
    CONTEXT.get_or_init(|| {
        let caps = Caps {
            max_workgroups: Some(2),
            ..Default::default()
        };
        Context::open(&first_device(), caps).unwrap()
    })
}

/// Hashes `lines` of `content` on the device.
fn hash(content: &[u8], lines: Lines) -> Result<Hash, DeviceError> {
    let mut padded = content.to_vec();
    padded.resize(content.len().next_multiple_of(4), 0xee);
    super::hash(context(), &padded, lines)
}

fn content(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes)
        .map(|i| (i as u8).wrapping_mul(31) ^ (i >> 8) as u8 ^ seed)
        .collect()
}

proptest! {
    #![proptest_config(agora_test_support::cases(48))]

    #[test]
    fn the_device_hashes_what_the_host_hashes(bytes in 1usize..300_000, seed: u8) {
        let content = content(bytes, seed);
        prop_assert_eq!(hash(&content, Lines::dense(bytes as u32)).unwrap(), output_digest(&content));
    }

    #[test]
    fn gaps_between_lines_are_left_out(count in 1u32..70, words in 1u32..100, gap in 0u32..20, seed: u8) {
        let lines = Lines { count, bytes: 4 * words, stride: 4 * (words + gap) };
        let content = content((count * lines.stride) as usize, seed);
        let parts = content.chunks(lines.stride as usize).map(|line| &line[..lines.bytes as usize]);
        prop_assert_eq!(hash(&content, lines).unwrap(), output_digest(&parts.collect::<Vec<_>>().concat()));
    }
}

#[test]
fn lengths_around_every_boundary_agree() {
    for chunks in [0, 1, 2, 3, 4, 5, 7, 8, 9, 127, 128, 129, 200] {
        for extra in [0, 1, 3, 63, 64, 65, 1023] {
            let content = content(chunks * 1024 + extra, 7);
            if !content.is_empty() {
                let found = hash(&content, Lines::dense(content.len() as u32)).unwrap();
                assert_eq!(found, output_digest(&content), "{chunks} chunks and {extra} bytes");
            }
        }
    }
}

#[test]
fn lines_that_cannot_be_read_are_refused() {
    let content = content(64, 0);
    for (count, bytes, stride) in [
        (2, 3, 4),
        (2, 4, 6),
        (3, 32, 32),
        (1, 65, 65),
        (1, 0, 0),
        (u32::MAX, 4, 4),
    ] {
        let lines = Lines { count, bytes, stride };
        assert!(
            matches!(hash(&content, lines), Err(DeviceError::Refused { .. })),
            "{lines:?}"
        );
    }
}

#[test]
fn a_device_that_hashes_something_else_is_found() {
    assert!(is_right(context()).unwrap());
    let wrong = Sabotage(|key, shader| match key {
        "blake3 Parents" => shader.replace("PARENT | select", "select"),
        _ => shader,
    });
    let caps = Caps {
        sabotage: Some(wrong),
        ..Default::default()
    };
    assert!(!is_right(&Context::open(&first_device(), caps).unwrap()).unwrap());
}
