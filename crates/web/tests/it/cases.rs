//! Declarations through the pages: found, looked at, taken, controlled, decided; two officers at once; a form that must
//! be mended.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::declarations::{Channel, DeclarationsQuery, Lane, LodgeRequest};
use customhouse::identity::{NewAccount, Reader, Role};
use customhouse::plans::PolicyKind;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, PASSWORD, Site};

/// A site whose policies send packages that weigh nothing to the red lane, and everything else through.
struct Desk {
    site: Site,
    second: Caller,
}

/// A declaration of two items of mobile phones; the packages of one that is `odd` weigh nothing.
fn declaration(reference: &str, odd: bool) -> Value {
    let gross = if odd { "10" } else { "12.5" };
    let item = |number: u32, gross: &str| {
        json!({
            "sequence_numeric": number,
            "customs_value_amount": { "amount": "1200.50", "currency": "EUR" },
            "commodity": {
                "description": "mobile phones",
                "classification": [{ "id": "851713" }],
                "goods_measure": { "gross_mass_measure": gross, "net_net_weight_measure": "10" }
            },
            "government_procedure": [{ "current_code": "40", "previous_code": "00" }],
            "origin": [{ "country_code": "CN" }],
            "packaging": [{ "quantity_quantity": "10", "type_code": "CT" }]
        })
    };
    json!({
        "functional_reference_id": reference,
        "type_code": "IMA",
        "declaration_office_id": "10",
        "declarant": { "id": "NL0001" },
        "exporter": { "id": "CN0001" },
        "border_transport_means": { "mode_code": "1" },
        "goods_shipment": {
            "importer": { "id": "NL0001" },
            "export_country": "CN",
            "government_agency_goods_item": [item(1, gross), item(2, "12.5")]
        }
    })
}

impl Desk {
    fn new() -> Self {
        let site = Site::with(&[Role::Officer, Role::Chief, Role::Analyst]);
        let second = site.house.open_account(
            &Reader::local_operator(),
            &NewAccount::new("olga", Role::Officer, PASSWORD).at_office(Some("10")),
        );
        assert_eq!(second.unwrap().role, Role::Officer);
        let cookie = site.house.accounts().sign_in("olga", PASSWORD, "test", site.house.wall_now()).unwrap();
        let csrf = site.house.accounts().session(&cookie, site.house.wall_now()).unwrap().unwrap().csrf;
        let second = Caller { cookie: format!("__Host-tidewaiter={cookie}"), csrf };
        let desk = Self { site, second };
        for kind in PolicyKind::ALL {
            let mut content = desk.site.house.standard_policy(kind).unwrap();
            if kind == PolicyKind::Selection {
                let hard = json!({ "lane": "red", "legal_basis": "Customs Act, section 1", "reason": { "en": "Masses cannot be." } });
                content["hard_rules"] = json!({ "no_tare_at_all": hard });
                content["initial_threshold"] = json!(900);
                content["floor_ppm"] = json!(1);
                content["random_share_ppm"] = json!(0);
                content["audit_share_ppm"] = json!(0);
            }
            let (analyst, chief) = (Reader::new("a", Role::Analyst), Reader::new("c", Role::Chief));
            let hash = desk.site.house.propose_policy(&analyst, kind, content).unwrap().hash;
            desk.site.house.approve_policy(&analyst, &hash).unwrap();
            desk.site.house.approve_policy(&chief, &hash).unwrap();
        }
        desk
    }

    /// Lodges a declaration, waits until pages show it, and answers with its number.
    fn lodge(&self, reference: &str, odd: bool) -> String {
        let trader = Reader::new("t", Role::Trader).of_party(Some("NL0001"));
        let bytes = serde_json::to_vec(&declaration(reference, odd)).unwrap();
        let request = LodgeRequest { bytes, form: None, channel: Channel::Api };
        let receipt = self.site.house.lodge(&trader, request).unwrap();
        let _ = self.site.house.wait_until_shown(receipt.position, Duration::from_secs(60));
        receipt.mrn
    }

    fn officer(&self) -> Caller {
        self.site.caller(Role::Officer)
    }

    async fn get(&self, caller: &Caller, path: &str) -> Answer {
        let answer = self.site.get(caller, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer
    }

    /// Sends an action from the page of a case that was read before.
    async fn act(&self, caller: &Caller, mrn: &str, page: &str, fields: &[(&str, &str)]) -> Answer {
        let (version, seen) = (hidden(page, "version"), hidden(page, "seen"));
        let mut all = vec![("version", version.as_str()), ("seen", seen.as_str())];
        all.extend_from_slice(fields);
        self.site.post(caller, &format!("/declarations/{mrn}/act"), &caller.csrf, &all).await
    }

    /// Sends the form of a result.
    async fn result(
        &self,
        caller: &Caller,
        mrn: &str,
        fields: &[(&str, &str)],
        file: Option<&[u8]>,
    ) -> Answer {
        let page = self.get(caller, &format!("/declarations/{mrn}/result")).await.text;
        let (version, seen) = (hidden(&page, "version"), hidden(&page, "seen"));
        let mut body: Vec<u8> = Vec::new();
        let all = [("csrf", caller.csrf.as_str()), ("version", &version), ("seen", &seen)];
        for (name, value) in all.iter().chain(fields) {
            body.extend(
                format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
            );
        }
        if let Some(file) = file {
            body.extend(
                b"--x\r\nContent-Disposition: form-data; name=\"evidence\"; filename=\"door.png\"\r\n\r\n",
            );
            body.extend(file);
            body.extend(b"\r\n");
        }
        body.extend(b"--x--\r\n");
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/declarations/{mrn}/result"))
            .header(header::COOKIE, &caller.cookie)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
        self.site.ask(request.body(Body::from(body)).unwrap()).await
    }
}

/// The value of the first hidden field of a name.
fn hidden(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\" value=\"");
    let rest = page.split(&marker).nth(1).unwrap_or_else(|| panic!("no field {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_list_says_in_its_address_what_it_shows_and_exports_the_same() {
    let desk = Desk::new();
    let red = desk.lodge("R-1", true);
    let green = desk.lodge("G-1", false);
    let officer = desk.officer();
    let page = desk.get(&officer, "/declarations?source=live").await.text;
    assert!(page.contains(&red) && page.contains(&green) && page.contains("2 in all"), "{page}");
    let page = desk
        .get(&officer, "/declarations?source=live&lane=red&columns=lane,value&density=compact")
        .await
        .text;
    assert!(page.contains(&red) && !page.contains(&green));
    assert!(
        page.contains("class=\"dense\"") && page.contains("columns=lane%2Cvalue"),
        "the look stays in links"
    );
    let csv = desk.get(&officer, "/declarations.csv?source=live&lane=red").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert_eq!(csv.text.lines().count(), 2, "{}", csv.text);
    assert!(csv.text.contains(&red));
    // Every record of history is there too, beyond one piece of what is sent.
    let csv = desk.get(&officer, "/declarations.csv").await;
    assert_eq!(csv.text.lines().count(), 1 + 240 + 2);
    let wrong = desk.site.get(&officer, "/declarations.csv?from=yesterday").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "a refusal is told before the first byte");
    let nothing = desk.get(&officer, "/declarations?lane=blue&source=live").await.text;
    assert!(nothing.contains("No declaration matches"));
}

#[tokio::test]
async fn a_view_is_kept_for_whoever_kept_it() {
    let desk = Desk::new();
    let (officer, chief) = (desk.officer(), desk.site.caller(Role::Chief));
    let kept = desk
        .site
        .post(&officer, "/declarations/views", &officer.csrf, &[("name", "red ones"), ("query", "lane=red")])
        .await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.text);
    let page = desk.get(&officer, "/declarations?lane=red").await.text;
    assert!(page.contains("red ones") && page.contains("Forget"), "{page}");
    assert!(!desk.get(&chief, "/declarations?lane=red").await.text.contains("red ones"));
    let gone =
        desk.site.post(&officer, "/declarations/views/forget", &officer.csrf, &[("name", "red ones")]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert!(!desk.get(&officer, "/declarations?lane=red").await.text.contains("red ones"));
}

#[tokio::test]
async fn an_officer_sees_why_but_no_points_and_no_arm() {
    let desk = Desk::new();
    let red = desk.lodge("R-1", true);
    let place = format!("/declarations/{red}");
    let seen = desk.get(&desk.officer(), &place).await.text;
    assert!(seen.contains("/tags/no_tare_at_all") && seen.contains("The goods are to be examined"), "{seen}");
    for secret in ["hard rule", "points", "A rule without discretion"] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
    assert!(
        desk.get(&desk.site.caller(Role::Chief), &place).await.text.contains("A rule without discretion")
    );
    let list = desk.get(&desk.officer(), "/declarations?arm=hard_rule").await.text;
    assert!(
        !list.contains("name=\"arm\"") && !list.contains("value=\"score\""),
        "no filter, no column for it"
    );
}

#[tokio::test]
async fn a_red_declaration_is_taken_controlled_and_its_result_taken_back() {
    let desk = Desk::new();
    let red = desk.lodge("R-1", true);
    let (officer, place) = (desk.officer(), format!("/declarations/{red}"));
    let page = desk.get(&officer, &place).await.text;
    assert!(page.contains("Take") && !page.contains("/result\""), "nobody records what they do not have");
    let taken = desk.act(&officer, &red, &page, &[("action", "take")]).await;
    assert_eq!((taken.status, taken.header("location")), (StatusCode::SEE_OTHER, place.as_str()));
    // What must be mended is said at its field, and what was written stands there still.
    let wrong = [
        ("code", "conform"),
        ("found.1.value", "5000 EUR"),
        ("recovered", "much"),
        ("note", "Looked twice."),
    ];
    let mend = desk.result(&officer, &red, &wrong, Some(b"<svg/>")).await;
    assert_eq!(mend.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", mend.text);
    for part in
        ["id=\"code-error\"", "id=\"recovered-error\"", "id=\"evidence-error\"", "5000 EUR", "Looked twice."]
    {
        assert!(mend.text.contains(part), "{part}: {}", mend.text);
    }
    let right = [("code", "minor_discrepancy"), ("found.1.gross_mass", "12"), ("note", "Scale read again.")];
    let done = desk.result(&officer, &red, &right, Some(b"\x89PNG\r\n\x1a\n")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let page = desk.get(&officer, &place).await.text;
    for part in ["A4", "Scale read again.", "door.png", "about to be released", "data-until"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let document =
        page.split(&format!("{place}/documents/")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let photo = desk.get(&officer, &format!("{place}/documents/{document}")).await;
    assert_eq!(photo.header("content-type"), "image/png");
    assert!(photo.header("content-disposition").starts_with("attachment"));
    let other = desk.site.get(&officer, &format!("{place}/documents/{}", "0".repeat(64))).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let back =
        desk.act(&officer, &red, &page, &[("action", "withdraw_result"), ("why", "wrong scale")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text);
    let page = desk.get(&officer, &place).await.text;
    assert!(page.contains("wrong scale") && page.contains("goods examined"), "{page}");
    assert!(desk.get(&officer, &format!("{place}/original")).await.text.contains("R-1"));
}

#[tokio::test]
async fn an_officer_corrects_what_a_control_found_and_only_what_was_written_over_changes() {
    let desk = Desk::new();
    let red = desk.lodge("R-1", true);
    let officer = desk.officer();
    let place = format!("/declarations/{red}");
    let page = desk.get(&officer, &place).await.text;
    assert!(!page.contains("name=\"item.1.net\""), "there is no result yet");
    desk.act(&officer, &red, &page, &[("action", "take")]).await;
    let irregular = [("code", "irregular"), ("found.1.net_mass", "9"), ("note", "Weighed.")];
    let done = desk.result(&officer, &red, &irregular, None).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let page = desk.get(&officer, &place).await.text;
    for part in [
        "Correct the declaration",
        "name=\"item.1.net\" value=\"10\"",
        "name=\"item.2.code\" value=\"851713\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let correct = |net: &'static str, why: &'static str| {
        [
            ("action", "correct"),
            ("item.1.net", net),
            ("item.1.gross", "10"),
            ("item.2.description", ""),
            ("why", why),
        ]
    };
    // What breaks a rule is refused with what is wrong, and nothing is recorded.
    let refused = desk.act(&officer, &red, &page, &correct("13", "Weighed.")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let unread = desk.act(&officer, &red, &page, &correct("ten", "Weighed.")).await;
    assert_eq!(unread.status, StatusCode::BAD_REQUEST, "{}", unread.text);
    let corrected = desk.act(&officer, &red, &page, &correct("9", "Weighed on the bridge.")).await;
    assert_eq!(corrected.status, StatusCode::SEE_OTHER, "{}", corrected.text);
    let chief = Reader::new("c", Role::Chief);
    let declaration = desk.site.house.case(&chief, &red).unwrap().declaration.unwrap();
    let told: Vec<(Option<String>, Option<String>)> = declaration
        .items()
        .iter()
        .map(|item| {
            let net = item.commodity.goods_measure.net_net_weight_measure.map(|net| net.to_string());
            (net, item.commodity.description.clone())
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(told, [(text("9"), text("mobile phones")), (text("10"), None)]);
}

#[tokio::test]
async fn a_decision_is_derived_again_and_compared_with_what_was_recorded() {
    let desk = Desk::new();
    let red = desk.lodge("R-1", true);
    let (officer, chief) = (desk.officer(), desk.site.caller(Role::Chief));
    let place = format!("/declarations/{red}/replay");
    assert_eq!(desk.site.get(&officer, &place).await.status, StatusCode::FORBIDDEN);
    assert!(!desk.get(&officer, &format!("/declarations/{red}")).await.text.contains("Then and now"));
    assert!(desk.get(&chief, &format!("/declarations/{red}")).await.text.contains("Then and now"));
    assert!(desk.get(&chief, &place).await.text.contains("Nothing is changed"));
    let started = desk.site.post(&chief, &place, &chief.csrf, &[]).await;
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text);
    let job = started.header("location").to_owned();
    for _ in 0..600 {
        if desk.site.get(&chief, &job).await.status == StatusCode::SEE_OTHER {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let page = desk.get(&chief, &place).await.text;
    assert!(page.contains("exactly as it was recorded"), "{page}");
    assert!(page.contains("Nothing that this declaration meets has changed"), "{page}");
}

#[tokio::test]
async fn of_two_officers_at_once_the_second_is_told_what_happened() {
    let desk = Desk::new();
    let red = desk.lodge("R-1", true);
    let place = format!("/declarations/{red}");
    let officer = desk.officer();
    let first = desk.get(&officer, &place).await.text;
    let second = desk.get(&desk.second, &place).await.text;
    let version = hidden(&second, "version");
    let still = desk.site.get(&desk.second, &format!("{place}/moved?version={version}")).await;
    assert_eq!(still.status, StatusCode::NO_CONTENT);
    desk.act(&officer, &red, &first, &[("action", "take")]).await;
    let moved = desk.get(&desk.second, &format!("{place}/moved?version={version}")).await.text;
    assert!(moved.contains("has moved on") && moved.contains(&place), "{moved}");
    let late = desk.act(&desk.second, &red, &second, &[("action", "take")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    for part in ["Somebody else was faster", "Taken", "officer", "take it again"] {
        assert!(late.text.contains(part), "{part}: {}", late.text);
    }
    // From the queue, whose line was read a moment ago, it is the same.
    let late = desk
        .site
        .post(&desk.second, &format!("/queue/{red}/take"), &desk.second.csrf, &[("next", "/queue")])
        .await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    assert!(late.text.contains("Somebody else was faster"), "{}", late.text);
    let form = desk.site.get(&desk.second, &format!("{place}/result")).await;
    assert_eq!(form.status, StatusCode::CONFLICT);
    assert!(form.text.contains("no_control_of_yours"));
}

#[tokio::test]
async fn the_queue_gives_out_what_is_most_urgent_and_says_what_has_changed() {
    let desk = Desk::new();
    let (first, second) = (desk.lodge("R-1", true), desk.lodge("R-2", true));
    let officer = desk.officer();
    let page = desk.get(&officer, "/queue").await.text;
    assert!(page.contains(&first) && page.contains(&second) && page.contains("2 waiting"), "{page}");
    let again = page.split("hx-get=\"").find(|part| part.starts_with("/queue/changed")).unwrap();
    let again = again.split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(desk.site.get(&officer, &again).await.status, StatusCode::NO_CONTENT);
    let taken = desk.site.post(&officer, "/queue/next", &officer.csrf, &[("office", "all")]).await;
    assert_eq!(taken.header("location"), format!("/declarations/{first}"), "{}", taken.text);
    let changed = desk.get(&officer, &again).await.text;
    assert!(changed.starts_with("<div id=\"tasks\"") && changed.contains("officer"), "{changed}");
    let fields = [("to", "olga"), ("why", "end of shift"), ("next", "/queue?whose=mine")];
    let over = desk.site.post(&officer, &format!("/queue/{first}/hand_over"), &officer.csrf, &fields).await;
    assert_eq!(over.header("location"), "/queue?whose=mine", "{}", over.text);
    assert!(desk.get(&desk.second, "/queue?whose=mine").await.text.contains(&first));
    desk.site.post(&officer, "/queue/next", &officer.csrf, &[("office", "all")]).await;
    let none = desk.site.post(&officer, "/queue/next", &officer.csrf, &[("office", "all")]).await;
    assert_eq!(none.status, StatusCode::CONFLICT);
    assert!(none.text.contains("nothing_free"));
}

#[tokio::test]
async fn a_declaration_of_the_history_says_where_it_came_from() {
    let desk = Desk::new();
    let query = DeclarationsQuery { source: "history".to_owned(), ..DeclarationsQuery::default() };
    let rows = desk.site.house.find_declarations(&Reader::new("c", Role::Chief), &query).unwrap().rows;
    let row = rows.first().unwrap();
    let page = desk.get(&desk.officer(), &format!("/declarations/{}", row.mrn)).await.text;
    let batch = format!("/pool/batches/{}", row.batch.as_ref().unwrap());
    assert!(page.contains(&batch) && page.contains("came with the history"), "{page}");
    assert!(!page.contains("name=\"action\""), "nothing can be done with it");
    assert_ne!(row.lane, Some(Lane::Hold));
}
