use super::*;
use agora_compute::{CancelFlag, Computation, Inputs, JobSpec, Progress};

/// Computes as the processor, and then spoils the result or fails.
struct Faulty(fn(Computation) -> Result<Computation, EngineError>);

impl Engine for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }

    fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError> {
        (self.0)(CpuEngine::new().run(job, inputs, progress, cancel)?)
    }
}

/// Compares `engine` in a few jobs.
fn compare(engine: &dyn Engine) -> (Bits, Result<(), CheckError>) {
    let cases = crate::golden::cases().unwrap();
    let mut bits = Bits::default();
    let mut noted = Ok(());
    for case in &cases[..4] {
        noted = noted.and_then(|()| bits.note(Report::Json, "faulty", &case.title(), difference(engine, case)));
    }
    let result = noted.and_then(|()| bits.result("faulty"));
    (bits, result)
}

fn device() -> String {
    "faulty".into()
}

#[test]
fn equal_bits_pass() {
    let (bits, result) = compare(&Faulty(Ok));
    assert!(result.is_ok());
    assert_eq!((bits.equal, bits.compared()), (4, 4));
}

#[test]
fn a_wrong_byte_is_wrong_bits_and_every_such_job_is_counted() {
    let wrong = Faulty(|mut computation| {
        if let Some(byte) = computation.output.last_mut() {
            *byte ^= 1;
        }
        Ok(computation)
    });
    let error = compare(&wrong).1.unwrap_err();
    assert!(matches!(error, CheckError::Wrong { wrong: 4, cases: 4, .. }), "{error}");
    assert_eq!(error.code(), 6);
}

#[test]
fn a_wrong_state_is_wrong_bits_although_the_output_is_right() {
    let wrong = Faulty(|mut computation| {
        computation.state_digests[0][0] ^= 1;
        Ok(computation)
    });
    assert_eq!(compare(&wrong).1.unwrap_err().code(), 6);
}

#[test]
fn a_job_that_does_not_fit_is_left_out() {
    let small = Faulty(|_| {
        let (needed, available) = (2, 1);
        let limit = "buffer size";
        Err(DeviceError::Limit {
            limit,
            needed,
            available,
        }
        .into())
    });
    let (bits, result) = compare(&small);
    assert_eq!((bits.too_large.len(), bits.compared()), (4, 0));
    // Nothing was compared, so nothing is known to be equal.
    let error = result.unwrap_err();
    assert!(
        matches!(error, CheckError::NothingFits { .. }) && error.code() == 1,
        "{error}"
    );
}

#[test]
fn a_lost_device_ends_its_check_and_a_lack_of_memory_does_not() {
    let lost = Faulty(|_| {
        let (device, reason) = ("faulty".to_owned(), "unplugged".to_owned());
        Err(DeviceError::Lost { device, reason }.into())
    });
    let (bits, result) = compare(&lost);
    let error = result.unwrap_err();
    assert!(error.to_string().contains("unplugged") && error.code() == 1, "{error}");
    assert_eq!(bits.compared(), 0);

    let full = Faulty(|_| Err(DeviceError::OutOfMemory { device: device() }.into()));
    let (bits, result) = compare(&full);
    assert_eq!(bits.failed, 4);
    assert_eq!(result.unwrap_err().code(), 1);
}
