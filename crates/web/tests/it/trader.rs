//! A trader's pages: the form kept as it is typed, checked, lodged; what is followed and answered.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::declarations::CaseAction;
use customhouse::identity::{Reader, Role};

use crate::lodging::{Harbour, declaration};
use crate::support::{Answer, Caller};

const GOOD: &[(&str, &str)] = &[
    ("reference", "FORM-1"),
    ("type", "IMA"),
    ("office", "10"),
    ("declarant", "NL0001"),
    ("importer", "NL0001"),
    ("currency", "EUR"),
    ("items", "1"),
    ("1.description", "chargers"),
    ("1.code", "850440"),
    ("1.origin", "CN"),
    ("1.value", "80.00"),
    ("1.net", "9.5"),
    ("1.procedure", "40 00"),
];

fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more).copied().collect()
}

async fn send(harbour: &Harbour, path: &str, fields: &[(&str, &str)]) -> Answer {
    harbour.site.post(&harbour.tara, path, &harbour.tara.csrf, fields).await
}

#[tokio::test]
async fn a_draft_is_kept_as_typed_checked_and_lodged() {
    let harbour = Harbour::new(&[]);
    let begun =
        send(&harbour, "/own/drafts", &[("do", "save"), ("items", "1"), ("1.description", "half a wor")])
            .await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text);
    let draft = begun.header("location").to_owned();
    let page = harbour.site.get(&harbour.tara, &draft).await;
    assert!(page.text.contains("half a wor"), "{}", page.text);
    assert!(harbour.site.get(&harbour.tara, "/own").await.text.contains(&draft));
    assert_eq!(harbour.site.get(&harbour.tom, &draft).await.status, StatusCode::NOT_FOUND);
    // The page's script asks for JSON and learns where the draft is and when it was kept.
    let request = Request::builder()
        .method(Method::POST)
        .uri(&draft)
        .header(header::COOKIE, &harbour.tara.cookie)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = format!("csrf={}&do=save&items=1&1.description=half+a+word", harbour.tara.csrf);
    let saved = harbour.site.ask(request.body(Body::from(body)).unwrap()).await.json();
    assert_eq!(saved["place"], draft);
    assert!(saved["saved_at"].is_string());
    let more = send(&harbour, &draft, &with(GOOD, &[("do", "add")])).await;
    assert!(more.header("location").ends_with("#item-2"), "{}", more.header("location"));
    let two = [("items", "2"), ("2.procedure", "40 00")];
    let checked = send(&harbour, &draft, &with(GOOD, &with(&two, &[("do", "check")]))).await;
    assert_eq!(checked.header("location"), format!("{draft}?check=true"));
    let checked = harbour.site.get(&harbour.tara, checked.header("location")).await;
    for part in ["href=\"#2.code\"", "aria-invalid=\"true\"", "id=\"2.code-found\"", "commodity_code_missing"]
    {
        assert!(checked.text.contains(part), "{part}: {}", checked.text);
    }
    // What would be rejected is not lodged from the form.
    let refused = send(&harbour, &draft, &with(GOOD, &with(&two, &[("do", "lodge")]))).await;
    assert_eq!(refused.header("location"), format!("{draft}?check=true"), "{}", refused.text);
    let lodged = send(&harbour, &draft, &with(GOOD, &[("do", "lodge")])).await;
    assert_eq!(lodged.status, StatusCode::SEE_OTHER, "{}", lodged.text);
    let receipt = lodged.header("location").to_owned();
    assert!(receipt.ends_with("/receipt"), "{receipt}");
    let shown = harbour.site.get(&harbour.tara, &receipt).await;
    assert!(shown.text.contains("FORM-1"), "{}", shown.text);
    // Sent twice by an impatient hand: the same receipt, and nothing is lodged twice.
    let again = send(&harbour, &draft, &with(GOOD, &[("do", "lodge")])).await;
    assert_eq!(again.header("location"), receipt, "{}", again.text);
    assert_eq!(
        harbour.site.get(&harbour.tara, &draft).await.status,
        StatusCode::NOT_FOUND,
        "the draft is gone"
    );
    let home = harbour.site.get(&harbour.tara, "/").await;
    assert_eq!((home.status, home.header("location")), (StatusCode::SEE_OTHER, "/own"));
}

fn file(caller: &Caller, path: &str, fields: &[(&str, &str)], name: &str, bytes: &str) -> Request<Body> {
    let mut body = String::new();
    for (field, value) in fields {
        body.push_str(&format!("--x\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/pdf\r\n\r\n{bytes}\r\n--x--\r\n"
    ));
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::COOKIE, &caller.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_file_is_lodged_and_one_that_cannot_be_read_says_why() {
    let harbour = Harbour::new(&[]);
    let csrf = harbour.tara.csrf.as_str();
    let bytes = serde_json::to_string(&declaration("FILE-1", "NL0001", false)).unwrap();
    let lodged =
        harbour.site.ask(file(&harbour.tara, "/own/files", &[("csrf", csrf)], "a.json", &bytes)).await;
    assert!(lodged.header("location").ends_with("/receipt"), "{}", lodged.text);
    let own = lodged.header("location").trim_end_matches("/receipt").to_owned();
    let page = harbour.site.get(&harbour.tara, &own).await;
    assert!(page.text.contains("FILE-1") && page.text.contains("telephones of NL0001"), "{}", page.text);
    let unreadable =
        harbour.site.ask(file(&harbour.tara, "/own/files", &[("csrf", csrf)], "a.json", "{\"x\":")).await;
    assert!(
        unreadable.status.is_client_error() && unreadable.text.contains("json_not_well_formed"),
        "{}",
        unreadable.text
    );
    let stale = harbour.site.ask(file(&harbour.tara, "/own/files", &[("csrf", "0")], "a.json", &bytes)).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
}

/// A request of Tara's on a declaration: `GPR` presents its goods, `INV` cancels it.
fn request(reference: &str, mrn: &str, kind: &str) -> String {
    format!(
        "<MetaData xmlns=\"urn:wco:datamodel:WCO:DocumentMetaData-DMS:2\"><Declaration xmlns=\"urn:wco:datamodel:WCO:DEC-DMS:2\">\
         <FunctionCode>13</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID>\
         <TypeCode>{kind}</TypeCode></Declaration></MetaData>"
    )
}

#[tokio::test]
async fn a_message_about_a_declaration_is_followed_or_answered_on_the_page() {
    let harbour = Harbour::new(&[]);
    let hand_in = |caller: Caller, bytes: String| {
        let csrf = caller.csrf.clone();
        let site = &harbour.site;
        async move { site.ask(file(&caller, "/own/files", &[("csrf", &csrf)], "a.xml", &bytes)).await }
    };
    let mut early = declaration("EARLY-1", "NL0001", false);
    early["type_code"] = "IMD".into();
    let lodged = hand_in(harbour.tara.clone(), early.to_string()).await;
    let own = lodged.header("location").trim_end_matches("/receipt").to_owned();
    let mrn = own.trim_start_matches("/own/").to_owned();
    assert!(own.starts_with("/own/"), "{}", lodged.text);
    let (tara, tom) = (harbour.tara.clone(), harbour.tom.clone());
    // What is not one's own is not there, and is told in the reader's language.
    for (whose, bytes, status, told) in [
        (&tom, request("P-0", &mrn, "GPR"), StatusCode::NOT_FOUND, "You have no declaration of this number"),
        (&tara, "<Invoice/>".to_owned(), StatusCode::BAD_REQUEST, "message_unknown"),
        (&tara, request("P-1", "", "GPR"), StatusCode::BAD_REQUEST, "message_incomplete"),
        (&tara, "<CC315A/>".to_owned(), StatusCode::BAD_REQUEST, "/api/v1/entry-summaries"),
    ] {
        let answer = hand_in(whose.clone(), bytes).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains("notice bad") && answer.text.contains(told), "{told}: {}", answer.text);
    }
    let presented = hand_in(tara.clone(), request("P-2", &mrn, "GPR")).await;
    assert_eq!(presented.status, StatusCode::OK, "{}", presented.text);
    for part in ["notice good", "Presentation of the goods: done", "P-2", &format!("href=\"{own}\"")] {
        assert!(presented.text.contains(part), "{part}: {}", presented.text);
    }
    let again = hand_in(tara.clone(), request("P-2", &mrn, "GPR")).await;
    assert!(again.status == StatusCode::OK && again.text.contains("sent this very message before"));
    // Goods that are there may be presented once more: that is noted, and changes nothing.
    let late = hand_in(tara.clone(), request("P-3", &mrn, "GPR")).await;
    assert_eq!(late.status, StatusCode::OK, "{}", late.text);
    assert!(
        late.text.contains("goods_presented_already") && late.text.contains("notice good"),
        "{}",
        late.text
    );
    let page = harbour.site.get(&tara, &own).await;
    assert!(page.text.contains("class=\"notifications\"") && page.text.contains("DMSRCV"), "{}", page.text);
    // How long it may wait for its goods is told as people read a moment.
    assert!(page.text.contains("until 20") && !page.text.contains("Z</span>"), "{}", page.text);
}

#[tokio::test]
async fn a_file_is_checked_in_the_readers_language_and_nothing_is_lodged() {
    let harbour = Harbour::new(&[]);
    let head = harbour.site.house.journal_position();
    let send = |bytes: String| {
        let fields = [("csrf", harbour.tara.csrf.as_str())];
        harbour.site.ask(file(&harbour.tara, "/own/check/file", &fields, "a.xml", &bytes))
    };
    let good = serde_json::to_string(&declaration("CHECK-1", "NL0001", false)).unwrap();
    let page = send(good.clone()).await;
    assert!(page.status == StatusCode::OK && page.text.contains("CHECK-1"), "{}", page.text);
    assert!(page.text.contains("notice good"), "{}", page.text);
    let others = send(good.replace("NL0001", "NL0002")).await;
    assert!(others.text.contains("party_not_yours") && others.text.contains("notice bad"), "{}", others.text);
    let summary = "<CC315A>\n<HEAHEA>\n<TotNumOfIteHEA305>2</TotNumOfIteHEA305>\n</HEAHEA>\n</CC315A>";
    let page = send(summary.to_owned()).await;
    assert!(
        page.text.contains("<mark>&lt;TotNumOfIteHEA305&gt;2&lt;/TotNumOfIteHEA305&gt;</mark>"),
        "{}",
        page.text
    );
    assert!(page.text.contains("ens-entry-summary"), "{}", page.text);
    let unknown = send("<Invoice/>".to_owned()).await;
    assert!(unknown.status.is_client_error() && unknown.text.contains("message_unknown"), "{}", unknown.text);
    let script = send(
        "<CC315A>\n<HEAHEA><RefNumHEA4><![CDATA[<script>x</script>]]></RefNumHEA4></HEAHEA></CC315A>"
            .to_owned(),
    )
    .await;
    assert!(!script.text.contains("<script>x"), "{}", script.text);
    assert_eq!(harbour.site.house.journal_position(), head, "nothing is recorded");
}

#[tokio::test]
async fn a_question_is_answered_documents_are_sent_and_a_decision_is_contested() {
    let harbour = Harbour::new(&[]);
    let receipt = harbour.lodge(&harbour.tara_token, &declaration("ASK-1", "NL0001", true)).await.json();
    let mrn = receipt["mrn"].as_str().unwrap().to_owned();
    let officer = Reader::new("o-1", Role::Officer);
    let house = &harbour.site.house;
    let act = |action: CaseAction| {
        let version = house.case(&officer, &mrn).unwrap().version;
        house.act(&officer, &mrn, version, &action).unwrap();
    };
    act(CaseAction::Take);
    act(CaseAction::Ask { text: "Which of the two masses is right?".to_owned() });
    let own = format!("/own/{mrn}");
    let page = harbour.site.get(&harbour.tara, &own).await.text;
    assert!(page.contains("Which of the two masses is right?"), "{page}");
    assert!(harbour.site.get(&harbour.tara, "/own").await.text.contains("Waits for you"));
    let version = |page: &str| {
        page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let stale =
        send(&harbour, &format!("{own}/act"), &[("version", "1"), ("action", "answer"), ("text", "late")])
            .await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
    let seen = version(&page);
    let answered = send(
        &harbour,
        &format!("{own}/act"),
        &[("version", &seen), ("action", "answer"), ("text", "The gross mass is 12 kg.")],
    )
    .await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.text);
    assert_eq!(house.case(&officer, &mrn).unwrap().open_question, None);
    act(CaseAction::RequestDocuments { what: "The packing list".to_owned() });
    let page = harbour.site.get(&harbour.tara, &own).await.text;
    assert!(page.contains("The packing list"), "{page}");
    let (csrf, seen) = (harbour.tara.csrf.as_str(), version(&page));
    let fields = [("csrf", csrf), ("version", seen.as_str()), ("note", "Here it is.")];
    let sent = harbour
        .site
        .ask(file(&harbour.tara, &format!("{own}/documents"), &fields, "list.pdf", "%PDF-1.4"))
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let page = harbour.site.get(&harbour.tara, &own).await.text;
    let seen = version(&page);
    let contested = send(
        &harbour,
        &format!("{own}/act"),
        &[("version", &seen), ("action", "contest"), ("text", "It is released elsewhere.")],
    )
    .await;
    assert_eq!(contested.status, StatusCode::SEE_OTHER, "{}", contested.text);
    assert_eq!(
        house.case(&officer, &mrn).unwrap().open_contest.as_deref(),
        Some("It is released elsewhere.")
    );
    // Somebody else's answer is one to a declaration that does not exist.
    let request = harbour
        .site
        .post(
            &harbour.tom,
            &format!("{own}/act"),
            &harbour.tom.csrf,
            &[("version", "1"), ("action", "contest"), ("text", "x")],
        )
        .await;
    assert_eq!(request.status, StatusCode::NOT_FOUND);
}
