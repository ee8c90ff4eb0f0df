//! The graphics adapters of this machine.

use super::{AUTO_SELECTOR, DeviceError};
use serde::Serialize;
use std::fmt;

/// An adapter, described for people and for [`crate::GpuEngine::open`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DeviceInfo {
    /// Its place in [`devices`].
    pub index: usize,
    /// What the driver calls it.
    pub name: String,
    /// The graphics interface through which it is reached.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// Its type.
    pub device_type: DeviceType,
    /// Where it is plugged in, if the driver tells.
    pub bus: Option<String>,
    /// Its limits.
    pub limits: DeviceLimits,
}

impl fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}, {}, {})",
            self.name, self.device_type, self.backend, self.driver
        )
    }
}

/// The type of an adapter. The best type comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceType {
    /// A graphics card with memory of its own.
    Discrete,
    /// A graphics processor that shares the memory of the CPU.
    Integrated,
    /// A part of a graphics processor, given to a virtual machine.
    Virtual,
    /// Unknown to the driver.
    Other,
    /// A driver that computes on the CPU.
    Software,
}

impl fmt::Display for DeviceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Other => "unknown type",
            Self::Software => "software",
        })
    }
}

impl From<wgpu::DeviceType> for DeviceType {
    fn from(device_type: wgpu::DeviceType) -> Self {
        match device_type {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Other => Self::Other,
            wgpu::DeviceType::Cpu => Self::Software,
        }
    }
}

/// What an adapter allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct DeviceLimits {
    /// The largest buffer that a shader can use, in bytes.
    pub max_buffer_bytes: u64,
    /// Workgroups per dimension of a dispatch.
    pub max_workgroups: u32,
    /// Invocations per workgroup.
    pub max_workgroup_invocations: u32,
    /// Shared memory of a workgroup, in bytes.
    pub max_shared_bytes: u32,
    /// The adapter's memory, in bytes; of a software adapter, and one that has none of its own, that of the machine. `None`: the
    /// driver does not tell.
    pub memory_bytes: Option<u64>,
}

/// The adapters of this machine that can compute, the best first.
pub fn devices() -> Vec<DeviceInfo> {
    adapters().into_iter().map(|(info, _)| info).collect()
}

impl DeviceInfo {
    /// Whether `other` is the same card, reached through another driver or graphics interface. Drivers that do not tell
    /// where a card is plugged in cannot be compared: they are taken for different.
    pub fn is_same_card(&self, other: &Self) -> bool {
        self.index == other.index || self.bus.is_some() && self.bus == other.bus
    }
}

/// The adapter that `selector` names: `auto` for the best, `#0` for the adapter with an index of [`devices`], an index, or
/// a part of a name. Capitals do not matter. Digits are an index if there are so many adapters, and a part of a name if
/// not: `4090` is a card's name.
///
/// Errors: `NoAdapter`, `UnknownDevice`.
pub fn find_device(selector: &str) -> Result<DeviceInfo, DeviceError> {
    let devices = devices();
    if devices.is_empty() {
        return Err(DeviceError::NoAdapter);
    }
    select(&devices, selector)
        .cloned()
        .ok_or_else(|| DeviceError::UnknownDevice {
            selector: selector.to_owned(),
            available: devices.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        })
}

/// The first of `devices` that `selector` names.
fn select<'a>(devices: &'a [DeviceInfo], selector: &str) -> Option<&'a DeviceInfo> {
    let wanted = selector.trim().to_lowercase();
    if wanted == AUTO_SELECTOR {
        return devices.first();
    }
    if let Some(index) = wanted.strip_prefix('#') {
        return devices.get(index.parse::<usize>().ok()?);
    }
    let by_index = || devices.get(wanted.parse::<usize>().ok()?);
    let by_name = || {
        let name = |device: &&DeviceInfo| device.name.to_lowercase();
        let whole = devices.iter().find(|device| name(device) == wanted);
        whole.or_else(|| {
            devices
                .iter()
                .find(|device| !wanted.is_empty() && name(device).contains(&wanted))
        })
    };
    by_index().or_else(by_name)
}

/// The adapter that `info` describes, as it is now: indices change when devices come and go.
///
/// Errors: `NoAdapter`, `UnknownDevice`.
pub(super) fn adapter(info: &DeviceInfo) -> Result<wgpu::Adapter, DeviceError> {
    let mut adapters = adapters();
    // One card is there once for each graphics interface that reaches it.
    let same = |(found, _): &(DeviceInfo, _)| {
        (&found.name, &found.bus, &found.backend) == (&info.name, &info.bus, &info.backend)
    };
    let place = adapters
        .iter()
        .position(|candidate| candidate.0.index == info.index && same(candidate))
        .or_else(|| adapters.iter().position(same));
    match place {
        Some(place) => Ok(adapters.swap_remove(place).1),
        None if adapters.is_empty() => Err(DeviceError::NoAdapter),
        None => Err(DeviceError::UnknownDevice {
            selector: info.name.clone(),
            available: adapters
                .iter()
                .map(|(device, _)| device.to_string())
                .collect::<Vec<_>>()
                .join("; "),
        }),
    }
}

fn adapters() -> Vec<(DeviceInfo, wgpu::Adapter)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut adapters: Vec<_> = found
        .into_iter()
        .filter(|adapter| {
            let flags = adapter.get_downlevel_capabilities().flags;
            flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
        })
        .map(|adapter| (describe(&adapter), adapter))
        .collect();
    // Stable: among equals, the driver's order.
    adapters.sort_by_key(|(info, _)| info.device_type);
    for (index, (info, _)) in adapters.iter_mut().enumerate() {
        info.index = index;
    }
    adapters
}

fn describe(adapter: &wgpu::Adapter) -> DeviceInfo {
    let info = adapter.get_info();
    let limits = adapter.limits();
    DeviceInfo {
        index: 0,
        name: info.name,
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        device_type: info.device_type.into(),
        bus: Some(info.device_pci_bus_id).filter(|bus| !bus.is_empty()),
        limits: DeviceLimits {
            max_buffer_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            max_workgroups: limits.max_compute_workgroups_per_dimension,
            max_workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            max_shared_bytes: limits.max_compute_workgroup_storage_size,
            memory_bytes: memory_bytes(adapter),
        },
    }
}

/// The largest heap of memory of the adapter's own, in bytes. Only Vulkan tells.
#[cfg(not(target_vendor = "apple"))]
#[allow(unsafe_code, reason = "the graphics layer does not pass this on")]
fn memory_bytes(adapter: &wgpu::Adapter) -> Option<u64> {
    /// `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`.
    const DEVICE_LOCAL: u32 = 1;
    // SAFETY: the handle is only asked about the adapter's properties, while `adapter` keeps it and its instance.
    let properties = unsafe {
        let adapter = adapter.as_hal::<wgpu::hal::api::Vulkan>()?;
        let instance = adapter.shared_instance().raw_instance();
        instance.get_physical_device_memory_properties(adapter.raw_physical_device())
    };
    let heaps = properties
        .memory_heaps
        .iter()
        .take(properties.memory_heap_count as usize);
    let own = heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0);
    own.map(|heap| heap.size).max()
}

/// Metal's budget changes with what other programs need.
#[cfg(target_vendor = "apple")]
const fn memory_bytes(_: &wgpu::Adapter) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(names: &[&str]) -> Vec<DeviceInfo> {
        let device = |(index, name): (usize, &&str)| DeviceInfo {
            index,
            name: (*name).to_owned(),
            backend: "vulkan".to_owned(),
            driver: String::new(),
            device_type: DeviceType::Discrete,
            bus: None,
            limits: DeviceLimits {
                max_buffer_bytes: 0,
                max_workgroups: 0,
                max_workgroup_invocations: 0,
                max_shared_bytes: 0,
                memory_bytes: None,
            },
        };
        names.iter().enumerate().map(device).collect()
    }

    #[test]
    fn digits_are_an_index_where_there_is_one_and_a_name_where_not() {
        let devices = devices(&["NVIDIA GeForce RTX 3080", "NVIDIA GeForce RTX 4090", "RTX 4090 D"]);
        let index = |selector: &str| select(&devices, selector).map(|device| device.index);
        let cases = [
            ("0", Some(0)),
            ("2", Some(2)),
            ("4090", Some(1)),
            ("#1", Some(1)),
            (" 01 ", Some(1)),
            ("#4090", None),
            ("3", Some(0)),
            ("5090", None),
            ("geforce rtx 4090", Some(1)),
            ("rtx 4090 d", Some(2)),
            ("AUTO", Some(0)),
            (" auto ", Some(0)),
            ("", None),
            ("#", None),
        ];
        for (selector, expected) in cases {
            assert_eq!(index(selector), expected, "{selector:?}");
        }
    }

    #[test]
    fn one_card_of_two_drivers_is_one_card() {
        let mut devices = devices(&["RTX 4090", "RTX 4090", "RTX 4090"]);
        assert!(
            !devices[0].is_same_card(&devices[1]),
            "two equal cards may be plugged in"
        );
        devices[0].bus = Some("0000:01:00.0".to_owned());
        devices[1].bus = Some("0000:01:00.0".to_owned());
        devices[2].bus = Some("0000:02:00.0".to_owned());
        assert!(devices[0].is_same_card(&devices[1]) && !devices[0].is_same_card(&devices[2]));
    }
}
