//! The result of a control: item by item as declared or found otherwise, one code for the whole, what proves it, and
//! what will happen, said before anything is sent. Works with a thumb.

use axum::extract::{Multipart, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use customhouse::declarations::{
    Action, CaseAction, CaseFile, ControlOnCase, ControlResult, ItemFinding, LookFor, ResultCode,
};
use customhouse::{Error, Kind};
use maud::{Markup, html};
use rust_decimal::Decimal;
use spine::Finding;
use spine::declaration::GovernmentAgencyGoodsItem;
use spine::quantity::{CurrencyCode, Money};

use super::evidence::{self, FILES_MAX, Sent};
use super::goods::item_number;
use super::{actions, findings};
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, findings as findings_list, heading, lane_chip};
use crate::visit::Visit;
use crate::words::{Text, size, texts};

/// Items that have a part of the form each; beyond them the note says it.
const ITEMS_SHOWN_MAX: usize = 300;
/// Items that stand open when there are no more.
const ITEMS_OPEN_MAX: usize = 2;
/// Characters of what was found in one field.
const FOUND_CHARACTERS_MAX: usize = 400;
/// Decimal places of an amount.
const AMOUNT_SCALE_MAX: u32 = 4;

/// What can be found otherwise, and what that amounts to unless the officer says another thing.
const FIELDS: [(&str, &str); 10] = [
    ("commodity_code", "misclassification"),
    ("description", "misclassification"),
    ("origin", "false_origin"),
    ("value", "undervaluation"),
    ("net_mass", "short_quantity"),
    ("gross_mass", "short_quantity"),
    ("quantity", "short_quantity"),
    ("packages", "short_quantity"),
    ("undeclared_goods", "concealment"),
    ("other", "other"),
];
/// What a difference can amount to.
const KINDS: [&str; 6] =
    ["undervaluation", "misclassification", "false_origin", "short_quantity", "concealment", "other"];

/// Something in the form that must be mended, by the name of its field.
type Problem = (String, Text);

/// The form as it stands: empty, or with what came in and what is wrong with it.
#[derive(Default)]
struct Standing {
    sent: Sent,
    problems: Vec<Problem>,
    findings: Vec<Finding>,
}

impl Standing {
    fn problem(&self, name: &str) -> Option<Text> {
        self.problems.iter().find(|(own, _)| own == name).map(|(_, text)| *text)
    }
}

/// Which of the two ways the result goes: the control before release, or the audit after it.
fn way(visit: &Visit, case: &CaseFile) -> Option<Action> {
    let possible = actions::possible(visit, case);
    [Action::Complete, Action::CloseAudit].into_iter().find(|action| possible.contains(action))
}

fn standing_control(case: &CaseFile, way: Action) -> Option<&ControlOnCase> {
    if way == Action::CloseAudit { case.audit.as_ref() } else { case.control.as_ref() }
}

fn nothing_to_record(case: &CaseFile) -> Failure {
    Error::new(
        Kind::Conflict,
        "no_control_of_yours",
        format!("no control of {} that is open is in your hands", case.row.mrn),
        "Take the control on the page of the declaration first.",
    )
    .into()
}

/// The form.
pub(crate) async fn form(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    visit.require(customhouse::identity::Permission::Examine)?;
    let case = visit.work(move |house, reader| house.case(reader, &mrn)).await?;
    let way = way(&visit, &case).ok_or_else(|| nothing_to_record(&case))?;
    Ok(page(&visit, &case, way, &Standing::default()))
}

/// Records the result; what must be mended is said at its field.
pub(crate) async fn record(
    visit: Visit,
    Path(mrn): Path<String>,
    parts: Multipart,
) -> Result<Response, Failure> {
    visit.require(customhouse::identity::Permission::Examine)?;
    let sent = evidence::receive(&visit, parts).await?;
    let number = |name: &str| {
        let number = sent.text(name).parse::<u64>();
        number.map_err(|_| Failure::unreadable("the form does not say what was looked at"))
    };
    let (version, seen) = (number("version")?, number("seen")?);
    let case = {
        let mrn = mrn.clone();
        visit.work(move |house, reader| house.case(reader, &mrn)).await?
    };
    let place = format!("/declarations/{mrn}");
    let Some(way) = way(&visit, &case).filter(|_| case.version == version) else {
        return super::answered(&visit, mrn, seen, Err(nothing_to_record(&case)), &place).await;
    };
    let result = match read(&case, &sent) {
        Ok(result) => result,
        Err(problems) => {
            return Ok(mend(&visit, &case, way, Standing { sent, problems, findings: Vec::new() }));
        }
    };
    let action = match way {
        Action::CloseAudit => CaseAction::CloseAudit { result },
        _ => CaseAction::Complete { result },
    };
    let acted = {
        let mrn = mrn.clone();
        visit.work(move |house, reader| house.act(reader, &mrn, version, &action)).await
    };
    match acted {
        Err(Failure::Refused(error)) if error.kind == Kind::Refused => {
            let standing = Standing { sent, problems: Vec::new(), findings: error.findings.clone() };
            Ok(mend(&visit, &case, way, standing))
        }
        acted => super::answered(&visit, mrn, seen, acted, &place).await,
    }
}

fn mend(visit: &Visit, case: &CaseFile, way: Action, standing: Standing) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page(visit, case, way, &standing)).into_response()
}

/// The goods items with their numbers.
fn items(case: &CaseFile) -> Vec<(u32, &GovernmentAgencyGoodsItem)> {
    let declared = case.declaration.as_ref().map(|declaration| declaration.items()).unwrap_or_default();
    declared
        .iter()
        .enumerate()
        .take(ITEMS_SHOWN_MAX)
        .map(|(at, item)| (item_number(at, item), item))
        .collect()
}

/// A field of an item as it was declared.
fn declared(item: &GovernmentAgencyGoodsItem, field: &str) -> String {
    let number =
        |known: Option<Decimal>| known.map(|known| known.normalize().to_string()).unwrap_or_default();
    let measure = &item.commodity.goods_measure;
    match field {
        "commodity_code" => item.commodity.code().unwrap_or_default(),
        "description" => item.commodity.description.clone().unwrap_or_default(),
        "origin" => item.origin.first().and_then(|origin| origin.country_code.clone()).unwrap_or_default(),
        "value" => item
            .value()
            .map(|money| format!("{} {}", money.amount, money.currency.code()))
            .unwrap_or_default(),
        "net_mass" => number(measure.net_net_weight_measure),
        "gross_mass" => number(measure.gross_mass_measure),
        "quantity" => number(measure.tariff_quantity),
        "packages" => number(item.packages()),
        _ => String::new(),
    }
}

fn name_of_found(item: u32, field: &str) -> String {
    format!("found.{item}.{field}")
}

/// The result that the form says, or everything that must be mended.
fn read(case: &CaseFile, sent: &Sent) -> Result<ControlResult, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut differences = Vec::new();
    for (number, item) in items(case) {
        let chosen = sent.text(&format!("kind.{number}"));
        for (field, usual) in FIELDS {
            let name = name_of_found(number, field);
            let found = sent.text(&name);
            let declared = declared(item, field);
            if found.is_empty() {
                continue;
            }
            if found.chars().count() > FOUND_CHARACTERS_MAX {
                problems.push((name, texts::FOUND_TOO_LONG));
            } else if found == declared {
                problems.push((name, texts::FOUND_AS_DECLARED));
            } else {
                let kind = if KINDS.contains(&chosen) { chosen } else { usual };
                differences.push(ItemFinding {
                    item: number,
                    field: field.to_owned(),
                    declared,
                    found: found.to_owned(),
                    kind: kind.to_owned(),
                });
            }
        }
    }
    let recovered = recovered(sent).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let note = sent.text("note");
    let code = ResultCode::from_name(sent.text("code"));
    if let Some(problem) = contradiction(code, !differences.is_empty(), !note.is_empty()) {
        problems.push(problem);
    }
    if let Some(refused) = sent.refused {
        problems.push(("evidence".to_owned(), refused));
    }
    match code {
        Some(code) if problems.is_empty() => Ok(ControlResult {
            code,
            findings: differences,
            recovered_revenue: recovered,
            note: note.to_owned(),
            evidence: sent.kept.clone(),
            inspected: code != ResultCode::ConsideredConform,
        }),
        _ => Err(problems),
    }
}

fn contradiction(code: Option<ResultCode>, differences: bool, noted: bool) -> Option<Problem> {
    let at = |name: &str, text: Text| Some((name.to_owned(), text));
    match code {
        None => at("code", texts::RESULT_CODE_MISSING),
        Some(ResultCode::Conform | ResultCode::ConsideredConform) if differences => {
            at("code", texts::RESULT_CODE_BUT_DIFFERENCES)
        }
        Some(ResultCode::ConsideredConform) if !noted => at("note", texts::RESULT_NOTE_WHY_NOT_LOOKED),
        Some(ResultCode::MinorDiscrepancy | ResultCode::Irregular) if !differences && !noted => {
            at("code", texts::RESULT_CODE_BUT_NOTHING)
        }
        _ => None,
    }
}

fn recovered(sent: &Sent) -> Result<Option<Money>, Problem> {
    let written = sent.text("recovered").replace([' ', '\u{202f}', '\u{a0}'], "");
    if written.is_empty() {
        return Ok(None);
    }
    let amount: Option<Decimal> = written.parse().ok();
    let amount = amount.filter(|amount| !amount.is_sign_negative() && amount.scale() <= AMOUNT_SCALE_MAX);
    let amount = amount.ok_or_else(|| ("recovered".to_owned(), texts::AMOUNT_UNREADABLE))?;
    let currency = CurrencyCode::new(sent.text("currency"));
    let currency = currency.map_err(|_| ("currency".to_owned(), texts::CURRENCY_UNKNOWN))?;
    Ok(Some(Money { amount, currency }))
}

fn page(visit: &Visit, case: &CaseFile, way: Action, standing: &Standing) -> Markup {
    let place = format!("/declarations/{}", case.row.mrn);
    let control = standing_control(case, way);
    let hints = control.map(|control| control.look_for.as_slice()).unwrap_or_default();
    let below = html! {
        @if let Some(lane) = case.row.lane { (lane_chip(visit, lane)) " " }
        @if let Some(control) = control { (visit.named("control", control.kind.name())) }
    };
    let title = format!("{}: {}", visit.say(texts::RECORD_RESULT), case.row.mrn);
    let content = html! {
        (crumbs(visit, &[("/declarations", visit.say(texts::DECLARATIONS)), (&place, &case.row.mrn)]))
        (heading(&title, &below, &html! {}))
        (mend_summary(visit, standing))
        @if !hints.is_empty() { section class="card" { h2 { (visit.say(texts::LOOK_FOR)) } (findings::look_for(visit, hints)) } }
        form class="result" method="post" action={ (place) "/result" } enctype="multipart/form-data" {
            (csrf(visit)) (actions::looked_at(case))
            section {
                h2 { (visit.say(texts::GOODS_ITEMS)) }
                p class="help" { (visit.say(texts::RESULT_INTRO)) }
                @for (number, item) in items(case) { (item_part(visit, case, standing, hints, number, item)) }
            }
            (code_part(visit, way, standing))
            (rest_part(visit, case, standing))
            div class="result-send" {
                button class="primary" { (visit.say(texts::RESULT_SEND)) }
                @if way == Action::Complete { p class="help" { (visit.say(texts::RESULT_UNDO)) } }
            }
        }
    };
    Page::new(visit, Room::Declarations, title).show(&content)
}

fn mend_summary(visit: &Visit, standing: &Standing) -> Markup {
    html! {
        @if !standing.problems.is_empty() || !standing.findings.is_empty() {
            div class="notice bad" role="alert" {
                h2 { (visit.say(texts::RESULT_MEND)) }
                ul { @for (name, text) in &standing.problems { li { a href={ "#" (id_of(name)) } { (visit.say(*text)) } } } }
                (findings_list(visit, &standing.findings))
            }
        }
    }
}

fn id_of(name: &str) -> String {
    name.replace('.', "-")
}

/// What is wrong with a field, told at it.
fn problem(visit: &Visit, standing: &Standing, name: &str) -> Markup {
    html! { @if let Some(text) = standing.problem(name) { p class="field-error" id={ (id_of(name)) "-error" } { (visit.say(text)) } } }
}

fn described(standing: &Standing, name: &str) -> Option<String> {
    standing.problem(name).map(|_| format!("{}-error", id_of(name)))
}

fn item_part(
    visit: &Visit,
    case: &CaseFile,
    standing: &Standing,
    hints: &[LookFor],
    number: u32,
    item: &GovernmentAgencyGoodsItem,
) -> Markup {
    let marked = hints.iter().any(|hint| hint.items.contains(&number));
    let touched =
        FIELDS.iter().any(|(field, _)| !standing.sent.text(&name_of_found(number, field)).is_empty());
    let few = items(case).len() <= ITEMS_OPEN_MAX;
    html! {
        details class="card item" open[marked || touched || few] {
            summary {
                (visit.fill(texts::ITEM_NUMBERED, &[("n", &number.to_string())])) " · "
                (item.commodity.description.as_deref().unwrap_or_default()) " "
                span class="soft" { (if touched { visit.say(texts::FOUND_OTHERWISE) } else { visit.say(texts::AS_DECLARED) }) }
            }
            div class="compare" {
                @for (field, _) in FIELDS {
                    @let name = name_of_found(number, field);
                    @let own = declared(item, field);
                    div class="compare-row" {
                        label for=(id_of(&name)) { (visit.named("found", field)) }
                        span class="compare-declared" { span class="unseen" { (visit.say(texts::DECLARED)) ": " } @if own.is_empty() { (absent()) } @else { (own) } }
                        div {
                            input id=(id_of(&name)) name=(name) value=(standing.sent.text(&name)) maxlength=(FOUND_CHARACTERS_MAX) autocomplete="off"
                                placeholder=(visit.say(texts::RESULT_FOUND)) aria-invalid=[standing.problem(&name).map(|_| "true")] aria-describedby=[described(standing, &name)];
                            (problem(visit, standing, &name))
                        }
                    }
                }
                (kind_row(visit, standing, number))
            }
        }
    }
}

fn kind_row(visit: &Visit, standing: &Standing, number: u32) -> Markup {
    let name = format!("kind.{number}");
    html! {
        div class="compare-row" {
            label for=(id_of(&name)) { (visit.say(texts::RESULT_ITEM_KIND)) }
            span {}
            select id=(id_of(&name)) name=(name) {
                option value="" { (visit.say(texts::KIND_BY_FIELD)) }
                @for kind in KINDS { option value=(kind) selected[standing.sent.text(&name) == kind] { (visit.named("fault", kind)) } }
            }
        }
    }
}

/// The code, each with what will happen.
fn code_part(visit: &Visit, way: Action, standing: &Standing) -> Markup {
    let family = if way == Action::CloseAudit { "after_audit" } else { "after_control" };
    html! {
        fieldset class="plain codes" id="code" aria-describedby=[described(standing, "code")] {
            legend { (visit.say(texts::RESULT_CODE)) }
            (problem(visit, standing, "code"))
            @for code in ResultCode::ALL {
                label class="code-choice" {
                    input type="radio" name="code" value=(code.name()) checked[standing.sent.text("code") == code.name()];
                    span {
                        (findings::code_chip(visit, code))
                        span class="help" { (visit.named(family, code.name())) }
                    }
                }
            }
        }
    }
}

fn rest_part(visit: &Visit, case: &CaseFile, standing: &Standing) -> Markup {
    let sent = &standing.sent;
    let currency = match sent.text("currency") {
        "" => case.row.currency.as_deref().unwrap_or_default(),
        written => written,
    };
    let bound = u64::try_from(customhouse::declarations::DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
    let help =
        visit.fill(texts::RESULT_EVIDENCE_HELP, &[("files", &FILES_MAX.to_string()), ("size", &size(bound))]);
    html! {
        section class="stack" {
            div class="amount" {
                div {
                    label for="recovered" { (visit.say(texts::RECOVERED_REVENUE)) }
                    input id="recovered" name="recovered" inputmode="decimal" value=(sent.text("recovered")) autocomplete="off"
                        aria-invalid=[standing.problem("recovered").map(|_| "true")] aria-describedby=[described(standing, "recovered")];
                }
                div {
                    label for="currency" { (visit.say(texts::RESULT_CURRENCY)) }
                    input id="currency" name="currency" class="short" value=(currency) maxlength="3" autocomplete="off" spellcheck="false"
                        aria-invalid=[standing.problem("currency").map(|_| "true")] aria-describedby=[described(standing, "currency")];
                }
            }
            (problem(visit, standing, "recovered")) (problem(visit, standing, "currency"))
            label for="note" { (visit.say(texts::RESULT_NOTE)) }
            textarea id="note" name="note" rows="4" maxlength="4000" aria-describedby="note-help" aria-invalid=[standing.problem("note").map(|_| "true")] { (sent.text("note")) }
            (problem(visit, standing, "note"))
            p class="help" id="note-help" { (visit.say(texts::RESULT_NOTE_HELP)) }
            label for="evidence" { (visit.say(texts::EVIDENCE)) }
            @if !sent.kept.is_empty() {
                p { (visit.say(texts::RESULT_EVIDENCE_KEPT)) ": " @for own in &sent.kept { input type="hidden" name="kept" value=(evidence::carried(own)); span class="chip good" { (own.description) } " " } }
            }
            input id="evidence" type="file" name="evidence" multiple accept="image/jpeg,image/png,image/webp,application/pdf" aria-describedby="evidence-help";
            (problem(visit, standing, "evidence"))
            p class="help" id="evidence-help" { (help) }
        }
    }
}
