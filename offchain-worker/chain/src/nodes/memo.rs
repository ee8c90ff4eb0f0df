//! Answers that cannot change: what a node said of the state after a block that was named by its hash.
//!
//! One part of a program need not know what another has asked already. What is asked ahead, beside something else, is at hand when
//! it is needed: a far node takes its time for each answer.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use subxt::rpcs::client::RawValue;

/// The longest answer that is remembered, in bytes: pages of a whole market are read once.
const LONGEST: usize = 16 * 1024;
/// How many bytes of questions and answers are remembered; the oldest are forgotten.
const MOST: usize = 4 * 1024 * 1024;

/// A question that has one answer for ever: who is asked, and what.
///
/// Another node is asked anew: it may be believed where the one before was found not to be.
pub(super) type Question = (Arc<str>, String);

/// Remembers answers.
#[derive(Default)]
pub(super) struct Memo(Mutex<Known>);

#[derive(Default)]
struct Known {
    answers: HashMap<Question, Arc<RawValue>>,
    order: VecDeque<Question>,
    bytes: usize,
}

/// The question that is asked of the node at `url`; `None`: its answer may be another one later.
pub(super) fn question(url: &Arc<str>, method: &str, params: Option<&RawValue>) -> Option<Question> {
    let block_at = match method {
        "state_call" => 2,
        "state_getStorage" => 1,
        "state_getRuntimeVersion" => 0,
        _ => return None,
    };
    let params = params?.get();
    let parsed: Vec<Option<&str>> = serde_json::from_str(params).ok()?;
    // Without it, it is about the best block of the moment.
    let _ = (*parsed.get(block_at)?)?;
    Some((Arc::clone(url), format!("{method} {params}")))
}

impl Memo {
    /// The answer to `question`, if it is remembered.
    pub fn answer(&self, question: &Question) -> Option<Arc<RawValue>> {
        self.known(|known| known.answers.get(question).cloned())
    }

    /// Remembers an answer.
    pub fn remember(&self, question: Question, answer: &RawValue) {
        if answer.get().len() > LONGEST {
            return;
        }
        let answer: Arc<RawValue> = answer.to_owned().into();
        self.known(|known| {
            known.bytes += size(&question, &answer);
            known.order.push_back(question.clone());
            if let Some(twice) = known.answers.insert(question.clone(), answer) {
                // Asked twice at the same time.
                known.bytes -= size(&question, &twice);
                known.order.pop_back();
            }
            while known.bytes > MOST
                && let Some(oldest) = known.order.pop_front()
                && let Some(answer) = known.answers.remove(&oldest)
            {
                known.bytes -= size(&oldest, &answer);
            }
        });
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Bytes that are held for it: the question twice.
fn size((_, question): &Question, answer: &RawValue) -> usize {
    2 * question.len() + answer.get().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "\"0x1111111111111111111111111111111111111111111111111111111111111111\"";

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("it is JSON")
    }

    fn asked(method: &str, params: &str) -> Option<Question> {
        question(&"ws://a".into(), method, Some(&raw(params)))
    }

    #[test]
    fn only_what_names_its_block_has_one_answer_for_ever() {
        for (method, params, is_fixed) in [
            ("state_getStorage", format!("[\"0xab\",{BLOCK}]"), true),
            // A key as long as a hash, and no block.
            ("state_getStorage", format!("[{BLOCK}]"), false),
            ("state_getStorage", format!("[{BLOCK},null]"), false),
            ("state_call", format!("[\"Core_version\",\"0x\",{BLOCK}]"), true),
            ("state_call", format!("[\"Core_version\",{BLOCK}]"), false),
            ("state_getRuntimeVersion", format!("[{BLOCK}]"), true),
            ("state_getRuntimeVersion", "[]".to_owned(), false),
            // A node that does not have it yet says that there is none.
            ("chain_getHeader", format!("[{BLOCK}]"), false),
            ("system_accountNextIndex", format!("[{BLOCK}]"), false),
            ("state_call", "{}".to_owned(), false),
        ] {
            assert_eq!(asked(method, &params).is_some(), is_fixed, "{method} {params}");
        }
        assert_eq!(question(&"ws://a".into(), "state_getRuntimeVersion", None), None);
    }

    #[test]
    fn an_answer_is_of_its_question_and_node_alone() {
        let memo = Memo::default();
        let one = asked("state_getStorage", &format!("[\"0xab\",{BLOCK}]")).expect("it is fixed");
        memo.remember(one.clone(), &raw("\"0x01\""));
        assert_eq!(memo.answer(&one).expect("it is known").get(), "\"0x01\"");
        let other = asked("state_getStorage", &format!("[\"0xac\",{BLOCK}]")).expect("it is fixed");
        assert!(memo.answer(&other).is_none());
        assert!(memo.answer(&("ws://b".into(), one.1)).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let memo = Memo::default();
        let ask =
            |number: usize| asked("state_getStorage", &format!("[\"0x{number:08x}\",{BLOCK}]")).expect("it is fixed");
        let long = raw(&format!("\"{}\"", "a".repeat(LONGEST - 2)));
        let count = 2 * MOST / LONGEST;
        for number in 0..count {
            memo.remember(ask(number), &long);
            // Of two at the same time one counts.
            memo.remember(ask(number), &long);
        }
        let known = memo.known(|known| (known.bytes, known.answers.len(), known.order.len()));
        let (bytes, answers, order) = known;
        assert!(bytes <= MOST && bytes > MOST - 2 * LONGEST, "{known:?}");
        assert_eq!(answers, order);
        assert!(memo.answer(&ask(0)).is_none(), "the oldest is forgotten");
        assert!(memo.answer(&ask(count - 1)).is_some());
        memo.remember(ask(count), &raw(&format!("\"{}\"", "a".repeat(LONGEST))));
        assert!(memo.answer(&ask(count)).is_none(), "too long");
    }
}
