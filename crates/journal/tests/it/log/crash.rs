//! `kill -9` of a process with a journal and its log on the real disk: what was published stays, the log goes on, and
//! it verifies against the journal.
//!
//! The test starts itself again as a child, as the journal's own crash test does.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use journal::log::tree::root_of_size;
use journal::log::writer::JournalEntries;
use journal::log::{Against, DiskFiles, Files, LogIdentity, LogReader, LogSettings, LogWriter, verify_log};
use journal::{Journal, SqliteJournal};

use super::support::key;
use crate::support::{numbers, options};

const CHILD_FOLDER: &str = "TIDEWAITER_LOG_CRASH_CHILD_FOLDER";
const KILLS: u64 = 8;

fn start(folder: &Path) -> (Arc<SqliteJournal>, LogWriter) {
    let journal = Arc::new(SqliteJournal::open(&options(folder)).unwrap());
    let files = Arc::new(DiskFiles::open(&folder.join("log")).unwrap());
    let memory: Option<Arc<dyn Files>> = Some(Arc::new(DiskFiles::open(&folder.join("memory")).unwrap()));
    let identity = LogIdentity { memory, ..LogIdentity::new(key(1)) };
    let settings = LogSettings { checkpoint_every: Duration::from_millis(1), ..LogSettings::default() };
    let writer = LogWriter::start(journal.clone(), files, identity, settings).unwrap();
    (journal, writer)
}

/// The child: appends until it is killed and prints each checkpoint that it sees. As a test of its own it does nothing.
#[test]
fn child() {
    let Ok(folder) = env::var(CHILD_FOLDER) else { return };
    let (journal, writer) = start(Path::new(&folder));
    println!("READY");
    for number in 0_u64.. {
        let batch = usize::try_from(number * 7 % 90).unwrap() + 1;
        let last = journal.append(numbers("s", &vec![number; batch])).unwrap().last_position();
        if number % 3 == 0 {
            assert!(writer.wait_until_logged(last, Duration::from_secs(60)) >= last);
            let checkpoint = writer.checkpoint().unwrap();
            println!("PUBLISHED {} {}", checkpoint.checkpoint().size, checkpoint.checkpoint().root);
        }
    }
}

fn published(lines: &[String]) -> BTreeMap<u64, String> {
    let words = lines.iter().filter_map(|line| line.split_once("PUBLISHED ")?.1.split_once(' '));
    words.map(|(size, root)| (size.parse().unwrap(), root.to_owned())).collect()
}

#[test]
fn what_was_published_survives_kill_9_and_the_log_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = BTreeMap::new();
    for kill in 0..KILLS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "log::crash::child", "--nocapture", "--test-threads=1"])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Killed after so many lines, in the midst of whatever the log's thread then does.
        let mut lines: Vec<String> = output.by_ref().take(usize::try_from(kill * 3 + 3).unwrap()).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        lines.extend(output);
        seen.extend(published(&lines));

        let reader = LogReader::new(Arc::new(DiskFiles::existing(&folder.path().join("log")).unwrap()));
        let last = seen.last_key_value().map_or(0, |(size, _)| *size);
        let on_disk = reader.checkpoint().unwrap().map_or(0, |checkpoint| checkpoint.checkpoint().size);
        assert!(on_disk >= last, "kill {kill}: a published checkpoint is lost");
        let (journal, writer) = start(folder.path());
        if journal.head() == 0 {
            continue;
        }
        assert!(writer.wait_until_logged(journal.head(), Duration::from_secs(60)) >= journal.head());
        assert_eq!(writer.stopped(), None);
        drop(writer);
        let source = JournalEntries(journal);
        let against = Against { source: Some(&source), ..Against::default() };
        let report = verify_log(&reader, &[key(1).verifier().clone()], &against).unwrap();
        assert!(report.holds(), "kill {kill}: {:?}", report.findings);
        // Every checkpoint that anybody saw is of the history that there is now.
        for (size, root) in &seen {
            let now = root_of_size(&mut reader.tree(*size), *size).unwrap();
            assert_eq!(now.to_string(), *root, "kill {kill}: {size}");
        }
    }
    assert!(seen.len() > 15, "{}", seen.len());
}
