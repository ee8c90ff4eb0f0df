//! Calls and hooks weigh what was measured for them.

use crate::{Call, WeightInfo, mock::*};
use agora_primitives::{job::ChunkProof, judging::Attestation};
use frame_support::{dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};

#[test]
fn each_call_has_its_own() {
    let weights = [
        (
            Call::respond {
                round: 1,
                digest: DIGEST,
            },
            <() as WeightInfo>::respond(),
        ),
        (
            Call::commit_vote {
                round: 1,
                worker: ALICE,
                digest: DIGEST,
                commitment: DIGEST,
            },
            <() as WeightInfo>::commit_vote(),
        ),
        (
            Call::reveal_vote {
                round: 1,
                worker: ALICE,
                vote: Attestation::Valid,
                salt: [0; 32],
            },
            <() as WeightInfo>::reveal_vote(),
        ),
        (
            Call::show_decoy {
                round: 1,
                secret: [0; 32],
                proof: ChunkProof {
                    index: 0,
                    chunk: vec![],
                    siblings: vec![],
                },
            },
            <() as WeightInfo>::show_decoy(),
        ),
        (
            Call::set_schedule { schedule: None },
            <() as WeightInfo>::set_schedule(),
        ),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}

#[test]
fn hooks_weigh_what_they_did() {
    type W = ();
    let idle = |room| Capability::on_idle(System::block_number(), room);
    let most = W::sweep(crate::MAX_SWEPT).max(W::settle(64));
    in_a_round(|| {
        respond(ALICE);
        let votes = vote(ALICE, 3, 0);
        let closes_at = round().votes_close_at;
        for (now, weight) in [
            (closes_at, W::no_round()),
            (closes_at + 1, W::draw_votes()),
            (closes_at + 2, W::no_round()),
        ] {
            System::set_block_number(now);
            assert_eq!(Capability::on_initialize(now), weight);
            assert_eq!(idle(Weight::MAX), W::sweep(0), "nothing is over");
        }
        reveal_drawn(ALICE, &votes[..2]);
        System::set_block_number(round().ends_at);
        assert_eq!(idle(most - Weight::from_parts(1, 0)), Weight::zero());
        assert_eq!(idle(most - Weight::from_parts(0, 1)), Weight::zero());
        assert_eq!(idle(most), W::sweep(1));
        // The response, the round, and a look that finds nothing more.
        assert_eq!(idle(Weight::MAX), W::settle(2) + W::sweep(0) + W::sweep(0));
        System::set_block_number(2 * PERIOD - 1);
        assert_eq!(Capability::on_initialize(2 * PERIOD - 1), W::no_round());
        assert_eq!(Capability::on_initialize(2 * PERIOD), W::open_round());
    });
}
