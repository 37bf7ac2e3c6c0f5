//! The server killed at random moments while declarations come in: what was acknowledged is there, once, for good.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Client;
use crate::postgres_server;
use crate::support::{Run, command, fed, run};

/// How often the server is killed, unless `TIDEWAITER_CRASH_KILLS` says otherwise.
const KILLS: u64 = 4;
/// Programs that lodge at the same time.
const PROGRAMS: u64 = 3;
/// Longer than read models take to catch up.
const CATCH_UP: Duration = Duration::from_secs(120);
const PARTY: &str = "NL0001";
pub(crate) const PASSWORD: &str = "correct horse battery staple\n";

/// What was acknowledged: reference, and the receipt without what may change.
pub(crate) type Acknowledged = Arc<Mutex<BTreeMap<String, Receipt>>>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) mrn: String,
    pub(crate) sha256: String,
    pub(crate) lodged_at: String,
}

impl Receipt {
    fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self { mrn: text("mrn"), sha256: text("sha256"), lodged_at: text("lodged_at") }
    }
}

/// The command of a server, without its house.
pub(crate) const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: nothing of it can be caught, flushed or finished.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn start(folder: &Path, data: &str) -> Self {
        Self::start_at(folder, &["--data", data])
    }

    /// Starts one on the house that these arguments name.
    pub(crate) fn start_at(folder: &Path, place: &[&str]) -> Self {
        Self::spawn(command(folder, &[&SERVE, place].concat())).unwrap()
    }

    /// Starts one by this command; `None` if it ended before it served.
    pub(crate) fn spawn(mut command: Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().map(Result::unwrap).find_map(|line| {
            line.strip_prefix("Serving on http://").map(|rest| rest.split(". ").next().unwrap().to_owned())
        });
        // Whatever it says later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { child, address: address.clone().unwrap_or_default() };
        address.map(|_| server)
    }
}

pub(crate) fn prepare(folder: &Path) -> String {
    prepare_at(folder, &["--data", "data"])
}

/// [`prepare_by`] commands on the house that these arguments name.
fn prepare_at(folder: &Path, place: &[&str]) -> String {
    prepare_by(&|arguments, input| fed(&mut command(folder, &[arguments, place].concat()), input))
}

/// Makes accounts and policies with these commands; answers with the trader's token.
pub(crate) fn prepare_by(run: &dyn Fn(&[&str], &str) -> Run) -> String {
    let call = |arguments: &[&str], input: &str| run(arguments, input).expect(0).out;
    call(&["user", "add", "analyst", "--role", "analyst"], PASSWORD);
    call(&["user", "add", "chief", "--role", "chief"], PASSWORD);
    call(&["user", "add", "trader", "--role", "trader", "--party", PARTY], PASSWORD);
    for kind in ["acceptance", "selection", "release"] {
        call(&["policy", "propose", kind, "--as", "analyst"], "");
    }
    let listed = run(&["policy", "list", "--json"], "").expect(0).json();
    for policy in listed.as_array().unwrap() {
        let hash = policy["hash"].as_str().unwrap();
        call(&["policy", "approve", hash, "--as", "analyst"], "");
        assert!(call(&["policy", "approve", hash, "--as", "chief"], "").contains("in force"));
    }
    call(&["user", "token", "trader", "--label", "crash"], "").trim().to_owned()
}

pub(crate) fn declaration(reference: &str) -> Vec<u8> {
    let item = |number: u32| {
        json!({
            "sequence_numeric": number,
            "customs_value_amount": { "amount": "1200.50", "currency": "EUR" },
            "commodity": {
                "description": "mobile phones",
                "classification": [{ "id": "851713" }],
                "goods_measure": { "gross_mass_measure": "12.5", "net_net_weight_measure": "10" }
            },
            "government_procedure": [{ "current_code": "40", "previous_code": "00" }],
            "origin": [{ "country_code": "CN" }],
            "packaging": [{ "quantity_quantity": "10", "type_code": "CT" }]
        })
    };
    let declaration = json!({
        "functional_reference_id": reference,
        "type_code": "IMA",
        "declaration_office_id": "10",
        "declarant": { "id": PARTY },
        "exporter": { "id": "CN0001" },
        "border_transport_means": { "mode_code": "1" },
        "goods_shipment": {
            "importer": { "id": PARTY },
            "export_country": "CN",
            "government_agency_goods_item": [item(1), item(2)]
        }
    });
    serde_json::to_vec(&declaration).unwrap()
}

/// Lodges at a server until it is gone, or has taken so many, beginning with what it may have lost; answers with what is
/// in doubt now.
pub(crate) fn lodge_at(
    address: &str,
    token: &str,
    most: u64,
    in_doubt: Option<String>,
    next: &AtomicU64,
    acknowledged: &Acknowledged,
) -> Option<String> {
    let mut reference = in_doubt;
    let Ok(mut client) = Client::connect(address, token) else { return reference };
    for _ in 0..most {
        let own =
            reference.take().unwrap_or_else(|| format!("CRASH-{:06}", next.fetch_add(1, Ordering::Relaxed)));
        match client.ask("POST", "/api/v1/declarations", Some(&declaration(&own))) {
            Ok(answer) if matches!(answer.status, 200 | 201) => {
                let receipt = Receipt::of(&answer.json());
                acknowledged.lock().unwrap().insert(own, receipt);
            }
            // Nothing was recorded: it comes again.
            Ok(answer) if matches!(answer.status, 429 | 503) => reference = Some(own),
            Ok(answer) => panic!("{own}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)),
            Err(_) => return Some(own),
        }
    }
    reference
}

/// The same bytes again get the first receipt, whatever happened in between; the whole answer.
fn asked_again(client: &mut Client, reference: &str, receipt: &Receipt) -> Value {
    let answer = client.ask("POST", "/api/v1/declarations", Some(&declaration(reference))).unwrap();
    let json = answer.json();
    assert_eq!(answer.status, 200, "{reference} was acknowledged and is not there: {json}");
    assert_eq!(json["repeated"], true, "{json}");
    assert_eq!(&Receipt::of(&json), receipt, "{reference}");
    json
}

fn verify(address: &str, token: &str, receipts: &BTreeMap<String, Receipt>) {
    let mut client = Client::connect(address, token).unwrap();
    for (reference, receipt) in receipts {
        asked_again(&mut client, reference, receipt);
    }
}

fn caught_up(address: &str) {
    let began = Instant::now();
    loop {
        let status = Client::connect(address, "").unwrap().ask("GET", "/api/v1/status", None).unwrap().json();
        if status["behind_events"] == 0 && status["state"] == "running" {
            return;
        }
        assert!(began.elapsed() < CATCH_UP, "read models do not catch up: {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Any moment between the first requests and a third of a second: seeded by the clock, told when it fails.
fn random_moment(kill: u64) -> Duration {
    let nanoseconds =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    let mixed = (u64::from(nanoseconds) ^ kill).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    Duration::from_micros(1_000 + mixed % 333_000)
}

#[test]
fn killed_at_any_moment_the_server_loses_nothing_and_doubles_nothing() {
    let kills =
        std::env::var("TIDEWAITER_CRASH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let folder = tempfile::tempdir().unwrap();
    let token = prepare(folder.path());
    let (acknowledged, next) = (Acknowledged::default(), AtomicU64::new(1));
    let mut in_doubt: Vec<Option<String>> = (0..PROGRAMS).map(|_| None).collect();
    let mut verified = BTreeMap::new();
    for kill in 0..kills {
        let server = Server::start(folder.path(), "data");
        // What the last life acknowledged is there.
        let fresh: BTreeMap<String, Receipt> = acknowledged
            .lock()
            .unwrap()
            .iter()
            .filter(|(reference, _)| !verified.contains_key(*reference))
            .map(|(reference, receipt)| (reference.clone(), receipt.clone()))
            .collect();
        verify(&server.address, &token, &fresh);
        verified.extend(fresh);
        let address = server.address.clone();
        let (next, acknowledged, token) = (&next, &acknowledged, &token);
        in_doubt = std::thread::scope(|scope| {
            let programs: Vec<_> = std::mem::take(&mut in_doubt)
                .into_iter()
                .map(|doubt| {
                    let address = &address;
                    scope.spawn(move || lodge_at(address, token, u64::MAX, doubt, next, acknowledged))
                })
                .collect();
            std::thread::sleep(random_moment(kill));
            drop(server);
            programs.into_iter().map(|program| program.join().unwrap()).collect()
        });
    }
    let server = Server::start(folder.path(), "data");
    let mut client = Client::connect(&server.address, &token).unwrap();
    for reference in in_doubt.into_iter().flatten() {
        // Recorded or not before the last kill: now it is, once.
        let answer = client.ask("POST", "/api/v1/declarations", Some(&declaration(&reference))).unwrap();
        assert!(matches!(answer.status, 200 | 201), "{reference}: {}", answer.status);
        acknowledged.lock().unwrap().insert(reference, Receipt::of(&answer.json()));
    }
    let all = acknowledged.lock().unwrap().clone();
    verify(&server.address, &token, &all);
    caught_up(&server.address);
    let listed = client.ask("GET", "/api/v1/declarations", None).unwrap().json();
    assert_eq!(listed["total"], all.len(), "none is there twice, and none that nobody lodged");
    let mut numbers: Vec<&str> = all.values().map(|receipt| receipt.mrn.as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all.len(), "no number was given twice");
    assert!(
        u64::try_from(all.len()).unwrap() > kills,
        "the server was under load: {} declarations",
        all.len()
    );
    println!("{kills} kills, {} declarations acknowledged, none lost, none twice", all.len());
}

/// How often one of several servers is killed.
const KILLS_OF_SEVERAL: u64 = 3;
/// Longer than the next one needs to take over.
const TAKE_OVER: Duration = Duration::from_secs(60);

fn status(address: &str) -> Value {
    Client::connect(address, "").unwrap().ask("GET", "/api/v1/status", None).unwrap().json()
}

/// The one of these servers that does something for all of them, once there is one.
fn who(servers: &[&Server], what: &str) -> usize {
    let began = Instant::now();
    loop {
        if let Some(at) = servers.iter().position(|server| status(&server.address)["turn"][what] == true) {
            return at;
        }
        assert!(began.elapsed() < TAKE_OVER, "nobody {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every declaration gets to its end: none stays as it was received.
fn decided(address: &str, token: &str, receipts: &BTreeMap<String, Receipt>) {
    let mut client = Client::connect(address, token).unwrap();
    for (reference, receipt) in receipts {
        let began = Instant::now();
        loop {
            let json = asked_again(&mut client, reference, receipt);
            if json["progress"] != "received" {
                break;
            }
            assert!(began.elapsed() < CATCH_UP, "{reference} is not decided: {json}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn of_several_servers_on_one_database_whoever_is_killed_nothing_is_lost_or_doubled() {
    let test = "of_several_servers_on_one_database_whoever_is_killed_nothing_is_lost_or_doubled";
    let Some(database) = postgres_server::running(test).map(postgres_server::Server::database) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let names = ["one", "two", "three"];
    let place = |name: &'static str| ["--data", name, "--database", database.as_str(), "--shared", "site"];
    let token = prepare_at(folder.path(), &place("one"));
    let mut servers = names.map(|name| Server::start_at(folder.path(), &place(name)));
    let (acknowledged, next) = (Acknowledged::default(), AtomicU64::new(1));
    let mut in_doubt: Vec<Option<String>> = vec![None; names.len()];
    for kill in 0..KILLS_OF_SEVERAL {
        // In turn who decides, who keeps the log, and whoever comes next.
        let victim = match kill % 3 {
            0 => who(&servers.each_ref(), "decides"),
            1 => who(&servers.each_ref(), "keeps_log"),
            _ => usize::try_from(kill).unwrap() % names.len(),
        };
        let addresses = servers.each_ref().map(|server| server.address.clone());
        let (next, acknowledged, token) = (&next, &acknowledged, &token);
        let stop = AtomicU64::new(0);
        in_doubt = std::thread::scope(|scope| {
            let stop = &stop;
            let programs: Vec<_> = std::mem::take(&mut in_doubt)
                .into_iter()
                .enumerate()
                .map(|(at, doubt)| {
                    let addresses = &addresses;
                    scope.spawn(move || {
                        // What was in doubt at one server comes again at another.
                        let mut doubt = doubt;
                        for turn in 0.. {
                            if stop.load(Ordering::Relaxed) > 0 {
                                break;
                            }
                            let address = &addresses[(at + turn) % addresses.len()];
                            doubt = lodge_at(address, token, 5, doubt, next, acknowledged);
                        }
                        doubt
                    })
                })
                .collect();
            std::thread::sleep(random_moment(kill));
            let killed = Instant::now();
            servers[victim].child.kill().unwrap();
            servers[victim].child.wait().unwrap();
            let others: Vec<&Server> = servers
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != victim)
                .map(|(_, server)| server)
                .collect();
            for what in ["decides", "keeps_log"] {
                who(&others, what);
                println!("another one {what} after {:?}", killed.elapsed());
            }
            stop.store(1, Ordering::Relaxed);
            programs.into_iter().map(|program| program.join().unwrap()).collect()
        });
        servers[victim] = Server::start_at(folder.path(), &place(names[victim]));
    }
    for reference in in_doubt.into_iter().flatten() {
        let mut client = Client::connect(&servers[0].address, &token).unwrap();
        let answer = client.ask("POST", "/api/v1/declarations", Some(&declaration(&reference))).unwrap();
        assert!(matches!(answer.status, 200 | 201), "{reference}: {}", answer.status);
        acknowledged.lock().unwrap().insert(reference, Receipt::of(&answer.json()));
    }
    let all = acknowledged.lock().unwrap().clone();
    for server in &servers {
        decided(&server.address, &token, &all);
        caught_up(&server.address);
        let mut client = Client::connect(&server.address, &token).unwrap();
        let listed = client.ask("GET", "/api/v1/declarations", None).unwrap().json();
        assert_eq!(listed["total"], all.len(), "none is there twice, and none that nobody lodged");
    }
    let verified = run(folder.path(), &[&["verify", "folder", "--json"][..], &place("one")].concat());
    let verified = verified.expect(0).json();
    assert_eq!((&verified["journal_compared"], &verified["findings_total"]), (&json!(true), &json!(0)));
    println!("{KILLS_OF_SEVERAL} kills, {} declarations acknowledged, none lost, none twice", all.len());
}
