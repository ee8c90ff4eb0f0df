//! The accounts, their habits, and what everybody can see of the tasks.

use crate::{exact, rng::Rng};
use agora_primitives::{
    ClassId, TaskId,
    commitment::{Salt, commitment},
    job::{BlobRef, Claim},
    participants::{Role, Specialisation, Specialisations},
    task::{Contribution, RoundKind},
};
use agora_runtime::{
    AccountId, Balance, Balances, EXISTENTIAL_DEPOSIT, Registry, Runtime, RuntimeOrigin, System, Tasks, UNIT,
};
use codec::Encode;
use pallet_agora_registry::Profile;
use pallet_agora_tasks::{Windows, exact_classes, genesis_classes};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_keyring::Sr25519Keyring;
use sp_runtime::traits::Zero;
use std::{collections::BTreeMap, sync::LazyLock};

pub const WORKERS: u8 = 20;
pub const VERIFIERS: u8 = 5;
pub const PUBLISHERS: u8 = 4;
/// Accounts without a role. They have nothing, or the least that keeps an account alive, or little more.
pub const STRANGERS: u8 = 3;

/// What a worker does with its tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Habit {
    Honest,
    /// Commits to another result than the right one.
    Corrupt,
    /// Commits, and mostly does not reveal.
    Silent,
    /// Accepts, and mostly does not commit.
    Late,
}

/// The course that a task takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Ordinary,
    /// Hardly anybody accepts it.
    Unattractive,
    /// Hardly anybody reveals.
    Abandoned,
    /// Everybody finds something else.
    Confusing,
    /// Its input is unusable.
    Unusable,
    /// Verifiers attest against it, and fresh workers say they are wrong.
    ContestedWrongly,
    /// Verifiers attest against it, and fresh workers say they are right.
    ContestedRightly,
}

/// One way in which a task ended.
pub type Ending = &'static str;

pub struct World {
    entropy: [u8; 32],
    pub workers: Vec<AccountId>,
    pub verifiers: Vec<AccountId>,
    pub publishers: Vec<AccountId>,
    /// All accounts, with strangers and the richest of the development accounts.
    pub everybody: Vec<AccountId>,
    /// Tasks without a terminal event.
    pub live: Vec<TaskId>,
    /// Tasks with one, until they are purged.
    pub ended: BTreeMap<TaskId, Ending>,
}

fn account(number: u8) -> AccountId {
    blake2_256(&[number]).into()
}

impl World {
    pub fn new(entropy: [u8; 32]) -> Self {
        let mut numbers = 0..=u8::MAX;
        let mut some = |count: u8| -> Vec<_> { numbers.by_ref().take(count.into()).map(account).collect() };
        let (workers, verifiers) = (some(WORKERS), some(VERIFIERS));
        let (publishers, strangers) = (some(PUBLISHERS), some(STRANGERS));
        let mut everybody = [&workers[..], &verifiers, &publishers, &strangers].concat();
        everybody.push(Sr25519Keyring::Alice.to_account_id());
        let (live, ended) = (Vec::new(), BTreeMap::new());
        Self {
            entropy,
            workers,
            verifiers,
            publishers,
            everybody,
            live,
            ended,
        }
    }

    /// Gives everybody money, registers most of the accounts that have a role, and shortens the windows of all classes.
    pub fn settle_in(&self) {
        for (who, amount) in self.endowments() {
            let set = Balances::force_set_balance(RuntimeOrigin::root(), who.into(), amount);
            set.expect("root sets balances");
        }
        let windows = Windows {
            commit: 5,
            ..Windows::short()
        };
        let classes = [genesis_classes(UNIT, windows), exact_classes(UNIT, windows)].concat();
        for (id, class) in classes {
            Tasks::set_class(RuntimeOrigin::root(), id, class).expect("the classes are valid");
        }
        let all: Specialisations = Specialisation::ALL.into_iter().collect();
        let profile = Profile {
            specialisations: all,
            slots: 3,
            capability: 100,
        };
        let workers = self.workers.iter().skip(1).map(|who| (who, Role::Worker, profile));
        let verifiers = self
            .verifiers
            .iter()
            .skip(1)
            .map(|who| (who, Role::Verifier, Profile::default()));
        for (who, role, profile) in workers.chain(verifiers) {
            // Who loses a part of the least bond is not active any more.
            let bond = minimum_bond(role) + 20 * UNIT;
            Registry::register(RuntimeOrigin::signed(who.clone()), role, bond, profile)
                .expect("everybody can pay the bond");
        }
    }

    fn endowments(&self) -> impl Iterator<Item = (AccountId, Balance)> {
        let rich = WORKERS + VERIFIERS + PUBLISHERS;
        self.everybody
            .clone()
            .into_iter()
            .zip(0u8..)
            .filter_map(move |(who, number)| {
                let amount = match number {
                    number if number < WORKERS + VERIFIERS => 5_000 * UNIT,
                    number if number < rich => 100_000 * UNIT,
                    number if number < rich + STRANGERS => EXISTENTIAL_DEPOSIT * Balance::from(number - rich),
                    _ => return None,
                };
                Some((who, amount)).filter(|(_, amount)| !amount.is_zero())
            })
    }

    pub fn hash(&self, what: &str, of: impl Encode) -> [u8; 32] {
        blake2_256(&(self.entropy, what, of).encode())
    }

    pub fn habit(&self, worker: &AccountId) -> Habit {
        match self.hash("habit", worker)[0] % 16 {
            0..=1 => Habit::Corrupt,
            2 => Habit::Silent,
            3 => Habit::Late,
            _ => Habit::Honest,
        }
    }

    pub fn fate(&self, task: TaskId) -> Fate {
        match self.hash("fate", task)[0] % 32 {
            0..=1 => Fate::Unattractive,
            2..=3 => Fate::Abandoned,
            4..=6 => Fate::Confusing,
            15..=17 => Fate::Unusable,
            7..=10 => Fate::ContestedWrongly,
            11..=14 => Fate::ContestedRightly,
            _ => Fate::Ordinary,
        }
    }

    /// What `worker` claims, and the salt with which it commits.
    pub fn answer<N>(
        &self,
        task: TaskId,
        worker: &AccountId,
        contribution: &Contribution<N>,
        kind: RoundKind,
    ) -> (Claim, Salt) {
        let claim = match (self.fate(task), self.habit(worker), kind) {
            (Fate::Confusing, ..) => self.output("nonsense", (task, worker)),
            // Nobody finds anything out by asking others.
            (_, Habit::Honest | Habit::Silent | Habit::Late, RoundKind::Exact) => {
                exact::claim(task).unwrap_or(Claim::Unusable)
            }
            (Fate::Unusable, Habit::Corrupt, _) => self.output("wrong", task),
            (_, Habit::Corrupt, _) => self.lie(task),
            (Fate::Unusable, ..) => Claim::Unusable,
            (Fate::ContestedRightly, _, RoundKind::Appeal) => self.after_all(task),
            _ => self.output("right", task),
        };
        (claim, self.hash("salt", (task, worker, contribution.round)))
    }

    fn output(&self, what: &str, of: impl Encode) -> Claim {
        output(self.hash(what, &of), self.hash("states", &of))
    }

    /// What fresh workers find where the first ones found something else.
    fn after_all(&self, task: TaskId) -> Claim {
        match self.hash("after all", task)[0] % 3 {
            0 => Claim::Unusable,
            _ => self.output("after all", task),
        }
    }

    /// What corrupt workers agree on about a good input: a wrong output, the right one by wrong states, or that the input
    /// is unusable.
    fn lie(&self, task: TaskId) -> Claim {
        match self.hash("lie", task)[0] % 3 {
            0 => self.output("wrong", task),
            1 => output(self.hash("right", task), self.hash("wrong states", task)),
            _ => Claim::Unusable,
        }
    }

    pub fn commitment(&self, task: TaskId, worker: &AccountId, (claim, salt): (Claim, Salt)) -> H256 {
        commitment(System::block_hash(0), task, worker, &claim, &salt)
    }

    pub fn anybody(&self, rng: &mut Rng) -> AccountId {
        rng.pick(&self.everybody).expect("there is somebody").clone()
    }

    /// A task that is under way; now and then one that is over, or that does not exist.
    pub fn any_task(&self, rng: &mut Rng) -> TaskId {
        let over: Vec<_> = self.ended.keys().copied().collect();
        let among = if rng.chance(5) { &over } else { &self.live };
        rng.pick(among).copied().unwrap_or(TaskId(rng.below(1_000)))
    }
}

/// The claim of an output that is made from the first byte of this hash: so whoever attests it can have its bytes.
pub fn output(hash: [u8; 32], states_root: [u8; 32]) -> Claim {
    Claim::Output {
        output: BlobRef::to(&content(hash[0])),
        states_root: states_root.into(),
    }
}

/// Four chunks, the last of them short.
fn content(byte: u8) -> Vec<u8> {
    vec![byte; 3 * 1024 + 1]
}

/// The bytes of an output of [`output`].
pub fn bytes_of(output: &BlobRef) -> Option<Vec<u8>> {
    static ALL: LazyLock<BTreeMap<H256, u8>> =
        LazyLock::new(|| (0..=255).map(|byte| (BlobRef::to(&content(byte)).hash, byte)).collect());
    ALL.get(&output.hash).map(|byte| content(*byte))
}

/// The least bond of `role`.
pub fn minimum_bond(role: Role) -> Balance {
    <Runtime as pallet_agora_registry::Config>::MinimumBonds::get()
        .of(role)
        .unwrap_or(UNIT)
}

/// Any of the classes of the genesis; now and then one that nobody made.
pub fn any_class(rng: &mut Rng) -> ClassId {
    ClassId(if rng.chance(3) { 99 } else { rng.below(13) as u16 })
}
