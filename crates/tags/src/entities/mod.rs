//! Who is who: which entries of a register may be the same enterprise, person or vehicle, and who stands on a list.
//!
//! Pure: a register in, [`Candidate`]s with their [`Evidence`] out; people decide, and [`groups`] says who is one by
//! what they decided. Nothing is compared n by n: parties meet only in *blocks*, where they share a rare word, an
//! identifier, a telephone number, an address or an owner ([`Limits::block_parties`] at most).
//!
//! **Scale.** A weight says how much one agreement speaks for a pair, in thousandths: less where the value is shared
//! by more. A score is what all of them say together: 1000 times one less the product of what each leaves open. It
//! orders pairs and is no probability. `docs/tags.md`, section Entities, says what was found on simulated records.

mod block;
mod group;
mod likeness;
mod matching;
mod party;
mod screening;
mod words;

pub use group::{Groups, groups};
pub use matching::{Limits, Matching, candidates};
pub use party::{Candidate, Evidence, EvidenceKind, Party, PartyKind};
pub use screening::{Hit, ListEntry, ScreeningList};
pub use words::{EntitiesError, Lexicon, digits_of_phone, folded_identifier};
