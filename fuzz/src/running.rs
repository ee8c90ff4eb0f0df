//! Running a job on the processor, as all checks of inputs do.

use agora_compute::{BlobRef, CancelFlag, CpuEngine, Engine, EngineError, JobKind, JobSpec, MemoryInputs, NoProgress};

/// Computes `job` on the processor and returns the output, which has the length that the job says.
pub fn compute(job: JobKind, inputs: &MemoryInputs) -> Result<Vec<u8>, EngineError> {
    let spec = JobSpec::V2(job);
    let result = CpuEngine::new().run(&spec, inputs, &NoProgress, &CancelFlag::new())?;
    assert_eq!(result.output.len() as u64, spec.max_output_bytes());
    Ok(result.output)
}

/// Adds an input of a job. Panics if it is too long for one.
pub fn insert(inputs: &mut MemoryInputs, content: Vec<u8>) -> BlobRef {
    inputs.insert(content)
}
