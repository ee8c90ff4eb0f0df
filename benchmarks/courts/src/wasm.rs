//! The runtime as a node executes it: compiled from its Wasm.

use crate::{Failure, chain::Chain};
use agora_runtime::UncheckedExtrinsic;
use codec::{Decode, Encode};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, Externalities, RuntimeCode, WrappedRuntimeCode};
use sp_io::SubstrateHostFunctions;
use sp_runtime::ApplyExtrinsicResult;
use std::{borrow::Cow, path::Path, time::Instant};

/// The runtime's Wasm, compiled once.
pub struct Wasm {
    executor: WasmExecutor<SubstrateHostFunctions>,
    code: Cow<'static, [u8]>,
}

impl Wasm {
    /// The Wasm in `file`, which is of this runtime; without one, what this program was built with.
    ///
    /// Errors: it was built without, or the file cannot be read.
    pub fn new(file: Option<&Path>) -> Result<Self, Failure> {
        let code = match file {
            Some(file) => Cow::Owned(std::fs::read(file)?),
            None => {
                let built = agora_runtime::WASM_BINARY;
                Cow::Borrowed(
                    built.ok_or("the runtime was built without its Wasm (SKIP_WASM_BUILD): name it by --wasm")?,
                )
            }
        };
        Ok(Self {
            executor: WasmExecutor::builder().build(),
            code,
        })
    }

    fn call(&self, ext: &mut dyn Externalities, method: &str, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let code = WrappedRuntimeCode(Cow::Borrowed(&self.code));
        let code = RuntimeCode {
            code_fetcher: &code,
            heap_pages: None,
            hash: b"the only one".to_vec(),
        };
        let (result, _) = self
            .executor
            .call(ext, &code, method, data, CallContext::Onchain { import: false });
        Ok(result?)
    }

    /// Applies `extrinsic` in a block after the last one of `chain`, `times` times, and returns the seconds of each. The chain stays as it is.
    ///
    /// Errors: the transaction is not valid, or fails.
    pub fn apply(&self, chain: &mut Chain, extrinsic: &UncheckedExtrinsic, times: usize) -> Result<Vec<f64>, Failure> {
        let header = chain.next_header().encode();
        let extrinsic = extrinsic.encode();
        let mut seconds = Vec::new();
        for _ in 0..times {
            let mut ext = chain.ext.ext();
            ext.storage_start_transaction();
            let applied = self.call(&mut ext, "Core_initialize_block", &header).and_then(|_| {
                let began = Instant::now();
                let answer = self.call(&mut ext, "BlockBuilder_apply_extrinsic", &extrinsic)?;
                seconds.push(began.elapsed().as_secs_f64());
                Ok(ApplyExtrinsicResult::decode(&mut answer.as_slice())?)
            });
            if ext.storage_rollback_transaction().is_err() {
                return Err("the runtime has closed a transaction that it has not opened".into());
            }
            match applied? {
                Ok(Ok(())) => {}
                failed => return Err(format!("it fails in Wasm: {failed:?}").into()),
            }
        }
        Ok(seconds)
    }
}
