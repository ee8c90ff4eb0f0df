//! Buffers that are used again: creating one costs a driver more than most uploads.

use super::DeviceError;
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

/// The most bytes of unused buffers that are kept.
const MAX_IDLE_BYTES: u64 = 256 << 20;

/// What a buffer is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Purpose {
    /// Read and written by shaders, and copied from and to.
    Storage,
    /// Read by the host.
    Staging,
}

impl Purpose {
    const fn usage(self) -> wgpu::BufferUsages {
        use wgpu::BufferUsages as Usage;
        match self {
            Self::Storage => Usage::STORAGE.union(Usage::COPY_SRC).union(Usage::COPY_DST),
            Self::Staging => Usage::MAP_READ.union(Usage::COPY_DST),
        }
    }
}

/// The buffers of a device that wait to be used again.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    buffers: HashMap<(Purpose, u64), Vec<wgpu::Buffer>>,
    bytes: u64,
}

impl Pool {
    /// A buffer of `bytes`, a multiple of 16, with any content.
    ///
    /// Errors: those of `create`, which makes one if none waits.
    pub fn take(
        self: &Arc<Self>,
        purpose: Purpose,
        bytes: u64,
        create: impl FnOnce(&wgpu::BufferDescriptor<'_>) -> Result<wgpu::Buffer, DeviceError>,
    ) -> Result<Pooled, DeviceError> {
        let waiting = self.with(|idle| {
            let buffer = idle.buffers.get_mut(&(purpose, bytes))?.pop()?;
            idle.bytes -= bytes;
            Some(buffer)
        });
        let buffer = match waiting {
            Some(buffer) => buffer,
            None => create(&wgpu::BufferDescriptor {
                label: Some("pooled"),
                size: bytes,
                usage: purpose.usage(),
                mapped_at_creation: false,
            })?,
        };
        Ok(Pooled {
            buffer,
            purpose,
            pool: Arc::clone(self),
        })
    }

    /// Drops all buffers that wait.
    pub fn clear(&self) {
        self.with(|idle| *idle = Idle::default());
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub fn idle_bytes(&self) -> u64 {
        self.with(|idle| idle.bytes)
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Idle) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A buffer that goes back to its pool when it is dropped; it must not be mapped then. Submissions made before may
/// still use it: whatever is submitted later, from any thread, comes after them in the device's queue.
pub(crate) struct Pooled {
    buffer: wgpu::Buffer,
    purpose: Purpose,
    pool: Arc<Pool>,
}

impl Deref for Pooled {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let (key, bytes) = ((self.purpose, self.buffer.size()), self.buffer.size());
        self.pool.with(|idle| {
            if idle.bytes + bytes <= MAX_IDLE_BYTES {
                idle.bytes += bytes;
                idle.buffers.entry(key).or_default().push(self.buffer.clone());
            }
        });
    }
}
