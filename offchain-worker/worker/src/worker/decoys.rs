//! Decoys: responses to hardware challenges that are wrong on purpose. Verifiers who look find them; whoever votes for one without looking
//! pays, half of it to this worker.
//!
//! Whether a round has one, and which, follows from a secret of the journal: after a restart it is the same.

use agora_chain::{AccountId, H256, views::RoundView};
use agora_primitives::{
    capability::decoy_mark,
    job::{BlobRef, ChunkProof},
};
use codec::Encode;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{num::NonZeroU32, time::Duration};

/// Outputs are residues below this.
const FIELD: u8 = 251;

/// What a worker responds with in a round, instead of the truth.
pub(super) struct Decoy {
    /// What the chain is told to see that it is one.
    pub secret: [u8; 32],
    /// The response's output.
    pub output: Vec<u8>,
}

/// The secret of the decoy in `round`. `None`: this round has none; on average one of `every` has.
pub(super) fn secret_in(round: &RoundView, journal: &[u8; 32], every: NonZeroU32) -> Option<[u8; 32]> {
    let of = |what: &[u8]| BlobRef::to(&(what, journal, round.seed).encode()).hash.0;
    let [a, b, c, d, ..] = of(b"whether");
    u32::from_be_bytes([a, b, c, d])
        .is_multiple_of(every.get())
        .then(|| of(b"secret"))
}

impl Decoy {
    /// The decoy of `worker` with `secret`, as long as the right output, of `size` bytes, is. It looks as one, but for what is computed.
    pub fn new(secret: [u8; 32], round: &RoundView, worker: &AccountId, size: usize) -> Self {
        let mut random = StdRng::from_seed(BlobRef::to(&secret).hash.0);
        let mut output: Vec<u8> = std::iter::repeat_with(|| random.gen_range(0..FIELD))
            .take(size)
            .collect();
        let mark = decoy_mark(round.seed, &worker.0, &secret);
        output.iter_mut().zip(mark).for_each(|(byte, of)| *byte = of);
        Self { secret, output }
    }

    /// What the response names.
    pub fn digest(&self) -> H256 {
        H256(BlobRef::to(&self.output).hash.0)
    }

    /// Shows the mark. `None`: a size that no challenge has.
    pub fn proof(&self) -> Option<ChunkProof> {
        ChunkProof::new(&self.output, 0)
    }

    /// How long to wait with the response: as somebody does who computes it, for whom half of the window is enough.
    pub fn delay(&self, window: Duration) -> Duration {
        let part = f64::from(self.secret[0]) / f64::from(u8::MAX);
        window.mul_f64(0.1 + 0.4 * part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::capability::shows_decoy;

    const WINDOW: Duration = Duration::from_secs(18);
    const WORKER: AccountId = AccountId([7; 32]);

    fn round(number: u32) -> RoundView {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        RoundView {
            number,
            seed: H256(seed),
            closes_at: 10,
            window_ms: 18_000,
            votes_close_at: 20,
            ends_at: 30,
            seats: 16,
            draw: None,
        }
    }

    fn every(rounds: u32) -> NonZeroU32 {
        NonZeroU32::new(rounds).unwrap()
    }

    #[test]
    fn the_chain_sees_each_for_what_it_is_and_by_no_other_secret() {
        for size in [32, 1024, 5000, 1 << 16] {
            let secret = secret_in(&round(1), &[3; 32], every(1)).unwrap();
            let decoy = Decoy::new(secret, &round(1), &WORKER, size);
            assert_eq!(decoy.output.len(), size);
            assert!(decoy.output.iter().all(|byte| *byte < FIELD));
            let (digest, proof) = (decoy.digest().0.into(), decoy.proof().unwrap());
            let mark = decoy_mark(round(1).seed, &WORKER.0, &secret);
            assert!(shows_decoy(digest, size as u64, &mark, &proof));
            let other = decoy_mark(round(1).seed, &WORKER.0, &[9; 32]);
            assert!(!shows_decoy(digest, size as u64, &other, &proof));
        }
    }

    #[test]
    fn one_of_so_many_rounds_has_one_and_a_restart_changes_nothing() {
        let with = |every: NonZeroU32, of: u32| (0..of).filter_map(move |n| secret_in(&round(n), &[3; 32], every));
        assert_eq!(with(every(1), 100).count(), 100);
        let found: Vec<_> = with(every(10), 10_000).collect();
        assert!((850..1150).contains(&found.len()), "{}", found.len());
        assert_eq!(found, with(every(10), 10_000).collect::<Vec<_>>());
        let mut distinct = found.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), found.len(), "each has a secret of its own");
        let others = (0..10_000).filter_map(|n| secret_in(&round(n), &[4; 32], every(10)));
        assert!(!found.into_iter().eq(others), "it follows from the journal's secret");
    }

    #[test]
    fn it_is_there_in_time_and_not_at_once() {
        for number in 0..1000 {
            let secret = secret_in(&round(number), &[3; 32], every(1)).unwrap();
            let delay = Decoy::new(secret, &round(number), &WORKER, 64).delay(WINDOW);
            assert!(delay >= WINDOW / 10 && delay <= WINDOW / 2, "{delay:?}");
        }
    }
}
