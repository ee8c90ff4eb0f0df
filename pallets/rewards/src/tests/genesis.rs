use crate::{GenesisConfig, Presets, Split, mock::*};
use sp_runtime::Permill;

#[test]
fn holds_the_presets_of_the_mission() {
    ExtBuilder::default().build_and_execute(|| {
        let burn = split([600_000, 250_000, 100_000, 0, 50_000], 700_000);
        let peers = split([0, 650_000, 200_000, 75_000, 75_000], 700_000);
        assert_eq!(Presets::<Test>::get(BURN), Some(burn));
        assert_eq!(Presets::<Test>::get(PEERS), Some(peers));
        assert_eq!(Presets::<Test>::count(), 2);
    });
}

#[test]
fn reads_as_parts_per_million() {
    let genesis: GenesisConfig<Test> = serde_json::from_value(serde_json::json!({
        "presets": [[4, {
            "burn": 600000, "worker": 250000, "verifier": 100000, "expert": 0, "treasury": 50000,
            "bestShare": 700000,
        }]],
    }))
    .unwrap();
    assert_eq!(genesis.presets, [(4, Split::BURN)]);
}

#[test]
#[should_panic(expected = "reward preset 5 is refused")]
fn refuses_a_split_that_is_not_whole() {
    ExtBuilder::default()
        .presets(vec![(
            5,
            Split {
                burn: Permill::zero(),
                ..Split::BURN
            },
        )])
        .build();
}

#[test]
#[should_panic(expected = "reward preset 5 is there twice")]
fn refuses_a_name_that_is_taken() {
    ExtBuilder::default()
        .presets(vec![(5, Split::BURN), (5, Split::PEERS)])
        .build();
}

#[test]
#[should_panic(expected = "reward preset 3 is refused")]
fn refuses_more_presets_than_allowed() {
    ExtBuilder::default()
        .presets((0..=MAX_PRESETS as u8).map(|id| (id, Split::BURN)).collect())
        .build();
}
