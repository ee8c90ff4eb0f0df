//! Doubles of the judge, the registry, the rewards and the tree of results. The judge's windows are in storage, as the
//! real judge's are, so that they are undone with it; what the others know is not.

use super::*;
use agora_math::consensus::verdict;
use agora_primitives::{
    courts::{Accusers, CaseTerms, Court, Standing},
    exact::{ExactCourt, NotExact},
    judging::{Answer, AppealTerms, Attestation, Judge, JudgeRule, Reveals, Ruling, Tally, TaskParties, Verdict},
    money::{PaymentPlan, Payroll, PresetId, RewardPlanner},
    participants::{Participants, Role},
    results::{ResultLeaf, ResultSink},
};
use frame_support::{pallet_prelude::*, storage_alias};
use pallet_agora_rewards::Split;
use sp_runtime::{DispatchError, DispatchResult};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// What the doubles know. Reset by [`ExtBuilder::build`].
#[derive(Default)]
pub struct World {
    /// Slots in use.
    pub slots: BTreeMap<AccountId, u32>,
    /// Who is not active.
    pub inactive: BTreeSet<AccountId>,
    /// Who is banned.
    pub banned: BTreeSet<AccountId>,
    /// Who is not suited to anything.
    pub unsuited: BTreeSet<AccountId>,
    /// The block and the seed of each draw.
    pub draws: Vec<(BlockNumber, H256)>,
    /// Leaves of settled results.
    pub leaves: Vec<ResultLeaf<AccountId>>,
    /// Whether the tree of results is full.
    pub tree_is_full: bool,
    /// Whether there is a court.
    pub has_court: bool,
    /// Whether the chain computes nothing itself.
    pub no_exact_court: bool,
    /// Why it computes no job that is published now, if it does not.
    pub not_exact: Option<NotExact>,
    /// Whether payment plans lose something.
    pub plan_is_short: bool,
    /// Whom the judge names as the best, if not the real one.
    pub forced_best: Option<AccountId>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

impl World {
    /// Forgets everything.
    pub fn reset() {
        WORLD.take();
    }
}

/// Looks at, or changes, what the doubles know.
pub fn world<R>(look: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(look)
}

/// Slots per worker.
pub const SLOTS: u32 = 3;

/// Open appeal windows, and how many attested for and against.
#[storage_alias]
pub type AppealWindows =
    StorageMap<JudgeDouble, Twox64Concat, TaskId, (AppealTerms<BlockNumber, Balance>, u32, u32), OptionQuery>;

/// Open appeal windows with attestations that are not revealed. The last block in which they may be, when chunks were drawn.
#[storage_alias]
pub type Hidden = StorageMap<JudgeDouble, Twox64Concat, TaskId, Option<BlockNumber>, OptionQuery>;

/// How appeal windows were closed.
#[storage_alias]
pub type Rulings = StorageValue<JudgeDouble, Vec<(TaskId, Ruling)>, ValueQuery>;

/// Judges as the real judge does; anybody may be made to have attested.
pub struct JudgeDouble;

impl Judge<AccountId, BlockNumber, Balance> for JudgeDouble {
    fn judge(rule: JudgeRule, seed: H256, answers: &[Answer<AccountId, BlockNumber>]) -> Option<Verdict<AccountId>> {
        let JudgeRule::Replication { trust } = rule else {
            panic!("nothing is judged that the chain has computed");
        };
        let verdict = verdict(trust, seed.as_fixed_bytes(), answers)?;
        let best = world(|world| world.forced_best).unwrap_or(verdict.best);
        Some(Verdict { best, ..verdict })
    }

    fn open_appeal_window(task: TaskId, terms: AppealTerms<BlockNumber, Balance>) -> DispatchResult {
        assert!(!AppealWindows::contains_key(task), "an appeal window was opened twice");
        AppealWindows::insert(task, (terms, 0, 0));
        Ok(())
    }

    fn appealed(task: TaskId) -> Option<Claim> {
        AppealWindows::get(task).map(|(terms, ..)| terms.claim)
    }

    fn appeal_until(task: TaskId) -> Option<BlockNumber> {
        AppealWindows::get(task).map(|(terms, ..)| terms.until)
    }

    fn reveals(task: TaskId) -> Reveals<BlockNumber> {
        let now = System::block_number();
        match (Hidden::get(task), AppealWindows::get(task)) {
            (Some(None), Some((terms, ..))) => Reveals::Undrawn { from: terms.until + 2 },
            (Some(Some(until)), Some(_)) if now <= until => Reveals::Pending { until },
            _ => Reveals::Done,
        }
    }

    fn draw_chunks(task: TaskId, _: H256) {
        let (terms, ..) = AppealWindows::get(task).expect("an open appeal window");
        let now = System::block_number();
        assert_eq!(
            Hidden::get(task),
            Some(None),
            "chunks are drawn once, for those who have committed"
        );
        assert!(now >= terms.until + 2, "chunks are drawn too early");
        Hidden::insert(task, Some(now + terms.reveal_window));
    }

    fn tally(task: TaskId) -> Tally {
        AppealWindows::get(task).map_or_else(Tally::default, |(_, in_favour, against)| Tally { in_favour, against })
    }

    fn attesters(task: TaskId) -> Vec<AccountId> {
        let Tally { in_favour, against } = Self::tally(task);
        (0..in_favour + against).map(|n| VERIFIER + u64::from(n)).collect()
    }

    fn close_appeal_window(task: TaskId, ruling: Ruling) -> Result<Vec<AccountId>, DispatchError> {
        assert_eq!(
            Self::reveals(task),
            Reveals::Done,
            "a window is closed while somebody may reveal"
        );
        Hidden::remove(task);
        let (_, in_favour, against) = AppealWindows::take(task).ok_or(DispatchError::Other("no appeal window"))?;
        Rulings::append((task, ruling));
        let right = match ruling.pays() {
            Attestation::Valid => 0..in_favour,
            Attestation::Invalid => in_favour..in_favour + against,
        };
        Ok(right.map(|n| VERIFIER + u64::from(n)).collect())
    }
}

/// Has verifiers attest: the first `in_favour` for, the next `against` against.
pub fn attest(task: TaskId, in_favour: u32, against: u32) {
    let (terms, ..) = AppealWindows::get(task).expect("an open appeal window");
    AppealWindows::insert(task, (terms, in_favour, against));
}

/// Has somebody commit to an attestation.
pub fn hide(task: TaskId) {
    Hidden::insert(task, None::<BlockNumber>);
}

/// Has everybody reveal: the first `in_favour` for, the next `against` against.
pub fn reveal_attestations(task: TaskId, in_favour: u32, against: u32) {
    assert!(
        matches!(JudgeDouble::reveals(task), Reveals::Pending { .. }),
        "nobody can reveal"
    );
    Hidden::remove(task);
    attest(task, in_favour, against);
    <Tasks as TaskParties<AccountId>>::all_revealed(task);
}

/// Open cases, and how they stand; `None`: the claim stands as soon as nobody can accuse it any more.
#[storage_alias]
pub type OpenCases = StorageMap<
    CourtDouble,
    Twox64Concat,
    TaskId,
    (CaseTerms<BlockNumber>, Option<Standing<AccountId, BlockNumber>>),
    OptionQuery,
>;

/// Decides what the test wants; without [`World::has_court`] it opens no case.
pub struct CourtDouble;

impl Court<AccountId, BlockNumber> for CourtDouble {
    fn open(task: TaskId, terms: CaseTerms<BlockNumber>) -> Result<bool, DispatchError> {
        if !world(|world| world.has_court) {
            return Ok(false);
        }
        assert!(!OpenCases::contains_key(task), "a case was opened twice");
        OpenCases::insert(task, (terms, None::<Standing<AccountId, BlockNumber>>));
        Ok(true)
    }
    fn standing(task: TaskId) -> Standing<AccountId, BlockNumber> {
        match OpenCases::get(task) {
            Some((_, Some(standing))) => standing,
            Some((terms, None)) if now() <= terms.until => Standing::Pending { until: terms.until },
            Some((_, None)) | None => Standing::Stands,
        }
    }
    fn close(task: TaskId) {
        OpenCases::remove(task);
    }
}

/// Has the court say how the case of `task` stands.
pub fn decide(task: TaskId, standing: Standing<AccountId, BlockNumber>) {
    let (terms, _) = OpenCases::get(task).expect("an open case");
    OpenCases::insert(task, (terms, Some(standing)));
}

/// Those who have shown that a claim is wrong.
pub fn accusers<const N: usize>(accusers: [AccountId; N]) -> Accusers<AccountId> {
    BoundedVec::truncate_from(accusers.to_vec())
}

/// The claim fell, as these have shown.
pub fn fallen<const N: usize>(by: [AccountId; N]) -> Standing<AccountId, BlockNumber> {
    Standing::Fallen { accusers: accusers(by) }
}

/// Computes what the test says.
pub struct ExactDouble;

impl ExactDouble {
    /// What looking at a job weighs.
    pub const WEIGHT: Weight = Weight::from_parts(7_000, 70);
}

impl ExactCourt for ExactDouble {
    fn is_there() -> bool {
        world(|world| !world.no_exact_court)
    }
    fn admits(_: &JobSource) -> Result<(), NotExact> {
        world(|world| world.not_exact).map_or(Ok(()), Err)
    }
    fn weight() -> Weight {
        Self::WEIGHT
    }
}

/// Knows the workers `WORKER..`, three slots each; draws the first that are not excluded.
pub struct ParticipantsDouble;

impl Participants<AccountId> for ParticipantsDouble {
    fn ensure_active(who: &AccountId, role: Role) -> DispatchResult {
        assert_eq!(role, Role::Worker);
        match world(|world| world.inactive.contains(who)) {
            true => Err(DispatchError::Other("inactive")),
            false => Ok(()),
        }
    }
    fn ensure_not_banned(who: &AccountId) -> DispatchResult {
        match world(|world| world.banned.contains(who)) {
            true => Err(DispatchError::Other("banned")),
            false => Ok(()),
        }
    }
    fn ensure_suited(who: &AccountId, specialisation: Specialisation) -> DispatchResult {
        assert_eq!(specialisation, Specialisation::Synthetic);
        match world(|world| world.unsuited.contains(who)) {
            true => Err(DispatchError::Other("unsuited")),
            false => Ok(()),
        }
    }
    fn occupy_slot(who: &AccountId) -> DispatchResult {
        world(|world| {
            let used = world.slots.entry(*who).or_default();
            if *used >= SLOTS {
                return Err(DispatchError::Other("no slot"));
            }
            *used += 1;
            Ok(())
        })
    }
    fn free_slot(who: &AccountId) {
        world(|world| {
            let used = world.slots.get_mut(who).expect("a slot was occupied");
            *used = used.checked_sub(1).expect("a slot is freed once");
        });
    }
    fn draw_workers(seed: H256, _: Specialisation, count: u32, exclude: &[AccountId]) -> Vec<AccountId> {
        world(|world| world.draws.push((now(), seed)));
        (WORKER..WORKER + WORKERS)
            .filter(|who| !exclude.contains(who))
            .take(count as usize)
            .collect()
    }
}

/// Keeps the leaves, unless it is full.
pub struct ResultsDouble;

impl ResultSink<AccountId> for ResultsDouble {
    fn append(leaf: ResultLeaf<AccountId>) -> DispatchResult {
        world(|world| {
            if world.tree_is_full {
                return Err(DispatchError::Exhausted);
            }
            world.leaves.push(leaf);
            Ok(())
        })
    }
}

/// The real rewards, which may be made to lose something.
pub struct RewardsDouble;

impl RewardPlanner<AccountId> for RewardsDouble {
    type Balance = Balance;
    type Split = Split;

    fn split(preset: PresetId) -> Option<Split> {
        Rewards::split(preset)
    }

    fn plan(
        split: &Split,
        reward: Balance,
        payroll: &Payroll<AccountId>,
    ) -> Result<PaymentPlan<AccountId, Balance>, DispatchError> {
        let mut plan = Rewards::plan(split, reward, payroll)?;
        if world(|world| world.plan_is_short) {
            plan.pop();
        }
        Ok(plan)
    }
}

/// Makes the accounts that the benchmarks need.
pub struct BenchmarkAccounts;

impl crate::scenario::BenchmarkHelper<AccountId, Balance> for BenchmarkAccounts {
    fn unit() -> Balance {
        100
    }
    fn preset() -> u8 {
        0
    }
    fn publisher() -> AccountId {
        ALICE
    }
    fn worker(n: u32, _: Specialisation) -> AccountId {
        let who = 2_000 + u64::from(n);
        assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), who, ENDOWMENT));
        who
    }
    fn max_attesters_per_side() -> u32 {
        4
    }
    fn attest(task: TaskId, in_favour: u32, against: u32) {
        attest(task, in_favour, against);
    }
    fn hide(task: TaskId) {
        hide(task);
    }
    fn open_court() {
        world(|world| world.has_court = true);
    }
    fn keep_undecided(task: TaskId) {
        decide(task, Standing::Pending { until: now() + 10 });
    }
    fn bring_down(task: TaskId, by: AccountId) {
        decide(task, fallen([by]));
    }
}
