//! How fast rules over entries are: `cargo run --release -p rules --example rules_bench [ROWS]`.
#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use jiff::civil::date;
use rules::{Lists, compile_entry_rule, parse};
use rust_decimal::Decimal;
use spine::declaration_entry::schema;
use spine::{EntryTable, FieldType, Value};

/// One rule of each kind that tags are made of.
const RULES: [&str; 12] = [
    "trusted_trader",
    "origin_country == \"C1\"",
    "hs_heading(commodity_code) in [\"1001\", \"2002\"]",
    "goods_description.matches(r\"^goods 1\\d*3$\")",
    "origin_country != departure_country",
    "customs_value > 5000",
    "customs_value / net_mass < 2",
    "gross_mass - net_mass > 0.2 * gross_mass",
    "date.getDayOfWeek() in [0, 6]",
    "days_between(date, date(\"2026-12-31\")) < 30",
    "origin_country == \"C1\" && customs_value / net_mass < 2 && gross_mass < net_mass * 1.01",
    "has(container_id) && !is_container_number(container_id)",
];

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let table = table(rows)?;
    println!("{rows} rows; nanoseconds a row");
    for source in RULES {
        let expression = parse(source).map_err(|error| error.render(source))?;
        let rule = compile_entry_rule(&expression, &schema(), &Lists::default())
            .map_err(|errors| format!("{errors:?}"))?;
        let start = Instant::now();
        let truths = rule.evaluate(&table, 0..rows);
        let nanoseconds = start.elapsed().as_nanos().checked_div(u128::try_from(rows)?).unwrap_or_default();
        println!("{nanoseconds:>6}  {:>8} true  {source}", truths.true_count());
    }
    Ok(())
}

/// Entries whose values repeat with different periods; every seventh value is absent.
fn table(rows: usize) -> Result<EntryTable, Box<dyn Error>> {
    let schema = schema();
    let mut table = EntryTable::empty(Arc::clone(&schema));
    for row in 0..rows {
        let mut values = Vec::with_capacity(schema.fields.len());
        for (at, field) in schema.fields.iter().enumerate() {
            let mixed = row.wrapping_mul(2_654_435_761).wrapping_add(at.wrapping_mul(97)) >> 3;
            let small = i64::try_from(mixed % 9_973)?;
            values.push(match (field.field_type, field.name.as_str()) {
                _ if mixed % 7 == 0 => None,
                (FieldType::Text, "goods_description") => Some(Value::Text(format!("goods {small}"))),
                (FieldType::Text, "commodity_code") => {
                    Some(Value::Text(format!("{:06}", 100_000 + small * 50)))
                }
                (FieldType::Text, _) => Some(Value::Text(format!("C{}", small % 200))),
                (FieldType::Decimal, _) => Some(Value::Decimal(Decimal::new(small, 2))),
                (FieldType::Date, _) => {
                    Some(Value::Date(date(2026, 1, 1).checked_add(jiff::Span::new().days(small % 365))?))
                }
                (FieldType::DateTime, _) => Some(Value::DateTime(date(2026, 1, 1).at(8, 0, 0, 0))),
                (FieldType::Boolean, _) => Some(Value::Boolean(small % 2 == 0)),
            });
        }
        table.push(values)?;
    }
    Ok(table)
}
