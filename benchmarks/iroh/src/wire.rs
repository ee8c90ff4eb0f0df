//! A link with latency, in user space: two network devices (TUN), and what goes into the one comes out of the other, later.
//!
//! Where the kernel has `netem`, that would do; many small kernels do not. Packets are held for `delay_ms`; with `mbit` they
//! also take the time to be sent, and wait in a queue that is 100 ms long at most. Beyond that they are lost, as they would be.

use agora_bench_iroh::Failure;
use clap::Args;
use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsRawFd,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::{Duration, Instant},
};

/// Packets under way in one direction, at most.
const UNDER_WAY: usize = 1 << 16;
/// The longest packet.
const LONGEST: usize = 1 << 16;
/// How long packets wait to be sent, at most.
const QUEUE: Duration = Duration::from_millis(100);

/// A link.
#[derive(Args)]
pub struct Wire {
    /// The name of one device.
    one: String,
    /// The name of the other.
    other: String,
    /// How long a packet is under way.
    #[arg(long)]
    delay_ms: f64,
    /// Megabits per second in each direction. No limit, if it is not given.
    #[arg(long)]
    mbit: Option<f64>,
}

type Packet = (Instant, Vec<u8>);

impl Wire {
    /// Passes packets on until the input ends.
    pub fn run(&self) -> Result<(), Failure> {
        let (one, other) = (open(&self.one)?, open(&self.other)?);
        let delay = Duration::from_secs_f64(self.delay_ms / 1000.0);
        for (from, to) in [(one.try_clone()?, other.try_clone()?), (other, one)] {
            let (sender, receiver) = sync_channel(UNDER_WAY);
            let per_byte = self.mbit.map(|mbit| 8e-6 / mbit);
            std::thread::spawn(move || take(from, &sender, delay, per_byte));
            std::thread::spawn(move || give(to, &receiver));
        }
        println!("\"ready\"");
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
        Ok(())
    }
}

/// Takes packets in, and says when each is to come out.
fn take(mut from: File, sender: &SyncSender<Packet>, delay: Duration, per_byte: Option<f64>) {
    let mut buffer = vec![0; LONGEST];
    let mut free = Instant::now();
    while let Ok(read) = from.read(&mut buffer) {
        let now = Instant::now();
        if let Some(seconds) = per_byte {
            free = free.max(now);
            if free - now > QUEUE {
                continue;
            }
            free += Duration::from_secs_f64(seconds * read as f64);
        } else {
            free = now;
        }
        // A full queue loses packets, too.
        let _ = sender.try_send((free + delay, buffer.get(..read).unwrap_or_default().to_vec()));
    }
}

/// Gives packets out when it is time.
fn give(mut to: File, receiver: &Receiver<Packet>) {
    while let Ok((at, packet)) = receiver.recv() {
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        // A device that is not up yet takes nothing.
        let _ = to.write(&packet);
    }
}

/// What the system wants to know of a device: `struct ifreq`.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    flags: libc::c_short,
    rest: [u8; 22],
}

/// Makes a device of this name.
///
/// Errors: this user may not.
#[expect(unsafe_code, reason = "there is no safe interface for making a TUN device")]
fn open(name: &str) -> Result<File, Failure> {
    let file = File::options().read(true).write(true).open("/dev/net/tun")?;
    let mut request = Request {
        name: [0; libc::IFNAMSIZ],
        flags: libc::IFF_TUN as libc::c_short | libc::IFF_NO_PI as libc::c_short,
        rest: [0; 22],
    };
    if name.len() >= libc::IFNAMSIZ {
        return Err(format!("{name:?} is too long for the name of a device").into());
    }
    request
        .name
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, byte)| *to = byte);
    debug_assert!(request.rest.iter().all(|byte| *byte == 0));
    // SAFETY: `request` is a whole `struct ifreq`, of 40 bytes, which lives for the call; the file is open.
    let made = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, std::ptr::from_mut(&mut request)) };
    if made < 0 {
        return Err(format!("cannot make the device {name:?}: {}", std::io::Error::last_os_error()).into());
    }
    Ok(file)
}
