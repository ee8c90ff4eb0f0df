//! The weights of the market's calls, in transfers.
//!
//! Both come from the runtime: `make weights` measures them one after the other on the same machine. A weight counts the
//! time to execute and the time that the database takes for what is read and written.

use agora_bench_figures::{Better, Figure};
use agora_runtime::Runtime;
use pallet_agora_tasks::WeightInfo as _;
use pallet_balances::WeightInfo as _;
use sp_weights::Weight;

type Tasks = <Runtime as pallet_agora_tasks::Config>::WeightInfo;
type Balances = <Runtime as pallet_balances::Config>::WeightInfo;

/// How many workers a task is settled with.
const WORKERS: u32 = 5;

/// The weights, each beside that of `balances.transfer_keep_alive`.
pub fn figures() -> Vec<Figure> {
    let microseconds = |weight: Weight| weight.ref_time() as f64 / 1e6;
    let transfer = microseconds(Balances::transfer_keep_alive());
    let figure = |name: &str, weight| Figure::new(name, "µs", microseconds(weight), transfer, Better::Lower);
    let settle = Tasks::settle(WORKERS);
    vec![
        figure("weight of publish against a transfer", Tasks::publish()),
        figure("weight of accept against a transfer", Tasks::accept()),
        figure("weight of commit against a transfer", Tasks::commit()).goal(2.0),
        figure("weight of reveal against a transfer", Tasks::reveal()).goal(2.0),
        figure(
            "weight of settling five workers and the most attesters, per worker, against a transfer",
            settle / u64::from(WORKERS),
        ),
    ]
}
