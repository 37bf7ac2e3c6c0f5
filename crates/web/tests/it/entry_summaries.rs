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
