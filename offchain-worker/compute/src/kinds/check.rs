//! Checking by computing drawn parts of an output again, on the processor or on a device: what the kinds have in common.
//!
//! A device can compute wrong and report nothing: its memory may fail, its driver may be defective. A verifier that
//! believed it would attest against right work, and lose its bond. So before an output is called wrong, the part in
//! which the device differs from it is computed once more on the processor. If the device differs from the processor
//! too, there is no verdict, but [`DeviceError::Miscomputed`](crate::DeviceError::Miscomputed).
//!
//! The opposite is not found: a wrong output that equals, in all drawn parts, what a defective device computes passes on
//! that device. Whoever fears this checks on the processor.

use super::EngineError;
use crate::kernels::gpu::Gpu;

/// Where drawn parts are computed again.
#[derive(Clone, Copy)]
pub(crate) enum On<'a> {
    /// On the processor.
    Cpu,
    /// On a graphics device, but for what is compared with the processor.
    Gpu(&'a Gpu),
}

/// Parts of an output that the seed of a check draws.
pub(crate) struct Drawn<'a> {
    /// The output: parts one after the other.
    pub output: &'a [u8],
    /// Bytes of a part.
    pub width: usize,
    /// Numbers of the parts that are drawn, ascending.
    pub parts: &'a [usize],
}

impl Drawn<'_> {
    /// The place in the output of the first wrong byte of a drawn part. `compute` gives the right bytes of the parts
    /// with these numbers, one after the other.
    ///
    /// Errors: those of `compute`; `Miscomputed` if the device and the processor differ.
    pub fn first_wrong(
        &self,
        on: On<'_>,
        compute: impl Fn(On<'_>, &[usize]) -> Result<Vec<u8>, EngineError>,
    ) -> Result<Option<usize>, EngineError> {
        let computed = compute(on, self.parts)?;
        let computed: Vec<&[u8]> = computed.chunks(self.width).collect();
        let wrong = self.parts.iter().enumerate().find_map(|(i, &part)| {
            let claimed = &self.output[part * self.width..][..self.width];
            let computed = computed.get(i).copied().unwrap_or_default();
            Some((part, computed, first_difference(claimed, computed)?))
        });
        let Some((part, computed, at)) = wrong else {
            return Ok(None);
        };
        if let On::Gpu(gpu) = on
            && compute(On::Cpu, &[part])? != computed
        {
            return Err(gpu.give_up(format!("part {part} of an output that it checked")).into());
        }
        Ok(Some(part * self.width + at))
    }
}

/// Where the two differ first: in a byte, or where one of them ends.
fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let at = one.iter().zip(other).position(|(a, b)| a != b);
    at.or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts 1, 2 and 4 of five, two bytes each; the right bytes are their numbers.
    fn first_wrong(output: &[u8], right: &[u8]) -> Option<usize> {
        let (width, parts) = (2, &[1, 2, 4][..]);
        let drawn = Drawn { output, width, parts };
        drawn.first_wrong(On::Cpu, |_, _| Ok(right.to_vec())).unwrap()
    }

    #[test]
    fn the_first_wrong_byte_of_a_drawn_part_is_named() {
        let right = [1, 1, 2, 2, 4, 4];
        assert_eq!(first_wrong(&[0, 0, 1, 1, 2, 2, 3, 3, 4, 4], &right), None);
        // What is not drawn is not looked at.
        assert_eq!(first_wrong(&[9, 9, 1, 1, 2, 2, 9, 9, 4, 4], &right), None);
        assert_eq!(first_wrong(&[0, 0, 1, 9, 2, 9, 3, 3, 9, 4], &right), Some(3));
        assert_eq!(first_wrong(&[0, 0, 1, 1, 2, 2, 3, 3, 9, 4], &right), Some(8));
    }

    #[test]
    fn what_was_not_computed_is_not_taken_for_right() {
        let output = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4];
        assert_eq!(first_wrong(&output, &[1, 1, 2, 2, 4]), Some(9));
        assert_eq!(first_wrong(&output, &[1, 1]), Some(4));
    }
}
