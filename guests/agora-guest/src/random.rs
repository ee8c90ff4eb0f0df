//! Random numbers that are the same everywhere: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011).

/// The four words that Philox4x32-10 makes of `counter` with `key`. Each counter has its own, so items that count apart draw apart.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    const ROUNDS: usize = 10;
    const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    let ([mut a, mut b, mut c, mut d], [mut k, mut l]) = (counter, key);
    for _ in 0..ROUNDS {
        let (one, other) = (MULTIPLIERS[0] * u64::from(a), MULTIPLIERS[1] * u64::from(c));
        (a, b, c, d) = (
            (other >> 32) as u32 ^ b ^ k,
            other as u32,
            (one >> 32) as u32 ^ d ^ l,
            one as u32,
        );
        (k, l) = (k.wrapping_add(WEYL[0]), l.wrapping_add(WEYL[1]));
    }
    [a, b, c, d]
}

/// A sequence of random words.
pub struct Random {
    key: [u32; 2],
    /// The upper words of the counter.
    stream: u64,
    block: u64,
    words: [u32; 4],
    used: usize,
}

impl Random {
    /// Sequence `stream` of the many that belong to `seed`: an item takes its own number.
    pub const fn new(seed: u64, stream: u64) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            stream,
            block: 0,
            words: [0; 4],
            used: 4,
        }
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        if self.used == self.words.len() {
            let halves = |number: u64| [number as u32, (number >> 32) as u32];
            let ([a, b], [c, d]) = (halves(self.block), halves(self.stream));
            self.words = philox([a, b, c, d], self.key);
            self.block += 1;
            self.used = 0;
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }

    /// A number below `end`, each equally likely.
    ///
    /// Traps if `end` is zero.
    pub fn below(&mut self, end: u32) -> u32 {
        // Lemire, "Fast random integer generation in an interval", 2019.
        let least = end.wrapping_neg() % end;
        loop {
            let product = u64::from(self.word()) * u64::from(end);
            if product as u32 >= least {
                return (product >> 32) as u32;
            }
        }
    }
}
