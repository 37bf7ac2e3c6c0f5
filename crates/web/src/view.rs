//! Parts that pages share: tables, findings, facts, pages of a list, empty states.

use customhouse::declarations::Lane;
use customhouse::pool::FindingGroup;
use maud::{Markup, html};
use spine::{Finding, Severity};

use crate::visit::{Visit, percent_encoded};
use crate::words::{Text, count, texts};

/// Rows of a list on one page.
pub(crate) const PAGE_ROWS: usize = 50;
/// Findings shown at once.
const FINDINGS_SHOWN_MAX: usize = 50;

/// The token every form carries.
pub(crate) fn csrf(visit: &Visit) -> Markup {
    html! { input type="hidden" name="csrf" value=(visit.csrf()); }
}

/// A link's address with those values of its query that are not empty.
pub(crate) fn place(path: &str, values: &[(&str, &str)]) -> String {
    let query: Vec<String> = values
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// A word in a frame: shape and word beside the colour.
pub(crate) fn chip(class: &str, word: &str) -> Markup {
    html! { span class={ "chip " (class) } { (word) } }
}

/// A lane as shape, word and colour.
pub(crate) fn lane_chip(visit: &Visit, lane: Lane) -> Markup {
    let shape = match lane {
        Lane::Green => "M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z",
        Lane::Blue => "M6 .8 11.2 6 6 11.2.8 6z",
        Lane::Yellow => "M6 1.2 11.4 10.6H.6z",
        Lane::Red => "M1.5 1.5h9v9h-9z",
        Lane::Hold => "M2 1.5h3v9H2zM7 1.5h3v9H7z",
    };
    html! {
        span class={ "chip lane " (lane.name()) } {
            svg viewBox="0 0 12 12" aria-hidden="true" focusable="false" { path d=(shape) {} }
            (visit.named("lane", lane.name()))
        }
    }
}

/// The word SIMULATED, wherever figures or rows are.
pub(crate) fn simulated(visit: &Visit, yes: bool) -> Markup {
    html! { @if yes { (chip("simulated", visit.say(texts::SIMULATED))) } }
}

/// Nothing is known.
pub(crate) fn absent() -> Markup {
    html! { span class="absent" { "–" } }
}

/// Title, a line below it, and what can be done here.
pub(crate) fn heading(title: &str, below: &Markup, actions: &Markup) -> Markup {
    html! {
        div class="heading" {
            div { h1 { (title) } div class="below" { (below) } }
            div class="actions" { (actions) }
        }
    }
}

/// The way up.
pub(crate) fn crumbs(visit: &Visit, steps: &[(&str, &str)]) -> Markup {
    html! {
        nav class="crumbs" aria-label=(visit.say(texts::WAY_UP)) {
            ol { @for (place, word) in steps { li { a href=(place) { (word) } } } }
        }
    }
}

/// Names with their values.
pub(crate) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in pairs { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// A figure with what it counts.
pub(crate) fn figure(value: &str, word: &str, note: &Markup) -> Markup {
    html! {
        div class="figure" { dt { (word) } dd { span class="figure-value" { (value) } div class="figure-note" { (note) } } }
    }
}

/// Nothing is here yet, and what to do about it.
pub(crate) fn empty(title: &str, text: &str, action: &Markup) -> Markup {
    html! {
        div class="empty" { h2 { (title) } p { (text) } (action) }
    }
}

/// A table that scrolls within itself. `label` names it for those who do not see it.
pub(crate) fn table(label: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        div class="table-scroll" tabindex="0" role="group" aria-label=(label) {
            table { thead { tr { (head) } } tbody { (body) } }
        }
    }
}

/// Head of a column.
pub(crate) fn th(visit: &Visit, word: Text, number: bool) -> Markup {
    html! { th scope="col" class=[number.then_some("number")] { (visit.say(word)) } }
}

/// A list's order as the address has it: `rows` upwards, `-rows` downwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    /// As the address has it.
    pub(crate) sort: &'a str,
    /// The list's path.
    pub(crate) path: &'a str,
    /// The rest of the query.
    pub(crate) query: &'a [(&'a str, &'a str)],
}

impl Order<'_> {
    /// Head of a column by which the list can be ordered.
    pub(crate) fn head(&self, visit: &Visit, key: &str, word: Text, number: bool) -> Markup {
        let down = format!("-{key}");
        let (state, next) = if self.sort == key {
            (Some("ascending"), down.clone())
        } else if self.sort == down {
            (Some("descending"), key.to_owned())
        } else {
            (None, if number { down } else { key.to_owned() })
        };
        let mut query = vec![("sort", next.as_str())];
        query.extend(self.query.iter().filter(|(name, _)| *name != "page"));
        html! {
            th scope="col" class=[number.then_some("number")] aria-sort=[state] {
                a class="sort" href=(place(self.path, &query)) { (visit.say(word)) }
            }
        }
    }
}

/// Pages of a list: how many there are and the ways between them.
pub(crate) fn pager(visit: &Visit, path: &str, query: &[(&str, &str)], page: usize, total: usize) -> Markup {
    let pages = total.div_ceil(PAGE_ROWS).max(1);
    let to = |page: usize| {
        let number = page.to_string();
        let mut values: Vec<(&str, &str)> =
            query.iter().copied().filter(|(name, _)| *name != "page").collect();
        values.push(("page", &number));
        place(path, &values)
    };
    let number = |number: usize| count(u64::try_from(number).unwrap_or(u64::MAX));
    html! {
        nav class="pager" aria-label=(visit.say(texts::PAGES_OF_LIST)) {
            span { (visit.fill(texts::COUNT_IN_ALL, &[("n", &number(total))])) }
            @if pages > 1 {
                @if page > 1 { a href=(to(page.saturating_sub(1))) rel="prev" { (visit.say(texts::PREVIOUS)) } }
                span { (visit.fill(texts::PAGE_OF, &[("page", &number(page)), ("pages", &number(pages))])) }
                @if page < pages { a href=(to(page.saturating_add(1))) rel="next" { (visit.say(texts::NEXT)) } }
            }
        }
    }
}

/// The rows of a page of a list; pages count from 1.
pub(crate) fn page_of<T>(rows: &[T], page: usize) -> &[T] {
    let from = page.saturating_sub(1).saturating_mul(PAGE_ROWS).min(rows.len());
    let to = from.saturating_add(PAGE_ROWS).min(rows.len());
    rows.get(from..to).unwrap_or_default()
}

fn severity_class(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Information => ("information", "information"),
        Severity::Warning => ("warn", "warning"),
        Severity::Error => ("bad", "error"),
    }
}

/// A finding's weight as word and colour.
pub(crate) fn severity(visit: &Visit, severity: Severity) -> Markup {
    let (class, name) = severity_class(severity);
    chip(class, visit.named("severity", name))
}

/// One finding: where, which value, what was expected, how to mend it, the code in small.
pub(crate) fn finding(finding: &Finding) -> Markup {
    html! {
        @if !finding.pointer.0.is_empty() { code { (finding.pointer) } " " }
        @if !finding.found.is_empty() { span class="found" { "“" (finding.found) "” " } }
        @if !finding.expected.is_empty() { span class="expected" { "→ " (finding.expected) " " } }
        @if !finding.how_to_fix.is_empty() { span class="fix" { (finding.how_to_fix) " " } }
        span class="code" { (finding.code) }
    }
}

/// Findings as a list.
pub(crate) fn findings(visit: &Visit, all: &[Finding]) -> Markup {
    html! {
        @if !all.is_empty() {
            ul class="findings" {
                @for one in all.iter().take(FINDINGS_SHOWN_MAX) { li { (severity(visit, one.severity)) " " (finding(one)) } }
            }
            @if all.len() > FINDINGS_SHOWN_MAX {
                p class="soft" { (visit.fill(texts::AND_MORE, &[("n", &(all.len().saturating_sub(FINDINGS_SHOWN_MAX)).to_string())])) }
            }
        }
    }
}

/// Findings of many rows, by code and column.
pub(crate) fn finding_groups(visit: &Visit, groups: &[FindingGroup]) -> Markup {
    let head = html! {
        (th(visit, texts::WEIGHT, false))
        (th(visit, texts::COLUMN, false))
        (th(visit, texts::FINDING, false))
        (th(visit, texts::HOW_OFTEN, true))
        (th(visit, texts::EXAMPLES, false))
    };
    let body = html! {
        @for group in groups {
            tr {
                td { (severity(visit, group.severity)) }
                td { @if group.column.is_empty() { (absent()) } @else { code { (group.column) } } }
                td {
                    @if let Some(first) = group.examples.first() {
                        @if !first.expected.is_empty() { (first.expected) ". " }
                        @if !first.how_to_fix.is_empty() { span class="fix" { (first.how_to_fix) } " " }
                    }
                    span class="code" { (group.code) }
                }
                td class="number" { (count(group.count)) }
                td {
                    @for example in group.examples.iter().take(3) {
                        div class="example" {
                            @if !example.pointer.0.is_empty() { code { (example.pointer) } " " }
                            @if !example.found.is_empty() { span class="found" { "“" (example.found) "”" } }
                        }
                    }
                }
            }
        }
    };
    table(visit.say(texts::FINDINGS), &head, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_carry_only_what_was_chosen() {
        assert_eq!(place("/pool", &[("q", ""), ("sort", "-rows")]), "/pool?sort=-rows");
        assert_eq!(place("/pool", &[("q", "a&b")]), "/pool?q=a%26b");
        assert_eq!(place("/pool", &[("q", "")]), "/pool");
    }

    #[test]
    fn pages_count_from_one_and_end_with_the_list() {
        let rows: Vec<usize> = (0..120).collect();
        assert_eq!(page_of(&rows, 1).first(), Some(&0));
        assert_eq!(page_of(&rows, 3), (100..120).collect::<Vec<_>>());
        assert!(page_of(&rows, 4).is_empty());
        assert_eq!(page_of(&rows, 0).first(), Some(&0));
    }
}
