//! Made-up names, addresses and telephone numbers: `names.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::draw::{Draw, Name};
use crate::error::CountryError;
use crate::parameters::Mode;

const FILE: &str = "names.toml";
const TEXT: &str = include_str!("../names.toml");

/// `names.toml`; that file says what each list is for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    first: Vec<Name>,
    second: Vec<Name>,
    general: Vec<Name>,
    general_share: f64,
    trades: Vec<Trade>,
    broker: Vec<Name>,
    carrier: BTreeMap<Mode, Vec<Name>>,
    form: Vec<Name>,
    abroad: Vec<Name>,
    street: Vec<Name>,
    town: Vec<Name>,
    centre: Name,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trade {
    chapters: [u8; 2],
    words: Vec<Name>,
}

impl Names {
    pub(crate) fn built_in() -> Result<Self, CountryError> {
        let refuse = |reason: String| CountryError::Parameters { file: FILE, reason };
        let names: Self = toml::from_str(TEXT).map_err(|error| refuse(error.message().to_owned()))?;
        for mode in Mode::ALL {
            if names.carrier.get(&mode).is_none_or(Vec::is_empty) {
                return Err(refuse(format!("no words for carriers of mode of transport {}", mode.code())));
            }
        }
        Ok(names)
    }

    fn stem(&self, draw: &mut Draw) -> String {
        format!("{}{}", word(draw, &self.first), word(draw, &self.second))
    }

    /// An enterprise of the country that deals in goods of this chapter.
    pub(crate) fn importer(&self, draw: &mut Draw, chapter: &str) -> Name {
        let chapter: u8 = chapter.parse().unwrap_or(0);
        let general = draw.chance(self.general_share);
        let of_trade = self.trades.iter().find(|trade| {
            let [from, to] = trade.chapters;
            (from..=to).contains(&chapter)
        });
        let words = of_trade.filter(|_| !general).map_or(&self.general, |trade| &trade.words);
        self.enterprise(draw, words)
    }

    pub(crate) fn broker(&self, draw: &mut Draw) -> Name {
        self.enterprise(draw, &self.broker)
    }

    pub(crate) fn exporter(&self, draw: &mut Draw) -> Name {
        self.enterprise(draw, &self.abroad)
    }

    pub(crate) fn carrier(&self, draw: &mut Draw, mode: Mode) -> Name {
        let words = self.carrier.get(&mode).map_or(&[][..], Vec::as_slice);
        format!("{} {}", self.stem(draw), word(draw, words)).into()
    }

    fn enterprise(&self, draw: &mut Draw, words: &[Name]) -> Name {
        format!("{} {} {}", self.stem(draw), word(draw, words), word(draw, &self.form)).into()
    }

    /// An address in the country; the first towns have the most.
    pub(crate) fn address(&self, draw: &mut Draw) -> Name {
        let most = u32::try_from(self.town.len()).unwrap_or(u32::MAX);
        let bound = draw.below(most).saturating_add(1);
        let town = usize::try_from(draw.below(bound)).ok().and_then(|at| self.town.get(at));
        let (number, street) = (draw.below(240).saturating_add(1), word(draw, &self.street));
        format!("{number} {street}, {}", town.map_or("", AsRef::as_ref)).into()
    }

    /// The address of a business centre.
    pub(crate) fn centre(&self, draw: &mut Draw) -> Name {
        format!("{} {}, {}", self.stem(draw), self.centre, self.address(draw)).into()
    }

    /// An address in another country.
    pub(crate) fn address_abroad(&self, draw: &mut Draw, country: &str) -> Name {
        let (number, street) = (draw.below(900).saturating_add(1), word(draw, &self.street));
        format!("{number} {street}, {} ({country})", self.stem(draw)).into()
    }

    /// A telephone number under the country code 999, which is nobody's.
    pub(crate) fn phone(&self, draw: &mut Draw) -> Name {
        let (area, first, second) = (draw.below(8).saturating_add(2), draw.below(1_000), draw.below(10_000));
        format!("+999 {area}0 {first:03} {second:04}").into()
    }
}

fn word<'a>(draw: &mut Draw, words: &'a [Name]) -> &'a str {
    draw.one_of(words).map_or("", AsRef::as_ref)
}
