//! `agora register`

use crate::{
    args::{RegisterArgs, RoleArg},
    context::Context,
    exit::CliError,
    output::{answer, not_final},
    units::name_of,
};
use agora_chain::{BlockNumber, calls};
use agora_compute::{EngineError, GpuOptions};
use agora_primitives::participants::{Role, Specialisations};
use serde::Serialize;

/// A role that was taken.
#[derive(Serialize)]
pub struct Registered {
    account: String,
    role: Role,
    bond: String,
    capability: u32,
    /// Why the processor was measured, although a graphics device was looked for.
    fall_back: Option<String>,
    block: BlockNumber,
    /// Whether the block is final.
    is_final: bool,
}

pub async fn run(context: &Context, args: RegisterArgs) -> Result<(), CliError> {
    let submitter = context.submitter().await?;
    let (specialisations, slots, (capability, fall_back)) = match args.role {
        RoleArg::Worker => {
            let capability = match args.capability {
                Some(capability) => (capability, None),
                None => measure(args.device, context.gpu_options()).await?,
            };
            (args.specialisations.iter().copied().collect(), args.slots, capability)
        }
        _ => (Specialisations::NONE, 0, (0, None)),
    };
    let role = Role::from(args.role);
    let call = calls::register(role, args.bond.0, specialisations, slots, capability);
    let included = submitter.submit_settled(&call).await?;
    let is_final = included.is_final;
    let registered = Registered {
        account: submitter.account().to_string(),
        role,
        bond: args.bond.0.to_string(),
        capability,
        fall_back,
        block: included.block.number,
        is_final,
    };
    answer(context, &registered, |one| {
        let capability = match args.role {
            RoleArg::Worker => format!(" and with a capability of {} GOPS", one.capability),
            _ => String::new(),
        };
        format!(
            "{} is registered as {} since block {}{}, bonded with {}{capability}.",
            one.account,
            name_of(&one.role),
            one.block,
            not_final(one.is_final),
            args.bond
        )
    });
    Ok(())
}

/// The speed of a device that computes the right bits, in GOPS, and why it is the processor if that was not asked for.
async fn measure(device: String, options: GpuOptions) -> Result<(u32, Option<String>), CliError> {
    let measured = tokio::task::spawn_blocking(move || {
        let engine = agora_compute::open_engine(&device, &options)?;
        let fall_back = engine.fall_back().map(str::to_owned);
        Ok::<_, EngineError>((agora_compute::capability(engine.as_ref())?, fall_back))
    })
    .await;
    match measured {
        Ok(measured) => Ok(measured?),
        Err(panic) => Err(CliError::Usage(format!(
            "measuring the device failed: {panic}; give --capability"
        ))),
    }
}

#[cfg(test)]
pub fn example() -> Registered {
    Registered {
        account: "5F".to_owned(),
        role: Role::Worker,
        bond: "1".to_owned(),
        capability: 10,
        fall_back: None,
        block: 1,
        is_final: true,
    }
}
