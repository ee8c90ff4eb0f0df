//! Inference jobs, whatever the task of the model: how they and their results are shown.

use super::{
    Show,
    lines::{json_lines, words},
};
use crate::{args::ResultFormat, exit::CliError};
use agora_compute::Inputs;
use agora_models::Embedding;
use agora_primitives::job::{InferenceJob, InferenceNetwork};

impl Show for InferenceJob {
    fn describe(&self) -> String {
        let task = match self.network {
            InferenceNetwork::Embedding { .. } => "embedding",
            InferenceNetwork::Classification { .. } => "classification",
            InferenceNetwork::Generation => "generation",
        };
        format!("{task} of {} items by model {:#x}", self.items, self.model.hash)
    }

    fn convert(&self, _: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        if format != ResultFormat::Json {
            return Ok(None);
        }
        let items = output.chunks(self.item_output() as usize);
        Ok(Some(match self.network {
            InferenceNetwork::Classification { .. } => json_lines(items.map(words)),
            InferenceNetwork::Embedding { .. } | InferenceNetwork::Generation => {
                json_lines(items.map(|item| Embedding::from_le_bytes(item.as_chunks().0).to_floats()))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_unfit, convert};
    use super::*;
    use agora_primitives::job::{BlobRef, ClassifierShape, JobKind, JobSpec, TransformerShape};

    /// 8 bytes of output for each item.
    fn embedding() -> JobSpec {
        let shape = TransformerShape {
            vocabulary: 5,
            positions: 3,
            hidden: 4,
            layers: 1,
            heads: 1,
            key_value_heads: 1,
            head_size: 4,
            intermediate: 4,
            dense: 0,
        };
        job(InferenceNetwork::Embedding { shape, tokens: 3 })
    }

    /// 8 bytes of output for each item.
    fn classification() -> JobSpec {
        let shape = ClassifierShape {
            width: 2,
            height: 2,
            window_width: 2,
            window_height: 2,
            padding: 0,
            pool: 1,
            channels: 1,
            classes: 2,
        };
        job(InferenceNetwork::Classification {
            shape,
            maximum: 255,
            shift: 8,
        })
    }

    fn job(network: InferenceNetwork) -> JobSpec {
        JobSpec::V2(JobKind::Inference(InferenceJob {
            model: BlobRef::to(&[1; 3]),
            input: BlobRef::to(&[2; 3]),
            network,
            items: 2,
        }))
    }

    #[test]
    fn a_job_is_described_by_what_the_model_is_asked_for() {
        let text = super::super::describe(&classification());
        assert!(text.starts_with("classification of 2 items by model 0x"), "{text}");
        let text = super::super::describe(&embedding());
        assert!(text.starts_with("embedding of 2 items by model 0x"), "{text}");
    }

    #[test]
    fn results_are_a_line_for_each_item() {
        let output: Vec<u8> = [7i32, -7, 0, 1].into_iter().flat_map(i32::to_le_bytes).collect();
        let logits = convert(&classification(), &output, ResultFormat::Json);
        assert_eq!(logits, "[7,-7]\n[0,1]\n");
        let output: Vec<u8> = (-4i16..4).flat_map(i16::to_le_bytes).collect();
        let vectors = convert(&embedding(), &output, ResultFormat::Json);
        let vectors: Vec<Vec<f32>> = vectors
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(vectors.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
        assert_eq!((vectors[0][2], vectors[1][0]), (-vectors[1][2], 0.0));
        assert_unfit(
            &embedding(),
            [ResultFormat::Png, ResultFormat::Model, ResultFormat::Checkpoint],
        );
    }
}
