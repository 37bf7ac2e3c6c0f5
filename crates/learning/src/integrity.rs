//! Officers and pairs that stand out from others with the same mix of work.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use spine::{Column, Sensitivity};

use crate::AuditError;
use crate::document::{Flag, Integrity, IntegrityRow, IntegrityTable};
use crate::history::{ABSENT, Codes, History};
use crate::rates::INSPECTIONS_TO_TEST_MIN;
use crate::statistics::hypergeometric::{self, ExactTest, Stratum};
use crate::statistics::number::{count, rounded, share};
use crate::statistics::random;
use crate::texts;

/// Pairs tested of one kind, those with the most inspections.
const PAIRS_MAX: usize = 20_000;
/// Declarants whose routing is tested, those with the most days.
const ROUTED_MAX: usize = 1_000;
/// Days on which a declarant was inspected, before its routing is looked at.
const ROUTED_DAYS_MIN: u64 = 8;

/// One inspection as this section reads it.
#[derive(Debug, Clone, Copy)]
struct Inspection {
    officer: u32,
    declarant: u32,
    importer: u32,
    /// Office together with rule or chapter: what "the same mix of work" means.
    mix: u64,
    office: u32,
    month: u32,
    day: i32,
    find: bool,
    released_before: Option<bool>,
}

struct Tested {
    first: u32,
    second: Option<u32>,
    count: u64,
    observed: u64,
    expected: f64,
    p_value: f64,
    direction: Flag,
}

/// A comparison before control of false claims.
pub(crate) struct Compared {
    table: IntegrityTable,
    pub(crate) p_values: Vec<f64>,
    tested: Vec<Tested>,
    names: (Names, Names),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Officer,
    Declarant,
    Importer,
}

/// Everything the comparisons are made of.
pub(crate) struct Work {
    inspections: Vec<Inspection>,
    officers: Option<Codes>,
    declarants: Option<Codes>,
    importers: Option<Codes>,
    strata: Vec<String>,
    pub(crate) officer_known_share: f64,
}

impl Work {
    pub(crate) fn new(history: &History<'_>) -> Self {
        let codes = |field: &str| Codes::of_dimension(history.table, field).filter(Codes::is_filled);
        let (officers, declarants, importers) =
            (codes("officer_id"), codes("declarant_id"), codes("importer_id"));
        let (offices, months) = (codes("office_id"), codes("month"));
        let (kind, kinds) = match codes("selection_reason") {
            Some(codes) => ("selection_reason", Some(codes)),
            None => ("hs_chapter", codes("hs_chapter")),
        };
        let strata = [offices.as_ref().map(|_| "office_id"), kinds.as_ref().map(|_| kind)];
        let times = |field: &str| match history.table.column(field) {
            Some(Column::DateTime(cells)) => Some(cells.as_slice()),
            _ => None,
        };
        let (inspected_at, released_at) = (times("inspected_at"), times("released_at"));
        let of = |codes: &Option<Codes>, row: u32| codes.as_ref().map_or(ABSENT, |codes| codes.get(row));
        let inspections: Vec<Inspection> = history
            .known
            .iter()
            .filter_map(|unit| {
                let row = *history.rows_of(unit).first()?;
                let office = of(&offices, row);
                let at = crate::statistics::number::index(row);
                let time =
                    |cells: Option<&[Option<jiff::civil::DateTime>]>| cells?.get(at).copied().flatten();
                Some(Inspection {
                    officer: of(&officers, row),
                    declarant: of(&declarants, row),
                    importer: of(&importers, row),
                    mix: random::bits(u64::from(office), 1, u64::from(of(&kinds, row))),
                    office,
                    month: of(&months, row),
                    day: history.day(unit),
                    find: history.fate(unit).find(),
                    released_before: time(inspected_at)
                        .zip(time(released_at))
                        .map(|(seen, gone)| gone < seen),
                })
            })
            .collect();
        let known = inspections.iter().filter(|inspection| inspection.officer != ABSENT).count();
        Self {
            officer_known_share: share(count(known), count(inspections.len())).map_or(0.0, rounded),
            inspections,
            officers,
            declarants,
            importers,
            strata: strata.into_iter().flatten().map(str::to_owned).collect(),
        }
    }

    fn names(&self, of: Names) -> Option<&Codes> {
        match of {
            Names::Officer => self.officers.as_ref(),
            Names::Declarant => self.declarants.as_ref(),
            Names::Importer => self.importers.as_ref(),
        }
    }

    fn party(of: Names, inspection: &Inspection) -> u32 {
        match of {
            Names::Officer => inspection.officer,
            Names::Declarant => inspection.declarant,
            Names::Importer => inspection.importer,
        }
    }
}

/// All comparisons for which the fields are there.
pub(crate) fn compare(history: &History<'_>, work: &Work) -> Result<Vec<Compared>, AuditError> {
    use Names::{Declarant, Importer, Officer};
    let mut compared = Vec::new();
    if work.officers.is_some() {
        compared.push(officer_shares(work, "officer_finds", |inspection| Some(inspection.find)));
        history.check()?;
        if work.inspections.iter().any(|own| own.released_before == Some(true)) {
            compared
                .push(officer_shares(work, "officer_released_before_inspection", |own| own.released_before));
        }
    }
    let pairs = [
        ("officer_declarant_finds", Officer, Declarant),
        ("officer_importer_finds", Officer, Importer),
        ("declarant_importer_finds", Declarant, Importer),
    ];
    for (id, first, second) in pairs {
        history.check()?;
        if work.names(first).is_some() && work.names(second).is_some() {
            compared.push(pair_finds(work, id, first, second));
        }
    }
    history.check()?;
    if work.officers.is_some() && work.declarants.is_some() {
        compared.push(routing(work));
    }
    // A comparison in which nothing could be tested says nothing.
    Ok(compared.into_iter().filter(|compared| !compared.p_values.is_empty()).collect())
}

fn table(id: &str, strata: &[String]) -> IntegrityTable {
    IntegrityTable {
        id: id.to_owned(),
        title: texts::comparison(id),
        sensitivity: Sensitivity::Restricted,
        strata: strata.to_vec(),
        tested: 0,
        too_small: 0,
        flagged: 0,
        rows: Vec::new(),
        unlisted: 0,
    }
}

type Share = (u64, u64);

fn tally<K: std::hash::Hash + Eq>(pairs: impl Iterator<Item = (K, bool)>) -> HashMap<K, Share> {
    let mut tally: HashMap<K, Share> = HashMap::new();
    for (key, yes) in pairs {
        let (hits, n) = tally.entry(key).or_default();
        *n = n.saturating_add(1);
        *hits = hits.saturating_add(u64::from(yes));
    }
    tally
}

/// Each officer against colleagues with the same mix: finds, or releases before inspection.
fn officer_shares(work: &Work, id: &str, of_interest: impl Fn(&Inspection) -> Option<bool>) -> Compared {
    let rows: Vec<(u32, u64, bool)> = work
        .inspections
        .iter()
        .filter(|inspection| inspection.officer != ABSENT)
        .filter_map(|inspection| Some((inspection.officer, inspection.mix, of_interest(inspection)?)))
        .collect();
    let strata = tally(rows.iter().map(|(_, mix, yes)| (*mix, *yes)));
    let mut by_officer: BTreeMap<u32, BTreeMap<u64, Share>> = BTreeMap::new();
    for (officer, mix, yes) in &rows {
        let (hits, n) = by_officer.entry(*officer).or_default().entry(*mix).or_default();
        *n = n.saturating_add(1);
        *hits = hits.saturating_add(u64::from(*yes));
    }
    let one_sided = id == "officer_released_before_inspection";
    let mut table = table(id, &work.strata);
    let all: Vec<Option<Tested>> = by_officer
        .into_par_iter()
        .map(|(officer, own)| {
            let inspections: u64 = own.values().map(|(_, n)| n).sum();
            let observed: u64 = own.values().map(|(hits, _)| hits).sum();
            if inspections < INSPECTIONS_TO_TEST_MIN {
                return None;
            }
            let own_strata = own.iter().map(|(mix, (_, n))| {
                let (hits, total) = strata.get(mix).copied().unwrap_or_default();
                Stratum { total, hits, drawn: *n }
            });
            let test = hypergeometric::test(own_strata, observed);
            Some(tested(officer, None, inspections, observed, &test, one_sided))
        })
        .collect();
    table.too_small = count(all.iter().filter(|tested| tested.is_none()).count());
    finish(table, all.into_iter().flatten().collect(), (Names::Officer, Names::Officer))
}

fn tested(
    first: u32,
    second: Option<u32>,
    n: u64,
    observed: u64,
    test: &ExactTest,
    one_sided: bool,
) -> Tested {
    Tested {
        first,
        second,
        count: n,
        observed,
        expected: test.expected,
        p_value: if one_sided { test.at_least } else { test.two_sided() },
        direction: if test.at_least <= test.at_most { Flag::Above } else { Flag::Below },
    }
}

/// A pair stands out only if it does so both among all inspections of the first party and among all of the second:
/// the larger of the two p-values counts (intersection-union test).
fn pair_finds(work: &Work, id: &str, first: Names, second: Names) -> Compared {
    let rows: Vec<(u32, u32, bool)> = work
        .inspections
        .iter()
        .map(|own| (Work::party(first, own), Work::party(second, own), own.find))
        .filter(|(first, second, _)| *first != ABSENT && *second != ABSENT)
        .collect();
    let firsts = tally(rows.iter().map(|(first, _, find)| (*first, *find)));
    let seconds = tally(rows.iter().map(|(_, second, find)| (*second, *find)));
    let mut pairs: Vec<((u32, u32), Share)> =
        tally(rows.iter().map(|(first, second, find)| ((*first, *second), *find))).into_iter().collect();
    // The number of inspections orders and bounds the pairs; what was found in them does not.
    pairs.sort_by(|a, b| b.1.1.cmp(&a.1.1).then(a.0.cmp(&b.0)));
    let all = pairs.len();
    pairs.truncate(PAIRS_MAX);
    let tested: Vec<Tested> = pairs
        .into_par_iter()
        .filter(|(_, (_, n))| *n >= INSPECTIONS_TO_TEST_MIN)
        .filter_map(|((one, other), (observed, n))| {
            let (hits_one, total_one) = *firsts.get(&one)?;
            let (hits_other, total_other) = *seconds.get(&other)?;
            // A party with this partner only has nothing to be compared with.
            if total_one == n || total_other == n {
                return None;
            }
            let among = |hits, total| hypergeometric::test([Stratum { total, hits, drawn: n }], observed);
            let (by_one, by_other) = (among(hits_one, total_one), among(hits_other, total_other));
            let (a, b) = (
                tested(one, Some(other), n, observed, &by_one, false),
                tested(one, Some(other), n, observed, &by_other, false),
            );
            let p_value = if a.direction == b.direction { a.p_value.max(b.p_value) } else { 1.0 };
            let expected = if a.p_value >= b.p_value { a.expected } else { b.expected };
            Some(Tested { p_value, expected, ..a })
        })
        .collect();
    let mut table = table(id, &[]);
    table.too_small = count(all.saturating_sub(tested.len()));
    finish(table, tested, (first, second))
}

/// Does one officer get a declarant's consignments more often than a deal at random within office and month would give?
/// Of a declarant's consignments of one day only the first counts, because they come together. (Counting each officer
/// once a day instead would favour rare officers: a frequent one's second consignment of the day would be lost.)
fn routing(work: &Work) -> Compared {
    let mut days: Vec<(u64, u32, i32, u32)> = work
        .inspections
        .iter()
        .filter(|own| own.officer != ABSENT && own.declarant != ABSENT)
        .map(|own| {
            let stratum = random::bits(u64::from(own.office), 2, u64::from(own.month));
            (stratum, own.declarant, own.day, own.officer)
        })
        .collect();
    // Stable, and by everything but the officer: the first of a day stays the first on record.
    days.sort_by_key(|(stratum, declarant, day, _)| (*stratum, *declarant, *day));
    days.dedup_by_key(|(stratum, declarant, day, _)| (*stratum, *declarant, *day));
    let mut of_stratum: HashMap<u64, u64> = HashMap::new();
    let mut of_officer: HashMap<(u64, u32), u64> = HashMap::new();
    let mut of_declarant: BTreeMap<u32, BTreeMap<u64, u64>> = BTreeMap::new();
    let mut of_pair: HashMap<(u32, u32), u64> = HashMap::new();
    let mut officers: HashMap<u64, Vec<u32>> = HashMap::new();
    for (stratum, declarant, _, officer) in &days {
        let add = |number: &mut u64| *number = number.saturating_add(1);
        add(of_stratum.entry(*stratum).or_default());
        let own = of_officer.entry((*stratum, *officer)).or_default();
        if *own == 0 {
            officers.entry(*stratum).or_default().push(*officer);
        }
        add(own);
        add(of_declarant.entry(*declarant).or_default().entry(*stratum).or_default());
        add(of_pair.entry((*officer, *declarant)).or_default());
    }
    let mut declarants: Vec<(u64, u32, BTreeMap<u64, u64>)> =
        of_declarant.into_iter().map(|(declarant, own)| (own.values().sum(), declarant, own)).collect();
    declarants.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let all = declarants.len();
    declarants.truncate(ROUTED_MAX);
    declarants.retain(|(days, _, _)| *days >= ROUTED_DAYS_MIN);
    let mut table = table("officer_declarant_routing", &["office_id".to_owned(), "month".to_owned()]);
    table.too_small = count(all.saturating_sub(declarants.len()));
    let tested: Vec<Tested> = declarants
        .par_iter()
        .flat_map_iter(|(days, declarant, own)| {
            let mut candidates: Vec<u32> =
                own.keys().filter_map(|stratum| officers.get(stratum)).flatten().copied().collect();
            candidates.sort_unstable();
            candidates.dedup();
            let (of_stratum, of_officer, of_pair) = (&of_stratum, &of_officer, &of_pair);
            candidates.into_iter().filter_map(move |officer| {
                let strata: Vec<Stratum> = own
                    .iter()
                    .map(|(stratum, drawn)| Stratum {
                        total: of_stratum.get(stratum).copied().unwrap_or(0),
                        hits: of_officer.get(&(*stratum, officer)).copied().unwrap_or(0),
                        drawn: *drawn,
                    })
                    .collect();
                // Where the officer was the only one, there was no choice.
                let choice = strata.iter().any(|own| own.hits > 0 && own.hits < own.total);
                let observed = of_pair.get(&(officer, *declarant)).copied().unwrap_or(0);
                choice.then(|| {
                    let test = hypergeometric::test(strata, observed);
                    tested(officer, Some(*declarant), *days, observed, &test, true)
                })
            })
        })
        .collect();
    finish(table, tested, (Names::Officer, Names::Declarant))
}

fn finish(mut table: IntegrityTable, tested: Vec<Tested>, names: (Names, Names)) -> Compared {
    table.tested = count(tested.len());
    Compared { table, p_values: tested.iter().map(|tested| tested.p_value).collect(), tested, names }
}

/// Rows and flags, once the control of false claims has spoken.
pub(crate) fn conclude(
    history: &History<'_>,
    work: &Work,
    compared: Vec<Compared>,
    adjusted: &[Vec<f64>],
) -> Integrity {
    let tables = compared
        .into_iter()
        .zip(adjusted)
        .map(|(compared, adjusted)| {
            let Compared { mut table, tested, names, .. } = compared;
            let name = |of: Names, code: u32| {
                work.names(of).map_or_else(String::new, |codes| codes.text(code).to_owned())
            };
            let mut rows: Vec<IntegrityRow> = tested
                .iter()
                .zip(adjusted)
                .map(|(tested, adjusted)| IntegrityRow {
                    first: name(names.0, tested.first),
                    second: tested.second.map(|second| name(names.1, second)),
                    count: tested.count,
                    observed: tested.observed,
                    expected: rounded(tested.expected),
                    p_value: rounded(tested.p_value),
                    adjusted_p: rounded(*adjusted),
                    flag: (*adjusted <= history.options.false_rate).then_some(tested.direction),
                })
                .collect();
            table.flagged = count(rows.iter().filter(|row| row.flag.is_some()).count());
            rows.sort_by(|a, b| {
                a.p_value
                    .total_cmp(&b.p_value)
                    .then(b.count.cmp(&a.count))
                    .then(a.first.cmp(&b.first))
                    .then(a.second.cmp(&b.second))
            });
            table.unlisted = count(rows.len().saturating_sub(history.options.rows_max));
            rows.truncate(history.options.rows_max);
            table.rows = rows;
            table
        })
        .collect();
    Integrity { tables, officer_known_share: work.officer_known_share }
}
