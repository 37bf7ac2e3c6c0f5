//! How the country is settled: offices, declarants, carriers; then enterprises, which are born, relate and die.

mod enterprise;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::commodities::{Goods, GoodsTable};
use crate::draw::{Choices, Draw, Name, whole_number};
use crate::error::CountryError;
use crate::names::Names;
use crate::parameters::{Mode, Parameters};
use crate::people::{Contact, Declarant, Exporter, Importer, Office, Officer, People};
use crate::world::Settings;

/// Carriers of each mode of transport.
pub(crate) const CARRIERS_A_MODE: u32 = 8;

const DAYS_A_YEAR: f64 = 365.25;

/// A person who owns enterprises, and where that person is reached.
#[derive(Debug, Clone)]
struct Owner {
    id: Name,
    address: Name,
    phone: Name,
}

/// People in the making.
struct Settlers<'a> {
    draw: Draw,
    parameters: &'a Parameters,
    names: Names,
    /// What is traded, as often as it is; and the same by chapter.
    market: Choices<Arc<Goods>>,
    chapters: BTreeMap<Name, Choices<Arc<Goods>>>,
    offices: BTreeMap<Mode, Choices<Arc<Office>>>,
    declarants: Vec<(f64, Arc<Declarant>)>,
    exporters: BTreeMap<(Name, Name), Vec<Arc<Exporter>>>,
    exporters_a_pool: u32,
    all_exporters: Vec<Arc<Exporter>>,
    /// Who already owns enterprises: those who do not mean to cheat, and those who do.
    owners: [Vec<Owner>; 2],
    owners_made: u32,
    /// Addresses at which many are registered.
    centres: Vec<Name>,
    importers_made: u32,
}

/// Days from one to another.
fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours().div_euclid(24)
}

impl People {
    /// Settles the country for so many declarations as are asked for.
    pub(crate) fn settle(
        parameters: &Parameters,
        table: &GoodsTable,
        settings: &Settings,
    ) -> Result<Self, CountryError> {
        let refuse = |what: &str| CountryError::Parameters {
            file: "world.toml",
            reason: format!("these parameters leave the country without {what}"),
        };
        let names = Names::built_in()?;
        let mut draw = Draw::new(settings.seed, 0);
        let offices = offices(parameters, &mut draw);
        let by_mode: BTreeMap<Mode, Choices<Arc<Office>>> = Mode::ALL
            .into_iter()
            .filter_map(|mode| {
                let of_mode = offices.iter().filter(|(_, office)| office.mode == mode).cloned();
                Some((mode, Choices::new(of_mode)?))
            })
            .collect();
        let declarants = declarants(parameters, &names, &offices, &mut draw);
        let carriers = carriers(&names, &mut draw);
        let (market, chapters) = market(parameters, table, &mut draw).ok_or_else(|| refuse("goods"))?;
        let declarations = f64::from(u32::try_from(settings.declarations).unwrap_or(u32::MAX));
        let importers = (declarations / parameters.trade.importer_declarations)
            .max(f64::from(parameters.trade.importers_min));
        let pools: usize = table.values().map(|goods| goods.from.len()).sum();
        let exporters = importers * parameters.trade.exporter_share;
        let centres = (0..parameters.enterprises.business_centres).map(|_| names.centre(&mut draw)).collect();
        let mut settlers = Settlers {
            draw,
            parameters,
            names,
            market,
            chapters,
            offices: by_mode,
            declarants,
            exporters: BTreeMap::new(),
            exporters_a_pool: whole_number(exporters / f64::from(u32::try_from(pools).unwrap_or(u32::MAX))),
            all_exporters: Vec::new(),
            owners: [Vec::new(), Vec::new()],
            owners_made: 0,
            centres,
            importers_made: 0,
        };
        let mut importers = settlers.importers(importers);
        // Last, so that everybody else is who they would be without it.
        if let Some(begins) = settings.ring_begins {
            let begins = days_between(parameters.time.first_day, begins);
            let a_day = declarations / f64::from(parameters.time.days);
            let ring = settlers.ring(begins, a_day, &importers);
            importers.extend(ring.into_iter().map(|(weight, own)| (weight, Arc::new(own))));
        }
        let importers = Choices::new(importers).ok_or_else(|| refuse("importers"))?;
        Ok(Self {
            importers,
            declarants: settlers.declarants.into_iter().map(|(_, declarant)| declarant).collect(),
            exporters: settlers.all_exporters,
            carriers,
            offices: offices.into_iter().map(|(_, office)| office).collect(),
        })
    }
}

impl Settlers<'_> {
    /// Everybody who imports within the history and for some years after it: `count` of them on an ordinary day.
    fn importers(&mut self, count: f64) -> Vec<(f64, Arc<Importer>)> {
        let rules = &self.parameters.enterprises;
        let years = f64::from(self.parameters.time.days) / DAYS_A_YEAR + rules.living_years;
        let end = years * DAYS_A_YEAR;
        let mut all = Vec::new();
        for _ in 0..whole_number(count) {
            all.extend(self.founded(None, end));
        }
        for _ in 0..whole_number(count * rules.births_a_year * years) {
            let day = self.draw.between([0.0, end]);
            all.extend(self.founded(Some(day), end));
        }
        for _ in 0..whole_number(count * rules.chains_a_year * years) {
            all.extend(self.shell_chain(end));
        }
        all.into_iter().map(|(weight, importer)| (weight, Arc::new(importer))).collect()
    }

    fn exporter(&mut self, goods: &Goods) -> Option<Arc<Exporter>> {
        let ranks =
            goods.from.iter().zip(1_u32..).map(|(code, rank)| (1.0 / f64::from(rank), Arc::clone(code)));
        let code = Arc::clone(Choices::new(ranks)?.pick(&mut self.draw));
        let key = (Name::from(goods.chapter()), code);
        if !self.exporters.contains_key(&key) {
            let pool = (0..self.exporters_a_pool.saturating_add(1))
                .filter_map(|_| self.new_exporter(&key.1))
                .collect();
            self.exporters.insert(key.clone(), pool);
        }
        let pool = self.exporters.get(&key)?;
        self.draw.one_of(pool).cloned()
    }

    fn new_exporter(&mut self, country: &str) -> Option<Arc<Exporter>> {
        let origin = Arc::clone(self.parameters.origin(country)?);
        let number = self.all_exporters.len().saturating_add(1);
        let id = format!("{}{number:06}", origin.code).into();
        let (names, draw) = (&self.names, &mut self.draw);
        let contact =
            Contact { name: names.exporter(draw), address: names.address_abroad(draw, country), phone: None };
        let exporter = Arc::new(Exporter { id, contact, origin, price: draw.factor(0.12) });
        self.all_exporters.push(Arc::clone(&exporter));
        Some(exporter)
    }
}

type Market = (Choices<Arc<Goods>>, BTreeMap<Name, Choices<Arc<Goods>>>);

/// All goods with how much they are traded, and the same by chapter.
fn market(parameters: &Parameters, table: &GoodsTable, draw: &mut Draw) -> Option<Market> {
    let weighted: Vec<(f64, Arc<Goods>)> =
        table.values().map(|goods| (draw.factor(parameters.trade.goods_spread), Arc::clone(goods))).collect();
    let mut by_chapter: BTreeMap<Name, Vec<(f64, Arc<Goods>)>> = BTreeMap::new();
    for (weight, goods) in &weighted {
        by_chapter.entry(goods.chapter().into()).or_default().push((*weight, Arc::clone(goods)));
    }
    let chapters =
        by_chapter.into_iter().filter_map(|(chapter, goods)| Some((chapter, Choices::new(goods)?)));
    Some((Choices::new(weighted)?, chapters.collect()))
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
    names: &Names,
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
            let contact = Contact {
                name: names.broker(draw),
                address: names.address(draw),
                phone: Some(names.phone(draw)),
            };
            (size, Arc::new(Declarant { id: format!("BR{number:04}").into(), contact, helps, officer }))
        })
        .collect()
}

fn carriers(names: &Names, draw: &mut Draw) -> BTreeMap<Name, Contact> {
    let mut all = BTreeMap::new();
    for mode in Mode::ALL {
        for number in 0..CARRIERS_A_MODE {
            let contact = Contact {
                name: names.carrier(draw, mode),
                address: names.address(draw),
                phone: Some(names.phone(draw)),
            };
            all.insert(carrier_id(mode, number), contact);
        }
    }
    all
}

pub(crate) fn carrier_id(mode: Mode, number: u32) -> Name {
    format!("CA{}{number:02}", mode.code()).into()
}
