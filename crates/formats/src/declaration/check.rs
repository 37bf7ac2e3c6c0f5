//! What every declaration must have, whatever the country: our own structural checks. An error refuses it; a warning
//! is probably not what was meant. Rules of a country stand in rule packs.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use spine::declaration::{
    AdditionalDocument, Declaration, GovernmentAgencyGoodsItem, Party, TransportEquipment,
};
use spine::identifier::{ContainerNumber, HsCode, Lrn};
use spine::quantity::Money;
use spine::{Finding, Pointer};

use super::Form;
use super::findings::Findings;
use super::shape::Name;
use super::shape::names::{
    CLASSIFICATION, COMMODITY, CONSIGNMENT, CUSTOMS_VALUE, DECLARANT, DESCRIPTION, DOCUMENT, EQUIPMENT, ID,
    IMPORTER, INVOICE_AMOUNT, ITEM, ITEM_QUANTITY, LRN, MEASURE, NET_MASS, OFFICE, ORIGIN, PROCEDURE,
    SEQUENCE, SHIPMENT, TOTAL_GROSS_MASS, TOTAL_PACKAGES, TYPE_CODE,
};
use super::value::information;

/// What a declaration of a type has to state about its items (UCC data annex B keeps them apart as data sets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DataSet {
    /// Clearance requests (J, K) and final supplementary declarations (Q): which goods.
    Reference,
    /// Simplified declarations (B, C, E, F): which goods under which code.
    Simplified,
    /// Standard (A, D) and supplementary declarations (X, Y, Z).
    Full,
}

/// Direction and data set of a type code, if it is one.
fn type_of(code: &str) -> Option<(&str, DataSet)> {
    let (direction, letter) = code.split_at_checked(2)?;
    let data_set = match letter {
        "" | "A" | "D" | "X" | "Y" | "Z" => DataSet::Full,
        "B" | "C" | "E" | "F" => DataSet::Simplified,
        "J" | "K" | "Q" => DataSet::Reference,
        _ => return None,
    };
    matches!(direction, "IM" | "EX" | "CO").then_some((direction, data_set))
}

/// Checks a declaration and puts commodity codes, container numbers and item numbers into their canonical spelling.
pub(super) fn check(form: Form, declaration: &mut Declaration, findings: &mut Findings) {
    let mut checks = Checks { form, findings };
    let (direction, data_set) = checks.head(declaration);
    checks.equipment(
        &[(SHIPMENT, 0), (CONSIGNMENT, 0)],
        &mut declaration.goods_shipment.consignment.transport_equipment,
    );
    let items = &mut declaration.goods_shipment.government_agency_goods_item;
    for (item, position) in items.iter_mut().zip(1..) {
        checks.spell(position, item);
        checks.obligations(position, item, direction != Direction::Export, data_set);
        checks.plausibility(position, item);
    }
    checks.item_numbers(items);
    checks.totals(declaration);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Import,
    Export,
    /// Goods of a special territory, or a type that is not known.
    Other,
}

/// A step of a place: a name, and a position in its list or 0.
type Step = (Name, usize);

struct Checks<'f> {
    form: Form,
    findings: &'f mut Findings,
}

fn missing(code: &str, expected: &str, fix: &str) -> Finding {
    Finding::error(code).expected(expected).fix(fix)
}

fn is_known(party: &Party) -> bool {
    party.id.is_some() || party.name.is_some()
}

impl Checks<'_> {
    fn tell(&mut self, place: &[Step], finding: Finding) {
        let at = place.iter().fold(Pointer::root(), |at, (name, position)| {
            let name = self.form.spelled(*name);
            if *position == 0 { at.child(name) } else { at.item(name, *position) }
        });
        self.findings.push(finding.at(at));
    }

    fn head(&mut self, declaration: &Declaration) -> (Direction, DataSet) {
        match declaration.functional_reference_id.as_deref().map(Lrn::new) {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.tell(
                &[(LRN, 0)],
                Finding::error("lrn_malformed")
                    .found(&error.found)
                    .expected(error.expected)
                    .fix("Use a shorter reference of your own; it must be new for every declaration."),
            ),
            None => self.tell(
                &[(LRN, 0)],
                missing(
                    "lrn_missing",
                    "your own reference of this declaration (LRN), 1 to 22 characters",
                    "Give every declaration a reference that you have not used before.",
                ),
            ),
        }
        let kind = declaration.type_code.as_deref().and_then(type_of);
        if kind.is_none() {
            self.tell(
                &[(TYPE_CODE, 0)],
                Finding::error(if declaration.type_code.is_some() { "type_unknown" } else { "type_missing" })
                    .found(declaration.type_code.as_deref().unwrap_or_default())
                    .expected("IM, EX or CO, and one of the letters A to F, J, K, Q, X, Y, Z, such as IMA")
                    .fix("State what is declared: IMA is a standard import, EXA a standard export."),
            );
        }
        self.head_obligations(declaration);
        let direction = match kind {
            Some(("IM", _)) => Direction::Import,
            Some(("EX", _)) => Direction::Export,
            _ => Direction::Other,
        };
        if direction == Direction::Import && !is_known(&declaration.goods_shipment.importer) {
            self.tell(
                &[(SHIPMENT, 0), (IMPORTER, 0)],
                Finding::warning("importer_missing")
                    .expected("identification, or name and address, of the importer")
                    .fix("State for whom the goods are brought in."),
            );
        }
        (direction, kind.map_or(DataSet::Full, |(_, data_set)| data_set))
    }

    fn head_obligations(&mut self, declaration: &Declaration) {
        if !is_known(&declaration.declarant) {
            self.tell(
                &[(DECLARANT, 0)],
                missing(
                    "declarant_missing",
                    "identification, or name and address, of the declarant",
                    "State who answers for this declaration.",
                ),
            );
        }
        match (declaration.office_id(), &declaration.declaration_office_id) {
            (None, _) => self.tell(
                &[(OFFICE, 0)],
                missing(
                    "office_missing",
                    "the customs office, or the place of the goods",
                    "State at which office the declaration is lodged.",
                ),
            ),
            (Some(office), None) => self.tell(
                &[(OFFICE, 0)],
                information("office_taken_from_elsewhere")
                    .found(office)
                    .expected("the customs office; in its place stands where the goods are, leave, or are supervised")
                    .fix("Nothing to do, unless another office is meant."),
            ),
            _ => {}
        }
        if declaration.items().is_empty() {
            self.tell(
                &[(SHIPMENT, 0), (ITEM, 0)],
                missing("item_missing", "at least one goods item", "Declare what the goods are."),
            );
        }
    }

    /// Puts codes into their canonical spelling; says where one is no code.
    fn spell(&mut self, position: usize, item: &mut GovernmentAgencyGoodsItem) {
        for (classification, at) in item.commodity.classification.iter_mut().zip(1..) {
            let kind = classification.identification_type_code.as_deref();
            if !matches!(kind, None | Some("HS" | "TSP")) {
                continue;
            }
            let Some(code) = classification.id.as_deref() else { continue };
            match HsCode::new(code) {
                Ok(code) => classification.id = Some(code.into()),
                Err(error) => {
                    let place =
                        [(SHIPMENT, 0), (ITEM, position), (COMMODITY, 0), (CLASSIFICATION, at), (ID, 0)];
                    let finding = Finding::error("commodity_code_malformed")
                        .found(&error.found)
                        .expected(error.expected)
                        .fix("Look the code up in the tariff, and write its digits.");
                    self.tell(&place, finding);
                }
            }
        }
        self.equipment(
            &[(SHIPMENT, 0), (ITEM, position), (COMMODITY, 0)],
            &mut item.commodity.transport_equipment,
        );
    }

    fn equipment(&mut self, above: &[Step], equipment: &mut [TransportEquipment]) {
        let mut seen = BTreeSet::new();
        for (container, position) in equipment.iter_mut().zip(1..) {
            let Some(id) = &mut container.id else { continue };
            let place = || [above, &[(EQUIPMENT, position), (ID, 0)]].concat();
            match ContainerNumber::new(id) {
                Ok(number) => *id = number.into(),
                Err(error) if looks_like_container(id) => {
                    let finding = Finding::warning("container_number_odd")
                        .found(id)
                        .expected(error.expected)
                        .fix("Compare the number with the transport document; the last digit checks the others.");
                    self.tell(&place(), finding);
                }
                // Trailers, swap bodies and air cargo units have numbers of other shapes.
                Err(_) => {}
            }
            if !seen.insert(id.clone()) {
                let finding = Finding::warning("container_repeated")
                    .found(id)
                    .expected("every container once")
                    .fix("Remove it, or correct its number.");
                self.tell(&place(), finding);
            }
        }
    }

    /// What an item of the data set must state.
    fn obligations(
        &mut self,
        position: usize,
        item: &GovernmentAgencyGoodsItem,
        needs_origin: bool,
        data_set: DataSet,
    ) {
        let full = data_set == DataSet::Full;
        let measure = &item.commodity.goods_measure;
        let has_code = item.commodity.code().is_some();
        let has_mass = measure.net_net_weight_measure.or(measure.gross_mass_measure).is_some();
        let has_origin = item.origin.iter().any(|origin| origin.country_code.is_some());
        let dispatched = needs_origin && leaves(item);
        let needs_origin = needs_origin && full && !is_negligible(item) && !dispatched;
        let in_item = |below: &[Step]| [&[(SHIPMENT, 0), (ITEM, position)], below].concat();
        let mut require = |needed: bool, below: &[Step], code: &str, expected: &str, fix: &str| {
            if needed {
                self.tell(&in_item(below), missing(code, expected, fix));
            }
        };
        require(
            !has_code && data_set >= DataSet::Simplified,
            &[(COMMODITY, 0), (CLASSIFICATION, 0)],
            "commodity_code_missing",
            "the commodity code (HS)",
            "Look the code up in the tariff.",
        );
        require(
            !has_origin && needs_origin,
            &[(ORIGIN, 0)],
            "origin_missing",
            "the country of origin",
            "State where the goods were made or grown.",
        );
        require(
            item.value().is_none() && full && !is_valued_by_unit_price(item),
            &[(CUSTOMS_VALUE, 0)],
            "value_missing",
            "customs value, price on the invoice, or statistical value, with its currency",
            "State the value of this item.",
        );
        require(
            // Trade with special territories (data set B4) states packages.
            !has_mass && full && !dispatched,
            &[(COMMODITY, 0), (MEASURE, 0)],
            "mass_missing",
            "net or gross mass in kilograms",
            "State the mass of this item.",
        );
        require(
            item.procedure_code().is_none(),
            &[(PROCEDURE, 0)],
            "procedure_missing",
            "the customs procedure, such as 40 and 00",
            "State what is to become of the goods.",
        );
        if item.commodity.description.is_none() && data_set != DataSet::Reference {
            self.tell(
                &in_item(&[(COMMODITY, 0), (DESCRIPTION, 0)]),
                Finding::warning("description_missing")
                    .expected("the goods in your own words")
                    .fix("Describe the goods so that an officer would recognise them."),
            );
        }
    }

    fn plausibility(&mut self, position: usize, item: &GovernmentAgencyGoodsItem) {
        let measure = &item.commodity.goods_measure;
        if let (Some(net), Some(gross)) = (measure.net_net_weight_measure, measure.gross_mass_measure)
            && net > gross
        {
            self.tell(
                &[(SHIPMENT, 0), (ITEM, position), (COMMODITY, 0), (MEASURE, 0), (NET_MASS, 0)],
                Finding::warning("net_mass_above_gross")
                    .found(&net.to_string())
                    .expected(format!("at most the gross mass, {gross} kg"))
                    .fix("Correct one of the two, or exchange them."),
            );
        }
        let documents = &item.additional_document;
        for (document, at) in documents.iter().zip(1_usize..) {
            if document.id.is_some()
                && documents.iter().take(at.saturating_sub(1)).any(|other| same(document, other))
            {
                self.tell(
                    &[(SHIPMENT, 0), (ITEM, position), (DOCUMENT, at)],
                    Finding::warning("document_repeated")
                        .found(document.id.as_deref().unwrap_or_default())
                        .expected("every document once")
                        .fix("Remove it, or correct its number."),
                );
            }
        }
    }

    /// Numbers are given where they are missing, and none is used twice.
    fn item_numbers(&mut self, items: &mut [GovernmentAgencyGoodsItem]) {
        let mut seen = BTreeSet::new();
        for (item, position) in items.iter_mut().zip(1_u32..) {
            let number = *item.sequence_numeric.get_or_insert(position);
            if !seen.insert(number) {
                let place = usize::try_from(position).unwrap_or_default();
                self.tell(
                    &[(SHIPMENT, 0), (ITEM, place), (SEQUENCE, 0)],
                    Finding::error("item_number_repeated")
                        .found(&number.to_string())
                        .expected("a number that no other item has")
                        .fix("Number the items from 1."),
                );
            }
        }
    }

    /// Totals against the sums of the items; only where every item states its part.
    fn totals(&mut self, declaration: &Declaration) {
        let items = declaration.items();
        let sum = |part: fn(&GovernmentAgencyGoodsItem) -> Option<Decimal>| -> Option<Decimal> {
            items.iter().map(part).try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part?))
        };
        let invoice = declaration.invoice_amount;
        let prices = invoice.and_then(|invoice| {
            items
                .iter()
                .map(|item| item.commodity.invoice_line.item_charge_amount)
                .try_fold(Money { amount: Decimal::ZERO, currency: invoice.currency }, |sum, price| {
                    sum.checked_add(price?)
                })
        });
        let count = u32::try_from(items.len()).ok().map(Decimal::from);
        let gross = sum(|item| item.commodity.goods_measure.gross_mass_measure);
        let totals = [
            (ITEM_QUANTITY, declaration.goods_item_quantity.map(Decimal::from), count),
            (TOTAL_PACKAGES, declaration.total_package_quantity, sum(|item| item.packages())),
            (TOTAL_GROSS_MASS, declaration.total_gross_mass_measure, gross),
            (INVOICE_AMOUNT, invoice.map(|invoice| invoice.amount), prices.map(|sum| sum.amount)),
        ];
        for (name, total, sum) in totals {
            if let (Some(total), Some(sum), false) = (total, sum, items.is_empty())
                && total != sum
            {
                self.tell(
                    &[(name, 0)],
                    Finding::warning("total_differs")
                        .found(&total.to_string())
                        .expected(format!("{sum}, the sum over the goods items"))
                        .fix("Correct the total, or the item that is wrong."),
                );
            }
        }
    }
}

/// A consignment of negligible value or a gift (UCC data annex B, data set H7: additional procedures C07 and C08)
/// need not state its origin.
fn is_negligible(item: &GovernmentAgencyGoodsItem) -> bool {
    let mut procedures = item.government_procedure.iter();
    procedures.any(|procedure| matches!(procedure.current_code.as_deref(), Some("C07" | "C08")))
}

/// Do the goods leave, by the procedure that is asked for (10 to 31: export, dispatch, outward processing, re-export)?
/// A declaration of a special territory (CO) may be either.
fn leaves(item: &GovernmentAgencyGoodsItem) -> bool {
    item.procedure_code().is_some_and(|code| code.starts_with(['1', '2', '3']))
}

/// Perishable goods under valuation method 4 may be valued by unit prices that customs publishes (UCC implementing act
/// 2015/2447, Article 142(6)): nobody has a value to declare.
fn is_valued_by_unit_price(item: &GovernmentAgencyGoodsItem) -> bool {
    item.customs_valuation.method_code.as_deref() == Some("4")
}

/// Four letters and seven digits are meant as a container number.
fn looks_like_container(id: &str) -> bool {
    let bytes: Vec<u8> = id.bytes().filter(u8::is_ascii_alphanumeric).collect();
    bytes.len() == 11
        && bytes.iter().take(4).all(u8::is_ascii_alphabetic)
        && bytes.iter().skip(4).all(u8::is_ascii_digit)
}

fn same(one: &AdditionalDocument, other: &AdditionalDocument) -> bool {
    one.category_code == other.category_code && one.type_code == other.type_code && one.id == other.id
}
