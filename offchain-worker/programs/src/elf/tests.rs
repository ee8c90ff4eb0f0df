use super::*;
use proptest::prelude::*;

/// A part of an executable: kind, flags, address, place, bytes, and how much memory it takes.
#[derive(Clone)]
struct Part {
    kind: u32,
    flags: u32,
    address: u64,
    place: u64,
    bytes: Vec<u8>,
    memory: u64,
}

fn code(place: u64, bytes: &[u8]) -> Part {
    Part {
        kind: LOAD,
        flags: 5,
        address: place,
        place,
        bytes: bytes.to_vec(),
        memory: bytes.len() as u64,
    }
}

/// An executable as a linker writes it.
fn executable(parts: &[Part]) -> Vec<u8> {
    let mut elf = vec![0; 64];
    elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
    elf[16..18].copy_from_slice(&EXECUTABLE.to_le_bytes());
    elf[18..20].copy_from_slice(&RISC_V.to_le_bytes());
    elf[24..32].copy_from_slice(&IMAGE_BASE.to_le_bytes());
    elf[32..40].copy_from_slice(&64u64.to_le_bytes());
    // Compressed instructions.
    elf[48..52].copy_from_slice(&1u32.to_le_bytes());
    elf[54..56].copy_from_slice(&56u16.to_le_bytes());
    elf[56..58].copy_from_slice(&(parts.len() as u16).to_le_bytes());
    let mut from = 64 + 56 * parts.len() as u64;
    for part in parts {
        elf.extend(part.kind.to_le_bytes());
        elf.extend(part.flags.to_le_bytes());
        for number in [from, part.address, part.place, part.bytes.len() as u64, part.memory, 16] {
            elf.extend(number.to_le_bytes());
        }
        from += part.bytes.len() as u64;
    }
    elf.extend(parts.iter().flat_map(|part| part.bytes.clone()));
    elf
}

fn image(parts: &[Part]) -> Result<Vec<u8>, ImageError> {
    image_of(&executable(parts)).expect("it begins as one")
}

/// Variables with a value at the start: copied from the image to the memory by the program.
fn variables(place: u64, bytes: &[u8]) -> Part {
    Part {
        flags: 6,
        address: MEMORY_BASE,
        ..code(place, bytes)
    }
}

#[test]
fn code_constants_and_first_values_lie_where_the_program_looks_for_them() {
    let memory = Part {
        flags: 6,
        address: MEMORY_BASE + 64,
        memory: 1 << 20,
        ..code(MEMORY_BASE + 64, &[])
    };
    // In the order of a linker, and in another one.
    let mut parts = [
        code(IMAGE_BASE, &[1, 2, 3]),
        code(IMAGE_BASE + 16, &[4; 5]),
        variables(IMAGE_BASE + 32, &[7, 8]),
        memory,
    ];
    let mut expected = vec![0; 34];
    expected[..3].copy_from_slice(&[1, 2, 3]);
    expected[16..21].copy_from_slice(&[4; 5]);
    expected[32..].copy_from_slice(&[7, 8]);
    assert_eq!(image(&parts), Ok(expected.clone()));
    parts.reverse();
    assert_eq!(image(&parts), Ok(expected));
}

#[test]
fn what_is_no_executable_is_left_to_others() {
    assert_eq!(image_of(b"\x13\0\0\0"), None);
    assert_eq!(image_of(&[]), None);
    assert_eq!(image_of(MAGIC), Some(Err(ImageError::OtherProcessor)));
}

#[test]
fn every_fault_is_named() {
    let good = executable(&[code(IMAGE_BASE, &[1; 8])]);
    let with = |at: usize, bytes: &[u8]| {
        let mut elf = good.clone();
        elf[at..at + bytes.len()].copy_from_slice(bytes);
        image_of(&elf).expect("it begins as one")
    };
    assert_eq!(with(4, &[1]), Err(ImageError::OtherProcessor), "32 bits");
    assert_eq!(with(5, &[2]), Err(ImageError::OtherProcessor), "big endian");
    assert_eq!(with(18, &62u16.to_le_bytes()), Err(ImageError::OtherProcessor), "x86");
    assert_eq!(with(16, &[3]), Err(ImageError::NotLinked), "position independent");
    assert_eq!(with(16, &[1]), Err(ImageError::NotLinked), "an object");
    assert_eq!(with(48, &[5]), Err(ImageError::Floats), "doubles in registers");
    let other = IMAGE_BASE + 4;
    assert_eq!(with(24, &other.to_le_bytes()), Err(ImageError::Start(other)));
    assert_eq!(with(32, &[255; 8]), Err(ImageError::Truncated));
    assert_eq!(
        with(56, &[2, 0]),
        Err(ImageError::Truncated),
        "more parts than there are"
    );
    assert_eq!(with(56, &[0, 0]), Err(ImageError::Empty));

    for kind in FOR_A_LOADER {
        let part = Part {
            kind,
            ..code(IMAGE_BASE, &[1])
        };
        assert_eq!(image(&[part]), Err(ImageError::WantsLoader));
    }
    let outside = |place| assert_eq!(image(&[code(place, &[1; 8])]), Err(ImageError::Outside(place)));
    outside(IMAGE_BASE - 8);
    outside(IMAGE_BASE + MAX_IMAGE_BYTES - 7);
    outside(MEMORY_BASE);
    outside(u64::MAX);
    let last = image(&[code(IMAGE_BASE + MAX_IMAGE_BYTES - 8, &[1; 8])]);
    assert_eq!(last.map(|image| image.len() as u64), Ok(MAX_IMAGE_BYTES));
    let written = Part {
        flags: 6,
        ..code(IMAGE_BASE, &[1])
    };
    assert_eq!(image(&[written]), Err(ImageError::Writes(IMAGE_BASE)));
    let zeroes = Part {
        memory: 9,
        ..code(IMAGE_BASE, &[1; 8])
    };
    assert_eq!(image(&[zeroes]), Err(ImageError::Writes(IMAGE_BASE)));
    let twice = [code(IMAGE_BASE, &[1; 8]), code(IMAGE_BASE + 7, &[2])];
    assert_eq!(image(&twice), Err(ImageError::Overlap(IMAGE_BASE + 7)));
}

proptest! {
    #[test]
    fn a_damaged_executable_is_refused_or_gives_an_image_that_is_not_too_large(
        cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut elf = executable(&[code(IMAGE_BASE, &[1; 80]), variables(IMAGE_BASE + 96, &[7; 16])]);
        let at = at.index(elf.len());
        elf[at] = byte;
        elf.truncate(4 + cut.index(elf.len() - 3));
        if let Some(Ok(image)) = image_of(&elf) {
            prop_assert!(!image.is_empty() && image.len() as u64 <= MAX_IMAGE_BYTES);
        }
    }
}
