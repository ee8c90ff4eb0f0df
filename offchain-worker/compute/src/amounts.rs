//! How limits and speeds are shown to people.

use crate::{device::DeviceLimits, measure::Figure};
use std::fmt;

/// A number of bytes, shown in the largest unit in which it is at least one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteCount(pub u64);

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.into_iter().find(|(power, _)| self.0 >> power > 0) {
            Some((power, unit)) => {
                let amount = format!("{:.1}", self.0 as f64 / f64::from(1u32 << power));
                write!(f, "{} {unit}", amount.trim_end_matches(".0"))
            }
            None => write!(f, "{} bytes", self.0),
        }
    }
}

impl fmt::Display for DeviceLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "buffers of {}; {} workgroups, of {} invocations with {} of shared memory",
            ByteCount(self.max_buffer_bytes),
            self.max_workgroups,
            self.max_workgroup_invocations,
            ByteCount(self.max_shared_bytes.into()),
        )?;
        match self.memory_bytes {
            Some(bytes) => write!(f, "; {} of memory", ByteCount(bytes)),
            None => Ok(()),
        }
    }
}

/// Three significant digits and the unit.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", rounded(self.value), self.unit)
    }
}

/// A number with three significant digits.
fn rounded(value: f64) -> String {
    match value {
        1e6.. => format!("{} million", rounded(value / 1e6)),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        let bytes: Vec<_> = [512, 32 << 10, 3 << 29]
            .map(|count| ByteCount(count).to_string())
            .into();
        assert_eq!(bytes, ["512 bytes", "32 KiB", "1.5 GiB"]);
        let rounded: Vec<_> = [0.456, 45.67, 456.7, 12_345.6, 1_234_567.0].map(rounded).into();
        assert_eq!(rounded, ["0.46", "45.7", "457", "12346", "1.23 million"]);
        let (name, unit) = ("synthetic_gops", "GOPS");
        let figure = Figure {
            name,
            unit,
            value: 45.67,
        };
        assert_eq!(figure.to_string(), "45.7 GOPS");
    }
}
