use crate::{properties::check_scene, scenes::scene};
use agora_compute::scene::{MAX_TRIANGLES, Scene, SceneError};
use proptest::{prelude::*, sample::Index};

proptest! {
    #![proptest_config(agora_test_support::cases(3000))]

    #[test]
    fn any_bytes_are_refused_or_a_scene(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_scene(&bytes);
        check_scene(&[b"AGSC\x02\0\0\0", bytes.as_slice()].concat());
    }

    #[test]
    fn changed_scenes_are_refused_or_rendered(
        scene in scene(),
        changes in prop::collection::vec((any::<Index>(), prop_oneof![any::<u8>(), Just(0), Just(255), Just(128)]), 1..5),
        cut in prop::option::weighted(0.2, any::<Index>()),
    ) {
        let mut bytes = scene.encode();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check_scene(&bytes);
    }
}

#[test]
fn huge_counts_are_refused_before_anything_is_read() {
    for table in 0..8 {
        let mut bytes = b"AGSC\x02\0\0\0".to_vec();
        bytes.resize(96, 0);
        bytes[8] = 1;
        bytes[8 + 7 * 4] = 1;
        bytes[8 + table * 4..12 + table * 4].fill(255);
        assert!(matches!(
            Scene::decode(&bytes),
            Err(SceneError::Count { count: 0xffff_ffff, .. })
        ));
    }
    // Within the limits, but more than the bytes hold.
    let mut bytes = b"AGSC\x02\0\0\0".to_vec();
    bytes.resize(96, 0);
    bytes[8] = 1;
    bytes[8 + 7 * 4] = 1;
    bytes[32..36].copy_from_slice(&MAX_TRIANGLES.to_le_bytes());
    let expected = 96 + 32 + 40 + 28 * u64::from(MAX_TRIANGLES);
    assert_eq!(Scene::decode(&bytes), Err(SceneError::Length { expected, found: 96 }));
}

#[test]
fn other_formats_and_versions_are_refused() {
    assert_eq!(Scene::decode(b""), Err(SceneError::Magic));
    assert_eq!(Scene::decode(b"AGMP\x01\0\0\0"), Err(SceneError::Magic));
    assert_eq!(
        Scene::decode(b"AGSC"),
        Err(SceneError::Length { expected: 96, found: 4 })
    );
    let mut newer = b"AGSC\x03\0\0\0".to_vec();
    newer.resize(200, 0);
    assert_eq!(Scene::decode(&newer), Err(SceneError::Version(3)));
}
