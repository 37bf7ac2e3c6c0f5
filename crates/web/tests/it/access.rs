//! Every route and every role; every form and its token; every answer and its headers.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::identity::{Reader, Role, Scopes};

use crate::support::{Caller, Site};

/// Pages and what each role gets: trader, officer, analyst, chief, auditor, admin. `y` shows it, `n` refuses it.
const READS: &[(&str, &str)] = &[
    ("/", "yyyyyy"),
    ("/declarations", "nyyyyy"),
    ("/declarations.csv", "nyyyyy"),
    ("/declarations/D00003", "nyyyyy"),
    ("/queue", "nynynn"),
    ("/queue/changed", "nynynn"),
    ("/live", "nyyyyy"),
    ("/plan", "nnyyyn"),
    ("/entry-summaries", "nyyyyy"),
    ("/own/entry-summaries", "ynnnnn"),
    ("/entities", "nyyyyy"),
    ("/entities/IMP-1", "nyyyyy"),
    ("/entities/matches", "nyyyyy"),
    ("/journal", "nnyyyn"),
    ("/journal/1", "nnyyyn"),
    ("/journal/1/proof", "nnyyyn"),
    ("/viewings", "nnnnyn"),
    ("/erasures", "nnyyyy"),
    ("/pool", "nyyyyy"),
    ("/pool/new", "nnyyny"),
    ("/pool/contracts/declarations", "nyyyyy"),
    ("/pool/batches/{batch}", "nyyyyy"),
    ("/pool/batches/{batch}/rows", "nyyyyy"),
    ("/pool/batches/{batch}/rows/3", "nyyyyy"),
    ("/pool/batches/{batch}/quarantine", "nyyyyy"),
    ("/tags", "nyyyyy"),
    ("/tags/gross_below_net", "nyyyyy"),
    ("/tags/gross_below_net/why/{batch}/3", "nyyyyy"),
    ("/own-tags", "nyyyyy"),
    ("/own-tags/new", "nnyynn"),
    ("/own-tags/preview?when=net_mass%20%3E%205", "nnyynn"),
    ("/tag-query", "nyyyyy"),
    ("/tag-query?q=gross_below_net%20%26%26&of=declarations", "nyyyyy"),
    ("/tag-query/count?q=gross_bel", "nyyyyy"),
    ("/tag-query.csv?q=gross_below_net", "nyyyyy"),
    ("/tag-graph", "nyyyyy"),
    ("/warnings", "nyyyyy"),
    ("/tag-sources", "nyyyyy"),
    ("/tag-sources/gross_mass", "nyyyyy"),
    ("/audits", "nnyyyn"),
    ("/audits/new", "nnyynn"),
    ("/audits/{audit}", "nnyyyn"),
    ("/audits/{audit}/report.html", "nnyyyn"),
    ("/jobs", "yyyyyy"),
    ("/jobs/1", "nnyyyn"),
    ("/jobs/1/progress", "nnyyyn"),
    ("/packs", "yyyyyy"),
    ("/packs/customs-tags", "nyyyyy"),
    ("/accounts", "nnnnny"),
    ("/accounts/officer", "nnnnny"),
    ("/account", "yyyyyy"),
    ("/clients", "ynnnny"),
    ("/clients/{client}", "nnnnny"),
    ("/webhooks", "ynnnnn"),
    ("/own", "ynnnnn"),
    ("/own/moved", "ynnnnn"),
    ("/own/new", "ynnnnn"),
    ("/own/check", "ynnnnn"),
    ("/own/file", "ynnnnn"),
    ("/search?q=pool", "yyyyyy"),
    ("/search/suggestions?q=pool", "yyyyyy"),
    ("/help", "yyyyyy"),
    ("/conformance", "yyyyyy"),
    ("/api/v1/openapi.json", "yyyyyy"),
    ("/api/v1/session", "yyyyyy"),
    ("/api/v1/declarations", "yyyyyy"),
    ("/api/v1/clients", "ynnnny"),
    ("/api/v1/notifications", "ynnnnn"),
    ("/api/v1/clients/{client}", "nnnnny"),
    ("/api/v1/webhooks", "ynnnnn"),
    ("/api/v1/entry-summaries?day=2026-03-31", "nyyyyy"),
    ("/api/v1/queue", "nynynn"),
    ("/api/v1/overview", "nyyyyy"),
    ("/api/v1/plan", "nnyyyn"),
    ("/api/v1/entities", "nyyyyy"),
    ("/api/v1/entities/IMP-1", "nyyyyy"),
    ("/api/v1/entities/matches", "nyyyyy"),
    ("/api/v1/journal", "nnyyyn"),
    ("/api/v1/viewings", "nnnnyn"),
    ("/api/v1/conformance", "yyyyyy"),
    ("/api/v1/batches", "nyyyyy"),
    ("/api/v1/batches/{batch}", "nyyyyy"),
    ("/api/v1/batches/{batch}/rows", "nyyyyy"),
    ("/api/v1/batches/{batch}/rows/3/lineage", "nyyyyy"),
    ("/api/v1/batches/{batch}/quarantine", "nyyyyy"),
    ("/api/v1/tags", "nyyyyy"),
    ("/api/v1/tags/gross_below_net", "nyyyyy"),
    ("/api/v1/tags/gross_below_net/rows", "nyyyyy"),
    ("/api/v1/tags/gross_below_net/why?batch={batch}&row=3", "nyyyyy"),
    ("/api/v1/tag-figures", "nyyyyy"),
    ("/api/v1/tag-query", "nyyyyy"),
    ("/api/v1/tag-query/count?q=gross_below_net", "nyyyyy"),
    ("/api/v1/tag-graph?q=gross_below_net", "nyyyyy"),
    ("/api/v1/tag-history", "nyyyyy"),
    ("/api/v1/tag-history/gross_below_net", "nyyyyy"),
    ("/api/v1/warnings?standing=open", "nyyyyy"),
    ("/api/v1/watched", "nyyyyy"),
    ("/api/v1/tag-sources", "nyyyyy"),
    ("/api/v1/tag-sources/gross_mass", "nyyyyy"),
    ("/api/v1/audits", "nnyyyn"),
    ("/api/v1/audits/{audit}", "nnyyyn"),
    ("/api/v1/jobs", "yyyyyy"),
    ("/api/v1/jobs/1", "nnyyyn"),
    ("/api/v1/packs", "yyyyyy"),
    ("/api/v1/packs/customs-tags", "nyyyyy"),
];

/// What changes something, with a form that would be refused for what it contains; the second text is as above.
const CHANGES: &[(&str, &str)] = &[
    ("/plan/propose", "nnyynn"),
    ("/own-tags", "nnyynn"),
    ("/own-tags/remove", "nnyynn"),
    ("/tag-history/pause", "nnyynn"),
    ("/tag-history/resume", "nnyynn"),
    ("/api/v1/tag-history/pause", "nnyynn"),
    ("/api/v1/tag-history/resume", "nnyynn"),
    ("/own-tags/9999/approve", "nnyynn"),
    ("/own-tags/9999/decline", "nnyynn"),
    ("/plan/fit", "nnyynn"),
    ("/warnings/none/acknowledge", "nnyynn"),
    ("/warnings/watched", "nnyynn"),
    ("/warnings/watched/none/stop", "nnyynn"),
    ("/plan/capacity", "nnyynn"),
    ("/plan/policies/none/approve", "nnyynn"),
    ("/plan/policies/none/withdraw", "nnyynn"),
    ("/sandbox/clock", "nyyyyy"),
    ("/sandbox/pace", "nyyyyy"),
    ("/declarations/views", "nyyyyy"),
    ("/declarations/views/forget", "nyyyyy"),
    ("/declarations/none/act", "nynynn"),
    ("/entry-summaries/none/intervention", "nynynn"),
    ("/entities/matches/merge", "nnyynn"),
    ("/entities/matches/apart", "nnyynn"),
    ("/entities/decisions/none/approve", "nnyynn"),
    ("/queue/next", "nynynn"),
    ("/queue/none/take", "nynynn"),
    ("/pool/uploads/none/admit", "nnyyny"),
    ("/pool/uploads/none/discard", "nnyyny"),
    ("/audits", "nnyynn"),
    ("/jobs/1/cancel", "nnyynn"),
    ("/accounts", "nnnnny"),
    ("/accounts/nobody/role", "nnnnny"),
    ("/accounts/nobody/close", "nnnnny"),
    ("/accounts/nobody/reopen", "nnnnny"),
    ("/accounts/nobody/assign", "nnnnny"),
    ("/accounts/nobody/tokens", "nnnnny"),
    ("/accounts/nobody/tokens/none/revoke", "nnnnny"),
    ("/account/tokens", "yyyyyy"),
    ("/account/tokens/none/revoke", "yyyyyy"),
    ("/clients", "ynnnny"),
    ("/clients/none/scopes", "ynnnny"),
    ("/clients/none/secrets", "ynnnny"),
    ("/clients/none/secrets/none/revoke", "ynnnny"),
    ("/clients/none/close", "ynnnny"),
    ("/webhooks", "ynnnnn"),
    ("/webhooks/none/act", "ynnnnn"),
    ("/webhooks/none/secret", "ynnnnn"),
    ("/erasures", "nnnyny"),
    ("/erasures/none/approve", "nnnyny"),
    ("/erasures/none/withdraw", "nnnyny"),
    ("/own/drafts", "ynnnnn"),
    ("/own/drafts/none", "ynnnnn"),
    ("/own/drafts/none/discard", "ynnnnn"),
    ("/own/none/correct", "ynnnnn"),
    ("/own/none/act", "ynnnnn"),
    ("/api/v1/jobs/1/cancel", "nnyynn"),
    ("/api/v1/clients/none/secrets", "ynnnny"),
    ("/api/v1/clients/none/secrets/none/revoke", "ynnnny"),
    ("/api/v1/clients/none/close", "ynnnny"),
    ("/api/v1/webhooks/none/secret", "ynnnnn"),
];

/// Routes that are asked elsewhere: without a session, by another kind of body, or with a clearance of their own.
const ELSEWHERE: &[&str] = &[
    "/status",
    "/status/live",
    "/changes",
    "/changes.atom",
    "/verify",
    "/log/{*path}",
    "/api/v1/log",
    "/api/v1/proofs/{index}/standing",
    "/witness/add-checkpoint",
    "/witness/split-views",
    "/own/{mrn}/proof/{what}",
    "/api/v1/declarations/{mrn}/proofs/{what}",
    "/plan/policies/{hash}",
    "/sign-in",
    "/sign-out",
    "/set-up",
    "/preferences",
    "/assets/{hash}/{name}",
    "/entities/{id}/tags/{tag}",
    "/api/v1/entities/{id}/tags/{tag}",
    "/api/v1/entities/matches/merge",
    "/api/v1/entities/matches/apart",
    "/api/v1/entities/decisions/{id}/{action}",
    "/api/v1/watched/{id}/stop",
    "/declarations/{mrn}/moved",
    "/declarations/{mrn}/original",
    "/declarations/{mrn}/documents/{sha256}",
    "/declarations/{mrn}/replay",
    "/declarations/{mrn}/result",
    "/pool/uploads",
    "/entities/register",
    "/pool/uploads/{id}",
    "/pool/batches/{id}/quarantine.csv",
    "/account/password",
    "/own/files",
    "/own/{mrn}/moved",
    "/own/{mrn}/receipt",
    "/own/{mrn}/original",
    "/own/{mrn}/documents",
    "/api/v1/status",
    "/api/v1/changes",
    "/api/v1/declarations/check",
    "/own/check/file",
    "/api/v1/declarations/{mrn}",
    "/api/v1/declarations/{mrn}/receipt",
    "/api/v1/declarations/{mrn}/original",
    "/api/v1/declarations/{mrn}/actions",
    "/api/v1/documents",
    "/api/v1/clients/{id}/scopes",
    "/webhooks/{id}",
    "/api/v1/webhooks/{id}",
    "/api/v1/webhooks/{id}/actions",
    "/oauth2/token",
    "/.well-known/oauth-authorization-server",
    "/api/v1/messages",
    "/api/v1/notifications/{id}",
    "/api/v1/declarations/{mrn}/notifications",
    "/api/v1/entry-summaries/{mrn}",
    "/api/v1/entry-summaries/{mrn}/intervention",
];

fn filled(path: &str, batch: &str, audit: &str, client: &str) -> String {
    path.replace("{batch}", batch).replace("{audit}", audit).replace("{client}", client)
}

#[tokio::test]
async fn every_role_gets_what_it_may_and_nothing_else() {
    let site = Site::with(&Role::ALL);
    let audit = site.audit();
    let scopes = Scopes::parse("declarations.read").unwrap();
    let (client, _) = site.house.open_client(&Reader::local_operator(), "x", "E1", &scopes).unwrap();
    for (path, expected) in READS {
        let path = filled(path, &site.batch, &audit, &client.id);
        for (role, expected) in Role::ALL.iter().zip(expected.chars()) {
            let answer = site.get(&site.caller(*role), &path).await;
            // A pack above one's clearance and another party's client are not there at all; everything else says that
            // it is not permitted.
            let allowed = match answer.status {
                // The first page of a trader is another one.
                StatusCode::OK | StatusCode::SEE_OTHER => 'y',
                // A trader's first page is another one.
                StatusCode::SEE_OTHER if path == "/" && *role == Role::Trader => 'y',
                StatusCode::FORBIDDEN => 'n',
                StatusCode::NOT_FOUND if path.contains("/packs/") || path.contains("/clients/") => 'n',
                other => panic!("{path} answers {role:?} with {other}: {}", answer.text),
            };
            assert_eq!(allowed, expected, "{path} for {role:?}");
        }
        let nobody = site.get(&Caller::default(), &path).await;
        let expected =
            if path.starts_with("/api/") { StatusCode::UNAUTHORIZED } else { StatusCode::SEE_OTHER };
        assert_eq!(nobody.status, expected, "{path} for nobody");
    }
    for (path, expected) in CHANGES {
        for (role, expected) in Role::ALL.iter().zip(expected.chars()) {
            let caller = site.caller(*role);
            // The role stands in the form; a batch that is not there fails only after the permission was asked.
            let fields = [("role", "officer"), ("name", "x"), ("password", "short"), ("batch", "ffff")];
            let answer = site.post(&caller, path, &caller.csrf, &fields).await;
            assert_eq!(
                answer.status != StatusCode::FORBIDDEN,
                expected == 'y',
                "{path} for {role:?}: {}",
                answer.text
            );
        }
    }
}

#[test]
fn no_route_is_left_out() {
    let sources = [
        include_str!("../../src/lib.rs"),
        include_str!("../../src/api/mod.rs"),
        include_str!("../../src/api/clients.rs"),
        include_str!("../../src/api/declarations.rs"),
        include_str!("../../src/api/messages.rs"),
        include_str!("../../src/api/notifications.rs"),
        include_str!("../../src/api/entry_summaries.rs"),
        include_str!("../../src/api/entities.rs"),
        include_str!("../../src/api/house.rs"),
        include_str!("../../src/api/records.rs"),
        include_str!("../../src/api/tags.rs"),
        include_str!("../../src/tags/mod.rs"),
        include_str!("../../src/warnings.rs"),
        include_str!("../../src/api/webhooks.rs"),
        include_str!("../../src/clients.rs"),
        include_str!("../../src/oauth.rs"),
        include_str!("../../src/own/mod.rs"),
        include_str!("../../src/proofs.rs"),
        include_str!("../../src/webhooks.rs"),
    ]
    .concat();
    let asked = |route: &str| {
        let beginning: Vec<&str> = route.split('/').collect();
        READS.iter().chain(CHANGES).any(|(path, _)| {
            let path = path.split('?').next().unwrap();
            let parts: Vec<&str> = path.split('/').collect();
            parts.len() == beginning.len()
                && parts.iter().zip(&beginning).all(|(part, own)| own.starts_with('{') || part == own)
        })
    };
    let routes: Vec<&str> =
        sources.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(routes.len() > 50, "{routes:?}");
    for route in routes {
        assert!(asked(route) || ELSEWHERE.contains(&route), "no test asks {route}");
    }
}

#[tokio::test]
async fn a_form_without_the_right_token_changes_nothing() {
    let site = Site::with(&[Role::Admin, Role::Analyst]);
    let (admin, analyst) = (site.caller(Role::Admin), site.caller(Role::Analyst));
    let changes = CHANGES.iter().map(|(path, _)| *path);
    for path in changes.chain(["/sign-out", "/preferences", "/account/password", "/sign-in", "/set-up"]) {
        for token in ["", "0", &analyst.csrf] {
            let answer = site.post(&admin, path, token, &[("name", "eve"), ("role", "admin")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with the token {token:?}");
            assert!(answer.text.contains("form_stale"), "{path}: {}", answer.text);
        }
    }
    assert_eq!(site.get(&admin, "/account").await.status, StatusCode::OK, "the session is still there");
    // The right token from another site is no better.
    let request = Request::builder()
        .method(Method::POST)
        .uri("/sign-out")
        .header(header::COOKIE, &admin.cookie)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("csrf={}", admin.csrf)));
    assert_eq!(site.ask(request.unwrap()).await.status, StatusCode::FORBIDDEN);
    // A file without the token before it is not even taken in.
    let body =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\na,b\r\n--x--\r\n";
    for path in ["/pool/uploads", "/entities/register"] {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::COOKIE, &analyst.cookie)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from(body));
        assert_eq!(site.ask(request.unwrap()).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_records_are_not_cached() {
    let site = Site::with(&[Role::Analyst]);
    let analyst = site.caller(Role::Analyst);
    for path in
        ["/", "/pool", "/nowhere", "/api/v1/batches", "/api/v1/nowhere", "/assets/0/app.css", "/sign-in"]
    {
        let answer = site.get(&analyst, path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let page = site.get(&analyst, "/").await;
    assert!(
        !page.text.contains("<style") && !page.text.contains(" style=") && !page.text.contains("onclick")
    );
    assert!(
        page.text.split("<script").skip(1).all(|tag| tag.starts_with(" defer src=\"/assets/")),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn what_is_not_there_or_not_understood_is_told_in_the_askers_form() {
    let site = Site::with(&[Role::Analyst]);
    let analyst = site.caller(Role::Analyst);
    for (path, status, code) in [
        ("/api/v1/batches/ffff", 404, "batch_unknown"),
        ("/api/v1/nowhere", 404, "page_unknown"),
        ("/api/v1/jobs/none", 400, "request_unreadable"),
        ("/api/v1/batches?page=x", 400, "request_unreadable"),
        ("/api/v1/tags/nothing", 404, "tag_unknown"),
    ] {
        let answer = site.get(&analyst, path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(problem["type"], format!("urn:tidewaiter:problem:{code}"), "{path}");
        assert_eq!(problem["status"], status);
        assert!(problem["how_to_fix"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{path}");
    }
    let page = site.get(&analyst, "/pool/batches/ffff").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("batch_unknown") && page.text.contains("role=\"alert\""), "{}", page.text);
}

#[test]
fn the_api_is_as_its_document_says() {
    insta::assert_snapshot!(web::openapi());
}
