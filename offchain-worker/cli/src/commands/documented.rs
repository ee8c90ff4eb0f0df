//! docs/cli.md lists the fields of what each command prints. Here the page is compared with what is printed.

use super::{
    addresses, balance, blobs, court, devices, disputes, doctor, earnings, generate, journal, keys, leave, model,
    profile, program, proxy, publish, quote, register, result, status, tasks, verify, wait,
};
use crate::args::Cli;
use clap::CommandFactory;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../docs/cli.md");

/// Commands that print no answers: their output is a log, a script, or that of their subcommands.
const WITHOUT_ANSWERS: [&str; 3] = ["mine", "verify-work", "completions"];

/// The headings of the page, with what is printed.
fn printed() -> Vec<(&'static str, Value)> {
    let [balance, sent] = balance::tests::examples();
    let [published, cancelled] = publish::tests::examples();
    let [entry, exported, repaired] = journal::tests::examples();
    let [device, passed] = devices::tests::examples();
    let [imported, embedded] = model::examples();
    let [created, image, tried] = program::tests::examples();
    let [stored, collected] = blobs::examples();
    let [changed, listed] = proxy::tests::examples();
    vec![
        ("keys", json!(keys::example())),
        ("register", json!(register::example())),
        ("profile", json!(profile::example())),
        ("leave", json!(leave::example())),
        ("addresses", json!(addresses::tests::example())),
        ("proxy add", changed.clone()),
        ("proxy remove", changed),
        ("proxy list", listed),
        ("publish", published),
        ("publish --dry-run", json!(quote::tests::example())),
        ("cancel", cancelled),
        ("tasks", json!(tasks::tests::example())),
        ("task", json!(tasks::tests::example())),
        ("wait", json!(wait::tests::example())),
        ("result", json!(result::example())),
        ("disputes", json!(disputes::tests::example())),
        ("dispute", json!(disputes::tests::example().trials[0])),
        ("accuse", json!(court::example())),
        ("defend", json!(court::example())),
        ("verify", json!(verify::example())),
        ("balance", balance),
        ("transfer", sent),
        ("status", json!(status::tests::example())),
        ("earnings", json!(earnings::tests::example())),
        ("journal list", entry),
        ("journal export", exported),
        ("journal repair", repaired),
        ("blobs put", stored.clone()),
        ("blobs get", stored),
        ("blobs gc", collected),
        ("doctor", json!(doctor::tests::example())),
        ("model import", imported),
        ("program new", created),
        ("program build", image),
        ("program run", tried),
        ("embed", embedded),
        ("devices", device),
        ("self-test", passed),
        ("man", json!(generate::tests::example())),
    ]
}

/// The names of the fields: `task`, `node.best`, `deposits[].amount`.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(inner) if !inner.is_empty() => {
            for (name, value) in inner {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                fields(value, &path, found);
            }
        }
        Value::Array(items) => {
            let path = format!("{path}[]");
            if items.is_empty() {
                found.insert(path.clone());
            }
            items.iter().for_each(|item| fields(item, &path, found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// The fields in the table below the heading; those of another section where the table says so.
fn documented(heading: &str) -> Option<BTreeSet<String>> {
    let section = PAGE.split("\n### ").skip(1).find(|section| {
        let title = section.lines().next().unwrap_or_default();
        title.split('`').any(|part| part == format!("agora {heading}"))
    })?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    Some(rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect())
}

/// Whether a documented field names a printed one: `job.*` names all below `job`.
fn names(documented: &str, printed: &str) -> bool {
    match documented.strip_suffix(".*") {
        Some(above) => {
            printed == above
                || printed
                    .strip_prefix(above)
                    .is_some_and(|rest| rest.starts_with(['.', '[']))
        }
        None => documented == printed,
    }
}

#[test]
fn the_page_has_every_field_that_is_printed_and_no_other() {
    for (heading, value) in printed() {
        let documented = documented(heading).unwrap_or_else(|| panic!("docs/cli.md has no section `agora {heading}`"));
        let mut found = BTreeSet::new();
        fields(&value, "", &mut found);
        for field in &found {
            assert!(
                documented.iter().any(|name| names(name, field)),
                "agora {heading}: {field} is not documented"
            );
        }
        for name in &documented {
            assert!(
                found.iter().any(|field| names(name, field)),
                "agora {heading}: {name} is not printed"
            );
        }
    }
}

#[test]
fn every_command_is_on_the_page() {
    let printed = printed();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        let known = |(heading, _): &(&str, Value)| heading.split(' ').next() == Some(name);
        let listed = printed.iter().any(known) || WITHOUT_ANSWERS.contains(&name);
        assert!(
            listed && PAGE.contains(&format!("`agora {name}")),
            "docs/cli.md does not have `agora {name}`"
        );
    }
}
