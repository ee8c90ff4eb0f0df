//! `agora leave`

use crate::{args::LeaveArgs, context::Context, exit::CliError, output::answer, units::name_of};
use agora_chain::{BlockNumber, calls};
use agora_primitives::participants::Role;
use serde::Serialize;

/// A role that is being left.
#[derive(Serialize)]
pub struct Left {
    account: String,
    role: Role,
    block: BlockNumber,
    /// Whether the block is final.
    is_final: bool,
    /// The first block in which the bond can be withdrawn; `None`: it was.
    withdrawable_at: Option<BlockNumber>,
}

pub async fn run(context: &Context, args: LeaveArgs) -> Result<(), CliError> {
    let submitter = context.submitter().await?;
    let role = Role::from(args.role);
    let included = if args.withdraw {
        submitter.submit_settled(&calls::withdraw_bond(role)).await?
    } else {
        submitter.submit_settled(&calls::request_exit(role)).await?
    };
    let left = Left {
        account: submitter.account().to_string(),
        role,
        block: included.block.number,
        is_final: included.is_final,
        withdrawable_at: included.withdrawable_at(),
    };
    answer(context, &left, |one| match one.withdrawable_at {
        Some(block) => format!(
            "{} takes no new work as {role}. From block {block} on, `agora leave --role {role} --withdraw` returns the bond.",
            one.account,
            role = name_of(&one.role)
        ),
        None => format!(
            "{} is no longer registered as {}; the bond is free.",
            one.account,
            name_of(&one.role)
        ),
    });
    Ok(())
}

#[cfg(test)]
pub fn example() -> Left {
    Left {
        account: "5F".to_owned(),
        role: Role::Worker,
        block: 1,
        is_final: true,
        withdrawable_at: Some(2),
    }
}
