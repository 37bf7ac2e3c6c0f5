//! Who is who, as people see it: pairs with what speaks for them, decisions with their undo, and nothing for traders.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::identity::{Reader, Role};
use customhouse::pool::AdmitRequest;

use crate::flow::{job_in, multipart};
use crate::support::Site;

const REGISTER: &str = "id,name,address,phone,owner,registered_on,closed_on,simulated\n\
    IMP-1,Zelquari <Foods> Ltd,\"12 Mill Street, Osk\",+999 20 111 1111,PN1,2023-01-01,2024-06-01,true\n\
    IMP-2,Norova Steel,\"Mill St 12, Osk\",+999 20 111 1111,PN2,2024-06-05,,true\n\
    IMP-4,Third Thorn,\"12 Mill Street, Osk\",,PN4,,,true\n\
    IMP-3,Alone Alders,\"1 Far Road, Estra\",+999 30 333 3333,PN3,2023-01-01,,true\n";

fn receive(site: &Site, text: &str, list: Option<&str>) {
    let operator = Reader::local_operator();
    site.house.receive_register(&operator, text.as_bytes(), list, &BTreeMap::new(), &spine::Silent).unwrap();
}

#[tokio::test]
async fn pairs_are_shown_with_what_speaks_for_them_and_merged_and_taken_apart_by_form() {
    let site = Site::with(&[Role::Officer, Role::Analyst, Role::Chief]);
    let (officer, analyst, chief) =
        (site.caller(Role::Officer), site.caller(Role::Analyst), site.caller(Role::Chief));
    let empty = site.get(&analyst, "/entities/matches").await.text;
    assert!(empty.contains("No register was received yet"), "{empty}");
    receive(&site, REGISTER, None);
    receive(&site, "id,name\n7,NOROVA STEAL\n", Some("embargo"));
    let page = site.get(&analyst, "/entities/matches?kind=succession&closed=yes").await.text;
    for told in [
        "1 pairs.",
        "IMP-1",
        "IMP-2",
        "+750",
        "SIMULATED",
        "They are one",
        "Zelquari &lt;Foods&gt; Ltd",
        "Mill St 12, Osk",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    assert!(!page.contains("IMP-3"));
    // Whoever decides comes back to the list as it was narrowed.
    assert!(page.contains("value=\"/entities/matches?kind=succession&amp;closed=yes\""), "{page}");
    assert!(site.get(&analyst, "/entities/matches?kind=owner").await.text.contains("No pair is like that"));
    let looked_at = site.get(&officer, "/entities/matches").await.text;
    assert!(
        looked_at.contains("IMP-1") && !looked_at.contains("They are one"),
        "an officer sees and does not decide"
    );

    let portrait = site.get(&officer, "/entities/IMP-2").await.text;
    for told in [
        "In the register",
        "Norova Steel",
        "Who shares address, telephone or owner",
        "Names on lists",
        "NOROVA STEAL",
        "○",
    ] {
        assert!(portrait.contains(told), "{told} in {portrait}");
    }
    let pair = [("one", "IMP-2"), ("other", "IMP-1"), ("back", "/entities/matches")];
    let nothing = site.post(&analyst, "/entities/matches/merge", &analyst.csrf, &pair).await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST, "{}", nothing.text);
    let because: Vec<(&str, &str)> = pair.into_iter().chain([("reason", "Same rooms")]).collect();
    let merged = site.post(&analyst, "/entities/matches/merge", &analyst.csrf, &because).await;
    assert_eq!(
        (merged.status, merged.header("location")),
        (StatusCode::SEE_OTHER, "/entities/matches"),
        "{}",
        merged.text
    );
    let both = site.get(&chief, "/entities/IMP-1").await.text;
    assert!(
        both.contains("One with")
            && both.contains("Same rooms")
            && both.contains("Propose to take them apart"),
        "{both}"
    );
    let found = site.get(&chief, "/api/v1/entities/matches?state=merged").await;
    let told: serde_json::Value = serde_json::from_str(&found.text).unwrap();
    let id = told["rows"][0]["decision"]["id"].as_str().unwrap();
    let split = format!("/entities/decisions/{id}/split");
    let undone =
        site.post(&chief, &split, &chief.csrf, &[("reason", "Two families"), ("back", "//elsewhere")]).await;
    assert_eq!((undone.status, undone.header("location")), (StatusCode::SEE_OTHER, "/entities/matches"));
    // Together they are large: another person approves it.
    let asked = site.get(&chief, "/entities/IMP-1").await.text;
    assert!(asked.contains("One with") && asked.contains("proposed to be taken apart"), "{asked}");
    let approve = format!("/entities/decisions/{id}/approve");
    assert_eq!(site.post(&chief, &approve, &chief.csrf, &[]).await.status, StatusCode::CONFLICT);
    assert_eq!(site.post(&analyst, &approve, &analyst.csrf, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(!site.get(&chief, "/entities/IMP-1").await.text.contains("One with"));
    let again = site.post(&chief, &split, &chief.csrf, &[("reason", "again")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let strange = format!("/entities/decisions/{id}/explode");
    assert_eq!(site.post(&chief, &strange, &chief.csrf, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_register_comes_in_by_page_and_the_job_leads_to_the_pairs() {
    let site = Site::with(&[Role::Officer, Role::Analyst]);
    let analyst = site.caller(Role::Analyst);
    let send = |caller: &crate::support::Caller, content: &str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/entities/register")
            .header(header::COOKIE, &caller.cookie)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
            .body(Body::from(multipart(&caller.csrf, "parties.csv", content)));
        site.ask(request.unwrap())
    };
    assert_eq!(send(&site.caller(Role::Officer), REGISTER).await.status, StatusCode::FORBIDDEN);
    let started = send(&analyst, REGISTER).await;
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text);
    let job = job_in(&started);
    let status = site.house.jobs().find(job).unwrap().wait(Duration::from_secs(60));
    let followed = site.get(&analyst, started.header("location")).await;
    assert_eq!(followed.header("location"), "/entities/matches", "{status:?}");
    let page = site.get(&analyst, "/entities/matches").await.text;
    assert!(page.contains("Register of traders") && page.contains("IMP-2"), "{page}");
    let broken = send(&analyst, "colour\nblue\n").await;
    let job = job_in(&broken);
    let status = site.house.jobs().find(job).unwrap().wait(Duration::from_secs(60));
    assert_ne!(status.state, customhouse::jobs::JobState::Running);
    assert!(site.get(&analyst, &format!("/jobs/{job}")).await.text.contains("register_unreadable"));
}

#[tokio::test]
async fn programs_decide_as_people_do_with_the_same_permissions_and_four_eyes() {
    let site = Site::with(&[Role::Officer, Role::Analyst, Role::Chief]);
    receive(&site, REGISTER, None);
    let post = async |role: Role, path: &str, body: serde_json::Value| {
        let caller = site.caller(role);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1/entities/{path}"))
            .header(header::COOKIE, &caller.cookie)
            .header("x-csrf-token", &caller.csrf)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        let answer = site.ask(request.unwrap()).await;
        let told: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        (answer.status.as_u16(), told)
    };
    let pair = |reason: &str| serde_json::json!({ "one": "IMP-2", "other": "IMP-4", "reason": reason });
    let nothing = serde_json::json!({});
    for (path, body) in
        [("matches/merge", pair("x")), ("matches/apart", pair("x")), ("decisions/d-0/split", nothing.clone())]
    {
        assert_eq!(post(Role::Officer, path, body).await.0, 403, "{path}");
    }
    let code = |told: &serde_json::Value| {
        let problem = told["type"].as_str().unwrap_or_default();
        problem.strip_prefix("urn:tidewaiter:problem:").unwrap_or_default().to_owned()
    };
    let (status, told) = post(Role::Analyst, "matches/merge", pair(" ")).await;
    assert_eq!((status, code(&told).as_str()), (400, "reason_missing"), "{told}");
    let (_, apart) = post(Role::Analyst, "matches/apart", pair("Two landlords.")).await;
    assert_eq!(apart["state"], "apart");
    let act = async |role, decision: &serde_json::Value, action: &str, body| {
        let id = decision["id"].as_str().unwrap();
        post(role, &format!("decisions/{id}/{action}"), body).await
    };
    assert_eq!(act(Role::Chief, &apart, "withdraw", nothing.clone()).await.1["state"], "withdrawn");
    let (_, merged) = post(Role::Analyst, "matches/merge", pair("Same rooms.")).await;
    let (mut state, mut proposer) = (merged["state"].clone(), Role::Analyst);
    if state == "merge_proposed" {
        let (status, told) = act(proposer, &merged, "approve", nothing.clone()).await;
        assert_eq!((status, code(&told).as_str()), (409, "entity_decision_by_same"));
        state = act(Role::Chief, &merged, "approve", nothing.clone()).await.1["state"].clone();
    }
    assert_eq!(state, "merged");
    // Large ones are taken apart by two people, too.
    let (_, told) = act(Role::Chief, &merged, "split", serde_json::json!({ "reason": "Two." })).await;
    state = told["state"].clone();
    if state == "split_proposed" {
        proposer = Role::Chief;
        assert_eq!(act(proposer, &merged, "approve", nothing.clone()).await.0, 409);
        state = act(Role::Analyst, &merged, "approve", nothing.clone()).await.1["state"].clone();
    }
    assert_eq!(state, "split");
    let (status, told) = act(Role::Chief, &merged, "explode", nothing).await;
    assert_eq!((status, code(&told).as_str()), (404, "action_unknown"));
}

#[tokio::test]
async fn what_an_entity_trades_stands_beside_what_others_trade() {
    let site = Site::with(&[Role::Officer]);
    let officer = site.caller(Role::Officer);
    let mut history = String::from(
        "declaration_id,date,office_id,importer_id,commodity_code,origin_country,net_mass,customs_value,currency,simulated\n",
    );
    for at in 0..8 {
        let value = if at == 7 { 400 } else { 100 + 10 * at };
        history.push_str(&format!("T{at},2025-01-02,10,TR-{at},640319,VN,10,{value},EUR,true\n"));
    }
    history.push_str("T8,2025-01-02,10,TR-7,851713,CN,1,7,EUR,true\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.csv");
    std::fs::write(&file, history).unwrap();
    let request = AdmitRequest::new(&file);
    site.house.admit(&Reader::local_operator(), &request, &spine::Silent).unwrap();
    let head = site.house.journal_position();
    assert!(site.house.wait_until_shown(head, Duration::from_secs(60)) >= head);
    let page = site.get(&officer, "/entities/TR-7").await.text;
    for told in [
        "Chapter 64 from VN",
        "Others: 7.",
        "Price per kilogram",
        "median 13 ± 2 (+13.5), mean 13 ± 2.16 (+12.5)",
        "as fewer than 5 others trade the same: Chapter 85 from CN (0).",
        "SIMULATED",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    let told = site.get(&officer, "/api/v1/entities/TR-7").await;
    let told: serde_json::Value = serde_json::from_str(&told.text).unwrap();
    let price = &told["trade"][0]["measures"][0];
    assert_eq!((&price["measure"], &price["own"]), (&"price_per_kg".into(), &40.0.into()), "{told}");
}
