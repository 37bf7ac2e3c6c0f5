//! `tidewaiter pack check`: everything that can be said about a folder before it is installed.

use std::collections::BTreeMap;
use std::path::Path;

use spine::{Finding, Pointer, Severity};

use crate::content::{Limits, MANIFEST_PATH, Pack, PackError, read_folder, text_of};
use crate::external::{self, Recognition};
use crate::manifest::{PackKind, toml_finding};

/// Checks a folder: a pack with `pack.toml`, or what others publish. Findings carry file and line in their pointer
/// (`tags/valuation.toml:17`) and say how to mend it. Meaning (do a tag's conditions compile?) is for the room that
/// owns the kind; this checks the container, the TOML, the lists.
pub fn check(folder: &Path) -> Result<Vec<Finding>, PackError> {
    let (pack, mut findings) = load(folder)?;
    if let Some(pack) = pack {
        findings.extend(check_pack(&pack));
    }
    Ok(findings)
}

/// Reads a folder as a pack, or recognises it as a publication. `None` comes with at least one error finding.
pub fn load(folder: &Path) -> Result<(Option<Pack>, Vec<Finding>), PackError> {
    // Without its own pack.toml only the files that some publication consists of are read, whatever lies beside them.
    let own = folder.join(MANIFEST_PATH).is_file();
    let (files, findings) =
        read_folder(folder, Limits::default(), &|path: &str| own || external::wanted_by_any(path))?;
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok((None, findings));
    }
    Ok(load_files(files, own))
}

fn load_files(files: BTreeMap<String, Vec<u8>>, own: bool) -> (Option<Pack>, Vec<Finding>) {
    if own {
        return match Pack::from_files(files) {
            Ok(pack) if pack.manifest.external.is_some() => (
                None,
                vec![
                    Finding::error("pack_external_is_reserved")
                        .at(Pointer(MANIFEST_PATH.to_owned()))
                        .expected("a pack.toml without the field external")
                        .fix("Remove the field; or remove pack.toml to install a publication."),
                ],
            ),
            Ok(pack) => (Some(pack), Vec::new()),
            Err(findings) => (None, findings),
        };
    }
    match external::recognise(&files) {
        Recognition::Pack(pack, findings) => (Some(*pack), findings),
        Recognition::Refused(findings) => (None, findings),
    }
}

/// Checks a pack that has been read.
#[must_use]
pub fn check_pack(pack: &Pack) -> Vec<Finding> {
    let mut findings = Vec::new();
    if pack.manifest.external.is_some() {
        return findings;
    }
    for (path, bytes) in &pack.files {
        if !is_text(path) {
            continue;
        }
        match text_of(path, bytes) {
            Err(finding) => findings.push(finding),
            Ok(text) => {
                if let Some(at) =
                    text.lines().position(|line| line.ends_with('\r')).or_else(|| text.find('\r').map(|_| 0))
                {
                    findings.push(
                        Finding::error("carriage_return")
                            .at(Pointer(format!("{path}:{}", at.saturating_add(1))))
                            .expected("lines that end with a line feed only, so that the hash is the same everywhere")
                            .fix("Save the file with Unix line ends."),
                    );
                }
                if path.ends_with(".toml")
                    && let Err(error) = text.parse::<toml::Table>()
                {
                    findings.push(toml_finding(path, text, &error));
                }
            }
        }
    }
    if pack.manifest.kind == PackKind::Lists {
        let (definitions, more) = pack.list_definitions();
        if definitions.is_empty() && more.is_empty() {
            findings.push(empty_pack("a [[list]] in a .toml file"));
        }
        findings.extend(more);
    } else if pack.files.len() < 2 {
        findings.push(empty_pack("at least one file beside pack.toml"));
    }
    // The same unreadable file may have been found by two checks.
    findings.dedup();
    findings
}

fn empty_pack(expected: &str) -> Finding {
    Finding::error("pack_empty")
        .at(Pointer(MANIFEST_PATH.to_owned()))
        .expected(expected)
        .fix("Add the content, or remove the pack.")
}

fn is_text(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| matches!(extension, "toml" | "md" | "csv" | "txt" | "json"))
}
