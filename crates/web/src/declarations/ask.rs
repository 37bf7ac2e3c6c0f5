//! What the address of the list says: which declarations, in which order, and how they are shown. All of it stands in
//! the address, so that a link shows the same to whoever follows it.

use customhouse::declarations::DeclarationsQuery;
use spine::Sensitivity;

use crate::failure::Failure;
use crate::view::place;
use crate::visit::Visit;
use crate::words::{Text, texts};

/// Where the list is.
pub(super) const PATH: &str = "/declarations";

/// Something a row can show beside its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Lane,
    State,
    Lodged,
    Office,
    Importer,
    Goods,
    Origin,
    Items,
    Value,
    Score,
    Arm,
    Outcome,
    Exporter,
    Declarant,
    Reference,
    Officer,
    Released,
}

impl Column {
    /// All columns in the order in which they stand.
    pub(super) const ALL: [Self; 17] = [
        Self::Lane,
        Self::State,
        Self::Lodged,
        Self::Office,
        Self::Importer,
        Self::Goods,
        Self::Origin,
        Self::Items,
        Self::Value,
        Self::Score,
        Self::Arm,
        Self::Outcome,
        Self::Exporter,
        Self::Declarant,
        Self::Reference,
        Self::Officer,
        Self::Released,
    ];

    /// Stable name in the address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lane => "lane",
            Self::State => "state",
            Self::Lodged => "lodged",
            Self::Office => "office",
            Self::Importer => "importer",
            Self::Goods => "goods",
            Self::Origin => "origin",
            Self::Items => "items",
            Self::Value => "value",
            Self::Score => "score",
            Self::Arm => "arm",
            Self::Outcome => "outcome",
            Self::Exporter => "exporter",
            Self::Declarant => "declarant",
            Self::Reference => "reference",
            Self::Officer => "officer",
            Self::Released => "released",
        }
    }

    /// What stands at its head.
    pub(super) fn word(self) -> Text {
        match self {
            Self::Lane => texts::LANE,
            Self::State => texts::STATE,
            Self::Lodged => texts::LODGED,
            Self::Office => texts::OFFICE,
            Self::Importer => texts::IMPORTER,
            Self::Goods => texts::GOODS,
            Self::Origin => texts::COUNTRY_OF_ORIGIN,
            Self::Items => texts::ITEMS,
            Self::Value => texts::VALUE,
            Self::Score => texts::SCORE,
            Self::Arm => texts::ARM,
            Self::Outcome => texts::OUTCOME,
            Self::Exporter => texts::EXPORTER,
            Self::Declarant => texts::DECLARANT,
            Self::Reference => texts::LRN,
            Self::Officer => texts::OFFICER,
            Self::Released => texts::RELEASED,
        }
    }

    /// The key by which the list can be ordered, if it can.
    pub(super) fn sort(self) -> Option<&'static str> {
        match self {
            Self::Lodged | Self::Items | Self::Value | Self::Score => Some(self.name()),
            _ => None,
        }
    }

    /// Is it a number, or a time?
    pub(super) fn number(self) -> bool {
        matches!(self, Self::Items | Self::Value | Self::Score | Self::Lodged | Self::Released)
    }

    /// Is it only for those who may see restricted fields?
    fn restricted(self) -> bool {
        matches!(self, Self::Score | Self::Arm)
    }

    /// Is it there before anybody chose?
    fn by_default(self) -> bool {
        let later = [
            Self::Origin,
            Self::Items,
            Self::Arm,
            Self::Exporter,
            Self::Declarant,
            Self::Reference,
            Self::Officer,
            Self::Released,
        ];
        !later.contains(&self)
    }
}

/// May the reader see fields of this class?
pub(super) fn may_see_restricted(visit: &Visit) -> bool {
    visit.session().is_some_and(|session| session.account.role.clearance() >= Sensitivity::Restricted)
}

/// The address, read.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Which declarations, in which order.
    pub(super) query: DeclarationsQuery,
    /// What is shown of each.
    pub(super) columns: Vec<Column>,
    /// Have columns been chosen?
    chosen: bool,
    /// Are rows close together?
    pub(super) compact: bool,
}

impl Ask {
    /// Reads the query, and the look from all that the address says.
    pub(super) fn read(visit: &Visit, mut query: DeclarationsQuery, pairs: &[(String, String)]) -> Self {
        let named: Vec<&str> = pairs
            .iter()
            .filter(|(name, _)| name == "column" || name == "columns")
            .flat_map(|(_, value)| value.split(','))
            .filter(|name| !name.is_empty())
            .collect();
        let restricted = may_see_restricted(visit);
        if !restricted {
            query.arm.clear();
        }
        let chosen = !named.is_empty();
        let wanted = |column: &Column| {
            if chosen { named.contains(&column.name()) } else { column.by_default() }
        };
        let columns = Column::ALL
            .into_iter()
            .filter(|column| restricted || !column.restricted())
            .filter(wanted)
            .collect();
        let compact = pairs.iter().any(|(name, value)| name == "density" && value == "compact");
        Self { query, columns, chosen, compact }
    }

    /// Columns that the reader can choose from.
    pub(super) fn choices(visit: &Visit) -> impl Iterator<Item = Column> {
        let restricted = may_see_restricted(visit);
        Column::ALL.into_iter().filter(move |column| restricted || !column.restricted())
    }

    /// The columns as the address has them; empty where nobody chose.
    pub(super) fn columns_named(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
        if self.chosen { names.join(",") } else { String::new() }
    }

    /// Rows close together, as the address has it.
    pub(super) fn density(&self) -> &'static str {
        if self.compact { "compact" } else { "" }
    }

    /// What narrows the list.
    pub(super) fn narrowing(&self) -> [(&'static str, &str); 13] {
        let query = &self.query;
        [
            ("q", &query.q),
            ("office", &query.office),
            ("lane", &query.lane),
            ("state", &query.state),
            ("arm", &query.arm),
            ("party", &query.party),
            ("commodity", &query.commodity),
            ("origin", &query.origin),
            ("tag", &query.tag),
            ("outcome", &query.outcome),
            ("source", &query.source),
            ("from", &query.from),
            ("to", &query.to),
        ]
    }

    /// Does anything narrow the list?
    pub(super) fn narrowed(&self) -> bool {
        self.narrowing().iter().any(|(_, value)| !value.trim().is_empty())
    }

    /// A place with all that the address says, without the page and with these values instead of its own.
    pub(super) fn place(&self, path: &str, instead: &[(&str, &str)]) -> String {
        let columns = self.columns_named();
        let mut values = self.narrowing().to_vec();
        values.extend([
            ("sort", self.query.sort.as_str()),
            ("columns", columns.as_str()),
            ("density", self.density()),
        ]);
        values.retain(|(name, _)| instead.iter().all(|(other, _)| other != name));
        values.extend_from_slice(instead);
        place(path, &values)
    }

    /// The list with nothing that narrows it, looking as it does.
    pub(super) fn widened(&self) -> String {
        self.place(PATH, &self.narrowing().map(|(name, _)| (name, "")))
    }

    /// The query as it is kept: everything but the page.
    pub(super) fn kept(&self) -> String {
        let whole = self.place(PATH, &[]);
        whole.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned())
    }

    /// Page asked for, from 1.
    pub(super) fn page(&self) -> usize {
        self.query.page.max(1)
    }
}

/// Reads a query that came with a form, as a view keeps it.
pub(super) fn bounded(query: &str) -> Result<&str, Failure> {
    const QUERY_CHARACTERS_MAX: usize = 2_000;
    if query.len() > QUERY_CHARACTERS_MAX {
        return Err(Failure::unreadable("the address of the view is too long"));
    }
    Ok(query)
}
