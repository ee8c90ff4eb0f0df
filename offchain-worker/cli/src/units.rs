//! Amounts and other values as people write them.

pub use agora_chain::Amount;
#[cfg(test)]
pub use agora_chain::UNIT;
use agora_chain::decimal;
use serde::Serialize;
use serde_json::Value;
use std::{fmt, str::FromStr};

/// A factor in thousandths, written `1.0`, `2.5`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factor(pub u32);

impl FromStr for Factor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let thousandths = decimal(text, 3).and_then(|value| u32::try_from(value).ok());
        thousandths
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no factor; write 1.0 or 2.5, with at most 3 decimals"))
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A name as the command line and JSON spell it: of a role, a kind of work, what a model is asked for.
pub fn name_of(named: &impl Serialize) -> String {
    match serde_json::to_value(named) {
        Ok(Value::String(name)) => name,
        other => unreachable!("only enumerations without fields have names: {other:?}"),
    }
}

/// A seed: 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// A random one.
    pub fn random() -> Self {
        Self(rand::random())
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim_start_matches("0x"), &mut seed)
            .map_err(|_| "a seed has 64 hex digits".to_owned())?;
        Ok(Self(seed))
    }
}

/// Gas: instructions, such as 500000, 500M or 2G.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gas(pub u64);

impl FromStr for Gas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [('k', 1_000), ('M', 1_000_000), ('G', 1_000_000_000)];
        let split = |(name, size): &(char, u64)| Some((text.strip_suffix(*name)?, *size));
        let (digits, unit) = units.iter().find_map(split).unwrap_or((text, 1));
        let number = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<u64>());
        let gas = number.and_then(Result::ok).and_then(|number| number.checked_mul(unit));
        gas.map(Self)
            .ok_or_else(|| format!("{text:?} is no amount of gas; write a number such as 500000, 500M or 2G"))
    }
}

/// A publisher's own name of a task: 32 hex digits, or a UUID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference(pub [u8; 16]);

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(Uuid(bytes)) = text.parse() {
            return Ok(Self(bytes));
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text.trim_start_matches("0x"), &mut bytes)
            .map_err(|_| format!("{text:?} is no reference; write 32 hex digits, or a UUID"))?;
        Ok(Self(bytes))
    }
}

/// A UUID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// A random one (version 4).
    pub fn random() -> Self {
        let mut bytes: [u8; 16] = rand::random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl FromStr for Uuid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no UUID; write it as 123e4567-e89b-42d3-a456-426614174000");
        let groups: Vec<_> = text.split('-').map(str::len).collect();
        if groups != [8, 4, 4, 4, 12] && groups != [32] {
            return Err(wrong());
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text.replace('-', ""), &mut bytes).map_err(|_| wrong())?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = hex::encode(self.0);
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::participants::{Role, Specialisation};

    #[test]
    fn factors_are_thousandths() {
        assert_eq!("1".parse(), Ok(Factor(1000)));
        assert_eq!("2.5".parse(), Ok(Factor(2500)));
        assert!("1.0001".parse::<Factor>().is_err());
    }

    #[test]
    fn seeds_are_64_hex_digits() {
        let digits = "0f".repeat(32);
        assert_eq!(digits.parse(), Ok(Seed([0x0f; 32])));
        assert_eq!(format!("0x{digits}").parse(), Ok(Seed([0x0f; 32])));
        for text in ["", "0f", &digits[1..], &digits.replace('f', "g")] {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        assert_eq!(name_of(&Role::Verifier), "verifier");
        assert_eq!(name_of(&Specialisation::RowTransform), "row-transform");
    }

    #[test]
    fn a_reference_is_hex_with_or_without_its_prefix_or_a_uuid() {
        let bytes = [0x12; 16];
        let (digits, uuid) = (hex::encode(bytes), Uuid(bytes).to_string());
        for text in [format!("0x{digits}"), digits.clone(), uuid] {
            assert_eq!(text.parse(), Ok(Reference(bytes)), "{text}");
        }
        for text in ["", "12", &digits[1..], "zz"] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn uuids_read_back_as_they_print() {
        let uuid = Uuid::random();
        assert_eq!(uuid.to_string().parse(), Ok(uuid));
        assert!("123e4567e89b-42d3-a456-426614174000".parse::<Uuid>().is_err());
    }
}
