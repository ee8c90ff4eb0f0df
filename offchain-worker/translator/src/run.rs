//! Running a program: translated where it is, interpreted where it is not.

use crate::{
    Image, TranslatorError,
    image::Translated,
    layout::{self, END, FUEL, SEGMENT, STAMPS, STATE, TOUCHED, WASM_PAGE},
    module::RUN,
    profile::MAX_BLOCK,
};
use agora_jobs::BlobRef;
use agora_machine::{Arena, Chunks, IMAGE_BASE, MEMORY_BASE, RunError, Status, Stepper};
use std::sync::Arc;
use wasmtime::{Instance, Memory, MemoryType, Store, TypedFunc};

/// Instructions that are interpreted before it is looked whether there is a translation by now.
const STRETCH: u64 = 1 << 14;
/// Stretches of translated code after which it is looked whether they pay.
const WINDOW: u32 = 1 << 10;
/// Instructions of a stretch, on average, with which it pays to enter it.
const WORTHWHILE: u64 = 24;
/// Instructions that are interpreted if it does not.
const REST: u64 = 1 << 20;

/// Memory that translated code shares with the interpreter.
struct Space {
    store: Store<()>,
    memory: Memory,
}

impl Space {
    fn new(image: &Image) -> Result<Self, TranslatorError> {
        let mut store = Store::new(image.engine(), ());
        let pages = END / WASM_PAGE;
        let memory =
            Memory::new(&mut store, MemoryType::new(pages, Some(pages))).map_err(TranslatorError::Unsupported)?;
        Ok(Self { store, memory })
    }

    fn arena(&mut self) -> Arena<'_> {
        let (memory, rest) = self.memory.data_mut(&mut self.store).split_at_mut(Arena::MEMORY_BYTES);
        let (_, stamps) = rest.split_at_mut(STAMPS as usize - Arena::MEMORY_BYTES);
        Arena {
            memory,
            stamps: &mut stamps[..Arena::STAMP_BYTES],
        }
    }

    fn write(&mut self, at: u32, bytes: &[u8]) {
        self.memory.data_mut(&mut self.store)[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    fn read<const N: usize>(&self, at: u32) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.memory.data(&self.store)[at as usize..][..N]);
        bytes
    }
}

/// Translated code in the memory of a run.
struct Native {
    translated: Arc<Translated>,
    run: TypedFunc<i64, i64>,
}

/// A bounded run of an image.
pub struct Run<'a> {
    image: &'a Image,
    start: Start<'a>,
    stepper: Stepper<'a>,
    space: Space,
    native: Option<Native>,
    /// The version of the translation.
    version: u32,
    /// Whether the next instruction should have been translated, or is the first.
    is_wanted: bool,
    /// Instructions that are interpreted before translated code is tried again.
    rest: u64,
    calls: u32,
    executed: u64,
    /// Instructions that translated code has executed in all.
    translated: u64,
}

/// What a run is begun with.
#[derive(Clone, Copy)]
struct Start<'a> {
    input: BlobRef,
    gas: u64,
    reads: &'a [BlobRef],
    chunks: &'a dyn Chunks,
}

impl<'a> Start<'a> {
    fn stepper(&self, image: &'a Image) -> Result<Stepper<'a>, RunError> {
        Stepper::new(&image.code, self.input, self.gas, self.reads, self.chunks)
    }
}

impl<'a> Run<'a> {
    /// The run of `image` with `input` and `gas` before its first instruction; it may read `reads`, from `chunks`.
    ///
    /// Errors: `Run` (gas), `Unsupported`.
    pub fn new(
        image: &'a Image,
        input: BlobRef,
        gas: u64,
        reads: &'a [BlobRef],
        chunks: &'a dyn Chunks,
    ) -> Result<Self, TranslatorError> {
        let start = Start {
            input,
            gas,
            reads,
            chunks,
        };
        Ok(Self {
            image,
            start,
            stepper: start.stepper(image)?,
            space: Space::new(image)?,
            native: None,
            version: 0,
            is_wanted: true,
            rest: 0,
            calls: 0,
            executed: 0,
            translated: 0,
        })
    }

    /// Goes on until about `gas` more is used, and returns how the run is then.
    ///
    /// Errors: `Missing`; it can go on then.
    pub fn advance(&mut self, gas: u64) -> Result<Status, RunError> {
        let until = self.stepper.gas_used().saturating_add(gas);
        while self.stepper.status() == Status::Running && self.stepper.gas_used() < until {
            self.renew();
            if self.rest == 0
                && let Err(error) = self.run_translated()
            {
                // Translated code does not trap. If it does, it is wrong: nothing of the run is believed.
                tracing::error!(error = %format!("{error:#}"), "Translated code of a program is wrong. The program is interpreted from its beginning; please report this.");
                self.image.refuse();
                self.native = None;
                self.space.memory.data_mut(&mut self.space.store).fill(0);
                self.stepper = self.start.stepper(self.image)?;
                self.translated = 0;
            }
            self.interpret(until.saturating_sub(self.stepper.gas_used()))?;
        }
        Ok(self.stepper.status())
    }

    /// Takes the last translation.
    fn renew(&mut self) {
        let version = self.image.version();
        if self.version == version {
            return;
        }
        self.version = version;
        self.native = self.image.translated().and_then(|translated| self.load(translated));
    }

    fn load(&mut self, translated: Arc<Translated>) -> Option<Native> {
        let space = &mut self.space;
        space.write(layout::IMAGE, self.image.bytes());
        let entries: Vec<u8> = translated
            .entries
            .iter()
            .flat_map(|entry| entry.to_le_bytes())
            .collect();
        space.write(layout::ENTRIES, &entries);
        let imports = [space.memory.into()];
        let run = Instance::new(&mut space.store, &translated.module, &imports)
            .and_then(|instance| instance.get_typed_func(&mut space.store, RUN));
        match run {
            Ok(run) => Some(Native { translated, run }),
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "Translated code cannot be loaded: the program is interpreted.");
                self.image.refuse();
                None
            }
        }
    }

    /// Runs translated code as far as it goes.
    ///
    /// Errors: it has trapped. Then nothing of the run is to be believed.
    fn run_translated(&mut self) -> Result<(), wasmtime::Error> {
        let Some(native) = &self.native else {
            return Ok(());
        };
        loop {
            let (stepper, space) = (&mut self.stepper, &mut self.space);
            let (pc, room) = (stepper.pc(), stepper.room());
            if !native.translated.has_entry(pc) {
                self.is_wanted = true;
                return Ok(());
            }
            if room < MAX_BLOCK as u64 || !stepper.touch_next(&mut space.arena()) {
                return Ok(());
            }
            let mut state = [0; (TOUCHED - STATE) as usize + 4];
            let (words, _) = state.as_chunks_mut::<8>();
            for (word, value) in words.iter_mut().zip(stepper.registers()) {
                *word = value.to_le_bytes();
            }
            state[(FUEL - STATE) as usize..][..8].copy_from_slice(&room.to_le_bytes());
            state[(SEGMENT - STATE) as usize..][..4].copy_from_slice(&stepper.segment().to_le_bytes());
            state[(TOUCHED - STATE) as usize..].copy_from_slice(&stepper.touched().to_le_bytes());
            space.write(STATE, &state);
            let next = native.run.call(&mut space.store, pc as i64)? as u64;
            let state: [u8; (TOUCHED - STATE) as usize + 4] = space.read(STATE);
            let mut registers = [0; 32];
            let (words, _) = state.as_chunks::<8>();
            for (register, word) in registers.iter_mut().zip(words) {
                *register = u64::from_le_bytes(*word);
            }
            let left = u64::from_le_bytes(space.read(FUEL));
            let touched = u32::from_le_bytes(space.read(TOUCHED));
            let executed = room.saturating_sub(left);
            stepper.take_over(executed, next & !1, &registers, touched);
            self.translated += executed;
            self.executed += executed;
            self.calls += 1;
            if self.calls == WINDOW {
                if self.executed < WORTHWHILE * u64::from(WINDOW) {
                    self.rest = REST;
                }
                self.calls = 0;
                self.executed = 0;
            }
            if next & 1 != 0 || self.rest > 0 {
                return Ok(());
            }
        }
    }

    /// Interprets at least an instruction, and then up to where translated code begins.
    fn interpret(&mut self, most: u64) -> Result<(), RunError> {
        let (stepper, arena) = (&mut self.stepper, self.space.arena());
        let is_resting = self.rest > 0;
        let native = self.native.as_ref().filter(|_| !is_resting);
        let mut is_first = true;
        let mut stop = |pc: u64| {
            let stops = !is_first && native.is_some_and(|native| native.translated.has_entry(pc));
            is_first = false;
            stops
        };
        let count = STRETCH.min(most).max(1);
        let mut executed = 0;
        let ended = match self.image.learning() {
            Some(mut learning) => {
                let wanted = std::mem::take(&mut self.is_wanted);
                learning.profile.begin(self.image.bytes().len(), stepper.pc(), wanted);
                let ended = stepper.advance(arena, count, |pc| {
                    let stops = stop(pc);
                    if !stops {
                        learning.profile.count(pc);
                        executed += 1;
                    }
                    stops
                });
                learning.profile.total += executed;
                self.image.learn(&mut learning);
                ended
            }
            None => stepper.advance(arena, count, |pc| {
                let stops = stop(pc);
                executed += u64::from(!stops);
                stops
            }),
        };
        self.rest = self.rest.saturating_sub(executed);
        ended.map(drop)
    }

    /// How much gas was used: instructions and fees.
    pub const fn gas_used(&self) -> u64 {
        self.stepper.gas_used()
    }

    /// How many instructions translated code has executed.
    pub const fn translated(&self) -> u64 {
        self.translated
    }

    /// What was written so far.
    pub fn output(&self) -> &[u8] {
        self.stepper.output()
    }

    /// The address of the next instruction, or of that with which the run ended.
    pub const fn pc(&self) -> u64 {
        self.stepper.pc()
    }

    /// Register `number`, 0 to 31, of which the first is zero.
    pub fn register(&self, number: u8) -> u64 {
        self.stepper.registers()[usize::from(number & 31)]
    }

    /// `length` bytes from `address` on, of the image or of the memory. `None`: they are not all there.
    pub fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        let memory = &self.space.memory.data(&self.space.store)[..Arena::MEMORY_BYTES];
        let places = [(IMAGE_BASE, &**self.image.bytes()), (MEMORY_BASE, memory)];
        places.into_iter().find_map(|(base, bytes)| {
            let from = usize::try_from(address.checked_sub(base)?).ok()?;
            bytes.get(from..from.checked_add(length)?)
        })
    }
}
