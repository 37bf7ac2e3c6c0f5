//! Enterprises: how they come to be, what they trade in, to whom they belong, and what comes after them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Owner, Settlers};
use crate::commodities::Goods;
use crate::draw::{Choices, Name, whole_day};
use crate::fraud::Scheme;
use crate::parameters::Mode;
use crate::people::{Contact, Declarant, Honesty, Importer, Line, Office};

/// Who was in business before the history began has traded for longer than any rule looks back.
const LONG_AGO: i64 = -1_000;

/// An importer, and how much it trades against the others.
type Weighted = (f64, Importer);

impl Settlers<'_> {
    /// An enterprise founded on a day, or long ago; with the one that succeeds it, if it closes before `end`.
    pub(super) fn founded(&mut self, founded: Option<f64>, end: f64) -> Vec<Weighted> {
        let Some((weight, mut importer)) = self.importer(founded) else { return Vec::new() };
        let rules = &self.parameters.enterprises;
        let years = (end - founded.unwrap_or(0.0)) / super::DAYS_A_YEAR;
        if !self.draw.chance((rules.closures_a_year * years).min(0.9)) {
            return vec![(weight, importer)];
        }
        let closed = self.draw.between([founded.unwrap_or(0.0) + 1.0, end]);
        importer.last_day = Some(whole_day(closed));
        let succeeded = if importer.honesty.cheats() { rules.succeeded_dishonest } else { rules.succeeded };
        let mut all = vec![(weight, importer)];
        if self.draw.chance(succeeded) {
            let from = closed + self.draw.between(rules.successor_days);
            let successor = all.first().map(|(_, importer)| self.successor(importer, from));
            all.extend(successor.map(|successor| (weight, successor)));
        }
        all
    }

    fn importer(&mut self, founded: Option<f64>) -> Option<Weighted> {
        let (trade, rules) = (&self.parameters.trade, &self.parameters.enterprises);
        let honesty = self.honesty();
        let weight = self.draw.factor(1.1);
        // About a quarter of all are large enough to be worth the authorisation.
        let large = weight > 2.0 && founded.is_none();
        let trusted = honesty == Honesty::Honest && large && self.draw.chance(trade.trusted_importers / 0.2);
        let own_use = self.draw.chance(trade.own_use);
        let favourite = (honesty == Honesty::Dishonest).then(|| self.favourite()).flatten();
        let registered = match founded {
            Some(day) => day - self.draw.between(rules.days_to_first_trade),
            None => -self.draw.between([400.0, rules.age_years_max * super::DAYS_A_YEAR]),
        };
        let lines = self.lines();
        let chapter = Name::from(lines.first()?.goods.chapter());
        let owner = self.owner(honesty);
        let contact = self.contact(&chapter, &owner);
        let importer = Importer {
            id: self.next_importer_id(),
            contact,
            owner: owner.id,
            honesty,
            favourite,
            lines,
            declarants: self.declarants_of(honesty)?,
            offices: self.offices_of(),
            registered_day: whole_day(registered),
            first_day: founded.map_or(LONG_AGO, whole_day),
            last_day: None,
            predecessor: None,
            trusted,
            own_use,
        };
        Some((weight, importer))
    }

    /// The same business under another name: what it trades in, who declares for it and who owns it stay.
    fn successor(&mut self, of: &Importer, from: f64) -> Importer {
        let chapter = of.lines.first().map_or("", |line| line.goods.chapter());
        let days_before = self.draw.between(self.parameters.enterprises.days_to_first_trade);
        let contact = self.contact_like(chapter, &of.contact);
        Importer {
            id: self.next_importer_id(),
            contact,
            registered_day: whole_day(from - days_before),
            first_day: whole_day(from),
            last_day: None,
            predecessor: Some(Arc::clone(&of.id)),
            trusted: false,
            ..of.clone()
        }
    }

    /// Some shells, one after the other, that take over the same seller, goods and declarant. Mostly each belongs to a
    /// straw man of its own; but all are reached at one place.
    pub(super) fn shell_chain(&mut self, end: f64) -> Vec<Weighted> {
        let (schemes, rules) = (&self.parameters.schemes, &self.parameters.enterprises);
        let [fewest, most] = rules.chain_shells;
        let shells = fewest + self.draw.below(most.saturating_sub(fewest).saturating_add(1));
        let [_, longest] = schemes.shell_days;
        let mut begins = self.draw.between([-longest, end]);
        let Some(mut shell) = self.first_shell() else { return Vec::new() };
        let mut chain = Vec::new();
        for _ in 0..shells {
            let ends = begins + self.draw.between(schemes.shell_days);
            let days_before = self.draw.between(rules.days_to_first_trade);
            shell.registered_day = whole_day(begins - days_before);
            (shell.first_day, shell.last_day) = (whole_day(begins), Some(whole_day(ends)));
            begins = ends + self.draw.between([2.0, 9.0]);
            let next = self.next_shell(&shell);
            chain.push((schemes.shell_activity, std::mem::replace(&mut shell, next)));
        }
        chain
    }

    /// A ring of shells that begin on one day: the same seller, goods, declarant and offices, people of straw, all reached
    /// at one place. `a_day` declarations come in on a mean day of those who trade without it.
    pub(super) fn ring(&mut self, begins: i64, a_day: f64, others: &[(f64, Arc<Importer>)]) -> Vec<Weighted> {
        let rules = &self.parameters.ring;
        let trading = others.iter().filter(|(_, own)| own.trades_on(begins)).map(|(weight, _)| weight);
        // Among those who trade on a day a declaration is anybody's in proportion to the weight.
        let share = (rules.declarations_a_day / a_day.max(f64::MIN_POSITIVE)).min(1.0);
        let weight = trading.sum::<f64>() * share / f64::from(rules.shells.max(1));
        let Some(taxed) = self.most_traded_of_taxed() else { return Vec::new() };
        let Some(first) = self.shell_for(Honesty::Ring, taxed) else { return Vec::new() };
        let mut ring = Vec::new();
        for _ in 0..rules.shells {
            let days_before = self.draw.between(self.parameters.enterprises.days_to_first_trade);
            let lives = self.draw.between(rules.days);
            let shell = Importer {
                owner: self.new_owner().id,
                registered_day: begins.saturating_sub(whole_day(days_before)),
                first_day: begins,
                last_day: Some(begins.saturating_add(whole_day(lives))),
                predecessor: None,
                ..self.successor(&first, 0.0)
            };
            ring.push((weight, shell));
        }
        ring
    }

    fn first_shell(&mut self) -> Option<Importer> {
        let taxed = self.taxed_goods()?;
        self.shell_for(Honesty::Shell, taxed)
    }

    fn shell_for(&mut self, honesty: Honesty, taxed: Arc<Goods>) -> Option<Importer> {
        let exporter = self.new_exporter(taxed.from.first()?)?;
        let owner = self.new_owner();
        let contact = self.contact(taxed.chapter(), &owner);
        Some(Importer {
            id: self.next_importer_id(),
            contact,
            owner: owner.id,
            honesty,
            favourite: Some(Scheme::Undervaluation),
            lines: vec![Line { goods: taxed, exporter }],
            declarants: self.declarants_of(honesty)?,
            offices: self.offices_of(),
            registered_day: 0,
            first_day: 0,
            last_day: None,
            predecessor: None,
            trusted: false,
            own_use: false,
        })
    }

    fn next_shell(&mut self, before: &Importer) -> Importer {
        let straw_man = self.draw.chance(self.parameters.enterprises.straw_man);
        let mut next = self.successor(before, 0.0);
        if straw_man {
            next.owner = self.new_owner().id;
        }
        next
    }

    /// Goods that are worth a shell.
    fn taxed_goods(&mut self) -> Option<Arc<Goods>> {
        let taxed: Vec<Arc<Goods>> =
            self.market.all().filter(|goods| worth_a_shell(goods)).cloned().collect();
        self.draw.one_of(&taxed).cloned()
    }

    /// Those of them among which more of the same is noticed least.
    fn most_traded_of_taxed(&self) -> Option<Arc<Goods>> {
        let taxed = self.market.weighted().filter(|(_, goods)| worth_a_shell(goods));
        taxed.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, goods)| Arc::clone(goods))
    }

    fn honesty(&mut self) -> Honesty {
        let rules = &self.parameters.honesty;
        let at = self.draw.unit();
        if at < rules.dishonest_importers {
            Honesty::Dishonest
        } else if at < rules.dishonest_importers + rules.careless_importers {
            Honesty::Careless
        } else {
            Honesty::Honest
        }
    }

    fn favourite(&mut self) -> Option<Scheme> {
        let weights = self.parameters.schemes.weight.iter().map(|(scheme, weight)| (*weight, *scheme));
        Some(*Choices::new(weights)?.pick(&mut self.draw))
    }

    /// Somebody who owns an enterprise already, or not yet. Those who cheat own several more often.
    fn owner(&mut self, honesty: Honesty) -> Owner {
        let rules = &self.parameters.enterprises;
        let [honest, cheating] = &self.owners;
        let (known, share) = if honesty.cheats() {
            (cheating, rules.same_owner_dishonest)
        } else {
            (honest, rules.same_owner)
        };
        if self.draw.chance(share)
            && let Some(owner) = self.draw.one_of(known)
        {
            return owner.clone();
        }
        let owner = self.new_owner();
        let [honest, cheating] = &mut self.owners;
        if honesty.cheats() { cheating } else { honest }.push(owner.clone());
        owner
    }

    fn new_owner(&mut self) -> Owner {
        self.owners_made = self.owners_made.saturating_add(1);
        let at_centre = self.draw.chance(self.parameters.enterprises.at_centre);
        let (names, draw) = (&self.names, &mut self.draw);
        let centre = draw.one_of(&self.centres).filter(|_| at_centre).cloned();
        Owner {
            id: format!("PN{:07}", scattered(self.owners_made, 3_571_429)).into(),
            address: centre.unwrap_or_else(|| names.address(draw)),
            phone: names.phone(draw),
        }
    }

    /// An enterprise of a person's: at that person's address and telephone number, or at others of its own.
    fn contact(&mut self, chapter: &str, owner: &Owner) -> Contact {
        let address = Arc::clone(&owner.address);
        let known = Contact { name: Name::from(""), address, phone: Some(Arc::clone(&owner.phone)) };
        self.contact_like(chapter, &known)
    }

    /// Another name; the same address, or the same telephone number, or both.
    fn contact_like(&mut self, chapter: &str, known: &Contact) -> Contact {
        let rules = &self.parameters.enterprises;
        let (names, draw) = (&self.names, &mut self.draw);
        let moves = draw.chance(rules.other_address);
        let renumbers = !moves && draw.chance(rules.other_phone);
        Contact {
            name: names.importer(draw, chapter),
            address: if moves { names.address(draw) } else { Arc::clone(&known.address) },
            phone: if renumbers { Some(names.phone(draw)) } else { known.phone.clone() },
        }
    }

    fn next_importer_id(&mut self) -> Name {
        self.importers_made = self.importers_made.saturating_add(1);
        format!("ZZ{:07}", scattered(self.importers_made, 7_368_787)).into()
    }

    fn lines(&mut self) -> Vec<Line> {
        let first = Arc::clone(self.market.pick(&mut self.draw));
        let trade = self.chapters.get(first.chapter()).cloned();
        let mut lines = Vec::new();
        for _ in 0..=self.draw.below(self.parameters.trade.lines_max) {
            // Most lines are of the same trade; some are not.
            let of_trade = self.draw.chance(0.75);
            let pool = trade.as_ref().filter(|_| of_trade).unwrap_or(&self.market);
            let goods = Arc::clone(pool.pick(&mut self.draw));
            for _ in 0..=self.draw.below(3) {
                if let Some(exporter) = self.exporter(&goods) {
                    lines.push(Line { goods: Arc::clone(&goods), exporter });
                }
            }
        }
        lines
    }

    fn declarants_of(&mut self, honesty: Honesty) -> Option<Choices<Arc<Declarant>>> {
        let to_helpers = honesty.cheats() && self.draw.chance(0.6);
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
}

fn worth_a_shell(goods: &Goods) -> bool {
    goods.duty >= 20.0 && goods.price >= 3.0
}

/// Numbers do not tell who came when: a step that shares no factor with the prime 9,999,991 scatters them over it.
fn scattered(number: u32, step: u64) -> u64 {
    u64::from(number) * step % 9_999_991
}
