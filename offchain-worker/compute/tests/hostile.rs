//! Models, networks, data sets and checkpoints as anybody may make them: valid ones with changes, and bytes without any
//! sense. (Scenes have such tests beside their others.) A failure prints the smallest input that was found.

#[path = "../../../fuzz/src/networks.rs"]
mod networks;
#[path = "../../../fuzz/src/running.rs"]
mod running;
#[path = "../../../fuzz/src/transformers.rs"]
mod transformers;

use agora_compute::{
    classifier::{Package, Shape},
    training::Dataset,
    transformer::{self, sample},
};
use networks::{check_checkpoint, check_data, check_network};
use proptest::{prelude::*, sample::Index};
use transformers::check_model;

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, u8),
    /// Numbers at their limits are where arithmetic breaks.
    Number(Index, i32),
    Cut(Index),
    Extend(Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Replace(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Number(at, number) if bytes.len() >= 4 => {
                let at = at.index(bytes.len() - 3);
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Extend(more) => bytes.extend(more),
            Self::Replace(..) | Self::Number(..) => {}
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let limits = vec![
        0,
        1,
        -1,
        i32::MAX,
        i32::MIN,
        1 << 19,
        127 << 16,
        (127 << 16) + 1,
        1 << 25,
        -(1 << 25),
    ];
    prop_oneof![
        8 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        4 => (any::<Index>(), prop::sample::select(limits)).prop_map(|(at, number)| Change::Number(at, number)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..9).prop_map(Change::Extend),
    ]
}

/// `valid` with some changes, at times none.
fn changed(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(change(), 0..5).prop_map(move |changes| {
        let mut bytes = valid.clone();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    })
}

/// A small network for images of six by five pixels.
fn network() -> Vec<u8> {
    let shape = Shape {
        width: 6,
        height: 5,
        window_width: 3,
        window_height: 3,
        padding: 1,
        pool: 2,
        channels: 2,
        classes: 3,
    };
    let weights = (0..shape.weights()).map(|i| (i * 37 % 251) as i16 - 125);
    let weights = weights.map(|weight| weight as i8).collect();
    Package::new(shape, 9, weights).unwrap().encode()
}

fn data_set() -> Vec<u8> {
    let data = Dataset {
        maximum: 16,
        width: 4,
        height: 3,
        classes: 5,
        pixels: (0..72).map(|i| i % 17).collect(),
        labels: vec![0, 1, 2, 3, 4, 0],
    };
    data.encode().unwrap()
}

/// A state of the network to which `check_checkpoint` gives so many hidden units.
fn checkpoint(hidden: u8) -> Vec<u8> {
    let weights = 5 * (u32::from(hidden) + 1) + 2 * (u32::from(hidden) + 2);
    let numbers = (0..2 * weights).flat_map(|i| (i.wrapping_mul(12345) % 9999).to_le_bytes());
    3u32.to_le_bytes().into_iter().chain(numbers).collect()
}

fn transformer() -> Vec<u8> {
    let shape = transformer::Shape {
        vocabulary: 3,
        positions: 2,
        hidden: 4,
        layers: 1,
        heads: 2,
        key_value_heads: 1,
        head_size: 4,
        intermediate: 8,
        dense: 4,
    };
    sample::package(&[1; 32], shape).encode().unwrap()
}

proptest! {
    #![proptest_config(agora_test_support::cases(20_000))]

    #[test]
    fn changed_networks_are_refused_or_applied(bytes in changed(network()), pixel: u8) {
        check_network(&bytes, pixel);
    }

    #[test]
    fn changed_data_sets_are_refused_or_learnt_from(bytes in changed(data_set())) {
        check_data(&bytes);
    }

    #[test]
    fn changed_checkpoints_are_refused_or_gone_on_from(
        (hidden, bytes) in (0u8..8).prop_flat_map(|hidden| (Just(hidden), changed(checkpoint(hidden)))), momentum_shift: u8,
    ) {
        check_checkpoint(&bytes, hidden, momentum_shift);
    }

    #[test]
    fn changed_transformers_are_refused_or_applied(bytes in changed(transformer())) {
        check_model(&bytes);
    }

    #[test]
    fn bytes_of_no_sense_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(check_checkpoint(&bytes, 7, 0).is_none());
        for header in [&b""[..], b"AGMP\x01\x00", b"AGMP\x01\x01", b"AGDS\x01"] {
            let bytes = [header, &bytes].concat();
            prop_assert!(check_model(&bytes).is_none());
            check_network(&bytes, 0);
            check_data(&bytes);
        }
    }
}

#[test]
fn what_is_changed_is_valid_before() {
    assert!(check_network(&network(), 9).is_some());
    assert!(check_data(&data_set()).is_some());
    assert!((0..8).all(|hidden| check_checkpoint(&checkpoint(hidden), hidden, 3).is_some()));
    assert!(check_model(&transformer()).is_some());
}
