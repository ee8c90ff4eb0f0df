//! What `agora mine` takes.

use super::RunArgs;
use crate::units::Amount;
use agora_worker::Hours;
use clap::Args;
use std::num::NonZeroU32;

#[derive(Args)]
pub struct MineArgs {
    /// Devices to compute on: "auto", "all" (every graphics device that works), "cpu", an index of `agora devices`, or part
    /// of a name. May be repeated.
    #[arg(long = "device", default_value = "auto")]
    pub devices: Vec<String>,
    /// Largest bond to put up for one task.
    #[arg(long, default_value = "1000000", value_name = "AMOUNT", help_heading = "Risk")]
    pub max_bond: Amount,
    /// Most to have in bonds for tasks at the same time; without it, what the free balance allows.
    #[arg(long, value_name = "AMOUNT", help_heading = "Risk")]
    pub max_exposure: Option<Amount>,
    /// Least pay, in units per 10⁹ multiply–adds: of this worker's own share of the reward, where it is right and not the
    /// best.
    #[arg(long, default_value = "0", value_name = "AMOUNT", help_heading = "Pay")]
    pub min_reward: Amount,
    /// Least profit of a task: that share, less fees and power.
    #[arg(long, default_value = "0", value_name = "AMOUNT", help_heading = "Pay")]
    pub min_profit: Amount,
    /// What a kilowatt-hour costs, in units. Power is counted for the time that computing takes by the measured speed.
    #[arg(long, default_value = "0", value_name = "AMOUNT", requires = "watts", help_heading = "Pay")]
    pub power_price: Amount,
    /// What a device takes while it computes, in watts.
    #[arg(long, default_value_t = 0, help_heading = "Pay")]
    pub watts: u32,
    /// Most multiply–adds of one job.
    #[arg(long, default_value_t = u64::MAX)]
    pub max_work: u64,
    /// Take tasks only in these hours of the day (UTC), such as 22-6. What was taken is ended at any hour.
    #[arg(long, value_name = "FROM-TO")]
    pub hours: Option<Hours>,
    /// Respond with a decoy in about one of so many rounds of hardware challenges, to have the money of verifiers who vote without
    /// looking. In such a round the account proves nothing, and what it had proven ends. Without it: never.
    #[arg(long, value_name = "ROUNDS")]
    pub decoys: Option<NonZeroU32>,
    #[command(flatten)]
    pub run: RunArgs,
}

impl MineArgs {
    /// The price of power, in plancks.
    pub fn power(&self) -> agora_worker::Power {
        agora_worker::Power {
            price_per_kwh: self.power_price.0,
            watts: self.watts,
        }
    }

    /// The most in bonds, in plancks.
    pub fn max_exposure(&self) -> u128 {
        self.max_exposure.map_or(u128::MAX, |amount| amount.0)
    }
}
