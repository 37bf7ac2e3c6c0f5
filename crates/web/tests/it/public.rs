//! What everybody may read, four eyes on a policy, and the sandbox that marks every page.

use axum::http::StatusCode;
use customhouse::identity::{Reader, Role};

use crate::support::{Caller, SECRET_OFFICER, SECRET_RULE, Site};

#[tokio::test]
async fn status_and_changes_are_open_to_everybody_and_tell_no_secret() {
    let site = Site::with(&[Role::Chief, Role::Analyst]);
    let nobody = Caller::default();
    assert!(site.house.note_api(&web::openapi()).unwrap());
    for path in ["/status", "/status/live", "/changes", "/changes.atom"] {
        let answer = site.get(&nobody, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        for secret in [SECRET_OFFICER, SECRET_RULE, "IMP-1", "gross_below_net"] {
            assert!(!answer.text.contains(secret), "{path} tells {secret}");
        }
    }
    let feed = site.get(&nobody, "/changes.atom").await;
    assert!(feed.header("content-type").starts_with("application/atom+xml"));
    assert!(feed.text.starts_with("<?xml") && feed.text.trim_end().ends_with("</feed>"), "{}", feed.text);
    assert!(feed.text.contains("GET /api/v1/batches"), "{}", feed.text);
    assert_eq!(feed.text.matches("<entry>").count(), 1, "{}", feed.text);
}

#[tokio::test]
async fn everybody_who_is_signed_in_sees_the_same_boards() {
    let site = Site::with(&[Role::Trader, Role::Officer]);
    let (trader, officer) = (site.caller(Role::Trader), site.caller(Role::Officer));
    let empty = site.get(&trader, "/conformance").await;
    assert!(empty.text.contains("tidewaiter conformance SUITE"), "{}", empty.text);
    assert_eq!(site.get(&trader, "/api/v1/conformance").await.text, "[]");
    // A suite of two transit messages, of which one is judged otherwise than it was recorded.
    let cases = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = cases.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let schema = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="m" type="xs:int"/></xs:schema>"#;
    write("ncts5/xsd/m.xsd", schema);
    write("ncts5/samples/one.xml", "<m>1</m>");
    write("ncts5/samples/word.xml", "<m>one</m>");
    let measure = |word_is_valid: bool| {
        let expected = format!(
            r#"{{"one.xml": {{"xsd": "m.xsd", "xsd_valid": true}}, "word.xml": {{"xsd": "m.xsd", "xsd_valid": {word_is_valid}}}}}"#
        );
        write("ncts5/expected.json", &expected);
        let board = customhouse::conformance::run("ncts", cases.path()).unwrap();
        site.house.record_board(&Reader::local_operator(), &board).unwrap();
    };
    measure(false);
    measure(true);
    for caller in [&trader, &officer] {
        let page = site.get(caller, "/conformance").await;
        for part in ["1 / 2", "≠ 1 disagree", "word.xml", "Before: 2 / 2", "max=\"2\" value=\"1\""] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        let told: serde_json::Value =
            serde_json::from_str(&site.get(caller, "/api/v1/conformance").await.text).unwrap();
        let shown = (&told[0]["suite"], &told[0]["agreed"], &told[0]["before"]["agreed"]);
        assert_eq!(shown, (&"ncts".into(), &1.into(), &2.into()), "{told}");
        assert_eq!(told[0]["disagreements"][0]["got"], "refused", "{told}");
    }
    assert!(site.get(&trader, "/help").await.text.contains("href=\"/conformance\""));
}

#[tokio::test]
async fn a_policy_needs_two_people_and_the_page_says_whose_eyes_are_missing() {
    let site = Site::with(&[Role::Chief, Role::Analyst, Role::Auditor]);
    let (chief, analyst) = (site.caller(Role::Chief), site.caller(Role::Analyst));
    let kinds = [("kind", "acceptance"), ("kind", "selection"), ("kind", "release")];
    let answer = site.post(&chief, "/plan/propose", &chief.csrf, &kinds).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let page = site.get(&chief, "/plan").await.text;
    let hashes: Vec<&str> =
        page.split("action=\"/plan/policies/").skip(1).filter_map(|rest| rest.split('/').next()).collect();
    assert_eq!(hashes.len(), 3, "{page}");
    for hash in &hashes {
        let approve = format!("/plan/policies/{hash}/approve");
        assert_eq!(site.post(&chief, &approve, &chief.csrf, &[]).await.status, StatusCode::SEE_OTHER);
        // The same eyes twice are not four.
        let again = site.post(&chief, &approve, &chief.csrf, &[]).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert!(again.text.contains("policy_approved_by_same"), "{}", again.text);
    }
    assert!(site.get(&chief, "/plan").await.text.contains("another person must approve it too"));
    for hash in &hashes {
        let approve = format!("/plan/policies/{hash}/approve");
        assert_eq!(site.post(&analyst, &approve, &analyst.csrf, &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(site.get(&analyst, &format!("/plan/policies/{hash}")).await.status, StatusCode::OK);
    }
    let page = site.get(&site.caller(Role::Auditor), "/plan").await.text;
    assert!(page.contains("What does the plan in force say?"), "{page}");
    assert!(!page.contains("/approve"), "an auditor changes nothing");
    // Another capacity is another policy, and needs two people again.
    let wish = [("capacity", "7"), ("office", "10")];
    let answer = site.post(&analyst, "/plan/capacity", &analyst.csrf, &wish).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let page = site.get(&analyst, answer.header("location")).await.text;
    assert!(page.contains("proposed") && page.contains("2 more needed"), "{page}");
    let whole = site.post(&analyst, "/plan/capacity", &analyst.csrf, &[("capacity", "many")]).await;
    assert_eq!(whole.status, StatusCode::BAD_REQUEST);
    assert!(whole.text.contains("number_expected"), "{}", whole.text);
}

#[tokio::test]
async fn a_trader_is_led_to_their_own_page_and_search_finds_what_was_admitted() {
    let site = Site::with(&[Role::Trader, Role::Officer]);
    let first = site.get(&site.caller(Role::Trader), "/").await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/own"));
    let officer = site.caller(Role::Officer);
    let head = site.house.journal_position();
    assert!(site.house.wait_until_shown(head, std::time::Duration::from_secs(30)) >= head);
    for (words, found) in
        [("IMP-3", "/entities/IMP-3"), ("D00007", "/declarations/D00007"), ("status", "/status")]
    {
        let answer = site.get(&officer, &format!("/search?q={words}")).await;
        assert!(answer.text.contains(&format!("href=\"{found}\"")), "{words}: {}", answer.text);
    }
    assert!(!site.get(&officer, "/").await.text.contains("SANDBOX"), "the real thing is no sandbox");
}
