//! What is made of a game that is played, move by move: calls of the chain, what time has ended, what is settled.

use super::{
    kept,
    made::{Made, ended, parts, position},
    opinion::Opinion,
    play::{has_part, side},
};
use agora_arbiter::{Arbiter, Held};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{
    AccountId, H256,
    calls::{Clocked, Part},
    views::TrialView,
};
use agora_disputes::{
    Accusation, BranchMove, BranchPhase, Found, Game, Move, Phase, Run, RunMove, Side, Stand, Target, Terms, Time,
    Verdict,
};
use agora_primitives::{
    TaskId,
    job::{BlobRef, JobKind, JobSource, JobSpec, MatmulJob, StoredJob, SyntheticJob},
};
use codec::Encode;

const HONEST: AccountId = AccountId([1; 32]);
const LIAR: AccountId = AccountId([2; 32]);
const STRANGER: AccountId = AccountId([3; 32]);

const TERMS: Terms = Terms {
    commit: 10,
    reveal: 10,
    clock: 40,
    entry: 20,
    challenge: 10,
    stops: 5,
};

const fn at(block: u64) -> Time {
    Time { block, full: 0 }
}

fn computed() -> Arbiter<Held> {
    let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 2,
        iterations: 3,
    }));
    let inputs = Held::of(&job, |_| None);
    Arbiter::compute(job, inputs).expect("it reads nothing")
}

/// A right claim that [`LIAR`] accuses and [`HONEST`] defends.
struct Played {
    honest: Arbiter<Held>,
    game: Game<AccountId>,
}

impl Played {
    fn new() -> Self {
        let honest = computed();
        let accusation = Accusation {
            accused: honest.claim(),
            target: Target::Output,
            own: None,
        };
        let game = Game::new(LIAR, &accusation, &honest.rules(&TERMS), at(0)).expect("it fits");
        Self { honest, game }
    }

    fn make(&mut self, who: &AccountId, made: &Move) {
        let rules = self.honest.rules(&TERMS);
        self.game.play(who, made, &rules, at(0)).expect("it is taken");
    }

    /// Makes all moves of the defence, and returns them as calls, with the game in which each was made.
    fn defend(&mut self) -> Vec<Made> {
        let moves = self.honest.moves(Side::Defence, &self.game, &TERMS);
        let calls = moves.iter().map(|made| Made::of(&self.game, made.clone()));
        let calls = calls.collect::<Option<Vec<_>>>().expect("all of them are calls");
        for made in &moves {
            self.make(&HONEST, made);
        }
        calls
    }

    /// Until there are two runs, and a match between them. Returns the calls of the defence.
    fn play_to_the_match(&mut self) -> Vec<Made> {
        let mut calls = self.defend();
        calls.extend(self.defend());
        self.make(&LIAR, &Move::Branch(0, BranchMove::Choose(None)));
        calls.extend(self.defend());
        self.lie();
        calls.extend(self.defend());
        calls
    }

    /// Adds a run of [`LIAR`], who made it up.
    fn lie(&mut self) {
        self.game.branches[0].1.runs.push(Run {
            by: LIAR,
            root: [9; 32].into(),
            stand: Stand::Against,
            lost: None,
        });
    }

    fn key(&self) -> H256 {
        H256(self.game.key(0).expect("there is a defence").0)
    }

    fn roots(&self) -> [H256; 2] {
        [0, 1].map(|run| H256(self.game.root(0, run).expect("there are two runs").0))
    }

    fn advance(&mut self, time: Time) {
        let rules = self.honest.rules(&TERMS);
        self.game
            .play(&STRANGER, &Move::Advance, &rules, time)
            .expect("something has ended");
    }
}

#[test]
fn moves_are_calls_that_name_parts_by_their_hashes_and_two_of_them_have_a_bond() {
    let mut played = Played::new();
    let calls = played.play_to_the_match();
    let (key, [own, other]) = (played.key(), played.roots());
    let [show, defend, run, challenge, ..] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    assert!(matches!(show, Made::Show(_)) && matches!(defend, Made::Defend(_)));
    assert!(matches!(run, Made::Run(at, root, _) if (*at, *root) == (key, own)));
    assert!(matches!(challenge, Made::Challenge(at, one, two) if (*at, *one, *two) == (key, own, other)));
    let bonds: Vec<_> = calls.iter().map(Made::has_bond).collect();
    assert_eq!(bonds[..4], [false, true, true, false]);
    assert!(!bonds[4..].contains(&true));
    // A node is opened in the match of these two.
    let open = played.honest.moves(Side::Defence, &played.game, &TERMS);
    let open = Made::of(&played.game, open.into_iter().next().expect("it has a node to open"));
    assert!(matches!(open, Some(Made::Open(at, roots, ..)) if at == key && [roots.0, roots.1] == [own, other]));
    // What is not there has no name, and what time ends is no move.
    let game = &played.game;
    assert!(Made::of(game, Move::Advance).is_none());
    assert!(Made::of(game, Move::Branch(1, BranchMove::Name(0))).is_none());
    for (one, two) in [(0, 2), (2, 0)] {
        assert!(Made::of(game, Move::Run(0, Box::new(RunMove::Challenge(one, two)))).is_none());
    }
}

#[test]
fn what_time_has_ended_is_ended_part_by_part() {
    let mut played = Played::new();
    played.play_to_the_match();
    let (key, [own, other]) = (played.key(), played.roots());
    assert_eq!(ended(&played.game, at(TERMS.clock - 1)), []);
    let late = at(TERMS.clock);
    let the_match = Clocked::Match(key, own, other);
    assert_eq!(ended(&played.game, late), [the_match]);
    // Nobody has opened anything: both have lost, and with them the defence.
    played.advance(late);
    assert!(matches!(
        played.game.branches[0].0.phase,
        BranchPhase::Over(Found::Wrong)
    ));
    assert_eq!(
        played.game.verdict(),
        Some(Verdict::Falls(agora_disputes::Fault::Wrong))
    );
    assert_eq!(ended(&played.game, late), []);
    // Where the runs are over and the defence is not, it is the defence; and a defence that has ended does not end again.
    let mut played = Played::new();
    played.defend();
    played.defend();
    assert_eq!(
        ended(&played.game, at(TERMS.clock)),
        [Clocked::Defence(key)],
        "the accuser is silent"
    );
    let Phase::Defences { standing, .. } = &mut played.game.dispute.phase else {
        panic!("{:?}", played.game.dispute.phase);
    };
    *standing = 0;
    played.game.branches[0].0.phase = BranchPhase::Over(Found::Wrong);
    assert_eq!(ended(&played.game, at(TERMS.entry - 1)), []);
    assert_eq!(ended(&played.game, at(TERMS.entry)), [Clocked::Trial]);
}

#[test]
fn every_part_is_settled_the_matches_before_their_runs_and_these_before_their_defence() {
    let mut played = Played::new();
    assert_eq!(parts(&played.game), []);
    played.play_to_the_match();
    let (key, [own, other]) = (played.key(), played.roots());
    assert_eq!(
        parts(&played.game),
        [
            Part::Match(key, own, other),
            Part::Run(key, own),
            Part::Run(key, other),
            Part::Defence(key)
        ]
    );
}

#[test]
fn a_position_is_another_after_every_move() {
    let mut played = Played::new();
    let mut seen = vec![position(&played.game)];
    for round in 0..5 {
        if round == 2 {
            played.make(&LIAR, &Move::Branch(0, BranchMove::Choose(None)));
            seen.push(position(&played.game));
        }
        for made in played.honest.moves(Side::Defence, &played.game, &TERMS) {
            played.make(&HONEST, &made);
            seen.push(position(&played.game));
        }
        if round == 2 {
            played.lie();
            seen.push(position(&played.game));
        }
        assert_eq!(position(&played.game), position(&played.game.clone()));
    }
    let count = seen.len();
    assert!(count >= 7, "{count}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn who_has_a_bond_in_a_trial_or_wins_one_has_a_part_in_it() {
    let mut played = Played::new();
    let view = |game: &Game<AccountId>, defender| TrialView {
        task: TaskId(1),
        case: 1,
        terms: TERMS,
        bond: 10,
        defender,
        game: game.clone(),
    };
    let begun = view(&played.game, None);
    assert_eq!(
        [HONEST, LIAR, STRANGER].map(|who| has_part(&who, &begun)),
        [false, true, false]
    );
    let shown = view(&played.game, Some(STRANGER));
    assert_eq!(
        [HONEST, LIAR, STRANGER].map(|who| has_part(&who, &shown)),
        [false, true, true]
    );
    played.play_to_the_match();
    let mut all = view(&played.game, None);
    // One has a run alone, and another the defence alone.
    all.game.accuser = AccountId([9; 32]);
    all.game.branches[0].0.by = STRANGER;
    assert_eq!([HONEST, LIAR, STRANGER].map(|who| has_part(&who, &all)), [true; 3]);
    assert!(!has_part(&AccountId([8; 32]), &all));
}

#[test]
fn nobody_defends_what_is_wrong_or_makes_the_choices_of_another_accuser() {
    let game = Played::new().game;
    let of = |opinion| [LIAR, HONEST].map(|who| side(opinion, &who, &game));
    assert_eq!(of(Opinion::Wrong), [Some(Side::Accuser), None]);
    assert_eq!(of(Opinion::Right), [None, Some(Side::Defence)]);
    assert_eq!(of(Opinion::None), [None, None]);
}

#[tokio::test]
async fn what_a_publisher_takes_away_is_in_the_folder_of_who_accepted_the_task() {
    let (matrix, input) = (vec![7; 16], vec![7; 4]);
    let job = JobSpec::V2(JobKind::Matmul(MatmulJob {
        matrix: BlobRef::to(&matrix),
        columns: 4,
        first_row: 0,
        rows: 4,
        input: BlobRef::to(&input),
        vectors: 1,
    }));
    let source = JobSource::Stored(StoredJob {
        spec: BlobRef::to(&job.encode()),
        specialisation: job.specialisation(),
    });
    let tasks = tempfile::tempdir().expect("a folder");
    let folder = tasks.path().join("1");
    assert!(kept(&folder, &source).await.is_none());
    assert!(!folder.exists(), "nothing is made of tasks that were never accepted");
    let own = BlobStore::open(&folder.to_string_lossy()).expect("it opens");
    for (kind, content) in [
        (BlobKind::Job, job.encode()),
        (BlobKind::Input, matrix),
        (BlobKind::Input, input),
    ] {
        assert!(kept(&folder, &source).await.is_none(), "not all of it is there");
        own.put(kind, content).await.expect("it is put");
    }
    let (_, found) = kept(&folder, &source).await.expect("all is there");
    assert_eq!(found, job);
}
