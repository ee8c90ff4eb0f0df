//! What the tests have happen, and what they look at: tasks published, worked on and judged, in one line each.

use super::*;

/// A small job.
pub fn job() -> JobSource {
    JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 64,
        iterations: 4,
    })))
}

pub const DEADLINE: BlockNumber = 20;

pub fn reference(n: u8) -> Reference {
    [n; 16]
}

/// Publishes Alice's task, and returns its id.
pub fn publish() -> TaskId {
    publish_as(ALICE, 1)
}

pub fn publish_as(publisher: AccountId, n: u8) -> TaskId {
    let id = crate::NextTaskId::<Test>::get();
    assert_ok!(Tasks::publish(
        RuntimeOrigin::signed(publisher),
        CLASS,
        job(),
        Difficulty::ONE,
        REWARD,
        now() + DEADLINE - 1,
        reference(n),
    ));
    id
}

pub fn worker(n: u64) -> AccountId {
    WORKER + n
}

/// Goes on until the workers of the task's round are drawn, if they are to be.
pub fn await_draw(task: TaskId) {
    while crate::Invitations::<Test>::get(task).is_some_and(|invited| invited.workers.is_empty()) {
        run_to(now() + 1);
    }
}

/// Has a worker accept, as soon as somebody may.
pub fn accept(n: u64, task: TaskId) {
    await_draw(task);
    assert_ok!(Tasks::accept(RuntimeOrigin::signed(worker(n)), task));
}

/// The answer that the input is unusable.
pub const UNUSABLE: u8 = 0;
/// The output of answer 1, but by other states.
pub const OTHER_STATES: u8 = 101;

/// The claim that answer `answer` is.
pub fn claim(answer: u8) -> Claim {
    let output = |content: u8, states: u8| Claim::Output {
        output: BlobRef::to(&[content]),
        states_root: H256::repeat_byte(states),
    };
    match answer {
        UNUSABLE => Claim::Unusable,
        OTHER_STATES => output(1, OTHER_STATES),
        other => output(other, other),
    }
}

/// What worker `n` commits with for `answer`.
pub fn commitment_of(n: u64, task: TaskId, answer: u8) -> H256 {
    let genesis = System::block_hash(0);
    commitment(genesis, task, &worker(n), &claim(answer), &SALT)
}

pub fn commit(n: u64, task: TaskId, answer: u8) {
    let commitment = commitment_of(n, task, answer);
    assert_ok!(Tasks::commit(RuntimeOrigin::signed(worker(n)), task, commitment));
}

pub fn reveal(n: u64, task: TaskId, answer: u8) {
    assert_ok!(Tasks::reveal(
        RuntimeOrigin::signed(worker(n)),
        task,
        claim(answer),
        SALT
    ));
}

/// Has these workers accept, think and commit.
pub fn commit_all(task: TaskId, answers: &[(u64, u8)]) {
    answers.iter().for_each(|(n, _)| accept(*n, task));
    run_to(now() + 2);
    answers.iter().for_each(|(n, answer)| commit(*n, task, *answer));
}

/// Has these workers accept, think, commit and reveal, and the task judged.
pub fn answer_all(task: TaskId, answers: &[(u64, u8)]) {
    commit_all(task, answers);
    if phase(task) == Phase::Working {
        run_to(progress(task).due + 1);
    }
    answers.iter().for_each(|(n, answer)| reveal(*n, task, *answer));
    // Judging is due in the block after the last reveal.
    run_to(now() + 2);
}

pub fn progress(task: TaskId) -> crate::types::TaskProgress<BlockNumber> {
    crate::Progress::<Test>::get(task).expect("task")
}

pub fn phase(task: TaskId) -> Phase {
    progress(task).phase
}

/// What somebody has, free.
pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// What `who` gained since genesis, and lost if it is negative.
pub fn gain(who: AccountId) -> i128 {
    let at_genesis = if who == TREASURY { ED } else { ENDOWMENT };
    let all = free(who) + Balances::reserved_balance(who);
    all as i128 - at_genesis as i128
}

pub fn bond_held(n: u64, task: TaskId) -> Balance {
    Escrow::held(Purpose::TaskBond, Scope::Task(task), &worker(n))
}

/// What was recorded of `who`.
pub fn records_of(who: AccountId) -> Vec<(Side, Outcome)> {
    ReputationDouble::outcomes()
        .into_iter()
        .filter_map(|(account, side, outcome)| (account == who).then_some((side, outcome)))
        .collect()
}

pub const AS_WORKER: Side = Side::Worker(Specialisation::Synthetic);

pub fn has_event(event: Event<Test>) {
    System::assert_has_event(event.into());
}

pub fn last_event(event: Event<Test>) {
    System::assert_last_event(event.into());
}
