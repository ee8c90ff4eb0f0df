//! The measurements, and what is compared.

use crate::{
    cost::Cost,
    nat,
    nets::{Nets, Process},
    peers::{self, Brought, Over, Peer, place_at},
};
use agora_bench_figures::{Better, Figure};
use agora_bench_iroh::Failure;
use agora_jobs::BlobRef;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// One way, in milliseconds: half of the round trip.
pub const DELAY_MS: f64 = 25.0;
/// The limited link, in megabits per second.
const MBIT: f64 = 100.0;

/// What is measured.
#[derive(Args)]
pub struct Plan {
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/iroh.jsonl")]
    output: PathBuf,
    /// Sizes of the blobs in MiB. The limited link and NAT take the first.
    #[arg(long, value_delimiter = ',', default_values_t = [16, 64])]
    sizes: Vec<u64>,
    /// Repetitions, in turn; the median counts.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Where. All but `loopback` need root, and the commands `ip` and `nft`.
    #[arg(long, value_delimiter = ',', default_values_t = [Network::Loopback, Network::Latency, Network::Limited, Network::Nat])]
    networks: Vec<Network>,
}

/// Between which machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Network {
    /// This one.
    Loopback,
    /// Two, with a round trip of 50 ms.
    Latency,
    /// The same, at 100 Mbit/s.
    Limited,
    /// Two, each behind a router that hides it.
    Nat,
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Latency => "latency",
            Self::Limited => "limited",
            Self::Nat => "nat",
        })
    }
}

/// A file that is passed on.
#[derive(Clone, Debug)]
pub struct Content {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub blob: BlobRef,
    /// What it is called in figures.
    pub name: String,
}

/// What a fetch has cost both sides.
#[derive(Clone, Copy, Debug)]
struct Sample {
    seconds: f64,
    processor: f64,
    peak: f64,
    peak_of_server: f64,
}

/// Where the sides of a measurement are.
pub struct Sides<'a> {
    /// The namespace that serves, and where it does, as JSON.
    pub server: (Option<&'a str>, String),
    /// The namespace that fetches, and from where, as JSON.
    pub client: (Option<&'a str>, String),
}

/// Measures all that is planned.
pub fn run(plan: &Plan) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let small = content(folder.path(), "1 KiB", 1 << 10)?;
    let mut large = Vec::new();
    for mib in &plan.sizes {
        large.push(content(folder.path(), &format!("{mib} MiB"), mib << 20)?);
    }
    let first = large.first().cloned().ok_or("no size is given")?;
    let mut figures = Vec::new();
    let mut http = None;
    for network in &plan.networks {
        eprintln!("{network} …");
        let mut nets = Nets::new();
        let found = match network {
            Network::Loopback => {
                let place = place_at([127, 0, 0, 1].into())?;
                let sides = Sides {
                    server: (None, place.clone()),
                    client: (None, place),
                };
                compare(folder.path(), "loopback", &sides, &small, &large, plan.repetitions)?
            }
            Network::Latency | Network::Limited => {
                let (one, other) = (nets.add("one")?, nets.add("other")?);
                let (mbit, name) = match network {
                    Network::Limited => (Some(MBIT), "50 ms, 100 Mbit/s"),
                    _ => (None, "50 ms"),
                };
                nets.wire([(&one, "198.18.0.1"), (&other, "198.18.0.2")], DELAY_MS, mbit)?;
                let sides = Sides {
                    server: (Some(&one), place_at([198, 18, 0, 1].into())?),
                    client: (Some(&other), place_at([198, 18, 0, 2].into())?),
                };
                let large = match network {
                    Network::Limited => std::slice::from_ref(&first),
                    _ => &large,
                };
                compare(folder.path(), name, &sides, &small, large, plan.repetitions)?
            }
            Network::Nat => nat::measure(folder.path(), &small, &first, plan.repetitions, http)?,
        };
        if *network == Network::Latency {
            http = found
                .iter()
                .find(|figure| figure.unit == "MiB/s")
                .map(|figure| figure.baseline);
        }
        figures.extend(found);
    }
    Figure::print(&figures);
    Ok(Figure::write(&figures, &plan.output)?)
}

fn content(folder: &Path, name: &str, size: u64) -> Result<Content, Failure> {
    let path = folder.join(name.replace(' ', "-"));
    let blob = peers::write(&path, size)?;
    let name = name.to_owned();
    Ok(Content { path, blob, name })
}

/// Our HTTP, `iroh-blobs`, and our HTTP over iroh, in turn.
fn compare(
    folder: &Path,
    network: &str,
    sides: &Sides<'_>,
    small: &Content,
    large: &[Content],
    repetitions: usize,
) -> Result<Vec<Figure>, Failure> {
    let ways = [Over::Http, Over::Iroh, Over::Tunnel];
    let mut figures = Vec::new();
    for content in std::iter::once(small).chain(large) {
        let mut servers = Vec::new();
        for over in ways {
            let mut server = serve(folder, over, sides, &[content])?;
            let peer: Peer = server.hear()?;
            // Where a tree is computed when it is first asked for, that is not measured.
            fetch(folder, over, sides, &peer, content, None)?;
            servers.push((over, server, peer));
        }
        let mut samples = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..repetitions.max(1) {
            for ((over, server, peer), samples) in servers.iter_mut().zip(&mut samples) {
                let before: Cost = server.ask()?;
                let brought = fetch(folder, *over, sides, peer, content, None)?;
                let after: Cost = server.ask()?;
                samples.push(Sample {
                    seconds: brought.seconds,
                    processor: brought.cost.processor + after.processor - before.processor,
                    peak: brought.cost.peak as f64,
                    peak_of_server: after.peak as f64,
                });
            }
        }
        eprintln!("{network}, {}: {samples:.3?}", content.name);
        let [http, iroh, tunnel]: [Vec<Sample>; 3] = samples;
        for (name, samples) in [("iroh-blobs", &iroh), ("HTTP over iroh", &tunnel)] {
            figures.extend(figures_of(
                &format!("{network}, {}, {name} against HTTP", content.name),
                content,
                samples,
                &http,
            ));
        }
    }
    Ok(figures)
}

fn figures_of(name: &str, content: &Content, samples: &[Sample], baseline: &[Sample]) -> Vec<Figure> {
    let both = |of: fn(&Sample) -> f64| (median_of(samples, of), median_of(baseline, of));
    let mib = content.blob.size as f64 / f64::from(1 << 20);
    let (seconds, http) = both(|sample| sample.seconds);
    if content.blob.size <= 1 << 10 {
        // As much as a request answers at least: what comes before the first byte is nearly all of it.
        let name = format!("until the first group is there: {name}");
        return vec![Figure::new(name, "ms", seconds * 1e3, http * 1e3, Better::Lower)];
    }
    let per_gib = 1024.0 / mib;
    let processor = both(|sample| sample.processor);
    let (peak, peak_of_server) = (both(|sample| sample.peak), both(|sample| sample.peak_of_server));
    let bytes = f64::from(1 << 20);
    let lower = |what: &str, unit, (value, baseline): (f64, f64), scale: f64| {
        Figure::new(
            format!("{what}: {name}"),
            unit,
            value * scale,
            baseline * scale,
            Better::Lower,
        )
    };
    vec![
        Figure::new(
            format!("fetched: {name}"),
            "MiB/s",
            mib / seconds,
            mib / http,
            Better::Higher,
        )
        .goal(0.8),
        lower("processor time of both sides, for a GiB", "s", processor, per_gib),
        lower("memory of who fetches, at the peak", "MiB", peak, 1.0 / bytes),
        lower("memory of who serves, at the peak", "MiB", peak_of_server, 1.0 / bytes),
    ]
}

/// Starts somebody who serves files.
pub fn serve(folder: &Path, over: Over, sides: &Sides<'_>, contents: &[&Content]) -> Result<Process, Failure> {
    let own = tempfile::tempdir_in(folder)?.keep();
    let (own, over) = (own.display().to_string(), name(over));
    let (net, place) = &sides.server;
    let mut arguments = vec!["serve", "--over", &over, "--place", place, "--folder", &own];
    let files: Vec<_> = contents
        .iter()
        .map(|content| content.path.display().to_string())
        .collect();
    for file in &files {
        arguments.extend(["--file", file]);
    }
    Process::start(*net, &arguments)
}

/// Has somebody fetch a blob into an empty folder.
pub fn fetch(
    folder: &Path,
    over: Over,
    sides: &Sides<'_>,
    peer: &Peer,
    content: &Content,
    punch: Option<u64>,
) -> Result<Brought, Failure> {
    let own = tempfile::tempdir_in(folder)?;
    let (own, peer, over) = (
        own.path().display().to_string(),
        serde_json::to_string(peer)?,
        name(over),
    );
    let (hash, size) = (hex::encode(content.blob.hash.0), content.blob.size.to_string());
    let (net, place) = &sides.client;
    let mut arguments = vec![
        "fetch", "--over", &over, "--place", place, "--folder", &own, "--peer", &peer,
    ];
    arguments.extend(["--hash", &hash, "--size", &size]);
    let punch = punch.map(|seconds| seconds.to_string());
    if let Some(punch) = &punch {
        arguments.extend(["--punch", punch]);
    }
    Process::start(*net, &arguments)?.hear()
}

fn name(over: Over) -> String {
    over.to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn median_of<T>(samples: &[T], of: impl Fn(&T) -> f64) -> f64 {
    median(samples.iter().map(of).collect())
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
