//! Who carries some tags and not others: a condition, its count as it is written, what it selects and what occurs beside.

use axum::response::Response;
use customhouse::Error;
use customhouse::tags::{TagCount, TagDifference, TagQuery, TagSelection, TagTogether};
use maud::{Markup, html};

use crate::declarations::{csv, in_few_columns, outcome_chip};
use crate::entities::{group_chip, place_of};
use crate::failure::Failure;
use crate::overview::rate_text;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, empty, heading, pager, place, simulated, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, minute, percent, texts};

/// The page's address.
pub(super) const PATH: &str = "/tag-query";
/// Completions offered for the word that is being written.
const COMPLETIONS_MAX: usize = 8;
/// Letters from which a word is completed.
const COMPLETED_FROM: usize = 2;

/// The condition with everything that goes with it, as an address.
pub(super) fn place_with(query: &TagQuery, changes: &[(&str, &str)]) -> String {
    let own = [
        ("q", query.q.as_str()),
        ("of", query.of.as_str()),
        ("from", query.from.as_str()),
        ("to", query.to.as_str()),
        ("changed", query.changed.as_str()),
    ];
    let kept = own.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    place(PATH, &kept.chain(changes.iter().copied()).collect::<Vec<_>>())
}

/// A condition and one tag more.
pub(super) fn narrowed(condition: &str, tag: &str, without: bool) -> String {
    let own = if without { format!("!{tag}") } else { tag.to_owned() };
    match condition.trim() {
        "" => own,
        // What binds less tightly is put into brackets first.
        condition if condition.contains("||") || condition.contains('?') => format!("({condition}) && {own}"),
        condition => format!("{condition} && {own}"),
    }
}

/// The page.
pub(crate) async fn show(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Markup, Failure> {
    let asked = query.clone();
    let found = visit
        .work(move |house, reader| match house.select_by_tags(reader, &asked) {
            Ok(found) => Ok(Ok(found)),
            Err(error) if error.code == "selection_refused" || error.code == "day_unreadable" => {
                Ok(Err(error))
            }
            Err(error) => Err(error),
        })
        .await?;
    let is_simulated = found.as_ref().is_ok_and(|found| found.simulated);
    let below = html! { (visit.say(texts::TAG_QUERY_HELP)) " " (simulated(&visit, is_simulated)) };
    let actions = html! {
        @if found.is_ok() { a class="button" href=(place_with(&query, &[]).replacen(PATH, "/tag-query.csv", 1)) download { (visit.say(texts::EXPORT_CSV)) } }
    };
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS))]))
        (heading(visit.say(texts::TAG_QUERY), &below, &actions))
        (bar(&visit, &query, &found))
        @if let Ok(found) = &found {
            @if !found.named.is_empty() { (crate::warnings::begin_form(&visit, query.q.trim())) }
            (answer(&visit, &query, found))
        }
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::TAG_QUERY)).show(&content))
}

fn bar(visit: &Visit, query: &TagQuery, found: &Result<TagSelection, Error>) -> Markup {
    let declarations = query.of_declarations();
    let again = "input delay:200ms from:#condition, change from:#of";
    html! {
        form class="filters condition-bar" method="get" action=(PATH) role="search" aria-label=(visit.say(texts::TAG_QUERY)) {
            label class="whole" {
                (visit.say(texts::CONDITION))
                input id="condition" type="search" name="q" value=(query.q) placeholder="gross_below_net && !(new_importer || cash_payment)" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="4000" aria-describedby="counted";
            }
            div id="counted" class="counted" aria-live="polite" hx-get="/tag-query/count" hx-include="closest form" hx-trigger=(again) hx-sync="this:replace" {
                (counted(visit, query, &found.as_ref().map(|found| found.counted).map_err(Clone::clone)))
            }
            label {
                (visit.say(texts::TAG_QUERY_OF))
                select id="of" name="of" {
                    option value="entities" selected[!declarations] { (visit.say(texts::ENTITIES)) }
                    option value="declarations" selected[declarations] { (visit.say(texts::DECLARATIONS)) }
                }
            }
            label { (visit.say(texts::COMPARE_FROM)) input type="date" name="from" value=(query.from); }
            label { (visit.say(texts::COMPARE_TO)) input type="date" name="to" value=(query.to); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

/// The count, or what is wrong with a mark under the place.
fn counted(visit: &Visit, query: &TagQuery, found: &Result<TagCount, Error>) -> Markup {
    let text = if query.of_declarations() { texts::COUNT_OF_DECLARATIONS } else { texts::COUNT_OF_ENTITIES };
    html! {
        @match found {
            Ok(found) => p { strong { (visit.fill(text, &[("n", &count(found.count)), ("all", &count(found.all))])) } " " span class="soft" { (percent(found.count, found.all)) } },
            Err(error) => div class="notice bad" role="status" { pre class="marked" tabindex="0" { (error.detail) } },
        }
    }
}

/// The count alone, while the condition is written, with completions of its last word.
pub(crate) async fn count_now(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Markup, Failure> {
    let (asked, language) = (query.clone(), visit.language());
    let (found, tags) = visit
        .work(move |house, reader| {
            let found = match house.count_by_tags(reader, &asked) {
                Err(error) if error.code != "selection_refused" => return Err(error),
                found => found,
            };
            let words = last_word(&asked.q);
            let tags = if words.chars().count() < COMPLETED_FROM {
                Vec::new()
            } else {
                house.complete_tag(reader, words, language, COMPLETIONS_MAX)?
            };
            Ok((found, tags))
        })
        .await?;
    let begun = query.q.strip_suffix(last_word(&query.q)).unwrap_or_default();
    Ok(html! {
        (counted(&visit, &query, &found))
        @if !tags.is_empty() {
            ul class="completions" aria-label=(visit.say(texts::COMPLETIONS)) {
                @for tag in &tags {
                    li { a href=(place_with(&query, &[("q", &format!("{begun}{}", tag.tag))])) { code { (tag.tag) } " " span class="soft" { (visit.localized(&tag.title)) } } }
                }
            }
        }
    })
}

/// The word that is being written.
fn last_word(condition: &str) -> &str {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    condition.get(condition.trim_end_matches(letter).len()..).unwrap_or_default()
}

fn answer(visit: &Visit, query: &TagQuery, found: &TagSelection) -> Markup {
    html! {
        (figures(visit, found))
        @if let Some(difference) = &found.difference { (compared(visit, query, difference)) }
        div class="columns by-tags" {
            section {
                h2 { (visit.say(if query.of_declarations() { texts::DECLARATIONS } else { texts::ENTITIES })) }
                @if found.listed == 0 { (empty(visit.say(texts::NOBODY_CARRIES), visit.say(texts::NOBODY_CARRIES_TEXT), &html! {})) }
                @else {
                    @if query.of_declarations() { (declarations(visit, found)) } @else { (entities(visit, found)) }
                    @let total = usize::try_from(found.listed).unwrap_or(usize::MAX);
                    (pager(visit, PATH, &[("q", &query.q), ("of", &query.of), ("from", &query.from), ("to", &query.to), ("changed", &query.changed)], query.page.max(1), total))
                }
            }
            (together(visit, query, &found.together))
        }
    }
}

fn figures(visit: &Visit, found: &TagSelection) -> Markup {
    html! {
        @if !found.named.is_empty() {
            p class="named-tags" {
                @for tag in &found.named { a class="chip plain" href={ "/tags/" (tag.tag) } { (visit.localized(&tag.title)) } " " }
            }
        }
        @if let Some(hits) = &found.hits {
            p { (visit.say(texts::HIT_RATE)) ": " @if hits.inspected == 0 { (visit.say(texts::NONE_INSPECTED)) } @else { (rate_text(visit, hits)) } span class="soft" { " · " (visit.say(texts::OTHERS_UNKNOWN)) } }
        }
    }
}

fn compared(visit: &Visit, query: &TagQuery, difference: &TagDifference) -> Markup {
    let to = difference.to.map_or_else(|| visit.say(texts::NOW).to_owned(), |day| day.to_string());
    let choice = |name: &str, text, number: u64| {
        let said = visit.fill(text, &[("n", &count(number))]);
        html! {
            @if query.changed == name { strong aria-current="true" { (said) } } @else { a href=(place_with(query, &[("changed", name)])) { (said) } }
        }
    };
    html! {
        section class="card compared" {
            h2 { (visit.fill(texts::COMPARED, &[("from", &difference.from.to_string()), ("to", &to)])) }
            p {
                (count(difference.before)) " → " (count(difference.after)) " · "
                (choice("gained", texts::GAINED, difference.gained)) " · " (choice("lost", texts::LOST, difference.lost))
                @if !query.changed.is_empty() { " · " a href=(place_with(query, &[("changed", "")])) { (visit.say(texts::ALL)) } }
            }
            p class="help" { (visit.say(texts::COMPARED_HELP)) }
        }
    }
}

fn entities(visit: &Visit, found: &TagSelection) -> Markup {
    let head = html! {
        (th(visit, texts::ENTITY, false)) (th(visit, texts::TAGS, true)) (th(visit, texts::DECLARATIONS, true))
        (th(visit, texts::HIT_RATE, false)) (th(visit, texts::LAST_SEEN, true))
    };
    let body = html! {
        @for own in &found.entities {
            tr {
                td { a href=(place_of(&own.id)) { code { (own.id) } } (group_chip(visit, own.members)) }
                td class="number" { (count(own.tags)) }
                td class="number" { a href=(place("/declarations", &[("party", &own.id)])) { (count(own.declarations)) } }
                td class="period" { @if own.hits.inspected == 0 { span class="soft" { (visit.named("outcome", "unknown")) } } @else { (rate_text(visit, &own.hits)) } }
                td class="number period" { @match own.last_at { Some(at) => (minute(at)), None => (absent()) } }
            }
        }
    };
    table(visit.say(texts::ENTITIES), &head, &body)
}

fn declarations(visit: &Visit, found: &TagSelection) -> Markup {
    in_few_columns(visit, visit.say(texts::DECLARATIONS), &found.declarations, |row| outcome_chip(visit, row))
}

fn together(visit: &Visit, query: &TagQuery, tags: &[TagTogether]) -> Markup {
    let head = html! {
        (th(visit, texts::TAG, false)) (th(visit, texts::HOW_MANY, true)) (th(visit, texts::LIFT, true)) (th(visit, texts::NARROW, false))
    };
    let body = html! {
        @for tag in tags {
            tr {
                td { a href={ "/tags/" (tag.tag) } { (visit.localized(&tag.title)) } " " (chip(&tag.severity, visit.named("severity", &tag.severity))) }
                td class="number" { (count(tag.count)) }
                td class="number" { (format!("{:.1}", tag.lift)) }
                td class="narrow" {
                    a href=(place_with(query, &[("q", &narrowed(&query.q, &tag.tag, false))])) { "+ " (visit.say(texts::WITH_IT)) } " "
                    a href=(place_with(query, &[("q", &narrowed(&query.q, &tag.tag, true))])) { "− " (visit.say(texts::WITHOUT_IT)) }
                }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::TAGS_BESIDE)) }
            p class="help" { (visit.say(texts::LIFT_HELP)) " " a href=(place("/tag-graph", &[("of", &query.of)])) { (visit.say(texts::TAG_GRAPH)) } }
            @if tags.is_empty() { p class="soft" { (visit.say(texts::NO_TAGS_BESIDE)) } } @else { (table(visit.say(texts::TAGS_BESIDE), &head, &body)) }
        }
    }
}

/// Everything that the condition selects, as CSV.
pub(crate) async fn export(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Response, Failure> {
    csv(&visit, "by-tags.csv", move |house, reader, out| house.export_by_tags(reader, &query, out)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_narrowed_without_changing_what_it_means() {
        for (condition, tag, without, narrower) in [
            ("", "a", false, "a"),
            ("a", "b", true, "a && !b"),
            ("a || b", "c", false, "(a || b) && c"),
            ("a && (b || c)", "d", false, "(a && (b || c)) && d"),
        ] {
            assert_eq!(narrowed(condition, tag, without), narrower);
        }
    }

    #[test]
    fn the_last_word_is_what_is_being_written() {
        for (condition, word) in
            [("", ""), ("abc", "abc"), ("a && !new_im", "new_im"), ("a ", ""), ("(a||b", "b"), ("ü", "")]
        {
            assert_eq!(last_word(condition), word, "{condition}");
        }
    }
}
