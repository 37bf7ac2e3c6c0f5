//! Bytes to a [`Declaration`] and back, in two forms of one shape: JSON with the WCO Data Model's names in
//! snake_case, and XML of its DMS profile. See `docs/declarations.md`.

mod check;
pub(crate) mod dms;
pub(crate) mod findings;
mod json;
pub(crate) mod names;
mod reader;
pub(crate) mod shape;
mod tree;
pub(crate) mod value;

use spine::Finding;
use spine::declaration::Declaration;
use spine::tree::{NodeId, Tree};

use crate::xml::{XmlDocument, read_xml};
use findings::Findings;
use reader::{Node, Reader};
use shape::Name;

pub use tree::{can_hold, place_in_json, responsible_country, tree_of};

/// Bytes of one declaration.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How a declaration is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// JSON: the classes of [`spine::declaration`].
    Json,
    /// XML: the DMS profile of the WCO Data Model 3.6 (`MetaData/Declaration`), alone or in the request of a service.
    DmsXml,
}

impl Form {
    /// The form that a media type means (RFC 6839: `+json` and `+xml` too); its parameters do not matter.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next()?.trim().to_ascii_lowercase();
        let (_, subtype) = media_type.split_once('/')?;
        match subtype.rsplit('+').next()? {
            "json" => Some(Self::Json),
            "xml" => Some(Self::DmsXml),
            _ => None,
        }
    }

    /// The form that the first bytes look like, behind byte-order marks and blanks.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        let marks_and_blanks = b"\xEF\xBB\xBF\xFE\xFF\0 \t\r\n";
        match bytes.iter().take(1024).find(|byte| !marks_and_blanks.contains(byte))? {
            b'{' | b'[' => Some(Self::Json),
            b'<' => Some(Self::DmsXml),
            _ => None,
        }
    }

    fn spelled(self, name: Name) -> &'static str {
        match self {
            Self::Json => name.json,
            Self::DmsXml => name.dms,
        }
    }
}

/// What was understood, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The declaration as far as it was understood; `None` where the bytes hold none. It may be accepted only where
    /// no finding is an error.
    pub declaration: Option<Declaration>,
    /// What is wrong or odd, in the order of the document, then of the checks; at most 201.
    pub findings: Vec<Finding>,
}

impl Understood {
    /// Can it be accepted: is there a declaration and no error?
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        let refused = self.findings.iter().any(|finding| finding.severity == spine::Severity::Error);
        self.declaration.is_some() && !refused
    }
}

/// Reads a declaration and checks its structure. What is understood is kept; what is not is a finding with its place:
/// `goods_shipment/government_agency_goods_item[2]/commodity` in JSON, the same classes under their own names in XML.
#[must_use]
pub fn read(bytes: &[u8], form: Form) -> Understood {
    let read = match form {
        Form::Json => read_json(bytes),
        Form::DmsXml => read_xml(bytes, dms::BOUNDS).and_then(|document| read_dms(&document)),
    };
    understood(form, read)
}

/// [`read`] of a declaration in XML that was parsed before.
#[must_use]
pub fn read_document(document: &XmlDocument) -> Understood {
    understood(Form::DmsXml, read_dms(document))
}

/// Checks the structure of what was read.
fn understood(form: Form, read: Result<(Declaration, Findings), Finding>) -> Understood {
    match read {
        Ok((declaration, findings)) => checked(form, declaration, findings),
        Err(finding) => Understood { declaration: None, findings: vec![finding] },
    }
}

/// Checks the structure of a declaration, and puts its codes into their canonical spelling.
pub(crate) fn checked(form: Form, mut declaration: Declaration, mut findings: Findings) -> Understood {
    check::check(form, &mut declaration, &mut findings);
    Understood { declaration: Some(declaration), findings: findings.into_vec() }
}

/// Reads what a request (function 13) says of a declaration; `beside` are elements that the request itself reads.
pub(crate) fn read_request(
    tree: &Tree,
    at: NodeId,
    beside: &'static [&'static str],
) -> (Declaration, Vec<Finding>) {
    let (declaration, findings) =
        Reader::read_request("13", beside, Node::Xml(tree, at), Findings::default());
    (declaration, findings.into_vec())
}

/// Names that lead from the root of a document to the declaration in it; none where it holds none, or several.
#[must_use]
pub fn path_in(document: &XmlDocument) -> Option<&'static [&'static str]> {
    dms::path_in(document)
}

/// The one declaration of a document as a tree for rules: places count from it, whatever envelope it came in. The
/// country that the envelope names as responsible is its attribute `@ResponsibleCountryCode`. None where there is no
/// declaration, or several.
#[must_use]
pub fn part_in(document: &XmlDocument) -> Option<Tree> {
    dms::part_in(document)
}

fn read_json(bytes: &[u8]) -> Result<(Declaration, Findings), Finding> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Finding::error("file_empty")
            .found(&format!("{} bytes", bytes.len()))
            .expected("a declaration as a JSON object")
            .fix("Send the declaration again; this holds nothing."));
    }
    if bytes.len() > BYTES_MAX {
        return Err(Finding::error("json_too_large")
            .found(&format!("{} bytes", bytes.len()))
            .expected(format!("at most {BYTES_MAX} bytes"))
            .fix("Split the declaration."));
    }
    let json = json::parse(bytes)?;
    if !matches!(json, json::Json::Object(_)) {
        return Err(value::wrong_kind(json.kind(), "one declaration as an object"));
    }
    Ok(Reader::read(Form::Json, Node::Json(&json), Findings::default()))
}

fn read_dms(document: &XmlDocument) -> Result<(Declaration, Findings), Finding> {
    let (at, odd) = dms::locate(document)?;
    let mut findings = Findings::default();
    document.findings.iter().cloned().chain(odd).for_each(|finding| findings.push(finding));
    Ok(Reader::read(Form::DmsXml, Node::Xml(&document.tree, at), findings))
}

/// Writes the JSON form, without blanks; [`read`] gives the declaration again.
#[must_use]
pub fn write_json(declaration: &Declaration) -> Vec<u8> {
    // Strings, numbers and lists are all there is: nothing in it can fail to be written.
    serde_json::to_vec(declaration).unwrap_or_default()
}

/// Writes the DMS form, UTF-8, in its envelope; [`read`] gives the declaration again.
#[must_use]
pub fn write_dms(declaration: &Declaration) -> Vec<u8> {
    dms::write(declaration).into_bytes()
}
