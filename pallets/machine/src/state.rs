//! What a machine is between two instructions.

use crate::{Output, tree};
use agora_jobs::{BlobRef, program::Ending};
use codec::{Decode, DecodeWithMemTracking, Encode};
use primitive_types::H256;
use scale_info::TypeInfo;

/// Why a machine stopped although its program did not ask for it.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trap {
    /// The instruction is illegal.
    Illegal,
    /// The program counter left the image.
    OutsideImage,
    /// An access is not aligned to its size.
    Misaligned,
    /// An access is neither to the memory nor a read of the image.
    OutsideMemory,
    /// `ebreak`: programs stop with it when they panic.
    Breakpoint,
    /// A call that the machine does not know, or whose arguments are not what it asks for.
    BadCall,
}

impl core::fmt::Display for Trap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Illegal => "illegal instruction",
            Self::OutsideImage => "execution left the image",
            Self::Misaligned => "misaligned access",
            Self::OutsideMemory => "access outside of the memory",
            Self::Breakpoint => "the program stopped itself (a panic, or ebreak)",
            Self::BadCall => "unknown call, or a call with wrong arguments",
        })
    }
}

/// Whether a machine goes on. All but [`Status::Running`] are for ever.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It has a next instruction.
    Running,
    /// It halted: its output is complete.
    Done,
    /// It halted: the program says that its input is unusable.
    Unusable,
    /// It stopped at an instruction that cannot be executed.
    Trapped(Trap),
    /// It used all its gas.
    OutOfGas,
}

impl Status {
    /// How a run has ended that is here. `None`: it goes on.
    pub const fn ending(self) -> Option<Ending> {
        match self {
            Self::Running => None,
            Self::Done => Some(Ending::Done),
            Self::Unusable => Some(Ending::Unusable),
            // The number of a trap is its codec index.
            Self::Trapped(trap) => Some(Ending::Trapped(trap as u8)),
            Self::OutOfGas => Some(Ending::OutOfGas),
        }
    }
}

/// A machine between two instructions. Whoever knows it, the image, and the pages of memory that the next instructions touch
/// can execute them.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Whether it goes on.
    pub status: Status,
    /// Instructions that may still be executed.
    pub gas: u64,
    /// The program counter: the address of the next instruction.
    pub pc: u64,
    /// Registers 1 to 31; register 0 is zero.
    pub registers: [u64; 31],
    /// The address that was reserved by the last `lr`, until an `sc`.
    pub reservation: Option<u64>,
    /// The root of the memory's pages.
    pub memory: H256,
    /// What was written so far.
    pub output: Output,
}

/// What hashes of states begin with.
const STATE: &[u8] = b"agora/machine/state/1";

/// The registers in which a program finds the hash of its input, eight bytes each, little endian: a0 to a3.
const INPUT_HASH: [usize; 4] = [10, 11, 12, 13];
/// The register in which it finds the length of its input: a4.
const INPUT_SIZE: usize = 14;

impl State {
    /// A machine before its first instruction.
    pub fn start(input: &BlobRef, gas: u64) -> Self {
        let mut registers = [0; 31];
        let (words, _) = input.hash.0.as_chunks::<8>();
        let values = words.iter().map(|&word| u64::from_le_bytes(word)).chain([input.size]);
        for (register, value) in INPUT_HASH.into_iter().chain([INPUT_SIZE]).zip(values) {
            if let Some(register) = register.checked_sub(1).and_then(|at| registers.get_mut(at)) {
                *register = value;
            }
        }
        let status = if gas == 0 { Status::OutOfGas } else { Status::Running };
        Self {
            status,
            gas,
            pc: crate::IMAGE_BASE,
            registers,
            reservation: None,
            memory: tree::EMPTY_ROOT,
            output: Output::default(),
        }
    }

    /// What it is known by: BLAKE3 of `"agora/machine/state/1"` and its SCALE encoding.
    pub fn hash(&self) -> H256 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(STATE);
        self.using_encoded(|bytes| hasher.update(bytes));
        hasher.finalize().as_bytes().into()
    }
}
