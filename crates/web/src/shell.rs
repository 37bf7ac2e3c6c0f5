//! The frame around every page: rail, search, switches, and the page for what went wrong.

use customhouse::identity::Permission;
use customhouse::{Error, Kind};
use maud::{DOCTYPE, Markup, html};
use spine::Language;

use crate::view::{csrf, findings};
use crate::visit::{Theme, Visit};
use crate::words::{Text, texts};
use crate::{assets, sandbox};

/// Which part of the house a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// The first page.
    Overview,
    /// Work that waits.
    Queue,
    /// Declarations and their cases.
    Declarations,
    /// What is announced before goods come in.
    EntrySummaries,
    /// Who trades.
    Entities,
    /// Plans, policies, thresholds.
    Plan,
    /// Batches, contracts, quarantine.
    Pool,
    /// The catalogue of tags.
    Tags,
    /// Targeting audits.
    Audits,
    /// What was done, event by event.
    Journal,
    /// Who looked at what.
    Viewings,
    /// What was erased.
    Erasures,
    /// Packs in use.
    Packs,
    /// The public record of changes.
    Changes,
    /// Accounts.
    Accounts,
    /// Software of enterprises.
    Clients,
    /// Where notifications are pushed to.
    Webhooks,
    /// A trader's own declarations.
    Own,
    /// The form in which a trader writes one.
    OwnNew,
    /// Help.
    Help,
    /// None of them.
    Elsewhere,
}

/// What the rail shows: room, place, word, picture, and what it takes to see it.
type Entry = (Room, &'static str, Text, &'static str, Option<Permission>);

/// A screen with brackets.
const CLIENTS_PICTURE: &str = "M4 5h12v8H4zM2.5 16h15M8 8l-1.5 1.5L8 11M12 8l1.5 1.5L12 11";

const RAIL: [Entry; 15] = [
    (
        Room::Overview,
        "/",
        texts::OVERVIEW,
        "M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-3.5v-5h-5v5H4a1 1 0 0 1-1-1z",
        None,
    ),
    (
        Room::Queue,
        "/queue",
        texts::QUEUE,
        "M3 5h.01M6.5 5H17M3 10h.01M6.5 10H17M3 15h.01M6.5 15H17",
        Some(Permission::Examine),
    ),
    (
        Room::Declarations,
        "/declarations",
        texts::DECLARATIONS,
        "M5 3h7l3 3v11H5zM12 3v3h3M7.5 10h5M7.5 13h5",
        Some(Permission::ViewDeclarations),
    ),
    (
        Room::EntrySummaries,
        "/entry-summaries",
        texts::ENTRY_SUMMARIES,
        "M3 12.5h14l-2 4H5zM10 12.5V3.5l4.5 5H10M6.5 12.5v-4",
        Some(Permission::ViewDeclarations),
    ),
    (
        Room::Entities,
        "/entities",
        texts::ENTITIES,
        "M4 17V6l6-3v14M10 8l6 2.5V17M3 17h14M6.5 8.5h1M6.5 11.5h1M12.5 13h1",
        Some(Permission::ViewDeclarations),
    ),
    (
        Room::Plan,
        "/plan",
        texts::PLAN,
        "M3 6h8M15 6h2M13 4v4M3 14h2M9 14h8M7 12v4",
        Some(Permission::ViewPlans),
    ),
    (
        Room::Tags,
        "/tags",
        texts::TAGS,
        "M3 3.5h6.6L17 10.9 10.9 17 3.5 9.6zM6.8 6.8h.01",
        Some(Permission::ViewTags),
    ),
    (
        Room::Audits,
        "/audits",
        texts::AUDITS,
        "M3 17V3M3 17h14M6.5 13.5l3-4 2.5 2L16.5 5",
        Some(Permission::ViewAudits),
    ),
    (
        Room::Pool,
        "/pool",
        texts::POOL,
        "M3.5 5.5c0-1.4 2.9-2.5 6.5-2.5s6.5 1.1 6.5 2.5S13.6 8 10 8 3.5 6.9 3.5 5.5zm0 0V14.5c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5V5.5M3.5 10c0 1.4 2.9 2.5 6.5 2.5s6.5-1.1 6.5-2.5",
        Some(Permission::ViewPool),
    ),
    (
        Room::Journal,
        "/journal",
        texts::JOURNAL,
        "M4.5 3H15v14H4.5a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 4.5 3zM6.5 3v14M9 7h3.5M9 10h3.5",
        Some(Permission::ViewJournal),
    ),
    (
        Room::Viewings,
        "/viewings",
        texts::VIEWINGS,
        "M2.5 10S5.5 5 10 5s7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5zM10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
        Some(Permission::ViewViewings),
    ),
    (
        Room::Packs,
        "/packs",
        texts::PACKS,
        "M3.5 6.5 10 3l6.5 3.5v7L10 17l-6.5-3.5zM3.5 6.5 10 10l6.5-3.5M10 10v7",
        None,
    ),
    (
        Room::Changes,
        "/changes",
        texts::CHANGES,
        "M4 16a1 1 0 1 0 0-.01M3.5 9.5a7 7 0 0 1 7 7M3.5 4.5a12 12 0 0 1 12 12",
        None,
    ),
    (
        Room::Accounts,
        "/accounts",
        texts::ACCOUNTS,
        "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.4-3.2 2.8-5 6-5s5.6 1.8 6 5",
        Some(Permission::ManageUsers),
    ),
    (Room::Clients, "/clients", texts::CLIENTS, CLIENTS_PICTURE, Some(Permission::ManageUsers)),
];

/// What a trader's rail shows.
const TRADERS_RAIL: [Entry; 6] = [
    (Room::Own, "/own", texts::DECLARATIONS, "M5 3h7l3 3v11H5zM12 3v3h3M7.5 10h5M7.5 13h5", None),
    (Room::OwnNew, "/own/new", texts::OWN_NEW_SHORT, "M10 4v12M4 10h12", None),
    (Room::Clients, "/clients", texts::CLIENTS, CLIENTS_PICTURE, None),
    (
        Room::Webhooks,
        "/webhooks",
        texts::WEBHOOKS,
        "M3 10h9M9 6.5 12.5 10 9 13.5M12 4h3.5A1.5 1.5 0 0 1 17 5.5v9a1.5 1.5 0 0 1-1.5 1.5H12",
        None,
    ),
    (
        Room::Help,
        "/help",
        texts::OWN_HELP,
        "M7.5 7.5a2.5 2.5 0 1 1 3.6 2.3c-.7.4-1.1.9-1.1 1.7M10 14.5h.01M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z",
        None,
    ),
    (
        Room::Changes,
        "/changes",
        texts::CHANGES,
        "M4 16a1 1 0 1 0 0-.01M3.5 9.5a7 7 0 0 1 7 7M3.5 4.5a12 12 0 0 1 12 12",
        None,
    ),
];

/// Entries of the rail that a phone's bottom bar has room for; the others stand in the person's menu there.
const BOTTOM_BAR_MAX: usize = 5;

/// What of the rail the reader may see.
fn entries(visit: &Visit) -> impl Iterator<Item = &'static Entry> {
    let rail: &[Entry] = if visit.may(Permission::Lodge) { &TRADERS_RAIL } else { &RAIL };
    rail.iter().filter(|(_, _, _, _, permission)| permission.is_none_or(|permission| visit.may(permission)))
}

/// A line drawing of 20 by 20 units.
pub(crate) fn icon(path: &str) -> Markup {
    html! {
        svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false" { path d=(path) {} }
    }
}

fn head(visit: &Visit, title: &str, extra_styles: &[&str], extra_scripts: &[&str]) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            // Styles and scripts of the library's own would break the content security policy.
            meta name="htmx-config" content=r#"{"includeIndicatorStyles":false,"allowEval":false,"selfRequestsOnly":true,"historyCacheSize":0}"#;
            title { (title) " · Tidewaiter" }
            link rel="icon" type="image/svg+xml" href=(assets::url("favicon.svg"));
            link rel="stylesheet" href=(assets::url("app.css"));
            @for style in extra_styles { link rel="stylesheet" href=(assets::url(style)); }
            script defer src=(assets::url("htmx.min.js")) {}
            script defer src=(assets::url("app.js")) {}
            @for script in extra_scripts { script defer src=(assets::url(script)) {} }
            meta name="language" content=(visit.language().code());
        }
    }
}

/// A page being made.
pub(crate) struct Page<'a> {
    visit: &'a Visit,
    room: Room,
    title: String,
    styles: Vec<&'static str>,
    scripts: Vec<&'static str>,
    public: bool,
}

impl<'a> Page<'a> {
    /// A page of a room.
    pub(crate) fn new(visit: &'a Visit, room: Room, title: impl Into<String>) -> Self {
        Self { visit, room, title: title.into(), styles: Vec::new(), scripts: Vec::new(), public: false }
    }

    /// A page that is read without signing in.
    pub(crate) fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// Loads a script only here.
    pub(crate) fn with_script(mut self, script: &'static str) -> Self {
        self.scripts.push(script);
        self
    }

    /// Loads a style sheet and script only here.
    pub(crate) fn with_island(mut self, style: &'static str, script: &'static str) -> Self {
        self.styles.push(style);
        self.scripts.push(script);
        self
    }

    /// The whole page.
    pub(crate) fn show(self, content: &Markup) -> Markup {
        let theme = self.visit.theme();
        html! {
            (DOCTYPE)
            html lang=(self.visit.language().code()) data-theme=[(theme != Theme::System).then_some(theme.name())] {
                (head(self.visit, &self.title, &self.styles, &self.scripts))
                @if self.visit.session().is_some() {
                    body class="shell" {
                        a class="skip-link" href="#content" { (self.visit.say(texts::SKIP_TO_CONTENT)) }
                        (bar(self.visit))
                        (rail(self.visit, self.room))
                        main id="content" tabindex="-1" { (sandbox::bar(self.visit)) (content) }
                    }
                } @else if self.public {
                    body class="open" {
                        a class="skip-link" href="#content" { (self.visit.say(texts::SKIP_TO_CONTENT)) }
                        (open_bar(self.visit))
                        main id="content" tabindex="-1" { (sandbox::bar(self.visit)) (content) }
                    }
                } @else {
                    body class="gate" {
                        main id="content" tabindex="-1" { (sandbox::bar(self.visit)) (content) }
                        footer class="gate-switches" { (language_switch(self.visit)) (theme_switch(self.visit)) }
                    }
                }
            }
        }
    }
}

fn rail(visit: &Visit, room: Room) -> Markup {
    html! {
        nav class="rail" aria-label=(visit.say(texts::MAIN_NAVIGATION)) {
            ul {
                @for (own, place, word, picture, _) in entries(visit) {
                    li {
                        a href=(place) aria-current=[(*own == room).then_some("page")] title=(visit.say(*word)) {
                            (icon(picture)) span { (visit.say(*word)) }
                        }
                    }
                }
            }
        }
    }
}

/// The bar of a page that is read without signing in.
fn open_bar(visit: &Visit) -> Markup {
    html! {
        header class="bar" {
            (brand())
            (sandbox::mark(visit))
            nav class="open-places" aria-label=(visit.say(texts::MAIN_NAVIGATION)) {
                a href="/status" { (visit.say(texts::STATUS)) }
                a href="/changes" { (visit.say(texts::CHANGES)) }
                a href="/sign-in" { (visit.say(texts::SIGN_IN)) }
            }
            div class="switches" { (language_switch(visit)) (theme_switch(visit)) }
        }
    }
}

fn brand() -> Markup {
    html! {
        a class="brand" href="/" {
            (icon("M2.5 12.5c1.9 0 1.9-1.6 3.75-1.6S8.1 12.5 10 12.5s1.9-1.6 3.75-1.6 1.85 1.6 3.75 1.6M2.5 16.2c1.9 0 1.9-1.6 3.75-1.6S8.1 16.2 10 16.2s1.9-1.6 3.75-1.6 1.85 1.6 3.75 1.6M10 9.2V3l4.5 3.4L10 7.6"))
            span { "Tidewaiter" }
        }
    }
}

fn bar(visit: &Visit) -> Markup {
    html! {
        header class="bar" {
            (brand())
            (sandbox::mark(visit))
            search {
                form class="search" action="/search" method="get" {
                    label class="unseen" for="search" { (visit.say(texts::SEARCH_EVERYTHING)) }
                    input id="search" name="q" type="search" autocomplete="off" placeholder=(visit.say(texts::SEARCH_HINT)) aria-keyshortcuts="/ Control+K"
                        hx-get="/search/suggestions" hx-trigger="input changed delay:150ms" hx-target="#suggestions" hx-sync="this:replace";
                    kbd aria-hidden="true" { "/" }
                    div id="suggestions" class="suggestions" aria-live="polite" {}
                }
            }
            div class="switches" {
                (language_switch(visit))
                (theme_switch(visit))
                (person_menu(visit))
            }
        }
    }
}

fn preference_form(visit: &Visit, name: &str, choices: &[(&str, String, bool)]) -> Markup {
    html! {
        form method="post" action="/preferences" {
            (csrf(visit))
            input type="hidden" name="place" value=(visit.place());
            @for (value, word, chosen) in choices {
                button name=(name) value=(value) aria-pressed=(chosen) { (word) }
            }
        }
    }
}

fn language_switch(visit: &Visit) -> Markup {
    let choices: Vec<_> = Language::ALL
        .into_iter()
        .map(|language| (language.code(), language.own_name().to_owned(), language == visit.language()))
        .collect();
    html! {
        details class="menu" {
            summary title=(visit.say(texts::LANGUAGE)) {
                span class="unseen" { (visit.say(texts::LANGUAGE)) ": " }
                span { (visit.language().own_name()) }
            }
            div class="menu-body" { (preference_form(visit, "language", &choices)) }
        }
    }
}

fn theme_switch(visit: &Visit) -> Markup {
    let choices: Vec<_> = Theme::ALL
        .into_iter()
        .map(|theme| (theme.name(), visit.named("theme", theme.name()).to_owned(), theme == visit.theme()))
        .collect();
    html! {
        details class="menu" {
            summary title=(visit.say(texts::THEME)) {
                span class="unseen" { (visit.say(texts::THEME)) ": " (visit.named("theme", visit.theme().name())) }
                (icon("M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14"))
            }
            div class="menu-body" { (preference_form(visit, "theme", &choices)) }
        }
    }
}

fn person_menu(visit: &Visit) -> Markup {
    let Some(session) = visit.session() else { return html! {} };
    html! {
        details class="menu" {
            summary title=(session.account.name) {
                span class="unseen" { (visit.say(texts::SIGNED_IN_AS)) " " }
                (icon("M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.4-3.2 2.8-5 6-5s5.6 1.8 6 5"))
                span class="person-name" { (session.account.name) }
            }
            div class="menu-body" {
                p class="menu-note" { (visit.named("role", session.account.role.name())) }
                a href="/account" { (visit.say(texts::MY_ACCOUNT)) }
                @if visit.may(Permission::Erase) || visit.may(Permission::ViewJournal) { a href="/erasures" { (visit.say(texts::ERASURES)) } }
                a href="/help" { (visit.say(texts::HELP_AND_KEYS)) }
                @for (_, place, word, _, _) in entries(visit).skip(BOTTOM_BAR_MAX) {
                    a class="on-phone" href=(place) { (visit.say(*word)) }
                }
                a href="/status" { (visit.say(texts::STATUS)) }
                form method="post" action="/sign-out" {
                    (csrf(visit))
                    button { (visit.say(texts::SIGN_OUT)) }
                }
            }
        }
    }
}

/// The page for what went wrong: what, why, what to do, the code in small.
pub(crate) fn error_page(visit: &Visit, error: &Error) -> Markup {
    let title = match error.kind {
        Kind::NotFound => texts::NOT_FOUND,
        Kind::Forbidden => texts::NOT_ALLOWED,
        Kind::Internal | Kind::FolderUnusable => texts::PROGRAM_FAILED,
        _ => texts::COULD_NOT_BE_DONE,
    };
    let content = html! {
        div class="notice bad" role="alert" {
            h1 { (visit.say(title)) }
            // Causes of internal failures are for the log, and for who mends them.
            @if error.kind != Kind::Internal || visit.may(Permission::ManageUsers) {
                p { (sentence(&error.detail)) }
            }
            @if !error.how_to_fix.is_empty() { p { strong { (error.how_to_fix) } } }
            (findings(visit, &error.findings))
            p class="code" { (error.code) }
        }
        p { a class="button" href="/" { (visit.say(texts::TO_THE_OVERVIEW)) } }
    };
    Page::new(visit, Room::Elsewhere, visit.say(title)).show(&content)
}

/// A detail as a sentence: a capital at its beginning, a full stop at its end.
pub(crate) fn sentence(detail: &str) -> String {
    let mut characters = detail.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let rest = characters.as_str();
    let stop = if detail.ends_with(['.', '!', '?', '。']) { "" } else { "." };
    format!("{first}{rest}{stop}")
}
