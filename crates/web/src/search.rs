//! One search for what there is: batches, tags, audits, packs, pages.

use customhouse::identity::{Permission, Reader};
use customhouse::{Customhouse, Error};
use maud::{Markup, html};
use serde::Deserialize;
use spine::Language;

use crate::failure::Failure;
use crate::pool::{BatchesQuery, matching};
use crate::shell::{Page, Room};
use crate::view::{empty, heading};
use crate::visit::{Asked, Visit};
use crate::words::{Text, count, minute, short, texts};

/// Hits of one kind in the list below the box, and on the page.
const SUGGESTED_MAX: usize = 4;
const SHOWN_MAX: usize = 50;

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct SearchQuery {
    /// Words.
    #[serde(default)]
    q: String,
}

/// One hit.
struct Hit {
    place: String,
    title: String,
    note: String,
}

/// Hits of one kind.
struct Group {
    kind: Text,
    hits: Vec<Hit>,
}

const PAGES: [(&str, Text, Option<Permission>); 9] = [
    ("/", texts::OVERVIEW, None),
    ("/pool", texts::POOL, Some(Permission::ViewPool)),
    ("/pool/new", texts::SEND_RECORDS, Some(Permission::AdmitRecords)),
    ("/tags", texts::TAGS, Some(Permission::ViewTags)),
    ("/audits", texts::AUDITS, Some(Permission::ViewAudits)),
    ("/audits/new", texts::RUN_AUDIT, Some(Permission::RunAudits)),
    ("/packs", texts::PACKS, None),
    ("/jobs", texts::LONG_TASKS, None),
    ("/help", texts::HELP_AND_KEYS, None),
];

fn find(house: &Customhouse, reader: &Reader, words: &str, language: Language) -> Result<Vec<Group>, Error> {
    let wanted = words.trim().to_lowercase();
    let matches = |text: &str| text.to_lowercase().contains(&wanted);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let pages = PAGES
        .iter()
        .filter(|(_, _, permission)| permission.is_none_or(|permission| reader.may(permission)))
        .filter(|(_, title, _)| matches(title.in_language(language)))
        .map(|(place, title, _)| Hit {
            place: (*place).to_owned(),
            title: title.in_language(language).to_owned(),
            note: String::new(),
        });
    let mut groups = vec![Group { kind: texts::PAGES, hits: pages.collect() }];
    if reader.may(Permission::ViewTags) {
        let catalogue = house.tag_catalogue(reader)?;
        let hits = catalogue
            .families
            .iter()
            .flat_map(|family| &family.tags)
            .filter(|tag| matches(&tag.id) || tag.title.0.values().any(|title| matches(title)))
            .map(|tag| Hit {
                place: format!("/tags/{}", tag.id),
                title: tag.title.in_language(language).to_owned(),
                note: tag.id.clone(),
            });
        groups.push(Group { kind: texts::TAGS, hits: hits.collect() });
    }
    if reader.may(Permission::ViewPool) {
        let batches =
            matching(house, reader, &BatchesQuery { q: wanted.clone(), ..BatchesQuery::default() })?;
        let hits = batches.iter().map(|batch| Hit {
            place: format!("/pool/batches/{}", batch.id),
            title: batch.source_name.clone(),
            note: format!("{} · {}", short(&batch.id), minute(batch.recorded_at)),
        });
        groups.push(Group { kind: texts::BATCHES, hits: hits.collect() });
    }
    if reader.may(Permission::ViewAudits) {
        let audits = house.list_audits(reader)?;
        let hits = audits.iter().filter(|audit| audit.id.starts_with(&wanted)).map(|audit| Hit {
            place: format!("/audits/{}", audit.id),
            title: short(&audit.id).to_owned(),
            note: format!("{} · {}", count(audit.rows), minute(audit.completed_at)),
        });
        groups.push(Group { kind: texts::AUDITS, hits: hits.collect() });
    }
    let packs = house.list_packs(reader);
    let hits = packs
        .iter()
        .filter(|pack| matches(&pack.id) || pack.title.0.values().any(|title| matches(title)))
        .map(|pack| Hit {
            place: format!("/packs/{}", pack.id),
            title: pack.title.in_language(language).to_owned(),
            note: pack.id.clone(),
        });
    groups.push(Group { kind: texts::PACKS, hits: hits.collect() });
    groups.retain(|group| !group.hits.is_empty());
    Ok(groups)
}

async fn groups_for(visit: &Visit, asked: &SearchQuery) -> Result<Vec<Group>, Failure> {
    let (words, language) = (asked.q.clone(), visit.language());
    visit.work(move |house, reader| find(house, reader, &words, language)).await
}

fn list(visit: &Visit, groups: &[Group], most: usize) -> Markup {
    html! {
        @for group in groups {
            section {
                h2 { (visit.say(group.kind)) }
                ul {
                    @for hit in group.hits.iter().take(most) {
                        li { a href=(hit.place) { span { (hit.title) } " " span class="soft" { (hit.note) } } }
                    }
                }
            }
        }
    }
}

/// The page of all hits.
pub(crate) async fn page(visit: Visit, Asked(asked): Asked<SearchQuery>) -> Result<Markup, Failure> {
    let groups = groups_for(&visit, &asked).await?;
    let title = visit.fill(texts::SEARCH_FOR, &[("q", asked.q.trim())]);
    let content = html! {
        (heading(&title, &html! {}, &html! {}))
        @if groups.is_empty() {
            (empty(visit.say(texts::NOTHING_FOUND), visit.say(texts::NOTHING_FOUND_TEXT), &html! {}))
        } @else {
            div class="results" { (list(&visit, &groups, SHOWN_MAX)) }
        }
    };
    Ok(Page::new(&visit, Room::Elsewhere, title).show(&content))
}

/// The first hits, for the list below the box.
pub(crate) async fn suggestions(visit: Visit, Asked(asked): Asked<SearchQuery>) -> Result<Markup, Failure> {
    let groups = groups_for(&visit, &asked).await?;
    Ok(html! {
        @if !groups.is_empty() { (list(&visit, &groups, SUGGESTED_MAX)) }
        @else if !asked.q.trim().is_empty() { p { (visit.say(texts::NOTHING_FOUND)) } }
    })
}
