use super::*;
use crate::engine::gpu::adapters::DeviceLimits;

fn device(name: &str) -> DeviceInfo {
    DeviceInfo {
        index: 0,
        name: name.to_owned(),
        backend: "vulkan".to_owned(),
        driver: "1".to_owned(),
        device_type: DeviceType::Discrete,
        bus: None,
        limits: DeviceLimits {
            max_buffer_bytes: 1 << 30,
            max_workgroups: 65_535,
            max_workgroup_invocations: 256,
            max_shared_bytes: 16_384,
        },
    }
}

#[test]
fn what_was_found_is_remembered_for_each_device_and_driver() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/tiles.json");
    let tiles = Tiles {
        many: Tile::LARGE_SHARED,
        few: Tile::SPLIT,
    };
    assert_eq!(remembered(&path, &device("a")), None);
    remember(&path, &device("a"), tiles);
    remember(&path, &device("b"), Tiles::only(Tile::SMALL));
    assert_eq!(remembered(&path, &device("a")), Some(tiles));
    assert_eq!(remembered(&path, &device("b")), Some(Tiles::only(Tile::SMALL)));
    let driver = DeviceInfo {
        driver: "2".to_owned(),
        ..device("a")
    };
    assert_eq!(remembered(&path, &driver), None);
    let mut less = device("a");
    less.limits.max_workgroup_invocations = 64;
    assert_eq!(remembered(&path, &less), None, "a tile that does not fit is not used");
}

#[test]
fn a_broken_file_is_as_none_and_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiles.json");
    let tiles = Tiles::only(Tile::TEXELS);
    let other_version = br#"{"version":2,"devices":{}}"#;
    for broken in [b"".as_slice(), b"{", b"[1]", b"\xff\xfe", other_version] {
        fs::write(&path, broken).unwrap();
        assert_eq!(remembered(&path, &device("a")), None);
        remember(&path, &device("a"), tiles);
        assert_eq!(remembered(&path, &device("a")), Some(tiles));
    }
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("texels", "no-such-tile")).unwrap();
    assert_eq!(remembered(&path, &device("a")), None);
}
