//! Goods items, documents, parties and transport: what was declared.

use std::collections::BTreeMap;

use customhouse::declarations::{CaseFile, Declaration};
use maud::{Markup, html};
use rust_decimal::Decimal;
use spine::FieldType;
use spine::declaration::{
    AdditionalDocument, GovernmentAgencyGoodsItem, PartyRole, PreviousDocument, TransportMeans,
};
use spine::noun::Evidence;

use super::known;
use crate::declarations::amount;
use crate::view::{absent, facts, table, th};
use crate::visit::Visit;
use crate::words::{count, short, texts, value};

/// Everything that was declared; for history the entries as they stand in the pool.
pub(super) fn shown(visit: &Visit, case: &CaseFile) -> Markup {
    html! {
        @match &case.declaration {
            Some(declaration) => {
                (items(visit, declaration, case))
                (documents(visit, declaration))
                (received(visit, case))
                (parties(visit, declaration))
            },
            None => (entries(visit, &case.entries)),
        }
    }
}

/// A number as people read it.
pub(super) fn number(known: Option<Decimal>) -> Markup {
    html! { @match known { Some(number) => (value(&number.normalize().to_string(), FieldType::Decimal)), None => (absent()) } }
}

/// Tags on an item, by number.
fn tags_on(case: &CaseFile, item: u32) -> usize {
    case.tags.iter().filter(|tag| tag.items.contains(&item)).count()
}

/// The number of an item: declared, or its place.
pub(super) fn item_number(at: usize, item: &GovernmentAgencyGoodsItem) -> u32 {
    item.sequence_numeric.unwrap_or_else(|| u32::try_from(at.saturating_add(1)).unwrap_or(u32::MAX))
}

fn items(visit: &Visit, declaration: &Declaration, case: &CaseFile) -> Markup {
    let head = html! {
        th scope="col" class="number" { span class="unseen" { (visit.say(texts::ITEM)) } "#" }
        (th(visit, texts::GOODS, false)) (th(visit, texts::COUNTRY_OF_ORIGIN, false)) (th(visit, texts::VALUE, true))
        (th(visit, texts::MASS_KG, true)) (th(visit, texts::PACKAGES, true)) (th(visit, texts::PROCEDURE, false))
    };
    let body = html! {
        @for (at, item) in declaration.items().iter().enumerate() {
            @let own = item_number(at, item);
            @let commodity = &item.commodity;
            @let marked = tags_on(case, own);
            tr id={ "item-" (own) } {
                td class="number" { (own) }
                td {
                    (known(commodity.description.as_deref()))
                    div class="soft" {
                        @if let Some(code) = commodity.code() { code { (code) } }
                        @if marked > 0 { " · " a href="#why" { (visit.say(texts::TAGS)) ": " (marked) } }
                    }
                }
                td { (known(item.origin.first().and_then(|origin| origin.country_code.as_deref()))) }
                td class="number" {
                    @match item.value() { Some(money) => (amount(Some(&money.amount.to_string()), Some(money.currency.code()))), None => (absent()) }
                }
                td class="number" { (number(commodity.goods_measure.net_net_weight_measure)) }
                td class="number" { (number(item.packages())) }
                td { (known(item.procedure_code().as_deref())) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::GOODS_ITEMS)) " (" (count(u64::try_from(declaration.items().len()).unwrap_or(u64::MAX))) ")" }
            (table(visit.say(texts::GOODS_ITEMS), &head, &body))
        }
    }
}

fn documents(visit: &Visit, declaration: &Declaration) -> Markup {
    let mut own: Vec<(Option<u32>, &AdditionalDocument)> =
        declaration.additional_document.iter().map(|document| (None, document)).collect();
    let mut earlier: Vec<(Option<u32>, &PreviousDocument)> =
        declaration.goods_shipment.previous_document.iter().map(|document| (None, document)).collect();
    for (at, item) in declaration.items().iter().enumerate() {
        let number = Some(item_number(at, item));
        own.extend(item.additional_document.iter().map(|document| (number, document)));
        earlier.extend(item.previous_document.iter().map(|document| (number, document)));
    }
    let head = html! {
        (th(visit, texts::WHICH_DOCUMENT, false)) (th(visit, texts::DOCUMENT_NUMBER, false))
        (th(visit, texts::DATE, false)) (th(visit, texts::ITEM, false))
    };
    let invoice = &declaration.goods_shipment.invoice;
    let body = html! {
        @if let Some(id) = &invoice.id {
            tr { td { (visit.say(texts::INVOICE)) } td { (id) } td { (known(invoice.issue_date.map(|date| date.to_string()).as_deref())) } td { (absent()) } }
        }
        @for (item, document) in &own {
            tr {
                td { code { (document.category_code.as_deref().unwrap_or_default()) (document.type_code.as_deref().unwrap_or_default()) } " " (document.name.as_deref().unwrap_or_default()) }
                td { (known(document.id.as_deref())) }
                td { (known(document.effective_date.map(|date| date.to_string()).as_deref())) }
                td { (known(item.map(|item| item.to_string()).as_deref())) }
            }
        }
        @for (item, document) in &earlier {
            tr {
                td { code { (document.type_code.as_deref().unwrap_or_default()) } " " (visit.say(texts::EARLIER_DOCUMENT)) }
                td { (known(document.id.as_deref())) }
                td { (absent()) }
                td { (known(item.map(|item| item.to_string()).as_deref())) }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::ADDITIONAL_DOCUMENTS)) }
            @if own.is_empty() && earlier.is_empty() && invoice.id.is_none() { p class="soft" { (visit.say(texts::NO_DOCUMENTS)) } }
            @else { (table(visit.say(texts::ADDITIONAL_DOCUMENTS), &head, &body)) }
        }
    }
}

/// What the trader sent because it was asked for.
fn received(visit: &Visit, case: &CaseFile) -> Markup {
    html! {
        @if !case.received.is_empty() {
            section {
                h2 { (visit.say(texts::DOCUMENTS_SENT)) }
                (papers(case, &case.received))
            }
        }
    }
}

/// Photos and documents, each a link to its bytes.
pub(super) fn papers(case: &CaseFile, papers: &[Evidence]) -> Markup {
    html! {
        ul class="papers" {
            @for paper in papers {
                li {
                    a href={ "/declarations/" (case.row.mrn) "/documents/" (paper.blob) } download { @if paper.description.is_empty() { (short(&paper.blob)) } @else { (paper.description) } }
                    " " span class="soft" { (paper.media_type) " · " code { (short(&paper.blob)) } }
                }
            }
        }
    }
}

fn means(means: &TransportMeans) -> String {
    let parts = [means.mode_code.as_deref(), means.id.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn parties(visit: &Visit, declaration: &Declaration) -> Markup {
    let role = |role: PartyRole| {
        let name = match role {
            PartyRole::Declarant => "declarant",
            PartyRole::Agent => "agent",
            PartyRole::Importer => "importer",
            PartyRole::Exporter => "exporter",
            PartyRole::Carrier => "carrier",
            PartyRole::Buyer => "buyer",
            PartyRole::Seller => "seller",
            PartyRole::Consignee => "consignee",
            PartyRole::Consignor => "consignor",
        };
        visit.named("party", name)
    };
    let mut pairs: Vec<(&str, Markup)> = declaration
        .parties_in_full()
        .map(|(own, party)| {
            let shown = html! {
                @if let Some(name) = &party.name { (name) " " }
                @if let Some(id) = &party.id { a href={ "/entities/" (id) } { (id) } }
                @if let Some(country) = &party.address.country_code { " · " (country) }
            };
            (role(own), shown)
        })
        .collect();
    let shipment = &declaration.goods_shipment;
    for (word, transport) in [
        (texts::MEANS_OF_TRANSPORT, means(&declaration.border_transport_means)),
        (texts::ARRIVES_ON, means(&shipment.consignment.arrival_transport_means)),
        (texts::LOCATION_OF_GOODS, shipment.consignment.goods_location.name.clone().unwrap_or_default()),
    ] {
        if !transport.is_empty() {
            pairs.push((visit.say(word), html! { (transport) }));
        }
    }
    let containers: Vec<&str> = shipment
        .consignment
        .transport_equipment
        .iter()
        .chain(declaration.items().iter().flat_map(|item| &item.commodity.transport_equipment))
        .filter_map(|equipment| equipment.id.as_deref())
        .collect();
    if !containers.is_empty() {
        pairs.push((visit.say(texts::CONTAINER), html! { (containers.join(", ")) }));
    }
    html! { section { h2 { (visit.say(texts::PARTIES_AND_TRANSPORT)) } (facts(&pairs)) } }
}

/// Entries of a declaration of the past.
fn entries(visit: &Visit, entries: &[BTreeMap<String, String>]) -> Markup {
    let schema = spine::declaration_entry::schema();
    html! {
        @for (at, entry) in entries.iter().enumerate() {
            section id={ "item-" (at.saturating_add(1)) } {
                h2 { (visit.fill(texts::ITEM_NUMBERED, &[("n", &at.saturating_add(1).to_string())])) }
                dl class="facts" {
                    @for field in &schema.fields {
                        @if let Some(known) = entry.get(&field.name) {
                            div { dt { (visit.localized(&field.title)) } dd { (value(known, field.field_type)) } }
                        }
                    }
                }
            }
        }
    }
}
