//! The embedding of an item, unit by unit, as the page says it.

use super::{
    bytes::{read_numbers, write_numbers},
    items::Items,
    operators::{
        LEVELS, Norm, Quantisation, Unit as Normal, activation, clamp, divide, dot, rescale, softmax, tangent,
    },
    package::Package,
    plan::{BLOCK_TOKENS, Layered, Plan, Stage, Task, length},
};
use crate::{Blobs, Fault, Reader, Source, Step, counts::product};
use agora_jobs::inference::{ACTIVATION_TABLE, EXPONENT_ONE, EXPONENT_TABLE, Element, MAX_VALUE};
use alloc::{vec, vec::Vec};
use core::ops::Range;

/// One item, and what its units read.
pub struct Item<'a> {
    pub plan: Plan<'a>,
    pub package: Package<'a>,
    pub items: Items,
    pub blobs: &'a dyn Blobs,
    /// The state that is the item's output.
    pub step: Step,
    /// Its number.
    pub number: u64,
}

/// The numbers of the poolings; any other is the mean.
const FIRST: u8 = 1;
const MAXIMUM: u8 = 2;
const LAST: u8 = 3;
const WEIGHTED: u8 = 4;
/// The number of the hyperbolic tangent among the activations of the dense layer; any other is none.
const TANGENT: u8 = 1;
/// The largest amount of a number of the pooled row, which is in eighths of values.
const MAX_POOLED: i32 = MAX_VALUE << 3;

/// A name of a tensor's owner, in a layer or before them.
type Owner = (Option<u32>, &'static str);

impl Item<'_> {
    /// The output of the unit that does `task`.
    pub fn compute(&self, task: &Task) -> Result<Vec<u8>, Fault> {
        match task {
            Task::Tokens => self.items.tokens(self.blobs, self.number),
            Task::Scale => self.scale(),
            Task::Rows { stage, tokens, columns } => {
                // At least one token.
                let item = self.items.kept(self.blobs, self.step)?;
                // The rows of tokens that the item does not have are zeros.
                let present = tokens.start..tokens.end.min(item.len() as u64).max(tokens.start);
                let mut rows = match *stage {
                    Stage::Embedded => self.embed(&item, &present, columns)?,
                    Stage::Layer(layer, Layered::Context) => {
                        self.context(layer, item.len() as u64, &present, columns)?
                    }
                    Stage::Layer(layer, layered) => self.linear(layer, layered, &present, columns)?,
                    Stage::Pooled => self.pool(item.len() as u64)?,
                    Stage::Dense => self.dense(columns)?,
                };
                rows.resize(product([length(tokens), length(columns)]) as usize, 0);
                Ok(write_numbers(&rows))
            }
        }
    }

    fn elements(&self, (layer, owner): Owner, role: &str, range: Range<u64>) -> Result<Vec<i32>, Fault> {
        self.package.elements(self.blobs, (layer, owner, role), range)
    }

    /// The only element of a tensor that has one.
    fn scalar(&self, owner: Owner, role: &str) -> Result<u32, Fault> {
        let elements = self.elements(owner, role, 0..1)?;
        // None is negative.
        Ok(elements.first().map_or(0, |only| only.unsigned_abs()))
    }

    fn norm(&self, owner: Owner) -> Result<Norm, Fault> {
        let width = 0..u64::from(self.package.shape.hidden);
        Ok(Norm {
            weight: self.elements(owner, "weight", width.clone())?,
            shift: self.scalar(owner, "shift")?,
            bias: self.elements(owner, "bias", width)?,
            epsilon: self.package.epsilon(self.blobs)?,
        })
    }

    /// The whole rows of `stage` with the numbers `range`, which lie in one block. They are normalised if the page does
    /// that after the stage.
    fn rows(&self, stage: Stage, range: &Range<u64>) -> Result<Vec<Vec<i32>>, Fault> {
        let width = self.plan.width(stage) as usize;
        let mut rows = vec![Vec::with_capacity(width); length(range) as usize];
        let mut left = self.plan.width(stage);
        let most = if stage == Stage::Pooled { MAX_POOLED } else { MAX_VALUE };
        for unit in self.plan.units_of(stage, range.start / BLOCK_TOKENS) {
            let columns = left.min(self.plan.block_columns(stage));
            left = left.saturating_sub(columns);
            let mut reader = Reader::new(self.blobs, Source::Kept(self.step, unit));
            for (place, row) in (0u64..).zip(&mut rows) {
                let offset = product([place, columns, 4]);
                row.extend(within(most, read_numbers(&mut reader, Element::I32, offset, columns)?));
            }
        }
        let norm = match stage {
            Stage::Embedded => (None, "embedding.norm"),
            Stage::Layer(layer, Layered::Attended) => (Some(layer), "attention.norm"),
            Stage::Layer(layer, Layered::Contracted) => (Some(layer), "perceptron.norm"),
            Stage::Layer(..) | Stage::Pooled | Stage::Dense => return Ok(rows),
        };
        let norm = self.norm(norm)?;
        for row in &mut rows {
            norm.apply(row);
        }
        Ok(rows)
    }

    /// Step 1, before the norm.
    fn embed(&self, item: &[u16], tokens: &Range<u64>, columns: &Range<u64>) -> Result<Vec<i32>, Fault> {
        let owner = (None, "embedding");
        let width = u64::from(self.package.shape.hidden);
        let mut rows = Vec::new();
        for place in tokens.clone() {
            let token = item.get(place as usize).copied().map_or(0, u64::from);
            let one = token..token.saturating_add(1);
            let row = |row: u64| {
                let start = product([row, width]);
                start.saturating_add(columns.start)..start.saturating_add(columns.end)
            };
            let multiplier = self.elements(owner, "multiplier", one.clone())?;
            let shift = self.elements(owner, "shift", one)?;
            let (multiplier, shift) = (first(&multiplier), first(&shift).unsigned_abs() as u32);
            let weights = self.elements(owner, "weight", row(token))?;
            let positions = self.elements(owner, "position", row(place))?;
            rows.extend(weights.iter().zip(positions).map(|(&weight, position)| {
                let scaled = clamp(rescale(weight.into(), multiplier, shift));
                clamp(i64::from(scaled).saturating_add(position.into()))
            }));
        }
        Ok(rows)
    }

    /// Some columns of a linear layer's outputs, with what the page does with each of them.
    fn linear(
        &self,
        layer: u32,
        layered: Layered,
        tokens: &Range<u64>,
        columns: &Range<u64>,
    ) -> Result<Vec<i32>, Fault> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let own = |layered| Stage::Layer(layer, layered);
        let (owner, inputs, residual) = match layered {
            Layered::Input | Layered::Context => ("attention.input", Stage::before(layer), None),
            Layered::Attended => ("attention.output", own(Layered::Context), Some(Stage::before(layer))),
            Layered::Expanded => ("perceptron.expand", own(Layered::Attended), None),
            Layered::Contracted => {
                let residual = Some(own(Layered::Attended));
                ("perceptron.contract", own(Layered::Expanded), residual)
            }
        };
        let mut outputs = self.product((Some(layer), owner), self.rows(inputs, tokens)?, columns)?;
        if let Some(residual) = residual {
            let rows = self.rows(residual, tokens)?;
            let range = columns.start as usize..columns.end as usize;
            let added = rows.iter().flat_map(|row| row.get(range.clone()).unwrap_or_default());
            for (output, &more) in outputs.iter_mut().zip(added) {
                *output = clamp(i64::from(*output).saturating_add(more.into()));
            }
        }
        if layered == Layered::Expanded {
            let k = self.scalar((None, "table.activation"), "shift")?;
            let table = self.elements((None, "table"), "activation", 0..ACTIVATION_TABLE.into())?;
            for output in &mut outputs {
                *output = activation(*output, &table, k);
            }
        }
        Ok(outputs)
    }

    /// `linear`, for some of the outputs: row by row.
    fn product(&self, owner: Owner, rows: Vec<Vec<i32>>, columns: &Range<u64>) -> Result<Vec<i32>, Fault> {
        let quantisation = match self.scalar(owner, "limbs")? {
            2 => Quantisation::TWO_LIMBS,
            _ => Quantisation::ONE_LIMB,
        };
        let width = rows.first().map_or(0, Vec::len);
        let rows: Vec<_> = rows.iter().map(|row| quantisation.apply(row)).collect();
        let weight = |output: u64| product([output, width as u64]);
        let weights = self.elements(owner, "weight", weight(columns.start)..weight(columns.end))?;
        let multiplier = self.elements(owner, "multiplier", columns.clone())?;
        let shift = self.elements(owner, "shift", columns.clone())?;
        let bias = self.elements(owner, "bias", columns.clone())?;
        let mut outputs = Vec::new();
        for (levels, m) in &rows {
            let parameters = multiplier.iter().zip(&shift).zip(&bias);
            for (weights, ((&multiplier, &shift), &bias)) in weights.chunks_exact(width.max(1)).zip(parameters) {
                let sum = dot(levels, weights.iter().copied());
                let scaled = rescale(rescale(sum, multiplier.into(), shift.unsigned_abs()), *m, 16);
                outputs.push(clamp(i64::from(clamp(scaled)).saturating_add(bias.into())));
            }
        }
        Ok(outputs)
    }

    /// Columns of `c`, which are those of whole heads.
    fn context(&self, layer: u32, n: u64, tokens: &Range<u64>, columns: &Range<u64>) -> Result<Vec<i32>, Fault> {
        let shape = self.package.shape;
        let size = u64::from(shape.head_size);
        let heads = columns.start.checked_div(size).unwrap_or(0)..columns.end.checked_div(size).unwrap_or(0);
        let group = shape.heads.checked_div(shape.key_value_heads).unwrap_or(1);
        let table = self.elements((None, "table"), "exponent", 0..EXPONENT_TABLE.into())?;
        let [query, key] = [shape.query_width(), shape.key_width()].map(u64::from);
        let mut parts = Vec::new();
        for head in heads {
            if tokens.is_empty() {
                continue;
            }
            let place = product([head.checked_div(group.into()).unwrap_or(0), size]);
            let cut = |start: u64| start..start.saturating_add(size);
            let queries = self.heads(layer, tokens, cut(product([head, size])))?;
            let keys = self.heads(layer, &(0..n), cut(query.saturating_add(place)))?;
            let start = query.saturating_add(key).saturating_add(place);
            let values = self.heads(layer, &(0..n), cut(start))?;
            parts.push(attend(&queries, &keys, &values, &table));
        }
        let row = |token: usize| parts.iter().filter_map(move |rows| rows.get(token)).flatten().copied();
        Ok((0..length(tokens) as usize).flat_map(row).collect())
    }

    /// Columns `cut` of the queries, keys and values of `tokens`.
    fn heads(&self, layer: u32, tokens: &Range<u64>, cut: Range<u64>) -> Result<Vec<Vec<i32>>, Fault> {
        let stage = Stage::Layer(layer, Layered::Input);
        let (width, most) = (self.plan.width(stage), self.plan.block_columns(stage));
        let mut rows = vec![Vec::new(); length(tokens) as usize];
        let mut start = 0u64;
        let mut place = 0u64;
        while start < width {
            let end = start.saturating_add(most).min(width);
            let (from, to) = (cut.start.max(start), cut.end.min(end));
            if from < to {
                let mut reader = None;
                for (token, row) in tokens.clone().zip(&mut rows) {
                    let units = self.plan.units_of(stage, token / BLOCK_TOKENS);
                    let unit = units.start.saturating_add(place);
                    let (held, reader) = reader.get_or_insert_with(|| (unit, self.kept(unit)));
                    if *held != unit {
                        (*held, *reader) = (unit, self.kept(unit));
                    }
                    let line = product([token % BLOCK_TOKENS, end.saturating_sub(start)]);
                    let offset = line.saturating_add(from.saturating_sub(start)).saturating_mul(4);
                    let numbers = read_numbers(reader, Element::I32, offset, to.saturating_sub(from))?;
                    row.extend(within(MAX_VALUE, numbers));
                }
            }
            start = end;
            place = place.saturating_add(1);
        }
        Ok(rows)
    }

    fn kept(&self, unit: u64) -> Reader<'_> {
        Reader::new(self.blobs, Source::Kept(self.step, unit))
    }

    /// Step 3, of an item of `n` tokens.
    fn pool(&self, n: u64) -> Result<Vec<i32>, Fault> {
        let last = Stage::before(self.package.shape.layers);
        let pooling = self.package.pooling(self.blobs)?;
        // At most 2¹⁹ · 512 · 513 / 2 in amount.
        let mut sums = vec![0i64; self.package.shape.hidden as usize];
        let mut start = 0u64;
        while start < n {
            let end = start.saturating_add(BLOCK_TOKENS).min(n);
            for (j, row) in (start..end).zip(self.rows(last, &(start..end))?) {
                for (sum, value) in sums.iter_mut().zip(row.into_iter().map(i64::from)) {
                    *sum = match pooling {
                        _ if j == 0 => value,
                        FIRST => *sum,
                        MAXIMUM => value.max(*sum),
                        LAST => value,
                        WEIGHTED => sum.saturating_add(value.saturating_mul(j.saturating_add(1).cast_signed())),
                        _ => sum.saturating_add(value),
                    };
                }
            }
            start = end;
        }
        let count = match pooling {
            FIRST | MAXIMUM | LAST => 1,
            WEIGHTED => product([n, n.saturating_add(1)]) >> 1,
            _ => n,
        };
        let y = |sum: i64| divide(sum.saturating_mul(8), count.cast_signed());
        // Within MAX_POOLED, as a mean is within what it is of.
        Ok(sums.into_iter().map(|sum| y(sum) as i32).collect())
    }

    /// Columns of step 4.
    fn dense(&self, columns: &Range<u64>) -> Result<Vec<i32>, Fault> {
        let mut outputs = self.product((None, "dense"), self.rows(Stage::Pooled, &(0..1))?, columns)?;
        if self.package.dense_activation(self.blobs)? == TANGENT {
            let table = self.elements((None, "table"), "exponent", 0..EXPONENT_TABLE.into())?;
            for output in &mut outputs {
                *output = tangent(*output, &table);
            }
        }
        Ok(outputs)
    }

    /// Step 5.
    fn scale(&self) -> Result<Vec<u8>, Fault> {
        let y: Vec<i32> = self.rows(self.plan.last_stage(), &(0..1))?.concat();
        let squares = y.iter().fold(0u64, |squares, &y| {
            let amount = u64::from(y.unsigned_abs());
            squares.saturating_add(amount.saturating_mul(amount))
        });
        let normal = Normal::new(squares);
        let unit = |&y: &i32| divide(normal.apply(y.into()), 512).clamp(-LEVELS, LEVELS) as i16;
        Ok(y.iter().flat_map(|y| unit(y).to_le_bytes()).collect())
    }
}

/// Steps 2 to 5 of the attention, for one head.
fn attend(queries: &[Vec<i32>], keys: &[Vec<i32>], values: &[Vec<i32>], table: &[i32]) -> Vec<Vec<i32>> {
    let keys: Vec<_> = keys.iter().map(|key| Quantisation::ATTENTION.apply(key)).collect();
    let query = |query: &Vec<i32>| {
        let (q, mq) = Quantisation::ATTENTION.apply(query);
        let score = |(k, mk): &(Vec<i32>, i64)| rescale(rescale(dot(&q, k.iter().copied()), mq, 15), *mk, 21);
        let mut p: Vec<i64> = keys.iter().map(score).collect();
        softmax(&mut p, table);
        let mut sums = vec![0i64; q.len()];
        for (&p, value) in p.iter().zip(values) {
            for (sum, &v) in sums.iter_mut().zip(value) {
                let v = i64::from(v).clamp(-LEVELS, LEVELS);
                *sum = sum.saturating_add(p.saturating_mul(v));
            }
        }
        sums.iter()
            .map(|&sum| clamp(divide(sum, EXPONENT_ONE.into())))
            .collect()
    };
    queries.iter().map(query).collect()
}

/// Numbers that were kept, each of them at most `most` in amount. Whoever keeps others does not make a sum overflow.
fn within(most: i32, numbers: Vec<i32>) -> impl Iterator<Item = i32> {
    numbers
        .into_iter()
        .map(move |number| number.clamp(most.saturating_neg(), most))
}

fn first(numbers: &[i32]) -> i64 {
    numbers.first().copied().map_or(0, i64::from)
}
