//! Amounts of money as people write them.

use crate::Balance;
use std::{fmt, str::FromStr};

/// Plancks in one unit.
pub const UNIT: Balance = 1_000_000_000_000;
/// Digits after the point.
const DECIMALS: usize = 12;

/// An amount of money, in plancks; written in units: `12`, `0.5`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount(pub Balance);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no amount; write units with at most {DECIMALS} decimals, such as 12.5");
        decimal(text, DECIMALS).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / UNIT, self.0 % UNIT);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let rest = format!("{rest:012}");
        write!(f, "{whole}.{}", rest.trim_end_matches('0'))
    }
}

/// Reads a decimal number with at most so many digits after the point as an integer of its smallest unit. `None`: it is none.
pub fn decimal(text: &str, decimals: usize) -> Option<u128> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || rest.len() > decimals || !digits(whole) || !digits(rest) {
        return None;
    }
    format!("{whole}{rest:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_as_they_print() {
        for text in ["0", "1", "12.5", "0.000000000001", "340282366920938463463374607"] {
            assert_eq!(text.parse::<Amount>().expect("well formed").to_string(), text);
        }
        assert_eq!("12.50".parse::<Amount>(), Ok(Amount(12 * UNIT + UNIT / 2)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            ".5",
            "-1",
            "1e3",
            "1.0000000000001",
            "12,5",
            "999999999999999999999999999999999",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
