//! Entry summary declarations over the API: accepted, rejected, amended, looked at, stopped.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::identity::Role;
use serde_json::json;

use crate::lodging::trader;
use crate::support::{Answer, Site};

/// A message against which the public rules have nothing.
const GOOD: &str = include_str!("../../../customhouse/src/entry_summary/accepted.xml");

async fn send(site: &Site, token: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/entry-summaries")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/xml");
    site.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn messages_come_in_and_messages_go_out() {
    let mut site = Site::with(&[Role::Officer]);
    let (tara, token) = trader(&mut site, "tara", "GB123456789");
    let (tom, stranger) = trader(&mut site, "tom", "GB999999999");
    let wrong = GOOD.replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<");
    let rejected = send(&site, &token, &wrong).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", rejected.text);
    assert!(rejected.text.contains("CC316A") && rejected.text.contains("8206"), "{}", rejected.text);
    let accepted = send(&site, &token, GOOD).await;
    assert_eq!(accepted.status, StatusCode::CREATED, "{}", accepted.text);
    assert_eq!(accepted.header("content-type"), "application/xml");
    let place = accepted.header("location").to_owned();
    let again = send(&site, &token, GOOD).await;
    assert_eq!((again.status, &again.text), (StatusCode::OK, &accepted.text));
    let other = GOOD.replace("smartphones", "telephones");
    assert_eq!(send(&site, &token, &other).await.status, StatusCode::CONFLICT);
    assert_eq!(send(&site, &stranger, GOOD).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&site, &token, "<CC315A>").await.status, StatusCode::BAD_REQUEST);
    let own = site.get(&tara, &place).await;
    assert_eq!(own.json()["lrn"].as_str(), Some("LRN-1"));
    assert_eq!(site.get(&tom, &place).await.status, StatusCode::NOT_FOUND);
    let officer = site.caller(Role::Officer);
    assert_eq!(site.get(&officer, &place).await.json()["items"].as_u64(), Some(1));
    let order = |cookie: &str, csrf: &str| {
        let order = json!({ "code": "A002", "text": "Do not load the goods." });
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{place}/intervention"))
            .header(header::COOKIE, cookie)
            .header("x-csrf-token", csrf)
            .header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(order.to_string())).unwrap()
    };
    assert_eq!(site.ask(order(&tara.cookie, &tara.csrf)).await.status, StatusCode::FORBIDDEN);
    let ordered = site.ask(order(&officer.cookie, &officer.csrf)).await;
    assert_eq!(ordered.status, StatusCode::CREATED, "{}", ordered.text);
    assert!(ordered.text.contains("CC351A") && ordered.text.contains("A002"), "{}", ordered.text);
    assert_eq!(site.ask(order(&officer.cookie, &officer.csrf)).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn officials_see_all_of_them_and_a_trader_its_own_with_messages_as_they_were_sent() {
    let mut site = Site::with(&[Role::Officer]);
    let (tara, token) = trader(&mut site, "tara", "GB123456789");
    let (tom, _) = trader(&mut site, "tom", "GB999999999");
    let officer = site.caller(Role::Officer);
    let empty = site.get(&officer, "/entry-summaries").await;
    assert!(empty.text.contains("No entry summaries yet"), "{}", empty.text);
    let wrong =
        GOOD.replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<").replace(">LRN-1<", ">LRN-BAD<");
    send(&site, &token, &wrong).await;
    let accepted = send(&site, &token, GOOD).await;
    let mrn = accepted.header("location").rsplit('/').next().unwrap().to_owned();
    for (caller, path) in [(&officer, "/entry-summaries"), (&tara, "/own/entry-summaries")] {
        let list = site.get(caller, path).await;
        assert_eq!(list.status, StatusCode::OK);
        for part in ["LRN-1", "LRN-BAD", "Accepted", "Rejected", &mrn, "GB123456789"] {
            assert!(list.text.contains(part), "{path}: {part}: {}", list.text);
        }
        let found = site.get(caller, &format!("{path}?state=rejected&q=LRN")).await.text;
        assert!(found.contains("LRN-BAD") && !found.contains(&mrn), "{found}");
        assert!(site.get(caller, &format!("{path}?q=nobody")).await.text.contains("None matches"));
        // The one that was rejected says why.
        let bad = found.split(&format!("href=\"{path}/")).nth(1).unwrap().split('"').next().unwrap();
        let shown = site.get(caller, &format!("{path}/{bad}")).await.text;
        assert!(
            shown.contains("8206") && shown.contains("CC316A") && !shown.contains("<code>26ZZE"),
            "{shown}"
        );
        let one = site.get(caller, &format!("{path}/{mrn}")).await.text;
        assert!(one.contains("CC315A") && one.contains("CC328A") && one.contains("GB000060"), "{one}");
        let message = site.get(caller, &format!("{path}/{mrn}/messages/1")).await;
        assert_eq!((message.text.as_str(), message.header("content-type")), (GOOD, "application/xml"));
        assert!(message.header("content-disposition").starts_with("attachment"));
        let answer = site.get(caller, &format!("{path}/{mrn}/messages/2")).await;
        assert_eq!(answer.text, accepted.text);
        assert_eq!(site.get(caller, &format!("{path}/{mrn}/messages/3")).await.status, StatusCode::NOT_FOUND);
    }
    for path in ["", "/messages/1"] {
        let strange = site.get(&tom, &format!("/own/entry-summaries/{mrn}{path}")).await;
        assert_eq!(strange.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(site.get(&tara, &format!("/entry-summaries/{mrn}")).await.status, StatusCode::FORBIDDEN);
    assert!(!site.get(&tara, &format!("/own/entry-summaries/{mrn}")).await.text.contains("/intervention"));
    let place = format!("/entry-summaries/{mrn}");
    let order = [("code", "A002"), ("text", "Do not load the goods.")];
    let ordered = site.post(&officer, &format!("{place}/intervention"), &officer.csrf, &order).await;
    assert_eq!((ordered.status, ordered.header("location")), (StatusCode::SEE_OTHER, place.as_str()));
    for (caller, path) in [(&officer, place.clone()), (&tara, format!("/own{place}"))] {
        let stopped = site.get(caller, &path).await.text;
        assert!(stopped.contains("Do not load the goods.") && stopped.contains("CC351A"), "{stopped}");
        assert!(!stopped.contains("/intervention\""), "it is ordered once");
    }
}
