//! Signatures by the Standard Webhooks convention (standardwebhooks.com, version 1): HMAC-SHA-256 over
//! `id.timestamp.body`, in Base64, under a secret that both sides know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Error;

/// Secrets begin like this.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// A secret as it is kept and shown: its prefix and Base64.
pub(super) fn made_up_secret() -> Result<String, Error> {
    Ok(format!("{PREFIX}{}", STANDARD.encode(crate::random_bytes::<SECRET_BYTES>()?)))
}

/// The header `webhook-signature`: one signature under each secret, with blanks between. `second`: seconds since 1970.
pub(super) fn signatures(secrets: &[&str], id: &str, second: i64, body: &str) -> Result<String, Error> {
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let key = STANDARD
            .decode(secret.trim_start_matches(PREFIX))
            .map_err(|error| Error::internal("webhook_secret_unreadable", &error))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)
            .map_err(|error| Error::internal("webhook_secret_unusable", &error))?;
        for part in [id, ".", &second.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` and `base64`, from the convention's text.
    #[test]
    fn a_signature_is_what_another_implementation_computes() {
        let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let signed = signatures(&[secret], "msg_1", 1_790_000_000, "<Response/>").unwrap();
        assert_eq!(signed, "v1,UgJolt/+4p5LUsR0hvC9Gb6ylzeUMSnCL+lJTyTUCYY=");
        let two = signatures(&[secret, secret], "msg_1", 1_790_000_000, "<Response/>").unwrap();
        assert_eq!(two, format!("{signed} {signed}"));
        let made = made_up_secret().unwrap();
        assert_eq!(made.len(), "whsec_".len() + 44);
        assert_ne!(signatures(&[&made], "msg_1", 1_790_000_000, "<Response/>").unwrap(), signed);
    }
}
