//! The schema of a declared goods item with what became of it: what the targeting audit runs on.
//!
//! Names follow the WCO Data Model's classes in snake_case. A source that lacks a field leaves it absent; absent is
//! unknown. Outcome fields are facts of the past and never inputs of a tag.

use std::sync::{Arc, LazyLock};

use crate::entry::{EntrySchema, FieldDefinition, FieldType};
use crate::sensitivity::Sensitivity;
use crate::text::LocalizedText;

/// Schema id.
pub const ID: &str = "declaration_item";

/// Fields that tell what became of a declaration. Tags and features must not read them.
pub const OUTCOME_FIELDS: [&str; 10] = [
    "inspected",
    "irregular",
    "outcome_code",
    "recovered_revenue",
    "lane",
    "selection_probability",
    "officer_id",
    "inspected_at",
    "released_at",
    "selection_reason",
];

type Row = (&'static str, FieldType, Option<&'static str>, Sensitivity, bool, &'static str, &'static str);

#[rustfmt::skip]
const FIELDS: &[Row] = {
    use FieldType::{Boolean, Date, DateTime, Decimal, Text};
    use Sensitivity::{Official, Party, Public, Restricted};
    &[
        ("declaration_id",        Text,     None,             Party,      true,  "Declaration",                "报关单号"),
        ("item_number",           Decimal,  None,             Party,      false, "Goods item number",          "商品项号"),
        ("date",                  Date,     None,             Party,      true,  "Date of acceptance",         "接受日期"),
        ("accepted_at",           DateTime, None,             Party,      false, "Time of acceptance",         "接受时间"),
        ("office_id",             Text,     None,             Party,      false, "Customs office",             "关区"),
        ("procedure_code",        Text,     None,             Party,      false, "Customs procedure",          "监管方式"),
        ("process_type",          Text,     None,             Party,      false, "Clearance process",          "通关方式"),
        ("import_use",            Text,     None,             Party,      false, "Use of the goods",           "用途"),
        ("payment_type",          Text,     None,             Party,      false, "Method of payment",          "付款方式"),
        ("transport_mode",        Text,     None,             Party,      false, "Mode of transport",          "运输方式"),
        ("declarant_id",          Text,     None,             Party,      false, "Declarant",                  "申报单位"),
        ("importer_id",           Text,     None,             Party,      false, "Importer",                   "进口商"),
        ("exporter_id",           Text,     None,             Party,      false, "Exporter or seller",         "出口商"),
        ("carrier_id",            Text,     None,             Party,      false, "Carrier or courier",         "承运人"),
        ("commodity_code",        Text,     None,             Party,      false, "Commodity code (HS)",        "商品编码"),
        ("goods_description",     Text,     None,             Party,      false, "Goods description",          "商品名称"),
        ("departure_country",     Text,     None,             Party,      false, "Country of departure",       "启运国"),
        ("origin_country",        Text,     None,             Party,      false, "Country of origin",          "原产国"),
        ("origin_marking",        Text,     None,             Party,      false, "Origin marking",             "原产地标记"),
        ("preference_code",       Text,     None,             Party,      false, "Preference",                 "优惠"),
        ("tax_rate",              Decimal,  Some("percent"),  Party,      false, "Duty rate",                  "税率"),
        ("tax_type",              Text,     None,             Party,      false, "Duty type",                  "税种"),
        ("net_mass",              Decimal,  Some("kg"),       Party,      false, "Net mass",                   "净重"),
        ("gross_mass",            Decimal,  Some("kg"),       Party,      false, "Gross mass",                 "毛重"),
        ("quantity",              Decimal,  Some("units"),    Party,      false, "Supplementary quantity",     "数量"),
        ("packages",              Decimal,  Some("packages"), Party,      false, "Packages",                   "件数"),
        ("customs_value",         Decimal,  Some("currency"), Party,      false, "Customs value",              "完税价格"),
        ("currency",              Text,     None,             Party,      false, "Currency",                   "币制"),
        ("container_id",          Text,     None,             Party,      false, "Container",                  "集装箱号"),
        ("trusted_trader",        Boolean,  None,             Official,   false, "Authorised economic operator", "经认证的经营者"),
        ("selection_reason",      Text,     None,             Restricted, false, "Rule that selected it",      "布控规则"),
        ("lane",                  Text,     None,             Official,   false, "Lane",                       "通道"),
        ("selection_probability", Decimal,  Some("share"),    Restricted, false, "Probability of selection",   "抽中概率"),
        ("inspected",             Boolean,  None,             Official,   false, "Inspected",                  "是否查验"),
        ("officer_id",            Text,     None,             Restricted, false, "Officer",                    "查验关员"),
        ("inspected_at",          DateTime, None,             Official,   false, "Time of inspection",         "查验时间"),
        ("irregular",             Boolean,  None,             Official,   false, "Irregularity found",         "是否查获"),
        ("outcome_code",          Text,     None,             Official,   false, "Kind of irregularity",       "查获类型"),
        ("recovered_revenue",     Decimal,  Some("currency"), Official,   false, "Recovered revenue",          "追补税款"),
        ("released_at",           DateTime, None,             Official,   false, "Time of release",            "放行时间"),
        ("simulated",             Boolean,  None,             Public,     false, "Simulated record",           "模拟数据"),
    ]
};

/// The schema, shared.
#[must_use]
pub fn schema() -> Arc<EntrySchema> {
    static SCHEMA: LazyLock<Arc<EntrySchema>> = LazyLock::new(|| {
        let fields = FIELDS
            .iter()
            .map(|(name, field_type, unit, sensitivity, required, english, chinese)| FieldDefinition {
                name: (*name).to_owned(),
                field_type: *field_type,
                unit: unit.map(str::to_owned),
                sensitivity: *sensitivity,
                required: *required,
                title: LocalizedText::en_zh(english, chinese),
            })
            .collect();
        Arc::new(EntrySchema { id: ID.to_owned(), version: 1, fields })
    });
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_outcomes_are_fields_no_trader_sees() {
        let schema = schema();
        let names: BTreeSet<_> = schema.fields.iter().map(|field| &field.name).collect();
        assert_eq!(names.len(), schema.fields.len());
        for outcome in OUTCOME_FIELDS {
            assert!(schema.field(outcome).unwrap().sensitivity >= Sensitivity::Official, "{outcome}");
        }
    }
}
