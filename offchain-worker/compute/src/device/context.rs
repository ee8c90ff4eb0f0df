//! An opened device: its queue, its compiled shaders, its buffers, and waiting for it.

use super::{
    Caps,
    adapters::{self, DeviceInfo, DeviceType},
    error::DeviceError,
    faults::Faults,
    pipeline::Pipelines,
    pool::{Pool, Pooled, Purpose},
};
use crate::run::CancelFlag;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

/// The most multiply–add operations that jobs plan to do at once.
const MAX_WORK: u64 = 1 << 33;

/// The most multiply–add operations of one dispatch, which cannot be ended early: some ten milliseconds on slow devices
/// of each type. The time of whole submissions is measured.
const fn max_dispatch_work(device_type: DeviceType) -> u64 {
    match device_type {
        DeviceType::Discrete => MAX_WORK,
        DeviceType::Integrated | DeviceType::Virtual | DeviceType::Other => 1 << 31,
        DeviceType::Software => 1 << 29,
    }
}
/// How long to wait for one submission before the device counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// A wait checks after each such time whether the job was cancelled.
const WAIT_STEP: Duration = Duration::from_millis(100);
/// The length of each buffer is a multiple of so many bytes, one vector of a shader.
const VECTOR_BYTES: u64 = 16;

/// What a device allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    /// The largest buffer that can be bound, in bytes. Below 2³², as shaders count bytes in 32 bits.
    pub buffer_bytes: u64,
    /// The most texels of a side of a texture.
    pub texture_side: u32,
    /// Workgroups per dimension of a dispatch.
    pub workgroups: u32,
    /// The most multiply–add operations to plan for at once. Submissions are cut by time ([`super::Pacer`]).
    pub work: u64,
}

/// An opened device. Jobs share it.
pub(crate) struct Context {
    name: String,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub bounds: Bounds,
    /// The most multiply–add operations of one dispatch.
    pub dispatch_work: u64,
    /// The most multiply–add operations of one submission, however fast the device is.
    pub submission_work: u64,
    faults: Faults,
    pipelines: Pipelines,
    pool: Arc<Pool>,
    #[cfg(test)]
    pub watch: super::testing::Watch,
    #[cfg(test)]
    sabotage: Option<super::testing::Sabotage>,
}

impl Context {
    /// Opens the device.
    ///
    /// Errors: `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if it is gone.
    pub fn open(info: &DeviceInfo, caps: Caps) -> Result<Self, DeviceError> {
        let adapter = adapters::adapter(info)?;
        let limits = lowered(adapter.limits(), caps);
        let buffer_bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let bounds = Bounds {
            buffer_bytes: buffer_bytes.min(u32::MAX.into()),
            texture_side: limits.max_texture_dimension_2d,
            workgroups: limits.max_compute_workgroups_per_dimension,
            work: caps.max_work.unwrap_or(MAX_WORK),
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("agora"),
            required_limits: limits,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|source| DeviceError::Open {
                device: info.name.clone(),
                source,
            })?;
        let context = Self {
            name: info.name.clone(),
            faults: Faults::watch(&device),
            device,
            queue,
            bounds,
            dispatch_work: max_dispatch_work(info.device_type).min(bounds.work),
            submission_work: caps.max_work.unwrap_or(u64::MAX),
            pipelines: Pipelines::default(),
            pool: Arc::default(),
            #[cfg(test)]
            watch: super::testing::Watch::default(),
            #[cfg(test)]
            sabotage: caps.sabotage,
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
        #[cfg(test)]
        let shader = || match self.sabotage {
            Some(sabotage) => sabotage.0(key, shader()),
            None => shader(),
        };
        // SAFETY: the caller's.
        unsafe { self.pipelines.get(&self.device, key, shader, entry_point) }
    }

    /// Binds `resources`, each with its place, to the first group of `pipeline`.
    pub fn bind<'a>(
        &self,
        label: &str,
        pipeline: &wgpu::ComputePipeline,
        resources: impl IntoIterator<Item = (u32, wgpu::BindingResource<'a>)>,
    ) -> wgpu::BindGroup {
        self.bind_group(label, pipeline, 0, resources)
    }

    /// As [`Self::bind`], to the group numbered `group`.
    pub fn bind_group<'a>(
        &self,
        label: &str,
        pipeline: &wgpu::ComputePipeline,
        group: u32,
        resources: impl IntoIterator<Item = (u32, wgpu::BindingResource<'a>)>,
    ) -> wgpu::BindGroup {
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = resources.into_iter().map(entry).collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout: &pipeline.get_bind_group_layout(group),
            entries: &entries,
        })
    }

    /// A buffer for shaders, of at least `bytes` and a multiple of 16, with any content. It comes from the pool, and
    /// returns there when it is dropped. Shaders may read and write it, and it can be copied from and to.
    ///
    /// Errors: `Limit`, `OutOfMemory`, and what the device reports.
    pub fn storage(&self, bytes: u64) -> Result<Pooled, DeviceError> {
        self.pooled(Purpose::Storage, bytes)
    }

    /// A buffer that can be copied to and that the host reads ([`super::Batch::fetch`]), from the pool.
    ///
    /// Errors: as [`Self::storage`].
    pub fn staging(&self, bytes: u64) -> Result<Pooled, DeviceError> {
        self.pooled(Purpose::Staging, bytes)
    }

    /// A zeroed buffer that is not pooled, for a use that the pool does not have.
    ///
    /// Errors: `Limit`.
    pub fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, DeviceError> {
        self.ensure_allowed(bytes)?;
        Ok(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        }))
    }

    /// As [`Self::buffer`], with `content`, whose length is a multiple of four bytes.
    ///
    /// Errors: `Limit`.
    pub fn filled<T: bytemuck::Pod>(
        &self,
        label: &str,
        content: &[T],
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, DeviceError> {
        let bytes: &[u8] = bytemuck::cast_slice(content);
        let buffer = self.buffer(label, bytes.len() as u64, usage | wgpu::BufferUsages::COPY_DST)?;
        self.queue.write_buffer(&buffer, 0, bytes);
        Ok(buffer)
    }

    /// Errors: `Limit` if a buffer of `bytes` is larger than the device allows.
    fn ensure_allowed(&self, bytes: u64) -> Result<(), DeviceError> {
        let available = self.bounds.buffer_bytes;
        if bytes > available {
            return Err(DeviceError::Limit {
                limit: "bytes per buffer",
                needed: bytes,
                available,
            });
        }
        Ok(())
    }

    fn pooled(&self, purpose: Purpose, bytes: u64) -> Result<Pooled, DeviceError> {
        let bytes = bytes
            .max(VECTOR_BYTES)
            .checked_next_multiple_of(VECTOR_BYTES)
            .unwrap_or(u64::MAX);
        self.ensure_allowed(bytes)?;
        let create = |descriptor: &wgpu::BufferDescriptor<'_>| {
            let create = || self.device.create_buffer(descriptor);
            match self.guarded(create) {
                // Unused buffers in the pool may hold the memory that is missing.
                Err(DeviceError::OutOfMemory { .. }) => {
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
    pub fn guarded<T>(&self, create: impl FnOnce() -> T) -> Result<T, DeviceError> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let created = create();
        if pollster::block_on(scope.pop()).is_some() {
            return Err(DeviceError::OutOfMemory {
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
    pub fn refused(&self, reason: &str) -> DeviceError {
        DeviceError::Refused {
            device: self.name.clone(),
            reason: reason.to_owned(),
        }
    }

    /// Errors: what the device has reported since it was opened.
    pub fn check(&self) -> Result<(), DeviceError> {
        if self.faults.is_refused_only() {
            // A lost device refuses every command, and reports its loss only to a wait, and not to each.
            self.poll(None);
            if self.faults.is_refused_only() && self.refuses_everything() {
                self.faults.explain_refusal_by_loss("it refuses every command");
            }
        }
        self.faults.check(&self.name)
    }

    /// Whether even what cannot be wrong is refused.
    fn refuses_everything(&self) -> bool {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let probe = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("probe"),
            size: wgpu::COPY_BUFFER_ALIGNMENT,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        // A lost device says nothing of a buffer that it does not make, but does not map it.
        probe.slice(..).map_async(wgpu::MapMode::Read, |_| {});
        pollster::block_on(scope.pop()).is_some()
    }

    /// Waits until `submission` has ended, and then until `ready`.
    ///
    /// Errors: `Cancelled`, `TimedOut`, and what the device reports.
    pub fn wait(
        &self,
        submission: &wgpu::SubmissionIndex,
        cancel: &CancelFlag,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), DeviceError> {
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
                return Err(DeviceError::TimedOut {
                    device: self.name.clone(),
                    seconds,
                });
            }
        }
    }

    /// Whether `submission` has ended, without waiting.
    pub fn has_ended(&self, submission: &wgpu::SubmissionIndex) -> bool {
        self.poll_for(Some(submission), Duration::ZERO)
    }

    /// Waits for `submission`, or else the last one, but not for long, and returns whether it has ended.
    fn poll(&self, submission: Option<&wgpu::SubmissionIndex>) -> bool {
        self.poll_for(submission, WAIT_STEP)
    }

    fn poll_for(&self, submission: Option<&wgpu::SubmissionIndex>, timeout: Duration) -> bool {
        let poll = wgpu::PollType::Wait {
            submission_index: submission.cloned(),
            timeout: Some(timeout),
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

    /// Records that the device is gone, unless something else is known to be wrong with it.
    pub fn report_loss(&self, reason: &str) {
        self.faults.report_loss(reason);
    }

    /// The error for a device that is gone.
    pub fn lost(&self, reason: String) -> DeviceError {
        DeviceError::Lost {
            device: self.name.clone(),
            reason,
        }
    }
}

/// The adapter's limits, or less where `caps` ask for less.
fn lowered(mut limits: wgpu::Limits, caps: Caps) -> wgpu::Limits {
    if let Some(bytes) = caps.max_buffer_bytes {
        limits.max_buffer_size = limits.max_buffer_size.min(bytes);
        limits.max_storage_buffer_binding_size = limits.max_storage_buffer_binding_size.min(bytes);
    }
    if let Some(workgroups) = caps.max_workgroups {
        let most = limits.max_compute_workgroups_per_dimension.min(workgroups);
        limits.max_compute_workgroups_per_dimension = most;
    }
    limits
}
