//! Arithmetic in the prime field F_251, and the generator that fills matrices over it.
//!
//! Two representations of the same 251 elements are used:
//! - *canonical* residues 0..=250, one byte each: what is hashed, stored and compared;
//! - *symmetric* residues −125..=125: what is multiplied. They fit in a signed byte, so that graphics processors can
//!   use their packed dot products, and products of them fit in 16 bits.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
//! counter-based, so that every element can be computed by itself and in any order.

use core::iter::once;
use sp_crypto_hashing::blake2_256;

/// The number of elements of the field.
pub const MODULUS: u8 = 251;

/// The largest symmetric residue; the smallest is its negative.
pub const MAX_SYMMETRIC: i16 = 125;

/// The longest [`dot`] product that cannot overflow: `MAX_DOT_LENGTH · 125² < 2³¹`.
pub const MAX_DOT_LENGTH: usize = 131_072;

/// Separates the generator's keys from everything else that is hashed; the last byte counts versions.
pub const GENERATOR_DOMAIN: &[u8] = b"agora/philox/1";

/// The canonical residue of `value`.
pub const fn canonical(value: i32) -> u8 {
    // The remainder lies in 0..=250.
    value.rem_euclid(MODULUS as i32) as u8
}

/// The symmetric residue of a canonical one. Bytes above 250 are reduced first.
pub const fn symmetric(canonical: u8) -> i16 {
    let residue = (canonical % MODULUS) as i16;
    if residue > MAX_SYMMETRIC {
        residue.wrapping_sub(MODULUS as i16)
    } else {
        residue
    }
}

/// The symmetric residue of `value`.
pub const fn symmetric_of(value: i32) -> i16 {
    symmetric(canonical(value))
}

/// The exact integer dot product of two vectors of symmetric residues.
///
/// The sum is exact while the vectors have at most [`MAX_DOT_LENGTH`] elements. Elements beyond the end of the shorter
/// vector are ignored. Complexity: O(n), in a form that compilers turn into 16-bit multiply–add instructions; always
/// inlined, so that they are those that the caller is compiled for.
#[inline(always)]
pub fn dot(a: &[i16], b: &[i16]) -> i32 {
    // Wrapping, because checks would prevent vector instructions; it never wraps within `MAX_DOT_LENGTH`.
    a.iter().zip(b).fold(0, |sum: i32, (&x, &y)| {
        sum.wrapping_add(i32::from(x).wrapping_mul(i32::from(y)))
    })
}

/// A counter-based generator of field elements: the element at each index depends on the seed, the label and the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generator {
    key: [u32; 2],
    /// The upper half of each counter.
    nonce: [u32; 2],
}

impl Generator {
    /// The generator for `seed` and `label`.
    ///
    /// Let `h = blake2_256("agora/philox/1" ‖ seed ‖ label)`. The key is bytes 0..8 of `h` as two little-endian words,
    /// the upper two words of each counter are bytes 8..16 of `h`.
    pub fn new(seed: &[u8; 32], label: &[u8]) -> Self {
        let hash = blake2_256(&[GENERATOR_DOMAIN, seed, label].concat());
        let (words, _) = hash.as_chunks::<4>();
        match *words {
            [a, b, c, d, ..] => Self {
                key: [u32::from_le_bytes(a), u32::from_le_bytes(b)],
                nonce: [u32::from_le_bytes(c), u32::from_le_bytes(d)],
            },
            // A hash has eight words.
            _ => Self {
                key: [0; 2],
                nonce: [0; 2],
            },
        }
    }

    /// The four random words of `block`: Philox of the counter `block mod 2³², ⌊block / 2³²⌋, nonce`.
    pub const fn words(&self, block: u64) -> [u32; 4] {
        let [n0, n1] = self.nonce;
        philox4x32_10([block as u32, (block >> 32) as u32, n0, n1], self.key)
    }

    /// The key and the upper two words of each counter, for devices that compute the words themselves.
    pub const fn key_and_nonce(&self) -> ([u32; 2], [u32; 2]) {
        (self.key, self.nonce)
    }

    /// The four canonical residues at indices `4 · block ..= 4 · block + 3`: each output word of Philox modulo 251.
    ///
    /// 2³² is no multiple of 251: residues below 123 have a probability higher by 2⁻³² than the others.
    pub const fn block(&self, block: u64) -> [u8; 4] {
        let [w0, w1, w2, w3] = self.words(block);
        const M: u32 = MODULUS as u32;
        [(w0 % M) as u8, (w1 % M) as u8, (w2 % M) as u8, (w3 % M) as u8]
    }

    /// The canonical residue at `index`.
    pub fn residue(&self, index: u64) -> u8 {
        let [a, b, c, d] = self.block(index >> 2);
        match index & 3 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        }
    }

    /// Writes canonical residues that are not zero, from index `first` on: 1 + (word `index mod 4` of block `⌊index / 4⌋`,
    /// modulo 250). Complexity: O(length).
    ///
    /// 2³² is no multiple of 250: residues up to 46 have a probability higher by 2⁻³² than the others.
    pub fn fill_nonzero(&self, first: u64, out: &mut [u8]) {
        const M: u32 = MODULUS as u32 - 1;
        // The first block may begin before `first`.
        let head = (first.wrapping_neg() & 3) as usize;
        let (head, rest) = out.split_at_mut(head.min(out.len()));
        let parts = once((head, (first & 3) as usize)).chain(rest.chunks_mut(4).map(|part| (part, 0)));
        let parts = parts.filter(|(part, _)| !part.is_empty());
        for ((part, skipped), block) in parts.zip(first >> 2..) {
            for (byte, word) in part.iter_mut().zip(self.words(block).into_iter().skip(skipped)) {
                // In 1..=250.
                *byte = ((word % M) as u8).wrapping_add(1);
            }
        }
    }

    /// Writes the canonical residues from index `first` on. Complexity: O(length).
    ///
    /// Always inlined: a caller that is compiled for vector instructions gets them here, too.
    #[inline(always)]
    pub fn fill(&self, first: u64, out: &mut [u8]) {
        // Up to the next multiple of four one by one, from there in whole blocks.
        let head = (first.wrapping_neg() & 3) as usize;
        let (head, rest) = out.split_at_mut(head.min(out.len()));
        for (byte, index) in head.iter_mut().zip(first..) {
            *byte = self.residue(index);
        }
        let mut block = first.div_ceil(4);
        let (groups, rest) = rest.as_chunks_mut::<{ 4 * LANES }>();
        for group in groups {
            let (blocks, _) = group.as_chunks_mut::<4>();
            for (bytes, residues) in blocks.iter_mut().zip(self.blocks(block)) {
                *bytes = residues.to_le_bytes();
            }
            block = block.wrapping_add(LANES as u64);
        }
        for (chunk, block) in rest.chunks_mut(4).zip(block..) {
            for (byte, residue) in chunk.iter_mut().zip(self.block(block)) {
                *byte = residue;
            }
        }
    }

    /// [`Self::block`] of `LANES` blocks from `first` on, each as a little-endian number: side by side, in loops that
    /// compilers turn into vector instructions.
    #[inline(always)]
    fn blocks(&self, first: u64) -> [u32; LANES] {
        let [n0, n1] = self.nonce;
        let (mut c0, mut c1, mut c2, mut c3) = ([0u32; LANES], [0u32; LANES], [n0; LANES], [n1; LANES]);
        for ((low, high), lane) in c0.iter_mut().zip(&mut c1).zip(0..) {
            let block = first.wrapping_add(lane);
            (*low, *high) = (block as u32, (block >> 32) as u32);
        }
        let mut key = self.key;
        for _ in 0..ROUNDS {
            for (((c0, c1), c2), c3) in c0.iter_mut().zip(&mut c1).zip(&mut c2).zip(&mut c3) {
                [*c0, *c1, *c2, *c3] = philox_round([*c0, *c1, *c2, *c3], key);
            }
            key = next_key(key);
        }
        const M: u32 = MODULUS as u32;
        for (((w0, w1), w2), w3) in c0.iter_mut().zip(c1).zip(c2).zip(c3) {
            *w0 = (*w0 % M) | (w1 % M) << 8 | (w2 % M) << 16 | (w3 % M) << 24;
        }
        c0
    }
}

/// Blocks that are generated side by side.
const LANES: usize = 16;

/// Philox's two factors.
const MULTIPLIERS: (u64, u64) = (0xD251_1F53, 0xCD9E_8D57);

/// Philox's rounds.
const ROUNDS: u32 = 10;

/// Philox4x32 with ten rounds: a bijection of `counter` chosen by `key`.
pub const fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut round = 0u32;
    while round < ROUNDS {
        counter = philox_round(counter, key);
        key = next_key(key);
        round = round.wrapping_add(1);
    }
    counter
}

#[inline(always)]
const fn philox_round([c0, c1, c2, c3]: [u32; 4], [k0, k1]: [u32; 2]) -> [u32; 4] {
    // 32 × 32 bits never overflow 64.
    let p0 = MULTIPLIERS.0.wrapping_mul(c0 as u64);
    let p1 = MULTIPLIERS.1.wrapping_mul(c2 as u64);
    [
        (p1 >> 32) as u32 ^ c1 ^ k0,
        p1 as u32,
        (p0 >> 32) as u32 ^ c3 ^ k1,
        p0 as u32,
    ]
}

/// The key of the next round of Philox.
#[inline(always)]
const fn next_key([k0, k1]: [u32; 2]) -> [u32; 2] {
    [k0.wrapping_add(0x9E37_79B9), k1.wrapping_add(0xBB67_AE85)]
}

#[cfg(test)]
mod tests;
