//! The lives that are recorded.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use customhouse::Customhouse;
use outage::{Recorder, Recording};

use crate::crash::{Acknowledged, Receipt, SERVE, Server, lodge_at, prepare_by};
use crate::http::Client;
use crate::server::interrupt;
use crate::support::{Run, command, fed};

const CHILD_FOLDER: &str = "TIDEWAITER_POWER_CHILD_FOLDER";
const CHILD_TOKEN: &str = "TIDEWAITER_POWER_CHILD_TOKEN";
/// After so many records a server is killed at its next flush; the last one ends in order.
const SERVERS: [Option<u64>; 5] = [Some(40), Some(500), Some(1_000), Some(300), None];
/// Programs that lodge at the same time, and what each of them lodges at most at one server.
const PROGRAMS: u64 = 2;
const LODGED_MAX: u64 = 25;
const DRAFTS: u64 = 12;
/// The pack that is installed.
pub(super) const PACK: &str = "power-lists";

/// What was acknowledged, as those remember it who asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    /// Receipts by the trader's own reference.
    pub(super) receipts: BTreeMap<String, Receipt>,
    /// Numbers of drafts by their ids.
    pub(super) drafts: BTreeMap<String, u64>,
    /// With which the trader acts.
    pub(super) token: String,
    /// The batch of records that was admitted.
    pub(super) batch: String,
    /// The key of the log after it was changed.
    pub(super) new_key: String,
    /// What the command said that installed a pack.
    pub(super) installed: String,
}

/// What was recorded, and what was acknowledged meanwhile.
pub(super) struct Lives {
    pub(super) recording: Recording,
    pub(super) remembered: Remembered,
    /// Contents of packs by their paths in the folder of packs: `ID/HASH/PATH`, and so for ever the same.
    pub(super) packs: BTreeMap<String, Vec<u8>>,
}

/// The child: keeps drafts until the recorder kills it, or all is done. As a test of its own it does nothing.
#[test]
fn child() {
    let (Ok(folder), Ok(token)) = (env::var(CHILD_FOLDER), env::var(CHILD_TOKEN)) else { return };
    let house = Customhouse::open(Path::new(&folder)).unwrap();
    let trader = house.accounts().token_reader(&token, house.wall_now()).unwrap();
    for number in 0..DRAFTS {
        let fields = BTreeMap::from([("number".to_owned(), number.to_string())]);
        let draft = house.save_draft(&trader, "", fields).unwrap();
        println!("DRAFT {} {number}", draft.id);
    }
}

fn watched(recorder: &Recorder, arguments: &[&str], dies_at: Option<u64>) -> Command {
    let mut command = command(recorder.root(), &[arguments, &["--data", "data"]].concat());
    recorder.watch(&mut command, dies_at);
    command
}

/// A command that is killed on the way, if it wants anything flushed after so many records, and then runs to its end.
fn killed_and_run(recorder: &Recorder, arguments: &[&str], dies_at: u64) -> Run {
    fed(&mut watched(recorder, arguments, Some(dies_at)), "");
    fed(&mut watched(recorder, arguments, None), "").expect(0)
}

/// Lets the house live its lives under the recorder.
pub(super) fn record() -> Lives {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::compile(folder.path()).unwrap();
    let mut remembered = Remembered {
        token: prepare_by(&|arguments, input| fed(&mut watched(&recorder, arguments, None), input)),
        ..Remembered::default()
    };
    let records = folder.path().join("records.csv");
    let rows: String = (0..40).map(|row| format!("D-{row},2024-01-02,610910\n")).collect();
    std::fs::write(&records, format!("declaration_id,date,commodity_code\n{rows}")).unwrap();
    let import = ["import", records.to_str().unwrap(), "--json"];
    let admitted = killed_and_run(&recorder, &import, 20).json();
    remembered.batch = admitted[0]["batch"]["id"].as_str().unwrap().to_owned();
    write_pack(&folder.path().join("ours"));
    let install = ["pack", "install", folder.path().join("ours").to_str().unwrap()].map(str::to_owned);
    killed_and_run(&recorder, &install.each_ref().map(String::as_str), 12);
    remembered.installed = PACK.to_owned();
    let (acknowledged, next) = (Acknowledged::default(), AtomicU64::new(1));
    for (life, dies_at) in SERVERS.into_iter().enumerate() {
        serve(&recorder, dies_at, &remembered.token, &next, &acknowledged);
        if life == 1 {
            keep_drafts(&recorder, &mut remembered);
        }
        if life == 2 {
            let changed = killed_and_run(&recorder, &["log", "change-key", "--json"], 60);
            remembered.new_key = changed.json()["new_key"].as_str().unwrap().to_owned();
        }
    }
    remembered.receipts = acknowledged.lock().unwrap().clone();
    let packs = files_below(&recorder.root().join("data/packs"));
    Lives { recording: recorder.recording().unwrap(), remembered, packs }
}

/// Writes a pack of an administration's own.
fn write_pack(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let manifest = format!(
        "id = \"{PACK}\"\nversion = \"1.0.0\"\nkind = \"lists\"\ntitle = {{ en = \"Ours\", zh = \"自有\" }}\n\
         owner = \"Risk unit\"\nlegal_basis = \"Act 1\"\nsensitivity = \"official\"\nlicence = \"MIT\"\n"
    );
    std::fs::write(folder.join("pack.toml"), manifest).unwrap();
    let lists = "[[list]]\nid = \"our_headings\"\ntitle = { en = \"Ours\", zh = \"自有\" }\nsource = \"made up\"\n\
         of = \"hs_heading\"\nvalues = [\"8471\"]\n";
    std::fs::write(folder.join("lists.toml"), lists).unwrap();
}

/// Every file below a folder, by its path there.
pub(super) fn files_below(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// One life of a server under load.
fn serve(
    recorder: &Recorder,
    dies_at: Option<u64>,
    token: &str,
    next: &AtomicU64,
    acknowledged: &Acknowledged,
) {
    let Some(mut server) = Server::spawn(watched(recorder, &SERVE, dies_at)) else { return };
    let (address, lodging) = (server.address.clone(), AtomicU64::new(PROGRAMS));
    std::thread::scope(|scope| {
        for _ in 0..PROGRAMS {
            scope.spawn(|| {
                lodge_at(&address, token, LODGED_MAX, None, next, acknowledged);
                lodging.fetch_sub(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            let Ok(mut client) = Client::connect(&address, "") else { return };
            while lodging.load(Ordering::Relaxed) > 0 && client.ask("GET", "/log/checkpoint", None).is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    });
    if dies_at.is_none() {
        interrupt(&server.child);
        assert!(server.child.wait().unwrap().success(), "asked to stop, it stops in order");
    }
}

fn keep_drafts(recorder: &Recorder, remembered: &mut Remembered) {
    for dies_at in [Some(30), None] {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "power::lives::child", "--nocapture", "--test-threads=1"]);
        child.env(CHILD_FOLDER, recorder.root().join("data")).env(CHILD_TOKEN, &remembered.token);
        recorder.watch(&mut child, dies_at);
        let out = child.stderr(Stdio::null()).output().unwrap();
        for line in String::from_utf8(out.stdout).unwrap().lines() {
            // The test harness writes the name of the test before the first line.
            if let Some((_, draft)) = line.split_once("DRAFT ") {
                let (id, number) = draft.split_once(' ').unwrap();
                remembered.drafts.insert(id.to_owned(), number.parse().unwrap());
            }
        }
    }
}
