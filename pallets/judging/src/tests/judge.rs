use crate::mock::*;
use agora_primitives::judging::{Answer, Judge, JudgeRule, Verdict};
use sp_core::H256;

const RULE: JudgeRule = JudgeRule::Replication { trust: 100 };
const SEED: H256 = H256::repeat_byte(3);

fn answer(worker: AccountId, digest: u8, committed_at: u64, confidence: u32) -> Answer<u64, u64> {
    Answer {
        worker,
        digest: H256::repeat_byte(digest),
        committed_at,
        confidence,
    }
}

fn judge(answers: &[Answer<u64, u64>]) -> Option<Verdict<u64>> {
    Judging::judge(RULE, SEED, answers)
}

#[test]
fn seven_new_workers_convince_at_trust_100() {
    let answers: Vec<_> = (1..=7).map(|worker| answer(worker, 1, worker, 0)).collect();
    assert_eq!(judge(&answers[..6]), None);
    assert_eq!(
        judge(&answers),
        Some(Verdict {
            digest: H256::repeat_byte(1),
            best: 1,
        })
    );
}

#[test]
fn one_experienced_worker_outvotes_a_newcomer() {
    // 100 does not exceed (1 + 2) · 99; two such workers do.
    let mut answers = vec![answer(1, 1, 5, 303), answer(2, 2, 1, 0)];
    assert_eq!(judge(&answers), None);
    answers.push(answer(3, 1, 4, 303));
    assert_eq!(
        judge(&answers),
        Some(Verdict {
            digest: H256::repeat_byte(1),
            best: 3,
        })
    );
}

#[test]
fn nobody_agrees_is_no_verdict() {
    assert_eq!(judge(&[]), None);
    let all_different: Vec<_> = (1..=9).map(|n| answer(n, n as u8, 1, 303)).collect();
    assert_eq!(judge(&all_different), None);
}

#[test]
fn the_order_of_arrival_decides_nothing() {
    let mut answers: Vec<_> = (1..=9).map(|n| answer(n, (n == 4) as u8, 1, 30)).collect();
    let verdict = judge(&answers);
    assert!(verdict.is_some());
    answers.reverse();
    assert_eq!(judge(&answers), verdict);
    answers.swap(0, 5);
    assert_eq!(judge(&answers), verdict);
}
