//! The private key stays private, and its change is for everybody to follow.

use std::sync::Arc;

use journal::log::files::{DiskFiles, Durably};
use journal::log::{Files, Integrator, KeyFile, KeyHistory, LogIdentity, LogReader, verify_log};

use super::support::{ORIGIN, Source, catch_up};

#[test]
fn a_key_is_made_once_and_only_its_owner_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = DiskFiles::open(&folder.path().join("log")).unwrap();
    let path = folder.path().join("keys/log.key");
    let file = KeyFile::new(&path, ORIGIN, log.folder()).unwrap();
    let key = file.open_or_make(&log).unwrap();
    assert_eq!(file.open_or_make(&log).unwrap().verifier(), key.verifier());
    let other = KeyFile::new(&path, "other.example", log.folder()).unwrap();
    assert_eq!(other.open_or_make(&log).unwrap_err().code(), "log_of_another");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = file.open_or_make(&log).unwrap_err();
        assert_eq!(error.code(), "log_key_exposed");
        assert!(error.to_string().contains("0640") && error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_key_inside_the_served_folder_is_refused_on_whatever_way_it_gets_there() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let keys = folder.path().join("keys");
    std::fs::create_dir_all(log.join("inner")).unwrap();
    std::fs::create_dir_all(&keys).unwrap();
    let refused = |path: &std::path::Path| {
        let error = KeyFile::new(path, ORIGIN, &log).unwrap_err();
        assert_eq!(error.code(), "log_key_in_served_folder", "{}", path.display());
    };
    refused(&log.join("log.key"));
    refused(&log.join("inner/deeper/log.key"));
    refused(&keys.join("../log/log.key"));
    assert!(!log.join("inner/deeper").exists());
    let error = KeyFile::new(&keys.join("missing/../../log/log.key"), ORIGIN, &log).unwrap_err();
    assert_eq!(error.code(), "log_malformed");
    // A log whose folder is not there yet.
    let error = KeyFile::new(&keys.join("new/log.key"), ORIGIN, &keys.join("new")).unwrap_err();
    assert_eq!(error.code(), "log_key_in_served_folder");
    assert!(KeyFile::new(&keys.join("log.key"), ORIGIN, &log).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(&log, folder.path().join("alias")).unwrap();
        refused(&folder.path().join("alias/log.key"));
        std::fs::write(log.join("inner/real.key"), "x").unwrap();
        symlink(log.join("inner/real.key"), keys.join("link.key")).unwrap();
        refused(&keys.join("link.key"));
        // The served folder may be the one that is a link.
        let error = KeyFile::new(&log.join("log.key"), ORIGIN, &folder.path().join("alias")).unwrap_err();
        assert_eq!(error.code(), "log_key_in_served_folder");
    }
}

#[test]
fn who_trusts_an_old_key_can_follow_to_the_newest_and_not_back() {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(DiskFiles::open(&folder.path().join("log")).unwrap());
    let source = Source::of(0);
    let file = KeyFile::new(&folder.path().join("log.key"), ORIGIN, files.folder()).unwrap();
    let mut keys = Vec::new();
    for round in 0..3 {
        let key = file.open_or_make(files.as_ref()).unwrap();
        keys.push(key.verifier().clone());
        let trusted = KeyHistory::read(files.as_ref()).unwrap().all_keys();
        let files: Arc<dyn Files> = files.clone();
        let mut log = Integrator::open(
            files.clone(),
            LogIdentity { trusted, ..LogIdentity::new(key.clone()) },
            source.as_ref(),
        )
        .unwrap();
        source.grow(100);
        catch_up(&mut log, &source, 100).unwrap();
        drop(log);
        if round < 2 {
            let durably = Durably::new(files).unwrap();
            let (new, change) = file.change(&durably, 100 * (round + 1)).unwrap();
            assert_eq!((&change.old, &change.new), (key.verifier(), new.verifier()));
        }
    }
    let history = KeyHistory::read(files.as_ref()).unwrap();
    assert_eq!(history.changes().iter().map(|change| change.size).collect::<Vec<_>>(), [100, 200]);
    assert_eq!(history.accepted(&keys[..1]), keys);
    assert_eq!(history.accepted(&keys[2..]), keys[2..]);
    assert_eq!(history.all_keys().len(), 3);
    // The log is signed by the newest key, which a verifier finds from the oldest.
    let reader = LogReader::new(files.clone());
    assert!(verify_log(&reader, &keys[..1], &Default::default()).is_err());
    assert!(verify_log(&reader, &history.accepted(&keys[..1]), &Default::default()).unwrap().holds());
    // A record that somebody altered is named.
    let record = String::from_utf8(files.read("keys/001", 10_000).unwrap()).unwrap();
    files.write("keys/001", record.replace("size 200", "size 201").as_bytes()).unwrap();
    let error = KeyHistory::read(files.as_ref()).unwrap_err();
    assert!(error.to_string().starts_with("keys/001 of the log is damaged"), "{error}");
}

#[test]
fn a_change_that_was_interrupted_is_finished_if_it_was_published_and_taken_back_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(DiskFiles::open(&folder.path().join("log")).unwrap());
    let path = folder.path().join("log.key");
    let next = folder.path().join("log.key.next");
    let file = KeyFile::new(&path, ORIGIN, files.folder()).unwrap();
    let first = file.open_or_make(files.as_ref()).unwrap();
    let old_text = std::fs::read(&path).unwrap();
    let put = |path: &std::path::Path, text: &[u8]| {
        std::fs::copy(folder.path().join("log.key"), path).unwrap();
        std::fs::write(path, text).unwrap();
    };
    // Died before the record stood in the log.
    put(&next, &old_text);
    assert_eq!(file.open_or_make(files.as_ref()).unwrap().verifier(), first.verifier());
    assert!(!next.exists());
    // Died after it.
    let durably = Durably::new(files.clone()).unwrap();
    let (second, _) = file.change(&durably, 0).unwrap();
    let new_text = std::fs::read(&path).unwrap();
    put(&next, &new_text);
    put(&path, &old_text);
    assert_eq!(file.open_or_make(files.as_ref()).unwrap().verifier(), second.verifier());
    assert!(!next.exists());
}
