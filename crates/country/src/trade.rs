//! How goods come in: who buys what of whom, by which route, in which season, declared how.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use spine::identifier::ContainerNumber;

use crate::commodities::{Carriage, Goods};
use crate::draw::{Choices, Draw, Name, whole};
use crate::fraud::{Facts, Falsehood, Occasion, falsify, temptation};
use crate::parameters::{Mode, Origin};
use crate::people::{Declarant, Importer, Line, Office};
use crate::settlers::{CARRIERS_A_MODE, carrier_id};
use crate::world::{Preset, World};

/// Owners of containers; made up, like everything here.
const CONTAINER_OWNERS: [&str; 6] = ["TWAU", "TWBU", "TWCU", "TWDU", "TWEU", "TWFU"];
/// Carriers that serve one country of departure.
const CARRIERS_A_ROUTE: u32 = 3;

/// One declaration before anyone has looked at it.
#[derive(Debug)]
pub(crate) struct Consignment {
    pub(crate) day: i64,
    pub(crate) accepted_at: DateTime,
    pub(crate) importer: Arc<Importer>,
    pub(crate) declarant: Arc<Declarant>,
    pub(crate) office: Arc<Office>,
    pub(crate) exporter_id: Name,
    pub(crate) carrier_id: Name,
    pub(crate) mode: Mode,
    pub(crate) container: Option<Name>,
    pub(crate) procedure: Name,
    pub(crate) payment: Name,
    pub(crate) simplified: bool,
    pub(crate) items: Vec<Draft>,
}

/// One of its items: as it is, and as it is declared.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) truth: Facts,
    pub(crate) declared: Facts,
    pub(crate) falsehood: Option<Falsehood>,
    pub(crate) words: Name,
    pub(crate) packages: f64,
    pub(crate) departure: Name,
    pub(crate) marked: bool,
}

/// What carries over from one consignment to the next.
#[derive(Debug, Default)]
pub(crate) struct Yard {
    last_container: BTreeMap<Name, (i64, Name)>,
}

impl World {
    /// The next consignment of a day; `None` only if nobody trades at all.
    pub(crate) fn consignment(
        &self,
        draw: &mut Draw,
        yard: &mut Yard,
        day: i64,
        accepted_at: DateTime,
    ) -> Option<Consignment> {
        let parameters = &self.parameters.trade;
        let importer = self.importer_of_the_day(draw, day);
        let line = self.line_of_the_season(draw, &importer, accepted_at.date())?;
        let origin = Arc::clone(&line.exporter.origin);
        let mode = mode(draw, &line.goods, &origin);
        let office = Arc::clone(importer.offices.get(&mode)?);
        let declarant = Arc::clone(importer.declarants.pick(draw));
        let departure = match &origin.hub {
            Some(hub) if mode != Mode::Road && draw.chance(origin.through) => Arc::clone(hub),
            _ => Arc::clone(&origin.code),
        };
        let boxed = mode == Mode::Sea && line.goods.by != Some(Carriage::Bulk);
        let container = if boxed { self.container(draw, yard, &office, day) } else { None };
        let procedure = Arc::clone(self.procedures.pick(draw));
        let occasion = Occasion { importer: &importer, declarant: &declarant, office: &office };
        let mut items = vec![self.draft(draw, &occasion, &line, mode, &departure)];
        let more = 1.0 - 1.0 / parameters.items_a_declaration;
        for _ in 1..parameters.items_max {
            if !draw.chance(more) {
                break;
            }
            let line = sibling(draw, &importer, &line);
            items.push(self.draft(draw, &occasion, &line, mode, &departure));
        }
        Some(Consignment {
            day,
            accepted_at,
            exporter_id: Arc::clone(&line.exporter.id),
            carrier_id: carrier(draw, mode, &departure),
            mode,
            container,
            procedure,
            payment: Arc::clone(self.payments.pick(draw)),
            simplified: importer.trusted || draw.chance(parameters.simplified),
            items,
            importer,
            declarant,
            office,
        })
    }

    fn importer_of_the_day(&self, draw: &mut Draw, day: i64) -> Arc<Importer> {
        const TRIES_MAX: usize = 1_000;
        let mut importer = self.people.importers.pick(draw);
        for _ in 0..TRIES_MAX {
            if importer.trades_on(day) {
                break;
            }
            importer = self.people.importers.pick(draw);
        }
        Arc::clone(importer)
    }

    /// One of the importer's lines; goods out of their season are half as likely.
    fn line_of_the_season(&self, draw: &mut Draw, importer: &Importer, date: Date) -> Option<Line> {
        let line = draw.one_of(&importer.lines)?;
        let out_of_season = !line.goods.peak.is_empty() && !line.goods.peak.contains(&date.month());
        let again = out_of_season && draw.chance(0.5);
        if again { draw.one_of(&importer.lines).cloned() } else { Some(line.clone()) }
    }

    fn container(&self, draw: &mut Draw, yard: &mut Yard, office: &Office, day: i64) -> Option<Name> {
        let shared = yard.last_container.get(&office.id).filter(|(on, _)| *on == day);
        if let Some((_, container)) = shared
            && draw.chance(self.parameters.trade.shared_container)
        {
            return Some(Arc::clone(container));
        }
        let owner = draw.one_of(&CONTAINER_OWNERS)?;
        let serial = draw.below(1_000_000);
        let number =
            (0..10).find_map(|check| ContainerNumber::new(&format!("{owner}{serial:06}{check}")).ok())?;
        let container: Name = number.as_str().into();
        yard.last_container.insert(Arc::clone(&office.id), (day, Arc::clone(&container)));
        Some(container)
    }

    fn draft(
        &self,
        draw: &mut Draw,
        occasion: &Occasion<'_>,
        line: &Line,
        mode: Mode,
        departure: &Name,
    ) -> Draft {
        let parameters = &self.parameters;
        let mut truth = self.honest_facts(draw, line, mode);
        let falsehood = match self.preset {
            Preset::Ordinary => temptation(draw, parameters, &self.goods, occasion, &truth),
            Preset::Null => None,
        };
        let declared = match falsehood {
            Some(Falsehood { method, .. }) => {
                let method = (occasion.importer.honesty, method);
                falsify(draw, parameters, &self.goods, method, &mut truth)
            }
            None => truth.clone(),
        };
        let moved =
            declared.origin.code != truth.origin.code && !draw.chance(parameters.schemes.direct_departure);
        let departure = if moved { Arc::clone(&declared.origin.code) } else { Arc::clone(departure) };
        let truly = draw.chance(parameters.schemes.true_words);
        let described = if truly { &truth.goods } else { &declared.goods };
        let generic = draw.chance(parameters.trade.generic_words);
        let words = draw.one_of(if generic { &parameters.trade.generic } else { &described.words });
        Draft {
            words: words.cloned().unwrap_or_default(),
            packages: whole(truth.net_mass / truth.goods.package * draw.factor(0.5)),
            departure,
            marked: declared.preferential || draw.chance(0.7),
            truth,
            declared,
            falsehood,
        }
    }

    fn honest_facts(&self, draw: &mut Draw, line: &Line, mode: Mode) -> Facts {
        let (goods, origin) = (&line.goods, &line.exporter.origin);
        let flown = mode == Mode::Air && goods.by != Some(Carriage::Air);
        let mut mass = goods.mass * draw.factor(0.7) * if flown { 0.08 } else { 1.0 };
        if mode == Mode::Post {
            const PARCEL_MASS_MAX: f64 = 20.0;
            mass = mass.min(PARCEL_MASS_MAX * draw.between([0.1, 1.0]));
        }
        let quantity = goods.piece.map(|piece| whole(mass / piece));
        if let (Some(piece), Some(pieces)) = (goods.piece, quantity) {
            mass = pieces * piece * draw.factor(0.04);
        }
        let price = goods.price * origin.price * line.exporter.price * draw.factor(goods.spread);
        let mut value = price * mass;
        let habit_of_rounding = draw.chance(0.06);
        if habit_of_rounding && value > 5_000.0 {
            value = (value / 1_000.0).round() * 1_000.0;
        }
        let tare = goods.tare * draw.factor(0.15);
        Facts {
            goods: Arc::clone(goods),
            origin: Arc::clone(origin),
            preferential: origin.preference
                && goods.duty > 0.0
                && draw.chance(self.parameters.trade.preference_claimed),
            value,
            net_mass: mass,
            gross_mass: mass * (1.0 + tare),
            quantity,
            hidden_value: 0.0,
        }
    }
}

fn mode(draw: &mut Draw, goods: &Goods, origin: &Origin) -> Mode {
    match goods.by {
        Some(Carriage::Air) => Mode::Air,
        Some(Carriage::Bulk) => Mode::Sea,
        None => {
            let by_post = 1.0 - origin.sea - origin.air - origin.road;
            let routes = [
                (origin.sea, Mode::Sea),
                (origin.air, Mode::Air),
                (origin.road, Mode::Road),
                (by_post, Mode::Post),
            ];
            Choices::new(routes).map_or(Mode::Sea, |choices| *choices.pick(draw))
        }
    }
}

/// One of the few carriers that serve a route.
fn carrier(draw: &mut Draw, mode: Mode, departure: &str) -> Name {
    let route: u32 = departure.bytes().map(u32::from).sum();
    carrier_id(mode, (route + draw.below(CARRIERS_A_ROUTE)) % CARRIERS_A_MODE)
}

/// Other goods of the same seller's country and trade, or more of the same.
fn sibling(draw: &mut Draw, importer: &Importer, line: &Line) -> Line {
    let alike: Vec<&Line> = importer
        .lines
        .iter()
        .filter(|other| {
            other.goods.chapter() == line.goods.chapter()
                && other.exporter.origin.code == line.exporter.origin.code
                && other.goods.by == line.goods.by
        })
        .collect();
    let goods = draw.one_of(&alike).map_or(&line.goods, |other| &other.goods);
    Line { goods: Arc::clone(goods), exporter: Arc::clone(&line.exporter) }
}
