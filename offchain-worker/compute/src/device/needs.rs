//! What a job needs of a device, known before it is begun.

use super::Bounds;

/// Of the memory of a device, so many eighths are a job's at most: the rest is the driver's, the kernels', and other programs'.
const EIGHTHS: u64 = 7;

/// What a job needs of a device, at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Needs {
    /// The largest buffer, in bytes.
    pub buffer_bytes: u64,
    /// Workgroups per dimension of a dispatch, where that cannot be cut.
    pub workgroups: u32,
    /// All buffers and textures that are there at the same time, in bytes.
    pub memory_bytes: u64,
}

impl Needs {
    /// With `count` buffers more, of `bytes` each.
    pub fn buffers(self, count: u64, bytes: u64) -> Self {
        Self {
            buffer_bytes: self.buffer_bytes.max(bytes),
            ..self.memory(count.saturating_mul(bytes))
        }
    }

    /// With a buffer more for each of `bytes`.
    pub fn buffers_of(self, bytes: impl IntoIterator<Item = u64>) -> Self {
        bytes.into_iter().fold(self, |needs, bytes| needs.buffers(1, bytes))
    }

    /// With so many `bytes` more that are in no buffer of a shader: textures, and what the driver holds until it is uploaded.
    pub const fn memory(self, bytes: u64) -> Self {
        Self {
            memory_bytes: self.memory_bytes.saturating_add(bytes),
            ..self
        }
    }

    /// With dispatches of so many workgroups in one dimension.
    pub fn workgroups(self, count: u32) -> Self {
        Self {
            workgroups: self.workgroups.max(count),
            ..self
        }
    }

    /// Whether a device with these `bounds`, and with so much memory if that is known, has what is needed.
    pub fn fit(&self, bounds: &Bounds, memory_bytes: Option<u64>) -> bool {
        self.buffer_bytes <= bounds.buffer_bytes
            && self.workgroups <= bounds.workgroups
            && memory_bytes.is_none_or(|memory| self.memory_bytes <= memory / 8 * EIGHTHS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_workgroups_and_memory_must_all_fit() {
        let bounds = Bounds {
            buffer_bytes: 100,
            texture_side: 0,
            workgroups: 8,
            work: 1,
        };
        let needs = Needs::default().buffers(3, 100).buffers(1, 50).workgroups(8).memory(10);
        assert_eq!(
            (needs.buffer_bytes, needs.workgroups, needs.memory_bytes),
            (100, 8, 360)
        );
        assert!(needs.fit(&bounds, None));
        assert!(needs.buffers_of([20, 20]).fit(&bounds, Some(464)));
        assert!(
            !needs.buffers_of([20, 20]).fit(&bounds, Some(456)),
            "an eighth is not the job's"
        );
        assert!(!needs.buffers(1, 101).fit(&bounds, None));
        assert!(!needs.workgroups(9).fit(&bounds, None));
        assert!(!needs.buffers(u64::MAX, u64::MAX).fit(&bounds, Some(u64::MAX)));
    }
}
