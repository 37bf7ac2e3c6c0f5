//! The fields of the form: one table from which the form is drawn, the declaration is put together, and findings find
//! their fields again.

use std::collections::BTreeMap;

use customhouse::declarations::Declaration;
use serde_json::{Map, Value};
use spine::Finding;

use crate::words::{Text, texts};

/// Items that the form takes; more are lodged as a file.
pub(super) const ITEMS_MAX: usize = 50;
/// Longest value of a field.
pub(super) const VALUE_CHARACTERS_MAX: usize = 600;

/// How a field is filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input {
    /// Words or a code.
    Text,
    /// A number.
    Number,
    /// A day.
    Day,
    /// One of a list: value and the family and name of its word.
    Choice(&'static [(&'static str, &'static str)]),
    /// An office, with those known so far to choose from.
    Office,
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Name in the form and in drafts.
    pub(crate) name: &'static str,
    /// Where its value stands in the declaration, from the declaration or from the item on.
    pub(crate) place: &'static str,
    /// What it is called.
    pub(crate) label: Text,
    /// What to write, in plain words.
    pub(super) help: Option<Text>,
    /// How it is filled in.
    pub(super) input: Input,
    /// Must something stand there in every declaration?
    pub(super) wanted: bool,
    /// Is it as wide as two others?
    pub(crate) wide: bool,
}

const fn field(name: &'static str, place: &'static str, label: Text, help: Option<Text>) -> Field {
    Field { name, place, label, help, input: Input::Text, wanted: false, wide: false }
}

impl Field {
    const fn as_a(self, input: Input) -> Self {
        Self { input, ..self }
    }

    const fn wanted(self) -> Self {
        Self { wanted: true, ..self }
    }

    const fn wide(self) -> Self {
        Self { wide: true, ..self }
    }
}

const TYPES: &[(&str, &str)] =
    &[("IMA", "ima"), ("IMD", "imd"), ("IMC", "imc"), ("EXA", "exa"), ("EXD", "exd")];
const MODES: &[(&str, &str)] =
    &[("1", "mode_sea"), ("2", "mode_rail"), ("3", "mode_road"), ("4", "mode_air"), ("5", "mode_post")];
const PROCEDURES: &[(&str, &str)] = &[
    ("40 00", "free_circulation"),
    ("61 10", "returned"),
    ("51 00", "inward_processing"),
    ("53 00", "temporary_admission"),
    ("71 00", "warehouse"),
    ("10 00", "export"),
    ("31 51", "re_export"),
];

/// A group of fields with its heading.
pub(super) type Group = (Text, &'static [Field]);

/// Fields of the declaration as a whole.
pub(super) const HEAD: [Group; 3] = [
    (
        texts::OWN_GROUP_DECLARATION,
        &[
            field(
                "reference",
                "functional_reference_id",
                texts::OWN_REFERENCE,
                Some(texts::OWN_REFERENCE_HELP),
            )
            .wanted(),
            field("type", "type_code", texts::OWN_TYPE, None).as_a(Input::Choice(TYPES)).wanted(),
            field("office", "declaration_office_id", texts::OWN_OFFICE, Some(texts::OWN_OFFICE_HELP))
                .as_a(Input::Office)
                .wanted(),
        ],
    ),
    (
        texts::OWN_GROUP_PARTIES,
        &[
            field("declarant", "declarant/id", texts::OWN_DECLARANT, Some(texts::OWN_DECLARANT_HELP))
                .wanted(),
            field(
                "importer",
                "goods_shipment/importer/id",
                texts::OWN_IMPORTER,
                Some(texts::OWN_IMPORTER_HELP),
            ),
            field(
                "authorisations",
                AUTHORISATIONS,
                texts::OWN_AUTHORISATIONS,
                Some(texts::OWN_AUTHORISATIONS_HELP),
            ),
            field("exporter_name", "exporter/name", texts::OWN_EXPORTER, None),
            field(
                "exporter_country",
                "exporter/address/country_code",
                texts::OWN_EXPORTER_COUNTRY,
                Some(texts::OWN_COUNTRY_HELP),
            ),
        ],
    ),
    (
        texts::OWN_GROUP_CARRIAGE,
        &[
            field("mode", "border_transport_means/mode_code", texts::OWN_MODE, None)
                .as_a(Input::Choice(MODES)),
            field("means", "border_transport_means/id", texts::OWN_MEANS, Some(texts::OWN_MEANS_HELP)),
            field("containers", CONTAINERS, texts::OWN_CONTAINERS, Some(texts::OWN_CONTAINERS_HELP)),
            field(
                "export_country",
                "goods_shipment/export_country",
                texts::OWN_EXPORT_COUNTRY,
                Some(texts::OWN_COUNTRY_HELP),
            ),
            field("invoice", "goods_shipment/invoice/id", texts::OWN_INVOICE, None),
            field("invoice_date", "goods_shipment/invoice/issue_date", texts::OWN_INVOICE_DATE, None)
                .as_a(Input::Day),
            field(
                "terms",
                "goods_shipment/trade_terms/condition_code",
                texts::OWN_TERMS,
                Some(texts::OWN_TERMS_HELP),
            ),
            field(CURRENCY, "", texts::OWN_CURRENCY, Some(texts::OWN_CURRENCY_HELP)).wanted(),
        ],
    ),
];

/// Fields of one item.
pub(super) const ITEM: &[Field] = &[
    field("description", "commodity/description", texts::OWN_DESCRIPTION, Some(texts::OWN_DESCRIPTION_HELP))
        .wanted()
        .wide(),
    field("code", "commodity/classification[1]/id", texts::OWN_CODE, Some(texts::OWN_CODE_HELP)).wanted(),
    field("origin", "origin[1]/country_code", texts::OWN_ORIGIN, Some(texts::OWN_ORIGIN_HELP)).wanted(),
    field("value", "customs_value_amount/amount", texts::OWN_VALUE, Some(texts::OWN_VALUE_HELP))
        .as_a(Input::Number)
        .wanted(),
    field(
        "gross",
        "commodity/goods_measure/gross_mass_measure",
        texts::OWN_GROSS,
        Some(texts::OWN_GROSS_HELP),
    )
    .as_a(Input::Number)
    .wanted(),
    field("net", "commodity/goods_measure/net_net_weight_measure", texts::OWN_NET, Some(texts::OWN_NET_HELP))
        .as_a(Input::Number)
        .wanted(),
    field(
        "quantity",
        "commodity/goods_measure/tariff_quantity",
        texts::OWN_QUANTITY,
        Some(texts::OWN_QUANTITY_HELP),
    )
    .as_a(Input::Number),
    field("packages", "packaging[1]/quantity_quantity", texts::OWN_PACKAGES, None).as_a(Input::Number),
    field("procedure", PROCEDURE, texts::OWN_PROCEDURE, None).as_a(Input::Choice(PROCEDURES)).wanted().wide(),
    field("papers", PAPERS, texts::OWN_PAPERS, Some(texts::OWN_PAPERS_HELP)).wide(),
];

const CURRENCY: &str = "currency";
const AUTHORISATIONS: &str = "authorisation_holder";
const CONTAINERS: &str = "goods_shipment/consignment/transport_equipment";
const PROCEDURE: &str = "government_procedure[1]";
const PAPERS: &str = "additional_document";
const ITEMS: &str = "goods_shipment/government_agency_goods_item";

/// A declaration as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// Values by field; those of the second item begin with `2.`.
    pub(super) fields: BTreeMap<String, String>,
}

/// Name of an item's field in the form.
pub(super) fn item_name(item: usize, field: &str) -> String {
    format!("{item}.{field}")
}

/// Fields of the declaration as a whole that hold one value each.
fn single_fields() -> impl Iterator<Item = &'static Field> {
    head_fields().filter(|field| !matches!(field.place, "" | CONTAINERS | AUTHORISATIONS))
}

fn head_fields() -> impl Iterator<Item = &'static Field> {
    HEAD.iter().flat_map(|(_, fields)| fields.iter())
}

fn put(object: &mut Map<String, Value>, place: &str, value: &str) {
    let (name, rest) = place.split_once('/').map_or((place, None), |(name, rest)| (name, Some(rest)));
    let (name, listed) = name.split_once('[').map_or((name, false), |(name, _)| (name, true));
    let entry = object.entry(name.to_owned());
    let inner = if listed {
        let list = entry.or_insert_with(|| Value::Array(vec![Value::Object(Map::new())]));
        list.as_array_mut().and_then(|list| list.first_mut())
    } else {
        Some(entry.or_insert_with(|| Value::Object(Map::new())))
    };
    match (inner, rest) {
        (Some(Value::Object(inner)), Some(rest)) => put(inner, rest, value),
        (Some(place), None) => *place = Value::String(value.to_owned()),
        _ => {}
    }
}

fn pointer_to(place: &str) -> String {
    place.split('/').map(|step| format!("/{}", step.replace("[1]", "/0"))).collect()
}

/// What stands at a place, or nothing.
fn text_at(value: &Value, place: &str) -> String {
    value.pointer(&pointer_to(place)).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Typed {
    /// An empty form of one item, with what is known of whoever writes.
    pub(super) fn begun(party: Option<&str>) -> Self {
        let mut fields = BTreeMap::new();
        let party = party.unwrap_or_default();
        for (name, value) in [
            ("type", "IMA"),
            ("declarant", party),
            ("importer", party),
            ("items", "1"),
            ("1.procedure", "40 00"),
        ] {
            fields.insert(name.to_owned(), value.to_owned());
        }
        Self { fields }
    }

    /// What came with a form: fields that there are, cut to their bounds.
    pub(super) fn of(posted: &[(String, String)]) -> Self {
        let given: BTreeMap<&str, &str> =
            posted.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut typed = Self { fields: BTreeMap::new() };
        let items = given.get("items").and_then(|items| items.parse().ok()).unwrap_or(1_usize);
        typed.set_items(items);
        let names = head_fields().map(|field| field.name.to_owned());
        let of_items =
            (1..=typed.items()).flat_map(|item| ITEM.iter().map(move |field| item_name(item, field.name)));
        for name in names.chain(of_items).collect::<Vec<_>>() {
            if let Some(value) = given.get(name.as_str()).filter(|value| !value.is_empty()) {
                typed.fields.insert(name, value.chars().take(VALUE_CHARACTERS_MAX).collect());
            }
        }
        typed
    }

    /// A declaration that was lodged, as far as the form has its fields.
    pub(super) fn from_declaration(declaration: &Declaration) -> Self {
        let whole = serde_json::to_value(declaration).unwrap_or_default();
        let mut typed = Self { fields: BTreeMap::new() };
        for field in single_fields() {
            typed.keep(field.name.to_owned(), text_at(&whole, field.place));
        }
        let shipment = &declaration.goods_shipment;
        let containers = shipment.consignment.transport_equipment.iter().filter_map(|own| own.id.clone());
        typed.keep("containers".to_owned(), containers.collect::<Vec<_>>().join(" "));
        typed.keep("authorisations".to_owned(), authorisations_typed(&whole));
        let items = whole.pointer(&format!("/{ITEMS}")).and_then(Value::as_array);
        for (item, number) in items.into_iter().flatten().take(ITEMS_MAX).zip(1_usize..) {
            for field in ITEM {
                let value = match field.name {
                    "procedure" => {
                        let code = |name: &str| text_at(item, &format!("{PROCEDURE}/{name}"));
                        format!("{} {}", code("current_code"), code("previous_code"))
                    }
                    "papers" => papers_typed(item),
                    _ => text_at(item, field.place),
                };
                typed.keep(item_name(number, field.name), value.trim().to_owned());
            }
            if typed.value(CURRENCY).is_empty() {
                typed.keep(CURRENCY.to_owned(), text_at(item, "customs_value_amount/currency"));
            }
            typed.set_items(number);
        }
        typed
    }

    fn keep(&mut self, name: String, value: String) {
        if !value.is_empty() {
            self.fields.insert(name, value);
        }
    }

    /// How many items there are.
    pub(super) fn items(&self) -> usize {
        self.fields.get("items").and_then(|items| items.parse().ok()).unwrap_or(1).clamp(1, ITEMS_MAX)
    }

    fn set_items(&mut self, items: usize) {
        self.fields.insert("items".to_owned(), items.clamp(1, ITEMS_MAX).to_string());
    }

    /// What stands in a field, or nothing.
    pub(super) fn value(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// One more item, with the procedure of the one before.
    pub(super) fn add_item(&mut self) {
        let items = self.items();
        if items < ITEMS_MAX {
            let procedure = self.value(&item_name(items, "procedure")).to_owned();
            self.set_items(items.saturating_add(1));
            self.fields.insert(item_name(items.saturating_add(1), "procedure"), procedure);
        }
    }

    /// Without one of the items; those behind it move up. The last one is emptied instead.
    pub(super) fn remove_item(&mut self, removed: usize) {
        let items = self.items();
        for item in removed..=items {
            for field in ITEM {
                let next = self.fields.remove(&item_name(item.saturating_add(1), field.name));
                match next {
                    Some(next) => self.fields.insert(item_name(item, field.name), next),
                    None => self.fields.remove(&item_name(item, field.name)),
                };
            }
        }
        self.set_items(items.saturating_sub(1));
    }

    /// The declaration in its JSON form. What is not filled in is not there.
    pub(super) fn declaration(&self) -> Vec<u8> {
        let mut declaration = Map::new();
        for field in single_fields() {
            let value = self.value(field.name).trim();
            if !value.is_empty() {
                put(&mut declaration, field.place, value);
            }
        }
        let authorisations = self.value("authorisations");
        if !authorisations.trim().is_empty() {
            declaration.insert(AUTHORISATIONS.to_owned(), authorisations_of(authorisations));
        }
        let items: Vec<Value> = (1..=self.items()).map(|item| self.item(item)).collect();
        let shipment =
            declaration.entry("goods_shipment".to_owned()).or_insert_with(|| Value::Object(Map::new()));
        if let Some(shipment) = shipment.as_object_mut() {
            let containers: Vec<Value> = self
                .value("containers")
                .split([' ', ',', ';', '\n', '\t'])
                .filter(|id| !id.is_empty())
                .map(|id| Value::Object([("id".to_owned(), Value::from(id))].into_iter().collect()))
                .collect();
            if !containers.is_empty() {
                let consignment =
                    Map::from_iter([("transport_equipment".to_owned(), Value::Array(containers))]);
                shipment.insert("consignment".to_owned(), Value::Object(consignment));
            }
            shipment.insert("government_agency_goods_item".to_owned(), Value::Array(items));
        }
        serde_json::to_vec(&Value::Object(declaration)).unwrap_or_default()
    }

    fn item(&self, item: usize) -> Value {
        let mut object = Map::new();
        for field in ITEM {
            let name = item_name(item, field.name);
            let value = self.value(&name).trim();
            if value.is_empty() {
                continue;
            }
            match field.name {
                "procedure" => {
                    let (current, previous) = value.split_once(' ').unwrap_or((value, "00"));
                    put(&mut object, "government_procedure[1]/current_code", current);
                    put(&mut object, "government_procedure[1]/previous_code", previous);
                }
                "papers" => {
                    object.insert(PAPERS.to_owned(), papers(value));
                }
                "value" => {
                    put(&mut object, field.place, value);
                    let currency = self.value(CURRENCY).trim();
                    if !currency.is_empty() {
                        put(&mut object, "customs_value_amount/currency", currency);
                    }
                }
                _ => put(&mut object, field.place, value),
            }
        }
        Value::Object(object)
    }
}

/// What is typed with commas between.
fn one_by_one(typed: &str) -> impl Iterator<Item = &str> {
    typed.split([',', ';', '\n']).map(str::trim).filter(|text| !text.is_empty())
}

/// A class of the values that are filled in.
fn filled<const N: usize>(named: [(&str, &str); N]) -> Value {
    let filled = named.into_iter().filter(|(_, value)| !value.is_empty());
    Value::Object(filled.map(|(name, value)| (name.to_owned(), Value::from(value))).collect())
}

/// Authorisations as they are typed, `SDE NL0001, IPO NL0001`: a type and its holder.
fn authorisations_of(typed: &str) -> Value {
    let one = |text| {
        let (kind, holder) = str::split_once(text, ' ').unwrap_or((text, ""));
        filled([("id", holder.trim()), ("category_code", kind)])
    };
    one_by_one(typed).map(one).collect()
}

/// The reverse of [`authorisations_of`].
fn authorisations_typed(declaration: &Value) -> String {
    let all = declaration.get(AUTHORISATIONS).and_then(Value::as_array).into_iter().flatten();
    let text =
        |own: &Value| format!("{} {}", text_at(own, "category_code"), text_at(own, "id")).trim().to_owned();
    all.map(text).collect::<Vec<_>>().join(", ")
}

/// Documents as they are typed, `N935 INV-1, C644 …`: a category (one character), a type (three), a number.
fn papers(typed: &str) -> Value {
    let one = |text| {
        let (code, id) = str::split_once(text, ' ').unwrap_or((text, ""));
        let (category, kind) = code.char_indices().nth(1).map_or((code, ""), |(at, _)| code.split_at(at));
        filled([("category_code", category), ("type_code", kind), ("id", id.trim())])
    };
    one_by_one(typed).map(one).collect()
}

/// The reverse of [`papers`].
fn papers_typed(item: &Value) -> String {
    let all = item.get(PAPERS).and_then(Value::as_array).into_iter().flatten();
    let text = |paper: &Value| {
        let code = format!("{}{}", text_at(paper, "category_code"), text_at(paper, "type_code"));
        format!("{code} {}", text_at(paper, "id")).trim().to_owned()
    };
    all.map(text).collect::<Vec<_>>().join(", ")
}

/// Items whose fields an officer's correction shows.
pub(crate) const CORRECTABLE_ITEMS_MAX: usize = ITEMS_MAX;

/// Fields of an item that hold one value each: those that can be corrected one by one.
pub(crate) fn correctable_fields() -> impl Iterator<Item = &'static Field> {
    ITEM.iter().filter(|field| !matches!(field.place, PROCEDURE | PAPERS))
}

fn pointer_of_item(item: usize) -> String {
    format!("/{ITEMS}/{}", item.saturating_sub(1))
}

/// What stands in an item of a declaration in JSON; items count from 1.
pub(crate) fn standing_in_item(declaration: &Value, item: usize, place: &str) -> String {
    declaration.pointer(&pointer_of_item(item)).map(|own| text_at(own, place)).unwrap_or_default()
}

/// Writes a value over what stands in an item; an empty one takes it away.
pub(crate) fn put_in_item(declaration: &mut Value, item: usize, place: &str, value: &str) {
    let Some(own) = declaration.pointer_mut(&pointer_of_item(item)) else { return };
    if value.is_empty() {
        if let Some(standing) = own.pointer_mut(&pointer_to(place)) {
            *standing = Value::Null;
        }
    } else if let Some(own) = own.as_object_mut() {
        put(own, place, value);
    }
}

/// The field of the form that a finding is about; `None`: it is about none of them.
pub(super) fn field_of(finding: &Finding) -> Option<String> {
    let place = finding.pointer.0.as_str();
    if place.ends_with("/currency") {
        return Some(CURRENCY.to_owned());
    }
    let (fields, item, place) = match place.strip_prefix(ITEMS) {
        Some(rest) => {
            let (item, rest) = rest.strip_prefix('[')?.split_once(']')?;
            (ITEM.iter().collect::<Vec<_>>(), Some(item), rest.trim_start_matches('/'))
        }
        None => (head_fields().collect(), None, place),
    };
    let within = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
    };
    let places = |field: &&&Field| !field.place.is_empty() && !place.is_empty();
    let found = fields
        .iter()
        .filter(places)
        .find(|field| field.place == place)
        .or_else(|| fields.iter().filter(places).find(|field| within(place, field.place)))
        .or_else(|| fields.iter().filter(places).find(|field| within(field.place, place)))?;
    Some(item.map_or_else(|| found.name.to_owned(), |item| format!("{item}.{}", found.name)))
}

#[cfg(test)]
mod tests {
    use spine::Pointer;

    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        Typed::of(&pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn a_form_becomes_a_declaration_of_the_published_shape() {
        let typed = typed(&[
            ("reference", " R-1 "),
            ("type", "IMA"),
            ("office", "NL000396"),
            ("declarant", "NL1"),
            ("containers", "CSQU3054383, MSKU9070323"),
            ("authorisations", "SDE NL1; IPO NL 2, CGU"),
            ("currency", "EUR"),
            ("items", "2"),
            ("1.description", "chargers"),
            ("1.code", "850440"),
            ("1.value", "80.00"),
            ("1.procedure", "40 00"),
            ("1.papers", "N935 INV-1;  C644 ORG 9, Y"),
            ("2.origin", "CN"),
            ("3.origin", "XX"),
            ("nonsense", "x"),
            ("exporter_name", ""),
        ]);
        let declaration: Value = serde_json::from_slice(&typed.declaration()).unwrap();
        let expected = serde_json::json!({
            "functional_reference_id": "R-1", "type_code": "IMA", "declaration_office_id": "NL000396",
            "declarant": { "id": "NL1" },
            "authorisation_holder": [
                { "id": "NL1", "category_code": "SDE" },
                { "id": "NL 2", "category_code": "IPO" },
                { "category_code": "CGU" },
            ],
            "goods_shipment": {
                "consignment": { "transport_equipment": [{ "id": "CSQU3054383" }, { "id": "MSKU9070323" }] },
                "government_agency_goods_item": [
                    {
                        "commodity": { "description": "chargers", "classification": [{ "id": "850440" }] },
                        "customs_value_amount": { "amount": "80.00", "currency": "EUR" },
                        "government_procedure": [{ "current_code": "40", "previous_code": "00" }],
                        "additional_document": [
                            { "category_code": "N", "type_code": "935", "id": "INV-1" },
                            { "category_code": "C", "type_code": "644", "id": "ORG 9" },
                            { "category_code": "Y" },
                        ],
                    },
                    { "origin": [{ "country_code": "CN" }] },
                ],
            },
        });
        assert_eq!(declaration, expected);
        assert_eq!(authorisations_typed(&declaration), "SDE NL1, IPO NL 2, CGU");
        let item = declaration.pointer("/goods_shipment/government_agency_goods_item/0").unwrap();
        assert_eq!(papers_typed(item), "N935 INV-1, C644 ORG 9, Y");
    }

    #[test]
    fn items_come_and_go_and_the_others_keep_what_was_typed() {
        let mut form =
            typed(&[("items", "3"), ("1.code", "a"), ("2.code", "b"), ("3.code", "c"), ("3.net", "1")]);
        form.remove_item(2);
        assert_eq!(
            (form.items(), form.value("1.code"), form.value("2.code"), form.value("2.net")),
            (2, "a", "c", "1")
        );
        assert!(!form.fields.contains_key("3.code"));
        form.add_item();
        assert_eq!((form.items(), form.value("3.code")), (3, ""));
        for _ in 0..5 {
            form.remove_item(1);
        }
        assert_eq!((form.items(), form.value("1.code")), (1, ""));
        assert_eq!(typed(&[("items", "100000000")]).items(), ITEMS_MAX);
    }

    #[test]
    fn findings_find_the_fields_they_are_about() {
        for (place, field) in [
            ("functional_reference_id", Some("reference")),
            ("goods_shipment/importer", Some("importer")),
            ("goods_shipment/government_agency_goods_item[2]/commodity/classification[1]/id", Some("2.code")),
            ("goods_shipment/government_agency_goods_item[1]/commodity/classification", Some("1.code")),
            ("goods_shipment/government_agency_goods_item[1]/government_procedure", Some("1.procedure")),
            (
                "goods_shipment/government_agency_goods_item[1]/government_procedure[1]/current_code",
                Some("1.procedure"),
            ),
            (
                "goods_shipment/government_agency_goods_item[3]/customs_value_amount/currency",
                Some("currency"),
            ),
            ("goods_shipment/government_agency_goods_item[3]/customs_value_amount", Some("3.value")),
            ("goods_shipment/consignment/transport_equipment[2]/id", Some("containers")),
            ("authorisation_holder[1]", Some("authorisations")),
            ("goods_shipment/seller/id", None),
            ("", None),
        ] {
            let finding = Finding::error("x").at(Pointer(place.to_owned()));
            assert_eq!(field_of(&finding).as_deref(), field, "{place}");
        }
    }
}
