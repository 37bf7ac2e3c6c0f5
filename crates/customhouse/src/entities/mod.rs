//! Who trades: one file per entity, from history and from what is lodged here.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `find_entities(&reader, &EntitiesQuery) -> EntitiesPage` | a page | view declarations |
//! | `entity(&reader, id) -> EntityFile` | one, in all its roles | view declarations |

mod model;
mod read_model;

pub use model::{
    EntitiesPage, EntitiesQuery, EntityFile, EntityRow, MonthOfEntity, PeerComparison, Relation, TagOfEntity,
};
