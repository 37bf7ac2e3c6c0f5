//! Accounts: for administrators everyone's, for everybody their own password.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::identity::{Account, NewAccount, Role};
use maud::{Markup, html};

use crate::entrance::new_password;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{chip, csrf, facts, heading, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{minute, texts};

fn role_of(posted: &Posted) -> Result<Role, Failure> {
    Role::from_name(posted.text("role")).ok_or_else(|| Failure::unreadable("there is no such role"))
}

/// All accounts, and the form for another one.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let accounts = visit.work(|house, reader| house.list_accounts(reader)).await?;
    let content = html! {
        (heading(visit.say(texts::ACCOUNTS), &html! { (visit.say(texts::ACCOUNTS_INTRODUCTION)) }, &html! {}))
        (list_table(&visit, &accounts))
        section class="card" aria-labelledby="add" {
            h2 id="add" { (visit.say(texts::ADD_ACCOUNT)) }
            form method="post" action="/accounts" class="stack" {
                (csrf(&visit))
                label for="name" { (visit.say(texts::NAME)) }
                input id="name" name="name" required autocomplete="off" spellcheck="false" autocapitalize="none";
                label for="role" { (visit.say(texts::ROLE)) }
                (role_choice(&visit, "role", Role::Officer, None))
                (new_password(&visit))
                button class="primary" { (visit.say(texts::ADD_ACCOUNT)) }
            }
        }
    };
    Ok(Page::new(&visit, Room::Accounts, visit.say(texts::ACCOUNTS)).show(&content))
}

fn role_choice(visit: &Visit, id: &str, chosen: Role, label: Option<&str>) -> Markup {
    html! {
        select id=(id) name="role" aria-label=[label] {
            @for role in Role::ALL {
                option value=(role.name()) selected[role == chosen] { (visit.named("role", role.name())) }
            }
        }
    }
}

fn list_table(visit: &Visit, accounts: &[Account]) -> Markup {
    let head = html! {
        (th(visit, texts::NAME, false)) (th(visit, texts::ID, false)) (th(visit, texts::ROLE, false))
        (th(visit, texts::STATE, false)) (th(visit, texts::SINCE, false)) (th(visit, texts::ACTION, false))
    };
    let body = html! {
        @for account in accounts {
            tr {
                td { strong { (account.name) } }
                td { code { (account.id) } }
                td {
                    form method="post" action={ "/accounts/" (account.id) "/role" } class="inline" {
                        (csrf(visit))
                        (role_choice(visit, &format!("role-{}", account.id), account.role, Some(&format!("{}: {}", visit.say(texts::ROLE), account.name))))
                        button { (visit.say(texts::CHANGE)) }
                    }
                }
                td {
                    @if account.closed { (chip("plain", visit.say(texts::CLOSED))) } @else { (chip("good", visit.say(texts::OPEN))) }
                }
                td { (minute(account.created_at)) }
                td {
                    form method="post" action={ "/accounts/" (account.id) "/" (if account.closed { "reopen" } else { "close" }) } class="inline" {
                        (csrf(visit))
                        button aria-label={ (visit.say(if account.closed { texts::REOPEN } else { texts::CLOSE })) ": " (account.name) } {
                            (visit.say(if account.closed { texts::REOPEN } else { texts::CLOSE }))
                        }
                    }
                }
            }
        }
    };
    table(visit.say(texts::ACCOUNTS), &head, &body)
}

/// Makes an account.
pub(crate) async fn add(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let role = role_of(&posted)?;
    visit
        .work(move |house, reader| {
            house.open_account(reader, &NewAccount::new(posted.text("name"), role, posted.text("password")))
        })
        .await?;
    Ok(Redirect::to("/accounts"))
}

/// Gives an account another role.
pub(crate) async fn change_role(
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    let role = role_of(&posted)?;
    visit.work(move |house, reader| house.change_role(reader, &id, role)).await?;
    Ok(Redirect::to("/accounts"))
}

/// Closes an account.
pub(crate) async fn close(
    visit: Visit,
    Path(id): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.set_account_closed(reader, &id, true)).await?;
    Ok(Redirect::to("/accounts"))
}

/// Opens a closed account again.
pub(crate) async fn reopen(
    visit: Visit,
    Path(id): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.set_account_closed(reader, &id, false)).await?;
    Ok(Redirect::to("/accounts"))
}

/// One's own account.
pub(crate) async fn own(visit: Visit) -> Result<Markup, Failure> {
    let Some(session) = visit.session() else { return Err(Failure::SignIn) };
    let account = &session.account;
    let content = html! {
        (heading(visit.say(texts::MY_ACCOUNT), &html! {}, &html! {}))
        (facts(&[
            (visit.say(texts::NAME), html! { (account.name) }),
            (visit.say(texts::ROLE), html! { (visit.named("role", account.role.name())) }),
            (visit.say(texts::SENSITIVITY), html! { (visit.named("class", account.role.clearance().name())) }),
            (visit.say(texts::ID), html! { code { (account.id) } }),
        ]))
        section class="card" aria-labelledby="change" {
            h2 id="change" { (visit.say(texts::CHANGE_PASSWORD)) }
            form method="post" action="/account/password" class="stack" {
                (csrf(&visit))
                input type="hidden" name="name" value=(account.name) autocomplete="username";
                label for="present" { (visit.say(texts::PRESENT_PASSWORD)) }
                input id="present" name="present" type="password" autocomplete="current-password" required;
                (new_password(&visit))
                button class="primary" { (visit.say(texts::CHANGE_PASSWORD)) }
                p class="help" { (visit.say(texts::CHANGE_PASSWORD_HELP)) }
            }
        }
    };
    Ok(Page::new(&visit, Room::Elsewhere, visit.say(texts::MY_ACCOUNT)).show(&content))
}

/// Sets one's own password; all one's sessions end.
pub(crate) async fn change_password(visit: Visit, posted: Posted) -> Result<Response, Failure> {
    let address = visit.address().to_owned();
    visit
        .work(move |house, reader| {
            house.change_own_password(reader, posted.text("present"), posted.text("password"), &address)
        })
        .await?;
    Ok(Redirect::to("/sign-in").into_response())
}
