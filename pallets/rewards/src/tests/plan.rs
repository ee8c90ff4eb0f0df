use crate::{Error, InvalidSplit, Split, mock::*, plan};
use agora_math::split::SplitError;
use agora_primitives::money::{Payee, Payment, PaymentPlan, Payroll, PresetId, RewardPlanner as _};
use frame_support::assert_err;
use proptest::{collection::vec, prelude::*};
use sp_runtime::Permill;
use std::collections::BTreeSet;

fn to(who: AccountId, amount: Balance) -> Payment<AccountId, Balance> {
    Payment {
        payee: Payee::Account(who),
        amount,
    }
}

fn burn(amount: Balance) -> Payment<AccountId, Balance> {
    Payment {
        payee: Payee::Burn,
        amount,
    }
}

fn treasury(amount: Balance) -> Payment<AccountId, Balance> {
    Payment {
        payee: Payee::Treasury,
        amount,
    }
}

fn planned(preset: PresetId, reward: Balance, payroll: &Payroll<AccountId>) -> PaymentPlan<AccountId, Balance> {
    let split = Rewards::split(preset).unwrap();
    Rewards::plan(&split, reward, payroll).unwrap()
}

#[test]
fn divides_by_the_first_preset() {
    ExtBuilder::default().build_and_execute(|| {
        let payroll = payroll(1, &[2, 3], &[11, 12]);
        assert_eq!(
            planned(BURN, 10_000, &payroll),
            [
                burn(6_000),
                // 70 % of 2,500, and the other 750 in two.
                to(1, 1_750),
                to(2, 375),
                to(3, 375),
                to(11, 500),
                to(12, 500),
                treasury(500),
            ]
        );
    });
}

#[test]
fn divides_by_the_second_preset_with_the_experts_part_in_the_treasury() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(
            planned(PEERS, 10_000, &payroll(1, &[2], &[11])),
            [to(1, 4_550), to(2, 1_950), to(11, 2_000), treasury(750 + 750)]
        );
    });
}

#[test]
fn gives_the_best_answer_everything_where_it_is_alone() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(
            planned(BURN, 10_000, &payroll(1, &[], &[11])),
            [burn(6_000), to(1, 2_500), to(11, 1_000), treasury(500)]
        );
    });
}

#[test]
fn gives_the_treasury_the_verifiers_part_where_there_are_none() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(
            planned(BURN, 10_000, &payroll(1, &[], &[])),
            [burn(6_000), to(1, 2_500), treasury(1_500)]
        );
    });
}

#[test]
fn gives_the_treasury_every_remainder() {
    ExtBuilder::default().build_and_execute(|| {
        // Parts of 101: 60.6, 25.25, 10.1, 5.05. Of 25: 17.5, 3.75, 3.75. Of 10: 3.3 each.
        assert_eq!(
            planned(BURN, 101, &payroll(1, &[2, 3], &[11, 12, 13])),
            [
                burn(60),
                to(1, 17),
                to(2, 3),
                to(3, 3),
                to(11, 3),
                to(12, 3),
                to(13, 3),
                treasury(5 + 1 + 2 + 1)
            ]
        );
    });
}

#[test]
fn verifiers_get_no_more_because_others_were_wrong() {
    ExtBuilder::default().build_and_execute(|| {
        let of = |attested| {
            let payroll = Payroll {
                attested,
                ..payroll(1, &[], &[11, 12])
            };
            let plan = planned(BURN, 10_000, &payroll);
            let paid = |who| {
                let found = plan.iter().find(|payment| payment.payee == who);
                found.map_or(0, |payment| payment.amount)
            };
            [Payee::Account(11), Payee::Account(12), Payee::Treasury].map(paid)
        };
        assert_eq!(of(2), [500, 500, 500]);
        assert_eq!(of(3), [333, 333, 834]);
        assert_eq!(of(8), [125, 125, 1_250]);
        assert_eq!(of(u32::MAX), [0, 0, 1_500]);
        // Who is paid has attested, whatever is said.
        assert_eq!(of(0), of(2));
    });
}

#[test]
fn pays_nobody_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        let payroll = payroll(1, &[2, 3], &[11]);
        assert_eq!(planned(BURN, 0, &payroll), []);
        assert_eq!(planned(BURN, 1, &payroll), [treasury(1)]);
        assert_eq!(planned(BURN, 4, &payroll), [burn(2), treasury(2)]);
    });
}

#[test]
fn pays_an_account_once_whatever_it_did() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(
            planned(BURN, 10_000, &payroll(1, &[2], &[2, 1])),
            [burn(6_000), to(1, 1_750 + 500), to(2, 750 + 500), treasury(500)]
        );
    });
}

#[test]
fn follows_a_change_of_the_preset() {
    ExtBuilder::default().build_and_execute(|| {
        let everything_to_workers = split([0, 1_000_000, 0, 0, 0], 500_000);
        frame_support::assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), BURN, everything_to_workers));
        assert_eq!(
            planned(BURN, 101, &payroll(1, &[2], &[11])),
            [to(1, 50), to(2, 50), treasury(1)]
        );
    });
}

#[test]
fn divides_the_largest_reward() {
    ExtBuilder::default().build_and_execute(|| {
        let plan = planned(BURN, Balance::MAX, &payroll(1, &[2, 3], &[11, 12]));
        let sum = plan
            .iter()
            .try_fold(0u128, |sum, payment| sum.checked_add(payment.amount));
        assert_eq!(sum, Some(Balance::MAX));
    });
}

#[test]
fn fails_by_a_split_that_is_not_whole() {
    ExtBuilder::default().build().execute_with(|| {
        // Only corruption can bring this about.
        let broken = Split {
            burn: Permill::zero(),
            ..Split::BURN
        };
        assert_err!(
            Rewards::plan(&broken, 1, &payroll(1, &[], &[])),
            Error::<Test>::SplitNotWhole
        );
        assert_eq!(plan(&broken, 1, &payroll(1, &[], &[])), Err(SplitError::NotWhole));
        assert_eq!(broken.validate(), Err(InvalidSplit::NotWhole));
    });
}

/// Five parts that add up to one, and a valid best share.
fn any_split() -> impl Strategy<Value = Split> {
    (vec(0u32..=1_000_000, 4), 500_000u32..=1_000_000).prop_map(|(mut cuts, best_share)| {
        cuts.sort_unstable();
        let parts = [
            cuts[0],
            cuts[1] - cuts[0],
            cuts[2] - cuts[1],
            cuts[3] - cuts[2],
            1_000_000 - cuts[3],
        ];
        split(parts, best_share)
    })
}

fn any_reward() -> impl Strategy<Value = Balance> {
    (any::<Balance>(), 0u32..128).prop_map(|(reward, shift)| reward >> shift)
}

/// Workers 0.. with the best first, and verifiers of whom some are workers too.
fn any_payroll() -> impl Strategy<Value = Payroll<AccountId>> {
    (0u64..40, vec(0u64..60, 0..40)).prop_map(|(others, verifiers)| {
        let others: Vec<_> = (1..=others).collect();
        let verifiers: BTreeSet<_> = verifiers.into_iter().collect();
        payroll(0, &others, &verifiers.into_iter().collect::<Vec<_>>())
    })
}

fn of(who: AccountId, plan: &PaymentPlan<AccountId, Balance>) -> Balance {
    plan.iter()
        .find(|payment| payment.payee == Payee::Account(who))
        .map_or(0, |payment| payment.amount)
}

proptest! {
    #[test]
    fn any_plan_adds_up_to_exactly_the_reward(
        split in any_split(), reward in any_reward(), payroll in any_payroll(),
    ) {
        prop_assert_eq!(split.validate(), Ok(()));
        let plan = plan(&split, reward, &payroll).unwrap();
        let sum = plan.iter().try_fold(0u128, |sum, payment| sum.checked_add(payment.amount));
        prop_assert_eq!(sum, Some(reward));
    }

    #[test]
    fn no_plan_pays_zero_or_anybody_twice(
        split in any_split(), reward in any_reward(), payroll in any_payroll(),
    ) {
        let plan = plan(&split, reward, &payroll).unwrap();
        prop_assert!(plan.iter().all(|payment| payment.amount > 0));
        for (at, payment) in plan.iter().enumerate() {
            prop_assert!(plan[..at].iter().all(|earlier| earlier.payee != payment.payee));
        }
    }

    #[test]
    fn the_best_answer_never_gets_less_than_another(
        split in any_split(), reward in any_reward(), others in 0u64..200, verifiers in 0u64..20,
    ) {
        let others: Vec<_> = (1..=others).collect();
        let verifiers: Vec<_> = (1_000..1_000 + verifiers).collect();
        let plan = plan(&split, reward, &payroll(0, &others, &verifiers)).unwrap();
        prop_assert!(others.iter().all(|other| of(*other, &plan) <= of(0, &plan)));
        prop_assert!(others.iter().all(|other| of(*other, &plan) == of(1, &plan)));
        prop_assert!(verifiers.iter().all(|verifier| of(*verifier, &plan) == of(1_000, &plan)));
    }

    #[test]
    fn each_side_gets_its_part_and_the_treasury_little_more(
        split in any_split(), reward in any_reward(), others in 0u64..40, verifiers in 1u64..20,
    ) {
        let others: Vec<_> = (1..=others).collect();
        let verifiers: Vec<_> = (1_000..1_000 + verifiers).collect();
        let plan = plan(&split, reward, &payroll(0, &others, &verifiers)).unwrap();
        let workers: Balance = of(0, &plan) + others.iter().map(|other| of(*other, &plan)).sum::<Balance>();
        let checked: Balance = verifiers.iter().map(|verifier| of(*verifier, &plan)).sum();
        let part = |part: Permill| part.mul_floor(reward);
        prop_assert!(workers <= part(split.worker));
        prop_assert!(part(split.worker) - workers <= others.len() as Balance);
        prop_assert!(checked <= part(split.verifier));
        prop_assert!(part(split.verifier) - checked < verifiers.len() as Balance);
        let best = Balance::from(others.is_empty()) * part(split.worker)
            + Balance::from(!others.is_empty()) * split.best_share.mul_floor(part(split.worker));
        prop_assert_eq!(of(0, &plan), best);
        let burned = plan.iter().find(|payment| payment.payee == Payee::Burn).map_or(0, |payment| payment.amount);
        prop_assert_eq!(burned, part(split.burn));
    }
}
