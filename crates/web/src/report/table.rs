//! Tables of the report: whole in the markup, sortable and filterable where the script runs.

use maud::{Markup, html};

use super::words::{plain, say};

/// Head of a column.
pub(super) struct Head {
    key: &'static str,
    number: bool,
}

impl Head {
    /// A column of texts.
    pub(super) fn text(key: &'static str) -> Self {
        Self { key, number: false }
    }

    /// A column of numbers: to the right, sorted as numbers.
    pub(super) fn number(key: &'static str) -> Self {
        Self { key, number: true }
    }
}

/// One cell: what is shown, and the number it is sorted by.
pub(super) struct Cell {
    content: Markup,
    order: Option<f64>,
}

impl Cell {
    /// A text.
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self { content: html! { (text.as_ref()) }, order: None }
    }

    /// Anything, sorted by its text.
    pub(super) fn markup(content: Markup) -> Self {
        Self { content, order: None }
    }

    /// A number as shown, with the number it is sorted by.
    pub(super) fn number(shown: impl AsRef<str>, order: f64) -> Self {
        Self { content: html! { (shown.as_ref()) }, order: Some(order) }
    }

    /// Nothing is known.
    pub(super) fn absent() -> Self {
        Self { content: html! { span class="absent" { "–" } }, order: None }
    }

    /// A value that may be absent.
    pub(super) fn optional<T>(value: Option<T>, make: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(Self::absent, make)
    }
}

/// From so many rows on, a table gets a filter.
const FILTER_FROM: usize = 12;

/// A table. `caption` says what it shows.
pub(super) fn table(caption: &Markup, heads: &[Head], rows: &[Vec<Cell>]) -> Markup {
    html! {
        div class="table-frame" {
            @if rows.len() >= FILTER_FROM {
                label class="table-filter" {
                    (say("filter"))
                    input type="search" data-filter="" autocomplete="off";
                }
            }
            div class="table-scroll" tabindex="0" role="group" aria-label=(plain("table", spine::Language::En)) {
                table data-sortable="" {
                    caption { (caption) }
                    thead {
                        tr {
                            @for head in heads {
                                th scope="col" class=[head.number.then_some("number")] { (say(head.key)) }
                            }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                @for (cell, head) in row.iter().zip(heads) {
                                    td class=[head.number.then_some("number")] data-order=[cell.order] { (cell.content) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
