//! The command line.

use clap::Parser;

/// What `--device` means without a name.
pub const ALL: &str = "all";

/// Tell whether a graphics device computes Agora's jobs right, and how fast.
#[derive(Parser)]
#[command(name = "agora-device-check", version, after_help = crate::error::EXPLAINED, max_term_width = 100)]
pub struct Args {
    /// The device: all for every adapter, auto for the best one, its index, a part of its name, or cpu for the
    /// processor.
    #[arg(long, default_value = ALL, value_name = "DEVICE")]
    pub device: String,
    /// List the devices and do nothing else.
    #[arg(long)]
    pub list: bool,
    /// How long all of it may take, about. Everything is compared however long that takes; the rest is for measuring.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Compare the bits and measure nothing.
    #[arg(long)]
    pub no_measure: bool,
    /// Compare the products of each kernel configuration that fits the device, not of the fastest ones alone.
    #[arg(long)]
    pub every_configuration: bool,
    /// Print one JSON document per line (name, value, unit, baseline, ratio), and problems to standard error.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_miners_guide_shows_every_option() {
        let guide = include_str!("../../../docs/guides/miner.md");
        let command = Args::command();
        command.clone().debug_assert();
        let options: Vec<_> = command.get_arguments().filter_map(|option| option.get_long()).collect();
        assert!(options.contains(&"seconds"));
        for option in options {
            assert!(guide.contains(&format!("--{option}")), "--{option}");
        }
    }
}
