//! A declaration as entries of [`crate::declaration_entry`], one a goods item, and entries as a declaration.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{
    AdditionalInformation, Classification, Declaration, DutyTaxFee, GovernmentAgencyGoodsItem,
    GovernmentProcedure, Origin, Packaging, Party, TransportEquipment, statement,
};
use crate::entry::Value;
use crate::quantity::{CurrencyCode, Money};

/// What an entry says beside what was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryContext {
    /// Number that customs gave the declaration.
    pub declaration_id: String,
    /// When customs accepted it, local time.
    pub accepted_at: DateTime,
    /// Is the importer an authorised economic operator? `None`: not known.
    pub trusted_trader: Option<bool>,
    /// Was the record made up?
    pub simulated: bool,
}

/// An entry whose values are found by the names of [`crate::declaration_entry`].
pub trait EntryFields {
    /// The value of a field; `None` where the entry lacks it.
    fn field(&self, name: &str) -> Option<&Value>;
}

impl<K: Borrow<str> + Ord> EntryFields for BTreeMap<K, Value> {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

impl<T: EntryFields> EntryFields for &T {
    fn field(&self, name: &str) -> Option<&Value> {
        (*self).field(name)
    }
}

fn text(text: impl Into<String>) -> Option<Value> {
    Some(Value::Text(text.into()))
}

fn borrowed(of: Option<&str>) -> Option<Value> {
    of.map(|of| Value::Text(of.to_owned()))
}

fn number(number: Option<Decimal>) -> Option<Value> {
    number.map(Value::Decimal)
}

impl Declaration {
    /// One row a goods item, its values in the order of [`crate::declaration_entry::schema`]. Nothing is apportioned:
    /// what is not declared is absent. What will become of the declaration is absent too.
    #[must_use]
    pub fn rows(&self, context: &EntryContext) -> Vec<Vec<Option<Value>>> {
        self.items().iter().zip(1..).map(|(item, position)| self.row(item, position, context)).collect()
    }

    fn row(
        &self,
        item: &GovernmentAgencyGoodsItem,
        position: u32,
        context: &EntryContext,
    ) -> Vec<Option<Value>> {
        let shipment = &self.goods_shipment;
        let commodity = &item.commodity;
        let measure = &commodity.goods_measure;
        let value = item.value();
        let duty = |read: fn(&DutyTaxFee) -> Option<&str>| commodity.duty_tax_fee.iter().find_map(read);
        let equipment = commodity.transport_equipment.iter().chain(&shipment.consignment.transport_equipment);
        vec![
            text(&*context.declaration_id),
            number(Some(item.sequence_numeric.unwrap_or(position).into())),
            Some(Value::Date(context.accepted_at.date())),
            Some(Value::DateTime(context.accepted_at)),
            borrowed(self.office_id()),
            item.procedure_code().and_then(text),
            borrowed(self.statement(statement::PROCESS_TYPE)),
            borrowed(self.statement(statement::IMPORT_USE)),
            borrowed(duty(|duty| duty.payment.method_code.as_deref())),
            borrowed(self.border_transport_means.mode_code.as_deref()),
            borrowed(self.declarant.id.as_deref()),
            borrowed(shipment.importer.id.as_deref()),
            borrowed(self.exporter.id.as_deref().or(shipment.seller.id.as_deref())),
            borrowed(self.consignment.carrier.id.as_deref()),
            commodity.code().and_then(text),
            borrowed(commodity.description.as_deref()),
            borrowed(item.export_country.as_deref().or(shipment.export_country.as_deref())),
            borrowed(item.origin.iter().find_map(|origin| origin.country_code.as_deref())),
            borrowed(item.statement(statement::ORIGIN_MARKING)),
            borrowed(duty(|duty| duty.duty_regime_code.as_deref())),
            number(commodity.duty_tax_fee.iter().find_map(|duty| duty.tax_rate_numeric)),
            borrowed(duty(|duty| duty.type_code.as_deref())),
            number(measure.net_net_weight_measure),
            number(measure.gross_mass_measure),
            number(measure.tariff_quantity),
            number(item.packages()),
            number(value.map(|value| value.amount)),
            value.and_then(|value| text(value.currency.code())),
            borrowed(equipment.into_iter().find_map(|equipment| equipment.id.as_deref())),
            context.trusted_trader.map(Value::Boolean),
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            Some(Value::Boolean(context.simulated)),
        ]
    }

    /// The declaration that makes these entries, all of one declaration: what they say about the whole is taken from
    /// the first. A value without a currency is left out, and so is everything that only customs knows: number, time
    /// of acceptance, outcome. [`Self::rows`] gives the same entries again.
    #[must_use]
    pub fn from_rows<R: EntryFields>(functional_reference_id: &str, rows: &[R]) -> Self {
        let mut declaration = Self {
            functional_reference_id: Some(functional_reference_id.to_owned()),
            goods_item_quantity: u32::try_from(rows.len()).ok(),
            ..Self::default()
        };
        let Some(first) = rows.first() else { return declaration };
        declaration.type_code = Some(type_code(first).to_owned());
        declaration.declaration_office_id = text_of(first, "office_id");
        declaration.declarant = party(first, "declarant_id");
        declaration.exporter = party(first, "exporter_id");
        declaration.consignment.carrier = party(first, "carrier_id");
        declaration.border_transport_means.mode_code = text_of(first, "transport_mode");
        declaration.additional_information = [
            (statement::PROCESS_TYPE, text_of(first, "process_type")),
            (statement::IMPORT_USE, text_of(first, "import_use")),
        ]
        .into_iter()
        .filter_map(|(code, value)| value.map(|value| stating(code, value)))
        .collect();
        let shipment = &mut declaration.goods_shipment;
        shipment.importer = party(first, "importer_id");
        let whole = |field: &str| {
            let value = text_of(first, field)?;
            rows.iter().all(|row| is_text(row, field, &value)).then_some(value)
        };
        shipment.export_country = whole("departure_country");
        let container = whole("container_id");
        let one_container = container.is_some();
        shipment.consignment.transport_equipment = container.map(equipment).into_iter().collect();
        shipment.government_agency_goods_item = rows.iter().zip(1..).map(item).collect();
        for item in &mut shipment.government_agency_goods_item {
            if shipment.export_country.is_some() {
                item.export_country = None;
            }
            if one_container {
                item.commodity.transport_equipment.clear();
            }
        }
        declaration
    }
}

/// `IMA` or, where the procedure is one of export (10 to 31), `EXA`.
fn type_code(row: &impl EntryFields) -> &'static str {
    let export = text_of(row, "procedure_code").is_some_and(|code| code.starts_with(['1', '2', '3']));
    if export { "EXA" } else { "IMA" }
}

fn item<R: EntryFields>((row, position): (&R, u32)) -> GovernmentAgencyGoodsItem {
    let mut item = GovernmentAgencyGoodsItem {
        sequence_numeric: Some(number_of(row, "item_number").and_then(|n| n.to_u32()).unwrap_or(position)),
        customs_value_amount: value(row),
        export_country: text_of(row, "departure_country"),
        government_procedure: text_of(row, "procedure_code").map(procedure).into_iter().collect(),
        ..GovernmentAgencyGoodsItem::default()
    };
    item.additional_information
        .extend(text_of(row, "origin_marking").map(|marking| stating(statement::ORIGIN_MARKING, marking)));
    item.origin.extend(
        text_of(row, "origin_country").map(|country| Origin { country_code: Some(country), type_code: None }),
    );
    item.packaging.extend(
        number_of(row, "packages")
            .map(|packages| Packaging { quantity_quantity: Some(packages), ..Packaging::default() }),
    );
    let commodity = &mut item.commodity;
    commodity.description = text_of(row, "goods_description");
    commodity.classification.extend(
        text_of(row, "commodity_code")
            .map(|code| Classification { id: Some(code), identification_type_code: Some("HS".to_owned()) }),
    );
    commodity.goods_measure.gross_mass_measure = number_of(row, "gross_mass");
    commodity.goods_measure.net_net_weight_measure = number_of(row, "net_mass");
    commodity.goods_measure.tariff_quantity = number_of(row, "quantity");
    commodity.transport_equipment = text_of(row, "container_id").map(equipment).into_iter().collect();
    let mut duty = DutyTaxFee {
        duty_regime_code: text_of(row, "preference_code"),
        tax_rate_numeric: number_of(row, "tax_rate"),
        type_code: text_of(row, "tax_type"),
        ..DutyTaxFee::default()
    };
    duty.payment.method_code = text_of(row, "payment_type");
    if duty != DutyTaxFee::default() {
        commodity.duty_tax_fee.push(duty);
    }
    item
}

/// Four characters are the procedure asked for and the one before.
fn procedure(code: String) -> GovernmentProcedure {
    match code.split_at_checked(2) {
        Some((current, previous)) if code.len() == 4 => GovernmentProcedure {
            current_code: Some(current.to_owned()),
            previous_code: Some(previous.to_owned()),
        },
        _ => GovernmentProcedure { current_code: Some(code), previous_code: None },
    }
}

fn value(row: &impl EntryFields) -> Option<Money> {
    let amount = number_of(row, "customs_value")?;
    let currency = CurrencyCode::new(&text_of(row, "currency")?).ok()?;
    Some(Money { amount, currency })
}

fn party(row: &impl EntryFields, field: &str) -> Party {
    Party { id: text_of(row, field), ..Party::default() }
}

fn equipment(id: String) -> TransportEquipment {
    TransportEquipment { id: Some(id), ..TransportEquipment::default() }
}

fn stating(code: &str, description: String) -> AdditionalInformation {
    AdditionalInformation {
        statement_code: Some(code.to_owned()),
        statement_description: Some(description),
        ..AdditionalInformation::default()
    }
}

fn text_of(row: &impl EntryFields, field: &str) -> Option<String> {
    match row.field(field) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn is_text(row: &impl EntryFields, field: &str, wanted: &str) -> bool {
    matches!(row.field(field), Some(Value::Text(text)) if text == wanted)
}

fn number_of(row: &impl EntryFields, field: &str) -> Option<Decimal> {
    match row.field(field) {
        Some(Value::Decimal(number)) => Some(*number),
        _ => None,
    }
}
