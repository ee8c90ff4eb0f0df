//! Every invariant is really checked: each is broken once.

use crate::{
    Bans, LeafOwners, Members, Nodes, WorkerCount,
    mock::*,
    types::{Ban, Sums},
};
use agora_primitives::{
    money::{Escrow as _, Purpose, Scope},
    participants::{Role, Specialisation},
};
use frame_support::assert_ok;
use sp_runtime::DispatchError;

fn finds(expected: &'static str, corrupt: impl FnOnce()) {
    ExtBuilder::default().build().execute_with(|| {
        for who in 1..=5 {
            register_worker(who, 10);
        }
        register(ALICE, Role::Verifier);
        assert_ok!(Registry::do_try_state());
        corrupt();
        assert_eq!(Registry::do_try_state(), Err(DispatchError::Other(expected)));
    });
}

fn change_worker(who: AccountId, change: impl FnOnce(&mut crate::types::Worker<BlockNumber>)) {
    Members::<Test>::mutate(who, |member| change(member.as_mut().unwrap().worker.as_mut().unwrap()));
}

#[test]
fn finds_every_kind_of_corruption() {
    finds("a member has no role", || {
        Members::<Test>::insert(NOBODY, crate::types::Member::new(1));
    });
    finds("a bond is held for a role that its owner does not have", || {
        assert_ok!(Escrow::hold(Purpose::RoleBond, Scope::Role(Role::Verifier), &BOB, 1));
    });
    finds("a worker has an impossible profile", || {
        change_worker(BOB, |worker| worker.profile.slots = 0)
    });
    finds("more slots are taken than there are", || {
        change_worker(BOB, |worker| worker.occupied = 3)
    });
    finds("a worker's leaf is not its own", || {
        change_worker(BOB, |worker| worker.leaf = 0)
    });
    finds("a banned worker can be drawn", || {
        Bans::<Test>::insert(BOB, Ban { until: None })
    });
    finds("the number of workers is not what is counted", || {
        WorkerCount::<Test>::put(6)
    });
    finds("a leaf has no worker", || LeafOwners::<Test>::insert(77, ALICE));
    finds("a leaf is outside the tree", || {
        change_worker(BOB, |worker| worker.leaf = 77);
        LeafOwners::<Test>::remove(1);
        LeafOwners::<Test>::insert(77, BOB);
    });
    finds("a node is not the sum that it stands for", || {
        Nodes::<Test>::mutate(4, |node| node.set(Specialisation::Synthetic, 1))
    });
    finds("a node is not the sum that it stands for", || {
        Nodes::<Test>::mutate(4, |node| node.set(Specialisation::Rendering, 1))
    });
    finds("a node is not the sum that it stands for", || {
        change_worker(BOB, |worker| worker.dormant = true)
    });
    finds("a node that is zero is kept", || {
        assert_ok!(Registry::request_exit(signed(5), Role::Worker));
        Nodes::<Test>::insert(5, Sums::default());
    });
    finds("there is a node outside the tree", || {
        Nodes::<Test>::insert(6, Sums::default())
    });
}
