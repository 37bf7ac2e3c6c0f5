//! Clients: the software of an enterprise, what it is let do, and its secrets.

use axum::Router;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::{get, post};
use customhouse::identity::{Client, Permission, Scope, Scopes};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, csrf, empty, heading, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{Text, minute, texts};

/// Routes of pages and forms.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/clients", get(list).post(add))
        .route("/clients/{id}", get(show))
        .route("/clients/{id}/scopes", post(change_scopes))
        .route("/clients/{id}/secrets", post(make_secret))
        .route("/clients/{id}/secrets/{secret}/revoke", post(revoke_secret))
        .route("/clients/{id}/close", post(close))
}

/// All clients that the reader manages, and the form for another one.
async fn list(visit: Visit) -> Result<Markup, Failure> {
    let clients = visit.work(|house, reader| house.clients(reader)).await?;
    let reader = visit.reader()?;
    let content = html! {
        (heading(visit.say(texts::CLIENTS), &html! { (visit.say(texts::CLIENTS_TEXT)) }, &html! {}))
        @if clients.is_empty() {
            (empty(visit.say(texts::CLIENTS_NONE), visit.say(texts::CLIENTS_NONE_TEXT), &html! {}))
        } @else {
            (list_table(&visit, &clients))
        }
        details class="card" open[clients.is_empty()] {
            summary { (visit.say(texts::CLIENT_ADD)) }
            form method="post" action="/clients" class="stack" {
                (csrf(&visit))
                label for="name" { (visit.say(texts::NAME)) }
                input id="name" name="name" required maxlength="80" autocomplete="off" aria-describedby="name-help";
                p class="help" id="name-help" { (visit.say(texts::CLIENT_NAME_HELP)) }
                @if reader.may(Permission::ManageUsers) {
                    label for="party" { (visit.say(texts::ACCOUNT_PARTY)) }
                    input id="party" name="party" required maxlength="64" autocomplete="off" spellcheck="false";
                }
                (scope_choice(&visit, &Scopes::default()))
                button class="primary" { (visit.say(texts::CLIENT_ADD)) }
            }
        }
    };
    Ok(Page::new(&visit, Room::Clients, visit.say(texts::CLIENTS)).show(&content))
}

fn list_table(visit: &Visit, clients: &[Client]) -> Markup {
    let head = html! {
        (th(visit, texts::NAME, false)) (th(visit, texts::ACCOUNT_PARTY, false)) (th(visit, texts::CLIENT_MAY, false))
        (th(visit, texts::STATE, false)) (th(visit, texts::CLIENT_USED, false)) (th(visit, texts::SINCE, false))
    };
    let body = html! {
        @for client in clients {
            tr {
                td { a href={ "/clients/" (client.id) } { (client.name) } }
                td { code { (client.party) } }
                td { (client.scopes) }
                td { (state(visit, client)) }
                td class="period" { @match client.secrets.iter().filter_map(|secret| secret.used_at).max() { Some(at) => (minute(at)), None => (absent()) } }
                td class="period" { (minute(client.opened_at)) }
            }
        }
    };
    table(visit.say(texts::CLIENTS), &head, &body)
}

fn state(visit: &Visit, client: &Client) -> Markup {
    if client.closed { chip("plain", visit.say(texts::CLOSED)) } else { chip("good", visit.say(texts::OPEN)) }
}

/// A box for each scope, with what it means.
fn scope_choice(visit: &Visit, chosen: &Scopes) -> Markup {
    html! {
        fieldset class="plain choices" {
            legend { (visit.say(texts::CLIENT_MAY)) }
            @for scope in Scope::ALL {
                label {
                    input type="checkbox" name="scope" value=(scope.name()) checked[chosen.contains(scope)];
                    " " (visit.named("scope", scope.name())) " " code class="soft" { (scope.name()) }
                }
            }
        }
    }
}

fn scopes_of(posted: &Posted) -> Result<Scopes, Failure> {
    Ok(Scopes::parse(&posted.all("scope").join(" "))?)
}

/// One client: secrets, scopes, and how to close it.
async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let client = visit.work(move |house, reader| house.client(reader, &id)).await?;
    let place = format!("/clients/{}", client.id);
    let below = html! {
        (state(&visit, &client)) " · " code { (client.party) } " · " (visit.say(texts::SINCE)) " " (minute(client.opened_at))
        " · " (visit.say(texts::CLIENT_ID)) " " code id="client-id" { (client.id) }
    };
    let content = html! {
        (crumbs(&visit, &[("/clients", visit.say(texts::CLIENTS))]))
        (heading(&client.name, &below, &html! {}))
        @if client.closed {
            p class="notice" { (visit.say(texts::CLIENT_CLOSED_TEXT)) }
        } @else {
            (secrets(&visit, &client, &place))
            section class="card" aria-labelledby="may" {
                h2 id="may" { (visit.say(texts::CLIENT_MAY)) }
                form method="post" action={ (place) "/scopes" } class="stack" {
                    (csrf(&visit))
                    (scope_choice(&visit, &client.scopes))
                    p class="help" { (visit.say(texts::CLIENT_SCOPES_HELP)) }
                    button { (visit.say(texts::CHANGE)) }
                }
            }
            section class="card" aria-labelledby="close" {
                h2 id="close" { (visit.say(texts::CLOSE)) }
                form method="post" action={ (place) "/close" } class="stack" {
                    (csrf(&visit))
                    p class="help" { (visit.say(texts::CLIENT_CLOSE_HELP)) }
                    button { (visit.say(texts::CLOSE)) }
                }
            }
        }
    };
    Ok(Page::new(&visit, Room::Clients, client.name.as_str()).show(&content))
}

fn secrets(visit: &Visit, client: &Client, place: &str) -> Markup {
    let head = html! {
        (th(visit, texts::ID, false)) (th(visit, texts::CLIENT_SECRET_MADE, false)) (th(visit, texts::CLIENT_USED, false)) (th(visit, texts::ACTION, false))
    };
    let body = html! {
        @for secret in &client.secrets {
            tr {
                td { code { (secret.id) } }
                td class="period" { (minute(secret.made_at)) }
                td class="period" { @match secret.used_at { Some(at) => (minute(at)), None => (absent()) } }
                td {
                    form method="post" action={ (place) "/secrets/" (secret.id) "/revoke" } class="inline" {
                        (csrf(visit))
                        button aria-label={ (visit.say(texts::TOKEN_REVOKE)) ": " (secret.id) } { (visit.say(texts::TOKEN_REVOKE)) }
                    }
                }
            }
        }
    };
    html! {
        section class="card" aria-labelledby="secrets" {
            h2 id="secrets" { (visit.say(texts::CLIENT_SECRETS)) }
            p { (visit.say(texts::CLIENT_SECRETS_TEXT)) }
            @if !client.secrets.is_empty() { (table(visit.say(texts::CLIENT_SECRETS), &head, &body)) }
            form method="post" action={ (place) "/secrets" } class="inline" {
                (csrf(visit))
                button { (visit.say(texts::CLIENT_SECRET_MAKE)) }
            }
        }
    }
}

/// What is shown once: a secret with what it is for.
pub(crate) fn shown_once(
    visit: &Visit,
    title: Text,
    pairs: &[(&str, &str)],
    more: &Markup,
    back: &str,
) -> Markup {
    html! {
        (heading(visit.say(title), &html! {}, &html! {}))
        div class="notice warn" role="status" {
            p { strong { (visit.say(texts::TOKEN_ONCE)) } }
            @for (name, value) in pairs { p { (name) ": " code class="hash" { (value) } } }
        }
        (more)
        p { a class="button primary" href=(back) { (visit.say(texts::TOKEN_BACK)) } }
    }
}

fn secret_page(visit: &Visit, title: Text, client: &str, secret: &str) -> Markup {
    let back = format!("/clients/{client}");
    let pairs = [(visit.say(texts::CLIENT_ID), client), (visit.say(texts::CLIENT_SECRET), secret)];
    let more = html! {
        pre class="condition" { code { "curl -u " (client) ":tws_… -d grant_type=client_credentials …/oauth2/token" } }
    };
    let content = shown_once(visit, title, &pairs, &more, &back);
    Page::new(visit, Room::Clients, visit.say(title)).show(&content)
}

/// Makes a client and shows its secret.
async fn add(visit: Visit, posted: Posted) -> Result<Markup, Failure> {
    let reader = visit.reader()?;
    reader.require(Permission::ManageClients)?;
    let scopes = scopes_of(&posted)?;
    let name = posted.text("name").to_owned();
    let party = posted.filled("party").map_or_else(|| reader.party.unwrap_or_default(), str::to_owned);
    let (client, secret) =
        visit.work(move |house, reader| house.open_client(reader, &name, &party, &scopes)).await?;
    Ok(secret_page(&visit, texts::CLIENT_NEW, &client.id, &secret))
}

/// Makes another secret and shows it.
async fn make_secret(visit: Visit, Path(id): Path<String>, _posted: Posted) -> Result<Markup, Failure> {
    let client = id.clone();
    let (_, secret) = visit.work(move |house, reader| house.make_client_secret(reader, &id)).await?;
    Ok(secret_page(&visit, texts::CLIENT_SECRET_NEW, &client, &secret))
}

/// Makes a secret worthless.
async fn revoke_secret(
    visit: Visit,
    Path((id, secret)): Path<(String, String)>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    let back = format!("/clients/{id}");
    visit.work(move |house, reader| house.revoke_client_secret(reader, &id, &secret)).await?;
    Ok(Redirect::to(&back))
}

/// Lets a client do something else.
async fn change_scopes(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::ManageClients)?;
    let scopes = scopes_of(&posted)?;
    let back = format!("/clients/{id}");
    visit.work(move |house, reader| house.set_client_scopes(reader, &id, &scopes)).await?;
    Ok(Redirect::to(&back))
}

/// Closes a client.
async fn close(visit: Visit, Path(id): Path<String>, _posted: Posted) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.close_client(reader, &id)).await?;
    Ok(Redirect::to("/clients"))
}
