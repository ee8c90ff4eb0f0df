//! A second implementation of training, from its page: whole lists of 64-bit numbers, and nothing is cut.

use super::made::Data;
use agora_jobs::{NetworkShape, TrainingJob};
use agora_math::field::Generator;

struct Net {
    window: (i64, i64),
    padding: i64,
    pool: i64,
    wide: i64,
    positions: i64,
    channels: i64,
    features: i64,
}

fn net(job: &TrainingJob) -> Net {
    let (width, height) = (i64::from(job.width), i64::from(job.height));
    let (window, padding, pool, channels) = match job.network {
        NetworkShape::Perceptron { hidden } => ((width, height), 0, 1, hidden),
        NetworkShape::Convolutional { channels, window, pool } => (
            (window.into(), window.into()),
            i64::from(window / 2),
            pool.into(),
            channels,
        ),
    };
    let wide = (width + 2 * padding - window.0 + 1) / pool;
    let positions = wide * ((height + 2 * padding - window.1 + 1) / pool);
    let channels = i64::from(channels);
    Net {
        window,
        padding,
        pool,
        wide,
        positions,
        channels,
        features: channels * positions,
    }
}

fn word(seed: &[u8; 32], label: &[u8], block: u64, i: u64) -> u32 {
    Generator::new(seed, label).words(block + i / 4)[(i % 4) as usize]
}

/// A state: the number of steps, `W`, `V`.
#[derive(Clone)]
pub struct State(pub u32, pub Vec<i64>, pub Vec<i64>);

impl State {
    pub fn bytes(&self) -> Vec<u8> {
        let numbers = self
            .1
            .iter()
            .chain(&self.2)
            .flat_map(|&x| i32::try_from(x).unwrap().to_le_bytes());
        self.0.to_le_bytes().into_iter().chain(numbers).collect()
    }
}

pub fn first(job: &TrainingJob) -> State {
    let net = net(job);
    let inputs = net.window.0 * net.window.1 + 1;
    let layers = [(inputs, net.channels), (net.features + 1, job.classes.into())];
    let mut weights = Vec::new();
    for (n, units) in layers {
        let bits = (0u32..).find(|&b| n < 1 << b).unwrap();
        for _ in 0..units {
            for at in 0..n {
                let u = word(&job.seed, b"training weights", 0, weights.len() as u64) as i32;
                weights.push(if at == n - 1 {
                    0
                } else {
                    i64::from(u) >> (7 + bits.div_ceil(2))
                });
            }
        }
    }
    let momenta = vec![0; weights.len()];
    State(0, weights, momenta)
}

/// The inputs of the window at row `top`, column `left` of the padded image, the constant one included.
fn window(net: &Net, data: &Data, image: usize, top: i64, left: i64) -> Vec<i64> {
    let (width, height, maximum) = (i64::from(data.width), i64::from(data.height), i64::from(data.maximum));
    let mut inputs = Vec::new();
    for y in top..top + net.window.1 {
        for x in left..left + net.window.0 {
            let (y, x) = (y - net.padding, x - net.padding);
            let inside = (0..height).contains(&y) && (0..width).contains(&x);
            let at =
                |x: i64, y: i64| i64::from(data.pixels[image * (width * height) as usize + (y * width + x) as usize]);
            inputs.push(if inside {
                (127 * at(x, y) + maximum / 2) / maximum
            } else {
                0
            });
        }
    }
    inputs.push(127);
    inputs
}

fn dot(a: &[i64], b: &[i64]) -> i64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(logits: &[i64], label: usize) -> (Vec<i64>, i64) {
    let below: Vec<i64> = logits.iter().map(|z| logits.iter().max().unwrap() - z).collect();
    let power = |d: i64| {
        let x = d % 2048;
        ((1 << 16) - 16 * x - ((1406 * x * (2048 - x)) >> 19)) >> (d / 2048).min(31)
    };
    let total: i64 = below.iter().map(|&d| power(d)).sum();
    let mut errors: Vec<i64> = below
        .iter()
        .map(|&d| (power(d) * (1 << 14) + total / 2) / total)
        .collect();
    errors[label] -= 1 << 14;
    let g = i64::from(total.ilog2());
    let x = (total >> (g - 11)) - 2048;
    let loss = below[label] + (g - 16) * 2048 + x + ((704 * x * (2048 - x)) >> 22);
    (errors, loss.min(1 << 20))
}

/// The features of an image, and the inputs that were chosen for each.
fn forward(net: &Net, data: &Data, first: &[i64], image: usize) -> (Vec<i64>, Vec<Vec<i64>>) {
    let (mut features, mut chosen) = (Vec::new(), Vec::new());
    for weights in first.chunks(first.len() / net.channels as usize) {
        for p in 0..net.positions {
            let mut best: Option<(i64, Vec<i64>)> = None;
            for at in 0..net.pool * net.pool {
                let top = p / net.wide * net.pool + at / net.pool;
                let left = p % net.wide * net.pool + at % net.pool;
                let inputs = window(net, data, image, top, left);
                let sum = dot(weights, &inputs);
                if best.as_ref().is_none_or(|best| sum > best.0) {
                    best = Some((sum, inputs));
                }
            }
            let (sum, inputs) = best.unwrap();
            features.push(((sum + 128) >> 8).clamp(0, 127));
            chosen.push(inputs);
        }
    }
    (features, chosen)
}

/// The optimizer; the first layer has `first` weights, and `r` is ⌈log₂ P⌉.
fn update(job: &TrainingJob, state: &State, first: usize, r: u32, gradients: Vec<i64>) -> State {
    let t = u64::from(state.0);
    let rate = u64::from(job.rate_shift) + t.checked_div(job.halve_after.into()).unwrap_or(0);
    let shifts = [(rate + 1).saturating_sub(r.into()).min(16), rate.min(16)];
    let mut next = State(state.0 + 1, Vec::new(), Vec::new());
    for (i, gradient) in gradients.into_iter().enumerate() {
        let shift = shifts[usize::from(i >= first)];
        let v = Generator::new(&job.seed, b"training rounding").words((t << 32) + i as u64 / 8)[i % 8 / 2];
        let random = i64::from(if i % 2 == 1 { v >> 16 } else { v & 0xffff });
        let change = ((gradient + random % (1 << shift)) >> shift).clamp(-(1 << 22), 1 << 22);
        let before = state.2[i];
        let lost = (before.abs() + (1 << job.momentum_shift) - 1) >> job.momentum_shift;
        let momentum = before + change - lost * before.signum();
        next.2.push(momentum);
        next.1.push((state.1[i] - momentum).clamp(-(127 << 16), 127 << 16));
    }
    next
}

/// The state after `state`, and the loss.
pub fn step(job: &TrainingJob, data: &Data, state: &State) -> (State, u32) {
    let net = net(job);
    let (t, count) = (u64::from(state.0), data.labels.len() as u64);
    let w8: Vec<i64> = state
        .1
        .iter()
        .map(|w| ((w + (1 << 15)) >> 16).clamp(-127, 127))
        .collect();
    let inputs = (net.window.0 * net.window.1 + 1) as usize;
    let (first, last) = w8.split_at(net.channels as usize * inputs);
    let width = net.features as usize + 1;
    let r = (net.positions as u64).next_power_of_two().ilog2();
    let half = (1i64 << r) >> 1;
    let mut gradients = vec![0i64; w8.len()];
    let mut loss = 0;
    for b in 0..u64::from(job.batch) {
        let q = t * u64::from(job.batch) + b;
        let mut order: Vec<u64> = (0..count).collect();
        order.sort_by_key(|&i| (word(&job.seed, b"training order", (q / count) << 32, i), i));
        let image = order[(q % count) as usize] as usize;
        let (mut features, chosen) = forward(&net, data, first, image);
        features.push(32);
        let logits: Vec<i64> = last.chunks(width).map(|weights| dot(weights, &features)).collect();
        let (errors, image_loss) = softmax(&logits, data.labels[image].into());
        loss += image_loss;
        for (k, delta) in errors.iter().enumerate() {
            for (f, a) in features.iter().enumerate() {
                gradients[first.len() + k * width + f] += delta * a;
            }
        }
        for (c, gradients) in gradients[..first.len()].chunks_mut(inputs).enumerate() {
            let mut sums = vec![0i64; inputs];
            for f in c * net.positions as usize..(c + 1) * net.positions as usize {
                if (1..127).contains(&features[f]) {
                    let sum: i64 = errors
                        .iter()
                        .enumerate()
                        .map(|(k, delta)| delta * last[k * width + f])
                        .sum();
                    let error = (sum + 64) >> 7;
                    sums.iter_mut().zip(&chosen[f]).for_each(|(sum, x)| *sum += error * x);
                }
            }
            gradients
                .iter_mut()
                .zip(sums)
                .for_each(|(gradient, sum)| *gradient += (sum + half) >> r);
        }
    }
    let next = update(job, state, first.len(), r, gradients);
    (next, u32::try_from(loss).unwrap())
}

/// All states of a job, the output last.
pub fn states(job: &TrainingJob, data: &Data, start: State) -> Vec<Vec<u8>> {
    let (mut states, mut output, mut losses) = (vec![start.bytes()], Vec::new(), Vec::new());
    let mut state = start;
    for done in 1..=job.segments * job.segment_steps {
        let (next, loss) = step(job, data, &state);
        state = next;
        losses.extend(loss.to_le_bytes());
        if done % job.state_interval == 0 {
            let since = losses.len() - 4 * job.state_interval as usize;
            states.push([state.bytes(), losses[since..].to_vec()].concat());
        }
        if done % job.segment_steps == 0 {
            output.extend(state.bytes());
            output.append(&mut losses);
        }
    }
    states.push(output);
    states
}
