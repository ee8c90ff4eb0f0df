//! `agora profile`

use crate::{args::ProfileArgs, context::Context, exit::CliError, output::answer, units::name_of};
use agora_chain::{AccountId, BlockNumber, calls, views::ParticipantView};
use agora_primitives::participants::{Role, Specialisation, Specialisations};
use serde::Serialize;

/// What a worker declares, and what of it is proven.
#[derive(Serialize)]
pub struct Profile {
    account: String,
    specialisations: Vec<Specialisation>,
    slots: u32,
    /// In GOPS.
    declared: u32,
    /// In GOPS; `None`: nothing is proven, or it is too long ago.
    proven: Option<u32>,
    /// The first block in which the proven capability no longer counts.
    until: Option<BlockNumber>,
    /// The next block that opens a round of hardware challenges; `None`: the chain holds none.
    next_round: Option<BlockNumber>,
}

pub async fn run(context: &Context, args: ProfileArgs) -> Result<(), CliError> {
    let account = context.account(args.account.as_deref())?;
    if args.changes() {
        let submitter = context.submitter().await?;
        let at = submitter.client().best().await?;
        let now = participant(&at, &account).await?;
        let specialisations: Specialisations = match args.specialisations.is_empty() {
            true => now.specialisations,
            false => args.specialisations.iter().copied().collect(),
        };
        let slots = args.slots.unwrap_or(now.slots);
        let capability = args.capability.unwrap_or(now.capability);
        let call = calls::update_profile(specialisations, slots, capability);
        submitter.submit_settled(&call).await?;
    }
    let at = context.client().await?.best().await?;
    let participant = participant(&at, &account).await?;
    let now = at.block.number;
    let proven = participant.proven.filter(|(_, until)| now < *until);
    let profile = Profile {
        account: account.to_string(),
        specialisations: Specialisation::ALL
            .into_iter()
            .filter(|one| participant.specialisations.contains(*one))
            .collect(),
        slots: participant.slots,
        declared: participant.capability,
        proven: proven.map(|(capability, _)| capability.min(participant.capability)),
        until: proven.map(|(_, until)| until),
        next_round: at.hardware_schedule().await?.map(|schedule| schedule.next_round(now)),
    };
    answer(context, &profile, |profile| describe(profile, now));
    Ok(())
}

async fn participant(at: &agora_chain::AtBlock, account: &AccountId) -> Result<ParticipantView, CliError> {
    let participant = at.participant(account, Role::Worker).await?;
    participant.ok_or_else(|| {
        CliError::NotFound(format!(
            "{account} is not registered as a worker; see `agora register --help`"
        ))
    })
}

fn describe(profile: &Profile, now: BlockNumber) -> String {
    let kinds: Vec<_> = profile.specialisations.iter().map(name_of).collect();
    let proven = match (profile.proven, profile.until) {
        (Some(proven), Some(until)) => format!("{proven} GOPS, until block {until}"),
        _ => "nothing: it counts as 1 GOPS".to_owned(),
    };
    let next = profile.next_round.map_or_else(
        || "this chain holds none".to_owned(),
        |next| format!("block {next}, in {} blocks", next.saturating_sub(now)),
    );
    format!(
        "{}\n  kinds       {}\n  slots       {}\n  declared    {} GOPS\n  proven      {proven}\n  next round  {next}",
        profile.account,
        kinds.join(", "),
        profile.slots,
        profile.declared,
    )
}

#[cfg(test)]
pub fn example() -> Profile {
    Profile {
        account: "5F".to_owned(),
        specialisations: vec![Specialisation::Synthetic],
        slots: 1,
        declared: 10,
        proven: Some(9),
        until: Some(100),
        next_round: Some(50),
    }
}
