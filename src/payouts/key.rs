//! The key that signs: read once, kept in memory, shown nowhere.

use std::path::{Path, PathBuf};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{B256, TxKind, U256};
use alloy_signer_local::PrivateKeySigner;
use purser_events::{Address, Amount, Wei};

/// Why there is no key to sign with. None of the texts shows any of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is neither a key nor the path of a file.
    #[error("payout_key is neither 64 hexadecimal digits nor the path of a keystore")]
    NeitherKeyNorFile,
    /// The digits are no key of the curve.
    #[error("payout_key is no private key: zero, or beyond the curve's order")]
    OffCurve,
    /// A keystore without its password.
    #[error("payout_key names a keystore; payout_key_password is missing")]
    NoPassword,
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The keystore cannot be opened.
    #[error("the keystore {path} cannot be opened: the password is wrong, or it is damaged")]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

/// The key that signs.
pub struct Key {
    signer: PrivateKeySigner,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.address()).finish()
    }
}

/// A plain transfer, before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The chain.
    pub chain_id: u64,
    /// The signer's nonce.
    pub nonce: u64,
    /// Who is paid.
    pub to: Address,
    /// How much.
    pub amount: Amount,
    /// The most that a unit of gas may cost.
    pub max_fee: Wei,
    /// What of it goes to whoever makes the block, at most.
    pub tip: Wei,
    /// The most units of gas that it may use.
    pub gas_limit: u64,
}

/// A signed transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransfer {
    /// The hash that the chain knows it by.
    pub hash: [u8; 32],
    /// What is sent.
    pub raw: Vec<u8>,
}

impl Key {
    /// Reads a key: 64 hexadecimal digits, or a JSON keystore with its password, which is a text
    /// or the path of a file that holds it. Opening a keystore takes a second on purpose.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(key: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let key = key.trim();
        let digits = key.strip_prefix("0x").unwrap_or(key);
        if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::of_digits(digits);
        }
        let path = Path::new(key);
        if !path.is_file() {
            return Err(KeyError::NeitherKeyNorFile);
        }
        let password = password.ok_or(KeyError::NoPassword)?;
        let password = password_of(password)?;
        let signer = PrivateKeySigner::decrypt_keystore(path, password);
        let path = path.to_owned();
        let signer = signer.map_err(|_| KeyError::Closed { path })?;
        Ok(Self { signer })
    }

    fn of_digits(digits: &str) -> Result<Self, KeyError> {
        let bytes: B256 = digits.parse().map_err(|_| KeyError::OffCurve)?;
        let signer = PrivateKeySigner::from_bytes(&bytes).map_err(|_| KeyError::OffCurve)?;
        Ok(Self { signer })
    }

    /// The address that it pays from.
    #[must_use]
    pub fn address(&self) -> Address {
        Address(self.signer.address().into_array())
    }

    /// Signs a transfer. The same transfer gives the same bytes.
    ///
    /// # Panics
    /// Never: a key of the curve signs every hash.
    #[must_use]
    pub fn sign(&self, transfer: &Transfer) -> SignedTransfer {
        let mut unsigned = TxEip1559 {
            chain_id: transfer.chain_id,
            nonce: transfer.nonce,
            gas_limit: transfer.gas_limit,
            max_fee_per_gas: transfer.max_fee.0,
            max_priority_fee_per_gas: transfer.tip.0,
            to: TxKind::Call(transfer.to.0.into()),
            value: U256::from(transfer.amount.0),
            ..TxEip1559::default()
        };
        let signature = self.signer.sign_transaction_sync(&mut unsigned);
        let signature = signature.expect("a key of the curve signs every hash");
        let signed = TxEnvelope::from(unsigned.into_signed(signature));
        SignedTransfer {
            hash: signed.tx_hash().0,
            raw: signed.encoded_2718(),
        }
    }
}

/// A password: what the file of this name holds, or the text itself.
fn password_of(text: &str) -> Result<String, KeyError> {
    let path = Path::new(text);
    if !path.is_file() {
        return Ok(text.to_owned());
    }
    let read = std::fs::read_to_string(path);
    let read = read.map_err(|source| KeyError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first key that every development node gives money to.
    const KNOWN: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const ADDRESS: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

    fn refusal(key: &str, password: Option<&str>) -> String {
        let error = Key::read(key, password).expect_err("it is refused");
        format!("{error} {error:?}")
    }

    #[test]
    fn a_key_is_read_with_and_without_its_prefix() {
        for text in [KNOWN.to_owned(), format!("0x{KNOWN}\n")] {
            let key = Key::read(&text, None).expect("it is a key");
            assert_eq!(key.address().to_string(), ADDRESS);
        }
    }

    /// A keystore that another program made: the sample of the format's definition.
    const KEYSTORE: &str = r#"{"crypto":{"cipher":"aes-128-ctr",
        "cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
        "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

    #[test]
    fn a_keystore_opens_with_its_password_as_text_or_file() {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let path = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("written");
            path.to_str().expect("text").to_owned()
        };
        let store = path("store.json", KEYSTORE);
        for password in ["testpassword", &path("password", "testpassword\n")] {
            let key = Key::read(&store, Some(password)).expect("it opens");
            let address = "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b";
            assert_eq!(key.address().to_string(), address);
        }
        assert!(refusal(&store, Some("wrong")).contains("cannot be opened"));
        assert!(refusal(&store, None).contains("payout_key_password"));
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let zero = "0".repeat(64);
        let beyond = "f".repeat(64);
        for text in ["secret-nowhere", &zero, &beyond, "0xsecret"] {
            assert!(!refusal(text, None).contains(text), "{text}");
        }
        let key = Key::read(KNOWN, None).expect("it is a key");
        assert!(!format!("{key:?}").contains(&KNOWN[..8]));
    }

    #[test]
    fn the_same_transfer_gives_the_same_bytes() {
        let key = Key::read(KNOWN, None).expect("it is a key");
        let transfer = Transfer {
            chain_id: 42_161,
            nonce: 7,
            to: Address([0x11; 20]),
            amount: Amount(10_000_000_000_000_001),
            max_fee: Wei(2_000_000_000),
            tip: Wei(1),
            gas_limit: 26_250,
        };
        let signed = key.sign(&transfer);
        assert_eq!(signed, key.sign(&transfer));
        assert_eq!(signed.raw[0], 2, "a transaction of type 2");
        assert_ne!(
            signed.hash,
            key.sign(&Transfer {
                nonce: 8,
                ..transfer
            })
            .hash
        );
    }
}
