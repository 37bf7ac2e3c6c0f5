//! Tags of all packs, compiled: what can be applied to a table.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use packs::{Pack, PackKind};
use rules::{EntryRule, Lists};
use spine::declaration_entry::OUTCOME_FIELDS;
use spine::noun::SubjectKind;
use spine::{
    EntrySchema, FieldDefinition, FieldType, Finding, Language, LocalizedText, Pointer, Sensitivity,
};

use crate::aggregate::{Aggregate, outcome_refusal};
use crate::definition::{Defaults, Family, RawTag, TagDefinition, TagFile, TagSeverity, TagSource};
use crate::table;

/// Fields that may name the enterprise which carries a tag.
pub(crate) const ENTERPRISE_FIELDS: [&str; 4] = ["importer_id", "exporter_id", "declarant_id", "carrier_id"];

/// Tags of a set at most: as many as a matrix has numbers for.
const TAGS_MAX: usize = crate::matrix::TAGS_MAX;

/// An aggregate with the name under which conditions read it, and its compiled `where`.
#[derive(Debug, Clone)]
pub(crate) struct NamedAggregate {
    pub(crate) name: String,
    pub(crate) aggregate: Aggregate,
    pub(crate) condition: Option<EntryRule>,
}

/// A tag ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct CompiledTag {
    pub(crate) rule: EntryRule,
    /// Positions in [`TagSet::aggregates`], ascending.
    pub(crate) aggregates: Vec<usize>,
}

/// Tags compiled against a schema.
#[derive(Debug, Clone)]
pub struct TagSet {
    pub(crate) base: Arc<EntrySchema>,
    /// Named lists that conditions were compiled with.
    pub(crate) lists: Arc<Lists>,
    /// The schema and, behind its fields, a decimal field for each aggregate.
    pub(crate) extended: Arc<EntrySchema>,
    pub(crate) families: Vec<Family>,
    pub(crate) definitions: Vec<TagDefinition>,
    by_id: HashMap<String, usize>,
    pub(crate) compiled: Vec<CompiledTag>,
    pub(crate) aggregates: Vec<NamedAggregate>,
}

impl TagSet {
    /// Compiles the tags of all packs of kind `tags`; named lists come from packs of kind `lists` among the same
    /// packs. What does not compile is left out and told in a finding with pack, file and line.
    #[must_use]
    pub fn from_packs(packs: &[&Pack], schema: &EntrySchema) -> (Self, Vec<Finding>) {
        let mut lists: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for pack in packs {
            lists.extend(pack.lists());
        }
        Self::from_packs_and_lists(packs, schema, &Lists(lists))
    }

    /// The same with the named lists given: an administration's own may replace built-in ones.
    #[must_use]
    pub fn from_packs_and_lists(
        packs: &[&Pack],
        schema: &EntrySchema,
        lists: &Lists,
    ) -> (Self, Vec<Finding>) {
        Self::loaded(packs, schema, lists, HashMap::new())
    }

    /// The tags of packs that were edited since: conditions that are written as before are not compiled again.
    #[must_use]
    pub fn edited(&self, packs: &[&Pack], schema: &EntrySchema, lists: &Lists) -> (Self, Vec<Finding>) {
        let mut known = HashMap::new();
        if *self.base == *schema && *self.lists == *lists {
            let rules = self.compiled.iter().map(|compiled| &compiled.rule);
            known.extend(self.definitions.iter().map(|tag| tag.when.as_str()).zip(rules));
        }
        Self::loaded(packs, schema, lists, known)
    }

    fn loaded(
        packs: &[&Pack],
        schema: &EntrySchema,
        lists: &Lists,
        known: HashMap<&str, &EntryRule>,
    ) -> (Self, Vec<Finding>) {
        let mut loader = Loader {
            base: schema,
            extended: schema.clone(),
            lists,
            known,
            families: BTreeMap::new(),
            aggregates: Vec::new(),
            aggregate_at: HashMap::new(),
            tags: Vec::new(),
            ids: HashSet::new(),
            findings: Vec::new(),
            full: false,
        };
        // A tag may name an aggregate that stands in another file, or in another pack: all aggregates first.
        let packs = packs.iter().filter(|pack| pack.manifest.kind == PackKind::Tags);
        let files: Vec<_> = packs.map(|pack| loader.read(pack)).collect();
        for files in files {
            loader.take(files);
        }
        loader.finish()
    }

    /// The definitions, by pack, file and place in the file. Positions are `tag_index` of hits.
    #[must_use]
    pub fn definitions(&self) -> &[TagDefinition] {
        &self.definitions
    }

    /// Position of a tag.
    #[must_use]
    pub fn position(&self, tag_id: &str) -> Option<usize> {
        self.by_id.get(tag_id).copied()
    }

    /// The families, by id.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The same fields and aggregates with one tag alone.
    pub(crate) fn with_only(&self, definition: TagDefinition, compiled: CompiledTag) -> Self {
        Self {
            base: Arc::clone(&self.base),
            lists: Arc::clone(&self.lists),
            extended: Arc::clone(&self.extended),
            families: Vec::new(),
            by_id: HashMap::from([(definition.id.clone(), 0)]),
            definitions: vec![definition],
            compiled: vec![compiled],
            aggregates: self.aggregates.clone(),
        }
    }

    /// Tags on items whose conditions read nothing but the entry itself: they can be asked of any entries, in any order.
    pub fn asking_fields_only(&self) -> impl Iterator<Item = &TagDefinition> {
        let all = self.definitions.iter().zip(&self.compiled);
        let own = all.filter(|(own, compiled)| own.on == SubjectKind::Item && compiled.aggregates.is_empty());
        own.map(|(own, _)| own)
    }

    /// Fields of the record that its conditions read, themselves or through aggregates; each once.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<&str> {
        let mut read = BTreeSet::new();
        for compiled in &self.compiled {
            read.extend(compiled.rule.fields().iter().map(String::as_str));
            for own in compiled.aggregates.iter().filter_map(|at| self.aggregates.get(*at)) {
                read.extend(own.aggregate.fields().map(|part| part.field.as_str()));
                let condition = own.condition.iter().flat_map(|rule| rule.fields());
                read.extend(condition.map(String::as_str));
            }
        }
        read.retain(|name| self.base.field(name).is_some());
        read
    }

    /// Names that conditions may read: fields of the record, then aggregates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.extended.fields.iter().map(|field| field.name.as_str())
    }

    /// How many different aggregates the tags read.
    #[must_use]
    pub fn aggregate_count(&self) -> usize {
        self.aggregates.len()
    }
}

/// Place of a tag or aggregate in its pack.
struct Place<'a> {
    pack: &'a Pack,
    file: &'a str,
    text: &'a str,
}

impl Place<'_> {
    /// Number, from 1, of the first line that `wanted` accepts; 1 if there is none.
    fn line(&self, wanted: impl Fn(&str) -> bool) -> u64 {
        let at = self.text.lines().position(|line| wanted(line.trim())).unwrap_or(0);
        u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn tag_line(&self, id: &str) -> u64 {
        let id = format!("\"{id}\"");
        self.line(|line| line.strip_prefix("id").is_some_and(|rest| rest.contains(&id)))
    }

    /// The line of an aggregate, written as `name = {` or as a table of its own.
    fn aggregate_line(&self, name: &str) -> u64 {
        let table = format!("aggregate.{name}]");
        self.line(|line| {
            line.ends_with(&table)
                || line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    }

    fn pointer(&self, line: u64, child: &str) -> Pointer {
        Pointer(format!("{}/{}:{line}/{child}", self.pack.manifest.id, self.file))
    }
}

struct Loader<'a> {
    base: &'a EntrySchema,
    extended: EntrySchema,
    lists: &'a Lists,
    /// Conditions that were compiled before against the same fields and lists, as they are written.
    known: HashMap<&'a str, &'a EntryRule>,
    families: BTreeMap<String, Family>,
    aggregates: Vec<NamedAggregate>,
    aggregate_at: HashMap<String, usize>,
    tags: Vec<(TagDefinition, CompiledTag)>,
    ids: HashSet<String>,
    findings: Vec<Finding>,
    full: bool,
}

impl Loader<'_> {
    /// Reads a pack's files, and takes in their aggregates.
    fn read<'a>(&mut self, pack: &'a Pack) -> Vec<(Place<'a>, TagFile)> {
        let mut files = Vec::new();
        for (path, bytes) in pack.files_with_extension("toml") {
            let place = |line: usize| Pointer(format!("{}/{path}:{line}", pack.manifest.id));
            let Ok(text) = std::str::from_utf8(bytes) else {
                self.findings.push(
                    Finding::error("not_utf8")
                        .at(place(1))
                        .expected("text in UTF-8")
                        .fix("Save the file as UTF-8."),
                );
                continue;
            };
            match toml::from_str::<TagFile>(text) {
                Ok(file) => files.push((Place { pack, file: path, text }, file)),
                Err(error) => {
                    let start = error.span().map_or(0, |span| span.start);
                    let line = text.get(..start).unwrap_or(text).matches('\n').count().saturating_add(1);
                    self.findings.push(
                        Finding::error("tag_file_unreadable")
                            .at(place(line))
                            .found(error.span().and_then(|span| text.get(span)).unwrap_or_default())
                            .expected("TOML as docs/tags.md describes it")
                            .fix(format!("Correct line {line}: {}", error.message())),
                    );
                }
            }
        }
        for (place, file) in &files {
            for (name, aggregate) in &file.aggregate {
                self.aggregate(place, name, aggregate);
            }
            for tag in &file.tag {
                for (name, aggregate) in &tag.aggregate {
                    self.aggregate(place, name, aggregate);
                }
            }
        }
        files
    }

    /// Takes in the tags of a pack's files.
    fn take(&mut self, files: Vec<(Place<'_>, TagFile)>) {
        let mut example = BTreeMap::new();
        for (_, file) in &files {
            example.extend(file.example.clone());
        }
        for (place, file) in files {
            let Some(family) = file.family else {
                if !file.tag.is_empty() {
                    self.findings.push(
                        Finding::error("tag_family_missing")
                            .at(place.pointer(1, "family"))
                            .expected("[family] with id and title at the head of the file")
                            .fix("Name the family that the file's tags belong to."),
                    );
                }
                continue;
            };
            for mut tag in file.tag {
                let own = std::mem::replace(&mut tag.example, example.clone());
                tag.example.extend(own);
                match tag.table.take() {
                    Some(table) => self.tags_of_table(&place, &family, &file.defaults, &table, &tag),
                    None => {
                        let line = place.tag_line(&tag.id);
                        self.tag(&place, line, &family, &file.defaults, tag);
                    }
                }
            }
            self.families.entry(family.id.clone()).or_insert(family);
        }
    }

    fn aggregate(&mut self, place: &Place<'_>, name: &str, aggregate: &Aggregate) {
        let line = place.aggregate_line(name);
        let mut problems = aggregate.problems(self.base);
        let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !well_formed {
            problems.push("its name must be small letters, digits and underscores".to_owned());
        }
        if self.base.field(name).is_some() {
            problems.push("a field of the record has this name already".to_owned());
        }
        if let Some(same) = self.aggregate_at.get(name).and_then(|at| self.aggregates.get(*at)) {
            if same.aggregate == *aggregate {
                return;
            }
            problems.push(
                "another aggregate of this name means something else; names are shared by all tags"
                    .to_owned(),
            );
        }
        let mut condition = None;
        if let Some(source) = &aggregate.condition {
            match compile(source, self.base, self.lists) {
                Ok(rule) => condition = Some(rule),
                Err(reasons) => {
                    problems.extend(reasons.into_iter().map(|reason| format!("in `where`: {reason}")))
                }
            }
        }
        for problem in &problems {
            self.findings.push(
                Finding::error("tag_aggregate_refused")
                    .at(place.pointer(line, name))
                    .found(name)
                    .expected("an aggregate as docs/tags.md describes it")
                    .fix(format!("Correct it: {problem}.")),
            );
        }
        if problems.is_empty() {
            self.extended.fields.push(FieldDefinition {
                name: name.to_owned(),
                field_type: FieldType::Decimal,
                unit: None,
                sensitivity: Sensitivity::Official,
                required: false,
                title: LocalizedText::en_zh(&name.replace('_', " "), name),
            });
            self.aggregate_at.insert(name.to_owned(), self.aggregates.len());
            self.aggregates.push(NamedAggregate {
                name: name.to_owned(),
                aggregate: aggregate.clone(),
                condition,
            });
        }
    }

    /// One tag for each row of a table. They stand where their rows stand.
    fn tags_of_table(
        &mut self,
        place: &Place<'_>,
        family: &Family,
        defaults: &Defaults,
        path: &str,
        written: &RawTag,
    ) {
        let (rows, wrong) = table::rows(place.pack, path);
        let place = Place { pack: place.pack, file: path, text: "" };
        for table::Wrong { line, problem } in wrong {
            self.refuse(&place, line, &written.id, &problem);
        }
        let mut later_row = false;
        for row in rows {
            match row.tag(written, !later_row) {
                Ok(tag) => {
                    let known = self.tags.len();
                    self.tag(&place, row.line, family, defaults, tag);
                    if let Some((definition, _)) = self.tags.get_mut(known) {
                        definition.source.later_row = later_row;
                        later_row = true;
                    }
                }
                Err(problem) => self.refuse(&place, row.line, &written.id, &problem),
            }
        }
    }

    fn refuse(&mut self, place: &Place<'_>, line: u64, id: &str, problem: &str) {
        self.findings.push(
            Finding::error("tag_refused")
                .at(place.pointer(line, id))
                .found(id)
                .expected("a tag as docs/tags.md describes it")
                .fix(format!("Correct it: {problem}")),
        );
    }

    fn tag(&mut self, place: &Place<'_>, line: u64, family: &Family, defaults: &Defaults, raw: RawTag) {
        let mut problems = text_problems(&raw);
        if self.tags.len() == TAGS_MAX {
            // Told once: the tags beyond would be as many findings.
            if !std::mem::replace(&mut self.full, true) {
                self.refuse(
                    place,
                    line,
                    &raw.id,
                    &format!("there are more than {TAGS_MAX} tags; from here on none is taken"),
                );
            }
            return;
        }
        if self.ids.contains(&raw.id) {
            problems.push(format!("a tag {} is there already; ids are unique over all packs", raw.id));
        }
        let enterprise_field = raw.enterprise_field.clone().unwrap_or_else(|| "importer_id".to_owned());
        if !ENTERPRISE_FIELDS.contains(&enterprise_field.as_str()) {
            problems.push(format!("enterprise_field must be one of {}", ENTERPRISE_FIELDS.join(", ")));
        }
        let lasts = matches!(raw.on, SubjectKind::Enterprise | SubjectKind::Route);
        if raw.valid_days > 0 && !lasts {
            problems.push("valid_days is for tags on enterprises and routes".to_owned());
        }
        let rule = match self.compiled(&raw.when) {
            Ok(rule) => Some(rule),
            Err(reasons) => {
                problems.extend(reasons);
                None
            }
        };
        for problem in &problems {
            self.refuse(place, line, &raw.id, problem);
        }
        let (Some(rule), true) = (rule, problems.is_empty()) else { return };
        let read: BTreeSet<usize> =
            rule.fields().iter().filter_map(|field| self.aggregate_at.get(field).copied()).collect();
        let aggregates: Vec<usize> = read.into_iter().collect();
        let definition =
            define(place, line, family, defaults, raw, enterprise_field, &aggregates, &self.aggregates);
        self.ids.insert(definition.id.clone());
        self.tags.push((definition, CompiledTag { rule, aggregates }));
    }

    /// A condition, compiled now or before.
    fn compiled(&self, when: &str) -> Result<EntryRule, Vec<String>> {
        // An aggregate that it read then there may be no more.
        let there =
            |field: &String| self.aggregate_at.contains_key(field) || self.base.field(field).is_some();
        match self.known.get(when).filter(|rule| rule.fields().iter().all(there)) {
            Some(rule) => Ok((*rule).clone()),
            None => compile(when, &self.extended, self.lists),
        }
    }

    fn finish(self) -> (TagSet, Vec<Finding>) {
        let (definitions, compiled): (Vec<TagDefinition>, _) = self.tags.into_iter().unzip();
        let set = TagSet {
            by_id: definitions.iter().enumerate().map(|(at, own)| (own.id.clone(), at)).collect(),
            base: Arc::new(self.base.clone()),
            lists: Arc::new(self.lists.clone()),
            extended: Arc::new(self.extended),
            families: self.families.into_values().collect(),
            definitions,
            compiled,
            aggregates: self.aggregates,
        };
        (set, self.findings)
    }
}

/// Compiles a condition, or says in words why not.
pub(crate) fn compile(source: &str, schema: &EntrySchema, lists: &Lists) -> Result<EntryRule, Vec<String>> {
    let expression = rules::parse(source).map_err(|error| vec![error.render(source)])?;
    let rule = rules::compile_entry_rule(&expression, schema, lists)
        .map_err(|errors| errors.iter().map(|error| error.render(source)).collect::<Vec<_>>())?;
    let outcomes: Vec<String> = rule
        .fields()
        .iter()
        .filter(|field| OUTCOME_FIELDS.contains(&field.as_str()))
        .map(|field| outcome_refusal(field))
        .collect();
    if outcomes.is_empty() { Ok(rule) } else { Err(outcomes) }
}

fn text_problems(raw: &RawTag) -> Vec<String> {
    let mut problems = Vec::new();
    let well_formed = raw.id.starts_with(|c: char| c.is_ascii_lowercase())
        && raw.id.len() <= 64
        && raw.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !well_formed {
        problems.push("its id must be at most 64 small letters, digits and underscores".to_owned());
    }
    for (name, text) in [("title", &raw.title), ("inspection_hint", &raw.inspection_hint)] {
        for language in [Language::En, Language::Zh] {
            if text.0.get(&language).is_none_or(|text| text.trim().is_empty()) {
                problems.push(format!("{name} needs a text in {}", language.own_name()));
            }
        }
    }
    if raw.description.in_language(Language::En).trim().is_empty() {
        problems.push("description needs a text in English".to_owned());
    }
    problems
}

#[expect(clippy::too_many_arguments, reason = "it only puts together what the loader has found")]
fn define(
    place: &Place<'_>,
    line: u64,
    family: &Family,
    defaults: &Defaults,
    raw: RawTag,
    enterprise_field: String,
    used: &[usize],
    aggregates: &[NamedAggregate],
) -> TagDefinition {
    let manifest = &place.pack.manifest;
    let (example, history) = (raw.example, raw.history);
    TagDefinition {
        id: raw.id,
        version: raw.version,
        title: raw.title,
        description: raw.description,
        family: family.id.clone(),
        on: raw.on,
        when: raw.when,
        aggregates: used
            .iter()
            .filter_map(|at| aggregates.get(*at))
            .map(|own| (own.name.clone(), own.aggregate.clone()))
            .collect(),
        enterprise_field,
        valid_days: raw.valid_days,
        severity: raw.severity.or(defaults.severity).unwrap_or(TagSeverity::Medium),
        owner: raw.owner.or_else(|| defaults.owner.clone()).unwrap_or_else(|| manifest.owner.clone()),
        legal_basis: raw
            .legal_basis
            .or_else(|| defaults.legal_basis.clone())
            .unwrap_or_else(|| manifest.legal_basis.clone()),
        // A tag is never more open than its pack.
        sensitivity: raw
            .sensitivity
            .or(defaults.sensitivity)
            .unwrap_or(manifest.sensitivity)
            .max(manifest.sensitivity),
        inspection_hint: raw.inspection_hint,
        cases: raw.cases.into_iter().map(|case| case.resolve(&example, &history)).collect(),
        source: TagSource {
            pack_id: manifest.id.clone(),
            pack_version: manifest.version.to_string(),
            pack_hash: place.pack.hash.clone(),
            file: place.file.to_owned(),
            line,
            later_row: false,
        },
    }
}
