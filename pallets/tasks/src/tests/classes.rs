//! What a class is, those that a chain starts with, and the presets that classes use.

use crate::{ClassError, TaskClass, Windows, exact_classes, genesis_classes, mock::*};
use agora_primitives::{
    ClassId,
    judging::JudgeRule,
    participants::Specialisation,
    task::{Assignment, Difficulty},
};
use frame_support::{assert_ok, traits::Contains};

#[test]
fn a_split_that_a_class_names_cannot_be_removed() {
    ExtBuilder::default().build_and_execute(|| {
        assert!(<Tasks as Contains<u8>>::contains(&0));
        assert!(!<Tasks as Contains<u8>>::contains(&1));
        assert!(Rewards::remove_preset(RuntimeOrigin::root(), 0).is_err());
        assert_ok!(Rewards::remove_preset(RuntimeOrigin::root(), 1));
    });
}

#[test]
fn the_classes_of_genesis_are_those_of_the_mission() {
    for windows in [Windows::standard(), Windows::short()] {
        let classes = genesis_classes::<u128, u32>(1_000, windows);
        assert_eq!(classes.len(), Specialisation::ALL.len());
        for ((id, class), (n, specialisation)) in classes.iter().zip((0..).zip(Specialisation::ALL)) {
            assert_eq!(*id, ClassId(n));
            assert_eq!(class.specialisation, specialisation);
            assert_eq!(class.validate(16, 201_600), Ok(()));
            assert_eq!(class.min_difficulty, Difficulty::ONE);
        }
        let of = |id: usize| {
            let class = &classes[id].1;
            let name = String::from_utf8(class.name.to_vec()).unwrap();
            (
                name,
                class.base_reward,
                class.max_difficulty.0,
                class.replicas,
                class.max_replicas,
            )
        };
        assert_eq!(of(6), ("syntax check".into(), 5_000, 2_000, 3, 7));
        assert_eq!(of(7), ("data statistics".into(), 15_000, 3_000, 3, 7));
        assert_eq!(of(8), ("security audit".into(), 50_000, 4_000, 5, 9));
        assert_eq!(of(9), ("algorithm optimisation".into(), 100_000, 5_000, 5, 9));
        assert_eq!(of(10), ("program".into(), 10_000, 10_000, 3, 7));
        assert_eq!(of(0), ("synthetic".into(), 10_000, 10_000, 5, 9));
        assert_eq!(classes[0].1.judge, JudgeRule::Replication { trust: 3 });
        assert_eq!(classes[0].1.assignment, Assignment::Open);
        assert_eq!(classes[1].1.assignment, Assignment::Priority);
    }
}

#[test]
fn the_chain_computes_what_is_published_in_the_exact_classes() {
    for windows in [Windows::standard(), Windows::short()] {
        let others = genesis_classes::<u128, u32>(1_000, windows);
        let exact = exact_classes::<u128, u32>(1_000, windows);
        let kinds = [Specialisation::Program, Specialisation::RowTransform];
        assert_eq!(exact.len(), kinds.len());
        for (n, ((id, class), specialisation)) in exact.iter().zip(kinds).enumerate() {
            assert_eq!(usize::from(id.0), others.len() + n, "ids follow those of the others");
            assert_eq!(class.specialisation, specialisation);
            assert_eq!((class.judge, class.base_reward), (JudgeRule::Exact, 4_000));
            assert_eq!(class.validate(16, 201_600), Ok(()));
        }
    }
}

#[test]
fn experts_take_part_in_the_two_classes_that_call_for_thought() {
    for windows in [Windows::standard(), Windows::short()] {
        for (id, class) in genesis_classes::<u128, u32>(1_000, windows) {
            let (split, thinking) = match class.specialisation {
                Specialisation::SecurityAudit | Specialisation::AlgorithmOptimisation => (1, 4),
                _ => (0, 1),
            };
            assert_eq!(class.split, split, "class {id}");
            assert_eq!(class.min_thinking, windows.min_thinking * thinking, "class {id}");
            assert_eq!(class.publication_fee, class.base_reward / 20, "class {id}");
            assert_eq!(class.appeal_window, windows.appeal, "class {id}");
        }
    }
}

#[test]
fn is_read_and_written_by_people() {
    let json = serde_json::to_value(class()).unwrap();
    assert_eq!(json["name"], "synthetic");
    assert_eq!(json["minDifficulty"], 1000);
    assert_eq!(json["assignment"], "open");
    assert_eq!(serde_json::from_value::<Class>(json.clone()).unwrap(), class());
    let mut long = json;
    long["name"] = "a name of more than thirty-two bytes".into();
    assert!(serde_json::from_value::<Class>(long).is_err());
}

#[test]
fn an_invalid_class_says_why() {
    let class = TaskClass { replicas: 0, ..class() };
    assert_eq!(class.validate(10, 100), Err(ClassError::Replicas));
}

#[test]
fn difficulty_scales_rounding_down() {
    assert_eq!(Difficulty(1_500).scale(&3u128), Some(4));
    assert_eq!(Difficulty(2).scale(&u128::MAX), None);
}
