//! Amendments that traders ask for: what the declaration is to be, and what that changes.

use clearance::{Change, Command, Notice};
use formats::declaration::{Form, Understood};
use formats::message::{AmendmentRequest, Message, RequestHead, amend, read_message};
use formats::wco;
use spine::Finding;
use spine::declaration::Declaration;

use super::commands::Folded;
use super::content::standing;
use super::past::acceptable;
use crate::Customhouse;
use crate::error::{Error, Kind};

/// Bytes of a message that is read again.
const MESSAGE_BYTES_MAX: u64 = 1024 * 1024;
/// Reason of a change for which its trader states none: any other (code list of the DMS profile).
const OTHER_REASON: &str = "32";

/// What a declaration is to be, and what it was held against.
pub(super) struct Amended {
    pub(super) declaration: Declaration,
    /// Content hashes of the packs of rules and lists that were asked.
    pub(super) packs: Vec<String>,
}

impl Customhouse {
    /// What the declaration is to be once the open amendment is granted.
    pub(super) fn amended(&self, folded: &Folded) -> Result<Amended, Error> {
        let message = folded.case.amendment.as_ref().and_then(|notice| notice.message.as_ref());
        let message = message.ok_or_else(|| {
            Error::new(
                Kind::Refused,
                "amendment_not_requested",
                "no amendment of this declaration is asked for",
                "Reload the page to see what can be done now.",
            )
        })?;
        let mut bytes = Vec::new();
        let blob = self.journal.get_blob(&message.blob)?;
        std::io::Read::read_to_end(&mut std::io::Read::take(blob, MESSAGE_BYTES_MAX), &mut bytes)
            .map_err(|error| Error::internal("message_unreadable", &error))?;
        let Ok(Message::Amendment(request)) = read_message(&bytes) else {
            return Err(Error::internal("message_unreadable", &"the message that was kept is no amendment"));
        };
        self.applied(folded, &request)?.map_err(|findings| {
            Error::new(
                Kind::Refused,
                "amendment_not_possible",
                "the declaration as it stands now cannot be amended so",
                "Deny it, and tell the trader why.",
            )
            .with_findings(findings)
        })
    }

    /// The declaration with an amendment, or why it cannot be amended so: what comes out is held against its structure
    /// and against the rules that lodgement asks.
    pub(super) fn applied(
        &self,
        folded: &Folded,
        request: &AmendmentRequest,
    ) -> Result<Result<Amended, Vec<Finding>>, Error> {
        let Understood { declaration, mut findings } = amend(&standing(folded)?, request);
        let Some(declaration) = declaration else { return Ok(Err(findings)) };
        let checked = self.check_content(folded, &declaration, Form::DmsXml)?;
        findings.extend(checked.findings);
        Ok(if acceptable(&findings) {
            Ok(Amended { declaration, packs: checked.packs })
        } else {
            Err(findings)
        })
    }
}

/// The command that asks for an amendment.
pub(super) fn asked(request: &AmendmentRequest, notice: Notice) -> Command {
    let change = |own: &formats::message::Amendment| {
        let place = wco::place_of(own.pointer.as_ref()?)?;
        let reason_code = own.reason_code.clone().unwrap_or_else(|| OTHER_REASON.to_owned());
        Some(Change { reason_code, place })
    };
    let changes = request.amendments.iter().filter_map(change).collect();
    Command::RequestAmendment { notice, why: reasons(&request.head), changes }
}

/// Why something is asked for, in the trader's words.
pub(super) fn reasons(head: &RequestHead) -> String {
    let texts = head.reasons.iter().filter_map(|reason| reason.text.as_deref());
    texts.collect::<Vec<_>>().join("\n")
}
