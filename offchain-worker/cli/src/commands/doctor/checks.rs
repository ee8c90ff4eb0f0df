//! The checks.

use super::Check;
use crate::{
    commands::status::{age_s, free_space, node_trouble},
    context::Context,
    exit::CliError,
};
use agora_blobs::BlobKind;
use agora_chain::{BlockNumber, KeyError, stands_still};
use agora_compute::{ByteCount, DeviceType};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
};

/// Less free space than this is too little for a worker: bytes.
const LEAST_SPACE: u64 = 1 << 30;
/// Less free space than this is tight: bytes.
const TIGHT_SPACE: u64 = 10 << 30;
/// A best block that is older than so many block times is a sign of trouble.
const OLD_BLOCKS: i64 = 20;
/// How far clocks may be apart, in seconds.
const CLOCK_TOLERANCE: i64 = 5;
/// What is written and read back.
const PROBE: &[u8] = b"agora doctor";

/// Whether the key can be used, and by its owner alone.
pub fn key(context: &Context) -> Check {
    let name = "key";
    match context.keypair() {
        Ok(keypair) => match context.key_file() {
            Some(file) => Check::ok(
                name,
                format!(
                    "{} in {}, which only its owner can read",
                    keypair.account(),
                    file.display()
                ),
            ),
            None => Check::warning(
                name,
                format!(
                    "{} comes from the environment or is a development key",
                    keypair.account()
                ),
                "keep it in a file: `agora keys generate FILE`, and --key-file FILE",
            ),
        },
        Err(error @ CliError::Key(KeyError::TooOpen { .. })) => Check::failure(
            name,
            error.to_string(),
            "others may have read it: make a new key and move the money",
        ),
        Err(error) => Check::failure(
            name,
            error.to_string(),
            "`agora keys generate FILE` makes one; --key-file FILE names it",
        ),
    }
}

/// Whether the data folder can be written to and has space.
pub fn data_folder(context: &Context) -> Vec<Check> {
    let folder = match context.data() {
        Ok(folder) => folder,
        Err(error) => return vec![Check::failure("data", error.to_string(), "give a folder with --data")],
    };
    vec![writable(&folder), space(&folder, free_space(&folder)), private(&folder)]
}

fn writable(folder: &Path) -> Check {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = make_private(folder)
        .and_then(|()| std::fs::write(&probe, PROBE))
        .and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Check::ok("data", format!("{} can be written to", folder.display())),
        Err(error) => Check::failure(
            "data",
            format!("{} cannot be written to ({error})", folder.display()),
            "give it to the user who runs the worker, or another folder with --data",
        ),
    }
}

/// Makes the folder, if it is not there, so that only its owner can open it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn space(folder: &Path, free: Option<u64>) -> Check {
    let Some(bytes) = free else {
        return Check::warning("disk", "the system does not tell the free space", "look at it with df");
    };
    let detail = format!("{} free below {}", ByteCount(bytes), folder.display());
    match bytes {
        0..LEAST_SPACE => Check::failure("disk", detail, "make room: a result that cannot be kept costs its bond"),
        LEAST_SPACE..TIGHT_SPACE => Check::warning("disk", detail, "make room before large jobs"),
        _ => Check::ok("disk", detail),
    }
}

/// Whether others can read the folder, which holds secrets of commitments.
#[cfg(unix)]
fn private(folder: &Path) -> Check {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(folder).map(|data| data.permissions().mode() & 0o077) {
        Ok(0) => Check::ok("privacy", format!("only its owner can open {}", folder.display())),
        Ok(_) => Check::warning(
            "privacy",
            format!(
                "other users can open {}, which holds secrets of commitments",
                folder.display()
            ),
            format!("chmod 700 {}", folder.display()),
        ),
        Err(error) => Check::warning(
            "privacy",
            format!("{}: {error}", folder.display()),
            "see the line above",
        ),
    }
}

#[cfg(not(unix))]
fn private(folder: &Path) -> Check {
    Check::warning(
        "privacy",
        "this system's permissions are not looked at",
        format!("make sure that only you can open {}", folder.display()),
    )
}

/// Whether the node answers, is in sync, finalises, and agrees on the time.
pub async fn node(context: &Context) -> Vec<Check> {
    match ask_node(context).await {
        Ok(checks) => checks,
        Err(error) => vec![Check::failure(
            "node",
            error.to_string(),
            "start it, or name another with --url",
        )],
    }
}

async fn ask_node(context: &Context) -> Result<Vec<Check>, CliError> {
    let client = context.client().await?;
    let node = client.node().await?;
    let at = client.best().await?;
    let (age, block_ms) = (age_s(at.time_ms().await?), at.block_time_ms().await?);
    let answers = match node_trouble(&client).await? {
        None => Check::ok(
            "node",
            format!("{} answers and is in sync at block {}", client.url(), node.best),
        ),
        Some(trouble) => Check::failure("node", format!("{} is not ready", client.url()), trouble),
    };
    Ok(vec![answers, finality(node.best, node.finalised), clock(age, block_ms)])
}

fn finality(best: BlockNumber, finalised: BlockNumber) -> Check {
    let lag = best.saturating_sub(finalised);
    if stands_still(best, finalised) {
        return Check::warning(
            "finality",
            format!("finality is {lag} blocks behind"),
            "the chain has a problem; payments come when it finalises again",
        );
    }
    Check::ok("finality", format!("finality is {lag} blocks behind"))
}

/// Whether this machine's clock and the chain's agree. `age` is that of the best block in seconds.
fn clock(age: i64, block_ms: u64) -> Check {
    let block_s = i64::try_from(block_ms / 1000).unwrap_or(i64::MAX).max(1);
    if age < -CLOCK_TOLERANCE {
        let detail = format!("this clock is at least {} s behind the chain's", age.saturating_neg());
        return Check::failure("clock", detail, "set it: timedatectl set-ntp true");
    }
    if age > block_s.saturating_mul(OLD_BLOCKS).saturating_add(CLOCK_TOLERANCE) {
        let detail = format!("the best block is {age} s old");
        return Check::failure(
            "clock",
            detail,
            "the clock is ahead (timedatectl set-ntp true), or the chain stands still",
        );
    }
    Check::ok("clock", format!("the best block is {age} s old"))
}

/// Whether the blob store takes something and gives it back.
pub async fn blobs(context: &Context) -> Check {
    let tried = async {
        let store = context.blobs()?;
        let hash = store.put(BlobKind::Input, PROBE.to_vec()).await?;
        let read = store.get(BlobKind::Input, &hash, PROBE.len() as u64).await?;
        Ok::<_, CliError>(read == PROBE)
    };
    match tried.await {
        Ok(true) => Check::ok("blobs", "the store takes blobs and gives them back"),
        Ok(false) => Check::failure("blobs", "the store gives back something else", "do not use it"),
        Err(error) => Check::failure(
            "blobs",
            error.to_string(),
            "see --blobs, the folder's owner, or the S3 credentials",
        ),
    }
}

/// Whether the addresses are free.
pub fn ports(addresses: &[SocketAddr]) -> Vec<Check> {
    let one = |address: &SocketAddr| match TcpListener::bind(address) {
        Ok(_) => Check::ok("port", format!("{address} is free")),
        Err(error) => Check::failure(
            "port",
            format!("{address} cannot be listened at ({error})"),
            "a worker may be running already; or give another port",
        ),
    };
    addresses.iter().map(one).collect()
}

/// Whether the devices compute the right bits.
pub async fn devices(context: &Context, named: Vec<String>) -> Vec<Check> {
    let options = context.gpu_options();
    let tested = tokio::task::spawn_blocking(move || {
        let selectors = if named.is_empty() { usual() } else { named };
        let (selectors, repeated) = match agora_compute::distinct_devices(&selectors) {
            Ok(distinct) => distinct,
            Err(error) => {
                return vec![Check::failure(
                    "device",
                    error.to_string(),
                    "`agora devices` lists them",
                )];
            }
        };
        let repeated = repeated
            .into_iter()
            .map(|what| Check::warning("device", what, "name it once"));
        let tests = selectors
            .iter()
            .map(|selector| match agora_compute::open_engine(selector, &options) {
                Ok(engine) => Check::ok("device", format!("{selector}: {} passed its self-test", engine.name())),
                Err(error) => Check::failure(
                    "device",
                    format!("{selector}: {error}"),
                    "update its driver, or leave it out",
                ),
            });
        repeated.chain(tests).collect()
    });
    tested.await.unwrap_or_else(|panic| {
        vec![Check::failure(
            "device",
            format!("the test was broken off: {panic}"),
            "update the driver",
        )]
    })
}

/// All devices but software adapters, which no worker should use.
fn usual() -> Vec<String> {
    let cards = agora_compute::devices().into_iter();
    let cards = cards.filter(|device| device.device_type != DeviceType::Software);
    cards
        .map(|device| format!("#{}", device.index))
        .chain([agora_compute::CPU_SELECTOR.to_owned()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Finding;

    #[test]
    fn a_clock_is_judged_by_how_old_the_newest_block_is() {
        for (age, finding) in [
            (0, Finding::Ok),
            (6, Finding::Ok),
            (-3, Finding::Ok),
            (-60, Finding::Failure),
            (3600, Finding::Failure),
        ] {
            let check = clock(age, 6000);
            assert_eq!(check.finding, finding, "{age}: {check}");
        }
    }

    #[test]
    fn space_is_enough_tight_or_too_little() {
        let folder = Path::new("/data");
        let found = |bytes| space(folder, bytes).finding;
        assert_eq!(found(Some(1 << 20)), Finding::Failure);
        assert_eq!(found(Some(2 << 30)), Finding::Warning);
        assert_eq!(found(Some(1 << 40)), Finding::Ok);
        assert_eq!(found(None), Finding::Warning);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_a_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(writable(&folder.path().join("new")).finding, Finding::Ok);
        let file = folder.path().join("file");
        std::fs::write(&file, "x").expect("it is written");
        let check = writable(&file);
        assert!(check.finding == Finding::Failure && check.advice.is_some_and(|advice| advice.contains("--data")));
    }

    #[test]
    fn a_port_in_use_is_a_failure_and_a_free_one_is_not() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let address = taken.local_addr().expect("it has one");
        assert_eq!(ports(&[address])[0].finding, Finding::Failure);
        drop(taken);
        assert_eq!(ports(&[address])[0].finding, Finding::Ok);
    }

    #[test]
    fn finality_may_be_some_blocks_behind() {
        assert_eq!(
            (finality(1000, 997).finding, finality(1000, 0).finding),
            (Finding::Ok, Finding::Warning)
        );
    }
}
