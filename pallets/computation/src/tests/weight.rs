//! Each call weighs what was measured for it.

use super::world::*;
use crate::{Call, Clocked, Part, WeightInfo, mock::*};
use agora_disputes::{BranchMove, Defence, Player, RunEnd, Segment, Shown};
use agora_primitives::job::Claim;
use frame_support::dispatch::GetDispatchInfo;
use sp_core::H256;

#[test]
fn each_call_has_its_own() {
    let (trial, defence, one, other) = (0, H256::zero(), H256::zero(), H256::zero());
    let end = RunEnd {
        path: vec![],
        state: vec![],
        chunk: None,
    };
    let segment = Segment {
        path: vec![],
        state: vec![],
        witness: vec![],
    };
    let lists = Defence {
        states: one,
        scans: one,
        kept: one,
        failing: 0,
    };
    type W = ();
    let weights = [
        (
            Call::commit {
                task: TASK,
                commitment: one,
            },
            W::commit(),
        ),
        (
            Call::reveal {
                task: TASK,
                accusation: Box::new(accusation(Claim::Unusable, agora_disputes::Target::Inputs)),
                salt: SALT,
                job: Box::new(job()),
            },
            // A claim may be entered, and the case decided.
            W::reveal().saturating_add(TELLING).saturating_add(TELLING),
        ),
        (
            Call::withdraw { case: 0, accuser: 1 },
            W::withdraw().saturating_add(REPORTING),
        ),
        (
            Call::show {
                trial,
                shown: Shown::Chunk(vec![]),
            },
            W::show(),
        ),
        (Call::name_child { trial, child: 0 }, W::name_child()),
        (Call::defend { trial, defence: lists }, W::defend()),
        (
            Call::dispute_list {
                trial,
                defence,
                made: BranchMove::Name(0),
            },
            W::dispute_list().saturating_add(TELLING),
        ),
        (
            Call::add_run {
                trial,
                defence,
                root: one,
                end: Box::new(end),
            },
            W::add_run(),
        ),
        (
            Call::challenge {
                trial,
                defence,
                one,
                other,
            },
            W::challenge(),
        ),
        (
            Call::open_node {
                trial,
                defence,
                one,
                other,
                player: Player::First,
                children: Box::new([H256::zero(); 16]),
            },
            W::open_node(),
        ),
        (
            Call::execute {
                trial,
                defence,
                one,
                other,
                segment: Box::new(segment),
            },
            W::execute(),
        ),
        (
            Call::advance {
                trial,
                what: Clocked::Trial,
            },
            W::advance().saturating_add(TELLING),
        ),
        (
            Call::collect {
                trial,
                part: Part::Accusation,
            },
            W::collect().saturating_add(REPORTING),
        ),
        (Call::lift_suspension { image: one }, W::lift_suspension()),
        (Call::suspend { image: one }, W::lift_suspension()),
        (Call::set_terms { terms: None }, W::set_terms()),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}
