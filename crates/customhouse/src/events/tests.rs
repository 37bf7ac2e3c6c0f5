use serde_json::json;

use super::JournalQuery;
use crate::error::Kind;
use crate::identity::{Reader, Role};
use crate::{Customhouse, Fact};

const SEALED_TAG: &str = "watched_with_care";

struct Case {
    place: tempfile::TempDir,
    house: Customhouse,
    chief: Reader,
}

impl Case {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&place.path().join("data")).unwrap();
        Self { place, house, chief: Reader::new("o-chief", Role::Chief) }
    }

    fn note(&self, stream: &str, kind: &'static str, payload: serde_json::Value) -> u64 {
        self.house.record(&self.chief, Fact::new(stream, kind, payload)).unwrap()
    }

    /// Positions that a query shows, and where it goes on.
    fn shown(&self, stream: &str, kind: &str, before: u64) -> (Vec<u64>, Option<u64>) {
        let query = JournalQuery { stream: stream.to_owned(), kind: kind.to_owned(), before };
        let page = self.house.journal_page(&self.chief, &query).unwrap();
        (page.events.iter().map(|event| event.position).collect(), page.before)
    }

    /// A pack that not everybody may know of, with one tag that hardly anybody may know of.
    fn install_sealed_tag(&self) {
        let folder = self.place.path().join("quiet-tags");
        std::fs::create_dir(&folder).unwrap();
        let manifest = "id = \"quiet-tags\"\nversion = \"1.0.0\"\nkind = \"tags\"\ntitle = { en = \"T\", zh = \"题\" }\n\
                        owner = \"Unit\"\nlegal_basis = \"Law\"\nsensitivity = \"sealed\"\nlicence = \"MIT\"\n";
        std::fs::write(folder.join("pack.toml"), manifest).unwrap();
        let tag = format!(
            "[family]\nid = \"own\"\ntitle = {{ en = \"Own\", zh = \"自有\" }}\n[[tag]]\nid = \"{SEALED_TAG}\"\n\
             title = {{ en = \"T\", zh = \"题\" }}\ndescription = {{ en = \"D\" }}\nsensitivity = \"sealed\"\n\
             when = \"net_mass > 1\"\ninspection_hint = {{ en = \"H\", zh = \"示\" }}\n"
        );
        std::fs::write(folder.join("tags.toml"), tag).unwrap();
        let report = self.house.install_pack(&Reader::local_operator(), &folder).unwrap();
        assert!(report.installed.is_some(), "{report:?}");
    }
}

#[test]
fn pages_go_back_from_the_latest_event_to_the_first_without_leaving_one_out() {
    let case = Case::new();
    for number in 0..130 {
        let kind = if number % 10 == 0 { "thing.moved" } else { "thing.seen" };
        case.note(&format!("thing/{}", number % 2), kind, json!({ "number": number }));
    }
    let head = case.house.journal_position();
    for (stream, kind) in
        [("", ""), ("thing/", ""), ("thing/1", ""), ("", "thing.moved"), ("thing/0", "thing.mo")]
    {
        let (mut all, mut before) = (Vec::new(), 0);
        loop {
            let (page, next) = case.shown(stream, kind, before);
            assert!(page.len() <= 50);
            all.extend(page);
            match next {
                Some(next) => before = next,
                None => break,
            }
        }
        let wanted: Vec<u64> = (1..=head)
            .rev()
            .filter(|position| {
                let envelope = case.house.journal_event(&case.chief, *position).unwrap().row.envelope;
                let fits = if stream.ends_with('/') {
                    envelope.stream.starts_with(stream)
                } else {
                    envelope.stream == stream
                };
                (stream.is_empty() || fits) && envelope.kind.starts_with(kind)
            })
            .collect();
        assert!(!wanted.is_empty());
        assert_eq!(all, wanted, "{stream} {kind}");
    }
    assert_eq!(case.shown("nothing/here", "", 0), (Vec::new(), None));
}

#[test]
fn what_is_above_the_clearance_is_in_no_byte_of_an_event() {
    let case = Case::new();
    case.install_sealed_tag();
    let installed = case.house.journal_position();
    let applied = case.note(
        "declaration/26XX1",
        "tags.applied",
        json!({
            "tags": [{ "tag": SEALED_TAG, "items": [1] }, { "tag": "gross_below_net", "items": [1] }],
            "pairs": [[SEALED_TAG, 3], ["gross_below_net", 4]],
            "points": { SEALED_TAG: 7, "gross_below_net": 2 },
            "note": format!("because of {SEALED_TAG}"),
        }),
    );
    let seen = case.house.journal_event(&case.chief, applied).unwrap();
    assert_eq!(
        seen.payload.unwrap(),
        json!({ "tags": [{ "tag": "gross_below_net", "items": [1] }], "pairs": [["gross_below_net", 4]], "points": { "gross_below_net": 2 } })
    );
    assert!(!seen.whole);
    // That the pack is there is as secret as the pack.
    assert_eq!(case.house.journal_event(&case.chief, installed).unwrap_err().code, "event_unknown");
    assert!(!case.shown("", "", 0).0.contains(&installed));
    let auditor = Reader::new("o-auditor", Role::Auditor);
    let whole = case.house.journal_event(&auditor, applied).unwrap();
    assert!(whole.whole && whole.payload.unwrap().to_string().contains(SEALED_TAG));
    assert!(case.house.journal_event(&auditor, installed).is_ok());
}

#[test]
fn an_erased_payload_says_when_and_why_and_who_may_not_look_sees_nothing() {
    let case = Case::new();
    let position = case.note("thing/1", "thing.seen", json!({ "name": "Zebra" }));
    case.house.journal.erase_payload(position, "retention of five years is over").unwrap();
    let seen = case.house.journal_event(&case.chief, position).unwrap();
    assert_eq!((seen.payload, seen.row.erased), (None, true));
    assert_eq!(seen.erased.unwrap().1, "retention of five years is over");
    for position in [0, position + 1, u64::MAX] {
        assert_eq!(case.house.journal_event(&case.chief, position).unwrap_err().kind, Kind::NotFound);
    }
    for role in [Role::Trader, Role::Officer, Role::Admin] {
        let other = Reader::new("o-other", role);
        assert_eq!(case.house.journal_event(&other, 1).unwrap_err().kind, Kind::Forbidden);
        assert_eq!(
            case.house.journal_page(&other, &JournalQuery::default()).unwrap_err().kind,
            Kind::Forbidden
        );
    }
}
