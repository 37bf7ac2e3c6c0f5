//! The targeting audit as a report: one HTML file that needs no network, and the same as a page.
//!
//! Everything a reader needs stands in the markup: both languages, the plots as drawings, every table whole. The
//! script only adds sorting, filtering and the switches for language and theme, so the file prints, can be mailed,
//! and reads without it. Plots are drawn here as SVG rather than by a charting script: a report stays near the size
//! of its tables (a charting library alone would add some 600 kB to each), its lines are coloured by the design
//! tokens of both themes, and what is printed is what is seen.
//!
//! Texts stand in `texts/report.toml`; sentences of the audit come from the audit.

mod data;
mod integrity;
mod leakage;
mod method;
mod plans;
mod plot;
mod rates;
mod summary;
mod table;
mod words;

use base64::Engine as _;
use customhouse::audit::AuditReport;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use spine::Language;

use words::say;

/// Styles and script of a report in a file of its own.
#[derive(Debug, Clone, Copy)]
pub struct ReportAssets<'a> {
    /// Style sheet, design tokens among it.
    pub style: &'a str,
    /// Script.
    pub script: &'a str,
}

/// The report as one HTML file. `language` is the one in which it opens; both are inside.
#[must_use]
pub fn render_report(report: &AuditReport, language: Language, assets: ReportAssets<'_>) -> String {
    let policy = format!(
        "default-src 'none'; img-src data:; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        integrity_of(assets.style),
        integrity_of(assets.script)
    );
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (words::plain("title", language)) }
                link rel="icon" href="data:,";
                style { (PreEscaped(assets.style)) }
            }
            body class="report-file" {
                a class="skip-link" href="#summary" { (say("skip")) }
                main { (body(report, language)) }
                script { (PreEscaped(assets.script)) }
            }
        }
    }
    .into_string()
}

/// The report without the page around it.
#[must_use]
pub fn body(report: &AuditReport, language: Language) -> Markup {
    let sections = sections(report);
    // Pages speak four languages, the report two.
    let shown = if language == Language::Zh { Language::Zh } else { Language::En };
    html! {
        article class="report" data-language=(shown.code()) {
            (summary::head(report))
            nav class="report-contents" aria-label=(words::plain("contents", shown)) {
                ul {
                    @for (id, _) in &sections {
                        li { a href={ "#" (id) } { (say(&format!("section_{id}"))) } }
                    }
                }
            }
            @for (id, content) in &sections {
                section id=(id) aria-labelledby={ "heading-" (id) } {
                    h2 id={ "heading-" (id) } { (say(&format!("section_{id}"))) }
                    (content)
                }
            }
            footer class="report-foot" {
                p { (say("foot")) }
            }
        }
    }
}

/// The parts in the order in which they are read; what the records do not allow is left out, and a statement of the
/// summary says why.
fn sections(report: &AuditReport) -> Vec<(&'static str, Markup)> {
    let audit = &report.audit;
    let mut sections = vec![
        ("summary", summary::section(report)),
        ("population", data::population(report)),
        ("quality", data::quality(report)),
    ];
    if let Some(rates) = &audit.hit_rates {
        sections.push(("hit_rates", rates::section(rates, audit)));
    }
    if let Some(curve) = &audit.curve {
        sections.push(("curve", rates::curve(curve, audit)));
    }
    if let Some(leakage) = &audit.leakage {
        sections.push(("leakage", leakage::section(leakage, audit)));
    }
    if let Some(integrity) = &audit.integrity {
        sections.push(("integrity", integrity::section(integrity, audit)));
    }
    if let Some(plans) = &audit.plans {
        sections.push(("plans", plans::section(plans, audit)));
    }
    sections.push(("method", method::section(report)));
    sections
}

/// The word SIMULATED beside a figure that was made from simulated records.
fn simulated_mark(simulated: bool) -> Markup {
    html! { @if simulated { strong class="simulated" { (say("simulated")) } } }
}

/// Source expression of a content security policy for an inline style or script.
fn integrity_of(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text)))
}
