//! What the calls do, and the trait through which the life of a task has a claim decided.
//!
//! The game is [`agora_disputes`]: this pallet stores its parts apart, so that a call costs the same however many there are.

use crate::{
    ending::Winner,
    pallet::*,
    types::{
        Accuser, BalanceOf, Case, CaseOf, Clocked, Decision, Defended, Hidden, Opening, Part, Trial, TrialOf, longest,
        ordered, terms_for,
    },
    weights::WeightInfo,
};
use agora_disputes::{
    Accusation, BranchMove, BranchPhase, Children, Commitment, Defence, Dispute, Error as GameError, Fault, Found,
    Pinned, Player, Rules, RunEnd, Segment, Shown, Terms, Time, Verdict, commitment,
    money::{Ended, divide},
};
use agora_primitives::{
    TaskId,
    courts::{CaseTerms, Cases, Court, Offence, Offences, Standing},
    job::{BlobRef, Claim, JobSource, JobSpec},
    money::{Escrow, Payee, Purpose, Scope},
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
    BoundedVec,
    dispatch::DispatchClass,
    ensure,
    traits::{Defensive, Get},
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::{
    DispatchError, DispatchResult, SaturatedConversion,
    traits::{Saturating, Zero},
};

/// The longest call: a segment with its witness and the state before it, and what is around them.
const LONGEST_MOVE: u32 = 80 * 1024;

impl<T> From<GameError> for Error<T> {
    fn from(error: GameError) -> Self {
        match error {
            GameError::Terms => Self::Terms,
            GameError::NotNow => Self::NotNow,
            GameError::Early => Self::Early,
            GameError::NotAccuser => Self::NotAccuser,
            GameError::WrongOpening => Self::WrongOpening,
            GameError::WrongSegment => Self::WrongSegment,
            GameError::WrongList => Self::WrongList,
            GameError::NoChild => Self::NoChild,
            GameError::NoUnit => Self::NoUnit,
            GameError::Unknown => Self::Unknown,
            GameError::Known => Self::Known,
            GameError::NoMatch => Self::NoMatch,
            GameError::NotCommitted => Self::NotCommitted,
            GameError::Target => Self::Target,
            GameError::TooMany => Self::TooMany,
        }
    }
}

impl<T: Config> Court<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    /// Emits `CaseOpened`. Errors: `Known`.
    fn open(task: TaskId, terms: CaseTerms<BlockNumberFor<T>>) -> Result<bool, DispatchError> {
        ensure!(!OpenCases::<T>::contains_key(task), Error::<T>::Known);
        let Some(phases) = CurrentTerms::<T>::get() else {
            return Ok(false);
        };
        let number = next::<NextCase<T>>()?;
        let (claim, until) = (terms.claim, terms.until);
        let opened_at = Self::now();
        let image = Self::image_for(&terms.job);
        let suspension = image.map(Suspensions::<T>::get).unwrap_or_default();
        OpenCases::<T>::insert(
            task,
            Case {
                number,
                terms,
                phases,
                opened_at,
                full_before: FullBlocks::<T>::get(),
                committed: 0,
                hidden: 0,
                accusers: BoundedVec::new(),
                open: 0,
                trials_until: Zero::zero(),
                image,
                suspensions: suspension.times,
                // Nobody can show anything with a machine that is not trusted.
                decision: suspension.holds.then_some(Decision::Undecided),
                is_excused: suspension.holds,
                has_failed: false,
            },
        );
        Self::deposit_event(Event::CaseOpened {
            task,
            case: number,
            claim,
            until,
        });
        Ok(true)
    }

    fn standing(task: TaskId) -> Standing<T::AccountId, BlockNumberFor<T>> {
        match Self::case_of(task) {
            Some(case) => case.standing(Self::now(), FullBlocks::<T>::get()),
            None => Standing::Stands,
        }
    }

    /// Emits `CaseClosed`. Bonds are given back or divided when they are collected.
    fn close(task: TaskId) {
        if let Some(case) = Self::case_of(task) {
            OpenCases::<T>::remove(task);
            Self::remember(&case, Self::now());
            Self::deposit_event(Event::CaseClosed {
                task,
                case: case.number,
            });
        }
    }
}

/// Takes the next number of a counter.
fn next<Counter: frame_support::StorageValue<u64, Query = u64>>() -> Result<u64, DispatchError> {
    let number = Counter::get();
    Counter::put(number.checked_add(1).ok_or(sp_runtime::ArithmeticError::Overflow)?);
    Ok(number)
}

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// The time as the game counts it.
    pub(crate) fn time() -> Time {
        Time {
            block: Self::now().saturated_into(),
            full: FullBlocks::<T>::get(),
        }
    }

    /// The open case of `task`, as long as it is not decided.
    fn undecided(task: TaskId) -> Result<CaseOf<T>, Error<T>> {
        let case = Self::case_of(task).ok_or(Error::<T>::NoCase)?;
        ensure!(case.decision.is_none(), Error::<T>::CaseDecided);
        Ok(case)
    }

    pub(crate) fn do_commit(who: T::AccountId, task: TaskId, hash: H256) -> DispatchResult {
        let mut case = Self::undecided(task)?;
        ensure!(
            !HiddenAccusations::<T>::contains_key(case.number, &who),
            Error::<T>::AlreadyAccused
        );
        let (opened, terms, now) = case.window(Self::time());
        let commitment = Commitment::new(hash, opened, &terms, now).map_err(Error::<T>::from)?;
        let bond = T::Bond::get();
        Self::hold(task, &who, bond)?;
        let order = case.committed;
        case.committed = order.checked_add(1).ok_or(Error::<T>::TooMany)?;
        case.hidden = case.hidden.checked_add(1).ok_or(Error::<T>::TooMany)?;
        let hidden = Hidden {
            task,
            commitment,
            bond,
            order,
        };
        HiddenAccusations::<T>::insert(case.number, &who, hidden);
        OpenCases::<T>::insert(task, case);
        Self::deposit_event(Event::AccusationCommitted { task, accuser: who });
        Ok(())
    }

    pub(crate) fn do_reveal(
        who: T::AccountId,
        task: TaskId,
        accusation: &Accusation,
        salt: &[u8; 32],
        job: JobSpec,
    ) -> DispatchResult {
        let mut case = Self::case_of(task).ok_or(Error::<T>::NoCase)?;
        ensure!(case.decision != Some(Decision::Undecided), Error::<T>::CaseDecided);
        let hidden = HiddenAccusations::<T>::get(case.number, &who).ok_or(Error::<T>::NoAccusation)?;
        ensure!(accusation.accused == case.terms.claim, Error::<T>::OtherClaim);
        let fit = Fit::of(&job, &case.terms.job).ok_or(Error::<T>::OtherJob)?;
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let expected = commitment(&genesis, case.number, &account_bytes(&who), accusation, salt);
        let now = Self::time();
        let (opened, window, at) = case.window(now);
        hidden
            .commitment
            .reveal(expected, opened, &window, at)
            .map_err(Error::<T>::from)?;
        // Nothing comes of a job that cannot be, so that there is nothing to be tried.
        let opened = match (fit, case.terms.claim) {
            (Fit::Possible, _) => {
                let terms = terms_for(case.phases, job.work(), T::WorkPerBlock::get());
                let dispute = Dispute::new(accusation, agora_reference::of(&job), &terms, now);
                Some((terms, dispute.map_err(Error::<T>::from)?))
            }
            (Fit::Impossible, Claim::Output { .. }) => None,
            (Fit::Impossible, Claim::Unusable) => return Err(Error::<T>::Target.into()),
        };

        HiddenAccusations::<T>::remove(case.number, &who);
        case.hidden = case.hidden.saturating_sub(1);
        let order = hidden.order;
        let accuser = Accuser {
            who: who.clone(),
            order,
        };
        match (&opened, &case.decision) {
            (None, None) => case.fall(accuser),
            _ => case.join(accuser),
        }
        if let Some(own) = accusation.own {
            T::Cases::enter(task, &who, own);
        }
        let (terms, dispute) = match opened {
            Some(opened) if case.decision.is_none() => opened,
            _ => return Self::join_fallen(task, who, case, hidden.bond),
        };
        let trial = next::<NextTrial<T>>()?;
        case.open = case.open.checked_add(1).ok_or(Error::<T>::TooMany)?;
        let last = Self::now().saturating_add(longest(&terms).saturated_into());
        case.trials_until = case.trials_until.max(last);
        let number = case.number;
        OpenCases::<T>::insert(task, case);
        Self::deposit_event(Event::TrialOpened {
            task,
            trial,
            accuser: who.clone(),
        });
        Self::put(
            trial,
            Trial {
                task,
                case: number,
                accuser: who,
                order,
                job,
                terms,
                dispute,
                bond: hidden.bond,
                parts: 0,
                defender: None,
            },
        );
        Ok(())
    }

    /// Takes down somebody who had accused a claim in time that has fallen, perhaps before it could reveal that: there is nothing
    /// to be tried.
    fn join_fallen(task: TaskId, who: T::AccountId, case: CaseOf<T>, bond: BalanceOf<T>) -> DispatchResult {
        OpenCases::<T>::insert(task, &case);
        Self::deposit_event(Event::AccusationJoined {
            task,
            accuser: who.clone(),
        });
        Self::release(None, task, &who, bond)?;
        if !Self::is_pending(&case) {
            Self::tell(task);
        }
        Ok(())
    }

    pub(crate) fn do_withdraw(number: u64, who: &T::AccountId) -> DispatchResult {
        let Hidden { task, bond, .. } = HiddenAccusations::<T>::get(number, who).ok_or(Error::<T>::NoAccusation)?;
        let open = Self::case_of(task).filter(|case| case.number == number);
        let is_excused = match open {
            Some(mut case) => {
                ensure!(
                    !case.may_reveal(Self::now(), FullBlocks::<T>::get()),
                    Error::<T>::StillHidden
                );
                case.hidden = case.hidden.saturating_sub(1);
                let is_excused = case.is_excused;
                OpenCases::<T>::insert(task, case);
                is_excused
            }
            None => Self::take_excuse(number),
        };
        HiddenAccusations::<T>::remove(number, who);
        match is_excused {
            true => Self::release(None, task, who, bond),
            false => {
                T::Offences::report(who, Offence::Silent);
                Self::forfeit(None, task, who, bond, None)
            }
        }
    }

    /// Whether somebody who did not reveal an accusation of the closed case `number` could not. Asked once for each.
    fn take_excuse(number: u64) -> bool {
        Excused::<T>::mutate_exists(number, |left| {
            let excused = left.take();
            *left = excused
                .and_then(|count| count.checked_sub(1))
                .filter(|&count| count > 0);
            excused.is_some()
        })
    }

    /// A trial in which moves may be made.
    fn running(id: u64) -> Result<TrialOf<T>, Error<T>> {
        let trial = Trials::<T>::get(id).ok_or(Error::<T>::UnknownTrial)?;
        let case = Self::undecided(trial.task).map_err(|_| Error::<T>::CaseDecided)?;
        let is_over = case.number != trial.case || trial.verdict().is_some();
        ensure!(!is_over, Error::<T>::CaseDecided);
        Ok(trial)
    }

    /// Keeps a trial; if it is over, its case hears of it.
    fn put(id: u64, trial: TrialOf<T>) {
        let (task, verdict) = (trial.task, trial.verdict());
        let accuser = Accuser {
            who: trial.accuser.clone(),
            order: trial.order,
        };
        Trials::<T>::insert(id, trial);
        let Some(verdict) = verdict else { return };
        Self::deposit_event(Event::TrialEnded {
            task,
            trial: id,
            verdict,
        });
        let Some(mut case) = Self::case_of(task) else {
            return;
        };
        case.open = case.open.saturating_sub(1);
        match verdict {
            Verdict::Falls(_) => case.fall(accuser),
            Verdict::Stands => case.leave(&accuser.who),
            // Anybody can make up a run that fails, and only those can refute it who have what the job reads. So it decides nothing but the
            // trial in which it was left: whoever shows in another that the claim is wrong brings it down.
            Verdict::Nothing => {
                case.leave(&accuser.who);
                case.has_failed = true;
            }
        }
        OpenCases::<T>::insert(task, &case);
        if case.decision.is_some() || !Self::is_pending(&case) {
            Self::tell(task);
        }
    }

    /// Makes a move in a trial.
    fn play<R>(
        id: u64,
        made: impl FnOnce(&mut TrialOf<T>, &Rules<'_>, Time) -> Result<R, DispatchError>,
    ) -> Result<R, DispatchError> {
        Self::play_with(&T::Machine::get(), id, made)
    }

    fn play_with<R>(
        machine: &Pinned,
        id: u64,
        made: impl FnOnce(&mut TrialOf<T>, &Rules<'_>, Time) -> Result<R, DispatchError>,
    ) -> Result<R, DispatchError> {
        let mut trial = Self::running(id)?;
        let job = trial.job.clone();
        let terms = trial.terms;
        let rules = Rules {
            law: agora_reference::of(&job),
            job: BlobRef::to(&job.encode()),
            segments: machine,
            terms: &terms,
        };
        let result = made(&mut trial, &rules, Self::time())?;
        Self::put(id, trial);
        Ok(result)
    }

    fn moved(trial: u64, by: T::AccountId) -> DispatchResult {
        Self::deposit_event(Event::Moved { trial, by });
        Ok(())
    }

    pub(crate) fn do_show(who: T::AccountId, id: u64, shown: &Shown) -> DispatchResult {
        Self::play(id, |trial, rules, now| {
            trial.dispute.show(shown, rules.terms, now).map_err(Error::<T>::from)?;
            trial.defender = Some(who.clone());
            Ok(())
        })?;
        Self::moved(id, who)
    }

    pub(crate) fn do_name_child(who: T::AccountId, id: u64, child: u32) -> DispatchResult {
        Self::play(id, |trial, rules, now| {
            ensure!(trial.accuser == who, Error::<T>::NotAccuser);
            Ok(trial.dispute.name(child, rules.law, now).map_err(Error::<T>::from)?)
        })?;
        Self::moved(id, who)
    }

    pub(crate) fn do_defend(who: T::AccountId, id: u64, defence: Defence) -> DispatchResult {
        let key = defence.id();
        Self::play(id, |trial, rules, now| {
            ensure!(!Defences::<T>::contains_key(id, key), Error::<T>::Known);
            let branch = trial
                .dispute
                .defend(who.clone(), defence, rules.law, rules.terms, now)
                .map_err(Error::<T>::from)?;
            Self::add_part(trial, &who)?;
            Defences::<T>::insert(
                id,
                key,
                Defended {
                    branch,
                    shown: BoundedVec::new(),
                },
            );
            Ok(())
        })?;
        Self::deposit_event(Event::Defended {
            trial: id,
            defence: key,
            by: who,
        });
        Ok(())
    }

    /// Counts one part more, and holds its bond of `who`.
    fn add_part(trial: &mut TrialOf<T>, who: &T::AccountId) -> DispatchResult {
        trial.parts = trial.parts.checked_add(1).ok_or(Error::<T>::TooMany)?;
        Self::hold(trial.task, who, trial.bond)
    }

    pub(crate) fn do_dispute_list(who: T::AccountId, id: u64, key: H256, made: &BranchMove) -> DispatchResult {
        Self::play(id, |trial, rules, now| {
            ensure!(!made.is_accusers() || trial.accuser == who, Error::<T>::NotAccuser);
            let mut defended = Defences::<T>::get(id, key).ok_or(Error::<T>::Unknown)?;
            let opening = opening(&defended.branch.phase, made);
            defended
                .branch
                .play(&trial.dispute.accused, made, rules, now)
                .map_err(Error::<T>::from)?;
            if let Some(opening) = opening {
                defended.shown.try_push(opening).map_err(|_| Error::<T>::TooMany)?;
            }
            if let BranchPhase::Over(found) = defended.branch.phase {
                Self::close_defence(trial, &defended.branch.by, found);
            }
            Defences::<T>::insert(id, key, defended);
            Ok(())
        })?;
        Self::moved(id, who)
    }

    fn close_defence(trial: &mut TrialOf<T>, by: &T::AccountId, found: Found) {
        trial.dispute.close(found);
        if trial.verdict() == Some(Verdict::Stands) {
            trial.defender = Some(by.clone());
        }
    }

    pub(crate) fn do_add_run(who: T::AccountId, id: u64, key: H256, root: H256, end: &RunEnd) -> DispatchResult {
        Self::play(id, |trial, rules, now| {
            ensure!(!Runs::<T>::contains_key((id, key, root)), Error::<T>::Known);
            let run = Self::with_bench(id, key, |bench| {
                bench.add(who.clone(), root, end, rules.law, rules.segments, now)
            })?;
            Self::add_part(trial, &who)?;
            Runs::<T>::insert((id, key, root), run);
            Ok(())
        })?;
        Self::deposit_event(Event::RunAdded {
            trial: id,
            defence: key,
            root,
            by: who,
        });
        Ok(())
    }

    /// Does something among the runs of a defence.
    fn with_bench<R>(
        id: u64,
        key: H256,
        made: impl FnOnce(&mut agora_disputes::Bench) -> Result<R, GameError>,
    ) -> Result<R, Error<T>> {
        Defences::<T>::try_mutate(id, key, |defended| {
            let defended = defended.as_mut().ok_or(Error::<T>::Unknown)?;
            let BranchPhase::Runs(bench) = &mut defended.branch.phase else {
                return Err(Error::<T>::NotNow);
            };
            made(bench).map_err(Error::<T>::from)
        })
    }

    pub(crate) fn do_challenge(who: T::AccountId, id: u64, key: H256, one: H256, other: H256) -> DispatchResult {
        let (one, other) = ordered(one, other);
        Self::play(id, |trial, rules, now| {
            ensure!(!Matches::<T>::contains_key((id, key, one, other)), Error::<T>::Known);
            let first = Runs::<T>::get((id, key, one)).ok_or(Error::<T>::Unknown)?;
            let second = Runs::<T>::get((id, key, other)).ok_or(Error::<T>::Unknown)?;
            let game = Self::with_bench(id, key, |bench| bench.challenge(&first, &second, rules.terms, now))?;
            trial.parts = trial.parts.checked_add(1).ok_or(Error::<T>::TooMany)?;
            Matches::<T>::insert((id, key, one, other), Some(game));
            Ok(())
        })?;
        Self::moved(id, who)
    }

    pub(crate) fn do_open_node(
        who: T::AccountId,
        id: u64,
        key: H256,
        (one, other): (H256, H256),
        player: Player,
        children: &Children,
    ) -> DispatchResult {
        Self::running(id)?;
        Matches::<T>::try_mutate((id, key, one, other), |game| {
            let game = game.as_mut().ok_or(Error::<T>::Unknown)?;
            let game = game.as_mut().ok_or(Error::<T>::NotNow)?;
            game.open(player, children, Self::time()).map_err(Error::<T>::from)
        })?;
        Self::moved(id, who)
    }

    pub(crate) fn do_execute(
        machine: &Pinned,
        who: T::AccountId,
        id: u64,
        key: H256,
        (one, other): (H256, H256),
        segment: &Segment,
    ) -> DispatchResult {
        let refuted = Self::play_with(machine, id, |_, rules, now| {
            let game = Matches::<T>::get((id, key, one, other)).ok_or(Error::<T>::Unknown)?;
            let game = game.ok_or(Error::<T>::NotNow)?;
            let defended = Defences::<T>::get(id, key).ok_or(Error::<T>::Unknown)?;
            let run = defended.branch.execution(rules).map_err(Error::<T>::from)?;
            let losses = game
                .execute(segment, &run, rules.segments, now)
                .map_err(Error::<T>::from)?;
            Self::close_match(id, key, (one, other), losses)?;
            let [first, second] = losses;
            let roots = [(one, first), (other, second)];
            Ok(roots
                .into_iter()
                .filter_map(|(root, fault)| fault.map(|_| root))
                .collect::<Vec<_>>())
        })?;
        Self::deposit_event(Event::SegmentExecuted {
            trial: id,
            by: who,
            defence: key,
            refuted: BoundedVec::truncate_from(refuted),
        });
        Ok(())
    }

    /// Ends a match, which `losses` have decided.
    fn close_match(
        id: u64,
        key: H256,
        (one, other): (H256, H256),
        losses: [Option<Fault>; 2],
    ) -> Result<(), DispatchError> {
        let mut first = Runs::<T>::get((id, key, one)).ok_or(Error::<T>::Unknown)?;
        let mut second = Runs::<T>::get((id, key, other)).ok_or(Error::<T>::Unknown)?;
        Self::with_bench(id, key, |bench| {
            bench.close([&mut first, &mut second], losses);
            Ok(())
        })?;
        Runs::<T>::insert((id, key, one), first);
        Runs::<T>::insert((id, key, other), second);
        Matches::<T>::insert((id, key, one, other), None::<agora_disputes::Match>);
        Ok(())
    }

    pub(crate) fn do_advance(who: T::AccountId, id: u64, what: Clocked) -> DispatchResult {
        Self::play(id, |trial, _, now| match what {
            Clocked::Trial => Ok(trial.dispute.advance(now).map_err(Error::<T>::from)?),
            Clocked::Defence(key) => {
                let mut defended = Defences::<T>::get(id, key).ok_or(Error::<T>::Unknown)?;
                let found = defended.branch.advance(now).map_err(Error::<T>::from)?;
                Self::close_defence(trial, &defended.branch.by, found);
                Defences::<T>::insert(id, key, defended);
                Ok(())
            }
            Clocked::Match(key, one, other) => {
                let game = Matches::<T>::get((id, key, one, other)).ok_or(Error::<T>::Unknown)?;
                let game = game.ok_or(Error::<T>::NotNow)?;
                let losses = game.timeout(now).ok_or(Error::<T>::Early)?;
                Self::close_match(id, key, (one, other), losses)
            }
        })?;
        Self::moved(id, who)
    }

    /// Whether nothing can change in a trial any more: it is over, or its case is.
    pub(crate) fn is_settled(trial: &TrialOf<T>) -> bool {
        let is_open = |case: CaseOf<T>| case.number == trial.case && case.decision.is_none();
        trial.verdict().is_some() || !Self::case_of(trial.task).is_some_and(is_open)
    }

    pub(crate) fn do_collect(id: u64, part: Part) -> DispatchResult {
        let mut trial = Trials::<T>::get(id).ok_or(Error::<T>::UnknownTrial)?;
        ensure!(Self::is_settled(&trial), Error::<T>::TrialNotOver);
        let settled = match part {
            Part::Match(key, one, other) => {
                Matches::<T>::take((id, key, one, other)).ok_or(Error::<T>::Unknown)?;
                None
            }
            Part::Run(key, root) => {
                let run = Runs::<T>::take((id, key, root)).ok_or(Error::<T>::Unknown)?;
                Some((run.by, run.lost))
            }
            Part::Defence(key) => {
                let defended = Defences::<T>::take(id, key).ok_or(Error::<T>::Unknown)?;
                let lost = defended.branch.lost();
                Some((defended.branch.by, lost))
            }
            Part::Accusation => {
                ensure!(trial.parts == 0, Error::<T>::PartsLeft);
                let lost = (trial.verdict() == Some(Verdict::Stands)).then_some(Fault::Wrong);
                Trials::<T>::remove(id);
                Self::forget(&trial);
                return Self::settle(id, &trial, &trial.accuser, lost);
            }
        };
        // Counted when it was added.
        trial.parts = trial.parts.saturating_sub(1);
        Trials::<T>::insert(id, &trial);
        match settled {
            Some((who, lost)) => Self::settle(id, &trial, &who, lost),
            None => Ok(()),
        }
    }

    /// Gives the bond of `who` back; or, if it is `lost`, divides it between who was right and nobody, and has what else follows.
    fn settle(id: u64, trial: &TrialOf<T>, who: &T::AccountId, lost: Option<Fault>) -> DispatchResult {
        match (lost, Self::winner(trial)) {
            (Some(fault), Winner::Half(winner)) => {
                Self::report(who, fault);
                Self::forfeit(Some(id), trial.task, who, trial.bond, winner)
            }
            (None, _) | (_, Winner::Loser) => Self::release(Some(id), trial.task, who, trial.bond),
        }
    }

    /// Divides the bond that `who` has lost.
    fn forfeit(
        trial: Option<u64>,
        task: TaskId,
        who: &T::AccountId,
        bond: BalanceOf<T>,
        winner: Option<T::AccountId>,
    ) -> DispatchResult {
        let ended = Ended {
            forfeited: bond.saturated_into(),
            // Moves are free to those who make them.
            costs: Vec::new(),
            winners: winner.iter().map(|winner| (winner.clone(), 1)).collect(),
            reward: 0,
        };
        for payment in divide(&ended) {
            let payee = payment.to.map_or(Payee::Burn, Payee::Account);
            let amount: BalanceOf<T> = payment.amount.saturated_into();
            T::Escrow::pay(Purpose::CourtBond, Scope::Task(task), who, payee, amount)?;
        }
        Self::deposit_event(Event::BondLost {
            trial,
            who: who.clone(),
            amount: bond,
            winner,
        });
        Ok(())
    }

    pub(crate) fn do_set_terms(terms: Option<Terms>) -> DispatchResult {
        if let Some(terms) = &terms {
            terms.validate().map_err(Error::<T>::from)?;
        }
        CurrentTerms::<T>::set(terms);
        Self::deposit_event(Event::TermsSet { terms });
        Ok(())
    }

    fn hold(task: TaskId, who: &T::AccountId, bond: BalanceOf<T>) -> DispatchResult {
        T::Escrow::hold(Purpose::CourtBond, Scope::Task(task), who, bond)
    }

    fn release(trial: Option<u64>, task: TaskId, who: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        T::Escrow::release(Purpose::CourtBond, Scope::Task(task), who, amount)
            .defensive_proof("what is held of a part is its bond")?;
        Self::deposit_event(Event::BondReleased {
            trial,
            who: who.clone(),
            amount,
        });
        Ok(())
    }

    /// Counts this block if the largest move had no room in it: by its weight, with that of any extrinsic, or by its length.
    ///
    /// Else somebody could leave room that is just too small.
    pub(crate) fn count_full_block() {
        let weights = T::BlockWeights::get();
        let normal = weights.get(DispatchClass::Normal);
        let largest = Self::heaviest()
            .saturating_add(normal.base_extrinsic)
            .saturating_add(Weight::from_parts(0, LONGEST_MOVE.into()));
        let used = frame_system::BlockWeight::<T>::get();
        let next = used.get(DispatchClass::Normal).saturating_add(largest);
        let is_heavy = next.any_gt(normal.max_total.unwrap_or(weights.max_block))
            || used.total().saturating_add(largest).any_gt(weights.max_block);
        let length = frame_system::Pallet::<T>::block_size().saturating_add(LONGEST_MOVE);
        let is_long = length > *T::BlockLength::get().max.get(DispatchClass::Normal);
        if is_heavy || is_long {
            FullBlocks::<T>::mutate(|full| *full = full.saturating_add(1));
        }
    }

    /// What the heaviest move weighs.
    pub(crate) fn heaviest() -> Weight {
        type Of<T> = <T as Config>::WeightInfo;
        let moves = [
            Of::<T>::commit(),
            Self::reveal_weight(),
            Of::<T>::show(),
            Of::<T>::name_child(),
            Of::<T>::defend(),
            Self::dispute_list_weight(),
            Of::<T>::add_run(),
            Of::<T>::challenge(),
            Of::<T>::open_node(),
            Of::<T>::execute(),
            Self::advance_weight(),
        ];
        moves.into_iter().fold(Weight::zero(), |most, weight| most.max(weight))
    }
}

/// The 32 bytes of `who`; of an account that has another length, their hash.
pub fn account_bytes<AccountId: Encode>(who: &AccountId) -> [u8; 32] {
    who.using_encoded(|bytes| bytes.try_into().unwrap_or_else(|_| blake2_256(bytes)))
}

/// Whether a job that a task names can be computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It can.
    Possible,
    /// Its specification is out of the limits, or another kind of work than the task says. The chain saw no more than its hash
    /// when the task was published.
    Impossible,
}

impl Fit {
    /// Of `job`, if that is what `source` names.
    fn of(job: &JobSpec, source: &JobSource) -> Option<Self> {
        match source {
            JobSource::Inline(inline) => (job == inline).then_some(Self::Possible),
            JobSource::Stored(stored) if BlobRef::to(&job.encode()) != stored.spec => None,
            JobSource::Stored(stored) => {
                let is_possible = job.validate().is_ok() && job.specialisation() == stored.specialisation;
                Some(if is_possible { Self::Possible } else { Self::Impossible })
            }
        }
    }
}

/// What a move shows of a list, if it is right: then it has no more children than a node.
fn opening(phase: &BranchPhase, made: &BranchMove) -> Option<Opening> {
    match (phase, made) {
        (BranchPhase::Entry { descent, .. }, BranchMove::Show(Shown::Children(children))) => Some(Opening {
            first: descent.node.first,
            len: descent.node.len,
            children: BoundedVec::truncate_from(children.clone()),
        }),
        _ => None,
    }
}
