//! Signing keys and where they come from: a file or an environment variable, never a command line, which every user of
//! the machine can read.

use crate::{AccountId, keystore};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};
use subxt::{PolkadotConfig, tx::Signer, utils::MultiSignature};
use subxt_signer::{SecretUri, bip39::Mnemonic, sr25519};

/// An sr25519 key pair. Its secret is never printed.
#[derive(Clone)]
pub struct Keypair(sr25519::Keypair);

/// Where a key comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// The file's first line is a secret phrase or `0x…` seed, with derivations if wanted. A keystore is [`KeyError::Locked`].
    File(PathBuf),
    /// The variable's value is a secret phrase or seed.
    Environment(String),
    /// A well-known key of development chains, such as `//Alice`. Everybody knows them.
    Development(String),
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {}: {reason}; `agora keys generate` makes one", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file can be read by others.
    #[error("the key file {} can be read by other users; run: chmod 600 on it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
    },
    /// The file is there already.
    #[error("cannot write the key file {}: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The variable is not set.
    #[error("the environment variable {0} is not set to a secret phrase")]
    Unset(String),
    /// The file is a keystore, which only its password opens: see [`Keypair::unlock`].
    #[error("the key file {} is encrypted: give its password", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The password of a keystore is another one.
    #[error("that is not the password of the key file")]
    WrongPassword,
    /// A keystore cannot be read.
    #[error(
        "the encrypted key file cannot be used (it should be an sr25519 account as Polkadot's wallets export it): {0}"
    )]
    Keystore(String),
    /// The text is neither a secret phrase nor a seed.
    #[error("that is no secret phrase (12 to 24 words, derivations such as //worker allowed) or 0x… seed: {0}")]
    Malformed(String),
}

impl KeySource {
    /// Reads the key.
    pub fn load(&self) -> Result<Keypair, KeyError> {
        match self {
            Self::File(path) => {
                let text = read_private(path)?;
                if keystore::is_one(&text) {
                    return Err(KeyError::Locked { path: path.clone() });
                }
                text.lines().next().unwrap_or_default().trim().parse()
            }
            Self::Environment(name) => std::env::var(name)
                .map_err(|_| KeyError::Unset(name.clone()))?
                .trim()
                .parse(),
            Self::Development(uri) => uri.parse(),
        }
    }
}

/// The text of a file that only its owner can read.
///
/// Errors: `TooOpen`, `Unreadable`.
pub fn read_private(path: &Path) -> Result<String, KeyError> {
    refuse_if_open(path)?;
    std::fs::read_to_string(path).map_err(|reason| KeyError::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

/// Writes a new file that only its owner can read.
fn write_private(path: &Path, text: &str) -> Result<(), KeyError> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let write = || -> std::io::Result<()> {
        let mut file = options.open(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()
    };
    write().map_err(|reason| KeyError::Unwritable {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(unix)]
fn refuse_if_open(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).map_err(|reason| KeyError::Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::TooOpen { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_open(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

impl Keypair {
    /// Makes a new key, writes its secret phrase to a new file that only its owner can read, and returns the key.
    ///
    /// Errors: the file exists already; no key is ever overwritten.
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let entropy: [u8; 16] = rand::random();
        let phrase = Mnemonic::from_entropy(&entropy).map_err(|error| KeyError::Malformed(error.to_string()))?;
        let keypair =
            sr25519::Keypair::from_phrase(&phrase, None).map_err(|error| KeyError::Malformed(error.to_string()))?;
        write_private(path, &phrase.to_string())?;
        Ok(Self(keypair))
    }

    /// Makes a new key, writes it to a new file that only `password` opens, and returns the key. Polkadot's wallets read the
    /// file too. There is no secret phrase: who loses the file or the password loses the account.
    ///
    /// Errors: the file exists already; no key is ever overwritten.
    pub fn generate_locked(path: &Path, password: &str) -> Result<Self, KeyError> {
        let (keypair, text) = keystore::seal(rand::random(), password)?;
        write_private(path, &text)?;
        Ok(Self(keypair))
    }

    /// The key in the keystore at `path`, which `password` opens: one that [`Self::generate_locked`] has written, or an
    /// sr25519 account that a wallet has exported. Takes 128 MiB and half a second.
    ///
    /// Errors: `WrongPassword`, `Keystore`, `TooOpen`, `Unreadable`.
    pub fn unlock(path: &Path, password: &str) -> Result<Self, KeyError> {
        keystore::open(&read_private(path)?, password).map(Self)
    }

    /// The account that this key controls.
    pub fn account(&self) -> AccountId {
        self.0.public_key().to_account_id()
    }
}

impl FromStr for Keypair {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The parser's message is left out: it could repeat the secret.
        let malformed = |what: &str| KeyError::Malformed(what.to_owned());
        let uri = SecretUri::from_str(text).map_err(|_| malformed("its form is not <phrase>//hard/soft///password"))?;
        sr25519::Keypair::from_uri(&uri)
            .map(Self)
            .map_err(|_| malformed("its words or its checksum are wrong"))
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.account())
    }
}

impl Signer<PolkadotConfig> for Keypair {
    fn account_id(&self) -> AccountId {
        self.account()
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        self.0.sign(payload).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_keys_are_the_well_known_ones() {
        let alice = KeySource::Development("//Alice".into())
            .load()
            .expect("it is well formed");
        assert_eq!(
            alice.account().to_string(),
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
        );
    }

    #[test]
    fn a_generated_key_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let made = Keypair::generate(&path).expect("it is new");
        let read = KeySource::File(path.clone()).load().expect("it is there");
        assert_eq!(made.account(), read.account());
        assert!(matches!(Keypair::generate(&path), Err(KeyError::Unwritable { .. })));
        assert_eq!(
            KeySource::File(path).load().expect("it is still there").account(),
            made.account()
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        Keypair::generate(&path).expect("it is new");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        assert!(matches!(KeySource::File(path).load(), Err(KeyError::TooOpen { .. })));
    }

    #[test]
    fn errors_never_repeat_the_secret() {
        let secret = "legal winner thank year wave sausage worth useful legal winner thank thank";
        let error = secret
            .parse::<Keypair>()
            .expect_err("its checksum is wrong")
            .to_string();
        assert!(!error.contains("sausage"), "{error}");
        let keypair: Keypair = "//Alice".parse().expect("it is well formed");
        assert!(format!("{keypair:?}").starts_with("Keypair(5Grwva"));
    }

    #[test]
    fn missing_keys_are_reported() {
        let absent = KeySource::File("/nonexistent/key".into()).load();
        assert!(matches!(absent, Err(KeyError::Unreadable { .. })));
        let unset = KeySource::Environment("AGORA_TEST_UNSET_KEY".into()).load();
        assert!(matches!(unset, Err(KeyError::Unset(_))));
    }
}
