//! Software of enterprises: how it gets its tokens, and what these let it do.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use customhouse::identity::{Reader, Role};
use serde_json::{Value, json};

use crate::lodging::{Harbour, declaration};
use crate::support::Answer;

const GRANT: &str = "grant_type=client_credentials";

/// Makes a client of Tara's party with Tara's token; answers with its id and secret.
async fn client(harbour: &Harbour, scope: &str) -> (String, String) {
    let body = json!({ "name": "warehouse system", "scope": scope }).to_string();
    let made = harbour.send(&harbour.tara_token, "/api/v1/clients", "application/json", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    (text("client_id"), text("client_secret"))
}

async fn ask_token(harbour: &Harbour, authorization: Option<&str>, form: &str) -> Answer {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(given) = authorization {
        request = request.header(header::AUTHORIZATION, given);
    }
    harbour.site.ask(request.body(Body::from(form.to_owned())).unwrap()).await
}

fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

async fn token(harbour: &Harbour, (client, secret): &(String, String)) -> String {
    let given = ask_token(harbour, Some(&basic(client, secret)), GRANT).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    given.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_gets_a_token_in_either_way_and_it_is_not_kept_by_anyone_on_the_way() {
    let harbour = Harbour::new(&[]);
    let (id, secret) = client(&harbour, "declarations.read declarations.lodge").await;
    let in_body = format!("{GRANT}&client_id={id}&client_secret={secret}&scope=declarations.read");
    let header = basic(&id, &secret);
    for (authorization, form, scope) in [
        (Some(header.as_str()), GRANT, "declarations.lodge declarations.read"),
        (None, in_body.as_str(), "declarations.read"),
    ] {
        let given = ask_token(&harbour, authorization, form).await;
        assert_eq!(given.status, StatusCode::OK, "{}", given.text);
        assert_eq!(given.header("cache-control"), "no-store");
        assert_eq!(given.header("set-cookie"), "");
        let Value::Object(mut answer) = given.json() else { panic!("{}", given.text) };
        let token = answer.remove("access_token").unwrap();
        let rest = json!({ "token_type": "Bearer", "expires_in": 3600, "scope": scope });
        assert_eq!(Value::Object(answer), rest);
        let who = harbour.ask_with(token.as_str().unwrap(), "/api/v1/session").await.json();
        assert_eq!((&who["id"], &who["party"], &who["scope"]), (&json!(id), &json!("NL0001"), &json!(scope)));
    }
    let metadata = harbour.ask_with("", "/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    let endpoint = metadata["token_endpoint"].as_str().unwrap();
    assert_eq!(endpoint, format!("{}/oauth2/token", metadata["issuer"].as_str().unwrap()));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_for_a_token_is_told_as_the_standard_has_it() {
    let harbour = Harbour::new(&[]);
    let (id, secret) = client(&harbour, "declarations.read").await;
    let right = basic(&id, &secret);
    let more = |scope: &str| format!("{GRANT}&scope={scope}");
    let long = format!("{GRANT}&x={}", "y".repeat(20_000));
    for (authorization, form, status, error) in [
        (Some(basic(&id, "tws_0")), GRANT.to_owned(), 401, "invalid_client"),
        (Some(basic("c-0", &secret)), GRANT.to_owned(), 401, "invalid_client"),
        (None, GRANT.to_owned(), 401, "invalid_client"),
        (Some(right.clone()), String::new(), 400, "invalid_request"),
        (Some(right.clone()), format!("{GRANT}&{GRANT}"), 400, "invalid_request"),
        (Some(right.clone()), format!("{GRANT}&client_secret={secret}"), 400, "invalid_request"),
        (Some(right.clone()), "grant_type=authorization_code".to_owned(), 400, "unsupported_grant_type"),
        (Some(right.clone()), more("declarations.lodge"), 400, "invalid_scope"),
        (Some(right.clone()), more("everything"), 400, "invalid_scope"),
        (Some(right.clone()), long, 413, "invalid_request"),
    ] {
        let refused = ask_token(&harbour, authorization.as_deref(), &form).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text);
        assert_eq!(refused.json()["error"], error, "{}", refused.text);
        assert_eq!(refused.header("content-type"), "application/json");
        let challenge = if status == 401 { "Basic realm=\"tidewaiter\"" } else { "" };
        assert_eq!(refused.header("www-authenticate"), challenge);
    }
    let wrong = basic(&id, "tws_0");
    for _ in 0..6 {
        assert_eq!(ask_token(&harbour, Some(&wrong), GRANT).await.status, StatusCode::UNAUTHORIZED);
    }
    let waits = ask_token(&harbour, Some(&right), GRANT).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS, "{}", waits.text);
    assert!(waits.header("retry-after").parse::<u32>().unwrap() > 0);
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_its_client_stands_in_the_journal() {
    let harbour = Harbour::new(&[]);
    let lodges = client(&harbour, "declarations.lodge").await;
    let lodging = token(&harbour, &lodges).await;
    let reading = token(&harbour, &client(&harbour, "declarations.read").await).await;
    let lodged = harbour.lodge(&lodging, &declaration("M-1", "NL0001", false)).await;
    assert_eq!(lodged.status, StatusCode::CREATED, "{}", lodged.text);
    let mrn = lodged.json()["mrn"].as_str().unwrap().to_owned();
    let own = format!("/api/v1/declarations/{mrn}");
    for path in
        [own.clone(), format!("{own}/receipt"), format!("{own}/original"), "/api/v1/declarations".into()]
    {
        assert_eq!(harbour.ask_with(&reading, &path).await.status, StatusCode::OK, "{path}");
        let refused = harbour.ask_with(&lodging, &path).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.text);
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"insufficient_scope\"", "{path}");
    }
    let refused = harbour.lodge(&reading, &declaration("M-2", "NL0001", false)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    for path in ["/api/v1/clients", "/api/v1/queue", "/api/v1/journal", "/api/v1/entities"] {
        assert_eq!(harbour.ask_with(&lodging, path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    // Pages are for people: a token opens none of them.
    assert_eq!(harbour.ask_with(&reading, "/own").await.status, StatusCode::SEE_OTHER);
    let worthless = harbour.ask_with("twa_0", "/api/v1/declarations").await;
    assert_eq!(worthless.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let auditor = Reader::new("u-1", Role::Auditor);
    let query =
        customhouse::events::JournalQuery { stream: format!("declaration/{mrn}"), ..Default::default() };
    let events = harbour.site.house.journal_page(&auditor, &query).unwrap();
    let events = serde_json::to_value(events).unwrap().to_string();
    assert!(events.contains(&lodges.0), "{events}");
}

#[tokio::test]
async fn secrets_are_changed_through_the_api_and_by_nobody_else() {
    let harbour = Harbour::new(&[]);
    let made = client(&harbour, "declarations.read").await;
    let of_first = token(&harbour, &made).await;
    let place = format!("/api/v1/clients/{}", made.0);
    let shown = harbour.ask_with(&harbour.tara_token, &place).await;
    let first = shown.json()["secrets"][0]["id"].as_str().unwrap().to_owned();
    assert!(!shown.text.contains(&made.1), "a secret is shown once");
    let send = |token: String, path: String, body: &'static str| {
        let harbour = &harbour;
        async move { harbour.send(&token, &path, "application/json", body).await }
    };
    for (way, body) in [
        ("secrets", ""),
        ("scopes", "{\"scope\":\"declarations.lodge\"}"),
        ("close", ""),
        (format!("secrets/{first}/revoke").as_str(), ""),
    ] {
        let refused = send(harbour.tom_token.clone(), format!("{place}/{way}"), body).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{way}: {}", refused.text);
        let refused = send(of_first.clone(), format!("{place}/{way}"), body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{way}: {}", refused.text);
    }
    let tara = harbour.tara_token.clone();
    let second = send(tara.clone(), format!("{place}/secrets"), "").await;
    assert_eq!(second.status, StatusCode::CREATED, "{}", second.text);
    let second = second.json()["client_secret"].as_str().unwrap().to_owned();
    let of_second = token(&harbour, &(made.0.clone(), second)).await;
    let revoked = send(tara.clone(), format!("{place}/secrets/{first}/revoke"), "").await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    let status = |token: String| {
        let harbour = &harbour;
        async move { harbour.ask_with(&token, "/api/v1/declarations").await.status }
    };
    assert_eq!(status(of_first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(of_second.clone()).await, StatusCode::OK);
    let narrowed = send(tara.clone(), format!("{place}/scopes"), "{\"scope\":\"declarations.lodge\"}").await;
    assert_eq!(narrowed.json()["scope"], "declarations.lodge", "{}", narrowed.text);
    assert_eq!(status(of_second.clone()).await, StatusCode::FORBIDDEN);
    let closed = send(tara, format!("{place}/close"), "").await;
    assert_eq!(closed.json()["closed"], true, "{}", closed.text);
    assert_eq!(status(of_second).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn on_the_pages_a_secret_is_shown_once_and_another_partys_client_is_unknown() {
    let harbour = Harbour::new(&[]);
    let (site, tara) = (&harbour.site, &harbour.tara);
    let fields = [("name", "warehouse"), ("scope", "declarations.read"), ("scope", "notifications.read")];
    let made = site.post(tara, "/clients", &tara.csrf, &fields).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let secret = made.text.split("tws_").nth(1).unwrap().get(..64).unwrap();
    let list = site.get(tara, "/clients").await.text;
    let id = list.split("/clients/").nth(1).unwrap().split('"').next().unwrap();
    let page = site.get(tara, &format!("/clients/{id}")).await.text;
    assert!(!list.contains(secret) && !page.contains(secret));
    assert!(page.contains("value=\"notifications.read\" checked"), "{page}");
    assert!(page.contains("value=\"declarations.lodge\">"), "{page}");
    for (path, status) in [("", StatusCode::NOT_FOUND), ("/close", StatusCode::METHOD_NOT_ALLOWED)] {
        assert_eq!(site.get(&harbour.tom, &format!("/clients/{id}{path}")).await.status, status);
    }
    let none = site.post(tara, "/clients", &tara.csrf, &[("name", "x")]).await;
    assert!(none.text.contains("scope_unknown"), "{}", none.text);
    let closed = site.post(tara, &format!("/clients/{id}/close"), &tara.csrf, &[]).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text);
}
