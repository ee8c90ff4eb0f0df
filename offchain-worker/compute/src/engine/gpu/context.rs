//! An opened device: its queue, its compiled shaders, its buffers, and what went wrong on it.

use super::{
    GpuOptions,
    adapters::{self, DeviceInfo},
    gemm,
    pool::{Pool, Pooled, Purpose},
    tuning::Tiles,
};
use crate::{engine::CancelFlag, error::EngineError};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The most multiply–add operations of one submission: far below the seconds after which watchdogs act, on any adapter.
const MAX_WORK: u64 = 1 << 33;
/// How long to wait for one submission before the device counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a wait looks up.
const WAIT_STEP: Duration = Duration::from_millis(100);

/// What a device allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    /// The largest buffer that can be bound, in bytes.
    pub buffer_bytes: u64,
    /// The largest buffer that can be copied to a texture, in bytes.
    pub texture_bytes: u64,
    /// Workgroups per dimension of a dispatch.
    pub workgroups: u32,
    /// The most multiply–add operations of one submission, so that no watchdog ends it.
    pub work: u64,
}

/// An opened device. Jobs share it.
pub(crate) struct Context {
    name: String,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub bounds: Bounds,
    /// The configurations of products.
    pub tiles: Tiles,
    faults: Arc<Mutex<Faults>>,
    /// Shaders compiled so far.
    pipelines: Mutex<HashMap<String, Arc<wgpu::ComputePipeline>>>,
    pool: Arc<Pool>,
}

/// What the device reported.
#[derive(Default)]
struct Faults {
    lost: Option<String>,
    out_of_memory: bool,
    refused: Option<String>,
}

impl Faults {
    fn is_refused_only(&self) -> bool {
        self.refused.is_some() && self.lost.is_none() && !self.out_of_memory
    }
}

fn lock(faults: &Mutex<Faults>) -> MutexGuard<'_, Faults> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    /// Opens the device; products are configured as `tiles` say.
    pub fn open(info: &DeviceInfo, options: &GpuOptions, tiles: Tiles) -> Result<Self, EngineError> {
        let adapter = adapters::adapter(info)?;
        let limits = lowered(adapter.limits(), options);
        let bounds = Bounds {
            buffer_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            texture_bytes: gemm::texture_capacity(limits.max_texture_dimension_2d),
            workgroups: limits.max_compute_workgroups_per_dimension,
            work: options.max_work.unwrap_or(MAX_WORK),
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("agora"),
            required_limits: limits,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|source| EngineError::Open {
                device: info.name.clone(),
                source,
            })?;
        let faults = watch(&device);
        let context = Self {
            name: info.name.clone(),
            device,
            queue,
            bounds,
            tiles,
            faults,
            pipelines: Mutex::default(),
            pool: Arc::default(),
        };
        context.check()?;
        Ok(context)
    }

    /// The pipeline called `key`, compiled from `shader` when it is first asked for, without checks at run time.
    ///
    /// # Safety
    ///
    /// The shader must keep to its buffers, end its loops and not divide by zero, whatever the buffers hold.
    #[allow(unsafe_code, reason = "a checked shader costs several times as much; the caller proves it safe")]
    pub unsafe fn pipeline(
        &self,
        key: &str,
        shader: impl FnOnce() -> String,
        entry_point: &str,
    ) -> Arc<wgpu::ComputePipeline> {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipelines.get(key) {
            return Arc::clone(pipeline);
        }
        // SAFETY: the caller's.
        let pipeline = Arc::new(unsafe { compile(&self.device, key, &shader(), entry_point) });
        pipelines.insert(key.to_owned(), Arc::clone(&pipeline));
        pipeline
    }

    /// A buffer for shaders, of at least `bytes` and a multiple of 16, with any content: from the pool, to which it goes
    /// back when it is dropped. Shaders may read and write it, and it can be copied from and to.
    ///
    /// Errors: `Limit`, `OutOfMemory`, and what the device reports.
    pub fn storage(&self, bytes: u64) -> Result<Pooled, EngineError> {
        self.pooled(Purpose::Storage, bytes)
    }

    /// A buffer that can be copied to and that the host reads ([`super::batch::Batch::fetch`]), from the pool.
    ///
    /// Errors: as [`Self::storage`].
    pub fn staging(&self, bytes: u64) -> Result<Pooled, EngineError> {
        self.pooled(Purpose::Staging, bytes)
    }

    /// A zeroed buffer that is not pooled, for a use that the pool does not have.
    ///
    /// Errors: `Limit`.
    pub fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, EngineError> {
        self.ensure_allowed(bytes)?;
        Ok(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        }))
    }

    /// Errors: `Limit` if a buffer of `bytes` is larger than the device allows.
    fn ensure_allowed(&self, bytes: u64) -> Result<(), EngineError> {
        let available = self.bounds.buffer_bytes;
        if bytes > available {
            return Err(EngineError::Limit {
                limit: "bytes per buffer",
                needed: bytes,
                available,
            });
        }
        Ok(())
    }

    fn pooled(&self, purpose: Purpose, bytes: u64) -> Result<Pooled, EngineError> {
        let bytes = bytes.max(16).checked_next_multiple_of(16).unwrap_or(u64::MAX);
        self.ensure_allowed(bytes)?;
        let create = |descriptor: &wgpu::BufferDescriptor<'_>| {
            let create = || self.device.create_buffer(descriptor);
            match self.guarded(create) {
                // What waits unused may be what is missing.
                Err(EngineError::OutOfMemory { .. }) => {
                    self.pool.clear();
                    self.guarded(create)
                }
                created => created,
            }
        };
        self.pool.take(purpose, bytes, create)
    }

    /// Does `create`; a lack of memory is an error of this call, not of other jobs on the device.
    ///
    /// Errors: `OutOfMemory`, and what the device has reported.
    pub(super) fn guarded<T>(&self, create: impl FnOnce() -> T) -> Result<T, EngineError> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let created = create();
        if pollster::block_on(scope.pop()).is_some() {
            return Err(EngineError::OutOfMemory {
                device: self.name.clone(),
            });
        }
        self.check()?;
        Ok(created)
    }

    /// Bytes of buffers that wait to be used again.
    #[cfg(test)]
    pub fn idle_bytes(&self) -> u64 {
        self.pool.idle_bytes()
    }

    /// The error for a command that is not given, because it is known to be wrong.
    pub fn refused(&self, reason: &str) -> EngineError {
        EngineError::Refused {
            device: self.name.clone(),
            reason: reason.to_owned(),
        }
    }

    /// Errors: what the device has reported since it was opened.
    pub fn check(&self) -> Result<(), EngineError> {
        if lock(&self.faults).is_refused_only() {
            // A lost device refuses everything, but its loss is only told to whoever waits.
            self.poll(None);
        }
        let faults = lock(&self.faults);
        let device = || self.name.clone();
        if let Some(reason) = faults.lost.clone() {
            return Err(self.lost(reason));
        }
        if faults.out_of_memory {
            return Err(EngineError::OutOfMemory { device: device() });
        }
        match faults.refused.clone() {
            Some(reason) => Err(EngineError::Refused {
                device: device(),
                reason,
            }),
            None => Ok(()),
        }
    }

    /// Waits until `submission` has ended, and then until `ready`.
    ///
    /// Errors: `Cancelled`, `TimedOut`, and what the device reports.
    pub fn wait(
        &self,
        submission: &wgpu::SubmissionIndex,
        cancel: &CancelFlag,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), EngineError> {
        let started = Instant::now();
        loop {
            let finished = self.poll(Some(submission));
            self.check()?;
            if finished && ready() {
                return Ok(());
            }
            self.check()?;
            cancel.check()?;
            if started.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(EngineError::TimedOut {
                    device: self.name.clone(),
                    seconds,
                });
            }
        }
    }

    /// Waits for `submission`, or else the last one, but not for long, and returns whether it has ended.
    fn poll(&self, submission: Option<&wgpu::SubmissionIndex>) -> bool {
        let poll = wgpu::PollType::Wait {
            submission_index: submission.cloned(),
            timeout: Some(WAIT_STEP),
        };
        // wgpu panics when the driver reports the loss of the device to a wait.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(poll))) {
            Ok(Ok(_)) => true,
            Ok(Err(wgpu::PollError::Timeout)) => false,
            Ok(Err(error)) => {
                // The submission was not taken: the device was lost before.
                self.report_loss(&error.to_string());
                false
            }
            Err(_) => {
                self.report_loss("the driver failed while it was waited for");
                false
            }
        }
    }

    /// Notes that the device is gone, unless something else is known to be wrong with it.
    pub fn report_loss(&self, reason: &str) {
        let mut faults = lock(&self.faults);
        if faults.refused.is_none() && !faults.out_of_memory {
            faults.lost.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// The error for a device that is gone.
    pub fn lost(&self, reason: String) -> EngineError {
        EngineError::DeviceLost {
            device: self.name.clone(),
            reason,
        }
    }
}

/// The adapter's limits, or less where `options` ask for less.
fn lowered(mut limits: wgpu::Limits, options: &GpuOptions) -> wgpu::Limits {
    if let Some(bytes) = options.max_buffer_bytes {
        limits.max_buffer_size = limits.max_buffer_size.min(bytes);
        limits.max_storage_buffer_binding_size = limits.max_storage_buffer_binding_size.min(bytes);
    }
    if let Some(workgroups) = options.max_workgroups {
        let most = limits.max_compute_workgroups_per_dimension.min(workgroups);
        limits.max_compute_workgroups_per_dimension = most;
    }
    limits
}

/// Notes whatever goes wrong on `device`.
fn watch(device: &wgpu::Device) -> Arc<Mutex<Faults>> {
    let faults = Arc::new(Mutex::new(Faults::default()));
    let noted = Arc::clone(&faults);
    device.set_device_lost_callback(move |reason, message| {
        lock(&noted)
            .lost
            .get_or_insert_with(|| format!("{reason:?}: {message}"));
    });
    let noted = Arc::clone(&faults);
    device.on_uncaptured_error(Arc::new(move |error| match error {
        wgpu::Error::OutOfMemory { .. } => lock(&noted).out_of_memory = true,
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            lock(&noted).refused.get_or_insert(description);
        }
    }));
    faults
}

/// Compiles `shader` without checks at run time.
///
/// # Safety
///
/// The shader must keep to its buffers, end its loops and not divide by zero, whatever the buffers hold.
#[allow(unsafe_code, reason = "the caller proves it")]
unsafe fn compile(device: &wgpu::Device, label: &str, shader: &str, entry_point: &str) -> wgpu::ComputePipeline {
    let source = wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(shader.into()),
    };
    // SAFETY: the caller's.
    let module = unsafe { device.create_shader_module_trusted(source, wgpu::ShaderRuntimeChecks::unchecked()) };
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: None,
        module: &module,
        entry_point: Some(entry_point),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}
