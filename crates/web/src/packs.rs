//! Packs: the tags, rules and lists in use, with who answers for them and which law they rest on.

use axum::extract::Path;
use customhouse::packs::{Origin, PackDetail, PackSummary};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{chip, crumbs, facts, heading, simulated, table, th};
use crate::visit::Visit;
use crate::words::{Text, count, size, texts};

fn approval_chip(visit: &Visit, pack: &PackSummary) -> Markup {
    let class = match pack.approval {
        "approved" => "good",
        "withdrawn" => "bad",
        _ => "plain",
    };
    chip(class, visit.named("approval", pack.approval))
}

fn origin(pack: &PackSummary) -> Text {
    match pack.origin {
        Origin::BuiltIn => texts::BUILT_IN,
        Origin::Installed => texts::INSTALLED,
        Origin::Earlier => texts::BUILT_IN_EARLIER,
    }
}

/// All packs the reader may see.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let packs = visit.work(|house, reader| Ok(house.list_packs(reader))).await?;
    let head = html! {
        (th(&visit, texts::PACK, false)) (th(&visit, texts::KIND, false)) (th(&visit, texts::VERSION, true))
        (th(&visit, texts::OWNER, false)) (th(&visit, texts::ORIGIN, false)) (th(&visit, texts::APPROVAL, false))
        (th(&visit, texts::IN_USE, false)) (th(&visit, texts::FILES, true))
    };
    let body = html! {
        @for pack in &packs {
            tr {
                td { a href={ "/packs/" (pack.id) } { (visit.localized(&pack.title)) } div class="soft" { code { (pack.id) } } }
                td { (visit.named("kind", pack.kind)) }
                td class="number" { (pack.version) }
                td { (pack.owner) }
                td { (visit.say(origin(pack))) }
                td { (approval_chip(&visit, pack)) }
                td { @if pack.current { "✓ " (visit.say(texts::YES)) } @else { (visit.say(texts::NO)) } }
                td class="number" { (count(u64::try_from(pack.files).unwrap_or(u64::MAX))) }
            }
        }
    };
    let content = html! {
        (heading(visit.say(texts::PACKS), &html! { (visit.say(texts::PACKS_INTRODUCTION)) }, &html! {}))
        (table(visit.say(texts::PACKS), &head, &body))
        p class="help" { (visit.say(texts::PACKS_INSTALL_HELP)) " " code { "tidewaiter pack install" } }
    };
    Ok(Page::new(&visit, Room::Packs, visit.say(texts::PACKS)).show(&content))
}

/// One pack.
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let pack = visit.work(move |house, reader| house.find_pack(reader, &id)).await?;
    let title = visit.localized(&pack.summary.title);
    let content = html! {
        (crumbs(&visit, &[("/packs", visit.say(texts::PACKS))]))
        (heading(title, &html! { (visit.localized(&pack.description)) " " (simulated(&visit, pack.simulated)) }, &html! {}))
        (about(&visit, &pack))
        h2 { (visit.say(texts::FILES)) }
        (contents(&visit, &pack))
    };
    Ok(Page::new(&visit, Room::Packs, title).show(&content))
}

fn about(visit: &Visit, pack: &PackDetail) -> Markup {
    let summary = &pack.summary;
    let depends: Vec<String> = pack.depends.iter().map(|(id, version)| format!("{id} ≥ {version}")).collect();
    let mut pairs = vec![
        (visit.say(texts::ID), html! { code { (summary.id) } }),
        (visit.say(texts::KIND), html! { (visit.named("kind", summary.kind)) }),
        (visit.say(texts::VERSION), html! { (summary.version) }),
        (visit.say(texts::OWNER), html! { (summary.owner) }),
        (visit.say(texts::LEGAL_BASIS), html! { (summary.legal_basis) }),
        (visit.say(texts::LICENCE), html! { (pack.licence) }),
        (visit.say(texts::SENSITIVITY), html! { (visit.named("class", summary.sensitivity.name())) }),
        (visit.say(texts::APPROVAL), approval_chip(visit, summary)),
        (visit.say(texts::ORIGIN), html! { (visit.say(origin(summary))) }),
        (visit.say(texts::CONTENT_HASH), html! { code class="hash" { (summary.hash) } }),
    ];
    if !depends.is_empty() {
        pairs.push((visit.say(texts::NEEDS), html! { (depends.join(", ")) }));
    }
    if pack.versions.len() > 1 {
        let versions: Vec<&str> = pack.versions.iter().map(|other| other.version.as_str()).collect();
        pairs.push((visit.say(texts::VERSIONS), html! { (versions.join(", ")) }));
    }
    html! {
        (facts(&pairs))
        @if summary.kind == "tags" { p { a class="button" href="/tags" { (visit.say(texts::TO_THE_TAGS)) } } }
    }
}

fn contents(visit: &Visit, pack: &PackDetail) -> Markup {
    let head = html! { (th(visit, texts::FILE, false)) (th(visit, texts::SIZE, true)) };
    let body = html! {
        @for (path, bytes) in &pack.contents { tr { td { code { (path) } } td class="number" { (size(*bytes)) } } }
    };
    table(visit.say(texts::FILES), &head, &body)
}
