//! The way in and out: first set-up, sign-in, sign-out, and the choices of language and theme.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::Error;
use customhouse::identity::{PASSWORD_CHARACTERS_MIN, SignInRefusal};
use maud::{Markup, html};
use serde::Deserialize;
use spine::Language;

use crate::failure::Failure;
use crate::shell::{Page, Room, sentence};
use crate::view::csrf;
use crate::visit::{
    Asked, LANGUAGE_COOKIE, Posted, THEME_COOKIE, Theme, Visit, blocking, own_place, preference_cookie,
    session_cookie,
};
use crate::words::texts;

/// Query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignInQuery {
    /// Where to go on to.
    next: Option<String>,
}

/// Query of the set-up page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SetUpQuery {
    /// The token that stands on the console.
    token: Option<String>,
}

fn gate(visit: &Visit, title: &str, content: &Markup) -> Markup {
    Page::new(visit, Room::Elsewhere, title).show(&html! {
        div class="gate-card" {
            p class="gate-brand" { "Tidewaiter" }
            h1 { (title) }
            (content)
        }
    })
}

fn refusal(text: &str) -> Markup {
    html! { @if !text.is_empty() { p class="notice bad" role="alert" { (text) } } }
}

async fn no_account_yet(visit: &Visit) -> Result<bool, Failure> {
    let house = visit.house().clone();
    Ok(blocking(move || house.accounts().is_empty()).await?)
}

/// The form to sign in, or the way to the first set-up.
pub(crate) async fn sign_in_form(
    visit: Visit,
    Asked(asked): Asked<SignInQuery>,
) -> Result<Response, Failure> {
    if visit.session().is_some() {
        return Ok(Redirect::to(own_place(asked.next.as_deref())).into_response());
    }
    if no_account_yet(&visit).await? {
        return Ok(Redirect::to("/set-up").into_response());
    }
    Ok(sign_in_page(&visit, own_place(asked.next.as_deref()), "", "").into_response())
}

fn sign_in_page(visit: &Visit, next: &str, name: &str, problem: &str) -> Markup {
    let content = html! {
        (refusal(problem))
        form method="post" action="/sign-in" class="stack" {
            (csrf(visit))
            input type="hidden" name="next" value=(next);
            label for="name" { (visit.say(texts::NAME)) }
            input id="name" name="name" value=(name) autocomplete="username" required autofocus spellcheck="false" autocapitalize="none";
            label for="password" { (visit.say(texts::PASSWORD)) }
            input id="password" name="password" type="password" autocomplete="current-password" required;
            button class="primary" { (visit.say(texts::SIGN_IN)) }
        }
    };
    gate(visit, visit.say(texts::SIGN_IN), &content)
}

/// Signs in.
pub(crate) async fn sign_in(visit: Visit, posted: Posted) -> Result<Response, Failure> {
    let (name, password) = (posted.text("name").to_owned(), posted.text("password").to_owned());
    let (house, address) = (visit.house().clone(), visit.address().to_owned());
    let outcome = blocking({
        let name = name.clone();
        move || Ok(house.accounts().sign_in(&name, &password, &address, house.wall_now()))
    })
    .await?;
    let next = own_place(posted.get("next"));
    match outcome {
        Ok(token) => Ok(([(header::SET_COOKIE, session_cookie(&token))], Redirect::to(next)).into_response()),
        Err(SignInRefusal::Wrong) => {
            let page = sign_in_page(&visit, next, &name, visit.say(texts::SIGN_IN_WRONG));
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(SignInRefusal::Wait { seconds }) => {
            let seconds = seconds.to_string();
            let text = visit.fill(texts::SIGN_IN_WAIT, &[("n", &seconds)]);
            let wait = HeaderValue::from_str(&seconds).unwrap_or(HeaderValue::from_static("60"));
            let page = sign_in_page(&visit, next, &name, &text);
            Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait)], page).into_response())
        }
        Err(SignInRefusal::Failed(error)) => Err(error.into()),
    }
}

/// Signs out.
pub(crate) async fn sign_out(visit: Visit, _posted: Posted) -> Result<Response, Failure> {
    if let Some(token) = visit.session_token().map(str::to_owned) {
        let house = visit.house().clone();
        blocking(move || house.accounts().sign_out(&token)).await?;
    }
    Ok(([(header::SET_COOKIE, session_cookie(""))], Redirect::to("/sign-in")).into_response())
}

/// The form for the very first administrator.
pub(crate) async fn set_up_form(visit: Visit, Asked(asked): Asked<SetUpQuery>) -> Result<Response, Failure> {
    if !no_account_yet(&visit).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    Ok(set_up_page(&visit, asked.token.as_deref().unwrap_or_default(), "admin", None).into_response())
}

fn set_up_page(visit: &Visit, token: &str, name: &str, error: Option<&Error>) -> Markup {
    let problem =
        error.map(|error| format!("{} {}", sentence(&error.detail), error.how_to_fix)).unwrap_or_default();
    let content = html! {
        p { (visit.say(texts::SET_UP_INTRODUCTION)) }
        (refusal(&problem))
        form method="post" action="/set-up" class="stack" {
            (csrf(visit))
            label for="token" { (visit.say(texts::SET_UP_TOKEN)) }
            input id="token" name="token" value=(token) required autocomplete="off" spellcheck="false" aria-describedby="token-help";
            p class="help" id="token-help" { (visit.say(texts::SET_UP_TOKEN_HELP)) }
            label for="name" { (visit.say(texts::NAME)) }
            input id="name" name="name" value=(name) autocomplete="username" required spellcheck="false" autocapitalize="none";
            (new_password(visit))
            button class="primary" { (visit.say(texts::SET_UP)) }
        }
    };
    gate(visit, visit.say(texts::SET_UP_TITLE), &content)
}

/// A field for a new password, with what is asked of it.
pub(crate) fn new_password(visit: &Visit) -> Markup {
    html! {
        label for="password" { (visit.say(texts::PASSWORD)) }
        input id="password" name="password" type="password" autocomplete="new-password" required minlength=(PASSWORD_CHARACTERS_MIN) aria-describedby="password-help";
        p class="help" id="password-help" { (visit.fill(texts::PASSWORD_HELP, &[("n", &PASSWORD_CHARACTERS_MIN.to_string())])) }
    }
}

/// Makes the very first administrator and signs them in.
pub(crate) async fn set_up(visit: Visit, posted: Posted) -> Result<Response, Failure> {
    let (token, name, password) =
        (posted.text("token").to_owned(), posted.text("name").to_owned(), posted.text("password").to_owned());
    let (house, address) = (visit.house().clone(), visit.address().to_owned());
    let made = blocking({
        let (token, name) = (token.clone(), name.clone());
        move || {
            let account = house.set_up(&token, &name, &password)?;
            Ok(house.accounts().sign_in(&account.name, &password, &address, house.wall_now()))
        }
    })
    .await;
    match made {
        Ok(Ok(session)) => {
            Ok(([(header::SET_COOKIE, session_cookie(&session))], Redirect::to("/")).into_response())
        }
        Ok(Err(_)) => Ok(Redirect::to("/sign-in").into_response()),
        Err(error) => {
            let failure = Failure::from(error.clone());
            Ok((failure.status(), set_up_page(&visit, &token, &name, Some(&error))).into_response())
        }
    }
}

/// Remembers language and theme.
pub(crate) async fn preferences(_visit: Visit, posted: Posted) -> Response {
    let mut response = Redirect::to(own_place(posted.get("place"))).into_response();
    if let Some(language) = posted.get("language").and_then(Language::from_code) {
        response
            .headers_mut()
            .append(header::SET_COOKIE, preference_cookie(LANGUAGE_COOKIE, language.code()));
    }
    if let Some(theme) = posted.get("theme").and_then(Theme::from_name) {
        response.headers_mut().append(header::SET_COOKIE, preference_cookie(THEME_COOKIE, theme.name()));
    }
    response
}
