//! What a command must bring with it, and how much of it at most.

use jiff::Timestamp;
use spine::declaration::Declaration;
use spine::noun::Evidence;
use spine::{Finding, Language, LocalizedText, Pointer};

use crate::case::Case;
use crate::command::{Basis, Command, Deadlines};
use crate::control::{ControlKind, ControlResult, LookFor};
use crate::event::Notice;

/// Characters of a text.
const TEXT_CHARACTERS_MAX: usize = 10_000;
/// Tags that an order names.
const LOOK_FOR_MAX: usize = 1_000;
/// Findings of a rejection or a result.
const FINDINGS_MAX: usize = 10_000;
/// Changes of one amendment.
const CHANGES_MAX: usize = 10_000;
/// Packs of rules and lists that a content is held against.
const PACKS_MAX: usize = 1_000;
/// Things that may be open after release.
const OPEN_MAX: usize = 2;
/// Documents at once.
const EVIDENCE_MAX: usize = 200;
/// Deadlines: the longest that a control before release, an audit, and the time before a release may take.
const CONTROL_HOURS_MAX: u32 = 90 * 24;
const AUDIT_HOURS_MAX: u32 = 3 * 366 * 24;
const GRACE_SECONDS_MAX: u32 = 3_600;

/// Everything that is wrong with what a command brings.
pub(crate) fn check(case: &Case, command: &Command, now: Timestamp) -> Vec<Finding> {
    let mut check = Check { findings: Vec::new() };
    if let Some(basis) = command.basis() {
        check.basis(basis);
    }
    match command {
        Command::Reject { findings, .. } => {
            check.needed("findings", !findings.is_empty(), "what to correct");
            check.count("findings", findings.len(), FINDINGS_MAX);
        }
        Command::Route { look_for, deadlines, .. } => {
            check.look_for(look_for);
            check.deadlines(deadlines);
        }
        Command::HandOver { to, why } => {
            check.text("to", to);
            check.text("why", why);
            if case.officer() == Some(to.as_str()) {
                check.add("control_taken_already", "to", to, "another officer than the one who has it");
            }
        }
        Command::Complete { result, deadlines, .. } => {
            check.result(result);
            check.deadlines(deadlines);
        }
        Command::CloseAudit { result, .. } => check.result(result),
        Command::WithdrawResult { why } => check.text("why", why),
        Command::RequestCancel { why, reference } => {
            check.text("why", why);
            check.reference(reference.as_deref());
        }
        Command::Register { deadlines, .. } => check.deadlines(deadlines),
        Command::Present { notice } | Command::Depart { notice } => check.notice(notice),
        Command::RequestAmendment { notice, why, changes } => {
            check.notice(notice);
            check.length("why", why);
            check.needed("changes", !changes.is_empty(), "what is to change");
            check.count("changes", changes.len(), CHANGES_MAX);
        }
        Command::GrantAmendment { packs, .. } => check.count("packs", packs.len(), PACKS_MAX),
        Command::Correct { changes, packs, .. } => {
            check.needed("changes", !changes.is_empty(), "what changes");
            check.count("changes", changes.len(), CHANGES_MAX);
            check.count("packs", packs.len(), PACKS_MAX);
        }
        Command::RefuseRequest { notice, findings, .. } => {
            check.notice(notice);
            check.needed("findings", !findings.is_empty(), "why it is not followed");
            check.count("findings", findings.len(), FINDINGS_MAX);
        }
        Command::ReportInsufficient { note, deadlines } => {
            check.text("note", note);
            check.deadlines(deadlines);
        }
        Command::ReceivePayment { note, .. } => check.text("note", note),
        Command::ConfirmExit { office, code } => {
            check.text("office", office);
            if code.irregular() {
                let expected = "a result of the office of exit that let the goods leave: A1, A2 or A4";
                check.add("exit_not_satisfactory", "code", code.code(), expected);
            }
        }
        Command::Release { open, .. } => {
            check.count("open", open.len(), OPEN_MAX);
            for own in open.iter().filter(|own| !matches!(own.as_str(), "debt" | "licence")) {
                check.add("open_unknown", "open", own, "what may be open after release: debt, licence");
            }
        }
        Command::RequestDocuments { what, due_at } => {
            check.text("what", what);
            check.due("due_at", *due_at, now);
        }
        Command::Ask { text, due_at } => {
            check.text("text", text);
            check.due("due_at", *due_at, now);
        }
        Command::SendDocuments { documents, note } => {
            check.needed("documents", !documents.is_empty(), "at least one document");
            check.evidence("documents", documents);
            check.length("note", note);
        }
        Command::Answer { text, documents } => {
            check.text("text", text);
            check.evidence("documents", documents);
        }
        Command::Escalate { to, why, due_at, .. } => {
            check.text("why", why);
            check.due("due_at", *due_at, now);
            check.escalation(case, *to);
        }
        Command::Contest { text } | Command::AnswerContest { text, .. } => check.text("text", text),
        Command::Accept { .. }
        | Command::Take
        | Command::GiveBack
        | Command::Clear { .. }
        | Command::DenyAmendment { .. }
        | Command::Detain { .. }
        | Command::Cancel { .. }
        | Command::DenyCancel { .. }
        | Command::Tick => {}
    }
    check.findings
}

struct Check {
    findings: Vec<Finding>,
}

impl Check {
    fn add(&mut self, code: &str, place: &str, found: &str, expected: &str) {
        let finding = Finding::error(code).at(Pointer(place.to_owned())).found(found).expected(expected);
        self.findings.push(finding.fix("Correct it and try again; nothing has happened."));
    }

    fn needed(&mut self, place: &str, there: bool, expected: &str) {
        if !there {
            self.add("text_missing", place, "", expected);
        }
    }

    fn length(&mut self, place: &str, text: &str) {
        if text.chars().nth(TEXT_CHARACTERS_MAX).is_some() {
            self.add("text_too_long", place, text, &format!("at most {TEXT_CHARACTERS_MAX} characters"));
        }
    }

    fn text(&mut self, place: &str, text: &str) {
        self.needed(place, !text.trim().is_empty(), "a text");
        self.length(place, text);
    }

    fn count(&mut self, place: &str, count: usize, max: usize) {
        if count > max {
            self.add("too_many", place, &count.to_string(), &format!("at most {max}"));
        }
    }

    fn reference(&mut self, reference: Option<&str>) {
        let long = |text: &&str| text.chars().nth(Declaration::IDENTIFIER_CHARACTERS_MAX).is_some();
        if let Some(text) = reference.filter(long) {
            let expected = format!("at most {} characters", Declaration::IDENTIFIER_CHARACTERS_MAX);
            self.add("text_too_long", "reference", text, &expected);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.reference(notice.reference.as_deref());
        self.length("location", notice.location.as_deref().unwrap_or_default());
        self.evidence("message", notice.message.as_slice());
    }

    fn due(&mut self, place: &str, due_at: Timestamp, now: Timestamp) {
        if due_at <= now {
            self.add("deadline_in_the_past", place, &due_at.to_string(), "a time that is still to come");
        }
    }

    fn basis(&mut self, basis: &Basis) {
        let spoken = |text: &LocalizedText| text.in_language(Language::En).to_owned();
        for (place, text) in [
            ("basis/legal_basis", basis.legal_basis.clone()),
            ("basis/reason", spoken(&basis.reason)),
            ("basis/how_to_contest", spoken(&basis.how_to_contest)),
        ] {
            if text.trim().is_empty() {
                self.add(
                    "basis_incomplete",
                    place,
                    "",
                    "a text: every decision has its law, its reason and its remedy",
                );
            }
            self.length(place, &text);
        }
    }

    fn look_for(&mut self, look_for: &[LookFor]) {
        self.count("look_for", look_for.len(), LOOK_FOR_MAX);
        for own in look_for {
            self.count("look_for/items", own.items.len(), Declaration::ITEMS_MAX);
        }
    }

    fn deadlines(&mut self, deadlines: &Deadlines) {
        for (place, found, max) in [
            ("deadlines/documents_hours", deadlines.documents_hours, CONTROL_HOURS_MAX),
            ("deadlines/control_hours", deadlines.control_hours, CONTROL_HOURS_MAX),
            ("deadlines/hold_hours", deadlines.hold_hours, CONTROL_HOURS_MAX),
            ("deadlines/arrival_hours", deadlines.arrival_hours, CONTROL_HOURS_MAX),
            ("deadlines/payment_hours", deadlines.payment_hours, CONTROL_HOURS_MAX),
            ("deadlines/audit_hours", deadlines.audit_hours, AUDIT_HOURS_MAX),
            ("deadlines/release_grace_seconds", deadlines.release_grace_seconds, GRACE_SECONDS_MAX),
        ] {
            if found > max {
                self.add("deadline_too_long", place, &found.to_string(), &format!("at most {max}"));
            }
        }
    }

    fn evidence(&mut self, place: &str, evidence: &[Evidence]) {
        self.count(place, evidence.len(), EVIDENCE_MAX);
        for own in evidence {
            let hash =
                own.blob.len() == 64 && own.blob.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if !hash {
                self.add(
                    "not_a_hash",
                    place,
                    &own.blob,
                    "the SHA-256 of a document, 64 small hexadecimal digits",
                );
            }
            self.length(place, &own.description);
        }
    }

    fn result(&mut self, result: &ControlResult) {
        use crate::control::ResultCode::{Conform, ConsideredConform, Irregular};
        self.length("result/note", &result.note);
        self.evidence("result/evidence", &result.evidence);
        self.count("result/findings", result.findings.len(), FINDINGS_MAX);
        for own in &result.findings {
            self.text("result/findings/kind", &own.kind);
            for (place, text) in [("field", &own.field), ("declared", &own.declared), ("found", &own.found)] {
                self.length(&format!("result/findings/{place}"), text);
            }
        }
        let code = result.code;
        if result.inspected == (code == ConsideredConform) {
            let expected = "inspected for every code but A2, which says that nothing was looked at";
            self.add(
                "result_contradicts_itself",
                "result/inspected",
                &result.inspected.to_string(),
                expected,
            );
        }
        if matches!(code, Conform | ConsideredConform) && !result.findings.is_empty() {
            let expected = "no findings where all is as declared; A4 or B1 where something was found";
            self.add("result_contradicts_itself", "result/findings", code.code(), expected);
        }
        if code == Irregular && result.findings.is_empty() && result.note.trim().is_empty() {
            self.add(
                "text_missing",
                "result/findings",
                code.code(),
                "what was found, as findings or in the note",
            );
        }
        if result.recovered_revenue.is_some_and(|money| money.amount.is_sign_negative()) {
            self.add("amount_negative", "result/recovered_revenue", "", "an amount of 0 or more");
        }
    }

    fn escalation(&mut self, case: &Case, to: ControlKind) {
        let standing = case.control.as_ref().map(|standing| standing.kind);
        if to == ControlKind::Audit || standing == Some(to) {
            let expected = "another control before release than the open one: documents, physical or query";
            self.add("control_is_no_escalation", "to", to.name(), expected);
        }
    }
}
