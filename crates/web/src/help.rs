//! How to get around, and what the words mean.

use maud::{Markup, html};

use crate::shell::{Page, Room};
use crate::view::heading;
use crate::visit::Visit;
use crate::words::texts;

/// The page of help.
pub(crate) async fn show(visit: Visit) -> Markup {
    let keys = [
        (&["/", "Ctrl+K"][..], texts::KEY_SEARCH),
        (&["?"], texts::KEY_HELP),
        (&["g", "o"], texts::KEY_OVERVIEW),
        (&["g", "p"], texts::KEY_POOL),
        (&["g", "t"], texts::KEY_TAGS),
        (&["g", "a"], texts::KEY_AUDITS),
        (&["j", "k"], texts::KEY_ROWS),
        (&["Enter"], texts::KEY_OPEN),
        (&["Esc"], texts::KEY_CLOSE),
    ];
    let words = [
        (texts::BATCH, texts::HELP_BATCH),
        (texts::QUARANTINE, texts::HELP_QUARANTINE),
        (texts::CONTRACT, texts::HELP_CONTRACT),
        (texts::TAG, texts::HELP_TAG),
        (texts::AUDIT, texts::HELP_AUDIT),
        (texts::SIMULATED, texts::HELP_SIMULATED),
        (texts::SENSITIVITY, texts::HELP_SENSITIVITY),
    ];
    let content = html! {
        (heading(visit.say(texts::HELP_AND_KEYS), &html! {}, &html! {}))
        div class="columns" {
            section {
                h2 { (visit.say(texts::KEYS)) }
                dl class="facts" {
                    @for (combination, meaning) in keys {
                        div { dt { @for key in combination { kbd { (key) } " " } } dd { (visit.say(meaning)) } }
                    }
                }
            }
            section {
                h2 { (visit.say(texts::WORDS)) }
                dl class="facts" { @for (word, meaning) in words { div { dt { (visit.say(word)) } dd { (visit.say(meaning)) } } } }
                p { a href="/api/v1/openapi.json" { (visit.say(texts::API_DOCUMENT)) } }
            }
        }
    };
    Page::new(&visit, Room::Elsewhere, visit.say(texts::HELP_AND_KEYS)).show(&content)
}
