//! Webhooks: where a trader's notifications are pushed to, and what became of them.

use axum::Router;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::{get, post};
use customhouse::identity::Permission;
use customhouse::webhooks::{DeliveryShown, Fate, Webhook, WebhookState};
use maud::{Markup, html};

use crate::clients::shown_once;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, csrf, empty, heading, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{Text, duration, minute, texts};

/// Routes of pages and forms.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/webhooks", get(list).post(add))
        .route("/webhooks/{id}", get(show))
        .route("/webhooks/{id}/act", post(act))
        .route("/webhooks/{id}/secret", post(change_secret))
}

/// All webhooks of the party, and the form for another one.
async fn list(visit: Visit) -> Result<Markup, Failure> {
    let (webhooks, to_private) =
        visit.work(|house, reader| Ok((house.webhooks(reader)?, house.webhooks_reach_private()))).await?;
    let content = html! {
        (heading(visit.say(texts::WEBHOOKS), &html! { (visit.say(texts::WEBHOOKS_TEXT)) }, &html! {}))
        @if webhooks.is_empty() {
            (empty(visit.say(texts::WEBHOOKS_NONE), visit.say(texts::WEBHOOKS_NONE_TEXT), &html! {}))
        } @else {
            (list_table(&visit, &webhooks))
        }
        details class="card" open[webhooks.is_empty()] {
            summary { (visit.say(texts::WEBHOOK_ADD)) }
            form method="post" action="/webhooks" class="stack" {
                (csrf(&visit))
                label for="url" { (visit.say(texts::WEBHOOK_ADDRESS)) }
                input id="url" name="url" type="url" required maxlength="2000" autocomplete="off" spellcheck="false" placeholder="https://" aria-describedby="url-help";
                p class="help" id="url-help" {
                    (visit.say(if to_private { texts::WEBHOOK_ADDRESS_HELP_PRIVATE } else { texts::WEBHOOK_ADDRESS_HELP }))
                }
                button class="primary" { (visit.say(texts::WEBHOOK_ADD)) }
            }
        }
    };
    Ok(Page::new(&visit, Room::Webhooks, visit.say(texts::WEBHOOKS)).show(&content))
}

fn list_table(visit: &Visit, webhooks: &[Webhook]) -> Markup {
    let head = html! {
        (th(visit, texts::WEBHOOK_ADDRESS, false)) (th(visit, texts::STATE, false)) (th(visit, texts::WEBHOOK_TRIES, true))
        (th(visit, texts::WEBHOOK_NEXT, false)) (th(visit, texts::SINCE, false))
    };
    let body = html! {
        @for webhook in webhooks {
            tr {
                td { a href={ "/webhooks/" (webhook.id) } { (webhook.url) } }
                td { (state(visit, webhook)) }
                td class="number" { (webhook.tries) }
                td class="period" { (next_try(webhook)) }
                td class="period" { (minute(webhook.made_at)) }
            }
        }
    };
    table(visit.say(texts::WEBHOOKS), &head, &body)
}

fn state(visit: &Visit, webhook: &Webhook) -> Markup {
    let class = match webhook.state {
        WebhookState::Active if webhook.tries > 0 => "warn",
        WebhookState::Active => "good",
        WebhookState::Paused => "plain",
        WebhookState::GivenUp => "bad",
    };
    chip(class, visit.named("webhook", webhook.state.name()))
}

fn next_try(webhook: &Webhook) -> Markup {
    match webhook.next_try_at {
        Some(at) => html! { (minute(at)) },
        None => absent(),
    }
}

/// One webhook: how it stands, what can be done, what was sent last.
async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let (webhook, deliveries) = visit.work(move |house, reader| house.webhook(reader, &id)).await?;
    let below = html! {
        (state(&visit, &webhook)) " · " (visit.say(texts::SINCE)) " " (minute(webhook.made_at)) " · " code { (webhook.id) }
    };
    let content = html! {
        (crumbs(&visit, &[("/webhooks", visit.say(texts::WEBHOOKS))]))
        (heading(&webhook.url, &below, &actions(&visit, &webhook)))
        @if webhook.state == WebhookState::GivenUp {
            div class="notice bad" role="status" { p { (visit.say(texts::WEBHOOK_GIVEN_UP)) } }
        } @else if webhook.tries > 0 {
            div class="notice warn" role="status" { p { (visit.fill(texts::WEBHOOK_WAITS, &[("n", &webhook.tries.to_string())])) " " (next_try(&webhook)) } }
        }
        section aria-labelledby="sent" {
            h2 id="sent" { (visit.say(texts::WEBHOOK_SENT)) }
            @if deliveries.is_empty() {
                p { (visit.say(texts::WEBHOOK_SENT_NONE)) }
            } @else {
                (sent_table(&visit, &webhook, &deliveries))
            }
        }
        (secret_card(&visit, &webhook))
        section class="card" aria-labelledby="remove" {
            h2 id="remove" { (visit.say(texts::WEBHOOK_REMOVE)) }
            p class="help" { (visit.say(texts::WEBHOOK_REMOVE_HELP)) }
            (button(&visit, &webhook, "remove", texts::WEBHOOK_REMOVE, false))
        }
    };
    Ok(Page::new(&visit, Room::Webhooks, webhook.url.as_str()).show(&content))
}

fn button(visit: &Visit, webhook: &Webhook, action: &str, word: Text, primary: bool) -> Markup {
    html! {
        form method="post" action={ "/webhooks/" (webhook.id) "/act" } class="inline" {
            (csrf(visit))
            button name="do" value=(action) class=[primary.then_some("primary")] { (visit.say(word)) }
        }
    }
}

fn actions(visit: &Visit, webhook: &Webhook) -> Markup {
    let stands = webhook.state != WebhookState::Active;
    html! {
        (button(visit, webhook, "test", texts::WEBHOOK_TEST, false))
        @if stands { (button(visit, webhook, "resume", texts::WEBHOOK_RESUME, true)) }
        @if !stands && webhook.tries > 0 { (button(visit, webhook, "resume", texts::WEBHOOK_TRY_NOW, true)) }
        @if !stands { (button(visit, webhook, "pause", texts::WEBHOOK_PAUSE, false)) }
    }
}

fn secret_card(visit: &Visit, webhook: &Webhook) -> Markup {
    html! {
        section class="card" aria-labelledby="secret" {
            h2 id="secret" { (visit.say(texts::CLIENT_SECRET)) }
            p { (visit.say(texts::WEBHOOK_SECRET_TEXT)) }
            @if let Some(until) = webhook.earlier_secret_until {
                p class="help" { (visit.say(texts::WEBHOOK_SECRET_EARLIER)) " " (minute(until)) }
            }
            form method="post" action={ "/webhooks/" (webhook.id) "/secret" } class="inline" {
                (csrf(visit))
                button { (visit.say(texts::CLIENT_SECRET_MAKE)) }
            }
        }
    }
}

fn sent_table(visit: &Visit, webhook: &Webhook, deliveries: &[DeliveryShown]) -> Markup {
    let head = html! {
        (th(visit, texts::WEBHOOK_TRIED, false)) (th(visit, texts::WEBHOOK_MESSAGE, false)) (th(visit, texts::WEBHOOK_CODE, false))
        (th(visit, texts::STATE, false)) (th(visit, texts::WEBHOOK_ANSWER, false)) (th(visit, texts::WEBHOOK_TRIES, true))
        (th(visit, texts::WEBHOOK_TOOK, true)) (th(visit, texts::ACTION, false))
    };
    let body = html! {
        @for delivery in deliveries {
            tr {
                td class="period" { (minute(delivery.tried_at.unwrap_or(delivery.issued_at))) }
                td { @if delivery.mrn.is_empty() { (visit.say(texts::WEBHOOK_A_TEST)) } @else { a href={ "/own/" (delivery.mrn) } { (delivery.mrn) } } }
                td { @if delivery.function_code.is_empty() { (absent()) } @else { code { (delivery.function_code) } } }
                td { (fate(visit, delivery)) }
                td { (answer(visit, delivery)) }
                td class="number" { (delivery.tries) }
                td class="number" { @match delivery.milliseconds { Some(time) => (duration(time)), None => (absent()) } }
                td {
                    @if delivery.fate == Fate::Waits && !delivery.mrn.is_empty() {
                        form method="post" action={ "/webhooks/" (webhook.id) "/act" } class="inline" {
                            (csrf(visit))
                            input type="hidden" name="message" value=(delivery.message);
                            button name="do" value="skip" aria-label={ (visit.say(texts::WEBHOOK_SKIP)) ": " (delivery.mrn) } { (visit.say(texts::WEBHOOK_SKIP)) }
                        }
                    }
                }
            }
        }
    };
    table(visit.say(texts::WEBHOOK_SENT), &head, &body)
}

fn fate(visit: &Visit, delivery: &DeliveryShown) -> Markup {
    let class = match delivery.fate {
        Fate::Delivered => "good",
        Fate::Waits => "warn",
        Fate::Skipped => "plain",
        Fate::Failed => "bad",
    };
    chip(class, visit.named("fate", delivery.fate.name()))
}

fn answer(visit: &Visit, delivery: &DeliveryShown) -> Markup {
    html! {
        @if let Some(status) = delivery.status { code { (status) } " " }
        @if let Some(trouble) = &delivery.trouble { (visit.named("trouble", trouble)) }
        @if delivery.status.is_none() && delivery.trouble.is_none() { (absent()) }
    }
}

fn secret_page(visit: &Visit, title: Text, id: &str, secret: &str) -> Markup {
    let more = html! { p { (visit.say(texts::WEBHOOK_SECRET_TEXT)) } };
    let content = shown_once(
        visit,
        title,
        &[(visit.say(texts::CLIENT_SECRET), secret)],
        &more,
        &format!("/webhooks/{id}"),
    );
    Page::new(visit, Room::Webhooks, visit.say(title)).show(&content)
}

/// Makes a webhook and shows its secret.
async fn add(visit: Visit, posted: Posted) -> Result<Markup, Failure> {
    let url = posted.text("url").to_owned();
    let (webhook, secret) = visit.work(move |house, reader| house.open_webhook(reader, &url)).await?;
    Ok(secret_page(&visit, texts::WEBHOOK_NEW, &webhook.id, &secret))
}

/// Changes the secret and shows the new one.
async fn change_secret(visit: Visit, Path(id): Path<String>, _posted: Posted) -> Result<Markup, Failure> {
    let webhook = id.clone();
    let secret = visit.work(move |house, reader| house.change_webhook_secret(reader, &id)).await?;
    Ok(secret_page(&visit, texts::CLIENT_SECRET_NEW, &webhook, &secret))
}

/// Tests, stops, lets go on, skips or removes.
async fn act(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::ManageWebhooks)?;
    let action = posted.text("do").to_owned();
    let back = if action == "remove" { "/webhooks".to_owned() } else { format!("/webhooks/{id}") };
    let message = posted.text("message").to_owned();
    perform(&visit, id, action, message).await?;
    Ok(Redirect::to(&back))
}

/// Does what a page or a program wants done with a webhook.
pub(crate) async fn perform(
    visit: &Visit,
    id: String,
    action: String,
    message: String,
) -> Result<(), Failure> {
    if !["test", "pause", "resume", "skip", "remove"].contains(&action.as_str()) {
        return Err(Failure::unreadable(
            "there is no such action; it is test, pause, resume, skip or remove",
        ));
    }
    visit
        .work(move |house, reader| match action.as_str() {
            "pause" => house.pause_webhook(reader, &id),
            "resume" => house.resume_webhook(reader, &id),
            "skip" => house.skip_notification(reader, &id, &message),
            "remove" => house.remove_webhook(reader, &id),
            _ => house.test_webhook(reader, &id).map(|_| ()),
        })
        .await
}
