//! One declaration as the table has it.

use clearance::{Case, ControlKind, State};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use spine::noun::Lane;

/// A row of `declaration`. Columns keep the order of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) mrn: String,
    pub(crate) lrn: String,
    pub(crate) party: Option<String>,
    pub(crate) number: Option<u64>,
    pub(crate) sha256: Option<String>,
    /// The schema that it was held against when it came in.
    pub(crate) schema: Option<String>,
    pub(crate) office: String,
    pub(crate) declarant: Option<String>,
    pub(crate) importer: Option<String>,
    pub(crate) exporter: Option<String>,
    pub(crate) carrier: Option<String>,
    pub(crate) commodity: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) origin: Option<String>,
    /// Country of departure of the first item.
    pub(crate) departure: Option<String>,
    pub(crate) items: u32,
    pub(crate) value: Option<String>,
    pub(crate) value_number: Option<f64>,
    pub(crate) currency: Option<String>,
    pub(crate) state: Option<State>,
    /// The folded case; `None` for history.
    pub(crate) case: Option<Case>,
    pub(crate) lane: Option<Lane>,
    pub(crate) arm: Option<String>,
    pub(crate) score: Option<i32>,
    pub(crate) threshold: Option<i32>,
    pub(crate) probability_ppm: Option<u32>,
    pub(crate) received_at: Timestamp,
    pub(crate) lodged_at: Timestamp,
    pub(crate) selected_at: Option<Timestamp>,
    pub(crate) ordered_at: Option<Timestamp>,
    pub(crate) released_at: Option<Timestamp>,
    pub(crate) result_at: Option<Timestamp>,
    pub(crate) control: Option<String>,
    pub(crate) officer: Option<String>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) timer_at: Option<Timestamp>,
    pub(crate) waits_for_trader: bool,
    pub(crate) inspected: Option<bool>,
    pub(crate) irregular: Option<bool>,
    pub(crate) recovered: Option<f64>,
    pub(crate) batch: Option<String>,
    /// Its first and its last row of that batch.
    pub(crate) first_row: Option<u64>,
    pub(crate) last_row: Option<u64>,
    pub(crate) simulated: bool,
    /// Findings as JSON.
    pub(crate) findings: Option<String>,
    /// When its content was erased, and on what ground.
    pub(crate) erased_at: Option<Timestamp>,
    pub(crate) erased_basis: Option<String>,
    pub(crate) position: u64,
}

fn time(at: Option<i64>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_microsecond(at).ok())
}

fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_microsecond)
}

/// Columns that [`Record::read`] reads.
pub(crate) const COLUMNS: &str = "mrn, lrn, party, number, sha256, schema, office, declarant, importer, exporter, carrier, \
    commodity, description, origin, departure, items, value, value_number, currency, state, standing, lane, arm, score, threshold, \
    probability_ppm, received_at, lodged_at, selected_at, ordered_at, released_at, result_at, control, officer, due_at, \
    timer_at, waits_for_trader, inspected, irregular, recovered, batch, first_row, last_row, simulated, findings, erased_at, \
    erased_basis, position";

impl Record {
    /// Reads a row of [`COLUMNS`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let text = |name: &str| row.get::<_, Option<String>>(name);
        let at = |name: &str| row.get::<_, Option<i64>>(name).map(time);
        let standing = text("standing")?;
        Ok(Self {
            mrn: row.get("mrn")?,
            lrn: row.get("lrn")?,
            party: text("party")?,
            number: row.get("number")?,
            sha256: text("sha256")?,
            schema: text("schema")?,
            office: row.get("office")?,
            declarant: text("declarant")?,
            importer: text("importer")?,
            exporter: text("exporter")?,
            carrier: text("carrier")?,
            commodity: text("commodity")?,
            description: text("description")?,
            origin: text("origin")?,
            departure: text("departure")?,
            items: row.get("items")?,
            value: text("value")?,
            value_number: row.get("value_number")?,
            currency: text("currency")?,
            state: text("state")?.as_deref().and_then(State::from_name),
            case: standing.and_then(|text| serde_json::from_str(&text).ok()),
            lane: text("lane")?.as_deref().and_then(Lane::from_name),
            arm: text("arm")?,
            score: row.get("score")?,
            threshold: row.get("threshold")?,
            probability_ppm: row.get("probability_ppm")?,
            received_at: at("received_at")?.unwrap_or_default(),
            lodged_at: at("lodged_at")?.unwrap_or_default(),
            selected_at: at("selected_at")?,
            ordered_at: at("ordered_at")?,
            released_at: at("released_at")?,
            result_at: at("result_at")?,
            control: text("control")?,
            officer: text("officer")?,
            due_at: at("due_at")?,
            timer_at: at("timer_at")?,
            waits_for_trader: row.get("waits_for_trader")?,
            inspected: row.get("inspected")?,
            irregular: row.get("irregular")?,
            recovered: row.get("recovered")?,
            batch: text("batch")?,
            first_row: row.get("first_row")?,
            last_row: row.get("last_row")?,
            simulated: row.get("simulated")?,
            findings: text("findings")?,
            erased_at: at("erased_at")?,
            erased_basis: text("erased_basis")?,
            position: row.get("position")?,
        })
    }

    /// The row of a declaration.
    pub(crate) fn find(connection: &Connection, mrn: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM declaration WHERE mrn = ?1"))?
            .query_row([mrn], Self::read)
            .optional()
    }

    /// Writes the row.
    pub(super) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let standing = self.case.as_ref().and_then(|case| serde_json::to_string(case).ok());
        connection
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO declaration ({COLUMNS}) VALUES (:mrn, :lrn, :party, :number, :sha256, :schema, :office,
                 :declarant, :importer, :exporter, :carrier, :commodity, :description, :origin, :departure, :items, :value,
                 :value_number, :currency, :state, :standing, :lane, :arm, :score, :threshold, :probability_ppm,
                 :received_at, :lodged_at, :selected_at, :ordered_at, :released_at, :result_at, :control, :officer,
                 :due_at, :timer_at, :waits_for_trader, :inspected, :irregular, :recovered, :batch, :first_row, :last_row, :simulated,
                 :findings, :erased_at, :erased_basis, :position)"
            ))?
            .execute(named_params! {
                ":mrn": self.mrn, ":lrn": self.lrn, ":party": self.party, ":number": self.number,
                ":sha256": self.sha256, ":schema": self.schema, ":office": self.office, ":declarant": self.declarant,
                ":importer": self.importer, ":exporter": self.exporter, ":carrier": self.carrier,
                ":commodity": self.commodity, ":description": self.description, ":origin": self.origin, ":departure": self.departure,
                ":items": self.items, ":value": self.value, ":value_number": self.value_number,
                ":currency": self.currency, ":state": self.state.map(State::name), ":standing": standing,
                ":lane": self.lane.map(Lane::name), ":arm": self.arm, ":score": self.score,
                ":threshold": self.threshold, ":probability_ppm": self.probability_ppm,
                ":received_at": self.received_at.as_microsecond(), ":lodged_at": self.lodged_at.as_microsecond(),
                ":selected_at": micros(self.selected_at), ":ordered_at": micros(self.ordered_at),
                ":released_at": micros(self.released_at), ":result_at": micros(self.result_at),
                ":control": self.control, ":officer": self.officer, ":due_at": micros(self.due_at),
                ":timer_at": micros(self.timer_at), ":waits_for_trader": self.waits_for_trader,
                ":inspected": self.inspected, ":irregular": self.irregular, ":recovered": self.recovered,
                ":batch": self.batch, ":first_row": self.first_row, ":last_row": self.last_row, ":simulated": self.simulated, ":findings": self.findings,
                ":erased_at": micros(self.erased_at), ":erased_basis": self.erased_basis,
                ":position": self.position,
            })?;
        Ok(())
    }

    /// Takes over what the case says: state, open work, the next timer.
    pub(super) fn follow_case(&mut self) {
        let Some(case) = &self.case else { return };
        self.state = Some(case.state);
        let control = case.control.as_ref().filter(|standing| standing.result.is_none());
        let audit = case.audit.as_ref().filter(|standing| standing.result.is_none());
        let open = control.or(audit);
        self.control = open.map(|standing| standing.kind.name().to_owned());
        self.officer = open.and_then(|standing| standing.officer.clone());
        self.due_at = open.map(|standing| standing.due_at);
        self.waits_for_trader = case.open_question.is_some() || case.open_documents.is_some();
        self.timer_at = case.next_due().map(|(at, _)| at);
    }

    /// Parties with their roles.
    pub(super) fn parties(&self) -> Vec<(&'static str, &str)> {
        [
            ("declarant", &self.declarant),
            ("importer", &self.importer),
            ("exporter", &self.exporter),
            ("carrier", &self.carrier),
        ]
        .into_iter()
        .filter_map(|(role, id)| Some((role, id.as_deref()?)))
        .collect()
    }

    /// The kind of its open control.
    pub(crate) fn control_kind(&self) -> Option<ControlKind> {
        self.control.as_deref().and_then(ControlKind::from_name)
    }
}
