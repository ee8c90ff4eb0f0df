//! Shapes and packages of networks.

use super::*;
use agora_primitives::job::InferenceNetwork;
use proptest::prelude::*;

/// 8×8 digits, a window of 3×3, squares of 2×2.
const DIGITS: Shape = Shape {
    width: 8,
    height: 8,
    window_width: 3,
    window_height: 3,
    padding: 1,
    pool: 2,
    channels: 2,
    classes: 10,
};

fn package() -> Package {
    let weights = (0..DIGITS.weights()).map(|i| (i * 7 % 255) as i32 - 127);
    Package::new(DIGITS, 16, weights.map(|weight| weight as i8).collect()).unwrap()
}

#[test]
fn counts_follow_from_the_shape() {
    assert_eq!(DIGITS.inputs(), 10);
    assert_eq!(DIGITS.positions(), 16);
    assert_eq!(DIGITS.features(), 32);
    assert_eq!(DIGITS.weights(), 2 * 10 + 10 * 33);
    assert_eq!(DIGITS.work(), 2 * 10 * 64 + 330);
}

#[test]
fn shapes_outside_of_the_limits_are_refused() {
    for (what, shape) in [
        ("image width", Shape { width: 65, ..DIGITS }),
        ("image height", Shape { height: 0, ..DIGITS }),
        (
            "window width",
            Shape {
                window_width: 9,
                ..DIGITS
            },
        ),
        (
            "window height",
            Shape {
                window_height: 0,
                ..DIGITS
            },
        ),
        ("padding", Shape { padding: 2, ..DIGITS }),
        ("pool", Shape { pool: 0, ..DIGITS }),
        ("pool", Shape { pool: 9, ..DIGITS }),
        (
            "number of channels",
            Shape {
                channels: 4097,
                ..DIGITS
            },
        ),
        ("number of classes", Shape { classes: 257, ..DIGITS }),
        (
            "number of positions",
            Shape {
                width: 64,
                height: 64,
                ..DIGITS
            },
        ),
        (
            "number of features",
            Shape {
                channels: 1025,
                ..DIGITS
            },
        ),
    ] {
        let error = shape.validate().unwrap_err();
        assert!(
            matches!(error, NetworkError::Size { what: found, .. } if found == what),
            "{what}: {error}"
        );
    }
}

#[test]
fn a_package_is_its_bytes() {
    let package = package();
    let bytes = package.encode();
    assert_eq!(bytes.len(), 24 + DIGITS.weights());
    assert_eq!(Package::decode(&bytes), Ok(package));
}

#[test]
fn bytes_that_are_no_package_are_refused() {
    let bytes = package().encode();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Package::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(0, b'a'), NetworkError::NoPackage);
    assert_eq!(with(4, 2), NetworkError::NoPackage);
    assert_eq!(with(5, 0), NetworkError::Architecture(0));
    assert!(matches!(
        with(6, 10),
        NetworkError::Length { .. } | NetworkError::Size { .. }
    ));
    assert!(matches!(
        with(19, 0xff),
        NetworkError::Size {
            what: "number of channels",
            ..
        }
    ));
    assert!(matches!(
        with(22, 0),
        NetworkError::Size {
            what: "largest pixel",
            ..
        }
    ));
    assert!(matches!(with(23, 25), NetworkError::Size { what: "shift", .. }));
    assert_eq!(with(24 + 5, 0x80), NetworkError::Weight(5));
    assert_eq!(Package::decode(&bytes[..23]), Err(NetworkError::NoPackage));
    for wrong in [&bytes[..bytes.len() - 1], &[bytes.as_slice(), &[0]].concat()] {
        assert!(matches!(Package::decode(wrong), Err(NetworkError::Length { .. })));
    }
}

#[test]
fn images_that_do_not_fit_are_refused() {
    let bytes = package().encode();
    assert_eq!(classify(&bytes, &[16; 128], 2).unwrap().len(), 80);
    assert_eq!(classify(&bytes, &[], 0).unwrap().len(), 0);
    assert!(matches!(
        classify(&bytes, &[0; 128], 1),
        Err(NetworkError::Length { .. })
    ));
    assert!(matches!(
        classify(&bytes, &[0; 127], 2),
        Err(NetworkError::Length { .. })
    ));
    let mut pixels = [0; 128];
    pixels[70] = 17;
    let error = NetworkError::Pixel {
        at: 70,
        found: 17,
        most: 16,
    };
    assert_eq!(classify(&bytes, &pixels, 2), Err(error));
}

#[test]
fn the_label_is_the_first_of_the_largest_logits() {
    let logits: Vec<u8> = [[-3i32, -1, -1], [5, 5, 4], [i32::MIN; 3]]
        .iter()
        .flatten()
        .flat_map(|logit| logit.to_le_bytes())
        .collect();
    assert_eq!(labels(&logits, 3), [1, 0, 0]);
    assert_eq!(labels(&logits, 0), [0; 0]);
}

#[test]
fn the_largest_pixel_becomes_the_largest_input() {
    for maximum in 1..=255u8 {
        let table = InputTable::new(maximum);
        assert_eq!(table.0[0], 0);
        assert_eq!(table.0[usize::from(maximum)], 127);
        assert!(table.0[..usize::from(maximum)].is_sorted());
    }
}

/// Shapes of which many are valid.
fn shape() -> impl Strategy<Value = Shape> {
    (1u32..7, 1u32..7, 1u32..5, 1u32..5, 0u32..3, 0u32..4, 0u32..5, 0u32..5).prop_map(
        |(width, height, window_width, window_height, padding, pool, channels, classes)| Shape {
            width,
            height,
            window_width,
            window_height,
            padding,
            pool,
            channels,
            classes,
        },
    )
}

proptest! {
    #[test]
    fn shapes_are_those_of_jobs(shape in shape()) {
        let package = Package { shape, maximum: 16, shift: 8, weights: vec![] };
        let InferenceNetwork::Classification { shape: published, .. } = package.network() else {
            panic!("it classifies");
        };
        prop_assert_eq!(Shape::from(published), shape);
        prop_assert_eq!(published.validate().is_ok(), shape.validate().is_ok());
        if shape.validate().is_ok() {
            prop_assert_eq!(published.work(), shape.work());
            prop_assert_eq!(published.weights() as usize, shape.weights());
            prop_assert_eq!(published.pixels() as usize, shape.pixels());
            prop_assert_eq!(published.features() as usize, shape.features());
        }
    }

    #[test]
    fn hostile_bytes_give_an_error_or_a_package_of_the_same_bytes(
        shape in shape(), scales: [u8; 2], more in 0usize..2, flip: prop::sample::Index, byte: u8,
    ) {
        let count = shape.validate().map_or(10, |()| shape.weights()) + more;
        let package = Package { shape, maximum: scales[0], shift: scales[1] % 32, weights: vec![3; count] };
        let mut bytes = package.encode();
        match Package::decode(&bytes) {
            Ok(decoded) => prop_assert_eq!(decoded, package),
            Err(_) => prop_assert!(more > 0 || shape.validate().is_err() || scales[0] == 0 || !(1..=24).contains(&(scales[1] % 32))),
        }
        let at = flip.index(bytes.len());
        bytes[at] = byte;
        if let Ok(package) = Package::decode(&bytes) {
            prop_assert_eq!(package.encode(), bytes);
        }
    }
}
