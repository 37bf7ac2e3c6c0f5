//! Tokens with which programs act as an account.

use axum::extract::Path;
use axum::response::Redirect;
use customhouse::identity::ApiToken;
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{csrf, heading, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{minute, texts};

/// The tokens of an account, and the form for another one.
pub(super) fn shown(visit: &Visit, place: &str, tokens: &[ApiToken]) -> Markup {
    let head = html! {
        (th(visit, texts::TOKEN_FOR, false)) (th(visit, texts::TOKEN_ISSUED, false)) (th(visit, texts::TOKEN_ENDS, false)) (th(visit, texts::ACTION, false))
    };
    let body = html! {
        @for token in tokens {
            tr {
                td { (token.label) }
                td { (minute(token.issued_at)) }
                td { (minute(token.expires_at)) }
                td {
                    form method="post" action={ (place) "/" (token.id) "/revoke" } class="inline" {
                        (csrf(visit))
                        button aria-label={ (visit.say(texts::TOKEN_REVOKE)) ": " (token.label) } { (visit.say(texts::TOKEN_REVOKE)) }
                    }
                }
            }
        }
    };
    html! {
        section class="card" aria-labelledby="tokens" {
            h2 id="tokens" { (visit.say(texts::TOKENS)) }
            p { (visit.say(texts::TOKENS_TEXT)) }
            @if !tokens.is_empty() { (table(visit.say(texts::TOKENS), &head, &body)) }
            form method="post" action=(place) class="stack" {
                (csrf(visit))
                label for="label" { (visit.say(texts::TOKEN_FOR)) }
                input id="label" name="label" required maxlength="80" autocomplete="off" aria-describedby="label-help";
                p class="help" id="label-help" { (visit.say(texts::TOKEN_FOR_HELP)) }
                button { (visit.say(texts::TOKEN_ISSUE)) }
            }
        }
    }
}

async fn issued(visit: &Visit, account: String, posted: &Posted, back: &str) -> Result<Markup, Failure> {
    let label = posted.text("label").to_owned();
    let (token, secret) =
        visit.work(move |house, reader| house.issue_token(reader, &account, &label)).await?;
    let content = html! {
        (heading(visit.say(texts::TOKEN_NEW), &html! { (token.label) }, &html! {}))
        div class="notice warn" role="status" {
            p { strong { (visit.say(texts::TOKEN_ONCE)) } }
            p { code class="hash" id="secret" { (secret) } }
        }
        pre class="condition" { code { "curl -H \"Authorization: Bearer tw_…\" -H \"Content-Type: application/json\" --data-binary @declaration.json …/api/v1/declarations" } }
        p { a class="button primary" href=(back) { (visit.say(texts::TOKEN_BACK)) } }
    };
    Ok(Page::new(visit, Room::Elsewhere, visit.say(texts::TOKEN_NEW)).show(&content))
}

/// Issues a token of any account.
pub(crate) async fn issue(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Markup, Failure> {
    let back = format!("/accounts/{id}");
    issued(&visit, id, &posted, &back).await
}

/// Issues a token of one's own account.
pub(crate) async fn issue_own(visit: Visit, posted: Posted) -> Result<Markup, Failure> {
    let own = visit.reader()?.id;
    issued(&visit, own, &posted, "/account").await
}

/// Makes a token of any account worthless.
pub(crate) async fn revoke(
    visit: Visit,
    Path((id, token)): Path<(String, String)>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    let back = format!("/accounts/{id}");
    visit.work(move |house, reader| house.revoke_token(reader, &id, &token)).await?;
    Ok(Redirect::to(&back))
}

/// Makes a token of one's own account worthless.
pub(crate) async fn revoke_own(
    visit: Visit,
    Path(token): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.revoke_token(reader, &reader.id, &token)).await?;
    Ok(Redirect::to("/account"))
}
