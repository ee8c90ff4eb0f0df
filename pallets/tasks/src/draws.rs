//! Drawing those who may accept a round first.
//!
//! A draw is *ordered* when a round begins, and carried out at the start of a block at least [`DRAW_DELAY`] blocks later, before
//! any call of that block. What decides it:
//!
//! - the weights are those at the end of the block before, so that no call can be made in answer to the whole seed;
//! - the seed is made of randomness of that block and of the block before it: both later than the order, and of different
//!   makers (see `agora_primitives::judging::Seed`). A publisher chooses the block and the id of a task before either is known;
//!   so does whoever changes its profile, its bond or its level, however many accounts it has;
//! - until then nobody may accept, so that an order that waits is no way round the draw.
//!
//! Orders are served oldest first, [`MAX_DRAWS_PER_BLOCK`] in a block at most. The queue has no limit, so that it cannot be filled
//! to keep somebody's draw out: each order in it was paid for by publishing or by answering. Those of tasks that are over, of
//! which a publisher could make many for the fee of each, are passed over, [`MAX_ORDERS_PER_BLOCK`] in a block at most.

use crate::{
    DRAW_DELAY, MAX_DRAWS_PER_BLOCK, MAX_ORDERS_PER_BLOCK,
    agenda::KEY_PROOF,
    pallet::*,
    types::{DrawOrder, InvitedOf, TaskOf, TaskProgress},
    weights::WeightInfo,
};
use agora_primitives::{
    TaskId,
    judging::{Judge, Seed},
    participants::Participants,
    task::{Invitation, RoundKind},
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{defensive, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{Bounded, Saturating, Zero};

impl<T: Config> Pallet<T> {
    /// Has workers drawn for a round that has just begun; nobody may accept before.
    pub(crate) fn order_draw(id: TaskId, task: &TaskOf<T>, round: u32, now: BlockNumberFor<T>) {
        if task.terms.invite_window.is_zero() {
            return;
        }
        let mut queue = DrawQueue::<T>::get();
        let order = DrawOrder {
            task: id,
            round,
            ordered_at: now,
        };
        DrawOrders::<T>::insert(queue.next, order);
        // Saturating: a chain does not order 2⁶⁴ draws.
        queue.next = queue.next.saturating_add(1);
        DrawQueue::<T>::put(queue);
        Invitations::<T>::insert(
            id,
            Invitation {
                workers: InvitedOf::<T>::new(),
                until: BlockNumberFor::<T>::max_value(),
            },
        );
    }

    /// Carries out the draws whose turn it is, and returns what that weighs.
    pub(crate) fn serve_draws(now: BlockNumberFor<T>) -> Weight {
        let db = T::DbWeight::get();
        let mut weight = db.reads(1);
        let before = DrawQueue::<T>::get();
        let mut queue = before;
        let mut draws_left = MAX_DRAWS_PER_BLOCK;
        for _ in 0..MAX_ORDERS_PER_BLOCK {
            if queue.first >= queue.next || draws_left == 0 {
                break;
            }
            let order = DrawOrders::<T>::get(queue.first);
            // Saturating: block numbers would have to run out first.
            if order.is_some_and(|order| now < order.ordered_at.saturating_add(DRAW_DELAY.into())) {
                weight = weight.saturating_add(db.reads(1));
                break;
            }
            DrawOrders::<T>::remove(queue.first);
            queue.first = queue.first.saturating_add(1);
            weight = weight.saturating_add(Self::order_weight());
            let Some(order) = order else {
                defensive!("a draw that was ordered is not in its place");
                continue;
            };
            if Self::draw(order, now) {
                draws_left = draws_left.saturating_sub(1);
                weight = weight.saturating_add(T::WeightInfo::invite());
            }
        }
        if queue != before {
            weight = weight.saturating_add(db.writes(1));
            DrawQueue::<T>::put(queue);
        }
        weight
    }

    /// What an order weighs, without the draw: it is read and removed, and its task and progress are read.
    pub(crate) fn order_weight() -> Weight {
        let order = DrawOrder::<BlockNumberFor<T>>::max_encoded_len();
        let progress = TaskProgress::<BlockNumberFor<T>>::max_encoded_len();
        let size = [order, progress, TaskOf::<T>::max_encoded_len()]
            .into_iter()
            .fold(0usize, |size, one| size.saturating_add(one).saturating_add(KEY_PROOF));
        T::DbWeight::get()
            .reads_writes(3, 1)
            .saturating_add(Weight::from_parts(0, size as u64))
    }

    /// Carries out one draw, unless its round is over, and says whether it did. Reads the task and its progress.
    fn draw(order: DrawOrder<BlockNumberFor<T>>, now: BlockNumberFor<T>) -> bool {
        let DrawOrder { task: id, round, .. } = order;
        let (Some(task), Some(progress)) = (Tasks::<T>::get(id), Progress::<T>::get(id)) else {
            return false;
        };
        if progress.round != round || !progress.phase.takes_workers() {
            return false;
        }
        let contributors = Self::workers_of(id).into_iter().map(|(worker, _)| worker);
        let mut partial: Vec<_> = contributors.collect();
        if progress.kind == RoundKind::Appeal {
            partial.extend(T::Judge::attesters(id));
            partial.extend(Places::<T>::get(id).into_iter().map(|place| place.who));
        }
        Self::invite(id, &task, round, progress.wanted, partial, now);
        true
    }

    /// Draws workers who may accept before anybody else, none of `exclude` nor the publisher. If there are none, anybody may.
    pub(crate) fn invite(
        id: TaskId,
        task: &TaskOf<T>,
        round: u32,
        count: u32,
        mut exclude: Vec<T::AccountId>,
        now: BlockNumberFor<T>,
    ) {
        exclude.push(task.publisher.clone());
        let seed = T::Seed::seed(&(b"agora/invite", id, round).encode());
        let drawn = T::Participants::draw_workers(seed, task.job.specialisation(), count, &exclude);
        // Never truncated: `count` is bounded by the class's replicas.
        let workers = InvitedOf::<T>::truncate_from(drawn);
        if workers.is_empty() {
            Invitations::<T>::remove(id);
            return;
        }
        // Saturating: windows are bounded, so block numbers would have to run out first.
        let until = now.saturating_add(task.terms.invite_window);
        Invitations::<T>::insert(
            id,
            Invitation {
                workers: workers.clone(),
                until,
            },
        );
        Self::deposit_event(Event::WorkersInvited {
            task: id,
            workers,
            until,
        });
    }
}
