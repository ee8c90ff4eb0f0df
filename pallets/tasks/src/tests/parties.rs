//! Who has an interest in how a task is judged.

use crate::mock::*;
use agora_primitives::{TaskId, judging::TaskParties};

#[test]
fn are_the_publisher_the_workers_and_who_is_invited() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        let is_party = |who| <Tasks as TaskParties<AccountId>>::is_party(task, &who);
        assert!(is_party(ALICE));
        assert!(is_party(worker(0)));
        assert!(is_party(worker(2)), "it is invited");
        assert!(!is_party(worker(3)));
        assert!(!is_party(BOB));
        assert!(!<Tasks as TaskParties<AccountId>>::is_party(TaskId(9), &ALICE));
    });
}
