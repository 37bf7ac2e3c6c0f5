//! How to get around, what lanes and states mean, how a declaration walks, and what the words mean.

mod walk;

use customhouse::declarations::{Lane, State};
use customhouse::identity::Permission;
use maud::{Markup, html};

use crate::shell::{Page, Room};
use crate::view::{heading, lane_chip};
use crate::visit::Visit;
use crate::words::{Text, texts};

/// Keys, what they do, and what it takes to need them.
const KEYS: &[(&[&str], Text, Option<Permission>)] = &[
    (&["/", "Ctrl+K"], texts::KEY_SEARCH, None),
    (&["?"], texts::KEY_HELP, None),
    (&["g", "o"], texts::KEY_OVERVIEW, None),
    (&["g", "q"], texts::KEY_QUEUE, Some(Permission::Examine)),
    (&["g", "d"], texts::KEY_DECLARATIONS, Some(Permission::ViewDeclarations)),
    (&["g", "e"], texts::KEY_ENTITIES, Some(Permission::ViewDeclarations)),
    (&["g", "l"], texts::KEY_PLAN, Some(Permission::ViewPlans)),
    (&["g", "j"], texts::KEY_JOURNAL, Some(Permission::ViewJournal)),
    (&["g", "p"], texts::KEY_POOL, Some(Permission::ViewPool)),
    (&["g", "t"], texts::KEY_TAGS, Some(Permission::ViewTags)),
    (&["g", "a"], texts::KEY_AUDITS, Some(Permission::ViewAudits)),
    (&["j", "k"], texts::KEY_ROWS, None),
    (&["Enter"], texts::KEY_OPEN, None),
    (&["t"], texts::KEY_TAKE, Some(Permission::Examine)),
    (&["r"], texts::KEY_RESULT, Some(Permission::Examine)),
    (&["h"], texts::KEY_HAND_OVER, Some(Permission::Examine)),
    (&["w"], texts::KEY_WHO, Some(Permission::ViewDeclarations)),
    (&["m"], texts::KEY_MERGE, Some(Permission::ResolveEntities)),
    (&["x"], texts::KEY_APART, Some(Permission::ResolveEntities)),
    (&["Esc"], texts::KEY_CLOSE, None),
];

/// Words, what they mean, and who meets them.
const WORDS: &[(Text, Text, Option<Permission>)] = &[
    (texts::DECLARATION, texts::HELP_DECLARATION, None),
    (texts::MRN_AND_LRN, texts::HELP_MRN, None),
    (texts::SCORE, texts::HELP_SCORE, Some(Permission::ViewDeclarations)),
    (texts::ARM, texts::HELP_ARM, Some(Permission::ViewDeclarations)),
    (texts::THRESHOLD, texts::HELP_THRESHOLD, Some(Permission::ViewDeclarations)),
    (texts::HARD_RULES, texts::HELP_HARD_RULE, Some(Permission::ViewDeclarations)),
    (texts::POLICY, texts::HELP_POLICY, None),
    (texts::OPINION, texts::HELP_OPINION, None),
    (texts::TAG, texts::HELP_TAG, Some(Permission::ViewTags)),
    (texts::BATCH, texts::HELP_BATCH, Some(Permission::ViewPool)),
    (texts::QUARANTINE, texts::HELP_QUARANTINE, Some(Permission::ViewPool)),
    (texts::CONTRACT, texts::HELP_CONTRACT, Some(Permission::ViewPool)),
    (texts::AUDIT, texts::HELP_AUDIT, Some(Permission::ViewPool)),
    (texts::JOURNAL, texts::HELP_JOURNAL, None),
    (texts::SIMULATED, texts::HELP_SIMULATED, None),
    (texts::SENSITIVITY, texts::HELP_SENSITIVITY, None),
];

/// The page of help.
pub(crate) async fn show(visit: Visit) -> Markup {
    let official = visit.may(Permission::ViewDeclarations);
    let needed = |permission: &Option<Permission>| permission.is_none_or(|permission| visit.may(permission));
    let content = html! {
        (heading(visit.say(texts::HELP_AND_KEYS), &html! {}, &html! {}))
        @if official { (lanes(&visit)) (walk::shown(&visit)) }
        div class="columns" {
            section {
                h2 { (visit.say(texts::KEYS)) }
                dl class="facts" {
                    @for (combination, meaning, _) in KEYS.iter().filter(|(_, _, permission)| needed(permission)) {
                        div { dt { @for key in *combination { kbd { (key) } " " } } dd { (visit.say(*meaning)) } }
                    }
                }
            }
            section {
                h2 { (visit.say(texts::WORDS)) }
                dl class="facts" {
                    @for (word, meaning, _) in WORDS.iter().filter(|(_, _, permission)| needed(permission)) {
                        div { dt { (visit.say(*word)) } dd { (visit.say(*meaning)) } }
                    }
                }
                p { a href="/api/v1/openapi.json" { (visit.say(texts::API_DOCUMENT)) } " · " a href="/status" { (visit.say(texts::STATUS)) } " · " a href="/changes" { (visit.say(texts::CHANGES)) } " · " a href="/conformance" { (visit.say(texts::CONFORMANCE)) } }
            }
        }
    };
    Page::new(&visit, Room::Help, visit.say(texts::HELP_AND_KEYS)).show(&content)
}

fn lanes(visit: &Visit) -> Markup {
    html! {
        section {
            h2 { (visit.say(texts::LANES)) }
            dl class="facts" {
                @for lane in Lane::ALL { div { dt { (lane_chip(visit, lane)) } dd { (visit.named("lane_text", lane.name())) } } }
            }
        }
    }
}

/// What a state means.
fn state_text(visit: &Visit, state: State) -> &'static str {
    visit.named("state_text", state.name())
}
