use super::*;
use crate::device::{DeviceLimits, DeviceType};

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
            memory_bytes: None,
        },
    }
}

#[test]
fn what_was_found_is_remembered_for_each_device_and_driver() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/tuning.json");
    let tuning = Tuning {
        many: Configuration::LARGE_SHARED,
        few: Configuration::SPLIT,
        spare: Configuration::TALL_SHARED,
    };
    assert_eq!(remembered(&path, &device("a")), None);
    remember(&path, &device("a"), tuning);
    remember(&path, &device("b"), Tuning::only(Configuration::SMALL));
    assert_eq!(remembered(&path, &device("a")), Some(tuning));
    assert_eq!(
        remembered(&path, &device("b")),
        Some(Tuning::only(Configuration::SMALL))
    );
    let driver = DeviceInfo {
        driver: "2".to_owned(),
        ..device("a")
    };
    assert_eq!(remembered(&path, &driver), None);
    let mut less = device("a");
    less.limits.max_workgroup_invocations = 64;
    assert_eq!(
        remembered(&path, &less),
        None,
        "a configuration that does not fit is not used"
    );
}

#[test]
fn a_broken_file_is_as_none_and_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.json");
    let tuning = Tuning::only(Configuration::TEXELS);
    let other_version = br#"{"version":1,"devices":{}}"#;
    for broken in [b"".as_slice(), b"{", b"[1]", b"\xff\xfe", other_version] {
        fs::write(&path, broken).unwrap();
        assert_eq!(remembered(&path, &device("a")), None);
        remember(&path, &device("a"), tuning);
        assert_eq!(remembered(&path, &device("a")), Some(tuning));
    }
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("texels", "no-such-configuration")).unwrap();
    assert_eq!(remembered(&path, &device("a")), None);
}
