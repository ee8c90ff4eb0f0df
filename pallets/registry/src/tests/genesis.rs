//! Participants from the start.

use crate::{GenesisConfig, GenesisParticipant, Profile, mock::*};
use agora_primitives::participants::{Participants, Role, Specialisation};
use frame_support::assert_ok;

fn participant(account: AccountId, role: Role, bond: Balance) -> GenesisParticipant<AccountId, Balance> {
    GenesisParticipant {
        account,
        role,
        bond,
        profile: profile(10),
    }
}

#[test]
fn participants_are_bonded_and_active() {
    let participants = vec![
        participant(ALICE, Role::Worker, 500),
        participant(ALICE, Role::Verifier, 600),
        GenesisParticipant {
            account: BOB,
            role: Role::Verifier,
            bond: VERIFIER_BOND,
            profile: Profile::default(),
        },
    ];
    ExtBuilder::default().participants(participants).build_and_execute(|| {
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        assert_ok!(Registry::ensure_active(&ALICE, Role::Verifier));
        assert_ok!(Registry::ensure_active(&BOB, Role::Verifier));
        assert_eq!(
            (bond_of(ALICE, Role::Worker), bond_of(ALICE, Role::Verifier)),
            (500, 600)
        );
        assert_eq!(free(ALICE), ENDOWMENT - 1_100);
        // Nothing is proven at genesis.
        assert_eq!((workers(), weight_of(ALICE)), (1, 1));
    });
}

#[test]
#[should_panic(expected = "cannot be registered at genesis")]
fn a_participant_who_cannot_pay_stops_the_build() {
    ExtBuilder::default()
        .participants(vec![participant(NOBODY, Role::Worker, 500)])
        .build();
}

#[test]
fn a_chain_specification_reads_well() {
    let json = serde_json::json!({
        "participants": [
            {
                "account": 1,
                "role": "worker",
                "bond": 100,
                "profile": { "specialisations": ["synthetic", "row-transform"], "slots": 2, "capability": 40 }
            },
            { "account": 2, "role": "verifier", "bond": 200 }
        ]
    });
    let config: GenesisConfig<Test> = serde_json::from_value(json.clone()).unwrap();
    let first = &config.participants[0];
    assert!(first.profile.specialisations.contains(Specialisation::RowTransform));
    assert_eq!((first.profile.slots, first.profile.capability), (2, 40));
    assert_eq!(config.participants[1].profile, Profile::default());

    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(written["participants"][0], json["participants"][0]);
    let read: GenesisConfig<Test> = serde_json::from_value(written).unwrap();
    assert_eq!(read.participants, config.participants);
}
