//! The pallet's events.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    /// What happened. Each task has exactly one of the terminal events `Settled`, `Cancelled`, `Expired` and `Failed`.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A task was published, and its reward, stake and fee are held.
        Published {
            /// The task.
            task: TaskId,
            /// Who pays.
            publisher: T::AccountId,
            /// Its class.
            class: ClassId,
            /// The publisher's own name of it.
            reference: Reference,
            /// The reward.
            reward: BalanceOf<T>,
            /// The last block in which the first round's work may be committed.
            deadline: BlockNumberFor<T>,
        },
        /// Workers were drawn, for each of whom a slot is kept.
        WorkersInvited {
            /// The task.
            task: TaskId,
            /// Those who were drawn.
            workers: InvitedOf<T>,
            /// The last block in which slots are kept for them.
            until: BlockNumberFor<T>,
        },
        /// An invited worker declined: the slot that was kept for it is anybody's.
        InvitationDeclined {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
        },
        /// A worker accepted a task, and its bond is held.
        Accepted {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
        },
        /// A worker that was silent for too long lost its slot to another, and paid for being late.
        WorkerReplaced {
            /// The task.
            task: TaskId,
            /// The worker that was late.
            worker: T::AccountId,
            /// The one that accepted in its place.
            by: T::AccountId,
        },
        /// A worker committed to a result.
        Committed {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
            /// Its commitment.
            commitment: H256,
        },
        /// What was committed to may be revealed.
        RevealStarted {
            /// The task.
            task: TaskId,
            /// The last block for it.
            until: BlockNumberFor<T>,
        },
        /// A worker revealed its claim.
        Revealed {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
            /// What it claims the result to be.
            claim: Claim,
        },
        /// The answers do not agree enough: more workers are wanted.
        ReplicasWanted {
            /// The task.
            task: TaskId,
            /// The new round.
            round: u32,
            /// How many.
            count: u32,
        },
        /// The answers agree: a result is chosen and may be attested for or against.
        ResultChosen {
            /// The task.
            task: TaskId,
            /// What the result is claimed to be.
            claim: Claim,
            /// The worker with the best right answer.
            best: T::AccountId,
            /// The last block in which it may be appealed.
            appeal_until: BlockNumberFor<T>,
            /// Randomness for checks.
            seed: H256,
        },
        /// A court found that the result is wrong.
        ResultFell {
            /// The task.
            task: TaskId,
            /// The claim that is wrong.
            claim: Claim,
            /// Who share what is won by that, in the order in which they accused it.
            accusers: Accusers<T::AccountId>,
        },
        /// Who accuses the result has said what is right instead: that is chosen when its turn comes.
        ClaimEntered {
            /// The task.
            task: TaskId,
            /// Who.
            accuser: T::AccountId,
            /// What it says.
            claim: Claim,
            /// What is held of it for that.
            bond: BalanceOf<T>,
        },
        /// Another result, or the same once more, is chosen: a court may be asked about it.
        ResultReplaced {
            /// The task.
            task: TaskId,
            /// What the result is claimed to be.
            claim: Claim,
            /// The worker with the best right answer.
            best: T::AccountId,
            /// The last block in which it may be accused.
            until: BlockNumberFor<T>,
        },
        /// The result was attested against: fresh workers are wanted, whose answers are judged by themselves.
        Reopened {
            /// The task.
            task: TaskId,
            /// The new round.
            round: u32,
        },
        /// Terminal: the task was paid for by rule: an output with the reward, an unusable input with the stake.
        Settled {
            /// The task.
            task: TaskId,
            /// Its result.
            claim: Claim,
            /// The worker with the best right answer.
            best: T::AccountId,
        },
        /// Terminal: the publisher took the task back; the fee went to the treasury.
        Cancelled {
            /// The task.
            task: TaskId,
        },
        /// Terminal: nobody accepted, committed or revealed in time; the publisher has everything back.
        Expired {
            /// The task.
            task: TaskId,
        },
        /// Terminal: no result could be agreed on; the publisher has reward and stake back.
        Failed {
            /// The task.
            task: TaskId,
        },
        /// How a worker's part in a task is judged.
        WorkerJudged {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
            /// How it went.
            outcome: Outcome,
        },
        /// The record of a finished task was removed.
        Purged {
            /// The task.
            task: TaskId,
        },
        /// A step could not be taken now and is tried again.
        Postponed {
            /// The task.
            task: TaskId,
            /// Why.
            error: DispatchError,
        },
        /// The agenda had no room: from `due` on, somebody has to call `advance`.
        NotScheduled {
            /// The task.
            task: TaskId,
            /// When its next step is due.
            due: BlockNumberFor<T>,
        },
        /// A class was added or changed.
        ClassSet {
            /// The class.
            class: ClassId,
        },
        /// A class was removed.
        ClassRemoved {
            /// The class.
            class: ClassId,
        },
    }
}
