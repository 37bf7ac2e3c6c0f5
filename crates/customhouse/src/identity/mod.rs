//! Who uses the platform: accounts, roles, sessions.
//!
//! Password hashes and session tokens are secrets and stand in `accounts.sqlite`, not in the journal; that an
//! account was made, changed or closed is an event.

mod accounts;
mod commands;
mod password;
mod rate_limit;
mod role;

pub use accounts::{Account, Accounts, Session, SignInRefusal};
pub use password::PASSWORD_CHARACTERS_MIN;
pub use role::{Permission, Reader, Role};
