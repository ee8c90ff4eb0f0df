//! Random points, drawn here by a generator of our own.

use super::{Job, Mode, assert_unusable};

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/pi.bin");

/// Philox4x32-10, one round after the other, as its paper has it.
fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let rounds = (0..10u32).map(|round| {
        let bumped = |word: u32, by: u32| word.wrapping_add(by.wrapping_mul(round));
        [bumped(key[0], 0x9E37_79B9), bumped(key[1], 0xBB67_AE85)]
    });
    rounds.fold(counter, |[l0, r0, l1, r1], [k0, k1]| {
        let product = |multiplier: u32, word: u32| u64::from(multiplier) * u64::from(word);
        let high = |product: u64| (product >> 32) as u32;
        let (p0, p1) = (product(0xD251_1F53, l0), product(0xCD9E_8D57, l1));
        [high(p1) ^ r0 ^ k0, p1 as u32, high(p0) ^ r1 ^ k1, p0 as u32]
    })
}

#[test]
fn the_generator_gives_the_published_answers() {
    let zero = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8];
    assert_eq!(philox4x32_10([0; 4], [0; 2]), zero);
    let ones = [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd];
    assert_eq!(philox4x32_10([u32::MAX; 4], [u32::MAX; 2]), ones);
}

fn job<'a>(inputs: &'a [&'a [u8]], items: u32) -> Job<'a> {
    Job {
        image: IMAGE,
        inputs,
        mode: Mode::Map,
        items,
        record_bytes: 1024,
    }
}

#[test]
fn each_item_counts_points_of_its_own_and_together_they_are_near_to_pi() {
    const POINTS: u32 = 20_000;
    const SEED: u64 = 0x0123_4567_89AB_CDEF;
    let input = format!("{SEED} {POINTS}\n");
    let texts = job(&[input.as_bytes()], 8).texts();
    let mut hits = 0;
    for (item, text) in (0u32..).zip(&texts) {
        let key = [SEED as u32, (SEED >> 32) as u32];
        let words: Vec<u128> = (0..POINTS / 2)
            .flat_map(|block| philox4x32_10([block, 0, item, 0], key))
            .map(u128::from)
            .collect();
        let inside = words
            .chunks(2)
            .filter(|point| point[0] * point[0] + point[1] * point[1] < 1 << 64);
        let inside = inside.count();
        assert_eq!(*text, format!("{inside} {POINTS}\n"), "item {item}");
        hits += inside;
    }
    let estimate = 4.0 * hits as f64 / f64::from(POINTS * 8);
    // Four standard deviations.
    assert!((estimate - std::f64::consts::PI).abs() < 0.0165, "{estimate}");
}

#[test]
fn what_is_no_seed_and_number_is_refused() {
    for input in ["", "1", "1 2 3", "-1 5", "one 5", "1 18446744073709551616"] {
        assert_unusable(&job(&[format!("{input}\n").as_bytes()], 1));
    }
    assert_unusable(&job(&[], 1));
}
