//! `agora program`

use crate::{
    args::{ProgramCommand, ProgramsArgs, TryArgs},
    context::Context,
    exit::CliError,
    jobs::JobInputs,
    output::{answer, warn},
};
use agora_compute::{
    CancelFlag,
    program::{Blobs, Ran, in_words},
};
use agora_primitives::job::{BlobRef, Limits, ProgramJob, program::Ending};
use agora_worker::WorkerError;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// A crate that was made.
#[derive(Serialize)]
pub struct Created {
    folder: String,
}

/// An image that was made.
#[derive(Serialize)]
pub struct Image {
    hash: String,
    bytes: usize,
    file: String,
}

/// A run on this machine.
#[derive(Serialize)]
pub struct Tried {
    item: u32,
    items: u32,
    /// How it ended, in words.
    ending: String,
    /// Where in its source it panicked.
    panic: Option<String>,
    gas: u64,
    seconds: f64,
    bytes: usize,
    /// The output, if it is text.
    text: Option<String>,
    file: Option<String>,
    warnings: Vec<String>,
}

pub async fn run(context: &Context, args: ProgramsArgs) -> Result<(), CliError> {
    match args.command {
        ProgramCommand::New { folder } => create(context, &folder),
        ProgramCommand::Build { source, file } => build(context, &source, file),
        ProgramCommand::Run(args) => try_here(context, args).await,
    }
}

fn create(context: &Context, folder: &Path) -> Result<(), CliError> {
    agora_programs::create(folder)?;
    let created = Created {
        folder: folder.display().to_string(),
    };
    answer(context, &created, |one| {
        format!(
            "A program is in {0}: see {0}/src/main.rs, and `agora program build {0}`.",
            one.folder
        )
    });
    Ok(())
}

fn build(context: &Context, source: &Path, file: Option<PathBuf>) -> Result<(), CliError> {
    let (image, beside) = if source.is_file() {
        let bytes = std::fs::read(source).map_err(|reason| failed(source, reason))?;
        let image = agora_programs::image_of(&bytes).ok_or_else(|| {
            CliError::Usage(format!(
                "{}: it is neither the folder of a crate nor an executable",
                source.display()
            ))
        })?;
        let image = image.map_err(|error| CliError::Usage(format!("{}: {error}", source.display())))?;
        (image, source.with_extension("bin"))
    } else {
        let built = agora_programs::build(source, &context.cargo_home())?;
        (built.image, source.join(format!("{}.bin", built.name)))
    };
    let file = file.unwrap_or(beside);
    if file == source {
        return Err(CliError::Usage(format!(
            "{}: the image would replace the executable: name another with --file",
            file.display()
        )));
    }
    std::fs::write(&file, &image).map_err(|reason| failed(&file, reason))?;
    let image = Image {
        hash: hex::encode(BlobRef::to(&image).hash),
        bytes: image.len(),
        file: file.display().to_string(),
    };
    answer(context, &image, |one| {
        format!("Program {} ({} bytes) is in {}.", one.hash, one.bytes, one.file)
    });
    Ok(())
}

fn failed(path: &Path, reason: std::io::Error) -> CliError {
    let path = path.display().to_string();
    CliError::File { path, reason }
}

async fn try_here(context: &Context, args: TryArgs) -> Result<(), CliError> {
    let mut inputs = JobInputs::default();
    let job = args.code.job(args.gas.0, &mut inputs)?;
    job.validate().map_err(|error| CliError::Usage(error.to_string()))?;
    if args.item >= job.items {
        return Err(CliError::Usage(format!(
            "there are {} items, from 0 on: --items says how many",
            job.items
        )));
    }
    let (blobs, of) = (Blobs::of(&job, &inputs.memory())?, job.clone());
    let fold = args.code.fold;
    let started = Instant::now();
    // It takes as long as the program does.
    let ran = tokio::task::spawn_blocking(move || last(&blobs, &of, fold, args.item)).await;
    let ran = ran.map_err(|panic| WorkerError::Interrupted(panic.to_string()))??;
    let seconds = started.elapsed().as_secs_f64();
    if let Some(file) = &args.file {
        std::fs::write(file, &ran.output).map_err(|reason| failed(file, reason))?;
    }
    let tried = tried(&job, args.item, &ran, seconds, args.file.as_deref());
    tried.warnings.iter().for_each(|one| warn(one));
    answer(context, &tried, Tried::for_people);
    match ran.ending {
        Ending::Done => Ok(()),
        _ => Err(CliError::Unfit(tried.ended())),
    }
}

/// Runs `item` of `job`; of a fold, the steps before it, too.
fn last(blobs: &Blobs, job: &ProgramJob, fold: bool, item: u32) -> Result<Ran, CliError> {
    let (never, mut before) = (CancelFlag::new(), None);
    if fold {
        for step in 0..item {
            before = Some(blobs.run(job, step.into(), before.as_deref(), &never)?.record(job));
        }
    }
    Ok(blobs.run(job, item.into(), before.as_deref(), &never)?)
}

fn tried(job: &ProgramJob, item: u32, ran: &Ran, seconds: f64, file: Option<&Path>) -> Tried {
    let too_long = ran.record(job) == job.record(Ending::TooLong, &[]);
    let warning = || {
        format!(
            "the output does not fit a record of {} bytes: nothing of it would be kept (--record-bytes)",
            job.record_bytes
        )
    };
    Tried {
        item,
        items: job.items,
        ending: in_words(ran.ending),
        panic: ran.panic.as_ref().map(|panic| format!("{}:{}", panic.file, panic.line)),
        gas: ran.gas,
        seconds,
        bytes: ran.output.len(),
        text: String::from_utf8(ran.output.clone()).ok(),
        file: file.map(|file| file.display().to_string()),
        warnings: too_long.then(warning).into_iter().collect(),
    }
}

impl Tried {
    fn ended(&self) -> String {
        let place = self
            .panic
            .as_ref()
            .map(|place| format!(" at {place}"))
            .unwrap_or_default();
        format!("item {} of {}: {}{place}", self.item, self.items, self.ending)
    }

    fn for_people(&self) -> String {
        let output = match (&self.file, &self.text) {
            (Some(file), _) => format!("\nIts output is in {file}."),
            (None, Some(text)) if text.is_empty() => String::new(),
            (None, Some(text)) => format!("\n{}", shown(text.strip_suffix('\n').unwrap_or(text))),
            (None, None) => "\nIts output is no text: --file writes it.".to_owned(),
        };
        let speed = self.gas as f64 / 1e6 / self.seconds.max(f64::EPSILON);
        let ended = self.ended();
        format!(
            "{ended}; {} gas in {:.3} s ({speed:.0} million a second), {} bytes of output{output}",
            self.gas, self.seconds, self.bytes
        )
    }
}

/// `text` for a terminal: what it would obey, rather than show, is written as an escape. The program may be anybody's.
fn shown(text: &str) -> String {
    let show = |one: char| match one {
        '\n' | '\t' => one.to_string(),
        one if one.is_control() => one.escape_default().to_string(),
        one => one.to_string(),
    };
    text.chars().map(show).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn examples() -> [serde_json::Value; 3] {
        let created = Created {
            folder: "mine".to_owned(),
        };
        let image = Image {
            hash: "0x".to_owned(),
            bytes: 1,
            file: "mine.bin".to_owned(),
        };
        [
            serde_json::json!(created),
            serde_json::json!(image),
            serde_json::json!(example()),
        ]
    }

    fn example() -> Tried {
        Tried {
            item: 2,
            items: 4,
            ending: "done".to_owned(),
            panic: None,
            gas: 3_000_000,
            seconds: 0.01,
            bytes: 8,
            text: Some("4 words\n".to_owned()),
            file: None,
            warnings: vec!["a warning".to_owned()],
        }
    }

    #[test]
    fn people_are_told_the_output_if_it_is_text_and_how_to_get_it_if_it_is_not() {
        let shown = example().for_people();
        let first = "item 2 of 4: done; 3000000 gas in 0.010 s (300 million a second), 8 bytes of output";
        assert_eq!(shown, format!("{first}\n4 words"));
        let binary = Tried {
            text: None,
            ..example()
        }
        .for_people();
        assert!(binary.ends_with("no text: --file writes it."), "{binary}");
        let filed = Tried {
            file: Some("out".to_owned()),
            ..example()
        }
        .for_people();
        assert!(filed.ends_with("is in out."), "{filed}");
        let place = Tried {
            panic: Some("src/main.rs:7".to_owned()),
            ending: "trapped".to_owned(),
            ..example()
        };
        assert_eq!(place.ended(), "item 2 of 4: trapped at src/main.rs:7");
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_program_writes() {
        assert_eq!(shown("é\ta\n\u{1b}[2Jb\r\u{9b}"), "é\ta\n\\u{1b}[2Jb\\r\\u{9b}");
    }
}
