//! The table of what is traded: `commodities.toml`, checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use spine::identifier::HsCode;

use crate::draw::Name;
use crate::error::CountryError;

const FILE: &str = "commodities.toml";
const TEXT: &str = include_str!("../commodities.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    goods: Vec<RawGoods>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGoods {
    code: String,
    words: Vec<Name>,
    price: f64,
    #[serde(default = "usual_spread")]
    spread: f64,
    mass: f64,
    piece: Option<f64>,
    package: f64,
    #[serde(default = "usual_tare")]
    tare: f64,
    duty: f64,
    from: String,
    twin: Option<String>,
    #[serde(default)]
    peak: Vec<i8>,
    by: Option<Carriage>,
}

fn usual_spread() -> f64 {
    0.18
}

fn usual_tare() -> f64 {
    0.08
}

/// How goods travel, where the country of origin does not decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carriage {
    /// Flown in.
    Air,
    /// By sea, without containers.
    Bulk,
}

/// One line of the table; `commodities.toml` says what each number means.
#[derive(Debug)]
pub(crate) struct Goods {
    pub(crate) code: Name,
    pub(crate) words: Vec<Name>,
    pub(crate) price: f64,
    pub(crate) spread: f64,
    pub(crate) mass: f64,
    pub(crate) piece: Option<f64>,
    pub(crate) package: f64,
    pub(crate) tare: f64,
    pub(crate) duty: f64,
    pub(crate) from: Vec<Name>,
    pub(crate) twin: Option<Name>,
    pub(crate) peak: Vec<i8>,
    pub(crate) by: Option<Carriage>,
}

impl Goods {
    /// HS chapter.
    pub(crate) fn chapter(&self) -> &str {
        self.code.get(..2).unwrap_or_default()
    }
}

/// All goods by code.
pub(crate) type GoodsTable = BTreeMap<Name, Arc<Goods>>;

/// Reads and checks the table.
pub(crate) fn goods_table() -> Result<GoodsTable, CountryError> {
    let refuse = |reason: String| CountryError::Parameters { file: FILE, reason };
    let table: Table = toml::from_str(TEXT).map_err(|error| refuse(error.message().to_owned()))?;
    let mut all = GoodsTable::new();
    for raw in table.goods {
        let code = HsCode::new(&raw.code).map_err(|error| refuse(error.to_string()))?;
        let goods = Goods {
            code: code.as_str().into(),
            words: raw.words,
            price: raw.price,
            spread: raw.spread,
            mass: raw.mass,
            piece: raw.piece,
            package: raw.package,
            tare: raw.tare,
            duty: raw.duty,
            from: raw.from.split_whitespace().map(Name::from).collect(),
            twin: raw.twin.map(Name::from),
            peak: raw.peak,
            by: raw.by,
        };
        if goods.words.is_empty() || goods.from.is_empty() {
            return Err(refuse(format!("{code} needs words and a country of origin")));
        }
        if all.insert(Arc::clone(&goods.code), Arc::new(goods)).is_some() {
            return Err(refuse(format!("{code} stands there twice")));
        }
    }
    for goods in all.values() {
        let Some(twin) = &goods.twin else { continue };
        if all.get(twin).is_none_or(|twin| twin.duty >= goods.duty) {
            return Err(refuse(format!(
                "{twin}, twin of {}, must be in the table with less duty",
                goods.code
            )));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_wide_and_every_code_is_a_subheading() {
        let table = goods_table().unwrap();
        assert!(table.len() >= 120, "{}", table.len());
        assert!(table.values().filter(|goods| goods.twin.is_some()).count() >= 30);
        assert!(table.values().all(|goods| goods.code.len() == 6 && goods.chapter() <= "97"));
        assert!(table.values().all(|goods| goods.price > 0.0 && goods.mass > 0.0 && goods.package > 0.0));
    }
}
