//! A synthetic country: enterprises with hidden honesty, goods, routes, seasons, officers, planted fraud, and the
//! rules by which an administration chose what to inspect. The truth is known, so an audit can be held against it.
//!
//! Everything the country is made of stands in `world.toml`, `names.toml` and `commodities/`; `docs/country.md` tells what
//! it is anchored to. The same seed gives
//! the same bytes on every machine: the only source of chance is ChaCha8, and the only arithmetic on floating-point
//! numbers is what IEEE 754 defines to the last bit.

mod commodities;
mod declarations;
mod draw;
mod error;
mod files;
mod fraud;
mod inspection;
mod item;
mod names;
mod parameters;
mod people;
mod register;
mod selection;
mod settlers;
mod trade;
mod world;

pub use commodities::CODES_MAX;
pub use declarations::Declarations;
pub use error::CountryError;
pub use files::{Summary, write, write_register};
pub use fraud::Scheme;
pub use inspection::Examination;
pub use item::{DeclaredConsignment, Item, Truth};
pub use people::Officer;
pub use register::RegisteredParty;
pub use world::{DAYS_MAX, DECLARATIONS_MAX, Preset, Settings, World};
