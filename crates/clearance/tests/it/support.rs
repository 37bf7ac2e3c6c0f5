//! Declarations that are led through clearance by short sentences.

use clearance::duty::{DebtLine, ItemDebt};
use clearance::{
    Basis, Case, Change, Command, ControlKind, ControlResult, Deadlines, Event, ItemFinding, LookFor, Notice,
    ResultCode, decide,
};
use jiff::{SignedDuration, Timestamp};
use spine::declaration::Declaration;
use spine::noun::{Evidence, Lane};
use spine::quantity::{CurrencyCode, Money};
use spine::{Actor, ActorKind, Finding, LocalizedText, Pointer, Sensitivity};

pub(crate) fn start() -> Timestamp {
    "2026-11-25T08:00:00Z".parse().unwrap()
}

pub(crate) fn actor(name: &str) -> Actor {
    let kind = match name.chars().next() {
        Some('o') => ActorKind::Officer,
        Some('t') => ActorKind::Trader,
        Some('p') => ActorKind::Policy,
        Some('s') => ActorKind::System,
        _ => panic!("no actor is called {name}"),
    };
    Actor { kind, id: name.to_owned() }
}

pub(crate) fn basis(policy: Option<&str>) -> Basis {
    Basis {
        legal_basis: "Customs Act, section 12".to_owned(),
        reason: LocalizedText::en_zh("As the case shows.", "见案情。"),
        how_to_contest: LocalizedText::en_zh("Write to the office.", "书面向海关提出。"),
        policy: policy.map(str::to_owned),
    }
}

pub(crate) fn look_for(sensitivity: Sensitivity) -> LookFor {
    LookFor {
        tag: "price_far_below_peers".to_owned(),
        title: LocalizedText::en_zh("Price far below peers", "价格远低于同类"),
        hint: LocalizedText::en_zh("Compare with the invoice.", "与发票比对。"),
        sensitivity,
        items: vec![1, 3],
    }
}

pub(crate) fn document() -> Evidence {
    Evidence {
        blob: "ab".repeat(32),
        media_type: "application/pdf".to_owned(),
        description: "invoice.pdf".to_owned(),
    }
}

pub(crate) fn result(code: ResultCode) -> ControlResult {
    let found = matches!(code, ResultCode::MinorDiscrepancy | ResultCode::Irregular);
    ControlResult {
        code,
        findings: found
            .then(|| ItemFinding {
                item: 1,
                field: "customs_value".to_owned(),
                declared: "1000.00 EUR".to_owned(),
                found: "4200.00 EUR".to_owned(),
                kind: "undervaluation".to_owned(),
            })
            .into_iter()
            .collect(),
        recovered_revenue: None,
        note: String::new(),
        evidence: vec![document()],
        inspected: code != ResultCode::ConsideredConform,
    }
}

pub(crate) fn to_correct() -> Vec<Finding> {
    vec![
        Finding::error("declarant_missing")
            .at(spine::Pointer("declarant/id".to_owned()))
            .expected("a declarant")
            .fix("Name the declarant."),
    ]
}

pub(crate) fn notice() -> Notice {
    Notice {
        reference: Some("M-7".to_owned()),
        location: Some("NLRTM".to_owned()),
        message: Some(document()),
    }
}

pub(crate) fn change(reason_code: &str) -> Change {
    let place = Pointer("GoodsShipment/GovernmentAgencyGoodsItem[1]/StatisticalValueAmount".to_owned());
    Change { reason_code: reason_code.to_owned(), place }
}

pub(crate) fn content() -> Box<Declaration> {
    Box::new(Declaration { functional_reference_id: Some("LRN-1".to_owned()), ..Declaration::default() })
}

pub(crate) fn debt() -> Vec<ItemDebt> {
    let euro =
        |text: &str| Money { amount: text.parse().unwrap(), currency: CurrencyCode::new("EUR").unwrap() };
    let line = DebtLine {
        type_code: "A00".to_owned(),
        regime_code: Some("100".to_owned()),
        base: Some(euro("10000.00")),
        rate: Some("2.7".parse().unwrap()),
        assessed: euro("270.00"),
        method_code: Some("E".to_owned()),
    };
    vec![ItemDebt { item: 1, lines: vec![line] }]
}

/// The command that words such as `complete irregular` stand for.
pub(crate) fn command(words: &str, now: Timestamp) -> Command {
    let (verb, argument) = words.split_once(' ').unwrap_or((words, ""));
    let text = || if argument.is_empty() { "because".to_owned() } else { argument.to_owned() };
    let due_at = now + SignedDuration::from_hours(240);
    let deadlines = Deadlines::default();
    match verb {
        "register" => Command::Register { basis: basis(Some("accept-1")), deadlines },
        "accept" => Command::Accept {
            basis: basis(Some("accept-1")),
            export: argument.contains("export"),
            debt: if argument.contains("debt") { debt() } else { Vec::new() },
        },
        "reject" => Command::Reject { basis: basis(Some("accept-1")), findings: to_correct() },
        "route" => {
            // `route red secretly`: what officers look for is not told.
            let (lane, secretly) = argument.split_once(' ').unwrap_or((argument, ""));
            let sensitivity =
                if secretly.is_empty() { Sensitivity::Official } else { Sensitivity::Restricted };
            Command::Route {
                lane: Lane::from_name(lane).unwrap(),
                look_for: vec![look_for(sensitivity)],
                basis: basis(Some("plan-1")),
                deadlines,
            }
        }
        "take" => Command::Take,
        "give-back" => Command::GiveBack,
        "hand-over" => Command::HandOver { to: argument.to_owned(), why: "shift ends".to_owned() },
        "complete" => Command::Complete {
            result: result(ResultCode::from_name(argument).unwrap()),
            basis: basis(None),
            deadlines,
        },
        "withdraw" => Command::WithdrawResult { why: text() },
        "request" => Command::RequestDocuments { what: text(), due_at },
        "send" => Command::SendDocuments { documents: vec![document()], note: String::new() },
        "ask" => Command::Ask { text: text(), due_at },
        "answer" => Command::Answer { text: text(), documents: Vec::new() },
        "escalate" => Command::Escalate {
            to: ControlKind::from_name(argument).unwrap(),
            why: "papers do not settle it".to_owned(),
            due_at,
            basis: basis(None),
        },
        "release" => Command::Release {
            basis: basis(None),
            open: (!argument.is_empty()).then(|| argument.to_owned()).into_iter().collect(),
        },
        "clear" => Command::Clear { basis: basis(None) },
        "present" => Command::Present { notice: notice() },
        "depart" => Command::Depart { notice: notice() },
        "request-amendment" => {
            Command::RequestAmendment { notice: notice(), why: text(), changes: vec![change("32")] }
        }
        "amend" => Command::GrantAmendment {
            basis: basis(None),
            declaration: content(),
            debt: debt(),
            packs: Vec::new(),
        },
        "deny-amendment" => Command::DenyAmendment { basis: basis(None) },
        "correct" => Command::Correct {
            basis: basis(None),
            changes: vec![change("16")],
            declaration: content(),
            debt: debt(),
            packs: Vec::new(),
        },
        "refuse" => Command::RefuseRequest {
            notice: notice(),
            request: "amendment".to_owned(),
            findings: to_correct(),
        },
        "insufficient" => Command::ReportInsufficient { note: text(), deadlines },
        "pay" => Command::ReceivePayment { note: text(), basis: basis(None) },
        "exit" => Command::ConfirmExit {
            office: "NL000510".to_owned(),
            code: ResultCode::from_name(argument).unwrap(),
        },
        "detain" => Command::Detain { basis: basis(None) },
        "request-cancel" => Command::RequestCancel { why: text(), reference: None },
        "cancel" => Command::Cancel { basis: basis(None) },
        "deny-cancel" => Command::DenyCancel { basis: basis(None) },
        "contest" => Command::Contest { text: text() },
        "uphold" => Command::AnswerContest { upheld: true, basis: basis(None), text: text() },
        "deny-contest" => Command::AnswerContest { upheld: false, basis: basis(None), text: text() },
        "close" => Command::CloseAudit {
            result: result(ResultCode::from_name(argument).unwrap()),
            basis: basis(None),
        },
        "tick" => Command::Tick,
        other => panic!("no command is called {other}"),
    }
}

/// A case that is led by sentences such as `o1 take`; `wait 3h` and `wait 31s` let time pass.
pub(crate) struct Walk {
    pub(crate) case: Case,
    pub(crate) now: Timestamp,
    /// Every event that happened, with the state before it.
    pub(crate) events: Vec<(clearance::State, Event)>,
}

impl Walk {
    pub(crate) fn new() -> Self {
        Self { case: Case::lodged(), now: start(), events: Vec::new() }
    }

    /// One sentence.
    pub(crate) fn step(&mut self, sentence: &str) -> Result<Vec<Event>, Vec<Finding>> {
        let (who, words) = sentence.split_once(' ').unwrap();
        if who == "wait" {
            let (number, unit) = words.split_at(words.len() - 1);
            let number: i64 = number.parse().unwrap();
            self.now += match unit {
                "s" => SignedDuration::from_secs(number),
                _ => SignedDuration::from_hours(number),
            };
            return Ok(Vec::new());
        }
        let events = decide(&self.case, &command(words, self.now), &actor(who), self.now)?;
        for event in &events {
            self.events.push((self.case.state, event.clone()));
            self.case.apply(event);
        }
        Ok(events)
    }

    /// Sentences with `;` between them, all of which must be possible.
    pub(crate) fn go(sentences: &str) -> Self {
        let mut walk = Self::new();
        for sentence in sentences.split(';').map(str::trim).filter(|sentence| !sentence.is_empty()) {
            if let Err(findings) = walk.step(sentence) {
                panic!("{sentences}: {sentence}: {}", findings[0]);
            }
        }
        walk
    }
}
