use super::*;
use proptest::prelude::*;

proptest! {
    /// The words have few values, so that many are equal.
    #[test]
    fn slice_by_slice_the_same_images_are_selected_as_by_sorting(
        halves in prop::collection::vec((0u32..4, 0u32..3), 1..200), slice in 1usize..80,
        rank: prop::sample::Index, places in 1usize..50,
    ) {
        let words: Vec<u32> = halves.iter().map(|(upper, lower)| ((upper * 0x4321) << 16) | (lower * 0x7fff)).collect();
        let keys: Vec<u64> = (0..).zip(&words).map(|(image, &word)| (u64::from(word) << 32) | image).collect();
        let rank = rank.index(keys.len());
        let places = places.min(keys.len() - rank);

        let mut upper = Half(vec![0; HALVES as usize]);
        words.iter().for_each(|word| upper.add(word >> 16));
        let (high, below) = upper.find(rank as u64);
        let left = rank as u64 - below;
        let mut lower = Half(vec![0; HALVES as usize]);
        words.iter().filter(|&word| word >> 16 == high).for_each(|word| lower.add(word & 0xffff));
        let (low, below) = lower.find(left);
        let threshold = Threshold { word: (high << 16) | low, skipped: left - below };
        let (mut selected, mut seen) = (vec![[0xff; 8]; places], 0);
        for slice in keys.chunks(slice) {
            let found = threshold.smallest(slice.iter().copied(), &selected, &mut seen);
            selected = found.into_iter().map(u64::to_le_bytes).collect();
        }

        let mut sorted = keys;
        sorted.sort();
        let selected: Vec<u64> = selected.into_iter().map(u64::from_le_bytes).collect();
        prop_assert_eq!(&selected, &sorted[rank..][..places]);
    }
}

#[test]
fn a_slice_begins_at_a_block() {
    assert_eq!(SLICE % 4, 0);
    let generator = Generator::new(&[1; 32], LABEL);
    let all: Vec<u64> = keys(&generator, 3, 0..23).collect();
    let parts: Vec<u64> = keys(&generator, 3, 0..12).chain(keys(&generator, 3, 12..23)).collect();
    assert_eq!(all, parts);
    assert_eq!(all[13], (u64::from(generator.words((3 << 32) + 3)[1]) << 32) | 13);
}

#[test]
fn a_rank_beyond_all_counts_is_the_first() {
    assert_eq!(Half(vec![0, 2, 1]).find(2), (2, 2));
    assert_eq!(Half(vec![0, 2, 1]).find(3), (0, 0));
}
