//! Inference jobs, whatever the task of the model: how they and their results are shown.

use super::{
    Show,
    lines::{json_lines, words},
};
use crate::{args::ResultFormat, exit::CliError, units::name_of};
use agora_compute::Inputs;
use agora_models::Embedding;
use agora_primitives::job::{InferenceJob, InferenceTask};

impl Show for InferenceJob {
    fn describe(&self) -> String {
        format!(
            "{} of {} items by model {:?}",
            name_of(&self.task),
            self.items,
            self.model.hash
        )
    }

    fn convert(&self, _: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        if format != ResultFormat::Json {
            return Ok(None);
        }
        let items = output.chunks(self.item_output as usize);
        Ok(Some(match self.task {
            InferenceTask::Classification => json_lines(items.map(words)),
            InferenceTask::Embedding | InferenceTask::Generation => {
                json_lines(items.map(|item| Embedding::from_le_bytes(item.as_chunks().0).to_floats()))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_unfit, convert};
    use super::*;
    use agora_primitives::job::{BlobRef, JobKind, JobSpec};

    fn job(task: InferenceTask) -> JobSpec {
        JobSpec::V1(JobKind::Inference(InferenceJob {
            model: BlobRef::to(&[1; 3]).expect("short"),
            input: BlobRef::to(&[2; 3]).expect("short"),
            task,
            items: 2,
            item_work: 10,
            item_output: 8,
        }))
    }

    #[test]
    fn a_job_is_described_by_what_the_model_is_asked_for() {
        let text = super::super::describe(&job(InferenceTask::Classification));
        assert!(text.starts_with("classification of 2 items by model 0x"), "{text}");
        let text = super::super::describe(&job(InferenceTask::Embedding));
        assert!(text.starts_with("embedding of 2 items by model 0x"), "{text}");
    }

    #[test]
    fn results_are_a_line_for_each_item() {
        let output: Vec<u8> = [7i32, -7, 0, 1].into_iter().flat_map(i32::to_le_bytes).collect();
        let logits = convert(&job(InferenceTask::Classification), &output, ResultFormat::Json);
        assert_eq!(logits, "[7,-7]\n[0,1]\n");
        let output: Vec<u8> = (-4i16..4).flat_map(i16::to_le_bytes).collect();
        let vectors = convert(&job(InferenceTask::Embedding), &output, ResultFormat::Json);
        let vectors: Vec<Vec<f32>> = vectors
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(vectors.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
        assert_eq!((vectors[0][2], vectors[1][0]), (-vectors[1][2], 0.0));
        assert_unfit(
            &job(InferenceTask::Embedding),
            [ResultFormat::Png, ResultFormat::Model, ResultFormat::Checkpoint],
        );
    }
}
