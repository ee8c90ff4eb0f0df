//! `agora register`

use crate::{
    args::{RegisterArgs, RoleArg},
    context::Context,
    exit::CliError,
    output::answer,
    units::name_of,
};
use agora_chain::{BlockNumber, calls};
use agora_compute::GpuOptions;
use agora_primitives::participants::{Role, Specialisations};
use serde::Serialize;

#[derive(Serialize)]
struct Registered {
    account: String,
    role: Role,
    bond: String,
    capability: u32,
    block: BlockNumber,
}

pub async fn run(context: &Context, args: RegisterArgs) -> Result<(), CliError> {
    let submitter = context.submitter().await?;
    let (specialisations, slots, capability) = match args.role {
        RoleArg::Worker => {
            let capability = match args.capability {
                Some(capability) => capability,
                None => measure(args.device, context.gpu_options()).await?,
            };
            (args.specialisations.iter().copied().collect(), args.slots, capability)
        }
        _ => (Specialisations::NONE, 0, 0),
    };
    let role = Role::from(args.role);
    let call = calls::register(role, args.bond.0, specialisations, slots, capability);
    let included = submitter.submit_finalised(&call).await?;
    let registered = Registered {
        account: submitter.account().to_string(),
        role,
        bond: args.bond.0.to_string(),
        capability,
        block: included.block.number,
    };
    answer(context, &registered, |one| {
        let capability = match args.role {
            RoleArg::Worker => format!(" and with a capability of {} GOPS", one.capability),
            _ => String::new(),
        };
        format!(
            "{} is registered as {} since block {}, bonded with {}{capability}.",
            one.account,
            name_of(&one.role),
            one.block,
            args.bond
        )
    });
    Ok(())
}

/// The speed of a device that computes the right bits, in GOPS.
async fn measure(device: String, options: GpuOptions) -> Result<u32, CliError> {
    let measured = tokio::task::spawn_blocking(move || {
        let engine = agora_compute::open_engine(&device, &options)?;
        agora_compute::capability(engine.as_ref())
    })
    .await;
    match measured {
        Ok(capability) => Ok(capability?),
        Err(panic) => Err(CliError::Usage(format!(
            "measuring the device failed: {panic}; give --capability"
        ))),
    }
}
