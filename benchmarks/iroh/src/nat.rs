//! Two peers, each behind a router that hides it, and a relay of ours between them. The round trip between the peers is 50 ms,
//! that between each and the relay 25 ms.

use crate::{
    cost::Cost,
    measure::{Content, DELAY_MS, Sides, fetch, median, serve},
    nets::{Nat, Nets, Process},
    peers::{Over, Peer, place_at},
};
use agora_bench_figures::{Better, Figure};
use agora_bench_iroh::{Failure, Place, relay::Relay};
use std::path::Path;
use url::Url;

/// Seconds that a direct way is waited for.
const PATIENCE: u64 = 10;
/// One round trip between the peers.
const ROUND_TRIP_MS: f64 = 2.0 * DELAY_MS;

/// What speed is compared with.
const UNHIDDEN: &str = "against HTTP where nobody is hidden";

/// Both homes, and the relay between them.
struct World {
    server: String,
    client: String,
    relay: Relay,
    relay_process: Process,
    // Last, so that the processes end first.
    _nets: Nets,
}

impl World {
    fn new(of_server: Nat, of_client: Nat) -> Result<Self, Failure> {
        let mut nets = Nets::new();
        let (net, one, other) = (nets.add("net")?, nets.add("one")?, nets.add("other")?);
        crate::nets::inside(&net, "ip addr add 198.18.0.1/32 dev lo")?;
        let [_, wan] = nets.wire([(&net, "198.18.1.1"), (&one, "198.18.1.2")], DELAY_MS / 2.0, None)?;
        let server = nets.home(&one, "home-of-one", "10.0.1", &wan, of_server)?;
        let [_, wan] = nets.wire([(&net, "198.18.2.1"), (&other, "198.18.2.2")], DELAY_MS / 2.0, None)?;
        let client = nets.home(&other, "home-of-other", "10.0.2", &wan, of_client)?;
        let mut relay_process = Process::start(Some(&net), &["relay", "198.18.0.1"])?;
        let relay = relay_process.hear()?;
        Ok(Self {
            server,
            client,
            relay,
            relay_process,
            _nets: nets,
        })
    }
}

/// Who serves and who fetches, each at home. Who fetches is where `place` says.
fn sides<'a>(server: &'a str, client: &'a str, relay: &Relay, place: fn(Relay) -> Place) -> Result<Sides<'a>, Failure> {
    Ok(Sides {
        server: (Some(server), serde_json::to_string(&Place::Relayed(relay.clone()))?),
        client: (Some(client), serde_json::to_string(&place(relay.clone()))?),
    })
}

/// Measures what there is of it. `http`: MiB/s of our HTTP over the same round trip, where nobody is hidden.
pub fn measure(
    folder: &Path,
    small: &Content,
    large: &Content,
    repetitions: usize,
    http: Option<f64>,
) -> Result<Vec<Figure>, Failure> {
    let http = http.unwrap_or(f64::NAN);
    let mut figures = Vec::new();
    for (name, of_server, of_client) in [
        ("two home routers", Nat::Kept, Nat::Kept),
        ("a home router and one with random ports", Nat::Kept, Nat::Random),
        ("two routers with random ports", Nat::Random, Nat::Random),
    ] {
        let world = World::new(of_server, of_client)?;
        // What is spoken over a connection does not change which way it finds.
        let ways: &[Over] = match of_client {
            Nat::Kept => &[Over::Iroh, Over::Tunnel],
            Nat::Random => &[Over::Tunnel],
        };
        for over in ways {
            figures.extend(punching(folder, name, &world, *over, large, repetitions, http)?);
        }
        if of_client == Nat::Kept {
            figures.extend(without_waiting(folder, world, small, large, repetitions, http)?);
        }
    }
    Ok(figures)
}

/// What figures call a way.
const fn called(over: Over) -> &'static str {
    match over {
        Over::Http => "HTTP",
        Over::Iroh => "iroh-blobs",
        Over::Tunnel => "HTTP over iroh",
    }
}

/// MiB/s.
fn speed(content: &Content, seconds: f64) -> f64 {
    content.blob.size as f64 / f64::from(1 << 20) / seconds
}

/// Whether, and how soon, a direct way is found.
fn punching(
    folder: &Path,
    name: &str,
    world: &World,
    over: Over,
    large: &Content,
    repetitions: usize,
    http: f64,
) -> Result<Vec<Figure>, Failure> {
    let sides = sides(&world.server, &world.client, &world.relay, Place::Relayed)?;
    let name = format!("{name}, {}", called(over));
    let mut server = serve(folder, over, &sides, &[large])?;
    let peer: Peer = server.hear()?;
    let (mut connected, mut direct, mut fetched) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repetitions.max(1) {
        let brought = fetch(folder, over, &sides, &peer, large, Some(PATIENCE))?;
        eprintln!("{name}: {brought:?}");
        connected.extend(brought.connected.map(|seconds| seconds * 1e3));
        direct.extend(brought.direct.map(|seconds| seconds * 1e3));
        fetched.push(speed(large, brought.seconds));
    }
    let tries = repetitions.max(1) as f64;
    let way = if direct.is_empty() { "by the relay" } else { "directly" };
    let mut figures = vec![
        Figure::new(
            format!("tries that found a direct way: {name}"),
            "",
            direct.len() as f64,
            tries,
            Better::Higher,
        ),
        Figure::new(
            format!("until connected by the relay: {name}, against a round trip"),
            "ms",
            median(connected),
            ROUND_TRIP_MS,
            Better::Lower,
        ),
    ];
    if !direct.is_empty() {
        figures.push(Figure::new(
            format!("until the direct way is taken: {name}, against a round trip"),
            "ms",
            median(direct),
            ROUND_TRIP_MS,
            Better::Lower,
        ));
    }
    figures.push(Figure::new(
        format!("fetched {way}, {}: {name}, {UNHIDDEN}", large.name),
        "MiB/s",
        median(fetched),
        http,
        Better::Higher,
    ));
    Ok(figures)
}

/// The relay alone, what a fetch takes that waits for nothing, and HTTP, which does not come through.
fn without_waiting(
    folder: &Path,
    mut world: World,
    small: &Content,
    large: &Content,
    repetitions: usize,
    http: f64,
) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    let gib = repetitions.max(1) as f64 * large.blob.size as f64 / f64::from(1 << 30);
    for over in [Over::Iroh, Over::Tunnel] {
        let own = |place| sides(&world.server, &world.client, &world.relay, place);
        let (sides, relay_only) = (own(Place::Relayed)?, own(Place::RelayOnly)?);
        let name = format!("{}, two home routers", called(over));
        let mut server = serve(folder, over, &sides, &[small, large])?;
        let peer: Peer = server.hear()?;
        let (mut relayed, mut at_once, mut first) = (Vec::new(), Vec::new(), Vec::new());
        let before: Cost = world.relay_process.ask()?;
        for _ in 0..repetitions.max(1) {
            let brought = fetch(folder, over, &relay_only, &peer, large, None)?;
            if brought.is_direct != Some(false) {
                return Err("it was to go over the relay".into());
            }
            relayed.push(speed(large, brought.seconds));
        }
        let after: Cost = world.relay_process.ask()?;
        for _ in 0..repetitions.max(1) {
            at_once.push(speed(large, fetch(folder, over, &sides, &peer, large, None)?.seconds));
            first.push(fetch(folder, over, &sides, &peer, small, None)?.seconds * 1e3);
        }
        eprintln!("{name}: by the relay {relayed:.1?}, at once {at_once:.1?} MiB/s, first {first:.0?} ms");
        let fetched = |how: &str, all| {
            let name = format!("fetched {how}, {}: {name}, {UNHIDDEN}", large.name);
            Figure::new(name, "MiB/s", median(all), http, Better::Higher)
        };
        figures.push(fetched("over the relay alone", relayed));
        figures.push(fetched("without waiting for a direct way", at_once));
        figures.push(Figure::new(
            format!("processor time of the relay, for a GiB: {name}, against a second"),
            "s",
            (after.processor - before.processor) / gib,
            1.0,
            Better::Lower,
        ));
        figures.push(Figure::new(
            format!("until the first group is there: {name}, against a round trip"),
            "ms",
            median(first),
            ROUND_TRIP_MS,
            Better::Lower,
        ));
    }
    figures.push(hidden(folder, &world, large)?);
    Ok(figures)
}

/// Whether HTTP comes through: asked at the server's own address, and at that of its router.
fn hidden(folder: &Path, world: &World, large: &Content) -> Result<Figure, Failure> {
    let sides = Sides {
        server: (Some(&world.server), place_at([10, 0, 1, 2].into())?),
        client: (Some(&world.client), place_at([10, 0, 2, 2].into())?),
    };
    let mut server = serve(folder, Over::Http, &sides, &[large])?;
    let Peer::Http(own) = server.hear()? else {
        return Err("it serves no HTTP".into());
    };
    let mut router = Url::parse(&own)?;
    router.set_host(Some("198.18.1.2"))?;
    let mut fetched = 0;
    for url in [own, router.to_string()] {
        match fetch(folder, Over::Http, &sides, &Peer::Http(url), large, None) {
            Ok(_) => fetched += 1,
            Err(error) => eprintln!("HTTP between two home routers: {error}"),
        }
    }
    let name = "addresses at which HTTP is answered: two home routers";
    Ok(Figure::new(name, "", f64::from(fetched), 2.0, Better::Higher))
}
