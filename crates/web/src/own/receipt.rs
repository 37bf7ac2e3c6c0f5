//! The receipt of a declaration: to keep, to print, and to compare.

use axum::extract::Path;
use customhouse::declarations::Progress;
use maud::{Markup, html};

use super::list::progress_chip;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{crumbs, facts, heading};
use crate::visit::Visit;
use crate::words::texts;

/// The receipt.
pub(super) async fn show(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    let receipt = visit.work(move |house, reader| house.receipt(reader, &mrn)).await?;
    let own = format!("/own/{}", receipt.mrn);
    let rejected = receipt.progress == Progress::Rejected;
    let (class, text) =
        if rejected { ("bad", texts::OWN_RECEIPT_REJECTED) } else { ("good", texts::OWN_RECEIPT_TEXT) };
    let actions = html! {
        a class="button" href={ (own) "/original" } { (visit.say(texts::OWN_ORIGINAL)) }
        a class="button" href={ (own) "/proof/receipt" } download { (visit.say(texts::PROOF_OF_RECEIPT)) }
        a class="button primary" href=(own) { (visit.say(texts::OWN_FOLLOW)) }
    };
    let pairs = [
        (visit.say(texts::OWN_MRN), html! { code { (receipt.mrn) } }),
        (visit.say(texts::OWN_REFERENCE), html! { (receipt.functional_reference_id) }),
        (
            visit.say(texts::OWN_LODGED_AT),
            html! { time datetime=(receipt.lodged_at) { (receipt.lodged_at.strftime("%Y-%m-%d %H:%M:%S UTC")) } },
        ),
        (visit.say(texts::OWN_STANDS), progress_chip(&visit, receipt.progress)),
        (visit.say(texts::CONTENT_HASH), html! { code class="hash" { (receipt.sha256) } }),
    ];
    let content = html! {
        (crumbs(&visit, &[("/own", visit.say(texts::OWN_DECLARATIONS)), (&own, &receipt.functional_reference_id)]))
        (heading(visit.say(texts::OWN_RECEIPT), &html! {}, &actions))
        div class={ "notice " (class) } role="status" { p { strong { (visit.say(text)) } } }
        (facts(&pairs))
        @if !receipt.findings.is_empty() {
            h2 { (visit.say(texts::OWN_NOTICED)) }
            (super::findings_shown(&visit, &receipt.findings))
        }
        p class="help" { (visit.say(texts::OWN_RECEIPT_HELP)) }
    };
    Ok(Page::new(&visit, Room::Own, visit.say(texts::OWN_RECEIPT)).show(&content))
}
