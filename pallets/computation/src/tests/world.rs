//! A job, whoever has computed it, and liars: they play through calls, and see nothing but the storage.

use crate::{
    Call, Clocked, Defences, Endings, Excused, HiddenAccusations, Matches, OpenCases, Part, Runs, TrialOf, Trials,
    impls::account_bytes, mock::*,
};
use agora_arbiter::Arbiter;
use agora_disputes::{
    Accusation, Execution, Game, Move, RunMove, Side, Target, Verdict, commitment,
    player::{Player, ShownList, Traced, Tracer, Truth},
};
use agora_machine::{
    State,
    run_tree::{Children, RunTree},
};
use agora_primitives::{
    courts::{CaseTerms, Court, Standing},
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, SyntheticJob, blob},
    money::Payee,
};
use agora_reference::{Inputs, Step, UnitRun};
use codec::Decode;
use frame_support::assert_ok;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, traits::Dispatchable};

pub const SALT: [u8; 32] = [7; 32];
/// Blocks in which accusations may be committed to.
pub const WINDOW: BlockNumber = 5;
/// Whoever has computed the job.
pub const HONEST: AccountId = 1;
/// The first of those who lie.
pub const LIAR: AccountId = 2;
/// Ends what time has ended, and has no part in anything.
pub const PASSER_BY: AccountId = 40;

/// Numbers from a seed, one after the other.
pub struct Random(pub u64);

impl Random {
    /// SplitMix64.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub const fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    pub fn hash(&mut self) -> H256 {
        H256::from_low_u64_be(self.next())
    }
}

/// The jobs of the tests read nothing.
pub struct Nothing;

impl Inputs for Nothing {
    fn content(&self, _: &BlobRef) -> Option<&[u8]> {
        None
    }
}

/// A job of four states, the output included.
pub fn job_of(seed: u8) -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [seed; 32],
        matrix_size: 2,
        iterations: 3,
    }))
}

pub fn job() -> JobSpec {
    job_of(1)
}

/// Who has computed the job, and who has computed another that comes to results of the same size: liars take these.
pub struct World {
    pub honest: Arbiter<Nothing>,
    other: Arbiter<Nothing>,
}

impl World {
    pub fn new() -> Self {
        let arbiter = |seed| Arbiter::compute(job_of(seed), Nothing).unwrap();
        Self {
            honest: arbiter(1),
            other: arbiter(2),
        }
    }

    /// The claim that is right.
    pub fn right(&self) -> Claim {
        self.honest.claim()
    }

    /// Somebody to whom the states from `first` on are those of the other job. The runs that it makes up are wrong from segment
    /// `from` on.
    pub fn liar(&self, first: usize, from: usize) -> Liar<'_> {
        let mut truth = self.honest.truth().clone();
        truth.states[first..].clone_from_slice(&self.other.truth().states[first..]);
        Liar {
            world: self,
            own: Arbiter::new(job(), Nothing, truth),
            from,
        }
    }
}

/// Plays by a truth that is none.
pub struct Liar<'a> {
    world: &'a World,
    pub own: Arbiter<Nothing>,
    from: usize,
}

impl Liar<'_> {
    pub fn claim(&self) -> Claim {
        self.own.claim()
    }

    /// Executing is for others: it would lose by it.
    pub fn moves(&self, side: Side, trial: &TrialOf<Test>, game: &Game<AccountId>) -> Vec<Move> {
        let player = Player {
            truth: self.own.truth(),
            tracer: self,
            side,
        };
        let mut moves = player.moves(game, &self.own.rules(&trial.terms));
        moves.retain(|made| !matches!(made, Move::Run(_, made) if matches!(**made, RunMove::Execute(..))));
        moves
    }
}

fn list(truth: &Truth, state: u64) -> BlobRef {
    let digests: Vec<_> = truth.states[..state as usize]
        .iter()
        .map(|state| blob::hash(state))
        .collect();
    BlobRef::to(&agora_reference::list(&digests))
}

impl Tracer for Liar<'_> {
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        let base = [&self.own, &self.world.honest]
            .into_iter()
            .find_map(|arbiter| arbiter.trace(run, shown))?;
        let Execution::Unit(run) = run else { return None };
        let Step::State(state) = run.step else { return None };
        let (_, output) = base.end();
        if self.own.truth().states[state as usize] == output {
            return Some(base);
        }
        // The same unit of the other job ends with what it claims.
        let other = &self.world.other;
        let theirs = UnitRun {
            job: other.rules(&TERMS).job,
            states: list(other.truth(), state),
            ..*run
        };
        let end = other.trace(&Execution::Unit(theirs), None)?.end();
        let leaf = |at: u64| Some(base.open(1, at / 16)?[(at % 16) as usize]);
        let ended = |at: &u64| base.segment(*at).is_none_or(|(_, witness)| witness.is_empty());
        let segments = (0..).find(ended)?;
        let mut states: Vec<H256> = (0..segments).map(|at| leaf(at).unwrap()).collect();
        let from = self.from % states.len();
        states[from..].iter_mut().for_each(|state| state.0[0] ^= 1);
        *states.last_mut()? = State::decode(&mut &end.0[..]).unwrap().hash();
        Some(Box::new(Lied {
            base,
            tree: RunTree::new(states)?,
            end,
        }))
    }
}

/// A run that ends as the liar wants.
struct Lied<'a> {
    base: Box<dyn Traced + 'a>,
    tree: RunTree,
    end: (Vec<u8>, Vec<u8>),
}

impl Traced for Lied<'_> {
    fn root(&self) -> H256 {
        self.tree.root()
    }
    fn open(&self, height: u32, number: u64) -> Option<Children> {
        self.tree.open(height, number)
    }
    fn end(&self) -> (Vec<u8>, Vec<u8>) {
        self.end.clone()
    }
    fn segment(&self, number: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        self.base.segment(number)
    }
}

pub fn dispatch(who: AccountId, call: Call<Test>) -> DispatchResult {
    let result = RuntimeCall::Computation(call).dispatch(RuntimeOrigin::signed(who));
    result.map(drop).map_err(|refused| refused.error)
}

/// Opens the case of [`TASK`].
pub fn open_case(claim: Claim) {
    open_case_of(job(), claim);
}

/// Opens the case of [`TASK`], whose job is `job`.
pub fn open_case_of(job: JobSpec, claim: Claim) {
    let terms = CaseTerms {
        job: JobSource::Inline(job),
        claim,
        until: now() + WINDOW - 1,
    };
    assert_eq!(Computation::open(TASK, terms), Ok(true));
}

pub fn case() -> crate::CaseOf<Test> {
    Computation::case(TASK).unwrap()
}

pub fn standing() -> Standing<AccountId, BlockNumber> {
    Computation::standing(TASK)
}

/// The claim fell, and these share what is won.
pub fn fell_by<const N: usize>(accusers: [AccountId; N]) -> Standing<AccountId, BlockNumber> {
    let accusers = frame_support::BoundedVec::truncate_from(accusers.to_vec());
    Standing::Fallen { accusers }
}

pub fn accusation(accused: Claim, target: Target) -> Accusation {
    Accusation {
        accused,
        target,
        own: None,
    }
}

pub fn commit(who: AccountId, accusation: &Accusation) -> DispatchResult {
    let number = OpenCases::<Test>::get(TASK).map_or(0, |case| case.number);
    let genesis = System::block_hash(0);
    let commitment = commitment(&genesis, number, &account_bytes(&who), accusation, &SALT);
    Computation::commit(RuntimeOrigin::signed(who), TASK, commitment)
}

pub fn reveal(who: AccountId, accusation: &Accusation) -> Result<u64, DispatchError> {
    reveal_of(job(), who, accusation)
}

pub fn reveal_of(job: JobSpec, who: AccountId, accusation: &Accusation) -> Result<u64, DispatchError> {
    let id = crate::NextTrial::<Test>::get();
    let (accusation, job) = (Box::new(accusation.clone()), Box::new(job));
    Computation::reveal(RuntimeOrigin::signed(who), TASK, accusation, SALT, job)
        .map(|_| id)
        .map_err(|refused| refused.error)
}

/// The block after the commitments.
pub fn run_to_reveal() {
    run_to(case().commit_until(0) + 1);
}

/// Accuses the claim of the open case, and returns the trial.
pub fn accuse(who: AccountId, accusation: &Accusation) -> u64 {
    assert_ok!(commit(who, accusation));
    run_to_reveal();
    reveal(who, accusation).unwrap()
}

/// The moves that somebody makes.
pub type Strategy<'a> = Box<dyn Fn(&TrialOf<Test>, &Game<AccountId>) -> Vec<Move> + 'a>;

/// Somebody who plays.
pub struct Seat<'a> {
    pub who: AccountId,
    pub moves: Strategy<'a>,
    /// Whether every move that it makes is taken.
    pub is_right: bool,
}

impl<'a> Seat<'a> {
    /// Whoever knows the truth.
    pub fn honest(who: AccountId, side: Side, arbiter: &'a Arbiter<Nothing>) -> Self {
        Self {
            who,
            moves: Box::new(move |trial, game| arbiter.moves(side, game, &trial.terms)),
            is_right: true,
        }
    }

    pub fn liar(who: AccountId, side: Side, liar: &'a Liar<'a>) -> Self {
        Self {
            who,
            moves: Box::new(move |trial, game| liar.moves(side, trial, game)),
            is_right: false,
        }
    }
}

/// The moves of `seat` in a trial, each made if `makes` says so.
pub fn play_seat(seat: &Seat<'_>, id: u64, mut makes: impl FnMut() -> bool) {
    let Some((trial, game)) = Computation::trial_of(id) else {
        return;
    };
    let is_running = case_is_open_for(&trial) && trial.verdict().is_none();
    for made in (seat.moves)(&trial, &game) {
        if !makes() {
            continue;
        }
        let call = Call::of_move(id, &game, made.clone()).unwrap();
        let result = dispatch(seat.who, call);
        assert!(
            !seat.is_right || !is_running || result.is_ok(),
            "{result:?} for {made:?}"
        );
        check_money();
    }
}

fn case_is_open_for(trial: &TrialOf<Test>) -> bool {
    Computation::case(trial.task).is_some_and(|case| case.number == trial.case && case.decision.is_none())
}

/// Ends everything in a trial that time has ended: tries it of all parts, and sees that the game has named those.
pub fn advance_all(id: u64) {
    let late = || {
        let (trial, game) = Computation::trial_of(id).unwrap();
        let late = game.late(Computation::time()).into_iter();
        let late: Vec<_> = late.map(|late| Clocked::of(&game, late).unwrap()).collect();
        if case_is_open_for(&trial) { late } else { Vec::new() }
    };
    let named = late();
    let matches = Matches::<Test>::iter_prefix((id,));
    let matches = matches.filter_map(|((key, one, other), game)| game.map(|_| Clocked::Match(key, one, other)));
    let defences = Defences::<Test>::iter_key_prefix(id).map(Clocked::Defence);
    let mut parts: Vec<_> = matches.chain(defences).collect();
    parts.push(Clocked::Trial);
    parts.retain(|part| advance(id, *part).is_ok());
    assert!(named.iter().all(|part| parts.contains(part)), "{named:?} of {parts:?}");
    assert_eq!(late(), []);
}

pub fn advance(trial: u64, what: Clocked) -> DispatchResult {
    dispatch(PASSER_BY, Call::advance { trial, what })
}

/// Plays all trials until none is open any more; everybody in each, in this order, in every block. Returns how many blocks it took.
pub fn play(seats: &[Seat<'_>]) -> BlockNumber {
    let began = now();
    let bound = TERMS.bound() + TERMS.entry + TERMS.stops;
    while matches!(standing(), Standing::Pending { .. }) {
        let mut trials: Vec<_> = Trials::<Test>::iter_keys().collect();
        trials.sort_unstable();
        for id in trials {
            for seat in seats {
                play_seat(seat, id, || true);
            }
            advance_all(id);
            check_money();
        }
        run_to(now() + 1);
        assert!(now() - began <= bound + TERMS.reveal + 1, "it never ends");
    }
    now() - began
}

pub fn verdict(id: u64) -> Option<Verdict> {
    Trials::<Test>::get(id).unwrap().verdict()
}

/// The state is right, and nothing has become of money but that some was burned.
pub fn check_money() {
    check_state();
    let burned: Balance = System::read_events_for_pallet::<pallet_agora_escrow::Event<Test>>()
        .into_iter()
        .filter_map(|event| match event {
            pallet_agora_escrow::Event::Paid {
                payee: Payee::Burn,
                amount,
                ..
            } => Some(amount),
            _ => None,
        })
        .sum();
    let initial = ENDOWMENT * Balance::from(PEOPLE) + ED;
    assert_eq!(Balances::total_issuance() + burned, initial);
}

pub fn collect(trial: u64, part: Part) -> DispatchResult {
    dispatch(PASSER_BY, Call::collect { trial, part })
}

/// Collects everything that there is, closes the case, and checks that nothing is left.
pub fn collect_all() {
    Computation::close(TASK);
    for id in Trials::<Test>::iter_keys().collect::<Vec<_>>() {
        let matches = Matches::<Test>::iter_key_prefix((id,)).map(|(key, one, other)| Part::Match(key, one, other));
        let runs = Runs::<Test>::iter_key_prefix((id,)).map(|(key, root)| Part::Run(key, root));
        let defences = Defences::<Test>::iter_key_prefix(id).map(Part::Defence);
        let parts: Vec<_> = matches.chain(runs).chain(defences).collect();
        for part in parts {
            assert_ok!(collect(id, part));
            check_money();
        }
        assert_ok!(collect(id, Part::Accusation));
        check_money();
    }
    for (case, accuser, _) in HiddenAccusations::<Test>::iter().collect::<Vec<_>>() {
        assert_ok!(dispatch(PASSER_BY, Call::withdraw { case, accuser }));
        check_money();
    }
    nothing_is_left();
}

pub fn nothing_is_left() {
    assert_eq!(OpenCases::<Test>::iter().count(), 0);
    assert_eq!(HiddenAccusations::<Test>::iter().count(), 0);
    assert_eq!(Excused::<Test>::iter().count(), 0);
    assert_eq!(Endings::<Test>::iter().count(), 0);
    assert_eq!(Trials::<Test>::iter().count(), 0);
    assert_eq!(Defences::<Test>::iter().count(), 0);
    assert_eq!(Runs::<Test>::iter().count(), 0);
    assert_eq!(Matches::<Test>::iter().count(), 0);
    assert_eq!(pallet_agora_escrow::Deposits::<Test>::iter().count(), 0);
}

pub fn has(who: AccountId) -> Balance {
    use frame_support::traits::fungible::Inspect;
    Balances::total_balance(&who)
}

/// A trial of the right claim, which [`HONEST`] has defended against [`LIAR`]; and the hash of the defence.
pub fn defended(world: &World) -> (u64, H256) {
    open_case(world.right());
    let id = accuse(LIAR, &accusation(world.right(), Target::Output));
    let seat = Seat::honest(HONEST, Side::Defence, &world.honest);
    play_seat(&seat, id, || true);
    play_seat(&seat, id, || true);
    let (_, game) = Computation::trial_of(id).unwrap();
    (id, game.key(0).unwrap())
}

/// The same, and it has come to runs: one of [`HONEST`], and one of [`LIAR`], who says what `liar` does. Their roots, that of the first
/// first.
pub fn running(world: &World, liar: &Liar<'_>) -> (u64, H256, [H256; 2]) {
    let (id, key) = defended(world);
    assert_ok!(dispatch(
        LIAR,
        Call::dispute_list {
            trial: id,
            defence: key,
            made: agora_disputes::BranchMove::Choose(None)
        }
    ));
    play_seat(&Seat::honest(HONEST, Side::Defence, &world.honest), id, || true);
    play_seat(&Seat::liar(LIAR, Side::Accuser, liar), id, || true);
    let of = |who| {
        Runs::<Test>::iter_prefix_values((id, key))
            .find(|run| run.by == who)
            .unwrap()
            .root
    };
    (id, key, [of(HONEST), of(LIAR)])
}

/// Governance trusts the image no more that decides here.
pub fn suspend_image() {
    let image = Machine::get().image.hash;
    assert_ok!(Computation::suspend(RuntimeOrigin::root(), image));
}

/// A run that ends at once, as no run ever should.
pub fn failing_run() -> (H256, agora_disputes::RunEnd) {
    use agora_machine::{
        Status,
        run_tree::{DEPTH, node_of_equals},
    };
    use codec::Encode;
    let state = State {
        status: Status::OutOfGas,
        ..State::start(&BlobRef::to(&[]), 1)
    };
    let leaf = state.hash();
    let path = (0..DEPTH)
        .rev()
        .map(|height| [node_of_equals(leaf, height); 16])
        .collect();
    let end = agora_disputes::RunEnd {
        path,
        state: state.encode(),
        chunk: None,
    };
    (node_of_equals(leaf, DEPTH), end)
}
