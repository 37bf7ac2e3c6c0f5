//! Declarations without end of a little country: few large traders and many small ones, each with goods and sellers of
//! its own, now and then something new. The same seed gives the same declarations.

use jiff::civil::{DateTime, date};
use rust_decimal::Decimal;
use spine::{EntrySchema, Value, declaration_entry};

/// One entry: a value a field, in the schema's order.
pub(crate) type Entry = Vec<Option<Value>>;

/// A country.
pub(crate) struct LittleCountry {
    random: u64,
    number: u64,
    /// Declarations a day.
    per_day: u64,
    /// Importers; there are half as many sellers.
    importers: u64,
}

pub(crate) const GOODS: [(&str, &str, i64); 24] = [
    ("6109100010", "T-shirts of cotton, knitted", 12),
    ("6109909090", "T-shirts of man-made fibres", 12),
    ("6203420000", "Men's trousers of cotton", 12),
    ("6404110000", "Sports footwear", 17),
    ("8471300000", "Portable computers", 0),
    ("8517130000", "Smartphones", 0),
    ("8542310000", "Processors and controllers", 0),
    ("8703231000", "Motor cars, used", 10),
    ("8708299000", "Parts", 4),
    ("8482100000", "Ball bearings", 8),
    ("3004900000", "Medicaments in doses", 0),
    ("3926909700", "Articles of plastics", 6),
    ("9503007500", "Toys", 0),
    ("9403609000", "Wooden furniture", 0),
    ("4407220000", "Sawn wood of virola", 0),
    ("2208300000", "Whisky", 30),
    ("2402209000", "Cigarettes", 57),
    ("0207140000", "Frozen cuts of fowl", 15),
    ("0805100000", "Oranges, fresh", 16),
    ("1006300000", "Rice", 8),
    ("7207110000", "Semi-finished iron", 0),
    ("2710124500", "Motor spirit", 4),
    ("7113190000", "Jewellery of gold", 2),
    ("8507600000", "Lithium-ion batteries", 2),
];
pub(crate) const COUNTRIES: [&str; 12] =
    ["CN", "VN", "DE", "US", "TR", "IN", "BD", "JP", "AE", "HK", "GH", "CH"];

impl LittleCountry {
    /// A country with so many declarations a day and so many importers.
    pub(crate) fn new(seed: u64, per_day: u64, importers: u64) -> Self {
        Self { random: seed, number: 0, per_day: per_day.max(1), importers: importers.max(2) }
    }

    /// A number below `bound` (G. L. Steele and others, "Fast splittable pseudorandom number generators", 2014).
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// A number below `bound`; small ones are far more frequent.
    fn skewed(&mut self, bound: u64) -> u64 {
        let limit = self.below(bound).saturating_add(1);
        let limit = self.below(limit).saturating_add(1);
        self.below(limit)
    }

    /// The goods items of the next declaration.
    pub(crate) fn declaration(&mut self) -> Vec<Entry> {
        let schema = declaration_entry::schema();
        let day = i64::try_from(self.number / self.per_day).unwrap_or(i64::MAX);
        self.number = self.number.saturating_add(1);
        let importers = self.importers;
        let importer = self.skewed(importers);
        let strange = self.below(20) == 0;
        let own =
            |salt: u64, choice: u64| importer.wrapping_mul(31).wrapping_add(salt).wrapping_add(choice * 7);
        let (seller, choice) = (self.below(importers / 2), self.skewed(4));
        let seller = if strange { seller } else { own(3, choice) % (importers / 2) };
        let declarant = if self.below(15) == 0 { self.below(40) } else { importer % 40 };
        let date =
            date(2023, 1, 1).checked_add(jiff::SignedDuration::from_hours(24 * day)).unwrap_or_default();
        let hour = i8::try_from(self.below(24)).unwrap_or_default();
        let minute = i8::try_from(self.below(60)).unwrap_or_default();
        let text = |prefix: &str, number: u64| Some(Value::Text(format!("{prefix}{number}")));
        let head = [
            ("declaration_id", text("D", self.number)),
            ("date", Some(Value::Date(date))),
            (
                "accepted_at",
                Some(Value::DateTime(DateTime::from_parts(date, jiff::civil::time(hour, minute, 0, 0)))),
            ),
            ("office_id", text("", if self.below(12) == 0 { self.below(9) } else { importer % 9 })),
            ("procedure_code", pick(&["4000", "4000", "5100", "5300"], self.below(4))),
            ("import_use", pick(&["1", "2", "3"], importer)),
            ("payment_type", pick(&["A", "B", "C"], if strange { self.below(3) } else { importer })),
            ("transport_mode", pick(&["1", "1", "3", "4", "5"], own(1, self.below(2)))),
            ("declarant_id", text("B", declarant)),
            ("importer_id", text("I", importer)),
            ("exporter_id", (self.below(25) > 0).then(|| Value::Text(format!("S{seller}")))),
            ("carrier_id", text("C", importer % 17)),
            ("currency", pick(&["EUR", "USD", "CNY"], seller)),
            ("trusted_trader", (importer % 5 != 4).then_some(Value::Boolean(importer.is_multiple_of(7)))),
        ];
        let items = [1, 1, 1, 2, 2, 3].get(usize::try_from(self.below(6)).unwrap_or_default()).copied();
        (0..items.unwrap_or(1))
            .map(|number| self.item(&schema, &head, (importer, seller, strange), number))
            .collect()
    }

    fn item(
        &mut self,
        schema: &EntrySchema,
        head: &[(&str, Option<Value>)],
        (importer, seller, strange): (u64, u64, bool),
        number: u64,
    ) -> Entry {
        let choice = self.skewed(5);
        let goods = if strange { self.below(24) } else { (importer.wrapping_mul(13) + choice * 5) % 24 };
        let (code, words, rate) =
            usize::try_from(goods).ok().and_then(|at| GOODS.get(at)).copied().unwrap_or(("", "", 0));
        let origin = if strange { self.below(12) } else { seller % 9 };
        let mass = self.below(900) + 20;
        let price = 3 + goods * 2 + self.below(5) + if strange { self.below(60) } else { 0 };
        let cents = i64::try_from(mass * price * 100 + self.below(100)).unwrap_or_default();
        let value =
            if self.below(8) == 0 { Decimal::from(cents / 100_000 * 1_000) } else { Decimal::new(cents, 2) };
        let whole = |number: u64| Some(Value::Decimal(number.into()));
        let container = seller % 3 != 0 && self.below(6) > 0;
        let voyage = self.below(300);
        let own = [
            ("item_number", whole(number + 1)),
            ("commodity_code", Some(Value::Text(code.to_owned()))),
            ("goods_description", (self.below(9) > 0).then(|| Value::Text(words.to_owned()))),
            ("origin_country", pick(&COUNTRIES, origin)),
            ("departure_country", pick(&COUNTRIES, if self.below(7) == 0 { self.below(12) } else { origin })),
            ("preference_code", (origin % 4 == 1).then(|| Value::Text("300".to_owned()))),
            ("tax_rate", Some(Value::Decimal(if strange { 0.into() } else { rate.into() }))),
            ("tax_type", pick(&["A00", "A00", "B00"], goods)),
            ("net_mass", if self.below(30) == 0 { None } else { whole(mass) }),
            ("gross_mass", whole(mass + mass / 9 + self.below(9))),
            ("quantity", whole(mass / 2 + self.below(3))),
            ("packages", whole(mass / 25)),
            ("customs_value", Some(Value::Decimal(value))),
            ("container_id", container.then(|| Value::Text(format!("CSQU{:07}", 3_054_000 + voyage)))),
        ];
        let given = |name: &str| {
            head.iter().chain(&own).find(|(field, _)| *field == name).and_then(|(_, value)| value.clone())
        };
        schema.fields.iter().map(|field| given(&field.name)).collect()
    }
}

fn pick(values: &[&str], number: u64) -> Option<Value> {
    let at = usize::try_from(number).ok()?.checked_rem(values.len())?;
    values.get(at).map(|text| Value::Text((*text).to_owned()))
}
