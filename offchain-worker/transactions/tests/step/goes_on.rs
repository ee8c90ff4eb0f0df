//! What goes on and what is given up: for money, forks, full disks, and callers who want it no more.

use crate::{NOW, block, carry_out, intent, policy, under_way, view};
use agora_transactions::{Action, Added, Answer, Attempt, Book, Intent, IntentId, Reason, Repetition, Standing, View};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_tip_that_the_account_cannot_pay_is_left_and_nothing_is_given_up() {
    let id = IntentId::from("one");
    let (mut book, first) = under_way("one", &Answer::Full);
    carry_out(&mut book, &view(NOW + 1, 98), &Answer::CannotPay);
    assert_eq!(book.standing(&id), Standing::Pending);
    let (signed, sent) = carry_out(&mut book, &view(NOW + 2, 98), &Answer::Taken);
    assert_eq!((signed, sent), (vec![], vec![first.hash]), "the tipless one goes on");
    // When that one is over, a tipless one is signed anew, whatever the tip of the last one was.
    let (signed, _) = carry_out(&mut book, &view(first.last_block() + 1, 98), &Answer::CannotPay);
    assert_eq!(signed.last().map(|one| one.tip), Some(0));
    book.step(&view(first.last_block() + 1, 98), &policy());
    assert_eq!(
        book.standing(&id),
        Standing::GivenUp(Reason::CannotPay),
        "not even without a tip"
    );
}

#[test]
fn a_harmless_call_with_other_bytes_is_signed_with_the_nonce_that_it_has() {
    let harmless = |call| Intent {
        call,
        repetition: Repetition::Harmless,
        ..intent("one")
    };
    let mut book = Book::default();
    assert_eq!(book.add(harmless(vec![1])), Ok(Added::New));
    carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(book.add(harmless(vec![9])), Ok(Added::Known));
    let (signed, _) = carry_out(&mut book, &view(NOW + 1, 98), &Answer::Taken);
    assert_eq!(signed.iter().map(|one| one.nonce).collect::<Vec<_>>(), [5]);
    assert_eq!(book.record(&"one".into()).expect("it is known").intent.call, [9]);
}

#[test]
fn what_is_withdrawn_is_not_sent_and_is_known_until_it_cannot_be_included() {
    let id = IntentId::from("one");
    let mut book = Book::default();
    assert_eq!(book.add(intent("one")), Ok(Added::New));
    assert!(!book.withdraw(&id), "it was never sent");
    carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(book.standing(&id), Standing::Unknown);
    let (mut book, first) = under_way("one", &Answer::Taken);
    assert!(book.withdraw(&id), "a pool has it");
    let (signed, sent) = carry_out(&mut book, &view(NOW + 20, 98), &Answer::Taken);
    assert_eq!((signed, sent), (vec![], vec![]));
    assert_eq!(book.standing(&id), Standing::GivenUp(Reason::Withdrawn));
    let last = first.last_block();
    book.step(&view(last + 1, last), &policy());
    assert_eq!(book.standing(&id), Standing::Unknown);
}

#[test]
fn an_intent_with_an_origin_is_signed_on_no_chain_without_it() {
    let id = IntentId::from("attest");
    let origin = block(NOW);
    let intent = Intent {
        origin: Some(origin),
        ..intent("attest")
    };
    let seen = |number, is_there| View {
        origins: BTreeMap::from([(origin, is_there)]),
        ..view(number, 98)
    };
    let mut book = Book::default();
    assert_eq!(book.add(intent.clone()), Ok(Added::New));
    assert_eq!(book.origins(), BTreeSet::from([origin]));
    let (signed, _) = carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(signed, [], "nobody has looked whether the origin is there");
    let (signed, _) = carry_out(&mut book, &seen(NOW, true), &Answer::Taken);
    let mut forked = seen(NOW + 2, false);
    forked.unanchored.insert(signed[0].hash);
    let (signed, sent) = carry_out(&mut book, &forked, &Answer::Taken);
    assert_eq!((signed, sent), (vec![], vec![]));
    assert_eq!(book.standing(&id), Standing::GivenUp(Reason::OtherFork));
    // Decided again, on the fork that has won.
    let origin = block(NOW + 2);
    let again = Intent {
        origin: Some(origin),
        ..intent
    };
    assert_eq!(book.add(again), Ok(Added::Known));
    forked.origins = BTreeMap::from([(origin, true)]);
    let (signed, _) = carry_out(&mut book, &forked, &Answer::Taken);
    assert_eq!((signed[0].nonce, signed[0].anchor), (5, origin));
}

#[test]
fn what_is_harmless_to_repeat_is_sent_although_the_disk_is_full() {
    for (repetition, is_sent) in [(Repetition::Harmless, true), (Repetition::Costly, false)] {
        let mut book = Book::default();
        let reveal = Intent {
            repetition,
            ..intent("reveal")
        };
        assert_eq!(book.add(reveal), Ok(Added::New));
        let Some(Action::Sign { id, anchor, life, .. }) = book.step(&view(NOW, 98), &policy()).pop() else {
            panic!("it is signed");
        };
        let attempt = Attempt {
            nonce: 5,
            anchor,
            life,
            tip: 0,
            hash: [1; 32],
            bytes: vec![],
        };
        book.signed(&id, attempt);
        for number in [NOW, NOW + 1] {
            // The log is asked once a block.
            assert_eq!(book.step(&view(number, 98), &policy()), [Action::Persist(id.clone())]);
            book.not_persisted(&id);
            let expected = match is_sent {
                true => Action::Send([1; 32]),
                false => Action::Persist(id.clone()),
            };
            assert_eq!(book.step(&view(number, 98), &policy()), [expected]);
        }
    }
}

#[test]
fn the_most_urgent_gets_the_lowest_nonce() {
    let mut book = Book::default();
    for (id, urgency) in [("first", 0), ("second", 0), ("urgent", 3)] {
        assert_eq!(book.add(Intent { urgency, ..intent(id) }), Ok(Added::New));
    }
    let nonces = book
        .step(&view(NOW, 98), &policy())
        .into_iter()
        .map(|action| match action {
            Action::Sign { id, nonce, .. } => (id.to_string(), nonce),
            other => panic!("{other:?}"),
        });
    let expected = [("urgent", 5), ("first", 6), ("second", 7)].map(|(id, nonce)| (id.to_owned(), nonce));
    assert_eq!(nonces.collect::<Vec<_>>(), expected);
}

#[test]
fn an_account_that_cannot_pay_is_told_and_can_try_again() {
    let (mut book, first) = under_way("one", &Answer::CannotPay);
    let id = IntentId::from("one");
    assert_eq!(book.step(&view(NOW, 98), &policy()), [Action::Persist(id.clone())]);
    assert_eq!(book.standing(&id), Standing::GivenUp(Reason::CannotPay));
    assert_eq!(book.add(intent("one")), Ok(Added::Known));
    let (_, sent) = carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(sent, [first.hash]);
}

#[test]
fn another_call_of_the_same_name_is_refused() {
    let (mut book, _) = under_way("one", &Answer::Taken);
    let other = Intent {
        call: vec![9],
        ..intent("one")
    };
    assert!(book.add(other).is_err());
}
