//! The table of what is traded: the files of `commodities/`, checked; and lists of codes that others publish, which take
//! its place.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use spine::declaration::Declaration;
use spine::identifier::HsCode;

use crate::draw::Name;
use crate::error::CountryError;
use crate::parameters::Parameters;

/// More codes than this are refused: the Harmonized System has 5,600, the longest national tariffs about 20,000.
pub const CODES_MAX: usize = 50_000;

const FILES: [(&str, &str); 15] = [
    ("commodities/animals.toml", include_str!("../commodities/animals.toml")),
    ("commodities/vegetables.toml", include_str!("../commodities/vegetables.toml")),
    ("commodities/foods.toml", include_str!("../commodities/foods.toml")),
    ("commodities/minerals.toml", include_str!("../commodities/minerals.toml")),
    ("commodities/chemicals.toml", include_str!("../commodities/chemicals.toml")),
    ("commodities/plastics.toml", include_str!("../commodities/plastics.toml")),
    ("commodities/wood-paper.toml", include_str!("../commodities/wood-paper.toml")),
    ("commodities/textiles.toml", include_str!("../commodities/textiles.toml")),
    ("commodities/clothing.toml", include_str!("../commodities/clothing.toml")),
    ("commodities/stone-glass.toml", include_str!("../commodities/stone-glass.toml")),
    ("commodities/metals.toml", include_str!("../commodities/metals.toml")),
    ("commodities/machines.toml", include_str!("../commodities/machines.toml")),
    ("commodities/electrical.toml", include_str!("../commodities/electrical.toml")),
    ("commodities/vehicles.toml", include_str!("../commodities/vehicles.toml")),
    ("commodities/instruments.toml", include_str!("../commodities/instruments.toml")),
];

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

/// One line of the table; `commodities/README.md` says what each number means.
#[derive(Debug, Clone)]
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
pub(crate) fn goods_table(parameters: &Parameters) -> Result<GoodsTable, CountryError> {
    let mut all = GoodsTable::new();
    for (file, text) in FILES {
        let refuse = |reason: String| CountryError::Parameters { file, reason };
        let table: Table = toml::from_str(text).map_err(|error| refuse(error.message().to_owned()))?;
        for raw in table.goods {
            let goods = goods(raw, parameters).map_err(refuse)?;
            if let Some(twice) = all.insert(Arc::clone(&goods.code), Arc::new(goods)) {
                return Err(refuse(format!("{} stands in the table twice", twice.code)));
            }
        }
    }
    for goods in all.values() {
        let Some(twin) = &goods.twin else { continue };
        if all.get(twin).is_none_or(|twin| twin.duty >= goods.duty) {
            let reason = format!("{twin}, twin of {}, must be in the table with less duty", goods.code);
            return Err(CountryError::Parameters { file: "commodities", reason });
        }
    }
    Ok(all)
}

fn goods(raw: RawGoods, parameters: &Parameters) -> Result<Goods, String> {
    let code = HsCode::new(&raw.code).map_err(|error| error.to_string())?;
    let from: Vec<Name> = raw.from.split_whitespace().map(Name::from).collect();
    if raw.words.is_empty() || from.is_empty() {
        return Err(format!("{code} needs words and a country of origin"));
    }
    if let Some(unknown) = from.iter().find(|country| parameters.origin(country).is_none()) {
        return Err(format!("{code} comes from {unknown}, which is no [[origin]] of world.toml"));
    }
    Ok(Goods {
        code: code.as_str().into(),
        words: raw.words,
        price: raw.price,
        spread: raw.spread,
        mass: raw.mass,
        piece: raw.piece,
        package: raw.package,
        tare: raw.tare,
        duty: raw.duty,
        from,
        twin: raw.twin.map(Name::from),
        peak: raw.peak,
        by: raw.by,
    })
}

/// The table of another list of codes with their texts. Prices, masses, duties and origins are those of the same
/// subheading in ours, or else of the nearest in the same heading, or else of the nearest in the same chapter; codes of
/// chapters that ours lacks are left out.
pub(crate) fn table_of_codes(
    codes: &[(String, String)],
    ours: &GoodsTable,
) -> Result<GoodsTable, CountryError> {
    if codes.len() > CODES_MAX {
        return Err(CountryError::Codes(format!("{} codes are more than {CODES_MAX}", codes.len())));
    }
    let mut all = BTreeMap::new();
    for (code, text) in codes {
        let code = HsCode::new(code).map_err(|error| CountryError::Codes(error.to_string()))?;
        let words: String = text.trim().chars().take(Declaration::TEXT_CHARACTERS_MAX).collect();
        let subheading = code
            .subheading()
            .filter(|_| !words.is_empty())
            .ok_or_else(|| CountryError::Codes(format!("{code} needs six digits or more, and words")))?;
        if let Some(model) = nearest(subheading, ours) {
            let code = Name::from(code.as_str());
            let own = Goods { code: Arc::clone(&code), words: vec![words.into()], ..Goods::clone(model) };
            all.insert(code, own);
        }
    }
    let known: Vec<Name> = all.keys().cloned().collect();
    for goods in all.values_mut() {
        // A twin of ours has less duty, and so have all codes under it.
        goods.twin = goods.twin.take().and_then(|twin| {
            let at = known.partition_point(|code| *code < twin);
            known.get(at).filter(|code| code.starts_with(&*twin) && **code != goods.code).cloned()
        });
    }
    if all.is_empty() {
        return Err(CountryError::Codes("none of the codes is of a chapter that is traded".to_owned()));
    }
    Ok(all.into_iter().map(|(code, goods)| (code, Arc::new(goods))).collect())
}

fn nearest<'a>(subheading: &str, ours: &'a GoodsTable) -> Option<&'a Goods> {
    let number = |code: &str| code.parse::<u32>().unwrap_or(0);
    let same = |code: &str, digits: usize| code.get(..digits) == subheading.get(..digits);
    ours.values()
        .filter(|goods| same(&goods.code, 2))
        .min_by_key(|goods| (Reverse(same(&goods.code, 4)), number(&goods.code).abs_diff(number(subheading))))
        .map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ours() -> GoodsTable {
        goods_table(&Parameters::built_in().unwrap()).unwrap()
    }

    #[test]
    fn the_table_is_wide_and_every_code_is_a_subheading() {
        let table = ours();
        let count = |digits: usize| {
            table.keys().map(|code| code.get(..digits).unwrap()).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(count(2), 96, "all chapters of the Harmonized System");
        assert!(count(4) >= 300 && table.len() >= 600, "{} headings, {} codes", count(4), table.len());
        assert!(table.values().filter(|goods| goods.twin.is_some()).count() >= 80);
        assert!(table.values().all(|goods| goods.code.len() == 6 && goods.chapter() <= "97"));
        assert!(table.values().all(|goods| goods.price > 0.0 && goods.mass > 0.0 && goods.package > 0.0));
        assert!(table.values().flat_map(|goods| &goods.peak).all(|month| (1..=12).contains(month)));
        assert!(
            table.values().all(|goods| goods.piece.is_none_or(|piece| piece <= goods.mass)),
            "a consignment holds a piece at least"
        );
    }

    #[test]
    fn other_codes_are_traded_like_the_nearest_of_ours() {
        let ours = ours();
        let check = |code: &str, model: &str, twin: Option<&str>| {
            let listed =
                [code, "6309000010", "0101290000"].map(|code| (code.to_owned(), "a text".to_owned()));
            let table = table_of_codes(&listed, &ours).unwrap();
            let (own, model) = (&table[code], &ours[model]);
            assert_eq!((own.price, own.duty, own.mass), (model.price, model.duty, model.mass), "{code}");
            assert_eq!((own.words.len(), &*own.words[0], own.twin.as_deref()), (1, "a text", twin), "{code}");
        };
        check("610910", "610910", Some("6309000010"));
        check("6109109000", "610910", Some("6309000010"));
        check("610990", "610910", Some("6309000010"));
        check("611030", "611020", Some("6309000010"));
        check("61130000", "611120", Some("6309000010"));
        check("847141", "847130", None);
    }

    #[test]
    fn lists_of_codes_that_nobody_could_trade_in_are_refused() {
        for codes in [
            vec![("6109", "too short")],
            vec![("610910", "  ")],
            vec![("61O910", "a letter")],
            vec![("990000", "no chapter of ours")],
            Vec::new(),
            vec![("610910", "too many"); CODES_MAX + 1],
        ] {
            let owned: Vec<_> = codes.iter().map(|(code, text)| ((*code).into(), (*text).into())).collect();
            assert_eq!(
                table_of_codes(&owned, &ours()).unwrap_err().code(),
                "country_codes",
                "{:?}",
                codes.first()
            );
        }
    }
}
