//! Password hashing by Argon2id (RFC 9106) with the crate's default costs (OWASP's second recommendation:
//! 19 MiB, two passes, one lane).

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};

use crate::error::{Error, Kind};

/// Shorter passwords are refused (NIST SP 800-63B, section 5.1.1.2 asks for 8; an administrator's tool for more).
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Longer ones are refused, so that hashing stays bounded.
const PASSWORD_BYTES_MAX: usize = 512;

pub(super) fn hash(password: &str) -> Result<String, Error> {
    let characters = password.chars().count();
    if characters < PASSWORD_CHARACTERS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::new(
            Kind::Invalid,
            "password_length",
            format!("the password has {characters} characters"),
            format!(
                "Choose one of at least {PASSWORD_CHARACTERS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes. \
                 A sentence is easier to remember than a riddle."
            ),
        ));
    }
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal("password_hash_failed", &error))
}

pub(super) fn verify(password: &str, hash: &str) -> bool {
    password.len() <= PASSWORD_BYTES_MAX
        && PasswordHash::new(hash)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}
