//! Who lives in the country: offices with officers, declarants, exporters, importers with their hidden honesty.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::commodities::{Goods, GoodsTable};
use crate::draw::{Choices, Draw, Name, whole};
use crate::error::CountryError;
use crate::fraud::Scheme;
use crate::parameters::{Mode, Origin, Parameters};

/// An officer who inspects.
#[derive(Debug, Clone, PartialEq)]
pub struct Officer {
    /// `OF`, the office, and a number.
    pub id: Name,
    /// Where the officer works.
    pub office_id: Name,
    /// Chance to find what can be found, 0 to 1. Nobody in the country knows it.
    pub skill: f64,
}

/// A customs office.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) id: Name,
    pub(crate) mode: Mode,
    pub(crate) officers: Choices<Arc<Officer>>,
}

/// A broker who declares for importers.
#[derive(Debug)]
pub(crate) struct Declarant {
    pub(crate) id: Name,
    /// Does it help those who cheat?
    pub(crate) helps: bool,
    /// The officer who looks away for it.
    pub(crate) officer: Option<Arc<Officer>>,
}

/// A seller abroad.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) id: Name,
    pub(crate) origin: Arc<Origin>,
    /// Level of its prices.
    pub(crate) price: f64,
}

/// What an importer really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Honesty {
    Honest,
    Careless,
    Dishonest,
    Shell,
}

impl Honesty {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Careless => "careless",
            Self::Dishonest => "dishonest",
            Self::Shell => "shell",
        }
    }
}

/// Goods an importer buys of a seller.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) goods: Arc<Goods>,
    pub(crate) exporter: Arc<Exporter>,
}

/// An enterprise that imports.
#[derive(Debug)]
pub(crate) struct Importer {
    pub(crate) id: Name,
    pub(crate) honesty: Honesty,
    /// The scheme it turns to first.
    pub(crate) favourite: Option<Scheme>,
    pub(crate) lines: Vec<Line>,
    pub(crate) declarants: Choices<Arc<Declarant>>,
    pub(crate) offices: BTreeMap<Mode, Arc<Office>>,
    /// First day of trade, counted from the country's first day.
    pub(crate) first_day: i64,
    /// Last day of trade.
    pub(crate) last_day: i64,
    pub(crate) trusted: bool,
    pub(crate) own_use: bool,
}

/// Everybody.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) importers: Choices<Arc<Importer>>,
    pub(crate) declarants: Vec<Arc<Declarant>>,
    pub(crate) offices: Vec<Arc<Office>>,
}

/// People in the making.
struct Settlers<'a> {
    draw: Draw,
    parameters: &'a Parameters,
    goods: Vec<Arc<Goods>>,
    offices: BTreeMap<Mode, Choices<Arc<Office>>>,
    declarants: Vec<(f64, Arc<Declarant>)>,
    exporters: BTreeMap<(Name, Name), Vec<Arc<Exporter>>>,
    exporters_a_pool: u32,
    exporters_made: u32,
    importers_made: u32,
}

impl People {
    /// Settles the country for so many declarations.
    pub(crate) fn settle(
        parameters: &Parameters,
        table: &GoodsTable,
        seed: u64,
        declarations: u64,
    ) -> Result<Self, CountryError> {
        let refuse = |what: &str| CountryError::Parameters {
            file: "world.toml",
            reason: format!("these parameters leave the country without {what}"),
        };
        let mut draw = Draw::new(seed, 0);
        let offices = offices(parameters, &mut draw);
        let by_mode: BTreeMap<Mode, Choices<Arc<Office>>> = Mode::ALL
            .into_iter()
            .filter_map(|mode| {
                let of_mode = offices.iter().filter(|(_, office)| office.mode == mode).cloned();
                Some((mode, Choices::new(of_mode)?))
            })
            .collect();
        let declarants = declarants(parameters, &offices, &mut draw);
        let declarations = f64::from(u32::try_from(declarations).unwrap_or(u32::MAX));
        let importers = (declarations / parameters.trade.importer_declarations)
            .max(f64::from(parameters.trade.importers_min));
        let pools: usize = table.values().map(|goods| goods.from.len()).sum();
        let exporters = importers * parameters.trade.exporter_share;
        let mut settlers = Settlers {
            draw,
            parameters,
            goods: table.values().cloned().collect(),
            offices: by_mode,
            declarants,
            exporters: BTreeMap::new(),
            exporters_a_pool: count(exporters / f64::from(u32::try_from(pools).unwrap_or(u32::MAX))),
            exporters_made: 0,
            importers_made: 0,
        };
        let mut all: Vec<(f64, Arc<Importer>)> =
            (0..count(importers)).filter_map(|_| settlers.importer()).collect();
        for _ in 0..count(importers * parameters.schemes.shells_per_importer / 3.0) {
            all.extend(settlers.shell_chain());
        }
        Ok(Self {
            importers: Choices::new(all).ok_or_else(|| refuse("importers"))?,
            declarants: settlers.declarants.into_iter().map(|(_, declarant)| declarant).collect(),
            offices: offices.into_iter().map(|(_, office)| office).collect(),
        })
    }
}

/// A whole number of at least 1, bounded.
fn count(number: f64) -> u32 {
    use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
    rust_decimal::Decimal::from_f64(whole(number)).and_then(|number| number.to_u32()).unwrap_or(1)
}

fn offices(parameters: &Parameters, draw: &mut Draw) -> Vec<(f64, Arc<Office>)> {
    let inspection = &parameters.inspection;
    let mut all = Vec::new();
    for office in &parameters.office {
        let officers = (1..=office.officers).map(|number| {
            let poor = draw.chance(inspection.poor_officers);
            let skill = if poor { inspection.poor_skill } else { draw.between(inspection.skill) };
            let id = format!("OF{}{number:02}", office.id).into();
            (1.0, Arc::new(Officer { id, office_id: Arc::clone(&office.id), skill }))
        });
        let Some(officers) = Choices::new(officers.collect::<Vec<_>>()) else { continue };
        let office = (office.weight, Office { id: Arc::clone(&office.id), mode: office.mode, officers });
        all.push((office.0, Arc::new(office.1)));
    }
    all
}

fn declarants(
    parameters: &Parameters,
    offices: &[(f64, Arc<Office>)],
    draw: &mut Draw,
) -> Vec<(f64, Arc<Declarant>)> {
    // The largest office has the most to hide behind.
    let largest = offices.iter().map(|(_, office)| office).max_by_key(|office| office.officers.all().count());
    let mut looking_away = largest
        .map(|office| office.officers.all().take(parameters.schemes.colluding_pairs).cloned())
        .into_iter()
        .flatten();
    (1..=parameters.trade.declarants)
        .map(|number| {
            let size = draw.factor(0.9);
            // A colluding declarant is of ordinary size: neither famous nor rare.
            let officer = if (0.8..1.6).contains(&size) { looking_away.next() } else { None };
            let helps = officer.is_none() && draw.chance(parameters.honesty.dishonest_declarants);
            (size, Arc::new(Declarant { id: format!("BR{number:04}").into(), helps, officer }))
        })
        .collect()
}

impl Settlers<'_> {
    fn exporter(&mut self, goods: &Goods) -> Option<Arc<Exporter>> {
        let ranks =
            goods.from.iter().zip(1_u32..).map(|(code, rank)| (1.0 / f64::from(rank), Arc::clone(code)));
        let code = Arc::clone(Choices::new(ranks)?.pick(&mut self.draw));
        let origin = Arc::clone(self.parameters.origin(&code)?);
        let key = (Name::from(goods.chapter()), code);
        if !self.exporters.contains_key(&key) {
            let pool =
                (0..self.exporters_a_pool.saturating_add(1)).map(|_| self.new_exporter(&origin)).collect();
            self.exporters.insert(key.clone(), pool);
        }
        let pool = self.exporters.get(&key)?;
        self.draw.one_of(pool).cloned()
    }

    fn new_exporter(&mut self, origin: &Arc<Origin>) -> Arc<Exporter> {
        self.exporters_made = self.exporters_made.saturating_add(1);
        let id = format!("{}{:06}", origin.code, self.exporters_made).into();
        Arc::new(Exporter { id, origin: Arc::clone(origin), price: self.draw.factor(0.12) })
    }

    fn next_importer_id(&mut self) -> Name {
        self.importers_made = self.importers_made.saturating_add(1);
        // Numbers do not tell who is what: they are scattered over their range. Both factors are prime.
        let scattered = u64::from(self.importers_made) * 7_368_787 % 9_999_991;
        format!("ZZ{scattered:07}").into()
    }

    fn lines(&mut self) -> Vec<Line> {
        let first = self.draw.one_of(&self.goods).cloned();
        let mut lines = Vec::new();
        for _ in 0..=self.draw.below(self.parameters.trade.lines_max) {
            let related: Vec<Arc<Goods>> = self
                .goods
                .iter()
                .filter(|goods| first.as_ref().is_some_and(|first| first.chapter() == goods.chapter()))
                .cloned()
                .collect();
            // Most lines are of the same trade; some are not.
            let pool = if self.draw.chance(0.75) { &related } else { &self.goods };
            let Some(goods) = self.draw.one_of(pool).cloned() else { continue };
            for _ in 0..=self.draw.below(3) {
                if let Some(exporter) = self.exporter(&goods) {
                    lines.push(Line { goods: Arc::clone(&goods), exporter });
                }
            }
        }
        lines
    }

    fn declarants_of(&mut self, honesty: Honesty) -> Option<Choices<Arc<Declarant>>> {
        let to_helpers = matches!(honesty, Honesty::Dishonest | Honesty::Shell) && self.draw.chance(0.6);
        let pool = Choices::new(
            self.declarants.iter().filter(|(_, declarant)| declarant.helps || !to_helpers).cloned(),
        )
        .or_else(|| Choices::new(self.declarants.iter().cloned()))?;
        let first = Arc::clone(pool.pick(&mut self.draw));
        let second = Arc::clone(pool.pick(&mut self.draw));
        Choices::new([(0.85, first), (0.15, second)])
    }

    fn offices_of(&mut self) -> BTreeMap<Mode, Arc<Office>> {
        let draw = &mut self.draw;
        self.offices.iter().map(|(mode, offices)| (*mode, Arc::clone(offices.pick(draw)))).collect()
    }

    fn importer(&mut self) -> Option<(f64, Arc<Importer>)> {
        let (trade, rules) = (&self.parameters.trade, &self.parameters.honesty);
        let at = self.draw.unit();
        let honesty = if at < rules.dishonest_importers {
            Honesty::Dishonest
        } else if at < rules.dishonest_importers + rules.careless_importers {
            Honesty::Careless
        } else {
            Honesty::Honest
        };
        let days = f64::from(self.parameters.time.days);
        let first_day =
            if self.draw.chance(trade.new_importers) { self.draw.between([0.0, days]) } else { -1_000.0 };
        let weight = self.draw.factor(1.1);
        // About a quarter of all are large enough to be worth the authorisation.
        let large = weight > 2.0;
        let trusted = honesty == Honesty::Honest && large && self.draw.chance(trade.trusted_importers / 0.2);
        let own_use = self.draw.chance(trade.own_use);
        let favourite = (honesty == Honesty::Dishonest).then(|| self.favourite()).flatten();
        let importer = Importer {
            id: self.next_importer_id(),
            honesty,
            favourite,
            lines: self.lines(),
            declarants: self.declarants_of(honesty)?,
            offices: self.offices_of(),
            first_day: day(first_day),
            last_day: i64::MAX,
            trusted,
            own_use,
        };
        (!importer.lines.is_empty()).then(|| (weight, Arc::new(importer)))
    }

    fn favourite(&mut self) -> Option<Scheme> {
        let weights = self.parameters.schemes.weight.iter().map(|(scheme, weight)| (*weight, *scheme));
        Some(*Choices::new(weights)?.pick(&mut self.draw))
    }

    /// Three shells, one after the other, that take over the same seller, goods and declarant.
    fn shell_chain(&mut self) -> Vec<(f64, Arc<Importer>)> {
        let schemes = &self.parameters.schemes;
        let taxed: Vec<Arc<Goods>> =
            self.goods.iter().filter(|goods| goods.duty >= 20.0 && goods.price >= 3.0).cloned().collect();
        let Some(goods) = self.draw.one_of(&taxed).cloned() else { return Vec::new() };
        let Some(code) = goods.from.first() else { return Vec::new() };
        let Some(origin) = self.parameters.origin(code).cloned() else { return Vec::new() };
        let exporter = self.new_exporter(&origin);
        let Some(declarants) = self.declarants_of(Honesty::Shell) else { return Vec::new() };
        let offices = self.offices_of();
        let [_, longest] = schemes.shell_days;
        let mut begins = self.draw.between([0.0, f64::from(self.parameters.time.days) - 3.0 * longest]);
        let mut chain = Vec::new();
        for _ in 0..3 {
            let ends = begins + self.draw.between(schemes.shell_days);
            let shell = Importer {
                id: self.next_importer_id(),
                honesty: Honesty::Shell,
                favourite: Some(Scheme::Undervaluation),
                lines: vec![Line { goods: Arc::clone(&goods), exporter: Arc::clone(&exporter) }],
                declarants: declarants.clone(),
                offices: offices.clone(),
                first_day: day(begins),
                last_day: day(ends),
                trusted: false,
                own_use: false,
            };
            chain.push((schemes.shell_activity, Arc::new(shell)));
            begins = ends + self.draw.between([2.0, 9.0]);
        }
        chain
    }
}

fn day(number: f64) -> i64 {
    use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
    rust_decimal::Decimal::from_f64(number.floor()).and_then(|number| number.to_i64()).unwrap_or(0)
}
