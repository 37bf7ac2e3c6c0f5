//! The catalogue with figures: how often each tag came in the last days, on whom it is, what inspections found.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::tags::TagDefinition;
use jiff::civil::Date;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use spine::{Finding, Language, LocalizedText, Sensitivity};

use super::live::Epoch;
use super::model::{Compiled, TagSummary};
use crate::Customhouse;
use crate::civil_time::{civil, day_begins};
use crate::declarations::HitRate;
use crate::error::Error;
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};

/// Days over which volume is counted.
pub const VOLUME_DAYS: usize = 30;
/// Tags of a page.
const PAGE_ROWS: usize = 50;
/// Volumes that cost a while are told again for so many times as long.
const KEPT_FACTOR: u32 = 20;

/// Which tags, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TagFiguresQuery {
    /// Part of an id or title.
    pub q: String,
    /// Id of a family.
    pub family: String,
    /// `low`, `medium` or `high`.
    pub severity: String,
    /// `title`, `family`, `severity`, `volume`, `entities`, `rate` or `cost`; with a `-` before it: downwards.
    pub sort: String,
    /// Page, from 1.
    pub page: usize,
}

/// A tag with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagFigures {
    /// The tag.
    #[serde(flatten)]
    pub tag: TagSummary,
    /// What its family is called.
    pub family_title: LocalizedText,
    /// Declarations of the last 30 days that carry it.
    pub volume: u64,
    /// The same by day, the oldest first.
    pub days: Vec<u64>,
    /// Entities that ever carried it.
    pub entities: u64,
    /// What inspections of declarations that carry it found; not below clearance *restricted*.
    pub hits: Option<HitRate>,
    /// Inspections of declarations that carry it for each irregular one among them; not where none was.
    pub inspections_per_find: Option<f64>,
}

/// A page of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagFiguresPage {
    /// Tags.
    pub rows: Vec<TagFigures>,
    /// How many match.
    pub total: u64,
    /// Families with their titles and how many of their tags the reader may see.
    pub families: Vec<(String, LocalizedText, u64)>,
    /// First day counted, in UTC.
    pub from: Date,
    /// Last day counted: today.
    pub to: Date,
    /// What is wrong with packs in use; such tags are left out.
    pub findings: Vec<Finding>,
    /// Position of the journal up to which events are counted.
    pub position: u64,
    /// Is anything of it simulated?
    pub simulated: bool,
}

/// Volumes of all tags at a position.
pub(super) struct Volumes {
    position: u64,
    today: Date,
    /// Declarations of each day, the oldest first.
    days: Vec<RoaringBitmap>,
    /// Declarations of all these days that carry each tag, by its number.
    volumes: Vec<u64>,
    numbers: HashMap<String, u16>,
    made_at: Instant,
    made_in: Duration,
}

impl Volumes {
    fn of(epoch: &Epoch, today: Date) -> Self {
        let made_at = Instant::now();
        let mut days = vec![RoaringBitmap::new(); VOLUME_DAYS];
        let first = first_day(today);
        let begins = day_begins(first).map_or(i64::MIN, jiff::Timestamp::as_microsecond);
        for (number, own) in (0_u32..).zip(epoch.declarations()) {
            let since = own.at.saturating_sub(begins);
            let day = usize::try_from(since.div_euclid(86_400_000_000)).ok();
            if let Some(day) = day.and_then(|day| days.get_mut(day)) {
                day.insert(number);
            }
        }
        let window = days.iter().fold(RoaringBitmap::new(), |all, day| all | day);
        let carriers = |tag: u16| epoch.of_declarations.carriers(tag);
        let volumes = (0..)
            .zip(epoch.tags())
            .map(|(tag, _)| carriers(tag).map_or(0, |own| own.intersection_len(&window)));
        let volumes = volumes.collect();
        let numbers = epoch.tags().map(str::to_owned).zip(0..).collect();
        Self { position: epoch.position, today, days, volumes, numbers, made_in: made_at.elapsed(), made_at }
    }

    fn number(&self, id: &str) -> Option<u16> {
        self.numbers.get(id).copied()
    }

    fn volume(&self, id: &str) -> u64 {
        self.number(id).and_then(|number| self.volumes.get(usize::from(number)).copied()).unwrap_or(0)
    }
}

fn first_day(today: Date) -> Date {
    let days = i64::try_from(VOLUME_DAYS).unwrap_or(i64::MAX).saturating_sub(1);
    today.checked_sub(jiff::Span::new().days(days)).unwrap_or(today)
}

/// What lists are ordered by.
struct Candidate<'a> {
    definition: &'a TagDefinition,
    volume: u64,
    entities: u64,
    hits: HitRate,
}

impl Customhouse {
    /// A page of the catalogue with figures. Titles are ordered as in `language`.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn tag_figures(
        &self,
        reader: &Reader,
        query: &TagFiguresQuery,
        language: Language,
    ) -> Result<TagFiguresPage, Error> {
        reader.require(Permission::ViewTags)?;
        let (compiled, epoch) = (self.compiled_tags(), self.matrix.epoch()?);
        let volumes = self.tag_volumes(&epoch);
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let (hits, simulated) = self.projection.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT tag, inspected, irregular FROM tag_hits")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
            let hits = rows.collect::<Result<HashMap<String, (u64, u64)>, _>>()?;
            Ok((if restricted { hits } else { HashMap::new() }, any_simulated(connection)?))
        })?;
        let seen = compiled.set.definitions().iter().filter(|own| own.sensitivity <= reader.clearance());
        let entities = |id: &str| {
            let number = volumes.number(id);
            number.and_then(|number| epoch.of_entities.carriers(number)).map_or(0, RoaringBitmap::len)
        };
        let mut found: Vec<Candidate<'_>> = seen
            .filter(|own| matches(own, query))
            .map(|definition| {
                let (inspected, irregular) = hits.get(&definition.id).copied().unwrap_or_default();
                let (volume, entities) = (volumes.volume(&definition.id), entities(&definition.id));
                Candidate { definition, volume, entities, hits: HitRate::of(inspected, irregular) }
            })
            .collect();
        order(&mut found, &query.sort, language, &compiled);
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let shown = found.into_iter().skip(skip).take(PAGE_ROWS);
        let rows = shown.map(|own| figures(own, &compiled, &epoch, &volumes, restricted)).collect();
        Ok(TagFiguresPage {
            rows,
            total,
            families: families(&compiled, reader.clearance()),
            from: first_day(volumes.today),
            to: volumes.today,
            findings: compiled.findings.clone(),
            position: volumes.position,
            simulated,
        })
    }

    fn tag_volumes(&self, epoch: &Epoch) -> Arc<Volumes> {
        let today = civil(self.now()).date();
        let mut kept = self.tags.volumes();
        let fresh = |own: &&Arc<Volumes>| {
            let again = own.made_at.elapsed() < own.made_in.saturating_mul(KEPT_FACTOR);
            own.today == today && (own.position == epoch.position || (again && own.position < epoch.position))
        };
        if let Some(volumes) = kept.as_ref().filter(fresh) {
            return Arc::clone(volumes);
        }
        let volumes = Arc::new(Volumes::of(epoch, today));
        *kept = Some(Arc::clone(&volumes));
        volumes
    }
}

fn matches(tag: &TagDefinition, query: &TagFiguresQuery) -> bool {
    let wanted = query.q.trim().to_lowercase();
    (query.family.is_empty() || tag.family == query.family)
        && (query.severity.is_empty() || tag.severity.name() == query.severity)
        && (wanted.is_empty()
            || tag.id.contains(&wanted)
            || tag.title.0.values().any(|title| title.to_lowercase().contains(&wanted)))
}

fn family_title<'a>(compiled: &'a Compiled, id: &str) -> Option<&'a LocalizedText> {
    compiled.set.families().iter().find(|family| family.id == id).map(|family| &family.title)
}

fn order(found: &mut [Candidate<'_>], sort: &str, language: Language, compiled: &Compiled) {
    let (key, down) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
    let family = |own: &Candidate<'_>| {
        family_title(compiled, &own.definition.family).map(|title| title.in_language(language))
    };
    let by_number = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        // What is unknown comes last, whichever way.
        (None, Some(_)) => {
            if down {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Greater
            }
        }
        (Some(_), None) => {
            if down {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Less
            }
        }
        (None, None) => std::cmp::Ordering::Equal,
    };
    found.sort_by(|a, b| {
        let order = match key {
            "title" => {
                let title = |own: &Candidate<'_>| own.definition.title.in_language(language).to_lowercase();
                title(a).cmp(&title(b))
            }
            "severity" => a.definition.severity.cmp(&b.definition.severity),
            "family" => family(a).cmp(&family(b)),
            "volume" => a.volume.cmp(&b.volume),
            "entities" => a.entities.cmp(&b.entities),
            "rate" => by_number(a.hits.rate, b.hits.rate),
            "cost" => by_number(per_find(&a.hits), per_find(&b.hits)),
            _ => std::cmp::Ordering::Equal,
        };
        if down { order.reverse() } else { order }
    });
}

fn per_find(hits: &HitRate) -> Option<f64> {
    hits.rate.filter(|rate| *rate > 0.0).map(f64::recip)
}

fn figures(
    own: Candidate<'_>,
    compiled: &Compiled,
    epoch: &Epoch,
    volumes: &Volumes,
    restricted: bool,
) -> TagFigures {
    let carriers =
        volumes.number(&own.definition.id).and_then(|number| epoch.of_declarations.carriers(number));
    let on_day = |day: &RoaringBitmap| carriers.map_or(0, |carriers| carriers.intersection_len(day));
    TagFigures {
        tag: TagSummary::from(own.definition),
        family_title: family_title(compiled, &own.definition.family).cloned().unwrap_or_default(),
        volume: own.volume,
        days: volumes.days.iter().map(on_day).collect(),
        entities: own.entities,
        inspections_per_find: per_find(&own.hits).filter(|_| restricted),
        hits: restricted.then_some(own.hits),
    }
}

fn families(compiled: &Compiled, clearance: Sensitivity) -> Vec<(String, LocalizedText, u64)> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for own in compiled.set.definitions().iter().filter(|own| own.sensitivity <= clearance) {
        let count = counts.entry(&own.family).or_default();
        *count = count.saturating_add(1);
    }
    let families = compiled.set.families().iter();
    families
        .filter_map(|family| {
            Some((family.id.clone(), family.title.clone(), *counts.get(family.id.as_str())?))
        })
        .collect()
}
