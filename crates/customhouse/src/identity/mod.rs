//! Who uses the platform: accounts, roles, sessions, tokens of programs.
//!
//! Password hashes, session tokens and hashes of programs' tokens are secrets and stand in `accounts.sqlite`, not in the journal; that an
//! account was made, changed or closed is an event.

mod accounts;
mod commands;
mod password;
mod rate_limit;
mod role;
mod tokens;

pub use accounts::{Account, Accounts, NewAccount, Session, SignInRefusal};
pub use password::PASSWORD_CHARACTERS_MIN;
pub use role::{Permission, Reader, Role};
pub use tokens::ApiToken;
