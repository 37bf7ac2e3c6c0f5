//! One search for what there is: declarations by MRN, LRN, party, container and commodity, entities, tags, batches,
//! audits, packs, pages.

use customhouse::declarations::DeclarationsQuery;
use customhouse::entities::EntitiesQuery;
use customhouse::identity::{Permission, Reader};
use customhouse::{Customhouse, Error};
use maud::{Markup, html};
use serde::Deserialize;
use spine::Language;

use crate::entities;
use crate::failure::Failure;
use crate::pool::{BatchesQuery, matching};
use crate::shell::{Page, Room};
use crate::view::{empty, heading};
use crate::visit::{Asked, Visit};
use crate::words::{self, Text, count, minute, short, texts};

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

const PAGES: [(&str, Text, Option<Permission>); 20] = [
    ("/", texts::OVERVIEW, None),
    ("/queue", texts::QUEUE, Some(Permission::Examine)),
    ("/declarations", texts::DECLARATIONS, Some(Permission::ViewDeclarations)),
    ("/entities", texts::ENTITIES, Some(Permission::ViewDeclarations)),
    ("/plan", texts::PLAN, Some(Permission::ViewPlans)),
    ("/journal", texts::JOURNAL, Some(Permission::ViewJournal)),
    ("/changes", texts::CHANGES, None),
    ("/status", texts::STATUS, None),
    ("/conformance", texts::CONFORMANCE, None),
    ("/pool", texts::POOL, Some(Permission::ViewPool)),
    ("/pool/new", texts::SEND_RECORDS, Some(Permission::AdmitRecords)),
    ("/tags", texts::TAGS, Some(Permission::ViewTags)),
    ("/tag-query", texts::TAG_QUERY, Some(Permission::ViewDeclarations)),
    ("/tag-graph", texts::TAG_GRAPH, Some(Permission::ViewDeclarations)),
    ("/tag-sources", texts::TAG_SOURCES, Some(Permission::ViewTags)),
    ("/audits", texts::AUDITS, Some(Permission::ViewAudits)),
    ("/audits/new", texts::RUN_AUDIT, Some(Permission::RunAudits)),
    ("/packs", texts::PACKS, None),
    ("/jobs", texts::LONG_TASKS, None),
    ("/help", texts::HELP_AND_KEYS, None),
];

/// What is looked for, in whose words.
struct Wanted<'a> {
    house: &'a Customhouse,
    reader: &'a Reader,
    /// As written.
    words: &'a str,
    /// In small letters.
    small: String,
    language: Language,
}

impl Wanted<'_> {
    fn matches(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.small)
    }

    fn declarations(&self) -> Result<Vec<Hit>, Error> {
        let query = DeclarationsQuery { q: self.words.to_owned(), ..DeclarationsQuery::default() };
        let page = self.house.find_declarations(self.reader, &query)?;
        let hit = |row: &customhouse::declarations::DeclarationRow| {
            let parts =
                [Some(row.lrn.clone()), row.importer.clone(), row.commodity.clone(), row.description.clone()];
            let known: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
            Hit {
                place: format!("/declarations/{}", row.mrn),
                title: row.mrn.clone(),
                note: known.join(" · "),
            }
        };
        Ok(page.rows.iter().map(hit).collect())
    }

    fn entities(&self) -> Result<Vec<Hit>, Error> {
        let query = EntitiesQuery { q: self.words.to_owned(), ..EntitiesQuery::default() };
        let page = self.house.find_entities(self.reader, &query)?;
        let hit = |row: &customhouse::entities::EntityRow| Hit {
            place: entities::place_of(&row.id),
            title: row.id.clone(),
            note: format!(
                "{}{} · {}",
                row.name.as_ref().map(|name| format!("{name} · ")).unwrap_or_default(),
                words::named("party", &row.role, self.language),
                words::filled(
                    texts::DECLARATIONS_N.in_language(self.language),
                    &[("n", &count(row.declarations))]
                )
            ),
        };
        Ok(page.rows.iter().map(hit).collect())
    }

    fn pages(&self) -> Vec<Hit> {
        PAGES
            .iter()
            .filter(|(_, _, permission)| permission.is_none_or(|permission| self.reader.may(permission)))
            .filter(|(_, title, _)| self.matches(title.in_language(self.language)))
            .map(|(place, title, _)| Hit {
                place: (*place).to_owned(),
                title: title.in_language(self.language).to_owned(),
                note: String::new(),
            })
            .collect()
    }

    fn tags(&self) -> Result<Vec<Hit>, Error> {
        let catalogue = self.house.tag_catalogue(self.reader)?;
        let tags = catalogue.families.iter().flat_map(|family| &family.tags);
        Ok(tags
            .filter(|tag| self.matches(&tag.id) || tag.title.0.values().any(|title| self.matches(title)))
            .map(|tag| Hit {
                place: format!("/tags/{}", tag.id),
                title: tag.title.in_language(self.language).to_owned(),
                note: tag.id.clone(),
            })
            .collect())
    }

    fn batches(&self) -> Result<Vec<Hit>, Error> {
        let query = BatchesQuery { q: self.small.clone(), ..BatchesQuery::default() };
        let batches = matching(self.house, self.reader, &query)?;
        let hit = |batch: &customhouse::pool::BatchSummary| Hit {
            place: format!("/pool/batches/{}", batch.id),
            title: batch.source_name.clone(),
            note: format!("{} · {}", short(&batch.id), minute(batch.recorded_at)),
        };
        Ok(batches.iter().map(hit).collect())
    }

    fn audits(&self) -> Result<Vec<Hit>, Error> {
        let audits = self.house.list_audits(self.reader)?;
        let found = audits.iter().filter(|audit| audit.id.starts_with(&self.small));
        let hit = |audit: &customhouse::audit::AuditSummary| Hit {
            place: format!("/audits/{}", audit.id),
            title: short(&audit.id).to_owned(),
            note: format!("{} · {}", count(audit.rows), minute(audit.completed_at)),
        };
        Ok(found.map(hit).collect())
    }

    fn packs(&self) -> Vec<Hit> {
        let packs = self.house.list_packs(self.reader);
        packs
            .iter()
            .filter(|pack| self.matches(&pack.id) || pack.title.0.values().any(|title| self.matches(title)))
            .map(|pack| Hit {
                place: format!("/packs/{}", pack.id),
                title: pack.title.in_language(self.language).to_owned(),
                note: pack.id.clone(),
            })
            .collect()
    }
}

fn find(house: &Customhouse, reader: &Reader, words: &str, language: Language) -> Result<Vec<Group>, Error> {
    let words = words.trim();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = Wanted { house, reader, words, small: words.to_lowercase(), language };
    let may = |permission: Permission| reader.may(permission);
    let mut groups = vec![Group { kind: texts::PAGES, hits: wanted.pages() }];
    if may(Permission::ViewDeclarations) {
        groups.push(Group { kind: texts::DECLARATIONS, hits: wanted.declarations()? });
        groups.push(Group { kind: texts::ENTITIES, hits: wanted.entities()? });
    }
    if may(Permission::ViewTags) {
        groups.push(Group { kind: texts::TAGS, hits: wanted.tags()? });
    }
    if may(Permission::ViewPool) {
        groups.push(Group { kind: texts::BATCHES, hits: wanted.batches()? });
    }
    if may(Permission::ViewAudits) {
        groups.push(Group { kind: texts::AUDITS, hits: wanted.audits()? });
    }
    groups.push(Group { kind: texts::PACKS, hits: wanted.packs() });
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
