use super::*;
use crate::{
    DeviceType, GpuOptions,
    device::{
        Caps,
        testing::{Sabotage, first_device},
    },
    kernels::gpu::{Gpu, Tuning, choose},
};

/// The first adapter, whose shaders `sabotage` makes wrong, as if its configurations had to be found by trying.
fn device(device_type: DeviceType, sabotage: fn(&str, String) -> String) -> Device {
    let info = DeviceInfo {
        device_type,
        ..first_device()
    };
    let caps = Caps {
        sabotage: Some(Sabotage(sabotage)),
        ..Caps::default()
    };
    Device::open(&info, caps).unwrap()
}

/// Adds one to a sum whose place is given, in the tile that has it first.
fn wrong_at(shader: &str, place: &str) -> String {
    let right = "= sum_0_0; }";
    assert!(shader.contains(right));
    shader.replace(right, &format!("= sum_0_0 + select(0i, 1i, {place}); }}"))
}

#[test]
fn every_configuration_is_right_on_this_device() {
    let device = Device::open(&first_device(), Caps::default()).unwrap();
    let mut comparison = Comparison::on(&device);
    for configuration in Configuration::ALL {
        comparison.compare(configuration).unwrap();
    }
}

#[test]
fn one_wrong_element_beyond_the_hundredth_row_is_found() {
    let device = device(DeviceType::Discrete, |key, shader| {
        if key.starts_with("product small Sums") {
            wrong_at(&shader, "row == 896u && column == 64u")
        } else {
            shader
        }
    });
    let reason = Comparison::on(&device).check(Configuration::SMALL).unwrap_err();
    assert!(
        reason.contains("differs from the processor in a large product"),
        "{reason}"
    );
    Comparison::on(&device).check(Configuration::TEXELS).unwrap();
}

#[test]
fn a_word_beside_its_place_is_found() {
    let device = device(DeviceType::Discrete, |key, shader| {
        let guard = "column + 3u < params.n {";
        if key.starts_with("product texels Sums") {
            assert!(shader.contains(guard));
            shader.replace(guard, "column + 3u < params.n + 1u {")
        } else {
            shader
        }
    });
    let reason = Comparison::on(&device).check(Configuration::TEXELS).unwrap_err();
    assert!(reason.contains("is") && reason.contains("not 170"), "{reason}");
}

#[test]
fn one_wrong_residue_in_the_last_tile_is_found() {
    let device = device(DeviceType::Discrete, |key, shader| {
        if key.starts_with("product small Residues") {
            let right = "scaled_byte(residue_2_0, scale[2])";
            assert!(shader.contains(right));
            shader.replace(
                right,
                "scaled_byte(residue_2_0 ^ select(0u, 1u, row == 1000u && column == 1100u), scale[2])",
            )
        } else {
            shader
        }
    });
    let reason = Comparison::on(&device).check(Configuration::SMALL).unwrap_err();
    assert!(reason.contains("transposed residues"), "{reason}");
}

#[test]
fn a_wrong_end_of_long_rows_is_found() {
    let device = device(DeviceType::Discrete, |key, shader| {
        if key.starts_with("product split") {
            let right = "k += INVOCATIONS";
            assert!(shader.contains(right));
            shader.replace(
                right,
                "k += INVOCATIONS + select(0u, 1u, invocation == 63u && k > 500u)",
            )
        } else {
            shader
        }
    });
    let reason = Comparison::on(&device).check(Configuration::SPLIT).unwrap_err();
    assert!(reason.contains("differs from the processor in one row"), "{reason}");
}

#[test]
fn wrong_and_broken_configurations_are_dropped_and_the_others_are_used() {
    // On a software adapter the usual ones are not used then.
    let device = device(DeviceType::Software, |key, shader| {
        if key.starts_with("product texels") {
            "this is no shader".to_owned()
        } else if key.starts_with("product small Sums") {
            wrong_at(&shader, "row == 896u && column == 64u")
        } else {
            shader
        }
    });
    let tuning = choose(&device, &GpuOptions::default()).unwrap();
    let used = tuning.configurations();
    assert_eq!(used, [Configuration::SMALL_SHARED]);
    assert_eq!(tuning.in_order(1), tuning.in_order(1000));
    assert_ne!(tuning, Tuning::only(Configuration::SMALL));
}

#[test]
fn a_device_on_which_all_are_wrong_is_refused() {
    let caps = Caps {
        sabotage: Some(Sabotage(|key, shader| {
            if key.starts_with("product") && key.ends_with("Sums") {
                wrong_at(&shader, "column == 0u")
            } else {
                shader
            }
        })),
        ..Caps::default()
    };
    let error = Gpu::open_within(&first_device(), &GpuOptions::default(), caps)
        .err()
        .unwrap();
    let DeviceError::Defective { reasons, .. } = &error else {
        panic!("{error}");
    };
    for configuration in Configuration::ALL {
        assert!(
            reasons.contains(&format!("{}: it differs", configuration.name())),
            "{reasons}"
        );
    }
    // A configuration that was asked for is not replaced by another.
    let options = GpuOptions {
        configuration: Some(Configuration::TALL_SHARED),
        ..GpuOptions::default()
    };
    let error = Gpu::open_within(&first_device(), &options, caps).err().unwrap();
    assert!(error.to_string().contains("tall-shared: it differs"), "{error}");
}
