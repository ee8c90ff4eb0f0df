//! `agora journal`

use crate::{
    args::{JournalArgs, JournalCommand},
    context::Context,
    exit::CliError,
    output::{answer, answers},
};
use agora_chain::AccountId;
use agora_worker::{JournalEntry, JournalFile};
use serde::Serialize;
use serde_json::Value;
use std::{io::Write, path::Path};

/// A copy of a journal.
#[derive(Serialize)]
pub struct Exported {
    journal: String,
    file: String,
    records: usize,
    with_secrets: bool,
}

/// What repairing came to.
#[derive(Serialize)]
pub struct Repaired {
    journal: String,
    account: Option<String>,
    chain: Option<String>,
    /// Whether the file's structure was sound; if not, it was mended.
    sound: bool,
    /// How many records can be read.
    records: usize,
    /// The tasks whose records cannot be read and were set aside.
    set_aside: Vec<u64>,
}

pub fn run(context: &Context, args: JournalArgs) -> Result<(), CliError> {
    let path = match args.journal {
        Some(path) => path,
        None => context.journal_file(&context.account(None)?)?,
    };
    let mut journal = open(&path)?;
    match args.command {
        JournalCommand::List { all } => list(context, &journal, all),
        JournalCommand::Export { file, with_secrets } => export(context, (&path, &journal), &file, with_secrets),
        JournalCommand::Repair => repair(context, &path, &mut journal),
    }
}

/// Opens the journal at `path`.
pub fn open(path: &Path) -> Result<JournalFile, CliError> {
    if !path.exists() {
        return Err(CliError::NotFound(format!(
            "there is no journal {}; --data names the folder, or --journal the file",
            path.display()
        )));
    }
    JournalFile::open(path).map_err(|error| match error.to_string().contains("already open") {
        true => CliError::Unfit(format!(
            "the journal {} is in use: stop its worker first",
            path.display()
        )),
        false => error.into(),
    })
}

fn list(context: &Context, journal: &JournalFile, all: bool) -> Result<(), CliError> {
    let entries = journal.entries()?.into_iter().map(JournalEntry::without_secret);
    let entries: Vec<_> = entries
        .filter(|entry| all || field(entry, "stage") != Some("ended"))
        .collect();
    let header = format!("{:>8}  {:<14} {:<12} {:>6}  claim", "task", "record", "stage", "round");
    answers(context, &entries, &header, row);
    Ok(())
}

fn field<'a>(entry: &'a JournalEntry, name: &str) -> Option<&'a str> {
    entry.record.as_ref()?.get(name)?.as_str()
}

fn row(entry: &JournalEntry) -> String {
    let kind = entry.table.trim_end_matches('s');
    let Some(record) = &entry.record else {
        return format!(
            "{:>8}  {kind:<14} cannot be read; `agora journal repair` sets it aside",
            entry.task
        );
    };
    let round = record.get("round").map(Value::to_string).unwrap_or_default();
    let claim = record
        .get("claim")
        .filter(|claim| !claim.is_null())
        .map(Value::to_string)
        .unwrap_or_default();
    let verdict = record
        .get("valid")
        .and_then(Value::as_bool)
        .map(|valid| if valid { "right" } else { "wrong" });
    let stage = field(entry, "stage").or(verdict).unwrap_or_default();
    format!("{:>8}  {kind:<14} {stage:<12} {round:>6}  {claim}", entry.task)
        .trim_end()
        .to_owned()
}

fn export(
    context: &Context,
    (path, journal): (&Path, &JournalFile),
    file: &Path,
    with_secrets: bool,
) -> Result<(), CliError> {
    let mut entries = journal.entries()?;
    if !with_secrets {
        entries = entries.into_iter().map(JournalEntry::without_secret).collect();
    }
    write_private(file, &entries).map_err(|reason| CliError::File {
        path: file.display().to_string(),
        reason,
    })?;
    let exported = Exported {
        journal: path.display().to_string(),
        file: file.display().to_string(),
        records: entries.len(),
        with_secrets,
    };
    answer(context, &exported, |one| {
        let secrets = if one.with_secrets {
            ", with its secrets: keep it as you keep a key"
        } else {
            ", without secrets"
        };
        format!(
            "{} records of {} are in {}{secrets}.",
            one.records, one.journal, one.file
        )
    });
    Ok(())
}

/// Writes a document a line to a new file that only its owner can read.
fn write_private(path: &Path, entries: &[JournalEntry]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = std::io::BufWriter::new(options.open(path)?);
    for entry in entries {
        serde_json::to_writer(&mut file, entry)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    file.get_ref().sync_all()
}

fn repair(context: &Context, path: &Path, journal: &mut JournalFile) -> Result<(), CliError> {
    let (sound, set_aside) = journal.repair()?;
    let owner = journal.owner()?;
    let repaired = Repaired {
        journal: path.display().to_string(),
        account: owner.map(|(_, account)| AccountId(account).to_string()),
        chain: owner.map(|(genesis, _)| format!("0x{}", hex::encode(genesis))),
        sound,
        records: journal.entries()?.iter().filter(|entry| entry.record.is_some()).count(),
        set_aside: set_aside.iter().map(|entry| entry.task).collect(),
    };
    answer(context, &repaired, |one| {
        let structure = if one.sound { "sound" } else { "damaged, and is mended" };
        let aside = match one.set_aside.as_slice() {
            [] => String::new(),
            tasks => {
                let tasks: Vec<_> = tasks.iter().map(u64::to_string).collect();
                format!(
                    "\nThe records of these tasks cannot be read and were set aside: {}. If one of them is committed and \
                     not revealed, its bond is lost; a copy of the journal from before may have its salt.",
                    tasks.join(", ")
                )
            }
        };
        format!(
            "{}: its structure was {structure}; {} records can be read.{aside}",
            one.journal, one.records
        )
    });
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use agora_primitives::TaskId;
    use agora_worker::Journal;
    use std::path::PathBuf;

    /// All that is printed.
    pub fn examples() -> [Value; 3] {
        let text = || "x".to_owned();
        let entry = JournalEntry {
            table: text(),
            task: 7,
            record: None,
            bytes: Some(text()),
        };
        let exported = Exported {
            journal: text(),
            file: text(),
            records: 1,
            with_secrets: false,
        };
        let repaired = Repaired {
            journal: text(),
            account: None,
            chain: None,
            sound: true,
            records: 1,
            set_aside: vec![8],
        };
        [
            serde_json::json!(entry),
            serde_json::json!(exported),
            serde_json::json!(repaired),
        ]
    }

    fn journal(folder: &Path) -> PathBuf {
        let path = folder.join("a.journal");
        let journal = Journal::open(&path, [1; 32], [2; 32]).expect("it is new");
        let record = serde_json::json!({
            "stage": "committing", "round": 0, "salt": "ab".repeat(32), "claim": null, "seen_at": 1, "bond": 1,
            "job": format!("0x{}", "cd".repeat(32)), "came_to": { "earned": 0, "lost": 0, "judged": null },
        });
        let record = serde_json::from_value(record).expect("it is a record");
        journal.put_task(TaskId(7), &record).expect("it is put");
        path
    }

    #[test]
    fn a_copy_has_secrets_only_if_asked_for_and_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = journal(folder.path());
        let journal = open(&path).expect("no worker runs");
        let mut entries = journal.entries().expect("they are read");
        let with = folder.path().join("with");
        write_private(&with, &entries).expect("it is new");
        assert!(std::fs::read_to_string(&with).expect("it is there").contains("abab"));
        let mode = std::fs::metadata(&with).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(write_private(&with, &entries).is_err(), "nothing is overwritten");
        entries = entries.into_iter().map(JournalEntry::without_secret).collect();
        let without = folder.path().join("without");
        write_private(&without, &entries).expect("it is new");
        let text = std::fs::read_to_string(&without).expect("it is there");
        assert!(text.contains("committing") && !text.contains("abab"), "{text}");
        let line = row(&entries[0]);
        assert!(line.contains("committing") && !line.contains("abab"), "{line}");
    }

    #[test]
    fn a_journal_in_use_or_absent_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = journal(folder.path());
        let _worker = Journal::open(&path, [1; 32], [2; 32]).expect("it is ours");
        let told = |path: &Path| match open(path) {
            Ok(_) => panic!("it cannot be opened"),
            Err(error) => (error.code(), error.to_string()),
        };
        let (code, in_use) = told(&path);
        assert!(code == 1 && in_use.contains("stop its worker"), "{in_use}");
        let (code, absent) = told(&folder.path().join("b.journal"));
        assert!(code == 3 && absent.contains("--data"), "{absent}");
    }
}
