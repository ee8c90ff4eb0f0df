//! Small jobs of every kind: the chain computes each, and settles it.

use super::jobs::{Known, rendering, vectors};
use crate::mock::*;
use agora_primitives::{participants::Specialisation, results::ResultLeaf, task::Phase};
use agora_reference::total_work;
use frame_support::assert_ok;

/// Has the chain compute it, and looks at what comes of that.
fn is_computed(known: &Known) {
    let claim = known.claim();
    let task = committed(&known.job, &claim);
    assert_ok!(reveal(BOB, task, claim, &known.evidence()));
    assert_eq!(phase(task), Phase::Settled, "{}", known.name);
    let leaf = ResultLeaf {
        task,
        job: known.job.hash(),
        claim,
        winner: BOB,
    };
    assert_eq!(ResultsDouble::leaves(), [leaf], "{}", known.name);
}

#[test]
fn the_chain_computes_what_other_implementations_have_computed() {
    for known in vectors() {
        ExtBuilder.build_and_execute(|| {
            WorkLimit::set(u64::MAX);
            is_computed(&known);
        });
    }
}

#[test]
fn some_of_every_kind_fits_in_a_block() {
    let mut seen = Vec::new();
    for known in vectors().into_iter().chain([rendering()]) {
        if total_work(&known.job, MAX_WORK).is_none() {
            continue;
        }
        ExtBuilder.build_and_execute(|| is_computed(&known));
        seen.push(known.job.specialisation());
    }
    use Specialisation::*;
    for kind in [
        Synthetic,
        RowTransform,
        Embedding,
        Inference,
        Training,
        Rendering,
        Program,
    ] {
        assert!(seen.contains(&kind), "{kind:?}");
    }
}
