//! Benchmarks of the calls, and of what the life of a task makes this pallet do.
#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use super::*;
use crate::impls::account_bytes;
use agora_disputes::{
    Accusation, Aim, BranchMove, Children, Defence, Execution, List, Match, Phase, Pinned, Player, Run, RunEnd,
    Segment, Shown, Stand, Target, Terms, Time, commitment,
    player::{Content, children},
};
use agora_machine::{
    State, Status,
    run_tree::{DEPTH, node_hash, node_of_equals},
};
use agora_primitives::{
    TaskId,
    courts::{CaseTerms, Court},
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, SyntheticJob, blob},
};
use agora_reference::{Step, UnitRun};
use alloc::{boxed::Box, vec, vec::Vec};
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::traits::{EnsureOrigin, Get};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;

/// Gives accounts money.
pub trait BenchmarkHelper<AccountId, Balance> {
    /// Gives `who` at least `amount` of free balance above what keeps its account alive.
    fn fund(who: &AccountId, amount: Balance);
}

/// For chains whose escrow is a no-op.
impl<AccountId, Balance> BenchmarkHelper<AccountId, Balance> for () {
    fn fund(_: &AccountId, _: Balance) {}
}

const TASK: TaskId = TaskId(0);
const SALT: [u8; 32] = [7; 32];
const TRIAL: u64 = 0;
/// Blocks of every phase but entry.
const BLOCKS: u32 = 20;
const TERMS: Terms = Terms {
    commit: 1,
    reveal: BLOCKS as u64,
    clock: BLOCKS as u64,
    entry: BLOCKS as u64 / 2,
    challenge: BLOCKS as u64,
    stops: BLOCKS as u64,
};
/// States before the output: a list of them has more than 16 chunks.
const STATES: u32 = 600;

/// A segment of 65,536 instructions that takes as long as any program of a publisher could make one take, on as many pages as go with that;
/// the state before it; and what is executed. A test makes it.
pub(crate) const SEGMENT: &[u8] = include_bytes!("benchmarking/segment.bin");

/// [`SEGMENT`], decoded: the machine, the state and the witness.
pub(crate) fn segment() -> (Pinned, Vec<u8>, Vec<u8>) {
    Decode::decode(&mut &SEGMENT[..]).unwrap()
}

/// Some unit: the image is that of the chain.
fn unit() -> Execution {
    let nothing = BlobRef::to(&[]);
    Execution::Unit(UnitRun {
        job: nothing,
        states: nothing,
        scans: nothing,
        kept: nothing,
        step: Step::Inputs,
        unit: 0,
    })
}

fn job(matrix_size: u32) -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size,
        iterations: STATES,
    }))
}

/// What the claim says that the output is.
fn output(matrix_size: u32) -> Vec<u8> {
    vec![5; (matrix_size * matrix_size) as usize]
}

fn claim(matrix_size: u32) -> Claim {
    Claim::Output {
        output: BlobRef::to(&output(matrix_size)),
        states_root: H256::repeat_byte(1),
    }
}

fn accusation(matrix_size: u32) -> Accusation {
    Accusation {
        accused: claim(matrix_size),
        target: Target::Output,
        own: Some(claim(matrix_size + 1)),
    }
}

fn funded<T: Config>(name: &'static str) -> T::AccountId {
    let who = account(name, 0, 0);
    T::BenchmarkHelper::fund(&who, T::Bond::get() * 4u32.into());
    who
}

fn wait<T: Config>(blocks: u32) {
    let now = frame_system::Pallet::<T>::block_number();
    frame_system::Pallet::<T>::set_block_number(now + blocks.into());
}

fn time<T: Config>() -> Time {
    use sp_runtime::SaturatedConversion;
    Time {
        block: frame_system::Pallet::<T>::block_number().saturated_into(),
        full: 0,
    }
}

fn open_case<T: Config>(matrix_size: u32) {
    CurrentTerms::<T>::put(TERMS);
    wait::<T>(1);
    let until = frame_system::Pallet::<T>::block_number() + BLOCKS.into();
    let terms = CaseTerms {
        job: JobSource::Inline(job(matrix_size)),
        claim: claim(matrix_size),
        until,
    };
    assert!(Pallet::<T>::open(TASK, terms).unwrap());
}

fn commitment_of<T: Config>(who: &T::AccountId, matrix_size: u32) -> H256 {
    let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
    commitment(&genesis, 0, &account_bytes(who), &accusation(matrix_size), &SALT)
}

/// A case with an accusation that may be revealed.
fn hidden<T: Config>(matrix_size: u32) -> T::AccountId {
    open_case::<T>(matrix_size);
    let accuser = funded::<T>("accuser");
    let hash = commitment_of::<T>(&accuser, matrix_size);
    Pallet::<T>::do_commit(accuser.clone(), TASK, hash).unwrap();
    wait::<T>(BLOCKS + 1);
    accuser
}

/// A trial about the output, of which nothing is shown.
fn trial<T: Config>(matrix_size: u32) -> T::AccountId {
    let accuser = hidden::<T>(matrix_size);
    Pallet::<T>::do_reveal(accuser.clone(), TASK, &accusation(matrix_size), &SALT, job(matrix_size)).unwrap();
    accuser
}

/// The digests of the states that a defence names.
fn digests() -> Vec<H256> {
    (0..STATES).map(|n| blob::hash(&n.to_le_bytes())).collect()
}

fn defence() -> Defence {
    Defence {
        states: blob::hash(&agora_reference::list(&digests())),
        scans: blob::hash(&[]),
        kept: blob::hash(&[]),
        failing: 0,
    }
}

/// A trial with a defence of an output of one chunk.
fn defended<T: Config>() -> (T::AccountId, T::AccountId) {
    let accuser = trial::<T>(32);
    let defender = funded::<T>("defender");
    Pallet::<T>::do_show(defender.clone(), TRIAL, &Shown::Chunk(output(32))).unwrap();
    Pallet::<T>::do_defend(defender.clone(), TRIAL, defence()).unwrap();
    (accuser, defender)
}

/// A trial with runs in question.
fn running<T: Config>() -> (T::AccountId, T::AccountId) {
    let (accuser, defender) = defended::<T>();
    play_list::<T>(&accuser, BranchMove::Choose(None));
    (accuser, defender)
}

fn play_list<T: Config>(who: &T::AccountId, made: BranchMove) {
    Pallet::<T>::do_dispute_list(who.clone(), TRIAL, defence().id(), &made).unwrap();
}

/// The largest state with which a run may end.
fn end() -> (H256, RunEnd) {
    let state = State {
        status: Status::Unusable,
        ..State::start(&BlobRef::to(&[]), 1)
    };
    let leaf = state.hash();
    let path = (0..DEPTH)
        .rev()
        .map(|height| [node_of_equals(leaf, height); 16])
        .collect();
    let end = RunEnd {
        path,
        state: state.encode(),
        chunk: None,
    };
    (node_of_equals(leaf, DEPTH), end)
}

/// Two runs, the first of which was added, and the other is for the claim; and their match.
fn matched<T: Config>(roots: [H256; 2], start: H256) -> (H256, H256, H256) {
    let (accuser, defender) = running::<T>();
    let key = defence().id();
    for (root, by, stand) in [
        (roots[0], accuser, Stand::Against),
        (roots[1], defender.clone(), Stand::For),
    ] {
        let run = Run {
            by,
            root,
            stand,
            lost: None,
        };
        Runs::<T>::insert((TRIAL, key, root), run);
    }
    let (one, other) = types::ordered(roots[0], roots[1]);
    let game = Match::new([one, other], start, &TERMS, time::<T>());
    Matches::<T>::insert((TRIAL, key, one, other), Some(game));
    Trials::<T>::mutate(TRIAL, |trial| trial.as_mut().unwrap().parts += 3);
    (key, one, other)
}

/// The children of the node `height` above the leaf `16^7`, which is the first below its node at each height but the highest.
fn spine(before: H256, leaf: H256, height: u32) -> Children {
    let mut children = [H256::zero(); 16];
    if height == DEPTH {
        children[0] = node_of_equals(before, DEPTH - 1);
        children[1] = node_hash(&spine(before, leaf, DEPTH - 1));
    } else if height == 1 {
        children[0] = leaf;
    } else {
        children[0] = node_hash(&spine(before, leaf, height - 1));
    }
    children
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn open_case() {
        #[block]
        {
            super::open_case::<T>(32);
        }

        assert!(OpenCases::<T>::contains_key(TASK));
    }

    #[benchmark]
    fn standing() {
        super::open_case::<T>(32);

        #[block]
        {
            Pallet::<T>::standing(TASK);
        }
    }

    #[benchmark]
    fn close_case() {
        super::open_case::<T>(32);

        #[block]
        {
            Pallet::<T>::close(TASK);
        }

        assert!(!OpenCases::<T>::contains_key(TASK));
    }

    #[benchmark]
    fn commit() {
        super::open_case::<T>(32);
        let caller = funded::<T>("accuser");

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TASK, H256::zero());

        assert_eq!(OpenCases::<T>::get(TASK).unwrap().hidden, 1);
    }

    /// An accusation that opens nothing: one of a chunk hashes its proof, of at most 64 nodes.
    #[benchmark]
    fn reveal() {
        let caller = hidden::<T>(32);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            TASK,
            Box::new(accusation(32)),
            SALT,
            Box::new(job(32)),
        );

        assert!(Trials::<T>::contains_key(TRIAL));
    }

    /// A whole chunk: it is hashed twice.
    #[benchmark]
    fn show() {
        let caller = trial::<T>(32);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, Shown::Chunk(output(32)));

        let phase = Trials::<T>::get(TRIAL).unwrap().dispute.phase;
        assert!(matches!(
            phase,
            Phase::Defences {
                aim: Aim::Chunk { .. },
                ..
            }
        ));
    }

    #[benchmark]
    fn name_child() {
        let caller = trial::<T>(128);
        let node = agora_disputes::Node::blob(&BlobRef::to(&output(128)));
        let shown = children(&node, Content::Bytes(&output(128)));
        assert_eq!(shown.len(), 16);
        Pallet::<T>::do_show(caller.clone(), TRIAL, &Shown::Children(shown)).unwrap();

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, 15);

        assert!(matches!(
            Trials::<T>::get(TRIAL).unwrap().dispute.phase,
            Phase::Chunks { .. }
        ));
    }

    #[benchmark]
    fn defend() {
        trial::<T>(32);
        let caller = funded::<T>("defender");
        Pallet::<T>::do_show(caller.clone(), TRIAL, &Shown::Chunk(output(32))).unwrap();

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, defence());

        assert_eq!(Trials::<T>::get(TRIAL).unwrap().parts, 1);
    }

    /// A chunk of a list, after its way down is kept.
    #[benchmark]
    fn dispute_list() {
        let (accuser, defender) = defended::<T>();
        play_list::<T>(&accuser, BranchMove::Choose(Some(List::States)));
        let bytes = agora_reference::list(&digests());
        let node = agora_disputes::Node::blob(&BlobRef::to(&bytes));
        play_list::<T>(
            &defender,
            BranchMove::Show(Shown::Children(children(&node, Content::Bytes(&bytes)))),
        );
        let (first, len) = node.spans()[0];
        play_list::<T>(&accuser, BranchMove::Name(0));
        let mut chunk = bytes[first as usize..(first + len) as usize].to_vec();
        let mut first_child = agora_disputes::Node {
            first,
            len,
            root: false,
            ..node
        };
        // Down to a leaf, if the list is deeper.
        while len > 1024 && !first_child.is_leaf() {
            let Defended { branch, .. } = Defences::<T>::get(TRIAL, defence().id()).unwrap();
            let agora_disputes::BranchPhase::Entry { descent, .. } = branch.phase else {
                unreachable!("the list is in question")
            };
            first_child = descent.node;
            if first_child.is_leaf() {
                break;
            }
            play_list::<T>(
                &defender,
                BranchMove::Show(Shown::Children(children(&first_child, Content::Bytes(&bytes)))),
            );
            play_list::<T>(&accuser, BranchMove::Name(0));
        }
        chunk.truncate(1024);
        let key = defence().id();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(defender),
            TRIAL,
            key,
            BranchMove::Show(Shown::Chunk(chunk)),
        );

        assert!(!Defences::<T>::get(TRIAL, key).unwrap().shown.is_empty());
    }

    #[benchmark]
    fn add_run() {
        let (caller, _) = running::<T>();
        let (root, end) = end();
        let key = defence().id();

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, key, root, Box::new(end));

        assert!(Runs::<T>::contains_key((TRIAL, key, root)));
    }

    #[benchmark]
    fn challenge() {
        let (key, one, other) = matched::<T>([H256::zero(), H256::repeat_byte(1)], H256::zero());
        Matches::<T>::remove((TRIAL, key, one, other));
        let caller = funded::<T>("passer-by");

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, key, other, one);

        assert!(Matches::<T>::contains_key((TRIAL, key, one, other)));
    }

    /// The second of both nodes: the match goes down.
    #[benchmark]
    fn open_node() {
        let nodes = [[H256::zero(); 16], [H256::repeat_byte(1); 16]];
        let roots = nodes.each_ref().map(node_hash);
        let (key, one, other) = matched::<T>(roots, H256::zero());
        let of = |root| Box::new(nodes[usize::from(root == roots[1])]);
        let caller = funded::<T>("passer-by");
        Pallet::<T>::do_open_node(caller.clone(), TRIAL, key, (one, other), Player::First, &of(one)).unwrap();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            TRIAL,
            key,
            one,
            other,
            Player::Second,
            of(other),
        );

        let game = Matches::<T>::get((TRIAL, key, one, other)).flatten().unwrap();
        assert_eq!(game.position(), (DEPTH - 1, 0));
    }

    /// The longest segment, with the longest way to the state before it. It is the call with another image than the chain's: a
    /// program of a publisher may have such a segment, whatever that image does.
    #[benchmark]
    fn execute() {
        let (machine, state, witness) = segment();
        let before = State::decode(&mut &state[..]).unwrap().hash();
        let (_, after) = agora_disputes::Segments::next(&machine, &unit(), &state, &witness).unwrap();
        let leaves = [after, H256::repeat_byte(9)];
        let roots = leaves.map(|leaf| node_hash(&spine(before, leaf, DEPTH)));
        let (key, one, other) = matched::<T>(roots, H256::zero());
        let caller = funded::<T>("passer-by");
        for height in (1..=DEPTH).rev() {
            for (player, root) in [(Player::First, one), (Player::Second, other)] {
                let leaf = leaves[usize::from(root == roots[1])];
                let shown = spine(before, leaf, height);
                Pallet::<T>::do_open_node(caller.clone(), TRIAL, key, (one, other), player, &shown).unwrap();
            }
        }
        let path = (0..DEPTH - 1)
            .rev()
            .map(|height| [node_of_equals(before, height); 16])
            .collect();
        let segment = Segment { path, state, witness };

        #[block]
        {
            Pallet::<T>::do_execute(&machine, caller, TRIAL, key, (one, other), &segment).unwrap();
        }

        assert!(Runs::<T>::get((TRIAL, key, roots[0])).unwrap().lost.is_none());
        assert!(Runs::<T>::get((TRIAL, key, roots[1])).unwrap().lost.is_some());
    }

    /// A match is over: three parts change.
    #[benchmark]
    fn advance() {
        let (key, one, other) = matched::<T>([H256::zero(), H256::repeat_byte(1)], H256::zero());
        let caller = funded::<T>("passer-by");
        wait::<T>(BLOCKS);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, Clocked::Match(key, one, other));

        assert_eq!(Matches::<T>::get((TRIAL, key, one, other)), Some(None));
    }

    /// A defence that lost, of whose bond the accuser gets a part.
    #[benchmark]
    fn collect() {
        let (accuser, defender) = defended::<T>();
        play_list::<T>(&accuser, BranchMove::Choose(Some(List::States)));
        // The clocks are longer by the time that the job takes.
        let clock = Trials::<T>::get(TRIAL).unwrap().terms.clock;
        wait::<T>(clock as u32);
        let key = defence().id();
        Pallet::<T>::do_advance(defender.clone(), TRIAL, Clocked::Defence(key)).unwrap();
        Pallet::<T>::do_advance(defender.clone(), TRIAL, Clocked::Trial).unwrap();
        let caller = funded::<T>("passer-by");

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TRIAL, Part::Defence(key));

        assert_eq!(Trials::<T>::get(TRIAL).unwrap().parts, 0);
    }

    #[benchmark]
    fn set_terms() {
        let origin = T::TermsOrigin::try_successful_origin().unwrap();

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Some(TERMS));

        assert_eq!(CurrentTerms::<T>::get(), Some(TERMS));
    }

    /// An accusation that was not revealed.
    #[benchmark]
    fn withdraw() {
        let accuser = hidden::<T>(32);
        wait::<T>(BLOCKS);
        let caller = funded::<T>("passer-by");

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), 0, accuser.clone());

        assert!(!HiddenAccusations::<T>::contains_key(0, accuser));
    }

    #[benchmark]
    fn lift_suspension() {
        let origin = T::TermsOrigin::try_successful_origin().unwrap();
        let image = T::Machine::get().image.hash;
        Pallet::<T>::do_suspend(image).unwrap();

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, image);

        assert!(!Suspensions::<T>::get(image).holds);
    }

    #[benchmark]
    fn on_finalize() {
        #[block]
        {
            Pallet::<T>::count_full_block();
        }
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::chain(None), crate::mock::Test);
}
