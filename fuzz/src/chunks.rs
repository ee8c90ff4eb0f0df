//! What must hold of chunks that are shown of a blob.
//!
//! There are two oracles: what the blob's content is, and BLAKE3, which is written down here a second time.

use agora_primitives::job::{BlobRef, ChunkProof};
use codec::Decode;

/// Bytes of a chunk; the last one may be shorter.
const CHUNK: usize = 1024;

/// A blob, and a chunk that is shown of it.
pub type Shown = (BlobRef, ChunkProof);

/// BLAKE3 from its paper, section 2, with the tree split from the top.
mod definition {
    use super::*;

    type Words = [u32; 8];

    const IV: Words = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    const ROUNDS: usize = 7;
    const BLOCK: usize = 64;
    const CHUNK_START: u32 = 1;
    const CHUNK_END: u32 = 2;
    const PARENT: u32 = 4;
    const ROOT: u32 = 8;

    /// The quarter round.
    fn mix(state: &mut [u32; 16], [a, b, c, d]: [usize; 4], [x, y]: [u32; 2]) {
        for (word, [first, second]) in [(x, [16, 12]), (y, [8, 7])] {
            state[a] = state[a].wrapping_add(state[b]).wrapping_add(word);
            state[d] = (state[d] ^ state[a]).rotate_right(first);
            state[c] = state[c].wrapping_add(state[d]);
            state[b] = (state[b] ^ state[c]).rotate_right(second);
        }
    }

    /// Columns, then diagonals.
    const LANES: [[usize; 4]; 8] = [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ];

    fn compress(chaining: Words, block: &[u8], counter: u64, flags: u32) -> Words {
        let mut bytes = [0; BLOCK];
        bytes[..block.len()].copy_from_slice(block);
        let mut message: [u32; 16] =
            core::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..][..4].try_into().expect("four bytes")));
        let mut state = [0; 16];
        state[..8].copy_from_slice(&chaining);
        state[8..12].copy_from_slice(&IV[..4]);
        state[12..].copy_from_slice(&[counter as u32, (counter >> 32) as u32, block.len() as u32, flags]);
        for _ in 0..ROUNDS {
            for (lane, words) in LANES.iter().zip(message.chunks(2)) {
                mix(&mut state, *lane, [words[0], words[1]]);
            }
            message = PERMUTATION.map(|from| message[from]);
        }
        core::array::from_fn(|i| state[i] ^ state[i + 8])
    }

    fn bytes(words: Words) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (to, word) in bytes.chunks_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The value of a chunk; `top` is [`ROOT`] if it is the whole blob, else 0.
    fn leaf(chunk: &[u8], number: u64, top: u32) -> [u8; 32] {
        let mut blocks: Vec<&[u8]> = chunk.chunks(BLOCK).collect();
        let last = blocks.pop().unwrap_or_default();
        let mut start = CHUNK_START;
        let mut chaining = IV;
        for block in blocks {
            chaining = compress(chaining, block, number, start);
            start = 0;
        }
        bytes(compress(chaining, last, number, start | CHUNK_END | top))
    }

    fn node(left: [u8; 32], right: [u8; 32], top: u32) -> [u8; 32] {
        bytes(compress(IV, &[left, right].concat(), 0, PARENT | top))
    }

    /// How many of `chunks` chunks, at least two, are on the left.
    fn split(chunks: u64) -> u64 {
        1 << (chunks - 1).ilog2()
    }

    fn value(content: &[u8], first: u64, top: u32) -> [u8; 32] {
        let chunks = content.len().div_ceil(CHUNK) as u64;
        if chunks < 2 {
            return leaf(content, first, top);
        }
        let on_the_left = split(chunks);
        let (left, right) = content.split_at(on_the_left as usize * CHUNK);
        node(value(left, first, 0), value(right, first + on_the_left, 0), top)
    }

    pub fn hash(content: &[u8]) -> [u8; 32] {
        value(content, 0, ROOT)
    }

    /// The value of `size` bytes of which the chunk at `place` is shown, `siblings` beside its way, lowest first.
    fn shown(size: u64, place: u64, proof: &ChunkProof, siblings: &[[u8; 32]], top: u32) -> Option<[u8; 32]> {
        let chunks = size.div_ceil(CHUNK as u64);
        if chunks < 2 {
            let fits = siblings.is_empty() && place == 0 && proof.chunk.len() as u64 == size;
            return fits.then(|| leaf(&proof.chunk, proof.index, top));
        }
        let (beside, below) = siblings.split_last()?;
        let left = split(chunks);
        if place < left {
            Some(node(shown(left * CHUNK as u64, place, proof, below, 0)?, *beside, top))
        } else {
            let rest = size - left * CHUNK as u64;
            Some(node(*beside, shown(rest, place - left, proof, below, 0)?, top))
        }
    }

    pub fn holds((blob, proof): &Shown) -> bool {
        let siblings: Vec<[u8; 32]> = proof.siblings.iter().map(|hash| hash.0).collect();
        shown(blob.size, proof.index, proof, &siblings, ROOT) == Some(blob.hash.0)
    }
}

/// Checks that the chunk is believed exactly if the definition says so. Returns whether it is believed.
pub fn check_shown(shown: &Shown) -> bool {
    let (blob, proof) = shown;
    let believed = blob.verify(proof);
    assert_eq!(believed, definition::holds(shown), "the definition says otherwise");
    believed
}

/// The truth about the chunk of `content` at `index`, which wraps around.
pub fn shown(content: &[u8], index: u64) -> Shown {
    let blob = BlobRef::to(content);
    let proof = ChunkProof::new(content, index % blob.chunks()).expect("there is such a chunk");
    (blob, proof)
}

/// Checks that the chunk of `content` at `index` can be shown, and that what an edit makes of that is believed only if the
/// content says the same. `index` wraps around.
pub fn check_chunk(content: &[u8], index: u64, edit: impl FnOnce(Shown) -> Vec<u8>) {
    let truth = shown(content, index);
    assert_eq!(truth.0.hash.0, definition::hash(content));
    assert!(check_shown(&truth), "the truth is not believed");
    let edited = edit(truth.clone());
    let Ok((blob, proof)) = Shown::decode(&mut &edited[..]) else {
        return;
    };
    let believed = check_shown(&(blob, proof.clone()));
    if blob == truth.0 {
        let own = ChunkProof::new(content, proof.index);
        assert_eq!(believed, own.as_ref() == Some(&proof), "only the truth is believed");
    }
    if believed {
        assert_eq!(blob.hash, truth.0.hash, "bytes of this hash were found");
        let at = usize::try_from(proof.index).expect("it was found in the content");
        let own = content.chunks(CHUNK).nth(at).unwrap_or_default();
        assert_eq!(own, proof.chunk, "only the truth is believed");
        // The hash does not bind the length for who sees another chunk than the last.
        let is_last = proof.index + 1 == blob.chunks();
        assert!(!is_last || blob.size == truth.0.size, "only the truth is believed");
    }
}
