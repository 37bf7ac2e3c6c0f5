//! Who lives in the country: offices with officers, declarants, carriers, exporters, importers with their hidden
//! honesty. How they came to be is in [`crate::settlers`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::commodities::Goods;
use crate::draw::{Choices, Name};
use crate::fraud::Scheme;
use crate::parameters::{Mode, Origin};

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

/// How a party stands in the register.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) name: Name,
    pub(crate) address: Name,
    pub(crate) phone: Option<Name>,
}

/// A broker who declares for importers.
#[derive(Debug)]
pub(crate) struct Declarant {
    pub(crate) id: Name,
    pub(crate) contact: Contact,
    /// Does it help those who cheat?
    pub(crate) helps: bool,
    /// The officer who looks away for it.
    pub(crate) officer: Option<Arc<Officer>>,
}

/// A seller abroad.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) id: Name,
    pub(crate) contact: Contact,
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
    /// One of the shells that begin at once: see [`crate::Settings::ring_begins`].
    Ring,
}

impl Honesty {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Careless => "careless",
            Self::Dishonest => "dishonest",
            Self::Shell => "shell",
            Self::Ring => "ring",
        }
    }

    /// Does it mean to cheat?
    pub(crate) fn cheats(self) -> bool {
        self == Self::Dishonest || self.exists_on_paper()
    }

    /// Is it an enterprise on paper alone?
    pub(crate) fn exists_on_paper(self) -> bool {
        matches!(self, Self::Shell | Self::Ring)
    }
}

/// Goods an importer buys of a seller.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) goods: Arc<Goods>,
    pub(crate) exporter: Arc<Exporter>,
}

/// An enterprise that imports. Days are counted from the first of the history, and may lie before it.
#[derive(Debug, Clone)]
pub(crate) struct Importer {
    pub(crate) id: Name,
    pub(crate) contact: Contact,
    /// The person it belongs to.
    pub(crate) owner: Name,
    pub(crate) honesty: Honesty,
    /// The scheme it turns to first.
    pub(crate) favourite: Option<Scheme>,
    pub(crate) lines: Vec<Line>,
    pub(crate) declarants: Choices<Arc<Declarant>>,
    pub(crate) offices: BTreeMap<Mode, Arc<Office>>,
    /// When it was entered in the register.
    pub(crate) registered_day: i64,
    /// First day of trade.
    pub(crate) first_day: i64,
    /// Last day of trade, on which it is closed; `None`: it stays.
    pub(crate) last_day: Option<i64>,
    /// The enterprise it took over from.
    pub(crate) predecessor: Option<Name>,
    pub(crate) trusted: bool,
    pub(crate) own_use: bool,
}

impl Importer {
    pub(crate) fn trades_on(&self, day: i64) -> bool {
        self.first_day <= day && self.last_day.is_none_or(|last| day <= last)
    }
}

/// Everybody.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) importers: Choices<Arc<Importer>>,
    pub(crate) declarants: Vec<Arc<Declarant>>,
    pub(crate) exporters: Vec<Arc<Exporter>>,
    pub(crate) carriers: BTreeMap<Name, Contact>,
    pub(crate) offices: Vec<Arc<Office>>,
}
