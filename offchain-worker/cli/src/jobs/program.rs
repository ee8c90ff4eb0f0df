//! Programs: code of the publisher's own, item by item or step by step.

mod trial;

pub use trial::trial;

use super::{
    Prepare, Show,
    inputs::{read, unusable},
    prepared::JobInputs,
};
use crate::{args::ResultFormat, exit::CliError, units::Gas};
use agora_compute::{Inputs, program::in_words};
use agora_primitives::job::{
    BlobRef, JobKind, Mode, ProgramInputs, ProgramJob,
    program::{Ending, read_record},
};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A program, and what it is given.
#[derive(clap::Args, Debug)]
pub struct CodeArgs {
    /// The program: an image that `agora program build` has made, or an executable for the machine.
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// A file that the program reads. May be repeated: the program knows them by their order.
    #[arg(long = "input", value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// How many items there are, or steps of a fold: the program runs once for each, and knows its number.
    #[arg(long, default_value_t = 1)]
    pub items: u32,
    /// Bytes of each item's record, a multiple of 1024: its output, and 8 bytes more.
    #[arg(long, default_value_t = 1024, value_name = "BYTES")]
    pub record_bytes: u32,
    /// Run step after step, each with the record of the one before; the result is the last record.
    #[arg(long)]
    pub fold: bool,
}

#[derive(clap::Args, Debug)]
pub struct ProgramArgs {
    #[command(flatten)]
    code: CodeArgs,
    /// The most gas of each item: instructions, and more for those that jump about in memory; such as 500M or 2G. If left out, it follows from
    /// trying some items here.
    #[arg(long)]
    gas: Option<Gas>,
}

impl CodeArgs {
    /// The job, whose image and inputs are among `inputs` then.
    ///
    /// Errors: `File`, `Usage`.
    pub fn job(&self, gas: u64, inputs: &mut JobInputs) -> Result<ProgramJob, CliError> {
        let image = inputs.add(&self.image, image(&self.image)?, "build the program again");
        let files = self.inputs.iter().map(|path| match read(path)? {
            empty if empty.is_empty() => Err(unusable(
                path,
                "it is empty, and a program's inputs have at least a byte",
            )),
            content => Ok(inputs.add(path, content, "change the file")),
        });
        let files: Vec<BlobRef> = files.collect::<Result<_, _>>()?;
        let files = ProgramInputs::try_from(files);
        Ok(ProgramJob {
            image,
            inputs: files.map_err(|_| CliError::Usage("a program has at most 16 inputs; join some".to_owned()))?,
            mode: if self.fold { Mode::Fold } else { Mode::Map },
            items: self.items,
            gas,
            record_bytes: self.record_bytes,
        })
    }
}

/// The image at `path`: as it is, or made of an executable.
fn image(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = read(path)?;
    match agora_programs::image_of(&bytes) {
        None => Ok(bytes),
        Some(image) => image.map_err(|error| unusable(path, error)),
    }
}

impl Prepare for ProgramArgs {
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError> {
        let Self { code, gas } = self;
        let wanted = gas.map(|gas| gas.0);
        let mut job = code.job(wanted.unwrap_or(trial::MOST), inputs)?;
        job.gas = trial(&job, inputs, wanted)?;
        Ok(JobKind::Program(job))
    }
}

impl Show for ProgramJob {
    fn describe(&self) -> String {
        let runs = match self.mode {
            Mode::Map => "items",
            Mode::Fold => "steps, one after the other",
        };
        format!(
            "program {:#x} ({} bytes), {} inputs, {} {runs}, of {} gas and {} bytes each",
            self.image.hash,
            self.image.size,
            self.inputs.as_slice().len(),
            self.items,
            self.gas,
            self.record_bytes
        )
    }

    fn convert(&self, _: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        Ok(match format {
            ResultFormat::Text => Some(text(&self.records_in(output))),
            ResultFormat::Json => Some(lines(&self.records_in(output))),
            _ => None,
        })
    }

    fn files(&self, output: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
        let records = self.records_in(output);
        // So that they are listed in their order.
        let width = records.last().map_or(1, |record| record.item.to_string().len());
        let file = |record: &Record<'_>| (format!("{:0width$}", record.item), record.output.to_vec());
        Some(records.iter().map(file).collect())
    }

    fn failures(&self, output: &[u8]) -> Vec<String> {
        let records = self.records_in(output);
        let failed = records.iter().filter(|record| record.ending != Some(Ending::Done));
        failed
            .map(|record| format!("item {}: {}", record.item, record.words()))
            .collect()
    }

    fn may_fail(&self) -> bool {
        true
    }
}

/// A record of a result.
struct Record<'a> {
    /// The item or step that it is of.
    item: u32,
    /// How its run ended. `None`: nobody has computed it.
    ending: Option<Ending>,
    output: &'a [u8],
}

impl Record<'_> {
    fn words(&self) -> String {
        self.ending
            .map_or_else(|| "no run leaves such a record".to_owned(), in_words)
    }
}

trait Records {
    fn records_in<'a>(&self, output: &'a [u8]) -> Vec<Record<'a>>;
}

impl Records for ProgramJob {
    /// The records of a result: those of all items, or that of the last step.
    fn records_in<'a>(&self, output: &'a [u8]) -> Vec<Record<'a>> {
        let first = match self.mode {
            Mode::Map => 0,
            Mode::Fold => self.items.saturating_sub(1),
        };
        let records = (first..).zip(output.chunks(self.record_bytes as usize));
        records
            .map(|(item, record)| {
                let read = read_record(record);
                Record {
                    item,
                    ending: read.map(|(ending, _)| ending),
                    output: read.map_or(&[], |(_, output)| output),
                }
            })
            .collect()
    }
}

/// The outputs one after the other, each with the end of its last line.
fn text(records: &[Record<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        text.extend_from_slice(record.output);
        if text.last().is_some_and(|&last| last != b'\n') {
            text.push(b'\n');
        }
    }
    text
}

/// A line of JSON for each record: its output as text, or in hexadecimal if it is none.
fn lines(records: &[Record<'_>]) -> Vec<u8> {
    super::lines::json_lines(records.iter().map(|record| {
        let (text, hex) = match std::str::from_utf8(record.output) {
            Ok(text) => (Some(text), None),
            Err(_) => (None, Some(hex::encode(record.output))),
        };
        json!({ "item": record.item, "ending": record.words(), "text": text, "hex": hex })
    }))
}

#[cfg(test)]
mod tests;
