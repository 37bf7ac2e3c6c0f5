//! The tags of an entity: since when, until when, how often, why; each as a line in time.

use customhouse::entities::{EntityFile, TagOfEntity};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::drawing::Strip;
use crate::tags::place_of_reason;
use crate::view::{chip, place, table, th};
use crate::visit::Visit;
use crate::words::{count, minute, texts};

/// The section.
pub(super) fn tags(visit: &Visit, file: &EntityFile) -> Markup {
    let head = html! {
        (th(visit, texts::TAG, false)) (th(visit, texts::SEVERITY, false)) (th(visit, texts::DECLARATIONS, true))
        (th(visit, texts::SINCE, true)) (th(visit, texts::LAST_SEEN, true)) (th(visit, texts::IN_TIME, false)) (th(visit, texts::WHY, false))
    };
    let first = file.tags.iter().map(|tag| tag.first_at).min().unwrap_or_default();
    let last = file.tags.iter().map(|tag| tag.last_at).max().unwrap_or_default();
    let body = html! {
        @for tag in &file.tags {
            tr {
                td { a href={ "/tags/" (tag.tag) } { (visit.localized(&tag.title)) } }
                td { (chip(&tag.severity, visit.named("severity", &tag.severity))) }
                td class="number" { a href=(place("/declarations", &[("party", &file.id), ("tag", &tag.tag)])) { (count(tag.declarations)) } }
                td class="number period" { (minute(tag.first_at)) }
                td class="number period" { (minute(tag.last_at)) }
                td class="strip-cell" { (line(tag, first, last)) }
                td { a href=(place_of_reason(&file.id, &tag.tag)) { (visit.say(texts::WHY)) } }
            }
        }
    };
    html! {
        section class="portrait" {
            h2 { (visit.say(texts::TAGS_ON_ENTITY)) }
            @if file.tags.is_empty() { p class="soft" { (visit.say(texts::NO_TAGS_ON_ENTITY)) } }
            @else { (table(visit.say(texts::TAGS_ON_ENTITY), &head, &body)) }
        }
    }
}

/// From the first declaration with the tag to the last, on the time that all of the entity's tags span.
fn line(tag: &TagOfEntity, first: Timestamp, last: Timestamp) -> Markup {
    let span = last.duration_since(first).as_secs_f64();
    let at =
        |moment: Timestamp| if span > 0.0 { moment.duration_since(first).as_secs_f64() / span } else { 0.5 };
    let strip = Strip {
        interval: Some((at(tag.first_at), at(tag.last_at))),
        dot: Some(at(tag.last_at)),
        ..Strip::default()
    };
    strip.draw("since")
}
