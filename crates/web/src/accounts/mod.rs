//! Accounts: for administrators everyone's, for everybody their own password and tokens.

mod roles;
mod tokens;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::identity::{Account, NewAccount, Permission, Role};
use maud::{Markup, html};

use crate::entrance::new_password;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, csrf, facts, heading, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{minute, texts};

pub(crate) use tokens::{issue, issue_own, revoke, revoke_own};

fn role_of(posted: &Posted) -> Result<Role, Failure> {
    Role::from_name(posted.text("role")).ok_or_else(|| Failure::unreadable("there is no such role"))
}

/// All accounts, what each role may do, and the form for another one.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let (accounts, offices) =
        visit.work(|house, reader| Ok((house.list_accounts(reader)?, house.offices()?))).await?;
    let content = html! {
        (heading(visit.say(texts::ACCOUNTS), &html! { (visit.say(texts::ACCOUNTS_INTRODUCTION)) }, &html! {}))
        (list_table(&visit, &accounts))
        details class="card" {
            summary { (visit.say(texts::ADD_ACCOUNT)) }
            form method="post" action="/accounts" class="stack" {
                (csrf(&visit))
                label for="name" { (visit.say(texts::NAME)) }
                input id="name" name="name" required autocomplete="off" spellcheck="false" autocapitalize="none";
                label for="role" { (visit.say(texts::ROLE)) }
                (role_choice(&visit, "role", Role::Officer, None))
                (assignment(&visit, None, &offices))
                (new_password(&visit))
                button class="primary" { (visit.say(texts::ADD_ACCOUNT)) }
            }
        }
        (roles::table_of_roles(&visit))
    };
    Ok(Page::new(&visit, Room::Accounts, visit.say(texts::ACCOUNTS)).show(&content))
}

/// Fields for party and office.
fn assignment(visit: &Visit, account: Option<&Account>, offices: &[String]) -> Markup {
    let party = account.and_then(|account| account.party.as_deref()).unwrap_or_default();
    let office = account.and_then(|account| account.office.as_deref()).unwrap_or_default();
    html! {
        label for="party" { (visit.say(texts::ACCOUNT_PARTY)) }
        input id="party" name="party" value=(party) maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="party-help";
        p class="help" id="party-help" { (visit.say(texts::ACCOUNT_PARTY_HELP)) }
        label for="office" { (visit.say(texts::OFFICE)) }
        input id="office" name="office" value=(office) maxlength="64" autocomplete="off" spellcheck="false" list="offices" aria-describedby="office-help";
        datalist id="offices" { @for office in offices { option value=(office) {} } }
        p class="help" id="office-help" { (visit.say(texts::ACCOUNT_OFFICE_HELP)) }
    }
}

/// One account: role, party, office, tokens.
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let (account, held, offices) = visit
        .work(move |house, reader| {
            reader.require(Permission::ManageUsers)?;
            let account = house.accounts().find(&id)?;
            let held = house.tokens(reader, &account.id)?;
            Ok((account, held, house.offices()?))
        })
        .await?;
    let place = format!("/accounts/{}", account.id);
    let state = if account.closed {
        chip("plain", visit.say(texts::CLOSED))
    } else {
        chip("good", visit.say(texts::OPEN))
    };
    let (way, word) = if account.closed { ("reopen", texts::REOPEN) } else { ("close", texts::CLOSE) };
    let close = html! {
        form method="post" action={ (place) "/" (way) } class="inline" { (csrf(&visit)) button { (visit.say(word)) } }
    };
    let below = html! { (state) " · " (visit.say(texts::SINCE)) " " (minute(account.created_at)) " · " code { (account.id) } };
    let content = html! {
        (crumbs(&visit, &[("/accounts", visit.say(texts::ACCOUNTS))]))
        (heading(&account.name, &below, &close))
        div class="columns" {
            section class="card" {
                h2 { (visit.say(texts::ROLE)) }
                form method="post" action={ (place) "/role" } class="stack" {
                    (csrf(&visit))
                    label for="role" { (visit.say(texts::ROLE)) }
                    (role_choice(&visit, "role", account.role, None))
                    button { (visit.say(texts::CHANGE)) }
                }
            }
            section class="card" {
                h2 { (visit.say(texts::ACCOUNT_ACTS_FOR)) }
                form method="post" action={ (place) "/assign" } class="stack" {
                    (csrf(&visit))
                    (assignment(&visit, Some(&account), &offices))
                    button { (visit.say(texts::CHANGE)) }
                }
            }
        }
        (tokens::shown(&visit, &format!("{place}/tokens"), &held))
    };
    Ok(Page::new(&visit, Room::Accounts, account.name.as_str()).show(&content))
}

/// Says for which party an account acts and at which office it works.
pub(crate) async fn assign(
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    let place = format!("/accounts/{id}");
    visit
        .work(move |house, reader| house.assign(reader, &id, posted.filled("party"), posted.filled("office")))
        .await?;
    Ok(Redirect::to(&place))
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
        (th(visit, texts::NAME, false)) (th(visit, texts::ROLE, false)) (th(visit, texts::ACCOUNT_PARTY, false))
        (th(visit, texts::OFFICE, false)) (th(visit, texts::STATE, false)) (th(visit, texts::SINCE, false))
    };
    let id = |id: &Option<String>| html! { @match id { Some(id) => code { (id) }, None => (absent()) } };
    let body = html! {
        @for account in accounts {
            tr {
                td { a href={ "/accounts/" (account.id) } { (account.name) } }
                td { (visit.named("role", account.role.name())) }
                td { (id(&account.party)) }
                td { (id(&account.office)) }
                td { @if account.closed { (chip("plain", visit.say(texts::CLOSED))) } @else { (chip("good", visit.say(texts::OPEN))) } }
                td class="period" { (minute(account.created_at)) }
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
            let new = NewAccount::new(posted.text("name"), role, posted.text("password"))
                .of_party(posted.filled("party"))
                .at_office(posted.filled("office"));
            house.open_account(reader, &new)
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
    let place = format!("/accounts/{id}");
    visit.work(move |house, reader| house.change_role(reader, &id, role)).await?;
    Ok(Redirect::to(&place))
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
    let held = visit.work(|house, reader| house.tokens(reader, &reader.id)).await?;
    let Some(session) = visit.session() else { return Err(Failure::SignIn) };
    let account = &session.account;
    let content = html! {
        (heading(visit.say(texts::MY_ACCOUNT), &html! {}, &html! {}))
        (facts(&[
            (visit.say(texts::NAME), html! { (account.name) }),
            (visit.say(texts::ROLE), html! { (visit.named("role", account.role.name())) }),
            (visit.say(texts::SENSITIVITY), html! { (visit.named("class", account.role.clearance().name())) }),
            (visit.say(texts::ID), html! { code { (account.id) } }),
            (visit.say(texts::ACCOUNT_PARTY), html! { @match &account.party { Some(party) => code { (party) }, None => (absent()) } }),
            (visit.say(texts::OFFICE), html! { @match &account.office { Some(office) => code { (office) }, None => (absent()) } }),
        ]))
        (tokens::shown(&visit, "/account/tokens", &held))
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
