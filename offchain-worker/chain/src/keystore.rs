//! A key in a file that a password opens, in the form in which Polkadot's wallets export an account (version 3 of the JSON
//! of Polkadot-JS): the secret in PKCS #8, sealed with XSalsa20-Poly1305 under a key that scrypt makes of the password.

use crate::{AccountId, KeyError};
use base64::{Engine, engine::general_purpose::STANDARD};
use crypto_secretbox::{
    Key, Nonce, XSalsa20Poly1305,
    aead::{Aead, KeyInit},
};
use schnorrkel::{ExpansionMode, MiniSecretKey};
use serde::{Deserialize, Serialize};
use subxt_signer::{polkadot_js_compat, sr25519};

/// What scrypt costs, as wallets take it too: 2¹⁷ rounds of 8 blocks, 128 MiB and about half a second.
const LOG_ROUNDS: u8 = 17;
const BLOCKS: u32 = 8;
const LANES: u32 = 1;
/// The first bytes: the salt, what scrypt costs, and the nonce. After them comes what is sealed, with 16 bytes that show it.
const HEAD: usize = 32 + 3 * 4 + 24;
const TAG: usize = 16;
/// What stands before the secret and before the public key.
const PKCS8_HEAD: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const PKCS8_BETWEEN: [u8; 5] = [161, 35, 3, 33, 0];

/// The file.
#[derive(Serialize, Deserialize)]
struct Keystore {
    encoded: String,
    encoding: Encoding,
    address: String,
    #[serde(default)]
    meta: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct Encoding {
    content: Vec<String>,
    r#type: Vec<String>,
    version: String,
}

/// Whether the text of a key file is a keystore and no phrase.
pub fn is_one(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// The key of a new random `seed`, and the text of its keystore.
pub fn seal(seed: [u8; 32], password: &str) -> Result<(sr25519::Keypair, String), KeyError> {
    let unusable = |what: &str| KeyError::Malformed(what.to_owned());
    let keypair = sr25519::Keypair::from_secret_key(seed).map_err(|_| unusable("the seed gives no key"))?;
    let secret = MiniSecretKey::from_bytes(&seed).map_err(|_| unusable("the seed gives no key"))?;
    let secret = secret.expand(ExpansionMode::Ed25519).to_ed25519_bytes();
    let public = keypair.public_key();
    let plain = [&PKCS8_HEAD[..], &secret, &PKCS8_BETWEEN, &public.0].concat();

    let (salt, nonce): ([u8; 32], [u8; 24]) = (rand::random(), rand::random());
    let params = scrypt::Params::new(LOG_ROUNDS, BLOCKS, LANES, 32).map_err(|error| unusable(&error.to_string()))?;
    let mut key = Key::default();
    scrypt::scrypt(password.as_bytes(), &salt, &params, &mut key).map_err(|error| unusable(&error.to_string()))?;
    let sealed = XSalsa20Poly1305::new(&key).encrypt(Nonce::from_slice(&nonce), plain.as_slice());
    let sealed = sealed.map_err(|_| unusable("the key cannot be sealed"))?;
    let costs = [1 << LOG_ROUNDS, LANES, BLOCKS].map(u32::to_le_bytes).concat();
    let text = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    let keystore = Keystore {
        encoded: STANDARD.encode([&salt[..], &costs, &nonce, &sealed].concat()),
        encoding: Encoding {
            content: text(&["pkcs8", "sr25519"]),
            r#type: text(&["scrypt", "xsalsa20-poly1305"]),
            version: "3".to_owned(),
        },
        address: AccountId::from(public.0).to_string(),
        meta: serde_json::json!({ "name": "agora" }),
    };
    let json = serde_json::to_string(&keystore).map_err(|error| unusable(&error.to_string()))?;
    Ok((keypair, json))
}

/// The key in the keystore `text`.
///
/// Errors: `Keystore` if it is none that can be read, `WrongPassword`.
pub fn open(text: &str, password: &str) -> Result<sr25519::Keypair, KeyError> {
    use polkadot_js_compat::Error;
    let unusable = |what: String| KeyError::Keystore(what);
    let keystore: Keystore = serde_json::from_str(text).map_err(|error| unusable(error.to_string()))?;
    let sealed = STANDARD.decode(&keystore.encoded);
    // What opens it expects so many.
    if sealed.map_err(|error| unusable(error.to_string()))?.len() < HEAD + TAG {
        return Err(unusable("it is cut off, or not sealed with a password".to_owned()));
    }
    polkadot_js_compat::decrypt_json(text, password).map_err(|error| match error {
        Error::Secretbox(_) => KeyError::WrongPassword,
        other => unusable(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keypair;

    /// The development key `//Agora`, exported by Polkadot-JS (`@polkadot/keyring`) with this password.
    const EXPORTED: &str = r#"{"encoded":"SZRjuJbceWFrnbPgu8GMrKdTHPpyKWfcrv16xi7AkWQAAAIAAQAAAAgAAACR9YwIc2iEoTBqt7zjUagqUZieZcCIVJwAfkXzhD+vLwfeur+um1oc96IlAubkrPiWJ7aZNh6S1sgCQknP5kQlHRHIZukyzHUrJDh/ETVa009mP7br59QB4fmtN7tf2nT2M+eofYTiCPiQcOXpsM/ZaAk/2wt6wwKVefbNwNNW84GONcAfQ2qNLRXtF4BObCHrdXRvlaJhLI8fo35N","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5GjqC2H6byfhFFdgPuDukcog3ktUGYq49LhGaaecnw7HTdDx","meta":{}}"#;
    const PASSWORD: &str = "a wallet's password";

    #[test]
    fn what_is_sealed_is_opened_by_its_password_alone() {
        let (keypair, text) = seal([7; 32], "correct horse").expect("sealed");
        assert!(is_one(&text));
        let opened = open(&text, "correct horse").expect("opened");
        assert_eq!(opened.public_key().0, keypair.public_key().0);
        // The same secret, not only the same public key.
        let (message, public) = (b"message", keypair.public_key());
        assert!(sr25519::verify(&opened.sign(message), message, &public));
        assert!(matches!(open(&text, "correct"), Err(KeyError::WrongPassword)));
        let (_, again) = seal([7; 32], "correct horse").expect("sealed");
        assert_ne!(text, again, "salt and nonce are fresh");
    }

    #[test]
    fn what_a_wallet_exports_is_read() {
        let keypair: Keypair = "//Agora".parse().expect("a development key");
        let opened = open(EXPORTED, PASSWORD).expect("it is its password");
        assert_eq!(AccountId::from(opened.public_key().0), keypair.account());
    }

    #[test]
    fn what_is_cut_off_or_of_another_form_is_refused() {
        for (from, to) in [
            ("SZRjuJbceWFr", ""),
            (r#""version":"3""#, r#""version":"2""#),
            ("sr25519", "ed25519"),
            ("5GjqC2H6", "5GjqC2H7"),
            ("SZRjuJbceWFr", "!"),
        ] {
            let changed = EXPORTED.replacen(from, to, 1);
            let error = open(&changed, PASSWORD).expect_err("it is damaged");
            assert!(
                matches!(error, KeyError::Keystore(_) | KeyError::WrongPassword),
                "{error}"
            );
        }
        let short = r#"{"encoded":"AAAA","encoding":{"content":[],"type":[],"version":"3"},"address":"5F"}"#;
        assert!(matches!(open(short, ""), Err(KeyError::Keystore(_))));
        assert!(matches!(open("{", ""), Err(KeyError::Keystore(_))));
    }
}
