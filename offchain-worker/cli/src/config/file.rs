//! The file with profiles.
//!
//! ```toml
//! profile = "home"                # the profile without --profile
//!
//! [profiles.home]
//! url = "ws://127.0.0.1:9944"     # an option of every command
//! key-file = "/home/me/worker.key"
//!
//! [profiles.home.mine]            # options of one command
//! device = ["0", "1"]
//! ```

use crate::exit::CliError;
use clap::{Arg, ArgAction, Command, error::ErrorKind};
use std::{ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The profile that is used if it is there and no other is named.
const DEFAULT: &str = "default";
/// Options that are about the file itself, or end the program.
const NOT_SETTINGS: [&str; 4] = ["config", "profile", "help", "version"];

/// The profiles of a file, checked against a command line.
pub struct Profiles {
    chosen: Option<String>,
    profiles: Vec<(String, Vec<Setting>)>,
    path: String,
}

/// A value of an option.
struct Setting {
    /// The names of the subcommands below which the option is.
    below: Vec<String>,
    /// The option's id.
    id: String,
    values: Vec<String>,
}

/// Where a file is wrong.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn wrong(&self, span: Range<usize>, what: &str) -> CliError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        CliError::Usage(format!("{}:{line}: {what}", self.path.display()))
    }
}

impl Profiles {
    /// Reads `text`, the content of the file at `path`.
    ///
    /// Errors: it is no TOML, or has a setting that `command` does not have or take.
    pub fn read(path: &Path, text: &str, command: &Command) -> Result<Self, CliError> {
        let place = Place { path, text };
        let table =
            DeTable::parse(text).map_err(|error| place.wrong(error.span().unwrap_or_default(), error.message()))?;
        let (mut chosen, mut profiles) = (None, Vec::new());
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("profile", DeValue::String(name)) => chosen = Some((name.to_string(), value.span())),
                ("profiles", DeValue::Table(tables)) => {
                    for (name, profile) in tables {
                        let settings = settings(&place, profile, command, &[])?;
                        profiles.push((name.get_ref().to_string(), settings));
                    }
                }
                ("profile" | "profiles", _) => {
                    let what = "write profile = \"NAME\", and a table [profiles.NAME] for each profile";
                    return Err(place.wrong(value.span(), what));
                }
                (name, _) => {
                    let what = format!("{name:?} is unknown here; settings belong below [profiles.NAME]");
                    return Err(place.wrong(key.span(), &what));
                }
            }
        }
        if let Some((name, span)) = &chosen
            && !profiles.iter().any(|(known, _)| known == name)
        {
            return Err(place.wrong(span.clone(), &format!("there is no [profiles.{name}]")));
        }
        Ok(Self {
            chosen: chosen.map(|(name, _)| name),
            profiles,
            path: path.display().to_string(),
        })
    }

    /// `command` with the settings of the profile `named`, or of that which the file chooses, as defaults.
    pub fn apply(self, named: Option<&str>, command: Command) -> Result<Command, CliError> {
        let name = named.or(self.chosen.as_deref());
        let profile = self.profiles.iter().find(|(known, _)| known == name.unwrap_or(DEFAULT));
        match (profile, name) {
            (Some((_, settings)), _) => Ok(settings.iter().fold(command, |command, setting| {
                with_default(command, &setting.below, setting)
            })),
            (None, None) => Ok(command),
            (None, Some(name)) => {
                let known: Vec<_> = self.profiles.iter().map(|(name, _)| name.as_str()).collect();
                Err(CliError::Usage(format!(
                    "{} has no profile {name:?}; it has: {}",
                    self.path,
                    known.join(", ")
                )))
            }
        }
    }
}

/// The settings of a profile, or of the part of it for one subcommand, which `below` leads to.
fn settings(
    place: &Place,
    table: &Spanned<DeValue>,
    command: &Command,
    below: &[String],
) -> Result<Vec<Setting>, CliError> {
    let DeValue::Table(entries) = table.get_ref() else {
        return Err(place.wrong(table.span(), "settings are a table"));
    };
    let mut found = Vec::new();
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let deeper: Vec<_> = below.iter().cloned().chain([name.to_owned()]).collect();
        match (subcommand(command, &deeper), value.get_ref()) {
            (Some(_), DeValue::Table(_)) => found.extend(settings(place, value, command, &deeper)?),
            _ => {
                let arg = option(command, below, name)
                    .ok_or_else(|| place.wrong(key.span(), &unknown(name, command, below)))?;
                let values = texts(value.get_ref()).ok_or_else(|| {
                    place.wrong(
                        value.span(),
                        &format!("{name:?} takes a text, a number, true or false, or a list"),
                    )
                })?;
                refuse_if_unreadable(place, value, command, below, (name, arg), &values)?;
                found.push(Setting {
                    below: below.to_vec(),
                    id: arg.get_id().to_string(),
                    values,
                });
            }
        }
    }
    Ok(found)
}

fn subcommand<'a>(command: &'a Command, names: &[String]) -> Option<&'a Command> {
    names
        .iter()
        .try_fold(command, |command, name| command.find_subcommand(name))
}

/// The option with this long name.
fn option<'a>(command: &'a Command, below: &[String], name: &str) -> Option<&'a Arg> {
    let mut options = subcommand(command, below)?.get_arguments();
    options.find(|arg| arg.get_long() == Some(name) && !NOT_SETTINGS.contains(&name))
}

fn unknown(name: &str, command: &Command, below: &[String]) -> String {
    let options = subcommand(command, below).into_iter().flat_map(Command::get_arguments);
    let mut known: Vec<_> = options
        .filter_map(Arg::get_long)
        .filter(|name| !NOT_SETTINGS.contains(name))
        .collect();
    known.sort_unstable();
    let place = if below.is_empty() {
        "every command".to_owned()
    } else {
        format!("`agora {}`", below.join(" "))
    };
    format!(
        "there is no setting {name:?}; options of {place} are {}",
        known.join(", ")
    )
}

/// The value or values as the command line writes them.
fn texts(value: &DeValue) -> Option<Vec<String>> {
    match value {
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| match item.get_ref() {
                DeValue::Array(_) => None,
                item => texts(item)?.pop(),
            });
            texts.collect()
        }
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Integer(number) if number.radix() == 10 => Some(vec![number.as_str().to_owned()]),
        DeValue::Float(number) => Some(vec![number.as_str().to_owned()]),
        DeValue::Boolean(yes) => Some(vec![yes.to_string()]),
        _ => None,
    }
}

/// Lets the parser of the command line read the values, so that the file's line is told if it cannot.
fn refuse_if_unreadable(
    place: &Place,
    value: &Spanned<DeValue>,
    command: &Command,
    below: &[String],
    (name, arg): (&str, &Arg),
    values: &[String],
) -> Result<(), CliError> {
    if !arg.get_action().takes_values() {
        return match values {
            [one] if is_flag_value(arg, one) => Ok(()),
            _ => Err(place.wrong(value.span(), &format!("{name:?} takes one value, such as true"))),
        };
    }
    let takes_many = matches!(arg.get_action(), ArgAction::Append);
    if values.len() != 1 && !takes_many {
        return Err(place.wrong(value.span(), &format!("{name:?} takes one value, not {}", values.len())));
    }
    let options = values.iter().map(|value| format!("--{name}={value}"));
    let line = ["agora".to_owned()]
        .into_iter()
        .chain(below.iter().cloned())
        .chain(options);
    match command.clone().try_get_matches_from(line) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) => {
            let message = error.render().to_string();
            let first = message.lines().next().unwrap_or_default();
            Err(place.wrong(value.span(), first.trim_start_matches("error: ")))
        }
        // Other things are missing on this line, and that is all right.
        _ => Ok(()),
    }
}

/// Whether a flag can be set to `value`.
fn is_flag_value(arg: &Arg, value: &str) -> bool {
    match arg.get_action() {
        ArgAction::Count => value.parse::<u8>().is_ok(),
        _ => value.parse::<bool>().is_ok(),
    }
}

/// `command` with the setting as the default of its option.
fn with_default(command: Command, below: &[String], setting: &Setting) -> Command {
    match below {
        [] => {
            // The parser keeps texts that live as long as the program. There are few, and they are read once.
            let values: Vec<&'static str> = setting
                .values
                .iter()
                .map(|value| &*Box::leak(value.clone().into_boxed_str()))
                .collect();
            command.mut_arg(&setting.id, |arg| arg.required(false).default_values(values))
        }
        [first, rest @ ..] => command.mut_subcommand(first, |command| with_default(command, rest, setting)),
    }
}
