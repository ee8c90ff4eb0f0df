//! Random runs of the state machine against a small chain: re-orgs, nodes that lag, that follow a fork that has lost or were
//! purged, answers that are lost, full pools, finality that stands still, upgrades of the runtime, other programs with the
//! same key, full disks, and kills between any two effects.
//!
//! The seed is printed. `AGORA_SEED` repeats a run, `AGORA_STEPS` says how long it is.

#[path = "model/chain.rs"]
mod chain;
#[path = "model/process.rs"]
mod process;
#[path = "model/random.rs"]
mod random;

use agora_transactions::{BlockId, End, Intent, IntentId, Reason, Repetition, Standing};
use chain::{Chain, Transaction};
use process::Process;
use random::Random;
use std::collections::BTreeMap;

/// Steps of a run if `AGORA_STEPS` does not say.
const STEPS: u64 = 1_000_000;
/// Random steps of one world, after which everything works until all is done.
const WILD: u64 = 600;
/// Blocks within which all is done once everything works.
const CALM: u32 = 14;
/// Blocks that making an intent takes at most when everything works.
const IN_TIME: u32 = 12;

/// A chain, a process, and those who want something of it.
struct World {
    chain: Chain,
    process: Process,
    random: Random,
    /// Whether another program signs with the same key.
    has_others: bool,
    others: u32,
    wanted: BTreeMap<IntentId, Intent>,
    included: BTreeMap<IntentId, u32>,
    /// The highest block there ever was.
    highest: u32,
    steps: u64,
    /// Whether everything works from now on.
    is_calm: bool,
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn no_intent_is_included_twice_or_lost_whatever_happens() {
    let seed = variable("AGORA_SEED").unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.expect("after 1970").as_nanos() as u64
    });
    let limit = variable("AGORA_STEPS").unwrap_or(STEPS);
    println!("AGORA_SEED={seed}");
    let mut seeds = Random(seed);
    let mut steps = 0;
    while steps < limit {
        let mut world = World::new(seeds.next());
        for _ in 0..WILD {
            world.go_on();
        }
        world.calm_down();
        steps += world.steps;
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        Self {
            chain: Chain::new(),
            process: Process::new(),
            has_others: random.one_in(3),
            others: 0,
            wanted: BTreeMap::new(),
            included: BTreeMap::new(),
            highest: 0,
            steps: 0,
            is_calm: false,
            random,
        }
    }

    /// One random thing happens.
    fn go_on(&mut self) {
        self.steps += 1;
        match self.random.below(100) {
            0..45 => self.work(true),
            45..65 => self.chain.build(self.random.below(4)),
            65..75 => {
                let behind = self.random.below(4);
                self.finalise(behind);
            }
            75..79 => self.chain.reorganise(&mut self.random),
            79..87 => self.want(),
            87..90 => self.restart(),
            91 if self.random.one_in(4) => self.chain.tip_of_full = 1 << self.random.below(34),
            90 | 91 => self.chain.is_full = !self.chain.is_full,
            92 => self.chain.is_stalled = !self.chain.is_stalled,
            93 => {
                self.chain.is_poor = self.random.one_in(4);
                self.chain.has_no_tips = self.random.one_in(3);
            }
            94 if self.random.one_in(4) => self.process.is_disk_full = !self.process.is_disk_full,
            94 => self.chain.find_strays(),
            95 => self.chain.lose_pool(),
            96 if self.random.one_in(4) => self.upgrade(),
            97..99 if self.has_others => {
                self.others += 1;
                let is_elsewhere = self.random.one_in(2);
                self.chain.send_foreign(is_elsewhere);
            }
            _ => {}
        }
    }

    /// The process looks at the chain, or carries out an action.
    fn work(&mut self, is_troubled: bool) {
        if self.process.is_busy() {
            self.process.act(&mut self.chain, &mut self.random, is_troubled);
            return;
        }
        let lag = if is_troubled && self.random.one_in(5) {
            self.random.below(6)
        } else {
            0
        };
        self.highest = self.highest.max(self.chain.best().number);
        let book = &self.process.book;
        let view = match self.random.below(24) {
            0 if is_troubled => self.chain.other_view(book),
            1 if is_troubled => Some(self.chain.purged_view(book, self.random.below(40))),
            _ => None,
        };
        let view = view.unwrap_or_else(|| self.chain.view(&self.process.book, lag));
        self.highest = self.highest.max(view.best.number);
        self.process.look(&view);
        self.check_standings();
    }

    fn check_standings(&mut self) {
        for (id, intent) in self.wanted.clone() {
            match self.process.standing(&id) {
                Standing::Finalised(block) => {
                    assert!(self.chain.includes(block, &id), "{id} is said to be final in {block:?}");
                    self.wanted.remove(&id);
                    // The runtime refused the call, and its caller still wants it: by another name.
                    let is_refused = intent.repetition == Repetition::Harmless && self.random.one_in(8);
                    if is_refused && !self.is_calm {
                        let id = IntentId::from(format!("{id}, again"));
                        let origin = intent.origin.map(|_| self.chain.best());
                        let again = Intent { id, origin, ..intent };
                        self.process.add(&again);
                        self.wanted.insert(again.id.clone(), again);
                    }
                }
                Standing::GivenUp(Reason::DeadlineOver) => {
                    let deadline = intent.deadline.expect("it has a deadline");
                    assert!(self.highest >= deadline, "{id} was given up before block {deadline}");
                }
                // Who wants it tries again later.
                Standing::GivenUp(Reason::OtherFork) if self.random.one_in(4) => self.decide_again(&id),
                Standing::GivenUp(_) | Standing::Unknown if self.random.one_in(4) => self.process.add(&intent),
                _ => {}
            }
        }
    }

    /// Who wants it finds the same on the chain as it is now.
    fn decide_again(&mut self, id: &IntentId) {
        if let Some(intent) = self.wanted.get_mut(id) {
            intent.origin = intent.origin.map(|_| self.chain.best());
            self.process.add(intent);
        }
    }

    fn want(&mut self) {
        if self.wanted.len() >= 12 {
            return;
        }
        let now = self.chain.best().number;
        let intent = Intent {
            id: format!("intent {}", self.random.next()).into(),
            call: vec![7],
            deadline: self.random.one_in(2).then(|| now + self.random.below(50) as u32),
            origin: self.random.one_in(3).then(|| self.chain.best()),
            urgency: self.random.below(3) as u8,
            repetition: if self.random.one_in(2) {
                Repetition::Costly
            } else {
                Repetition::Harmless
            },
        };
        self.process.add(&intent);
        self.wanted.insert(intent.id.clone(), intent);
    }

    /// The runtime changes, and with it the bytes of some calls. Who wants them asks again.
    fn upgrade(&mut self) {
        self.chain.upgrade();
        for intent in self.wanted.values_mut() {
            if intent.repetition == Repetition::Harmless {
                intent.call = vec![intent.call[0].wrapping_add(1)];
                self.process.add(intent);
            }
        }
    }

    /// Kills the process and starts it again. Those who want something ask for it again, by the same name.
    fn restart(&mut self) {
        self.process.kill();
        for intent in self.wanted.values() {
            self.process.add(intent);
        }
    }

    fn finalise(&mut self, behind: usize) {
        for (block, transaction) in self.chain.finalise(behind) {
            let Transaction { of: Some(id), .. } = transaction.clone() else {
                continue;
            };
            let Some(record) = self.process.book.record(&id).cloned() else {
                // A filler that was forgotten, or an intent that a kill made forget what was sent before it was included.
                let is_known = self.wanted.contains_key(&id) && !self.process.unlogged.contains_key(&id);
                assert!(!is_known, "{id} is final, and its record is gone");
                continue;
            };
            let count = self.included.entry(id.clone()).or_default();
            *count += 1;
            let unlogged = self.process.unlogged.get(&id).copied().unwrap_or_default();
            let allowed = match record.intent.repetition {
                Repetition::Costly => 1,
                Repetition::Harmless => 1 + self.others + unlogged,
            };
            assert!(*count <= allowed, "{id} is included {count} times");
            let is_lost = transaction.origin.is_some_and(|origin| !self.chain.has(origin));
            assert!(!is_lost, "{id} is on a chain without {:?}", transaction.origin);
            if let Some(deadline) = record.intent.deadline {
                assert!(
                    block <= deadline + 3,
                    "{id} is in block {block}, worth nothing after {deadline}"
                );
            }
            if matches!(record.end, Some(End::Finalised(_))) {
                assert!(
                    *count > 1 || record.intent.repetition == Repetition::Harmless,
                    "{id} was called final too early"
                );
            }
        }
    }

    /// Everything works from now on: all that can be made must be made.
    fn calm_down(&mut self) {
        self.is_calm = true;
        self.chain.is_full = false;
        self.process.is_disk_full = false;
        self.chain.is_stalled = false;
        self.chain.is_poor = false;
        self.chain.has_no_tips = false;
        let from = self.chain.best().number;
        for intent in self.wanted.values() {
            self.process.add(intent);
        }
        while !(self.wanted.is_empty() && self.process.book.is_idle()) {
            let open = || self.process.book.attempts().collect::<Vec<_>>();
            let (known, now) = (self.chain.best().number, self.chain.explain());
            assert!(
                known < from + CALM,
                "calm since {from}, and not done: {:?}; {:?}; {now}",
                self.wanted,
                open()
            );
            for _ in 0..3 {
                self.work(false);
                while self.process.is_busy() {
                    self.steps += 1;
                    self.work(false);
                }
            }
            self.chain.build(8);
            self.finalise(2);
            self.check_standings();
            self.drop_late(from);
        }
    }

    /// Those whose deadline came too soon to be made no longer want anything.
    fn drop_late(&mut self, from: u32) {
        let process = &mut self.process;
        let BlockId { number: best, hash } = self.chain.best();
        self.wanted.retain(|id, intent| {
            match process.standing(id) {
                Standing::GivenUp(Reason::DeadlineOver) => {}
                Standing::Unknown if intent.deadline.is_some_and(|deadline| best >= deadline) => {}
                Standing::GivenUp(_) | Standing::Unknown => {
                    intent.origin = intent.origin.map(|_| BlockId { number: best, hash });
                    process.add(intent);
                    return true;
                }
                _ => return true,
            }
            let in_time = intent.deadline.is_none_or(|deadline| deadline >= from + IN_TIME);
            assert!(!in_time, "{id} could be made in time: {intent:?}, calm from {from}");
            false
        });
    }
}
