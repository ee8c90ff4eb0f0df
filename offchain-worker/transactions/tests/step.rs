//! What is due, case by case.

use agora_transactions::{
    Action, Added, Answer, Attempt, BlockId, Book, End, Hash, Intent, IntentId, Notice, Policy, Reason, Repetition,
    Standing, View,
};

#[path = "step/goes_on.rs"]
mod goes_on;

const NOW: u32 = 100;

fn block(number: u32) -> BlockId {
    BlockId {
        number,
        hash: [number as u8; 32],
    }
}

fn view(best: u32, finalised: u32) -> View {
    View {
        best: block(best),
        finalised: block(finalised),
        nonce_at_best: 5,
        nonce_at_finalised: 5,
        pool_nonce: 5,
        ..View::default()
    }
}

fn policy() -> Policy {
    Policy {
        filler: vec![0],
        ..Policy::default()
    }
}

fn intent(id: &str) -> Intent {
    Intent {
        id: id.into(),
        call: vec![1],
        deadline: None,
        origin: None,
        urgency: 0,
        repetition: Repetition::Costly,
    }
}

/// Signs, persists and sends what is due; `answer` is what comes of sending. Returns what was signed and sent.
fn carry_out(book: &mut Book, view: &View, answer: &Answer) -> (Vec<Attempt>, Vec<Hash>) {
    let (mut signed, mut sent) = (Vec::new(), Vec::new());
    // To sign, to persist, to send.
    for _ in 0..3 {
        for action in book.step(view, &policy()) {
            match action {
                Action::Sign {
                    id,
                    nonce,
                    anchor,
                    life,
                    tip,
                } => {
                    let attempts = book.attempts().count() as u8;
                    let mut hash = [attempts; 32];
                    hash[0] = nonce as u8;
                    let attempt = Attempt {
                        nonce,
                        anchor,
                        life,
                        tip,
                        hash,
                        bytes: vec![2],
                    };
                    book.signed(&id, attempt.clone());
                    signed.push(attempt);
                }
                Action::Persist(id) => book.persisted(&id),
                Action::Send(hash) => {
                    sent.push(hash);
                    book.answered(&hash, answer.clone());
                }
                Action::Forget(_) | Action::Tell(_) => {}
            }
        }
    }
    (signed, sent)
}

/// A book with an intent whose attempt a pool has.
fn under_way(id: &str, answer: &Answer) -> (Book, Attempt) {
    let mut book = Book::default();
    assert_eq!(book.add(intent(id)), Ok(Added::New));
    let (signed, sent) = carry_out(&mut book, &view(NOW, 98), answer);
    assert!(!sent.is_empty());
    (book, signed[0].clone())
}

#[test]
fn an_attempt_is_in_the_log_before_it_is_sent() {
    let mut book = Book::default();
    assert_eq!(book.add(intent("one")), Ok(Added::New));
    let actions = book.step(&view(NOW, 98), &policy());
    let [
        Action::Sign {
            id,
            nonce: 5,
            anchor,
            life: 64,
            tip: 0,
        },
    ] = &actions[..]
    else {
        panic!("{actions:?}");
    };
    assert_eq!(*anchor, block(NOW), "anchored at the best block");
    let attempt = Attempt {
        nonce: 5,
        anchor: *anchor,
        life: 64,
        tip: 0,
        hash: [1; 32],
        bytes: vec![],
    };
    book.signed(id, attempt);
    for _ in 0..2 {
        assert_eq!(book.step(&view(NOW, 98), &policy()), [Action::Persist("one".into())]);
    }
    book.persisted(&"one".into());
    assert_eq!(book.step(&view(NOW, 98), &policy()), [Action::Send([1; 32])]);
}

#[test]
fn an_attempt_that_is_over_is_signed_anew_with_its_nonce() {
    let (mut book, first) = under_way("one", &Answer::Taken);
    assert_eq!(book.add(intent("two")), Ok(Added::New));
    carry_out(
        &mut book,
        &View {
            pool_nonce: 6,
            ..view(NOW, 98)
        },
        &Answer::Taken,
    );
    let (signed, _) = carry_out(&mut book, &view(first.last_block(), 98), &Answer::Taken);
    let signed: Vec<_> = signed.iter().map(|one| (one.nonce, one.tip, one.anchor)).collect();
    assert_eq!(signed, [5, 6].map(|nonce| (nonce, 0, block(first.last_block()))));
}

#[test]
fn a_nonce_of_ours_that_a_pool_lost_is_not_given_away() {
    let (mut book, _) = under_way("one", &Answer::Taken);
    assert_eq!(book.add(intent("two")), Ok(Added::New));
    let (signed, _) = carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(signed.iter().map(|one| one.nonce).collect::<Vec<_>>(), [6]);
}

#[test]
fn an_attempt_whose_anchor_is_gone_is_signed_anew_with_its_nonce() {
    let (mut book, first) = under_way("one", &Answer::Taken);
    let mut forked = view(NOW + 1, 98);
    forked.unanchored.insert(first.hash);
    let (signed, _) = carry_out(&mut book, &forked, &Answer::Taken);
    assert_eq!((signed[0].nonce, signed[0].anchor), (5, block(NOW + 1)));
}

#[test]
fn a_lost_answer_is_followed_by_the_same_bytes() {
    let (mut book, first) = under_way("one", &Answer::Lost);
    let (signed, sent) = carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!((signed, sent), (vec![], vec![first.hash]));
}

#[test]
fn what_a_pool_took_is_sent_again_after_a_while() {
    let (mut book, first) = under_way("one", &Answer::Taken);
    assert_eq!(carry_out(&mut book, &view(NOW + 3, 98), &Answer::Taken).1, [[0; 32]; 0]);
    assert_eq!(carry_out(&mut book, &view(NOW + 4, 98), &Answer::Taken).1, [first.hash]);
}

#[test]
fn an_inclusion_counts_as_final_when_its_block_is() {
    let (mut book, first) = under_way("one", &Answer::Taken);
    let id = IntentId::from("one");
    let mut included = view(NOW + 1, 98);
    included.nonce_at_best = 6;
    included.places.insert(first.hash, block(NOW + 1));
    assert_eq!(book.step(&included, &policy()), []);
    assert_eq!(book.standing(&id), Standing::Included(block(NOW + 1)));
    // A re-org takes it out again.
    book.step(&view(NOW + 2, 98), &policy());
    assert_eq!(book.standing(&id), Standing::Pending);
    included.best = block(NOW + 3);
    included.finalised = block(NOW + 1);
    assert_eq!(book.step(&included, &policy()), [Action::Persist(id.clone())]);
    assert_eq!(book.standing(&id), Standing::Finalised(block(NOW + 1)));
    assert_eq!(book.add(intent("one")), Ok(Added::Final), "it is not sent again");
    assert!(book.is_idle());
    assert_eq!(book.step(&included, &policy()), [], "and not forgotten");
    included.finalised.number += policy().remember + 1;
    included.best = included.finalised;
    assert_eq!(book.step(&included, &policy()), [Action::Forget(id)]);
}

#[test]
fn a_nonce_that_another_program_used_is_left_when_that_is_final_or_repeating_is_harmless() {
    let used = |finalised, nonce_at_finalised| View {
        nonce_at_best: 6,
        nonce_at_finalised,
        pool_nonce: 6,
        ..view(NOW + 1, finalised)
    };
    let (mut book, _) = under_way("costly", &Answer::Taken);
    let told = Action::Tell(Notice::OtherProgram { nonce: 5 });
    assert_eq!(book.step(&used(98, 5), &policy()), [told]);
    assert_eq!(book.step(&used(98, 5), &policy()), [], "told once");
    assert_eq!(carry_out(&mut book, &used(NOW + 1, 6), &Answer::Taken).0[0].nonce, 6);

    let mut book = Book::default();
    let harmless = Intent {
        repetition: Repetition::Harmless,
        ..intent("harmless")
    };
    assert_eq!(book.add(harmless), Ok(Added::New));
    carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(carry_out(&mut book, &used(98, 5), &Answer::Taken).0[0].nonce, 6);
    // A re-org frees the nonce again: what was signed for it is sent, so that the other one can follow.
    let (signed, sent) = carry_out(&mut book, &view(NOW + 9, 98), &Answer::Taken);
    assert_eq!(signed, []);
    let attempts = &book.record(&"harmless".into()).expect("it is known").attempts;
    assert_eq!(sent, [attempts[0].hash]);
}

#[test]
fn a_nonce_that_a_pool_gave_to_another_program_is_left_at_once() {
    let (mut book, first) = under_way("one", &Answer::Occupied);
    let ahead = View {
        pool_nonce: 6,
        ..view(NOW, 98)
    };
    let (signed, sent) = carry_out(&mut book, &ahead, &Answer::Taken);
    assert_eq!(signed.iter().map(|one| one.nonce).collect::<Vec<_>>(), [6]);
    assert_eq!(sent, [signed[0].hash]);
    let kept = &book.record(&"one".into()).expect("it is known").attempts;
    assert!(!kept.contains(&first), "what nobody has is not sent later");
}

#[test]
fn a_nonce_is_not_left_when_a_pool_may_have_the_attempt() {
    for repetition in [Repetition::Costly, Repetition::Harmless] {
        let mut book = Book::default();
        assert_eq!(
            book.add(Intent {
                repetition,
                ..intent("one")
            }),
            Ok(Added::New)
        );
        carry_out(&mut book, &view(NOW, 98), &Answer::Lost);
        for number in [NOW + 1, NOW + 2] {
            let (signed, _) = carry_out(&mut book, &view(number, 98), &Answer::Occupied);
            assert_eq!(signed, []);
        }
        assert_eq!(book.record(&"one".into()).expect("it is known").attempts.len(), 1);
    }
}

#[test]
fn what_is_stuck_is_replaced_with_a_tip_up_to_the_largest() {
    let (mut book, _) = under_way("one", &Answer::Taken);
    let mut tips = Vec::new();
    for number in NOW..NOW + 400 {
        let (signed, _) = carry_out(&mut book, &view(number, 98), &Answer::Taken);
        assert!(signed.iter().all(|one| one.nonce == 5));
        tips.extend(signed.iter().map(|one| one.tip));
    }
    tips.dedup();
    let policy = policy();
    assert_eq!(tips[0], policy.first_tip);
    assert!(
        tips.windows(2).all(|two| two[1] == (2 * two[0]).min(policy.max_tip)),
        "{tips:?}"
    );
    assert_eq!(tips.last(), Some(&policy.max_tip));
}

#[test]
fn what_is_not_worth_anything_any_more_is_given_up_and_its_nonce_filled() {
    let mut book = Book::default();
    let late = Intent {
        deadline: Some(NOW + 3),
        ..intent("late")
    };
    for one in [late, intent("other")] {
        assert_eq!(book.add(one), Ok(Added::New));
    }
    let (signed, _) = carry_out(&mut book, &view(NOW, 98), &Answer::Taken);
    assert_eq!(
        signed
            .iter()
            .map(|one| (one.nonce, one.last_block()))
            .collect::<Vec<_>>(),
        [(5, NOW + 3), (6, NOW + 63)]
    );
    let actions = book.step(&view(NOW + 3, 98), &policy());
    assert_eq!(book.standing(&"late".into()), Standing::GivenUp(Reason::DeadlineOver));
    let fills = |action: &Action| *action == Action::Tell(Notice::Filled { nonce: 5 });
    assert!(actions.iter().any(fills), "{actions:?}");
    let (signed, _) = carry_out(&mut book, &view(NOW + 3, 98), &Answer::Taken);
    assert_eq!(signed[0].nonce, 5);
    let has_ended = matches!(
        book.record(&"late".into()).and_then(|one| one.end.clone()),
        Some(End::GivenUp(_))
    );
    assert!(has_ended, "kept until it cannot be included any more");
    carry_out(&mut book, &view(NOW + 6, NOW + 3), &Answer::Taken);
    assert_eq!(book.standing(&"late".into()), Standing::Unknown);
}

#[test]
fn a_node_that_has_less_final_is_believed_in_nothing() {
    let (mut book, first) = under_way("one", &Answer::Taken);
    let mut restored = view(NOW, 20);
    restored.nonce_at_best = 9;
    restored.unanchored.insert(first.hash);
    let told = Action::Tell(Notice::NotBelieved { lacks: block(98) });
    assert_eq!(book.step(&restored, &policy()), [told]);
    let mut purged = view(NOW + 1, 98);
    purged.finalised.hash = [77; 32];
    purged.unanchored.insert(first.hash);
    assert_eq!(book.step(&purged, &policy()), []);
}

#[test]
fn a_node_that_only_finalises_later_gets_transactions_and_settles_nothing() {
    let (mut book, first) = under_way("one", &Answer::Taken);
    let late = View {
        has_final: true,
        ..view(NOW + 4, 90)
    };
    assert_eq!(carry_out(&mut book, &late, &Answer::Taken).1, [first.hash]);
    assert_eq!(book.finalised(), block(98));
}

#[test]
fn a_view_that_is_not_believed_is_told_of_once() {
    let (mut book, _) = under_way("one", &Answer::Taken);
    let told = Action::Tell(Notice::NotBelieved { lacks: block(98) });
    assert_eq!(book.step(&view(NOW, 90), &policy()), std::slice::from_ref(&told));
    assert_eq!(book.step(&view(NOW, 91), &policy()), []);
    book.step(&view(NOW, 98), &policy());
    assert_eq!(
        book.step(&view(NOW, 91), &policy()),
        [told],
        "and again after it was believed"
    );
}

#[test]
fn a_full_pool_raises_the_tip_once_in_a_block() {
    let (mut book, _) = under_way("one", &Answer::Full);
    for number in NOW + 1..NOW + 4 {
        let mut signed = Vec::new();
        for _ in 0..5 {
            signed.extend(carry_out(&mut book, &view(number, 98), &Answer::Full).0);
        }
        assert_eq!(signed.len(), 1, "in block {number}");
    }
}
