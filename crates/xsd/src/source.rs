//! The files of a schema: found by the places that `include` and `import` name, within the files that were given.

use std::collections::{BTreeMap, BTreeSet};

use markup::{Limits, Reader, Token};
use roxmltree::{Document, Node, ParsingOptions};

use crate::error::{Fault, SchemaError};

/// The namespace of XML Schema itself.
pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// Files of one schema.
const FILES_MAX: usize = 256;
/// Files that lead to each other in a row.
const CHAIN_MAX: usize = 32;
/// Bytes of one file.
const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Elements within each other in a schema. What is compiled recursively follows this nesting.
const DEPTH_MAX: usize = 64;
/// Attributes of one element of a schema, and namespaces declared at one place.
const ATTRIBUTES_MAX: usize = 256;

/// A schema's files by the paths they name each other with, such as `wco/declaration/WCO_DEC_2_DMS.xsd`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One file, as part of one namespace.
#[derive(Debug)]
pub(crate) struct Unit<'f> {
    pub(crate) path: String,
    pub(crate) document: Document<'f>,
    /// Empty for none. A file without a namespace of its own has that of the file which includes it.
    pub(crate) target: String,
    /// Local elements are in the target namespace.
    pub(crate) elements_qualified: bool,
    /// Local attributes are in the target namespace.
    pub(crate) attributes_qualified: bool,
}

impl Unit<'_> {
    pub(crate) fn fault(&self, fault: Fault, node: Node<'_, '_>, detail: impl Into<String>) -> SchemaError {
        fault.at(&self.path, line_of(node), detail)
    }

    /// Namespace and local name of a reference written at a node.
    pub(crate) fn resolve<'a>(
        &'a self,
        node: Node<'a, '_>,
        written: &'a str,
    ) -> Result<(&'a str, &'a str), SchemaError> {
        let (prefix, local) = match written.trim().split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, written.trim()),
        };
        if prefix == Some("xml") {
            return Ok((markup::XML, local));
        }
        match (node.lookup_namespace_uri(prefix), prefix) {
            (Some(uri), _) => Ok((uri, local)),
            // In a file that takes its includer's namespace, so do names without a prefix.
            (None, None) if self.document.root_element().attribute("targetNamespace").is_none() => {
                Ok((&self.target, local))
            }
            (None, None) => Ok(("", local)),
            (None, Some(prefix)) => Err(self.fault(
                Fault::ReferenceUnknown,
                node,
                format!("the prefix {prefix} of {written} is bound to no namespace"),
            )),
        }
    }
}

pub(crate) fn line_of(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

/// Is it an element of XML Schema with this name?
pub(crate) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().namespace() == Some(XSD) && node.tag_name().name() == name
}

/// Child elements of XML Schema that say something; annotations do not.
pub(crate) fn children<'a, 'f>(node: Node<'a, 'f>) -> impl Iterator<Item = Node<'a, 'f>> {
    node.children().filter(|child| child.is_element() && !is(*child, "annotation"))
}

/// Everything that belongs to one schema.
#[derive(Debug)]
pub(crate) struct Sources<'f> {
    pub(crate) units: Vec<Unit<'f>>,
    /// What was imported and left aside, in words.
    pub(crate) notes: Vec<String>,
}

/// Reads the entry file and what it leads to.
pub(crate) fn load<'f>(files: &'f Files, entry: &str) -> Result<Sources<'f>, SchemaError> {
    let mut loader = Loader {
        files,
        units: Vec::new(),
        notes: Vec::new(),
        seen: BTreeSet::new(),
        imported: BTreeMap::new(),
    };
    let entry = joined("", entry);
    loader.file(&entry, Reached::AsEntry, (&entry, 0), 0)?;
    Ok(Sources { units: loader.units, notes: loader.notes })
}

/// How a file was reached, which decides about its namespace.
#[derive(Debug, Clone, Copy)]
enum Reached<'a> {
    AsEntry,
    /// By a file of this namespace.
    Included(&'a str),
    /// For this namespace.
    Imported(&'a str),
}

struct Loader<'f> {
    files: &'f Files,
    units: Vec<Unit<'f>>,
    notes: Vec<String>,
    seen: BTreeSet<(String, String)>,
    imported: BTreeMap<String, String>,
}

impl<'f> Loader<'f> {
    fn file(
        &mut self,
        path: &str,
        reached: Reached<'_>,
        from: (&str, u32),
        chain: usize,
    ) -> Result<(), SchemaError> {
        if chain > CHAIN_MAX || self.units.len() >= FILES_MAX {
            return Err(Fault::TooLarge.at(
                path,
                0,
                format!("a schema may have {FILES_MAX} files, {CHAIN_MAX} in a row"),
            ));
        }
        let unit = self.parse(path, reached, from)?;
        if matches!(reached, Reached::AsEntry) {
            self.imported.insert(unit.target.clone(), path.to_owned());
        }
        if !self.seen.insert((path.to_owned(), unit.target.clone())) {
            return Ok(());
        }
        let target = unit.target.clone();
        let further: Vec<Further> = children(unit.document.root_element())
            .filter_map(|node| further(&unit, node).transpose())
            .collect::<Result<_, _>>()?;
        self.units.push(unit);
        for next in further {
            self.follow(path, &target, &next, chain)?;
        }
        Ok(())
    }

    fn follow(&mut self, path: &str, target: &str, next: &Further, chain: usize) -> Result<(), SchemaError> {
        let chain = chain.saturating_add(1);
        let from = (path, next.line);
        match &next.namespace {
            None => {
                let place = joined(path, next.location.as_deref().unwrap_or_default());
                self.file(&place, Reached::Included(target), from, chain)
            }
            Some(namespace) => {
                let Some(location) = &next.location else { return Ok(()) };
                let place =
                    if self.files.contains_key(location) { location.clone() } else { joined(path, location) };
                // Attributes such as xml:lang are known without their file.
                if namespace == markup::XML && !self.files.contains_key(&place) {
                    return Ok(());
                }
                // The place is a hint: a namespace comes from the first file that was named for it.
                if let Some(first) = self.imported.get(namespace) {
                    if *first != place {
                        self.notes.push(format!(
                            "{path}:{}: {namespace} comes from {first}; {place} was left aside",
                            next.line
                        ));
                    }
                    return Ok(());
                }
                self.imported.insert(namespace.clone(), place.clone());
                self.file(&place, Reached::Imported(namespace), from, chain)
            }
        }
    }

    fn parse(
        &self,
        path: &str,
        reached: Reached<'_>,
        (from, line): (&str, u32),
    ) -> Result<Unit<'f>, SchemaError> {
        let bytes = self
            .files
            .get(path)
            .ok_or_else(|| Fault::FileMissing.at(from, line, format!("there is no file {path}")))?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(Fault::TooLarge.at(path, 0, format!("a file may have {FILE_BYTES_MAX} bytes")));
        }
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
            .map_err(|error| Fault::NotUtf8.at(path, 0, error.to_string()))?;
        check_markup(path, text)?;
        let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options)
            .map_err(|error| Fault::NotWellFormed.at(path, error.pos().row, error.to_string()))?;
        let root = document.root_element();
        if !is(root, "schema") {
            return Err(Fault::NotASchema.at(path, line_of(root), "its root is not schema of XML Schema"));
        }
        let own = root.attribute("targetNamespace");
        let target = match (reached, own) {
            (Reached::AsEntry, own) => own.unwrap_or_default(),
            (Reached::Included(by), None) => by,
            (Reached::Included(by), Some(own)) if own == by => own,
            (Reached::Imported(namespace), own) if own.unwrap_or_default() == namespace => namespace,
            (Reached::Included(wanted) | Reached::Imported(wanted), own) => {
                return Err(Fault::NamespaceMismatch.at(
                    from,
                    line,
                    format!("{path} has the namespace \"{}\", not \"{wanted}\"", own.unwrap_or_default()),
                ));
            }
        }
        .to_owned();
        let qualified = |name: &str| match root.attribute(name) {
            None | Some("unqualified") => Ok(false),
            Some("qualified") => Ok(true),
            Some(other) => {
                Err(Fault::ValueInvalid.at(path, line_of(root), format!("{name} cannot be \"{other}\"")))
            }
        };
        let (elements_qualified, attributes_qualified) =
            (qualified("elementFormDefault")?, qualified("attributeFormDefault")?);
        Ok(Unit { path: path.to_owned(), document, target, elements_qualified, attributes_qualified })
    }
}

/// The parser of schemas goes down with the markup, and so does the compiler: what they are given is bounded before.
fn check_markup(path: &str, text: &str) -> Result<(), SchemaError> {
    let limits = Limits {
        depth_max: DEPTH_MAX,
        nodes_max: usize::MAX,
        attributes_max: ATTRIBUTES_MAX,
        namespaces_max: ATTRIBUTES_MAX,
    };
    let read = Reader::new(text, limits).and_then(|mut reader| {
        loop {
            if reader.token()? == Token::Eof {
                return Ok(());
            }
        }
    });
    read.map_err(|broken| {
        let before = text.get(..broken.at).unwrap_or(text);
        let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1);
        let fault = match broken.code {
            "xml_not_well_formed" | "xml_document_type" => Fault::NotWellFormed,
            _ => Fault::TooLarge,
        };
        fault.at(path, line, broken.expected)
    })
}

/// An `include` (no namespace) or an `import`.
struct Further {
    namespace: Option<String>,
    location: Option<String>,
    line: u32,
}

fn further(unit: &Unit<'_>, node: Node<'_, '_>) -> Result<Option<Further>, SchemaError> {
    let location = node.attribute("schemaLocation").map(str::to_owned);
    let line = line_of(node);
    if is(node, "include") {
        if location.is_none() {
            return Err(unit.fault(Fault::AttributeMissing, node, "include needs schemaLocation"));
        }
        return Ok(Some(Further { namespace: None, location, line }));
    }
    if is(node, "import") {
        let namespace = node.attribute("namespace").unwrap_or_default().to_owned();
        if namespace == unit.target {
            return Err(unit.fault(Fault::NamespaceMismatch, node, "a file cannot import its own namespace"));
        }
        return Ok(Some(Further { namespace: Some(namespace), location, line }));
    }
    Ok(None)
}

/// A place named in a file, as a path from where the files were named.
fn joined(from: &str, location: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(location.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            other => steps.push(other),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_joined_as_a_reader_of_files_would() {
        for (from, location, expected) in [
            ("a.xsd", "b.xsd", "b.xsd"),
            ("x/a.xsd", "b.xsd", "x/b.xsd"),
            ("x/y/a.xsd", "../b.xsd", "x/b.xsd"),
            ("x/a.xsd", "./y/../b.xsd", "x/b.xsd"),
            ("a.xsd", "../b.xsd", "../b.xsd"),
        ] {
            assert_eq!(joined(from, location), expected, "{from} {location}");
        }
    }
}
