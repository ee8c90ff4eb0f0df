//! The processor on which the run takes place.

use std::fs;

/// How many bytes a core multiplies and adds at once, compared with floats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteProducts {
    /// AVX-512 with VNNI: four times as many.
    FourTimes,
    /// AVX2 and all others: twice as many.
    Twice,
}

impl ByteProducts {
    /// That of this processor.
    pub fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512vnni") {
            return Self::FourTimes;
        }
        Self::Twice
    }
}

/// Its name, the number of its threads that are used, and its instructions for products of bytes.
pub fn describe() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = model_name(&information).unwrap_or(std::env::consts::ARCH);
    let threads = rayon::current_num_threads();
    let vectors = match ByteProducts::here() {
        ByteProducts::FourTimes => "AVX-512 VNNI",
        ByteProducts::Twice => "no AVX-512 VNNI",
    };
    format!("{name}, {threads} threads, {vectors}")
}

/// The first processor's name in the form of Linux' `/proc/cpuinfo`.
fn model_name(information: &str) -> Option<&str> {
    let line = information.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_where_linux_writes_it() {
        let information = "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nstepping\t: 0\nmodel name\t: other\n";
        assert_eq!(model_name(information), Some("AMD EPYC 7B13"));
        assert_eq!(model_name("processor : 0"), None);
    }
}
