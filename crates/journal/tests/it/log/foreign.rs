//! A verifier that is not ours reads our logs: a Go program on `golang.org/x/mod/sumdb`, which is what checks Go's own
//! checksum database. It accepts what we write, refuses what was changed, and names the same entry as we do.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use journal::log::{Against, LogProof, SignedCheckpoint, verify_log};
use tempfile::TempDir;

use super::sample::{Sample, known};
use super::support::Source;

/// Without Go the tests fail instead of being skipped.
const REQUIRED: &str = "TIDEWAITER_REQUIRE_GO";
/// Debian's place of Go packages.
const GOPATH: &str = "/usr/share/gocode";
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/main.go");

/// The bit that changes: the lowest ones of a hash's last base64 digit say nothing, and Go's reader, other than ours,
/// lets them be anything.
const BIT: u8 = 4;

/// The Go program, built for one test.
struct Foreign {
    program: PathBuf,
    _folder: TempDir,
}

impl Foreign {
    /// Builds it; nothing where Go or the package is not installed, and then says what is skipped.
    fn build() -> Option<Self> {
        let there = Path::new(GOPATH).join("src/golang.org/x/mod/sumdb/tlog").is_dir()
            && Command::new("go").arg("version").output().is_ok_and(|output| output.status.success());
        if !there {
            assert!(env::var_os(REQUIRED).is_none_or(|value| value != "1"), "Go or x/mod is not installed");
            println!("skipped: foreign verifier (Go)");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("foreign");
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-build");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(PROGRAM)
            .envs([("GO111MODULE", "off"), ("GOENV", "off"), ("GOFLAGS", ""), ("GOPATH", GOPATH)])
            .env("GOCACHE", cache)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some(Self { program, _folder: folder })
    }

    fn run(&self, arguments: &[PathBuf]) -> Verdict {
        let output = Command::new(&self.program).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let findings: Vec<_> = text.lines().filter_map(finding).collect();
        let expected = i32::from(!findings.is_empty());
        assert_eq!(output.status.code(), Some(expected), "{text}{}", String::from_utf8_lossy(&output.stderr));
        Verdict { findings }
    }
}

/// `finding INDEX PLACE: REASON`.
fn finding(line: &str) -> Option<(u64, String)> {
    let (index, rest) = line.strip_prefix("finding ")?.split_once(' ')?;
    Some((index.parse().unwrap(), rest.split_once(": ").unwrap().0.to_owned()))
}

/// What somebody finds wrong: indices of entries, and places.
#[derive(Debug)]
struct Verdict {
    findings: Vec<(u64, String)>,
}

impl Verdict {
    fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    /// The first entry that a finding about this file names.
    fn entry_at(&self, path: &str) -> Option<u64> {
        let at_path = self.findings.iter().filter(|(_, place)| place.split(" or ").any(|part| part == path));
        at_path.map(|(index, _)| *index).min()
    }
}

impl Sample {
    /// What Go says of the folder, and whether it continues these checkpoints.
    fn theirs(&self, foreign: &Foreign, seen: &[PathBuf]) -> Verdict {
        foreign.run(&[&["log".into(), self.path("log"), self.path("vkey")], seen].concat())
    }

    /// What we say.
    fn ours(&self, seen: Option<&PathBuf>) -> Verdict {
        let seen = seen.map(|path| SignedCheckpoint::parse(&fs::read(path).unwrap()).unwrap());
        let against = Against { seen: seen.as_ref(), ..Against::default() };
        let findings = match verify_log(&self.reader(), &known(), &against) {
            Ok(report) => report.findings.into_iter().map(|found| (found.index, found.place)).collect(),
            Err(_) => vec![(0, "checkpoint".to_owned())],
        };
        Verdict { findings }
    }
}

/// Changes a file, has both look, takes it back.
fn both_find(
    foreign: &Foreign,
    sample: &Sample,
    path: &str,
    change: &dyn Fn(&mut Vec<u8>),
    entry: Option<u64>,
) {
    let file = sample.path("log").join(path);
    let before = fs::read(&file).unwrap();
    let mut bytes = before.clone();
    change(&mut bytes);
    fs::write(&file, bytes).unwrap();
    let (theirs, ours) = (sample.theirs(foreign, &[]), sample.ours(None));
    let (their_entry, our_entry) = (theirs.entry_at(path), ours.entry_at(path));
    assert!(their_entry.is_some() && their_entry == our_entry, "{path}: {theirs:?} and {ours:?}");
    assert!(entry.is_none() || entry == our_entry, "{path}: {ours:?}");
    fs::write(&file, before).unwrap();
}

#[test]
fn go_recomputes_a_log_and_sees_it_continue_each_of_its_checkpoints() {
    let Some(foreign) = Foreign::build() else { return };
    for (count, step) in [(1, 1), (255, 100), (256, 256), (257, 90), (5_000, 700), (66_000, 30_000)] {
        let sample = Sample::of(Source::of(count), step);
        let theirs = sample.theirs(&foreign, &sample.checkpoints);
        assert!(theirs.holds() && sample.ours(sample.checkpoints.first()).holds(), "{count}: {theirs:?}");
    }
}

#[test]
fn go_finds_a_flipped_bit_in_any_kind_of_file_and_names_the_entry_that_we_name() {
    let Some(foreign) = Foreign::build() else { return };
    let sample = Sample::of(Source::of(66_000), 30_000);
    let check = |path: &str, place: usize, entry: Option<u64>| {
        both_find(&foreign, &sample, path, &|bytes| bytes[place] ^= BIT, entry);
    };
    check("tile/entries/000", 2, Some(0));
    check("tile/entries/200", 7_000, None);
    check("tile/entries/257.p/208", 9, Some(65_792));
    // A length: the bundle no longer splits.
    check("tile/entries/003", 1, Some(768));
    check("tile/0/100", 8_191, Some(25_855));
    check("tile/0/257.p/208", 33, Some(65_793));
    check("tile/1/000", 0, Some(0));
    check("tile/1/001.p/1", 31, Some(65_536));
    check("tile/2/000.p/1", 5, Some(0));
    let check = |path: &str, change: &dyn Fn(&mut Vec<u8>), entry: u64| {
        both_find(&foreign, &sample, path, change, Some(entry));
    };
    check("tile/entries/001", &|bytes| bytes.truncate(bytes.len() - 1), 256);
    check("tile/0/002", &|bytes| bytes.push(0), 512);
    check("tile/1/000", &Vec::clear, 0);
    assert!(sample.theirs(&foreign, &sample.checkpoints).holds() && sample.ours(None).holds());
}

/// Every file in a folder and below, as paths from `top`.
fn files_below(top: &Path, folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = entries
        .flat_map(|path| match path.is_dir() {
            true => files_below(top, &path),
            false => vec![path.strip_prefix(top).unwrap().to_str().unwrap().to_owned()],
        })
        .collect();
    files.sort();
    files
}

#[test]
fn go_and_we_agree_on_every_file_that_a_log_serves() {
    let Some(foreign) = Foreign::build() else { return };
    let sample = Sample::of(Source::of(5_000), 33);
    let top = sample.path("log");
    let files = files_below(&top, &top.join("tile"));
    // Those of earlier checkpoints are among them.
    assert!(files.iter().filter(|path| path.starts_with("tile/0/019.p/")).count() > 1, "{files:?}");
    for (number, path) in files.iter().enumerate() {
        both_find(
            &foreign,
            &sample,
            path,
            &|bytes| {
                let place = number * 7_919 % bytes.len();
                bytes[place] ^= BIT;
            },
            None,
        );
        both_find(&foreign, &sample, path, &|bytes| bytes.truncate(bytes.len() - 1), None);
    }
    assert!(sample.theirs(&foreign, &sample.checkpoints).holds() && sample.ours(None).holds());
}

#[test]
fn go_refuses_a_checkpoint_with_any_bit_of_what_was_signed_flipped() {
    let Some(foreign) = Foreign::build() else { return };
    let sample = Sample::of(Source::of(300), 300);
    let bytes = fs::read(sample.path("log/checkpoint")).unwrap();
    // Beyond it is the signature that Go passes over; we refuse that one too.
    let second = bytes.windows(4).rposition(|window| window == "\n—".as_bytes()).unwrap();
    for place in (0..second).step_by(3) {
        both_find(&foreign, &sample, "checkpoint", &|bytes| bytes[place] ^= BIT, Some(0));
    }
}

#[test]
fn go_sees_that_a_rewritten_history_is_not_the_one_it_saw() {
    let Some(foreign) = Foreign::build() else { return };
    let seen = Sample::of(Source::of(5_000), 2_000);
    // All files made anew, with the real key: nothing in them contradicts itself.
    let source = Source::of(6_000);
    source.0.lock().unwrap()[2_500] = b"another event".to_vec();
    let rewritten = Sample::of(source, 2_000);
    assert!(rewritten.theirs(&foreign, &[]).holds());
    for (checkpoint, holds) in seen.checkpoints.iter().zip([true, false, false]) {
        let theirs = rewritten.theirs(&foreign, std::slice::from_ref(checkpoint));
        let ours = rewritten.ours(Some(checkpoint));
        assert_eq!((theirs.holds(), ours.holds()), (holds, holds), "{}", checkpoint.display());
    }
    // The one that was seen is longer than what is shown.
    let shorter = Sample::of(Source::of(4_000), 4_000);
    let last = seen.checkpoints.last().unwrap();
    assert!(
        !shorter.theirs(&foreign, std::slice::from_ref(last)).holds() && !shorter.ours(Some(last)).holds()
    );
}

#[test]
fn go_accepts_our_proof_files_and_none_with_a_flipped_bit() {
    let Some(foreign) = Foreign::build() else { return };
    let sample = Sample::of(Source::of(5_000), 700);
    let mut arguments = vec!["proofs".into(), sample.path("vkey")];
    for index in [0, 1, 255, 256, 700, 2_500, 4_999] {
        let (mut proof, entry) = sample.proof(index);
        proof.extra = (index == 700).then(|| b"for whom it may concern".to_vec());
        let files = [format!("{index}.tlog-proof"), format!("{index}.entry")].map(|name| sample.path(&name));
        fs::write(&files[0], proof.to_string()).unwrap();
        fs::write(&files[1], entry).unwrap();
        arguments.extend(files);
    }
    let theirs = foreign.run(&arguments);
    assert!(theirs.holds(), "{theirs:?}");

    let (proof, entry) = sample.proof(2_500);
    let bytes = proof.to_string().into_bytes();
    let second = bytes.windows(4).rposition(|window| window == "\n—".as_bytes()).unwrap();
    let mut arguments = vec!["proofs".into(), sample.path("vkey")];
    for place in 0..second {
        let mut changed = bytes.clone();
        changed[place] ^= BIT;
        let verified = LogProof::parse(&changed).and_then(|proof| proof.verify(&entry, &known()));
        assert!(verified.is_err(), "byte {place}");
        let file = sample.path(&format!("{place}.changed"));
        fs::write(&file, changed).unwrap();
        arguments.extend([file, sample.path("2500.entry")]);
    }
    // The right proof of another entry.
    arguments.extend([sample.path("2500.tlog-proof"), sample.path("700.entry")]);
    let theirs = foreign.run(&arguments);
    assert_eq!(theirs.findings.len(), second + 1, "{theirs:?}");
}
