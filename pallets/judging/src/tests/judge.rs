use crate::mock::*;
use agora_primitives::{
    job::{BlobRef, Claim},
    judging::{Answer, Judge, JudgeRule, Verdict},
};
use sp_core::H256;

const RULE: JudgeRule = JudgeRule::Replication { trust: 100 };
const SEED: H256 = H256::repeat_byte(3);

fn claim(output: u8, states: u8) -> Claim {
    Claim::Output {
        output: BlobRef::to(&[output]),
        states_root: H256::repeat_byte(states),
    }
}

fn answer(worker: AccountId, output: u8, committed_at: u64, confidence: u32) -> Answer<u64, u64> {
    Answer {
        worker,
        claim: claim(output, 0),
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
            claim: claim(1, 0),
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
            claim: claim(1, 0),
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

#[test]
fn equal_outputs_by_other_states_are_other_answers() {
    let mut answers: Vec<_> = (1..=7).map(|worker| answer(worker, 1, worker, 0)).collect();
    assert!(judge(&answers).is_some());
    answers[6].claim = claim(1, 1);
    assert_eq!(judge(&answers), None);
}

#[test]
fn that_the_input_is_unusable_is_an_answer_like_any_other() {
    let unusable = |n| Answer {
        claim: Claim::Unusable,
        ..answer(n, 1, n, 0)
    };
    let mut answers: Vec<_> = (1..=7).map(unusable).collect();
    let (claim, best) = (Claim::Unusable, 1);
    assert_eq!(judge(&answers), Some(Verdict { claim, best }));
    answers[6] = answer(7, 1, 7, 0);
    assert_eq!(judge(&answers), None);
}
