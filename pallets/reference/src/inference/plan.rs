//! The units of one item of an embedding.
//!
//! The first keeps the item's tokens, and the last makes the embedding. Between them are *stages*, each of which computes
//! one row of numbers for each token: the embedded tokens, then five stages in each layer ([`Layered`]). The last stages
//! have one row for the whole item: the pooled rows, and what the dense layer makes of them, if there is one. A stage is
//! cut into blocks of [`BLOCK_TOKENS`] rows, and these into blocks of columns, so that no unit is too much work, reads too
//! many weights or keeps too many numbers. Rows are kept before they are normalised; whoever reads them does that.

use crate::{
    MAX_UNIT_WORK, Output, Unit,
    counts::{product, sum, touched},
};
use agora_jobs::{TransformerShape, inference::ACTIVATION_TABLE, inference::EXPONENT_TABLE};
use core::ops::Range;

/// Tokens of a block: rows of it at most.
pub const BLOCK_TOKENS: u64 = 64;
/// Weights that a unit multiplies with at most, unless one column has more.
const BLOCK_WEIGHTS: u64 = 1 << 21;
/// Columns of a block at most: a block of tokens then has a MiB, with four bytes for each number.
const BLOCK_COLUMNS: u64 = 1 << 12;
/// Chunks of queries, keys and values that a unit reads at most, unless one head has more.
const BLOCK_CHUNKS: u64 = 1 << 15;
/// Quantising or normalising one number is as much work as so many multiply–adds.
const NUMBER_WORK: u64 = 16;

/// A stage of a layer, in the order of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layered {
    /// Queries, keys and values: `a`.
    Input,
    /// What the heads attend to: `c`.
    Context,
    /// The rows with the attention's output added, not yet normalised.
    Attended,
    /// The feed-forward network's inner row, after the activation.
    Expanded,
    /// The rows with the feed-forward network's output added, not yet normalised.
    Contracted,
}

const LAYERED: [Layered; 5] = [
    Layered::Input,
    Layered::Context,
    Layered::Attended,
    Layered::Expanded,
    Layered::Contracted,
];

/// A stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Tokens and positions, embedded, not yet normalised.
    Embedded,
    /// One of a layer.
    Layer(u32, Layered),
    /// The rows of all tokens, pooled.
    Pooled,
    /// That row after the dense layer.
    Dense,
}

impl Stage {
    /// The rows that a layer begins with.
    pub fn before(layer: u32) -> Self {
        match layer.checked_sub(1) {
            None => Self::Embedded,
            Some(before) => Self::Layer(before, Layered::Contracted),
        }
    }
}

/// What a unit of an item does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Looks up the tokens.
    Tokens,
    /// Computes some columns of the rows of some tokens, or of the one row of the item.
    Rows {
        stage: Stage,
        tokens: Range<u64>,
        columns: Range<u64>,
    },
    /// Makes the embedding: the row of the last stage, scaled to the length 1.
    Scale,
}

/// The units of an item of at most `tokens` tokens.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub shape: &'a TransformerShape,
    pub tokens: u32,
}

impl Plan<'_> {
    /// Rows of `stage`.
    fn rows(&self, stage: Stage) -> u64 {
        match stage {
            Stage::Embedded | Stage::Layer(..) => self.tokens.into(),
            Stage::Pooled => 1,
            Stage::Dense => u64::from(self.shape.dense).min(1),
        }
    }

    /// Blocks of the rows of `stage`.
    fn row_blocks(&self, stage: Stage) -> u64 {
        self.rows(stage).div_ceil(BLOCK_TOKENS)
    }

    /// The stage whose row becomes the embedding.
    pub const fn last_stage(&self) -> Stage {
        if self.shape.dense == 0 {
            Stage::Pooled
        } else {
            Stage::Dense
        }
    }

    /// Numbers of a row of `stage`.
    pub fn width(&self, stage: Stage) -> u64 {
        let shape = self.shape;
        u64::from(match stage {
            Stage::Layer(_, Layered::Input) => shape.attention_width(),
            Stage::Layer(_, Layered::Context) => shape.query_width(),
            Stage::Layer(_, Layered::Expanded) => shape.intermediate,
            Stage::Embedded | Stage::Layer(_, Layered::Attended | Layered::Contracted) | Stage::Pooled => shape.hidden,
            Stage::Dense => shape.dense,
        })
    }

    /// Inputs of the linear layer of `stage`, if it has one.
    fn inputs(&self, stage: Stage) -> Option<u64> {
        let shape = self.shape;
        match stage {
            Stage::Embedded | Stage::Layer(_, Layered::Context) | Stage::Pooled => None,
            Stage::Layer(_, Layered::Input | Layered::Expanded) | Stage::Dense => Some(shape.hidden.into()),
            Stage::Layer(_, Layered::Attended) => Some(shape.query_width().into()),
            Stage::Layer(_, Layered::Contracted) => Some(shape.intermediate.into()),
        }
    }

    /// Columns of a block of `stage`, except the last.
    pub fn block_columns(&self, stage: Stage) -> u64 {
        let most = match (stage, self.inputs(stage)) {
            (Stage::Layer(_, Layered::Context), _) => {
                let size = u64::from(self.shape.head_size);
                product([self.block_heads(), size])
            }
            (_, Some(inputs)) => BLOCK_WEIGHTS.checked_div(inputs).unwrap_or(1).min(BLOCK_COLUMNS),
            (_, None) => BLOCK_COLUMNS,
        };
        most.clamp(1, self.width(stage).max(1))
    }

    /// Chunks that one head reads: of keys and values of all tokens, and of queries of a block. A query may lie in two
    /// blocks of columns, and each part of it in two chunks.
    fn head_chunks(&self) -> u64 {
        sum([product([self.tokens.into(), 8]), product([BLOCK_TOKENS, 4])])
    }

    /// Multiply–add operations of one head, for a block of tokens.
    fn head_work(&self) -> u64 {
        let size = u64::from(self.shape.head_size);
        let products = product([2, self.tokens.into(), size, BLOCK_TOKENS]);
        let quantised = product([sum([self.tokens.into(), BLOCK_TOKENS]), size, NUMBER_WORK]);
        let scores = product([self.tokens.into(), BLOCK_TOKENS, NUMBER_WORK]);
        sum([products, quantised, scores])
    }

    /// Heads of a block.
    fn block_heads(&self) -> u64 {
        let of = |all: u64, one: u64| all.checked_div(one).unwrap_or(1);
        of(MAX_UNIT_WORK, self.head_work())
            .min(of(BLOCK_CHUNKS, self.head_chunks()))
            .min(of(BLOCK_COLUMNS, self.shape.head_size.into()))
            .max(1)
    }

    /// Blocks of columns of `stage`.
    fn column_blocks(&self, stage: Stage) -> u64 {
        self.width(stage).div_ceil(self.block_columns(stage).max(1))
    }

    /// Units of a layer.
    fn layer_units(&self) -> u64 {
        LAYERED.into_iter().fold(0, |units, layered| {
            sum([units, self.stage_units(Stage::Layer(0, layered))])
        })
    }

    fn stage_units(&self, stage: Stage) -> u64 {
        product([self.row_blocks(stage), self.column_blocks(stage)])
    }

    /// Units of the item.
    pub fn units(&self) -> u64 {
        sum([self.first_unit(Stage::Dense), self.stage_units(Stage::Dense), 1])
    }

    /// The first unit of `stage`.
    fn first_unit(&self, stage: Stage) -> u64 {
        let embedded = self.stage_units(Stage::Embedded);
        match stage {
            Stage::Embedded => 1,
            Stage::Layer(layer, layered) => {
                let layers = product([self.layer_units(), layer.into()]);
                let before = LAYERED.into_iter().take_while(|&other| other != layered);
                let first = sum([1, embedded, layers]);
                before.fold(first, |units, other| {
                    sum([units, self.stage_units(Stage::Layer(layer, other))])
                })
            }
            Stage::Pooled => self.first_unit(Stage::Layer(self.shape.layers, Layered::Input)),
            Stage::Dense => sum([self.first_unit(Stage::Pooled), self.stage_units(Stage::Pooled)]),
        }
    }

    /// The units that keep the block of rows with number `block`, in the order of their columns.
    pub fn units_of(&self, stage: Stage, block: u64) -> Range<u64> {
        let columns = self.column_blocks(stage);
        let first = sum([self.first_unit(stage), product([block, columns])]);
        first..sum([first, columns])
    }

    /// What unit `unit` does. `None`: there is no such unit.
    pub fn task(&self, unit: u64) -> Option<Task> {
        if unit == 0 {
            return Some(Task::Tokens);
        }
        let last = self.units().saturating_sub(1);
        if unit >= last {
            return (unit == last).then_some(Task::Scale);
        }
        let after = unit.saturating_sub(self.first_unit(Stage::Layer(0, Layered::Input)));
        let stage = if unit < self.first_unit(Stage::Layer(0, Layered::Input)) {
            Stage::Embedded
        } else if unit >= self.first_unit(Stage::Dense) {
            Stage::Dense
        } else if unit >= self.first_unit(Stage::Pooled) {
            Stage::Pooled
        } else {
            let layer = u32::try_from(after.checked_div(self.layer_units())?).ok()?;
            let stages = LAYERED.into_iter().rev().map(|layered| Stage::Layer(layer, layered));
            let mut begun = stages.filter(|&stage| self.first_unit(stage) <= unit);
            begun.next()?
        };
        let place = unit.checked_sub(self.first_unit(stage))?;
        let columns = self.column_blocks(stage);
        Some(Task::Rows {
            stage,
            tokens: block(place.checked_div(columns)?, BLOCK_TOKENS, self.rows(stage)),
            columns: block(
                place.checked_rem(columns)?,
                self.block_columns(stage),
                self.width(stage),
            ),
        })
    }

    /// What follows from the job about a unit that does `task`, which is not to look up the tokens.
    pub fn unit(&self, task: &Task) -> Unit {
        match task {
            Task::Rows { stage, tokens, columns } => self.rows_unit(*stage, length(tokens), length(columns)),
            Task::Tokens | Task::Scale => Unit {
                output: Output::Part {
                    offset: 0,
                    size: self.shape.output_bytes().into(),
                },
                work: product([self.shape.embedding_width().into(), NUMBER_WORK]),
                chunks: self.row_chunks(self.last_stage()),
            },
        }
    }

    fn rows_unit(&self, stage: Stage, tokens: u64, columns: u64) -> Unit {
        let hidden = u64::from(self.shape.hidden);
        let (work, chunks) = match (stage, self.inputs(stage)) {
            (Stage::Layer(_, Layered::Context), _) => {
                let heads = columns.div_ceil(u64::from(self.shape.head_size).max(1));
                (
                    product([heads, self.head_work()]),
                    sum([
                        product([heads, self.head_chunks()]),
                        touched(u64::from(EXPONENT_TABLE) << 2),
                    ]),
                )
            }
            (Stage::Pooled, _) => {
                let rows = sum([self.row_chunks(Self::reads(stage).0), self.norm_chunks()]);
                (
                    product([self.tokens.into(), hidden, NUMBER_WORK]),
                    // The package's header says how rows are pooled.
                    sum([product([self.row_blocks(Stage::Embedded), rows]), 1]),
                )
            }
            (_, Some(inputs)) => {
                let numbers = product([tokens, sum([inputs, hidden, columns]), NUMBER_WORK]);
                let parameters = sum([touched(columns << 2), touched(columns), touched(columns << 2), 1]);
                // Rows to multiply, and rows to add to, each with the norm of a row.
                let (read, residual) = Self::reads(stage);
                let rows = sum([
                    self.row_chunks(read),
                    self.row_chunks(residual),
                    self.norm_chunks() << 1,
                ]);
                // Or that of powers, which is shorter, and the header, which says whether the dense layer needs it.
                let table = touched(u64::from(ACTIVATION_TABLE) << 2).saturating_add(1);
                (
                    sum([product([tokens, columns, inputs]), numbers]),
                    sum([touched(product([columns, inputs])), parameters, rows, table]),
                )
            }
            (_, None) => (
                product([tokens, columns, NUMBER_WORK]),
                // A row of weights, one of positions, a multiplier and a shift.
                product([tokens, sum([touched(columns), touched(columns << 1), 4])]),
            ),
        };
        Unit {
            output: Output::Kept {
                size: product([tokens, columns, 4]),
            },
            work,
            chunks: sum([chunks, TOKENS_CHUNKS]),
        }
    }

    /// The stages that `stage` reads: what it multiplies or pools, and what it adds, if it does that. In the
    /// first layer, the rows before are the embedded tokens, which are cut into no more blocks.
    const fn reads(stage: Stage) -> (Stage, Stage) {
        let (read, residual) = match stage {
            Stage::Dense => return (Stage::Pooled, Stage::Pooled),
            Stage::Embedded | Stage::Pooled | Stage::Layer(_, Layered::Input | Layered::Context) => {
                (Layered::Contracted, Layered::Contracted)
            }
            Stage::Layer(_, Layered::Attended) => (Layered::Context, Layered::Contracted),
            Stage::Layer(_, Layered::Expanded) => (Layered::Attended, Layered::Attended),
            Stage::Layer(_, Layered::Contracted) => (Layered::Expanded, Layered::Attended),
        };
        (Stage::Layer(0, read), Stage::Layer(0, residual))
    }

    /// Chunks of a block of the rows of `stage`. Each block of columns is a unit of its own.
    fn row_chunks(&self, stage: Stage) -> u64 {
        let rows = match stage {
            Stage::Embedded | Stage::Layer(..) => BLOCK_TOKENS,
            Stage::Pooled | Stage::Dense => 1,
        };
        let bytes = product([rows, self.width(stage), 4]);
        sum([touched(bytes), self.column_blocks(stage) << 1])
    }

    /// Chunks of the parameters of a norm, `epsilon` included.
    fn norm_chunks(&self) -> u64 {
        sum([touched(u64::from(self.shape.hidden) << 2) << 1, 3])
    }
}

/// Chunks of the tokens of an item.
const TOKENS_CHUNKS: u64 = 3;

/// The numbers of block `number` of blocks of `size`, of `all` numbers.
fn block(number: u64, size: u64, all: u64) -> Range<u64> {
    let start = product([number, size]).min(all);
    start..sum([start, size]).min(all)
}

/// How many numbers are in `range`.
pub const fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
