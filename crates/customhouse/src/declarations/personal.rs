//! What is one person's own: declarations being written, and views that somebody keeps. Neither is an event: a draft is
//! nothing that was done yet, and a view changes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::model::{Draft, SavedView};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Drafts of one person.
const DRAFTS_MAX: u32 = 100;
/// Bytes of one draft, names of fields and values together.
const DRAFT_BYTES_MAX: usize = 1024 * 1024;
/// Fields of one draft.
const FIELDS_MAX: usize = 20_000;
/// Views of one person.
const VIEWS_MAX: u32 = 50;
/// Longest name of a view.
const VIEW_NAME_CHARACTERS_MAX: usize = 80;
/// Longest query of a view.
const VIEW_QUERY_BYTES_MAX: usize = 2_000;

/// Whoever was told that a draft is saved finds it after a loss of power too.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS draft (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        fields TEXT NOT NULL,
        saved_us INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS draft_account ON draft (account, saved_us);
    CREATE TABLE IF NOT EXISTS saved_view (
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        query TEXT NOT NULL,
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;
";

/// The store of drafts and views.
#[derive(Debug)]
pub(crate) struct Personal(Mutex<Connection>);

fn failed(error: &rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return Error::new(
            Kind::Internal,
            "disk_full",
            "there is no space left for personal.sqlite",
            "Free some space on that disk and try again. What was saved before is safe.",
        );
    }
    Error::internal("personal_store_failed", error)
}

fn read_draft(row: &Row<'_>) -> rusqlite::Result<Draft> {
    let fields: String = row.get("fields")?;
    let saved: i64 = row.get("saved_us")?;
    Ok(Draft {
        id: row.get("id")?,
        // Written by us as a map of texts; whatever else it became shows as an empty form.
        fields: serde_json::from_str(&fields).unwrap_or_default(),
        saved_at: Timestamp::from_microsecond(saved).unwrap_or_default(),
    })
}

fn draft_unknown() -> Error {
    Error::new(
        Kind::NotFound,
        "draft_unknown",
        "there is no such draft of yours",
        "It may have been lodged or discarded: see the list of your declarations and drafts.",
    )
}

fn too_much(code: &str, detail: String, how_to_fix: &str) -> Error {
    Error::new(Kind::Refused, code, detail, how_to_fix)
}

impl Personal {
    /// Opens or makes the store.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path).map_err(|error| failed(&error))?;
        connection.execute_batch(SCHEMA).map_err(|error| failed(&error))?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Destroys drafts of these accounts and drafts and views in which the subject stands; answers with how many of
    /// each. Nothing of them is left in the file.
    pub(crate) fn erase(
        &self,
        accounts: &[String],
        names: &dyn Fn(&str) -> bool,
    ) -> Result<(u64, u64), Error> {
        self.ask(|connection| {
            let drafts: Vec<(String, String, String)> = connection
                .prepare("SELECT id, account, fields FROM draft")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let (mut gone, mut views_gone) = (0_u64, 0_u64);
            for (id, account, fields) in drafts {
                if accounts.contains(&account) || names(&fields) {
                    connection.execute("DELETE FROM draft WHERE id = ?1", [id])?;
                    gone = gone.saturating_add(1);
                }
            }
            let views: Vec<(String, String, String)> = connection
                .prepare("SELECT account, name, query FROM saved_view")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (account, name, query) in views {
                if names(&query) || names(&name) {
                    connection.execute(
                        "DELETE FROM saved_view WHERE account = ?1 AND name = ?2",
                        [account, name],
                    )?;
                    views_gone = views_gone.saturating_add(1);
                }
            }
            connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
            Ok((gone, views_gone))
        })
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let connection: MutexGuard<'_, Connection> = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        question(&connection).map_err(|error| failed(&error))
    }
}

impl Customhouse {
    /// Keeps a declaration as it stands in the form. An empty `id` begins a new draft.
    ///
    /// # Errors
    /// `draft_unknown` if the draft was lodged or discarded meanwhile; refused beyond the bounds.
    pub fn save_draft(
        &self,
        reader: &Reader,
        id: &str,
        fields: BTreeMap<String, String>,
    ) -> Result<Draft, Error> {
        reader.require(Permission::Lodge)?;
        let bytes = fields
            .iter()
            .fold(0_usize, |sum, (name, value)| sum.saturating_add(name.len()).saturating_add(value.len()));
        if fields.len() > FIELDS_MAX || bytes > DRAFT_BYTES_MAX {
            return Err(too_much(
                "draft_too_long",
                format!("the draft has {} fields and {bytes} bytes", fields.len()),
                "Split it into several declarations, or lodge it as a file.",
            ));
        }
        let text =
            serde_json::to_string(&fields).map_err(|error| Error::internal("draft_unwritable", &error))?;
        let saved_at = self.wall_now();
        let saved = saved_at.as_microsecond();
        let kept = if id.is_empty() {
            let id = format!("d-{}", hex::encode(crate::random_bytes::<8>()?));
            let added = self.personal.ask(|connection| {
                connection.execute(
                    "INSERT INTO draft (id, account, fields, saved_us) SELECT ?1, ?2, ?3, ?4
                     WHERE (SELECT count(*) FROM draft WHERE account = ?2) < ?5",
                    params![id, reader.id, text, saved, DRAFTS_MAX],
                )
            })?;
            if added == 0 {
                return Err(too_much(
                    "too_many_drafts",
                    format!("you have {DRAFTS_MAX} drafts already"),
                    "Lodge or discard some of them first.",
                ));
            }
            id
        } else {
            let changed = self.personal.ask(|connection| {
                connection.execute(
                    "UPDATE draft SET fields = ?3, saved_us = ?4 WHERE id = ?1 AND account = ?2",
                    params![id, reader.id, text, saved],
                )
            })?;
            if changed == 0 {
                return Err(draft_unknown());
            }
            id.to_owned()
        };
        Ok(Draft { id: kept, fields, saved_at })
    }

    /// The reader's drafts, the one saved last first.
    pub fn drafts(&self, reader: &Reader) -> Result<Vec<Draft>, Error> {
        reader.require(Permission::Lodge)?;
        self.personal.ask(|connection| {
            connection
                .prepare_cached("SELECT * FROM draft WHERE account = ?1 ORDER BY saved_us DESC, id")?
                .query_map([&reader.id], read_draft)?
                .collect()
        })
    }

    /// One draft of the reader's.
    pub fn draft(&self, reader: &Reader, id: &str) -> Result<Draft, Error> {
        reader.require(Permission::Lodge)?;
        let found = self.personal.ask(|connection| {
            connection
                .prepare_cached("SELECT * FROM draft WHERE id = ?1 AND account = ?2")?
                .query_row([id, &reader.id], read_draft)
                .optional()
        })?;
        found.ok_or_else(draft_unknown)
    }

    /// Throws a draft away; one that is gone already stays gone.
    pub fn discard_draft(&self, reader: &Reader, id: &str) -> Result<(), Error> {
        reader.require(Permission::Lodge)?;
        self.personal.ask(|connection| {
            connection
                .execute("DELETE FROM draft WHERE id = ?1 AND account = ?2", [id, &reader.id])
                .map(|_| ())
        })
    }

    /// Keeps a view of the list of declarations under a name; an earlier one of that name gives way.
    pub fn save_view(&self, reader: &Reader, name: &str, query: &str) -> Result<(), Error> {
        reader.require(Permission::ViewDeclarations)?;
        let name = name.trim();
        let named = (1..=VIEW_NAME_CHARACTERS_MAX).contains(&name.chars().count());
        if !named || name.contains(char::is_control) || query.len() > VIEW_QUERY_BYTES_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "view_name",
                "a view needs a name",
                format!("Give it 1 to {VIEW_NAME_CHARACTERS_MAX} characters, and narrow with fewer words."),
            ));
        }
        let kept = self.personal.ask(|connection| {
            connection.execute(
                "INSERT INTO saved_view (account, name, query) SELECT ?1, ?2, ?3
                 WHERE (SELECT count(*) FROM saved_view WHERE account = ?1 AND name <> ?2) < ?4
                 ON CONFLICT (account, name) DO UPDATE SET query = excluded.query",
                params![reader.id, name, query, VIEWS_MAX],
            )
        })?;
        if kept == 0 {
            return Err(too_much(
                "too_many_views",
                format!("you keep {VIEWS_MAX} views already"),
                "Forget one of them first.",
            ));
        }
        Ok(())
    }

    /// The reader's views by name.
    pub fn views(&self, reader: &Reader) -> Result<Vec<SavedView>, Error> {
        reader.require(Permission::ViewDeclarations)?;
        self.personal.ask(|connection| {
            connection
                .prepare_cached("SELECT name, query FROM saved_view WHERE account = ?1 ORDER BY name")?
                .query_map([&reader.id], |row| Ok(SavedView { name: row.get(0)?, query: row.get(1)? }))?
                .collect()
        })
    }

    /// Forgets a view; one that is gone already stays gone.
    pub fn forget_view(&self, reader: &Reader, name: &str) -> Result<(), Error> {
        reader.require(Permission::ViewDeclarations)?;
        self.personal.ask(|connection| {
            connection
                .execute("DELETE FROM saved_view WHERE account = ?1 AND name = ?2", [&reader.id, name])
                .map(|_| ())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Role;

    fn house() -> (tempfile::TempDir, Customhouse) {
        let folder = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&folder.path().join("data")).unwrap();
        (folder, house)
    }

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_draft_is_kept_as_typed_and_is_its_writers_alone() {
        let (_folder, house) = house();
        let (tara, tom) = (Reader::new("u-1", Role::Trader), Reader::new("u-2", Role::Trader));
        let typed = fields(&[("reference", "2026-1"), ("items[1].description", "  half a wor")]);
        let draft = house.save_draft(&tara, "", typed.clone()).unwrap();
        assert_eq!(house.draft(&tara, &draft.id).unwrap().fields, typed);
        let more = fields(&[("reference", "2026-1"), ("items[1].description", "half a word")]);
        house.save_draft(&tara, &draft.id, more.clone()).unwrap();
        let kept = house.drafts(&tara).unwrap();
        assert_eq!(kept.iter().map(|draft| &draft.fields).collect::<Vec<_>>(), [&more]);
        for refused in [
            house.draft(&tom, &draft.id).map(|_| ()),
            house.save_draft(&tom, &draft.id, typed.clone()).map(|_| ()),
            house.draft(&tara, "d-0").map(|_| ()),
        ] {
            assert_eq!(
                refused.unwrap_err().code,
                "draft_unknown",
                "somebody else's is as one that is not there"
            );
        }
        house.discard_draft(&tom, &draft.id).unwrap();
        assert_eq!(house.drafts(&tara).unwrap().len(), 1);
        house.discard_draft(&tara, &draft.id).unwrap();
        assert_eq!(house.save_draft(&tara, &draft.id, typed).unwrap_err().code, "draft_unknown");
        let officer = Reader::new("u-3", Role::Officer);
        assert_eq!(house.drafts(&officer).unwrap_err().code, "not_permitted");
    }

    #[test]
    fn drafts_and_views_have_bounds() {
        let (_folder, house) = house();
        let tara = Reader::new("u-1", Role::Trader);
        let long = fields(&[("x", &"y".repeat(DRAFT_BYTES_MAX))]);
        assert_eq!(house.save_draft(&tara, "", long).unwrap_err().code, "draft_too_long");
        for _ in 0..DRAFTS_MAX {
            house.save_draft(&tara, "", BTreeMap::new()).unwrap();
        }
        assert_eq!(house.save_draft(&tara, "", BTreeMap::new()).unwrap_err().code, "too_many_drafts");
        let oleg = Reader::new("u-2", Role::Officer);
        for number in 0..VIEWS_MAX {
            house.save_view(&oleg, &format!("view {number:02}"), "lane=red").unwrap();
        }
        assert_eq!(house.save_view(&oleg, "one more", "").unwrap_err().code, "too_many_views");
        house.save_view(&oleg, "view 00", "lane=yellow").unwrap();
        let views = house.views(&oleg).unwrap();
        assert_eq!(views.first().map(|view| view.query.as_str()), Some("lane=yellow"));
        assert_eq!(house.save_view(&oleg, " ", "").unwrap_err().code, "view_name");
        house.forget_view(&oleg, "view 00").unwrap();
        assert_eq!(house.views(&oleg).unwrap().len(), 49);
        assert!(house.views(&Reader::new("u-9", Role::Officer)).unwrap().is_empty());
    }
}
