//! What of the log is told, and to whom.

use journal::log::tiles::Published;
use journal::log::tree::leaf_hash;
use journal::log::{LogError, LogProof};

use super::model::{LogStanding, OwnProof, ProofStanding};
use super::opened::Opened;
use super::{LOGGED_WITHIN, refused};
use crate::Customhouse;
use crate::declarations::event::stream;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Events of one declaration that are looked through.
const EVENTS_MAX: usize = 1_000;
/// What takes back a receipt or a release.
const TAKING_BACK: [&str; 2] = ["declaration.cancelled", "goods.detained"];

fn not_there(path: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "log_file_unknown",
        format!("the log has no file {path}"),
        "Ask for checkpoint, tile/<level>/<number>, tile/entries/<number> or keys/<number>, as C2SP tlog-tiles says.",
    )
}

impl Customhouse {
    /// How the log stands.
    #[must_use]
    pub fn log_standing(&self) -> LogStanding {
        let writer = &self.proofs.writer;
        let last = writer.checkpoint();
        let size = writer.logged();
        LogStanding {
            origin: super::origin(self.folder.administration(), self.folder.site()),
            size,
            root: last.as_ref().map_or_else(String::new, |last| last.checkpoint().root.to_string()),
            behind: self.journal.head().saturating_sub(size),
            pad_to: self.proofs.pad_to,
            keys: self.proofs.keys.iter().map(ToString::to_string).collect(),
            trouble: writer.stopped().or_else(|| writer.trouble().map(|error| error.to_string())),
            witnessed_size: self.proofs.witnessing.witnessed_size(),
            witness_key: self.proofs.witnessing.key(),
            split_views: self.proofs.witnessing.split_views(),
        }
    }

    /// A file of the log with its content type. The checkpoint and the record of its keys are anybody's; what tells how
    /// much happens when is for those who may see the journal.
    pub fn log_file(&self, reader: Option<&Reader>, path: &str) -> Result<(Vec<u8>, &'static str), Error> {
        let file: Published = path.parse().map_err(|_| not_there(path))?;
        if !file.is_public() {
            let reader = reader.ok_or_else(|| {
                Error::new(
                    Kind::Forbidden,
                    "not_permitted",
                    "tiles of the log are for those who may see the journal",
                    "Sign in, or use a token of an account that may.",
                )
            })?;
            reader.require(Permission::ViewJournal)?;
        }
        let bytes = self.proofs.writer.reader().published(&file).map_err(|error| refused(&error))?;
        Ok((bytes.ok_or_else(|| not_there(path))?, file.content_type()))
    }

    /// The proof file of an event: its envelope, not what it says.
    pub fn event_proof(&self, reader: &Reader, position: u64) -> Result<String, Error> {
        reader.require(Permission::ViewJournal)?;
        Ok(self.proof_of(position, false)?.to_string())
    }

    /// The proof file of a trader's own receipt or release, with everything that it says.
    pub fn own_proof(&self, reader: &Reader, mrn: &str, what: OwnProof) -> Result<String, Error> {
        // It may be asked for right after the receipt came: pages must show it by then.
        let _ = self.wait_until_shown(self.journal.head(), LOGGED_WITHIN);
        // Whose it is is asked where that is asked of everything.
        self.own_declaration(reader, mrn)?;
        let events = self.journal.read_stream(&stream(mrn), 0, EVENTS_MAX)?;
        let event =
            events.iter().rev().find(|event| event.envelope.kind == what.kind()).ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    "nothing_to_prove",
                    format!("there is no {} of {mrn} yet", what.name()),
                    "Look at the declaration again once it has come so far.",
                )
            })?;
        Ok(self.proof_of(event.position, true)?.to_string())
    }

    fn proof_of(&self, position: u64, whole: bool) -> Result<LogProof, Error> {
        let sealed = self.journal.sealed(position)?;
        let writer = &self.proofs.writer;
        if writer.wait_until_logged(position, LOGGED_WITHIN) < position {
            return Err(Error::new(
                Kind::Busy,
                "not_logged_yet",
                format!("the event at position {position} is recorded, but not in a checkpoint yet"),
                "Ask again in a moment; if it lasts, the status page says what keeps the log.",
            ));
        }
        // Where witnesses have seen it, the proof is the stronger one.
        let witnessed = self.proofs.witnessing.checkpoint_with(position);
        let proof = match witnessed {
            Some(checkpoint) => writer.proof_in(position, &checkpoint),
            None => writer.proof(position),
        };
        let mut proof = proof.map_err(|error: LogError| refused(&error))?;
        let opened =
            Opened::of(&sealed, whole).ok_or_else(|| Error::internal("event_unreadable", &position))?;
        proof.extra = serde_json::to_vec(&opened).ok();
        Ok(proof)
    }

    /// Whether a receipt or release still stands. Only for whoever has its proof file: `leaf` is the hash of its entry
    /// in hexadecimal, so that nobody can go through all indexes to learn how much was lodged and taken back.
    pub fn proof_standing(&self, index: u64, leaf: &str) -> Result<ProofStanding, Error> {
        let position = index.saturating_add(1);
        if position > self.journal.head() {
            return Ok(ProofStanding::Unknown);
        }
        if hex::encode(leaf_hash(&self.journal.sealed(position)?.envelope).as_bytes()) != leaf {
            return Ok(ProofStanding::Unknown);
        }
        let event = self.journal.event(position)?;
        let given_out = OwnProof::ALL.iter().any(|own| own.kind() == event.envelope.kind);
        if !given_out {
            return Ok(ProofStanding::Unknown);
        }
        let later =
            self.journal.read_stream(&event.envelope.stream, event.envelope.stream_version, EVENTS_MAX)?;
        let taken_back = later.iter().any(|later| TAKING_BACK.contains(&later.envelope.kind.as_str()));
        Ok(if taken_back { ProofStanding::TakenBack } else { ProofStanding::Stands })
    }
}
