//! Who uses the platform: accounts, roles, sessions, tokens of programs, clients of enterprises.
//!
//! Hashes of passwords, secrets and tokens stand in `accounts.sqlite`, not in the journal; that an account or a client
//! was made, changed or closed is an event.
//!
//! Programs come in one of two ways. A *token* ([`ApiToken`]) lets a script of one person do everything that person's
//! account may, for up to a year. A *client* ([`Client`]) is the software of an enterprise: it outlives its people, may
//! no more than its scopes say, and trades one of its secrets for tokens of an hour (RFC 6749, section 4.4).

mod access;
mod accounts;
mod client_commands;
mod clients;
mod commands;
mod password;
mod rate_limit;
mod role;
mod scope;
mod tokens;

pub use access::{ACCESS_TOKEN_SECONDS, AccessToken, TokenRefusal};
pub use accounts::{Account, Accounts, NewAccount, Session, SignInRefusal};
pub use clients::{Client, ClientSecret};
pub use password::PASSWORD_CHARACTERS_MIN;
pub use role::{Permission, Reader, Role};
pub use scope::{Scope, Scopes};
pub use tokens::ApiToken;
