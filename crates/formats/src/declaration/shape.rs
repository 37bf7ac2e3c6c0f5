//! The shape of a declaration, said once: every class names its attributes in both forms, in the order in which the
//! DMS profile has them. Reading either form and writing XML are three visitors of the same shape.

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::declaration::{
    AdditionalDocument, AdditionalInformation, Address, AuthorisationHolder, Classification, Commodity,
    Consignment, CustomsValuation, Declaration, DeclarationConsignment, DutyTaxFee, GoodsLocation,
    GoodsMeasure, GoodsShipment, GovernmentAgencyGoodsItem, GovernmentProcedure, Invoice, InvoiceLine,
    Origin, Packaging, Party, Payment, PreviousDocument, Seal, TradeTerms, TransportEquipment,
    TransportMeans,
};
use spine::quantity::Money;

/// What something is called: a member of the JSON form, a path of elements in the DMS form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) json: &'static str,
    pub(super) dms: &'static str,
}

const fn name(json: &'static str, dms: &'static str) -> Name {
    Name { json, dms }
}

/// Names that the checks point at.
pub(super) mod names {
    use super::{Name, name};

    pub(crate) const FUNCTION_CODE: Name = name("function_code", "FunctionCode");
    pub(crate) const LRN: Name = name("functional_reference_id", "FunctionalReferenceID");
    pub(crate) const TYPE_CODE: Name = name("type_code", "TypeCode");
    pub(crate) const ITEM_QUANTITY: Name = name("goods_item_quantity", "GoodsItemQuantity");
    pub(crate) const OFFICE: Name = name("declaration_office_id", "DeclarationOfficeID");
    pub(crate) const INVOICE_AMOUNT: Name = name("invoice_amount", "InvoiceAmount");
    pub(crate) const TOTAL_GROSS_MASS: Name = name("total_gross_mass_measure", "TotalGrossMassMeasure");
    pub(crate) const TOTAL_PACKAGES: Name = name("total_package_quantity", "TotalPackageQuantity");
    pub(crate) const DECLARANT: Name = name("declarant", "Declarant");
    pub(crate) const SHIPMENT: Name = name("goods_shipment", "GoodsShipment");
    pub(crate) const IMPORTER: Name = name("importer", "Importer");
    pub(crate) const CONSIGNMENT: Name = name("consignment", "Consignment");
    pub(crate) const EQUIPMENT: Name = name("transport_equipment", "TransportEquipment");
    pub(crate) const ITEM: Name = name("government_agency_goods_item", "GovernmentAgencyGoodsItem");
    pub(crate) const SEQUENCE: Name = name("sequence_numeric", "SequenceNumeric");
    pub(crate) const CUSTOMS_VALUE: Name = name("customs_value_amount", "CustomsValueAmount");
    pub(crate) const DOCUMENT: Name = name("additional_document", "AdditionalDocument");
    pub(crate) const PROCEDURE: Name = name("government_procedure", "GovernmentProcedure");
    pub(crate) const ORIGIN: Name = name("origin", "Origin");
    pub(crate) const COMMODITY: Name = name("commodity", "Commodity");
    pub(crate) const DESCRIPTION: Name = name("description", "Description");
    pub(crate) const CLASSIFICATION: Name = name("classification", "Classification");
    pub(crate) const MEASURE: Name = name("goods_measure", "GoodsMeasure");
    pub(crate) const NET_MASS: Name = name("net_net_weight_measure", "NetNetWeightMeasure");
    pub(crate) const GROSS_MASS: Name = name("gross_mass_measure", "GrossMassMeasure");
    pub(crate) const ID: Name = name("id", "ID");
    pub(crate) const AMOUNT: Name = name("amount", "");
    pub(crate) const CURRENCY: Name = name("currency", "@currencyID");
}

use names::{
    CLASSIFICATION, COMMODITY, CONSIGNMENT, CUSTOMS_VALUE, DECLARANT, DESCRIPTION, DOCUMENT, EQUIPMENT,
    FUNCTION_CODE, GROSS_MASS, ID, IMPORTER, INVOICE_AMOUNT, ITEM, ITEM_QUANTITY, LRN, MEASURE, NET_MASS,
    OFFICE, ORIGIN, PROCEDURE, SEQUENCE, SHIPMENT, TOTAL_GROSS_MASS, TOTAL_PACKAGES, TYPE_CODE,
};

const ADDRESS: Name = name("address", "Address");
const BORDER_MEANS: Name = name("border_transport_means", "BorderTransportMeans");
const CARRIER: Name = name("carrier", "Carrier");
const CATEGORY: Name = name("category_code", "CategoryCode");
const COUNTRY: Name = name("country_code", "CountryCode");
const DESTINATION: Name = name("destination", "Destination/CountryCode");
const EXPORT_COUNTRY: Name = name("export_country", "ExportCountry/ID");
const INFORMATION: Name = name("additional_information", "AdditionalInformation");
const ISSUE_DATE: Name = name("issue_date", "IssueDateTime");
const ITEM_CHARGE: Name = name("item_charge_amount", "ItemChargeAmount");
const MARKS: Name = name("marks_numbers_id", "MarksNumbersID");
const NAME: Name = name("name", "Name");
const NATIONALITY: Name = name("registration_nationality_code", "RegistrationNationalityCode");
const PREVIOUS_DOCUMENT: Name = name("previous_document", "PreviousDocument");
const STATISTICAL_VALUE: Name = name("statistical_value_amount", "StatisticalValueAmount");
const TAX_ASSESSED: Name = name("tax_assessed_amount", "TaxAssessedAmount");
const TRANSACTION_NATURE: Name = name("transaction_nature_code", "TransactionNatureCode");
const VALUATION: Name = name("customs_valuation", "CustomsValuation");

/// What a text has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A code.
    Code,
    /// An identifier.
    Identifier,
    /// Words.
    Words,
    /// A country.
    Country,
}

/// What a number is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Kilograms.
    Mass,
    /// Anything else.
    Plain,
}

/// Somebody who goes through a declaration, class by class.
pub(super) trait Visit {
    /// An element that only the DMS form has, and what it says in an original declaration.
    fn constant(&mut self, name: Name, value: &'static str);
    /// The class's place in its list, from 1, where the class does not keep it.
    fn sequence(&mut self, name: Name);
    /// A text.
    fn text(&mut self, name: Name, rule: Rule, slot: &mut Option<String>);
    /// An exact number of zero or more.
    fn number(&mut self, name: Name, measure: Measure, slot: &mut Option<Decimal>);
    /// A whole number.
    fn count(&mut self, name: Name, slot: &mut Option<u32>);
    /// A day.
    fn day(&mut self, name: Name, slot: &mut Option<Date>);
    /// An amount of zero or more with its currency.
    fn money(&mut self, name: Name, slot: &mut Option<Money>);
    /// A class.
    fn class<T: Class>(&mut self, name: Name, slot: &mut T);
    /// A list of classes, at most `max`.
    fn classes<T: Class>(&mut self, name: Name, max: usize, slot: &mut Vec<T>);

    /// A list of usual length.
    fn list<T: Class>(&mut self, name: Name, slot: &mut Vec<T>) {
        self.classes(name, Declaration::LIST_MAX, slot);
    }
}

/// A class of the declaration.
pub(super) trait Class: Default + PartialEq {
    /// Shows every attribute and class below it, in the order of the DMS profile.
    fn visit(&mut self, to: &mut impl Visit);
}

impl Class for Declaration {
    fn visit(&mut self, to: &mut impl Visit) {
        to.constant(FUNCTION_CODE, "9");
        to.text(LRN, Rule::Identifier, &mut self.functional_reference_id);
        to.text(TYPE_CODE, Rule::Code, &mut self.type_code);
        to.count(ITEM_QUANTITY, &mut self.goods_item_quantity);
        to.text(OFFICE, Rule::Identifier, &mut self.declaration_office_id);
        to.money(INVOICE_AMOUNT, &mut self.invoice_amount);
        to.number(TOTAL_GROSS_MASS, Measure::Mass, &mut self.total_gross_mass_measure);
        to.number(TOTAL_PACKAGES, Measure::Plain, &mut self.total_package_quantity);
        to.list(DOCUMENT, &mut self.additional_document);
        to.list(INFORMATION, &mut self.additional_information);
        to.class(name("agent", "Agent"), &mut self.agent);
        to.list(name("authorisation_holder", "AuthorisationHolder"), &mut self.authorisation_holder);
        to.class(BORDER_MEANS, &mut self.border_transport_means);
        to.class(CONSIGNMENT, &mut self.consignment);
        to.class(DECLARANT, &mut self.declarant);
        to.text(name("exit_office", "ExitOffice/ID"), Rule::Identifier, &mut self.exit_office);
        to.class(name("exporter", "Exporter"), &mut self.exporter);
        to.class(SHIPMENT, &mut self.goods_shipment);
        let office = name("presentation_office", "PresentationOffice/ID");
        to.text(office, Rule::Identifier, &mut self.presentation_office);
        let office = name("supervising_office", "SupervisingOffice/ID");
        to.text(office, Rule::Identifier, &mut self.supervising_office);
    }
}

impl Class for DeclarationConsignment {
    fn visit(&mut self, to: &mut impl Visit) {
        to.class(CARRIER, &mut self.carrier);
    }
}

impl Class for Party {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(NAME, Rule::Words, &mut self.name);
        to.text(ID, Rule::Identifier, &mut self.id);
        to.text(FUNCTION_CODE, Rule::Code, &mut self.function_code);
        to.class(ADDRESS, &mut self.address);
    }
}

impl Class for Address {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("city_name", "CityName"), Rule::Words, &mut self.city_name);
        to.text(COUNTRY, Rule::Country, &mut self.country_code);
        to.text(name("line", "Line"), Rule::Words, &mut self.line);
        to.text(name("postcode_id", "PostcodeID"), Rule::Identifier, &mut self.postcode_id);
    }
}

impl Class for AuthorisationHolder {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(ID, Rule::Identifier, &mut self.id);
        to.text(CATEGORY, Rule::Code, &mut self.category_code);
    }
}

impl Class for TransportMeans {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(ID, Rule::Identifier, &mut self.id);
        let kind = name("identification_type_code", "IdentificationTypeCode");
        to.text(kind, Rule::Code, &mut self.identification_type_code);
        to.text(NATIONALITY, Rule::Country, &mut self.registration_nationality_code);
        to.text(name("mode_code", "ModeCode"), Rule::Code, &mut self.mode_code);
    }
}

impl Class for GoodsShipment {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(TRANSACTION_NATURE, Rule::Code, &mut self.transaction_nature_code);
        to.class(name("buyer", "Buyer"), &mut self.buyer);
        to.class(name("consignee", "Consignee"), &mut self.consignee);
        to.class(CONSIGNMENT, &mut self.consignment);
        to.class(name("consignor", "Consignor"), &mut self.consignor);
        to.class(VALUATION, &mut self.customs_valuation);
        to.text(DESTINATION, Rule::Country, &mut self.destination);
        to.text(EXPORT_COUNTRY, Rule::Country, &mut self.export_country);
        to.classes(ITEM, Declaration::ITEMS_MAX, &mut self.government_agency_goods_item);
        to.class(IMPORTER, &mut self.importer);
        to.class(name("invoice", "Invoice"), &mut self.invoice);
        to.list(PREVIOUS_DOCUMENT, &mut self.previous_document);
        to.class(name("seller", "Seller"), &mut self.seller);
        to.class(name("trade_terms", "TradeTerms"), &mut self.trade_terms);
    }
}

impl Class for Consignment {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("container_code", "ContainerCode"), Rule::Code, &mut self.container_code);
        let arrival = name("arrival_transport_means", "ArrivalTransportMeans");
        to.class(arrival, &mut self.arrival_transport_means);
        to.class(name("goods_location", "GoodsLocation"), &mut self.goods_location);
        to.classes(EQUIPMENT, Declaration::EQUIPMENT_MAX, &mut self.transport_equipment);
    }
}

impl Class for GoodsLocation {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(NAME, Rule::Identifier, &mut self.name);
        to.text(TYPE_CODE, Rule::Code, &mut self.type_code);
        to.text(name("country_code", "Address/CountryCode"), Rule::Country, &mut self.country_code);
    }
}

impl Class for TransportEquipment {
    fn visit(&mut self, to: &mut impl Visit) {
        to.sequence(SEQUENCE);
        to.text(ID, Rule::Identifier, &mut self.id);
        to.list(name("seal", "Seal"), &mut self.seal);
    }
}

impl Class for Seal {
    fn visit(&mut self, to: &mut impl Visit) {
        to.sequence(SEQUENCE);
        to.text(ID, Rule::Identifier, &mut self.id);
    }
}

impl Class for CustomsValuation {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("method_code", "MethodCode"), Rule::Code, &mut self.method_code);
        to.money(name("freight_charge_amount", "FreightChargeAmount"), &mut self.freight_charge_amount);
    }
}

impl Class for Invoice {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(ID, Rule::Identifier, &mut self.id);
        to.day(ISSUE_DATE, &mut self.issue_date);
    }
}

impl Class for PreviousDocument {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(CATEGORY, Rule::Code, &mut self.category_code);
        to.text(ID, Rule::Identifier, &mut self.id);
        to.text(TYPE_CODE, Rule::Code, &mut self.type_code);
        to.count(name("line_numeric", "LineNumeric"), &mut self.line_numeric);
    }
}

impl Class for TradeTerms {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("condition_code", "ConditionCode"), Rule::Code, &mut self.condition_code);
        to.text(name("location_id", "LocationID"), Rule::Identifier, &mut self.location_id);
        to.text(name("location_name", "LocationName"), Rule::Words, &mut self.location_name);
    }
}

impl Class for GovernmentAgencyGoodsItem {
    fn visit(&mut self, to: &mut impl Visit) {
        to.money(CUSTOMS_VALUE, &mut self.customs_value_amount);
        to.count(SEQUENCE, &mut self.sequence_numeric);
        to.money(STATISTICAL_VALUE, &mut self.statistical_value_amount);
        to.text(TRANSACTION_NATURE, Rule::Code, &mut self.transaction_nature_code);
        to.list(DOCUMENT, &mut self.additional_document);
        to.list(INFORMATION, &mut self.additional_information);
        to.class(COMMODITY, &mut self.commodity);
        to.class(VALUATION, &mut self.customs_valuation);
        to.text(EXPORT_COUNTRY, Rule::Country, &mut self.export_country);
        to.list(PROCEDURE, &mut self.government_procedure);
        to.list(ORIGIN, &mut self.origin);
        to.list(name("packaging", "Packaging"), &mut self.packaging);
        to.list(PREVIOUS_DOCUMENT, &mut self.previous_document);
    }
}

impl Class for AdditionalDocument {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(CATEGORY, Rule::Code, &mut self.category_code);
        to.day(name("effective_date", "EffectiveDateTime"), &mut self.effective_date);
        to.text(ID, Rule::Identifier, &mut self.id);
        to.text(NAME, Rule::Words, &mut self.name);
        to.text(TYPE_CODE, Rule::Code, &mut self.type_code);
        to.text(name("lpco_exemption_code", "LPCOExemptionCode"), Rule::Code, &mut self.lpco_exemption_code);
    }
}

impl Class for AdditionalInformation {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("statement_code", "StatementCode"), Rule::Code, &mut self.statement_code);
        let words = name("statement_description", "StatementDescription");
        to.text(words, Rule::Words, &mut self.statement_description);
        to.text(name("statement_type_code", "StatementTypeCode"), Rule::Code, &mut self.statement_type_code);
    }
}

impl Class for Commodity {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(DESCRIPTION, Rule::Words, &mut self.description);
        to.list(CLASSIFICATION, &mut self.classification);
        to.list(name("duty_tax_fee", "DutyTaxFee"), &mut self.duty_tax_fee);
        to.class(MEASURE, &mut self.goods_measure);
        to.class(name("invoice_line", "InvoiceLine"), &mut self.invoice_line);
        to.classes(EQUIPMENT, Declaration::EQUIPMENT_MAX, &mut self.transport_equipment);
    }
}

impl Class for Classification {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(ID, Rule::Identifier, &mut self.id);
        let kind = name("identification_type_code", "IdentificationTypeCode");
        to.text(kind, Rule::Code, &mut self.identification_type_code);
    }
}

impl Class for DutyTaxFee {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("duty_regime_code", "DutyRegimeCode"), Rule::Code, &mut self.duty_regime_code);
        to.number(name("tax_rate_numeric", "TaxRateNumeric"), Measure::Plain, &mut self.tax_rate_numeric);
        to.text(TYPE_CODE, Rule::Code, &mut self.type_code);
        to.text(name("quota_order_id", "QuotaOrderID"), Rule::Identifier, &mut self.quota_order_id);
        to.class(name("payment", "Payment"), &mut self.payment);
    }
}

impl Class for Payment {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("method_code", "MethodCode"), Rule::Code, &mut self.method_code);
        to.money(TAX_ASSESSED, &mut self.tax_assessed_amount);
        to.money(name("payment_amount", "PaymentAmount"), &mut self.payment_amount);
    }
}

impl Class for GoodsMeasure {
    fn visit(&mut self, to: &mut impl Visit) {
        to.number(GROSS_MASS, Measure::Mass, &mut self.gross_mass_measure);
        to.number(NET_MASS, Measure::Mass, &mut self.net_net_weight_measure);
        to.number(name("tariff_quantity", "TariffQuantity"), Measure::Plain, &mut self.tariff_quantity);
    }
}

impl Class for InvoiceLine {
    fn visit(&mut self, to: &mut impl Visit) {
        to.money(ITEM_CHARGE, &mut self.item_charge_amount);
    }
}

impl Class for GovernmentProcedure {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(name("current_code", "CurrentCode"), Rule::Code, &mut self.current_code);
        to.text(name("previous_code", "PreviousCode"), Rule::Code, &mut self.previous_code);
    }
}

impl Class for Origin {
    fn visit(&mut self, to: &mut impl Visit) {
        to.text(COUNTRY, Rule::Country, &mut self.country_code);
        to.text(TYPE_CODE, Rule::Code, &mut self.type_code);
    }
}

impl Class for Packaging {
    fn visit(&mut self, to: &mut impl Visit) {
        to.sequence(SEQUENCE);
        to.text(MARKS, Rule::Identifier, &mut self.marks_numbers_id);
        let quantity = name("quantity_quantity", "QuantityQuantity");
        to.number(quantity, Measure::Plain, &mut self.quantity_quantity);
        to.text(name("type_code", "TypeCode"), Rule::Code, &mut self.type_code);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The visitor that writes one line of the guide's table for every attribute.
    #[derive(Default)]
    struct Guide {
        json: Vec<String>,
        dms: Vec<String>,
        lines: Vec<String>,
    }

    impl Guide {
        fn line(&mut self, name: Name, kind: &str) {
            let path = |above: &[String], own: &str| {
                above.iter().map(String::as_str).chain([own]).collect::<Vec<_>>().join("/")
            };
            let (json, dms) = (path(&self.json, name.json), path(&self.dms, name.dms));
            self.lines.push(format!("| `{json}` | `{dms}` | {kind} |"));
        }

        fn below(&mut self, name: Name, list: &str, class: &mut impl Class) {
            self.json.push(format!("{}{list}", name.json));
            self.dms.push(name.dms.to_owned());
            class.visit(self);
            self.json.pop();
            self.dms.pop();
        }
    }

    impl Visit for Guide {
        fn constant(&mut self, _: Name, _: &'static str) {}
        fn sequence(&mut self, _: Name) {}
        fn text(&mut self, name: Name, rule: Rule, _: &mut Option<String>) {
            self.line(
                name,
                match rule {
                    Rule::Code => "code",
                    Rule::Identifier => "identifier",
                    Rule::Words => "words",
                    Rule::Country => "country",
                },
            );
        }
        fn number(&mut self, name: Name, measure: Measure, _: &mut Option<Decimal>) {
            self.line(name, if measure == Measure::Mass { "kilograms" } else { "number" });
        }
        fn count(&mut self, name: Name, _: &mut Option<u32>) {
            self.line(name, "whole number");
        }
        fn day(&mut self, name: Name, _: &mut Option<Date>) {
            self.line(name, "day");
        }
        fn money(&mut self, name: Name, _: &mut Option<Money>) {
            self.line(name, "amount");
        }
        fn class<T: Class>(&mut self, name: Name, slot: &mut T) {
            // Nine parties have the same attributes: told once.
            let mut party = Self::default();
            slot.visit(&mut party);
            let is_party = party.lines.iter().any(|line| line.starts_with("| `address/"));
            if is_party { self.line(name, "party") } else { self.below(name, "", slot) }
        }
        fn classes<T: Class>(&mut self, name: Name, _: usize, _: &mut Vec<T>) {
            if name == ITEM {
                self.line(name, "list of goods items");
            } else {
                self.below(name, "[]", &mut T::default());
            }
        }
    }

    fn table(class: &mut impl Class) -> String {
        let mut guide = Guide::default();
        class.visit(&mut guide);
        guide.lines.join("\n")
    }

    #[test]
    fn the_guide_lists_every_attribute_under_both_names() {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/declarations.md");
        let guide = fs::read_to_string(guide).unwrap();
        let tables = [
            table(&mut Declaration::default()),
            table(&mut GovernmentAgencyGoodsItem::default()),
            table(&mut Party::default()),
        ];
        for table in tables {
            assert!(guide.contains(&table), "docs/declarations.md should hold this table:\n{table}\n");
        }
    }
}
