//! The README's runtime, and one without any other pallet of the market.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    TaskId,
    job::Claim,
    judging::{Answer, AppealTerms, Attestation, Judge as _, Ruling, Sealed, attestation_commitment},
    participants::Specialisation,
};
use frame_support::{assert_ok, traits::Hooks};
use sp_core::H256;
use sp_runtime::traits::Zero;

// As in another crate.
use crate as pallet_agora_judging;

mod composed {
    use super::pallet_agora_judging;
    // README: begin
    use agora_primitives::{
        TaskId,
        judging::{Answer, AppealTerms, Judge as _, JudgeRule, Verdict},
        participants::Specialisation,
    };
    use frame_support::{
        derive_impl, parameter_types,
        traits::{ConstU32, ConstU64},
    };
    use sp_core::H256;
    use sp_runtime::{DispatchError, Permill};

    /// Unit of money.
    pub type Balance = u128;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(
            RuntimeCall,
            RuntimeEvent,
            RuntimeError,
            RuntimeOrigin,
            RuntimeFreezeReason,
            RuntimeHoldReason,
            RuntimeTask
        )]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Balances = pallet_balances::Pallet<Runtime>;
        #[runtime::pallet_index(2)]
        pub type Escrow = pallet_agora_escrow::Pallet<Runtime>;
        #[runtime::pallet_index(3)]
        pub type Judging = pallet_agora_judging::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
        type AccountData = pallet_balances::AccountData<Balance>;
    }

    #[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
    impl pallet_balances::Config for Runtime {
        type Balance = Balance;
        type ExistentialDeposit = ExistentialDeposit;
        type AccountStore = System;
    }

    impl pallet_agora_escrow::Config for Runtime {
        type Currency = Balances;
        type RuntimeHoldReason = RuntimeHoldReason;
        type Treasury = Treasury;
        type WeightInfo = pallet_agora_escrow::weights::SubstrateWeight<Runtime>;
    }

    parameter_types! {
        pub const ExistentialDeposit: Balance = 1_000;
        pub const Treasury: u64 = 42;
        pub const LoserPenalty: Permill = Permill::from_percent(100);
        pub const DisagreedPenalty: Permill = Permill::from_percent(10);
    }

    impl pallet_agora_judging::Config for Runtime {
        type Escrow = Escrow;
        // With the registry: `Registry`, so that only its verifiers attest, and only those who are drawn.
        type Participants = ();
        type Reputation = ();
        type Offences = ();
        // With the tasks pallet: `Tasks`, so that who works on a task does not attest in it.
        type Parties = ();
        type Seats = ConstU32<8>;
        type MaxAttestations = ConstU32<16>;
        // With a court that counts them: those that were full.
        type FullBlocks = ConstU64<0>;
        type LoserPenalty = LoserPenalty;
        type DisagreedPenalty = DisagreedPenalty;
        type WeightInfo = pallet_agora_judging::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = Mint;
    }

    /// Gives benchmarks money for bonds.
    #[cfg(feature = "runtime-benchmarks")]
    pub struct Mint;

    #[cfg(feature = "runtime-benchmarks")]
    impl pallet_agora_judging::BenchmarkHelper<u64, Balance> for Mint {
        fn prepare_verifier(who: &u64, bond: Balance) {
            use frame_support::traits::fungible::Mutate;
            let _ = Balances::mint_into(who, bond + ExistentialDeposit::get());
        }
    }

    /// Chooses a result, and lets verifiers commit to attestations about it until block `until`. Whatever keeps the tasks does
    /// so; asks then what `Judging::reveals(task)` waits for, has `Judging::draw_chunks(task, seed)` begin the reveals, and ends it
    /// with `Judging::close_appeal_window(task, ruling)`, which returns the verifiers to be paid.
    pub fn choose(
        task: TaskId,
        answers: &[Answer<u64, u64>],
        until: u64,
    ) -> Result<Option<Verdict<u64>>, DispatchError> {
        // Of this block, and for this task: take the randomness of your consensus.
        let seed = H256::zero();
        let verdict = Judging::judge(JudgeRule::Replication { trust: 3 }, seed, answers);
        if let Some(Verdict { claim, .. }) = verdict {
            let (bond, specialisation) = (1_000_000, Specialisation::Synthetic);
            let terms = AppealTerms {
                claim,
                seed,
                until,
                reveal_window: 10,
                bond,
                specialisation,
            };
            Judging::open_appeal_window(task, terms)?;
        }
        Ok(verdict)
    }
    // README: end
}

/// Every trait of another pallet has a `()`. Without an escrow there is no money, so that bonds are zero.
mod alone {
    use super::pallet_agora_judging;
    use frame_support::{
        derive_impl, parameter_types,
        traits::{ConstU32, ConstU64},
    };
    use sp_runtime::Permill;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Judging = pallet_agora_judging::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    parameter_types! {
        pub const Nothing: Permill = Permill::zero();
    }

    impl pallet_agora_judging::Config for Runtime {
        type Escrow = ();
        type Participants = ();
        type Reputation = ();
        type Offences = ();
        type Parties = ();
        type Seats = ConstU32<1>;
        type MaxAttestations = ConstU32<2>;
        type FullBlocks = ConstU64<0>;
        type LoserPenalty = Nothing;
        type DisagreedPenalty = Nothing;
        type WeightInfo = ();
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }
}

const TASK: TaskId = TaskId(1);
const CLAIM: Claim = Claim::Unusable;
const SALT: [u8; 32] = [3; 32];

/// What `who` commits to about the claim, in a window with a seed of zeroes.
fn commitment<T: frame_system::Config<Hash = H256>>(who: &u64, attestation: Attestation) -> H256 {
    let sealed = Sealed {
        genesis: frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero()),
        task: TASK,
        seed: H256::zero(),
        claim: &CLAIM,
        verifier: who,
        attestation,
        root: None,
    };
    attestation_commitment(&sealed, &SALT)
}

#[test]
fn a_composed_runtime_judges_and_takes_the_bond_of_who_was_wrong() {
    use composed::{Balance, Balances, Escrow, Judging, Runtime, RuntimeGenesisConfig, RuntimeOrigin, choose};

    const RICHES: Balance = 10_000_000;
    let answers = [1, 2, 3].map(|worker| Answer {
        worker,
        claim: CLAIM,
        committed_at: worker,
        confidence: 0,
    });
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(4, RICHES), (5, RICHES)],
            ..Default::default()
        },
        ..Default::default()
    };
    state::<Runtime>(genesis).execute_with(|| {
        Judging::integrity_test();
        assert_eq!(choose(TASK, &answers[..1], 10), Ok(None));
        let verdict = choose(TASK, &answers, 10).unwrap().unwrap();
        assert_eq!((verdict.claim, verdict.best), (CLAIM, 1));
        let said = [(4, Attestation::Valid), (5, Attestation::Invalid)];
        for (who, attestation) in said {
            let commitment = commitment::<Runtime>(&who, attestation);
            assert_ok!(Judging::commit_attestation(
                RuntimeOrigin::signed(who),
                TASK,
                commitment
            ));
        }
        frame_system::Pallet::<Runtime>::set_block_number(12);
        Judging::draw_chunks(TASK, H256::zero());
        for (who, attestation) in said {
            let origin = RuntimeOrigin::signed(who);
            assert_ok!(Judging::reveal_attestation(origin, TASK, attestation, SALT, None));
        }
        assert_ok!(Judging::do_try_state());
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Upheld), Ok(vec![4]));
        assert_eq!(Balances::free_balance(4), RICHES);
        assert_eq!(Balances::free_balance(5), RICHES - 1_000_000);
        assert_ok!(Escrow::do_try_state());
        assert_ok!(Judging::do_try_state());
    });
}

#[test]
fn a_runtime_without_the_rest_of_the_market_lets_everybody_attest_for_nothing() {
    use alone::{Judging, Runtime, RuntimeGenesisConfig, RuntimeOrigin};

    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        Judging::integrity_test();
        let terms = AppealTerms {
            claim: CLAIM,
            seed: H256::zero(),
            until: 10,
            reveal_window: 10,
            bond: 0,
            specialisation: Specialisation::Synthetic,
        };
        assert_ok!(Judging::open_appeal_window(TASK, terms));
        let said = [(1, Attestation::Valid), (2, Attestation::Invalid)];
        for (who, attestation) in said {
            let commitment = commitment::<Runtime>(&who, attestation);
            assert_ok!(Judging::commit_attestation(
                RuntimeOrigin::signed(who),
                TASK,
                commitment
            ));
        }
        frame_system::Pallet::<Runtime>::set_block_number(12);
        Judging::draw_chunks(TASK, H256::zero());
        for (who, attestation) in said {
            let origin = RuntimeOrigin::signed(who);
            assert_ok!(Judging::reveal_attestation(origin, TASK, attestation, SALT, None));
        }
        assert_ok!(Judging::do_try_state());
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Overturned), Ok(vec![2]));
        assert_ok!(Judging::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
