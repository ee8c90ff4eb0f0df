//! Machines that are not there: network namespaces, links between them, and routers that hide what is behind them.

use agora_bench_iroh::Failure;
use serde::de::DeserializeOwned;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A process of a measurement. It ends when this is dropped.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program again, in a namespace if one is named.
    pub fn start(net: Option<&str>, arguments: &[&str]) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let mut command = match net {
            Some(net) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", net]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take().ok_or("it has no output")?);
        let output = BufReader::new(output);
        Ok(Self { child, input, output })
    }

    /// What it says next.
    pub fn hear<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("a process has ended: {}", self.child.wait()?).into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Asks it what it has cost.
    pub fn ask<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        writeln!(self.input.as_mut().ok_or("it has no input")?)?;
        self.hear()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        // It ends by itself, unless it is stuck.
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a router names the connections of what is behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nat {
    /// By one port, whomever they go to, where it is free: as routers of homes do.
    Kept,
    /// By another port for each whom they go to: as those of some companies and mobile networks do.
    Random,
}

/// Namespaces and links. They go when this is dropped.
pub struct Nets {
    nets: Vec<String>,
    wires: Vec<Process>,
}

impl Nets {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            nets: Vec::new(),
            wires: Vec::new(),
        }
    }

    /// Another machine, which passes on what is not for it.
    pub fn add(&mut self, name: &str) -> Result<String, Failure> {
        let net = format!("agora-{}-{name}", std::process::id());
        command("ip", &["netns", "add", &net])?;
        self.nets.push(net.clone());
        inside(&net, "ip link set lo up")?;
        inside(&net, "sysctl -q -w net.ipv4.ip_forward=1")?;
        Ok(net)
    }

    /// A link with latency between two machines, with these addresses. Each device is called `wan`.
    pub fn wire(&mut self, ends: [(&str, &str); 2], delay_ms: f64, mbit: Option<f64>) -> Result<[String; 2], Failure> {
        let number = self.wires.len();
        let devices = [0, 1].map(|end| format!("ag{}w{number}{end}", std::process::id()));
        let (delay, mut arguments) = (delay_ms.to_string(), vec!["wire"]);
        arguments.extend([&*devices[0], &*devices[1], "--delay-ms", &*delay]);
        let mbit = mbit.map(|mbit| mbit.to_string());
        if let Some(mbit) = &mbit {
            arguments.extend(["--mbit", &**mbit]);
        }
        let mut wire = Process::start(None, &arguments)?;
        wire.hear::<String>()?;
        for ((net, own), (device, other)) in ends.iter().zip(devices.iter().zip([ends[1].1, ends[0].1])) {
            command("ip", &["link", "set", device, "netns", net])?;
            inside(net, &format!("ip addr add {own} peer {other} dev {device}"))?;
            inside(net, &format!("ip link set {device} up mtu 1500 txqueuelen 20000"))?;
        }
        self.wires.push(wire);
        Ok(devices)
    }

    /// A home behind a router: the router's device to the world is `wan`. Returns the home.
    pub fn home(&mut self, router: &str, name: &str, subnet: &str, wan: &str, nat: Nat) -> Result<String, Failure> {
        let home = self.add(name)?;
        command(
            "ip",
            &[
                "link", "add", "lan", "netns", router, "type", "veth", "peer", "name", "lan", "netns", &home,
            ],
        )?;
        inside(router, &format!("ip addr add {subnet}.1/24 dev lan"))?;
        inside(&home, &format!("ip addr add {subnet}.2/24 dev lan"))?;
        inside(router, "ip link set lan up")?;
        inside(&home, "ip link set lan up")?;
        inside(&home, &format!("ip route add default via {subnet}.1"))?;
        inside(router, &format!("ip route add default dev {wan}"))?;
        let how = match nat {
            Nat::Kept => "masquerade",
            Nat::Random => "masquerade random,fully-random",
        };
        // What nobody behind it has asked for is dropped, also what is for the router itself: else an answer that comes before
        // the question would take the port that the question needs.
        let rules = format!(
            "table ip agora {{
                chain out {{ type nat hook postrouting priority 100; oifname {wan} {how}; }}
                chain own {{ type filter hook input priority 0; iifname {wan} ct state established,related accept; iifname {wan} drop; }}
                chain through {{ type filter hook forward priority 0; policy drop; ct state established,related accept; iifname lan accept; }}
            }}"
        );
        command("ip", &["netns", "exec", router, "nft", &rules])?;
        Ok(home)
    }
}

impl Drop for Nets {
    fn drop(&mut self) {
        self.wires.clear();
        for net in &self.nets {
            // What cannot be removed is said by `ip` itself.
            let _ = command("ip", &["netns", "del", net]);
        }
    }
}

/// Runs a command in a namespace. Its words are those between blanks.
pub fn inside(net: &str, words: &str) -> Result<(), Failure> {
    let mut arguments = vec!["netns", "exec", net];
    arguments.extend(words.split_whitespace());
    command("ip", &arguments)
}

fn command(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let ended = Command::new(program).args(arguments).output();
    let ended = ended.map_err(|error| format!("{program} cannot be run ({error}); install iproute2 and nftables"))?;
    if !ended.status.success() {
        let why = String::from_utf8_lossy(&ended.stderr).into_owned();
        return Err(format!("{program} {}: {}", arguments.join(" "), why.trim()).into());
    }
    Ok(())
}
