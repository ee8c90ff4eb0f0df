//! The call weighs what was measured for the job's work and the evidence, and what is not used is given back.

use super::jobs::{matmul, unusable};
use crate::{
    Call, WeightInfo,
    mock::*,
    scenario::{SALT, heaviest, most_units},
    types::Evidence,
};
use agora_primitives::{
    TaskId,
    exact::{ExactCourt, ExactTasks},
    job::Claim,
};
use agora_reference::{run, total_work};
use frame_support::{dispatch::GetDispatchInfo, weights::Weight};

type Measured = ();

fn declared(evidence: &[u8]) -> Weight {
    let call = Call::<Test>::reveal {
        task: TaskId(0),
        claim: Claim::Unusable,
        salt: SALT,
        evidence: evidence.to_vec().try_into().unwrap(),
    };
    call.get_dispatch_info().call_weight
}

fn tasks() -> Weight {
    <Tasks as ExactTasks<AccountId>>::weight()
}

fn units(work: u64) -> u32 {
    u32::try_from(work.div_ceil(1024)).unwrap()
}

#[test]
fn the_most_work_is_declared_and_evidence_as_it_is() {
    for length in [0, 1, 1024, 1025, MAX_EVIDENCE as usize] {
        let evidence = units(length as u64);
        let weight = <Measured as WeightInfo>::reveal(units(MAX_WORK), evidence).saturating_add(tasks());
        assert_eq!(declared(&vec![0; length]), weight, "{length}");
    }
    assert_eq!(Exact::weight(), <Measured as WeightInfo>::admit());
}

#[test]
fn what_a_job_does_not_take_is_given_back() {
    for known in [matmul(), unusable()] {
        ExtBuilder.build_and_execute(|| {
            let task = committed(&known.job, &known.claim());
            let evidence = known.evidence();
            let revealed = reveal(BOB, task, known.claim(), &evidence).unwrap();
            let work = units(total_work(&known.job, MAX_WORK).unwrap());
            let delivered = <() as pallet_agora_tasks::WeightInfo>::deliver(1);
            let weight = <Measured as WeightInfo>::reveal(work, units(evidence.len() as u64));
            assert_eq!(revealed.actual_weight, Some(weight.saturating_add(delivered)));
            assert!(declared(&evidence).all_gt(revealed.actual_weight.unwrap()));
        });
    }
}

#[test]
fn who_is_refused_pays_for_what_was_computed() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let evidence = known.evidence();
        let task = committed(&known.job, &Claim::Unusable);
        let weigh = |who, evidence: &[u8]| {
            let refused = reveal(who, task, Claim::Unusable, evidence).unwrap_err();
            refused.post_info.actual_weight.unwrap()
        };
        let looked = |evidence: &[u8]| {
            let evidence = units(evidence.len() as u64);
            <Measured as WeightInfo>::reveal(0, evidence).saturating_add(tasks())
        };
        assert_eq!(weigh(CAROL, &evidence), looked(&evidence));
        assert_eq!(weigh(BOB, &evidence[1..]), looked(&evidence[1..]));
        let work = units(total_work(&known.job, MAX_WORK).unwrap());
        let computed = <Measured as WeightInfo>::reveal(work, 1).saturating_add(tasks());
        assert_eq!(weigh(BOB, &evidence), computed);
    });
}

#[test]
fn the_measured_job_takes_all_of_the_work_and_the_evidence() {
    for (work, kib) in [(1200 * 1024, 2), (MAX_WORK, 2), (MAX_WORK, MAX_EVIDENCE / 1024)] {
        let (job, evidence) = heaviest(work, kib);
        assert_eq!(evidence.len(), kib as usize * 1024);
        let takes = total_work(&job, work).expect("no more");
        assert!(takes > work - work / 100, "{takes} of {work}");
        let inputs = Evidence::open(&job, &evidence).ok().unwrap();
        let outcome = run(&job, &inputs).unwrap();
        // It ran until its gas was used up: a record ends with how.
        let record = agora_primitives::job::program::read_record(&outcome.output).unwrap();
        assert_eq!(record, (agora_primitives::job::program::Ending::OutOfGas, &[][..]));
    }
}

#[test]
fn the_job_with_the_most_units_takes_all_of_the_work() {
    let takes = total_work(&most_units(MAX_WORK), MAX_WORK).unwrap();
    assert!(takes > MAX_WORK - (1 << 14), "{takes}");
}
