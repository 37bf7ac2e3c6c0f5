//! The form in which an officer corrects a declaration by what a control found: the fields of its items as they stand,
//! of which those that were written over change.

use customhouse::declarations::{CaseAction, CaseFile, Declaration};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::own::{CORRECTABLE_ITEMS_MAX, correctable_fields, put_in_item, standing_in_item};
use crate::view::empty;
use crate::visit::{Posted, Visit};
use crate::words::texts;

/// Longest value of a field.
const VALUE_CHARACTERS_MAX: usize = 600;

fn input_name(item: usize, field: &str) -> String {
    format!("item.{item}.{field}")
}

/// The fields of the form; the reason and what was looked at are the caller's.
pub(super) fn fields(visit: &Visit, case: &CaseFile) -> Markup {
    let Some(whole) = case.declaration.as_ref().and_then(|own| serde_json::to_value(own).ok()) else {
        return empty(visit.say(texts::CORRECT_NOTHING), visit.say(texts::CORRECT_NOTHING_TEXT), &html! {});
    };
    let items = case.declaration.as_ref().map_or(0, |own| own.items().len());
    html! {
        @for item in 1..=items.min(CORRECTABLE_ITEMS_MAX) {
            fieldset class="card" {
                legend { (visit.fill(texts::ITEM_NUMBERED, &[("n", &item.to_string())])) }
                div class="fields" {
                  @for field in correctable_fields() {
                    @let name = input_name(item, field.name);
                    div class={ "field" @if field.wide { " wide" } } {
                        label for=(name) { (visit.say(field.label)) }
                        input id=(name) name=(name) value=(standing_in_item(&whole, item, field.place)) maxlength=(VALUE_CHARACTERS_MAX) autocomplete="off" spellcheck="false";
                    }
                  }
                }
            }
        }
        @if items > CORRECTABLE_ITEMS_MAX { p class="help" { (visit.fill(texts::CORRECT_MORE, &[("n", &CORRECTABLE_ITEMS_MAX.to_string())])) } }
    }
}

/// The correction that a form states of a declaration as it stands. A field that is not in the form stays as it is, and
/// an emptied one is taken away.
pub(super) fn read(posted: &Posted, declaration: &Declaration) -> Result<CaseAction, Failure> {
    let unreadable = |_| {
        Failure::unreadable(
            "a value of the correction cannot be read: masses and amounts are written as 12.5",
        )
    };
    let mut whole = serde_json::to_value(declaration).map_err(unreadable)?;
    for item in 1..=declaration.items().len().min(CORRECTABLE_ITEMS_MAX) {
        for field in correctable_fields() {
            let Some(written) = posted.get(&input_name(item, field.name)) else { continue };
            let written: String = written.trim().chars().take(VALUE_CHARACTERS_MAX).collect();
            if written != standing_in_item(&whole, item, field.place) {
                put_in_item(&mut whole, item, field.place, &written);
            }
        }
    }
    let declaration = serde_json::from_value::<Declaration>(whole).map_err(unreadable)?;
    let why = posted.text("why").trim().to_owned();
    Ok(CaseAction::Correct { why, declaration: Box::new(declaration) })
}
