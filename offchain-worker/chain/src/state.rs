//! Questions about the chain's state after a block.

use crate::{
    AccountId, AtBlock, Balance, BlockNumber, ChainError, Client,
    api::api,
    views::{
        AppealWindowView, BalanceView, CaseView, ChunkDraw, ClassView, Contribution, DepositView, ExactLimits, Moment,
        ParticipantView, ReputationView, ResponseView, RoundView, ScheduleView, TaskPage, TaskView, TermsView,
        TrialView, VoteView,
    },
};
use agora_disputes::Time;
use agora_primitives::{
    ClassId, TaskId,
    judging::last_block,
    money::{Purpose, Scope},
    participants::{Role, Specialisations},
};
use std::collections::{BTreeMap, HashMap};
use subxt::{utils::Static, view_functions::Payload};

use api::runtime_types::{
    pallet_agora_capability::types as capability, pallet_agora_computation::types as computation,
    pallet_agora_judging::types as judging, pallet_agora_registry::types as registry,
};

/// How many keys a node is asked for at a time; it gives no more.
const KEYS_AT_ONCE: u32 = 1000;

/// The task after which a page begins.
type Cursor = Option<Static<TaskId>>;

impl From<capability::Response<AccountId, Balance>> for ResponseView {
    fn from(response: capability::Response<AccountId, Balance>) -> Self {
        Self {
            capability: response.capability,
            digest: response.digest,
            weight: response.weight,
        }
    }
}

impl Client {
    /// The numbers of all tasks that the chain knows after the block of `at`, in ascending order.
    ///
    /// Complexity: reads their keys, and nothing else of them.
    pub async fn task_numbers(&self, at: &AtBlock) -> Result<Vec<TaskId>, ChainError> {
        let prefix = at.at.storage().entry(api::storage().tasks().progress())?.key_prefix();
        let (mut numbers, mut last) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let block = Some(at.block.hash);
            let keys = self
                .legacy
                .state_get_keys_paged(&prefix, KEYS_AT_ONCE, last.as_deref(), block)
                .await?;
            numbers.extend(keys.iter().filter_map(|key| number_in(key)));
            last = keys.last().cloned();
            if keys.len() < KEYS_AT_ONCE as usize {
                break;
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The number of the task that a key is about: its last bytes, behind their hash.
fn number_in(key: &[u8]) -> Option<TaskId> {
    let (_, number) = key.split_last_chunk()?;
    Some(TaskId(u64::from_le_bytes(*number)))
}

impl AtBlock {
    /// One task; `None`: the chain does not know it (any more).
    pub async fn task(&self, id: TaskId) -> Result<Option<TaskView>, ChainError> {
        let question = api::view_functions().tasks().task(Static(id));
        let view = self.ask(question).await?;
        Ok(view.map(|Static(view)| view))
    }

    /// All tasks that the chain knows, in no order.
    pub async fn tasks(&self) -> Result<Vec<TaskView>, ChainError> {
        self.pages(|after| api::view_functions().tasks().tasks(after)).await
    }

    /// The tasks that take workers now.
    pub async fn tasks_wanting_workers(&self) -> Result<Vec<TaskView>, ChainError> {
        self.pages(|after| api::view_functions().tasks().tasks_wanting_workers(after))
            .await
    }

    /// The tasks of all pages; `question` asks for one page.
    async fn pages<Question>(&self, question: impl Fn(Cursor) -> Question) -> Result<Vec<TaskView>, ChainError>
    where
        Question: Payload<ReturnType = Static<TaskPage>>,
    {
        let mut views = Vec::new();
        let mut after = None;
        loop {
            let Static(page) = self.ask(question(after)).await?;
            views.extend(page.tasks);
            let Some(last) = page.next else { return Ok(views) };
            after = Some(Static(last));
        }
    }

    /// The part that `worker` has in an unfinished task.
    pub async fn contribution(&self, task: TaskId, worker: &AccountId) -> Result<Option<Contribution>, ChainError> {
        let question = api::view_functions().tasks().contribution(Static(task), *worker);
        let contribution = self.ask(question).await?;
        Ok(contribution.map(|Static(contribution)| contribution))
    }

    /// The appeal windows that are open.
    pub async fn appeal_windows(&self) -> Result<Vec<AppealWindowView>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().judging().appeal_windows(), ()).await?;
        let mut windows = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (Static(task),) = entry.key()?.decode()?;
            windows.push((task, entry.value().decode()?));
        }
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let full = self.full_blocks().await?;
        let views = windows.into_iter().map(|(task, window)| {
            let judging::AppealWindow {
                terms,
                opened_at,
                full_before,
                draw,
                attestations: Static(attestations),
                ..
            } = window;
            let length = terms.until.saturating_sub(opened_at);
            AppealWindowView {
                task,
                claim: terms.claim.0,
                seed: terms.seed,
                until: last_block(opened_at, length, full.saturating_sub(full_before)),
                reveal_window: terms.reveal_window,
                draw: draw.map(|draw| ChunkDraw {
                    seed: draw.seed,
                    at: draw.at,
                    full_before: draw.full_before,
                }),
                attestations,
            }
        });
        Ok(views.collect())
    }

    /// Whether `verifier` may commit to an attestation about the result of `task` now: it is active, drawn, and no party to the task.
    pub async fn may_attest(&self, task: TaskId, verifier: &AccountId) -> Result<bool, ChainError> {
        let question = api::view_functions().judging().may_attest(Static(task), *verifier);
        self.ask(question).await
    }

    /// The cases that are open.
    pub async fn cases(&self) -> Result<Vec<CaseView>, ChainError> {
        let mut views = Vec::new();
        let mut after = None;
        loop {
            let question = api::view_functions().computation().cases(after);
            let Static(page) = self.ask(question).await?;
            views.extend(page.cases);
            let Some(last) = page.next else { return Ok(views) };
            after = Some(Static(last));
        }
    }

    /// What an accusation, a defence and a run in court put up each, in plancks.
    pub fn court_bond(&self) -> Result<Balance, ChainError> {
        Ok(self.at.constants().entry(api::constants().computation().bond())?)
    }

    /// Whether `account` has committed to an accusation in a case and not revealed it.
    pub async fn has_accused(&self, case: u64, account: &AccountId) -> Result<bool, ChainError> {
        let address = api::storage().computation().hidden_accusations();
        let entry = self.at.storage().try_fetch(address, (case, *account)).await?;
        Ok(entry.is_some())
    }

    /// How many blocks had no room for a move in court.
    pub async fn full_blocks(&self) -> Result<u64, ChainError> {
        let address = api::storage().computation().full_blocks();
        let entry = self.at.storage().try_fetch(address, ()).await?;
        Ok(entry.map(|entry| entry.decode()).transpose()?.unwrap_or(0))
    }

    /// What time it is in court.
    pub async fn moment(&self) -> Result<Moment, ChainError> {
        let (full, block_ms) = tokio::try_join!(self.full_blocks(), self.block_time_ms())?;
        let block = self.block.number.into();
        let time = Time { block, full };
        Ok(Moment { time, block_ms })
    }

    /// The numbers of all trials whose bonds are not settled, each with its task.
    pub async fn trials(&self) -> Result<Vec<(u64, TaskId)>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().computation().trials(), ()).await?;
        let mut trials = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (number,) = entry.key()?.decode()?;
            let trial: computation::Trial<AccountId, Balance> = entry.value().decode()?;
            trials.push((number, trial.task.0));
        }
        Ok(trials)
    }

    /// A trial; `None`: there is none, or all its bonds are settled.
    pub async fn trial(&self, number: u64) -> Result<Option<TrialView>, ChainError> {
        let address = api::storage().computation().trials();
        let Some(entry) = self.at.storage().try_fetch(address, (number,)).await? else {
            return Ok(None);
        };
        let trial: computation::Trial<AccountId, Balance> = entry.decode()?;
        let game = self.ask(api::view_functions().computation().game(number)).await?;
        Ok(game.map(|Static(game)| TrialView {
            task: trial.task.0,
            case: trial.case,
            terms: trial.terms.0,
            bond: trial.bond,
            defender: trial.defender,
            game,
        }))
    }

    /// The task classes, by number.
    pub async fn classes(&self) -> Result<Vec<ClassView>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().tasks().classes(), ()).await?;
        let mut views = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (Static(id),) = entry.key()?.decode()?;
            let class = entry.value().decode()?;
            views.push(ClassView {
                id,
                name: String::from_utf8_lossy(&class.name.0).into_owned(),
                specialisation: class.specialisation.0,
                base_reward: class.base_reward,
                judge: class.judge.0,
            });
        }
        views.sort_by_key(|class| class.id);
        Ok(views)
    }

    /// How the tasks of each class pay their workers. A class whose preset is gone is left out.
    pub async fn terms(&self) -> Result<Vec<(ClassId, TermsView)>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().rewards().presets(), ()).await?;
        let mut presets = HashMap::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (id,) = entry.key()?.decode()?;
            let split = entry.value().decode()?;
            presets.insert(id, (split.worker.0, split.best_share.0));
        }
        let mut entries = storage.iter(api::storage().tasks().classes(), ()).await?;
        let mut terms = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (Static(id),) = entry.key()?.decode()?;
            let class = entry.value().decode()?;
            if let Some((worker, best_share)) = presets.get(&class.split).copied() {
                let max_replicas = class.max_replicas;
                terms.push((
                    id,
                    TermsView {
                        worker,
                        best_share,
                        max_replicas,
                    },
                ));
            }
        }
        Ok(terms)
    }

    /// When the block was made, in milliseconds since 1970.
    pub async fn timestamp_ms(&self) -> Result<u64, ChainError> {
        let entry = self
            .at
            .storage()
            .try_fetch(api::storage().timestamp().now(), ())
            .await?;
        Ok(entry.map(|entry| entry.decode()).transpose()?.unwrap_or(0))
    }

    /// What the registry knows of `account` in `role`; `None`: it does not have the role.
    pub async fn participant(&self, account: &AccountId, role: Role) -> Result<Option<ParticipantView>, ChainError> {
        let address = api::storage().registry().members();
        let Some(entry) = self.at.storage().try_fetch(address, (*account,)).await? else {
            return Ok(None);
        };
        let member: registry::Member<BlockNumber> = entry.decode()?;
        let last_heartbeat = member.last_heartbeat;
        let plain = ParticipantView {
            specialisations: Specialisations::NONE,
            slots: 0,
            occupied: 0,
            capability: 0,
            proven: None,
            last_heartbeat,
        };
        Ok(match role {
            Role::Worker => member.worker.map(|worker| ParticipantView {
                specialisations: worker.profile.specialisations.0,
                slots: worker.profile.slots,
                occupied: worker.occupied,
                capability: worker.profile.capability,
                proven: worker.proven.map(|proven| (proven.capability, proven.until)),
                last_heartbeat,
            }),
            Role::Verifier => member.verifier.map(|_| plain),
            Role::Orchestrator => member.orchestrator.map(|_| plain),
            Role::Expert => member.expert.map(|_| plain),
        })
    }

    /// When rounds of hardware challenges are held; `None`: never.
    pub async fn hardware_schedule(&self) -> Result<Option<ScheduleView>, ChainError> {
        let address = api::storage().capability().current_schedule();
        let Some(entry) = self.at.storage().try_fetch(address, ()).await? else {
            return Ok(None);
        };
        let schedule = entry.decode()?;
        Ok(Some(ScheduleView {
            period: schedule.period,
            window: schedule.window,
            voting: schedule.voting,
            revealing: schedule.revealing,
            validity: schedule.validity,
            quorum: schedule.quorum,
            seats: schedule.seats,
        }))
    }

    /// The round of hardware challenges that was opened last.
    pub async fn hardware_round(&self) -> Result<Option<RoundView>, ChainError> {
        let address = api::storage().capability().current_round();
        let Some(entry) = self.at.storage().try_fetch(address, ()).await? else {
            return Ok(None);
        };
        let round = entry.decode()?;
        Ok(Some(RoundView {
            number: round.number,
            seed: round.seed,
            closes_at: round.closes_at,
            window_ms: round.window_ms,
            votes_close_at: round.votes_close_at,
            ends_at: round.ends_at,
            seats: round.seats,
            draw: round.draw,
        }))
    }

    /// What `worker` responded to its hardware challenge in `round`.
    pub async fn hardware_response(&self, round: u32, worker: &AccountId) -> Result<Option<ResponseView>, ChainError> {
        let address = api::storage().capability().responses();
        let entry = self.at.storage().try_fetch(address, (round, *worker)).await?;
        entry.map(|entry| Ok(entry.decode()?.into())).transpose()
    }

    /// All responses to hardware challenges of `round`.
    pub async fn hardware_responses(&self, round: u32) -> Result<Vec<(AccountId, ResponseView)>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().capability().responses(), (round,)).await?;
        let mut responses = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (_, worker) = entry.key()?.decode()?;
            responses.push((worker, entry.value().decode()?.into()));
        }
        Ok(responses)
    }

    /// The votes of `verifier` in `round` that it has not revealed, by the worker whose response they are on.
    pub async fn hardware_votes(
        &self,
        round: u32,
        verifier: &AccountId,
    ) -> Result<BTreeMap<AccountId, VoteView>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage
            .iter(api::storage().capability().votes(), (round, *verifier))
            .await?;
        let mut votes = BTreeMap::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (_, _, worker) = entry.key()?.decode()?;
            let vote = entry.value().decode()?;
            let view = VoteView {
                weight: vote.weight,
                commitment: vote.commitment,
            };
            votes.insert(worker, view);
        }
        Ok(votes)
    }

    /// How many votes on responses the bond of `verifier` backs beyond those that are open.
    pub async fn hardware_votes_left(&self, verifier: &AccountId) -> Result<u32, ChainError> {
        let at_stake: Balance = self.at.constants().entry(api::constants().capability().vote_bond())?;
        let scope = Scope::Role(Role::Verifier);
        let deposits = self.deposits(verifier).await?;
        let bond = deposits
            .into_iter()
            .find(|deposit| deposit.purpose == Purpose::RoleBond && deposit.scope == scope)
            .map_or(0, |deposit| deposit.amount);
        let entry = api::storage().capability().open_votes();
        let open = match self.at.storage().try_fetch(entry, (*verifier,)).await? {
            Some(open) => open.decode()?,
            None => 0,
        };
        let backed = bond
            .checked_div(at_stake)
            .map_or(u32::MAX, |votes| votes.try_into().unwrap_or(u32::MAX));
        Ok(backed.saturating_sub(open))
    }

    /// An account's money; nothing for an account that does not exist.
    pub async fn balance(&self, account: &AccountId) -> Result<BalanceView, ChainError> {
        let address = api::storage().system().account();
        let entry = self.at.storage().try_fetch(address, (*account,)).await?;
        let Some(entry) = entry else {
            return Ok(BalanceView::default());
        };
        let data = entry.decode()?.data;
        Ok(BalanceView {
            free: data.free,
            held: data.reserved,
        })
    }

    /// The money of every account there is.
    pub async fn balances(&self) -> Result<Vec<(AccountId, BalanceView)>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().system().account(), ()).await?;
        let mut balances = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (account,) = entry.key()?.decode()?;
            let data = entry.value().decode()?.data;
            balances.push((
                account,
                BalanceView {
                    free: data.free,
                    held: data.reserved,
                },
            ));
        }
        Ok(balances)
    }

    /// What is set aside of an account's money.
    pub async fn deposits(&self, account: &AccountId) -> Result<Vec<DepositView>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().escrow().deposits(), (*account,)).await?;
        let mut deposits = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (_, Static(purpose), Static(scope)) = entry.key()?.decode()?;
            deposits.push(DepositView {
                purpose,
                scope,
                amount: entry.value().decode()?,
            });
        }
        Ok(deposits)
    }

    /// What is remembered of an account's work.
    pub async fn reputation(&self, account: &AccountId) -> Result<Vec<ReputationView>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().reputation().records(), (*account,)).await?;
        let mut views = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let (_, Static(side)) = entry.key()?.decode()?;
            let record = entry.value().decode()?;
            views.push(ReputationView {
                side,
                confidence: record.score.confidence,
                count: record.score.count,
            });
        }
        Ok(views)
    }

    /// The chain's time per block, in milliseconds.
    pub async fn block_time_ms(&self) -> Result<u64, ChainError> {
        let entry = api::storage().block_time().slot_duration_ms();
        match self.at.storage().try_fetch(entry, ()).await? {
            Some(value) => Ok(value.decode()?),
            None => Err(ChainError::Incompatible(
                "the chain does not tell its block time".to_owned(),
            )),
        }
    }

    /// What an account must keep, in plancks.
    pub fn existential_deposit(&self) -> Result<Balance, ChainError> {
        Ok(self
            .at
            .constants()
            .entry(api::constants().balances().existential_deposit())?)
    }

    /// What the chain computes itself, at most.
    ///
    /// Errors: this chain computes nothing itself.
    pub fn exact_limits(&self) -> Result<ExactLimits, ChainError> {
        let constants = self.at.constants();
        Ok(ExactLimits {
            work: constants.entry(api::constants().exact().max_work())?,
            evidence: constants.entry(api::constants().exact().max_evidence())?,
        })
    }

    /// Everything there is of the chain's money.
    pub async fn total_issuance(&self) -> Result<Balance, ChainError> {
        let entry = api::storage().balances().total_issuance();
        Ok(self.at.storage().fetch(entry, ()).await?.decode()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_task_is_read_from_its_key() {
        let number = 0x0102_0304_0506_0708u64;
        let key = [&[0xaa; 40][..], &number.to_le_bytes()].concat();
        assert_eq!(number_in(&key), Some(TaskId(number)));
        assert_eq!(number_in(&[1; 7]), None);
    }
}
