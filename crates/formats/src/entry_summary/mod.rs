//! Entry summary declarations of the EU's Import Control System (IE315) and their amendments (IE313): what matters of
//! them is read, and what customs answers is written. See `docs/messages.md`.
//!
//! Only schemas of what is sent in are public. The answers follow the same conventions and the names of elements that
//! the public messages and the functional specification of the system use; no schema was at hand to hold them against.

mod answer;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spine::Finding;
use spine::tree::{NodeId, Tree};

use crate::declaration::shape::Rule;
use crate::declaration::{dms, value};
use crate::xml::read_xml;
use crate::xml_reading::Reading;

pub use answer::{Answer, AnswerHead, FunctionalError, Outcome, write_answer};

/// What matters of an entry summary declaration. Texts are as they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntrySummary {
    /// Is it an amendment (CC313A)?
    pub amends: bool,
    /// Sender of the message (`MesSenMES3`).
    pub sender: Option<String>,
    /// The sender's identification of the message (`MesIdeMES19`).
    pub message_id: Option<String>,
    /// Local reference number (`RefNumHEA4`); an amendment has none.
    pub lrn: Option<String>,
    /// Number of the declaration that is amended (`DocNumHEA5`).
    pub mrn: Option<String>,
    /// Who lodges it (`PERLODSUMDEC/TINPLD1`).
    pub lodging_person: Option<String>,
    /// Who acts for them (`TRAREP/TINTRE1`).
    pub representative: Option<String>,
    /// Who brings the goods in (`TRACARENT601/TINTRACARENT602`).
    pub carrier: Option<String>,
    /// Office of first entry (`CUSOFFFENT730/RefNumCUSOFFFENT731`).
    pub first_entry_office: Option<String>,
    /// When the goods are expected there, as it was sent: `CCYYMMDDhhmm`.
    pub expected_arrival: Option<String>,
    /// Mode of transport at the border (`TraModAtBorHEA76`): 1 sea, 4 air, and so on.
    pub transport_mode: Option<String>,
    /// Identification of the means of transport.
    pub transport_id: Option<String>,
    /// Goods items that the message holds.
    pub items: u32,
    /// Identifications (TIN) of everybody that the message names, each once; at most [`EntrySummary::PARTIES_MAX`].
    #[serde(default)]
    pub parties: Vec<String>,
}

impl EntrySummary {
    /// Parties that are told.
    pub const PARTIES_MAX: usize = 10_000;
}

/// Reads an entry summary declaration, alone or in an envelope of a service. Whether it is *right* is for schema and
/// rules to say: here an error means that it is none, or that a text is beyond any bound.
pub fn read_entry_summary(bytes: &[u8]) -> Result<EntrySummary, Vec<Finding>> {
    let document = read_xml(bytes, dms::BOUNDS).map_err(|finding| vec![finding])?;
    let tree = &document.tree;
    let root = tree.root();
    let name = tree.node(root).map_or("", |node| node.name);
    let amends = match name {
        "CC315A" => false,
        "CC313A" => true,
        other => {
            return Err(vec![
                Finding::error("entry_summary_not_found")
                    .found(other)
                    .expected("an entry summary declaration (CC315A) or its amendment (CC313A)")
                    .fix("Send the message itself, without another one around it."),
            ]);
        }
    };
    let mut reading = Reading::new(tree, document.findings.clone());
    let summary = summary(&mut reading, root, amends);
    reading.finish(summary).map(|(summary, _)| summary)
}

fn summary(reading: &mut Reading<'_>, root: NodeId, amends: bool) -> EntrySummary {
    let mut text = |group: &str, name: &str| {
        let at = if group.is_empty() { root } else { reading.child(root, group)? };
        reading.parsed(at, name, |text| value::text(text.into(), Rule::Identifier))
    };
    let mut summary = EntrySummary {
        amends,
        sender: text("", "MesSenMES3"),
        message_id: text("", "MesIdeMES19"),
        lrn: text("HEAHEA", "RefNumHEA4"),
        mrn: text("HEAHEA", "DocNumHEA5"),
        lodging_person: text("PERLODSUMDEC", "TINPLD1"),
        representative: text("TRAREP", "TINTRE1"),
        carrier: text("TRACARENT601", "TINTRACARENT602"),
        first_entry_office: text("CUSOFFFENT730", "RefNumCUSOFFFENT731"),
        expected_arrival: text("CUSOFFFENT730", "ExpDatOfArrFIRENT733"),
        transport_mode: text("HEAHEA", "TraModAtBorHEA76"),
        transport_id: text("HEAHEA", "IdeOfMeaOfTraCroHEA85"),
        items: 0,
        parties: parties(reading.tree),
    };
    summary.items = u32::try_from(reading.children(root, "GOOITEGDS").len()).unwrap_or(u32::MAX);
    summary
}

/// What stands in elements whose names begin with TIN, whoever it stands for.
fn parties(tree: &Tree) -> Vec<String> {
    let nodes = (0..u32::try_from(tree.len()).unwrap_or(u32::MAX)).filter_map(|id| tree.node(NodeId(id)));
    let named = nodes.filter(|node| node.name.starts_with("TIN") && !node.text.is_empty());
    let parties: BTreeSet<&str> = named.map(|node| node.text).take(EntrySummary::PARTIES_MAX).collect();
    parties.into_iter().map(str::to_owned).collect()
}
