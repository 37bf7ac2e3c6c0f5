//! The ways through the house: set-up, sign-in, sending records, watching a job, language and theme, the report.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::identity::Role;
use spine::Language;

use crate::support::{Answer, Caller, PASSWORD, Site, records};

/// The caller after an answer: its cookies beside those there were.
fn after(answer: &Answer, csrf: &str) -> Caller {
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter();
    let cookies: Vec<&str> =
        cookies.map(|value| value.to_str().unwrap().split(';').next().unwrap()).collect();
    Caller { cookie: cookies.join("; "), csrf: csrf.to_owned() }
}

/// The token in the first form of a page.
fn token_in(page: &str) -> String {
    let rest = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_administrator_comes_in_by_the_token_and_signs_in_and_out() {
    let site = Site::fresh();
    let token = site.house.setup_token().unwrap().unwrap();
    let stranger = Caller::default();
    assert_eq!(site.get(&stranger, "/").await.header("location"), "/sign-in?next=/");
    assert_eq!(site.get(&stranger, "/sign-in").await.header("location"), "/set-up");
    let page = site.get(&stranger, &format!("/set-up?token={token}")).await;
    assert!(page.text.contains(&token));
    let form = token_in(&page.text);
    let visitor = after(&page, &form);
    assert!(visitor.cookie.starts_with("__Host-tidewaiter-form="), "{}", visitor.cookie);
    let wrong =
        site.post(&visitor, "/set-up", &form, &[("token", "guess"), ("name", "ada"), ("password", PASSWORD)]);
    let wrong = wrong.await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.text.contains("role=\"alert\""), "the form is shown again with the reason: {}", wrong.text);
    let made = site
        .post(&visitor, "/set-up", &form, &[("token", &token), ("name", "ada"), ("password", PASSWORD)])
        .await;
    assert_eq!((made.status, made.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = made.header("set-cookie");
    for attribute in ["__Host-tidewaiter=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let session = after(&made, "");
    let home = site.get(&session, "/").await;
    assert!(home.status == StatusCode::OK && home.text.contains("ada"));
    let csrf = token_in(&home.text);
    let out = site.post(&session, "/sign-out", &csrf, &[]).await;
    assert_eq!(out.header("location"), "/sign-in");
    assert_eq!(site.get(&session, "/").await.status, StatusCode::SEE_OTHER, "the session has ended");
}

#[tokio::test]
async fn guessing_passwords_soon_has_to_wait() {
    let site = Site::with(&[Role::Officer]);
    let page = site.get(&Caller::default(), "/sign-in").await;
    let form = token_in(&page.text);
    let visitor = after(&page, &form);
    for _ in 0..6 {
        let wrong =
            site.post(&visitor, "/sign-in", &form, &[("name", "officer"), ("password", "guess")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let waiting =
        site.post(&visitor, "/sign-in", &form, &[("name", "officer"), ("password", PASSWORD)]).await;
    assert_eq!(waiting.status, StatusCode::TOO_MANY_REQUESTS);
    // Five seconds from the last failure on; the clock may have ticked since.
    let seconds: u64 = waiting.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&seconds), "{seconds}");
}

pub(crate) fn multipart(csrf: &str, name: &str, content: &str) -> String {
    format!(
        "--edge\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--edge\r\nContent-Disposition: \
         form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n--edge--\r\n"
    )
}

/// The job that whoever started it is led to.
pub(crate) fn job_in(started: &Answer) -> u64 {
    let place = started.header("location").strip_prefix("/jobs/").unwrap();
    place.strip_suffix("?follow=true").unwrap().parse().unwrap()
}

async fn upload(site: &Site, caller: &Caller, name: &str, content: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/pool/uploads")
        .header(header::COOKIE, &caller.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::from(multipart(&caller.csrf, name, content)));
    site.ask(request.unwrap()).await
}

#[tokio::test]
async fn records_come_in_after_a_look_at_their_columns_and_the_job_leads_to_the_batch() {
    let site = Site::with(&[Role::Analyst, Role::Chief]);
    let analyst = site.caller(Role::Analyst);
    let received = upload(&site, &analyst, "other headers.csv", &records().replace("D0", "E0")).await;
    assert_eq!(received.status, StatusCode::SEE_OTHER, "{}", received.text);
    let review = received.header("location").to_owned();
    let page = site.get(&analyst, &review).await;
    assert!(page.text.contains("name=\"column.commodity_code\"") && page.text.contains("other headers.csv"));
    let stranger = site.get(&site.caller(Role::Chief), &review).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND, "another person's file is not there");
    // Taking the office out of the mapping leaves it out of the batch.
    let admit = format!("{review}/admit");
    let started = site.post(&analyst, &admit, &analyst.csrf, &[("column.office_id", "")]).await;
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text);
    let job = job_in(&started);
    let status = site.house.jobs().find(job).unwrap().wait(Duration::from_secs(60));
    let progress = site.get(&analyst, &format!("/jobs/{job}/progress")).await;
    let place = progress.header("hx-redirect").to_owned();
    assert!(place.starts_with("/pool/batches/"), "{status:?}");
    let followed = site.get(&analyst, started.header("location")).await;
    assert_eq!(followed.header("location"), place, "whoever comes when it is done goes on at once");
    let batch = site.get(&analyst, &place).await;
    assert!(batch.text.contains("other headers.csv"));
    let detail = site.get(&analyst, &place.replace("/pool/batches", "/api/v1/batches")).await;
    let detail: serde_json::Value = serde_json::from_str(&detail.text).unwrap();
    assert_eq!(detail["rows"], 240);
    assert!(detail["mapping"]["fields"].get("office_id").is_none(), "{detail}");
    assert_eq!(site.get(&analyst, &review).await.status, StatusCode::NOT_FOUND, "the file waits no longer");
}

#[tokio::test]
async fn a_refused_file_is_told_by_its_job_and_still_waits_to_be_read_otherwise() {
    let site = Site::with(&[Role::Analyst]);
    let analyst = site.caller(Role::Analyst);
    let received = upload(&site, &analyst, "odd.csv", "a,b\n1,2\n").await;
    let review = received.header("location").to_owned();
    let page = site.get(&analyst, &review).await;
    assert!(page.status == StatusCode::OK && page.text.contains("class=\"findings\""), "{}", page.text);
    let started = site.post(&analyst, &format!("{review}/admit"), &analyst.csrf, &[]).await;
    let job = job_in(&started);
    let _ = site.house.jobs().find(job).unwrap().wait(Duration::from_secs(60));
    let told = site.get(&analyst, &format!("/jobs/{job}")).await;
    assert!(told.text.contains("role=\"alert\""), "{}", told.text);
    assert_eq!(site.get(&analyst, &review).await.status, StatusCode::OK);
}

#[tokio::test]
async fn pages_speak_four_languages_and_leave_no_name_in_braces_behind() {
    let site = Site::with(&[Role::Analyst]);
    let audit = site.audit();
    let analyst = site.caller(Role::Analyst);
    let batch = format!("/pool/batches/{}", site.batch);
    let places =
        ["/", "/pool", &batch, "/tags/gross_below_net", "/audits", &format!("/audits/{audit}"), "/help"];
    for language in Language::ALL {
        let set = site
            .post(
                &analyst,
                "/preferences",
                &analyst.csrf,
                &[("language", language.code()), ("place", "/pool")],
            )
            .await;
        assert_eq!(set.header("location"), "/pool");
        let cookie = format!("{}; {}", analyst.cookie, after(&set, "").cookie);
        let caller = Caller { cookie, ..analyst.clone() };
        for place in places {
            let page = site.get(&caller, place).await;
            assert!(
                page.text.contains(&format!("<html lang=\"{}\"", language.code())),
                "{place} in {language:?}"
            );
            for name in ["{n}", "{name}", "{q}", "{page}", "{pages}", "{t}", "{rows}", "{carried}"] {
                assert!(!page.text.contains(name), "{place} in {language:?} shows {name}");
            }
        }
    }
}

#[tokio::test]
async fn the_report_is_one_file_without_a_network_and_the_same_as_a_page() {
    let site = Site::with(&[Role::Analyst]);
    let audit = site.audit();
    let analyst = site.caller(Role::Analyst);
    let file = site.get(&analyst, &format!("/audits/{audit}/report.html")).await;
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert!(file.text.contains("http-equiv=\"Content-Security-Policy\""));
    for outside in ["src=\"http", "href=\"http", "url(http", "@import", "<link rel=\"stylesheet\""] {
        assert!(!file.text.contains(outside), "{outside}");
    }
    let page = site.get(&analyst, &format!("/audits/{audit}")).await;
    assert!(page.text.contains("class=\"report\"") && page.text.contains("report.js"));
}

#[tokio::test]
async fn ones_own_password_is_changed_against_the_present_one_and_ends_the_session() {
    let site = Site::with(&[Role::Officer]);
    let officer = site.caller(Role::Officer);
    let fields = [("present", "a guess"), ("password", "another long password")];
    let wrong = site.post(&officer, "/account/password", &officer.csrf, &fields).await;
    assert!(wrong.text.contains("password_wrong"), "{}", wrong.text);
    let fields = [("present", PASSWORD), ("password", "another long password")];
    let changed = site.post(&officer, "/account/password", &officer.csrf, &fields).await;
    assert_eq!(changed.header("location"), "/sign-in");
    assert_eq!(site.get(&officer, "/").await.status, StatusCode::SEE_OTHER);
}
