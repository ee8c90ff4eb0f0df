//! Matrix products: rows of a matrix of signed bytes times vectors.

use super::{
    Prepare, Show,
    inputs::{read_numbers, written_out},
    lines::{json_lines, words},
    prepared::JobInputs,
};
use crate::{args::ResultFormat, exit::CliError};
use agora_compute::Inputs;
use agora_primitives::job::{JobKind, MatmulJob};
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct MatmulArgs {
    /// File with the matrix: one byte per element, row by row.
    #[arg(long, value_name = "FILE")]
    matrix: PathBuf,
    /// Length of a row, and of a vector.
    #[arg(long)]
    columns: u32,
    /// The first row to multiply.
    #[arg(long, default_value_t = 0)]
    first_row: u32,
    /// How many rows; all from the first one on if left out.
    #[arg(long)]
    rows: Option<u32>,
    /// File with the vectors: one byte per element, one vector after the other.
    #[arg(long, value_name = "FILE")]
    vectors: PathBuf,
}

impl Prepare for MatmulArgs {
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError> {
        let remedy = "write one signed byte for each element";
        let mut add = |path: &Path| {
            let content = read_numbers(path)?;
            inputs.warn(written_out(path, &content));
            Ok::<_, CliError>(inputs.add(path, content, remedy))
        };
        let matrix = add(&self.matrix)?;
        let input = add(&self.vectors)?;
        // Zero columns give zero rows; the job is then refused for a count of zero.
        // More than can be counted is more than a job may have, and is refused.
        let count = |bytes: u64| {
            let lines = bytes.checked_div(self.columns.into()).unwrap_or(0);
            u32::try_from(lines).unwrap_or(u32::MAX)
        };
        Ok(JobKind::Matmul(MatmulJob {
            matrix,
            columns: self.columns,
            first_row: self.first_row,
            rows: self
                .rows
                .unwrap_or_else(|| count(matrix.size).saturating_sub(self.first_row)),
            input,
            vectors: count(input.size),
        }))
    }
}

impl Show for MatmulJob {
    fn describe(&self) -> String {
        format!(
            "rows {}..{} of matrix {:#x} ({} columns) times {} vectors",
            self.first_row,
            u64::from(self.first_row) + u64::from(self.rows),
            self.matrix.hash,
            self.columns,
            self.vectors
        )
    }

    fn convert(&self, _: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        Ok(match format {
            // The products of each vector.
            ResultFormat::Json => Some(json_lines(output.chunks(4 * self.rows as usize).map(words))),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Files, assert_unfit, convert, parse, prepare};
    use crate::args::ResultFormat;
    use agora_primitives::job::{BlobRef, JobKind, JobSpec, MatmulJob};

    fn job() -> JobSpec {
        JobSpec::V2(JobKind::Matmul(MatmulJob {
            matrix: BlobRef::to(&[1; 12]),
            columns: 3,
            first_row: 1,
            rows: 2,
            input: BlobRef::to(&[2; 6]),
            vectors: 2,
        }))
    }

    #[tokio::test]
    async fn sizes_follow_from_the_files() {
        let files = Files::new();
        let (matrix, vectors) = (files.write("matrix", [1; 12]), files.write("vectors", [2; 6]));
        let common = ["matmul", "--matrix", &matrix, "--vectors", &vectors, "--columns", "3"];
        let JobSpec::V2(kind) = prepare(&common).await.expect("a job");
        assert!(matches!(kind, JobKind::Matmul(job) if (job.first_row, job.rows, job.vectors) == (0, 4, 2)));
        let some = [&common[..], &["--first-row", "1", "--rows", "2"]].concat();
        assert_eq!(prepare(&some).await.expect("a job"), job());
        let rest = [&common[..], &["--first-row", "2"]].concat();
        let JobSpec::V2(kind) = prepare(&rest).await.expect("a job");
        assert!(matches!(kind, JobKind::Matmul(job) if job.rows == 2));
    }

    #[tokio::test]
    async fn wrong_arguments_are_refused() {
        let missing = parse(&["matmul", "--columns", "3"]).expect_err("no files");
        assert!(
            missing.contains("--matrix") && missing.contains("--vectors"),
            "{missing}"
        );
        let files = Files::new();
        let file = files.write("bytes", [1; 12]);
        let arguments = ["matmul", "--matrix", &file, "--vectors", &file, "--columns", "0"];
        let zero = prepare(&arguments).await.expect_err("no columns");
        assert!(zero.contains("zero"), "{zero}");
        let absent = ["matmul", "--matrix", "/nowhere", "--vectors", &file, "--columns", "3"];
        assert!(prepare(&absent).await.expect_err("no file").contains("/nowhere"));
    }

    #[tokio::test]
    async fn numbers_as_text_are_told_of_and_packed_ones_refused() {
        let files = Files::new();
        let (text, vectors) = (
            files.write("m.csv", "1,2,3,4,5\n6,7,8,9,10,11,12\n"),
            files.write("vectors", [2; 6]),
        );
        let arguments = ["matmul", "--matrix", &text, "--vectors", &vectors, "--columns", "1"];
        let prepared = parse(&arguments).expect("well formed").prepare().expect("a job");
        let [warning] = prepared.warnings() else {
            panic!("{:?}", prepared.warnings())
        };
        assert!(warning.starts_with(&text), "{warning}");
        let array = files.write("m.npy", b"\x93NUMPY\x01\0\x76\0{'descr': '|i1'");
        let arguments = ["matmul", "--matrix", &array, "--vectors", &vectors, "--columns", "1"];
        assert!(prepare(&arguments).await.expect_err("a header").contains("tofile"));
    }

    #[test]
    fn a_job_is_described() {
        let text = super::super::describe(&job());
        assert!(text.starts_with("rows 1..3 of matrix 0x"), "{text}");
        assert!(text.ends_with("(3 columns) times 2 vectors"), "{text}");
    }

    #[test]
    fn products_are_a_line_for_each_vector() {
        let output: Vec<u8> = [1i32, -2, 300, 4].into_iter().flat_map(i32::to_le_bytes).collect();
        assert_eq!(convert(&job(), &output, ResultFormat::Json), "[1,-2]\n[300,4]\n");
        assert_unfit(
            &job(),
            [ResultFormat::Png, ResultFormat::Model, ResultFormat::Checkpoint],
        );
    }
}
