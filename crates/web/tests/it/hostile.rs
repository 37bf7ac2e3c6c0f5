//! What a trader must not learn, whatever it asks for; and what bad input, slow and rude callers must not do.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use axum::http::StatusCode;
use customhouse::Customhouse;
use customhouse::identity::{Reader, Role};
use serde_json::json;
use web::{Patience, Ready, ServeOptions, serve};

use crate::lodging::{Harbour, declaration};
use crate::support::{Answer, SECRET_OFFICER, SECRET_RULE};

/// Every path of the router, with what stands in braces.
fn routes() -> BTreeSet<String> {
    let sources = [
        include_str!("../../src/lib.rs"),
        include_str!("../../src/api/mod.rs"),
        include_str!("../../src/api/clients.rs"),
        include_str!("../../src/api/declarations.rs"),
        include_str!("../../src/api/messages.rs"),
        include_str!("../../src/api/notifications.rs"),
        include_str!("../../src/api/house.rs"),
        include_str!("../../src/api/records.rs"),
        include_str!("../../src/api/tags.rs"),
        include_str!("../../src/tags/mod.rs"),
        include_str!("../../src/warnings.rs"),
        include_str!("../../src/api/webhooks.rs"),
        include_str!("../../src/webhooks.rs"),
        include_str!("../../src/stream.rs"),
        include_str!("../../src/clients.rs"),
        include_str!("../../src/own/mod.rs"),
    ];
    sources
        .iter()
        .flat_map(|source| source.split(".route(\"").skip(1))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// A path with every brace filled by each of these, all combinations of two being more than enough.
fn filled(route: &str, ids: &[String]) -> Vec<String> {
    if !route.contains('{') {
        return vec![route.to_owned()];
    }
    ids.iter()
        .map(|id| {
            let mut path = String::new();
            let mut rest = route;
            while let Some((before, behind)) = rest.split_once('{') {
                path.push_str(before);
                path.push_str(id);
                rest = behind.split_once('}').unwrap().1;
            }
            path + rest
        })
        .collect()
}

#[tokio::test]
async fn a_trader_who_asks_for_everything_learns_nothing_of_rules_tags_lanes_or_others() {
    let harbour = Harbour::new(&[Role::Officer, Role::Auditor]);
    let site = &harbour.site;
    let audit = site.audit();
    let own = harbour.lodge(&harbour.tara_token, &declaration("OWN-1", "NL0001", true)).await.json();
    let clean = harbour.lodge(&harbour.tara_token, &declaration("OWN-2", "NL0001", false)).await.json();
    let theirs = harbour.lodge(&harbour.tom_token, &declaration("THEIRS-1", "NL0002", true)).await.json();
    let theirs = theirs["mrn"].as_str().unwrap().to_owned();
    let auditor = Reader::new("x", Role::Auditor);
    let tags: Vec<String> = site
        .house
        .tag_catalogue(&auditor)
        .unwrap()
        .families
        .iter()
        .flat_map(|family| &family.tags)
        .filter(|tag| tag.sensitivity > spine::Sensitivity::Public)
        .map(|tag| tag.id.clone())
        .collect();
    assert!(tags.len() > 20, "there are tags to hide: {}", tags.len());
    let policies: Vec<String> =
        site.house.plans(&auditor).unwrap().policies.iter().map(|policy| policy.hash.clone()).collect();
    let officer = site.house.accounts().find("officer").unwrap();
    let mut ids = vec![
        own["mrn"].as_str().unwrap().to_owned(),
        clean["mrn"].as_str().unwrap().to_owned(),
        theirs.clone(),
        site.batch.clone(),
        audit,
        officer.id.clone(),
        officer.name.clone(),
        "NL0002".to_owned(),
        "IMP-1".to_owned(),
        "D00003".to_owned(),
        "1".to_owned(),
        "3".to_owned(),
        "customs-tags".to_owned(),
        "declarations".to_owned(),
        "moved".to_owned(),
    ];
    ids.extend(tags.iter().take(30).cloned());
    ids.extend(policies);
    // In no byte of any answer: tags above public, rule texts, lanes and arms, officers, other parties' data.
    let mut secrets: Vec<String> = tags;
    secrets.extend(
        [
            SECRET_OFFICER,
            SECRET_RULE,
            "HARD-RULE-TEXT-5",
            "NL0002",
            "THEIRS-1",
            "CN0001-",
            "hard_rule",
            "\"lane\":",
            "\"score\":",
            "\"arm\":",
            "threshold",
            "selection.made",
            "tags.applied",
            "lane-red",
            "lane-green",
        ]
        .map(str::to_owned),
    );
    secrets.push(officer.id);
    let mut asked = 0_u32;
    for route in routes() {
        // What anybody may read documents itself; the stream does not end.
        if ["/api/v1/openapi.json", "/api/v1/stream"].contains(&route.as_str()) {
            continue;
        }
        for path in filled(&route, &ids) {
            let queries = ["", "?q=NL0002", "?tag=gross_below_net&lane=red&party=NL0002"];
            for path in queries.map(|query| format!("{path}{query}")) {
                let by_page = site.get(&harbour.tara, &path).await;
                let mut answers = vec![by_page];
                if path.starts_with("/api/") {
                    answers.push(harbour.ask_with(&harbour.tara_token, &path).await);
                }
                for answer in answers {
                    asked += 1;
                    quiet(&path, &answer, &secrets);
                }
            }
        }
    }
    assert!(asked > 3_000, "{asked}");
}

/// None of the secrets is in the answer beyond what the path itself says.
fn quiet(path: &str, answer: &Answer, secrets: &[String]) {
    assert!(!answer.status.is_server_error(), "{path}: {} {}", answer.status, answer.text);
    let mut headers = String::new();
    for (name, value) in &answer.headers {
        headers.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    for secret in secrets.iter().filter(|secret| !path.contains(secret.as_str())) {
        assert!(
            !answer.text.contains(secret.as_str()),
            "{path} tells {secret}: {}",
            around(&answer.text, secret)
        );
        assert!(!headers.contains(secret.as_str()), "{path} tells {secret} in a header: {headers}");
    }
}

fn around(text: &str, secret: &str) -> String {
    let at = text.find(secret).unwrap();
    text.chars().skip(text[..at].chars().count().saturating_sub(120)).take(240 + secret.len()).collect()
}

#[tokio::test]
async fn what_is_not_ones_own_is_as_what_does_not_exist() {
    let harbour = Harbour::new(&[]);
    let theirs = harbour.lodge(&harbour.tom_token, &declaration("THEIRS-1", "NL0002", true)).await.json();
    let theirs = theirs["mrn"].as_str().unwrap().to_owned();
    let nothing = "26ZZ000000000000X0";
    let like = |answer: Answer, mrn: &str| (answer.status, answer.text.replace(mrn, "MRN"));
    for path in [
        "/own/{}",
        "/own/{}/receipt",
        "/own/{}/original",
        "/own/{}/moved",
        "/api/v1/declarations/{}",
        "/api/v1/declarations/{}/receipt",
        "/api/v1/declarations/{}/original",
        "/declarations/{}",
    ] {
        let one = harbour.site.get(&harbour.tara, &path.replace("{}", &theirs)).await;
        let none = harbour.site.get(&harbour.tara, &path.replace("{}", nothing)).await;
        assert_eq!(like(one, &theirs), like(none, nothing), "{path}");
    }
    for (path, fields) in [
        ("/own/{}/act", &[("version", "1"), ("action", "contest"), ("text", "x")][..]),
        ("/own/{}/act", &[("version", "1"), ("action", "answer"), ("text", "x")]),
        ("/own/{}/correct", &[]),
    ] {
        let csrf = &harbour.tara.csrf;
        let one = harbour.site.post(&harbour.tara, &path.replace("{}", &theirs), csrf, fields).await;
        let none = harbour.site.post(&harbour.tara, &path.replace("{}", nothing), csrf, fields).await;
        assert_eq!(one.status, StatusCode::NOT_FOUND, "{path}: {}", one.text);
        assert_eq!(like(one, &theirs), like(none, nothing), "{path}");
    }
    let action = json!({ "version": 1, "action": "request_cancel", "why": "x" }).to_string();
    for mrn in [theirs.as_str(), nothing] {
        let path = format!("/api/v1/declarations/{mrn}/actions");
        let answer = harbour.send(&harbour.tara_token, &path, "application/json", action.clone()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
    // The same reference of two parties is two declarations.
    let own = harbour.lodge(&harbour.tara_token, &declaration("THEIRS-1", "NL0001", false)).await;
    assert_eq!(own.status, StatusCode::CREATED, "{}", own.text);
}

#[tokio::test]
async fn an_examination_that_is_not_announced_shows_in_nothing() {
    let harbour = Harbour::new(&[]);
    let odd = harbour.lodge(&harbour.tara_token, &declaration("A-1", "NL0001", true)).await.json();
    let mrn = odd["mrn"].as_str().unwrap();
    let own = harbour.ask_with(&harbour.tara_token, &format!("/api/v1/declarations/{mrn}")).await.json();
    let told = own["timeline"].as_array().unwrap().len();
    assert_eq!(
        own["version"].as_u64(),
        Some(u64::try_from(told).unwrap()),
        "the version counts what is told"
    );
    assert!(["accepted", "under_examination"].contains(&own["progress"].as_str().unwrap()), "{own}");
}

#[tokio::test]
async fn bombs_of_xml_and_json_are_findings() {
    let harbour = Harbour::new(&[]);
    let laughs = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"ha\">{}]><x>&l9;</x>",
        (0..10).map(|n| format!("<!ENTITY l{n} \"{}\">", "&a;".repeat(10))).collect::<String>()
    );
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>";
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let deep_json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide_json = format!("{{{}\"x\":1}}", (0..80_000).map(|n| format!("\"{n}\":1,")).collect::<String>());
    let wide = format!("<a>{}</a>", "<b/>".repeat(200_000));
    for (body, media_type) in [
        (laughs.as_str(), "application/xml"),
        (outside, "application/xml"),
        (&deep, "text/xml"),
        (&wide, "application/xml"),
        (&deep_json, "application/json"),
        (&wide_json, "application/json"),
        ("\u{0}\u{1}\u{2}", "application/json"),
        ("{\"functional_reference_id\": 1e999}", "application/json"),
    ] {
        let answer =
            harbour.send(&harbour.tara_token, "/api/v1/declarations", media_type, body.to_owned()).await;
        let beginning: String = body.chars().take(60).collect();
        assert!(answer.status.is_client_error(), "{beginning}: {} {}", answer.status, answer.text);
        let findings = answer.json()["findings"].as_array().map_or(0, Vec::len);
        assert!(findings > 0 && findings <= 201, "{beginning}: {}", answer.text);
        assert!(!answer.text.contains("root:"), "{beginning}");
    }
}

/// A server with little patience.
struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(patience: Patience) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Arc::new(Customhouse::open(&folder.path().join("data")).unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let (told, ready) = mpsc::channel::<Ready>();
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let options = ServeOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), patience };
                let ready = |ready: &Ready| told.send(ready.clone()).unwrap();
                serve(house, &options, ready, move || stop.load(Ordering::Relaxed)).unwrap();
            }
        });
        let address = ready.recv().unwrap().address;
        Self { address, stop, thread: Some(thread), _folder: folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    fn status(&self) -> String {
        let mut stream = self.connect();
        write!(stream, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Reads until the other side is done with us, however it says so.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn half_a_head_and_half_a_body_are_waited_for_only_so_long() {
    let short = Duration::from_millis(200);
    let server = Server::start(Patience { head: short, request: short, ..Patience::default() });
    let mut half_head = server.connect();
    write!(half_head, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    let mut nothing = server.connect();
    nothing.flush().unwrap();
    let mut half_body = server.connect();
    write!(
        half_body,
        "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname=a"
    )
    .unwrap();
    // All three are let go; the one whose head was understood is told why.
    rest(half_head);
    rest(nothing);
    assert!(rest(half_body).starts_with("HTTP/1.1 408"), "a body that stays away");
    for rude in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}", "GET / HTTP/9.9\r\n\r\n"] {
        let mut stream = server.connect();
        let _ = stream.write_all(rude.as_bytes());
        let answer = rest(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{rude:?}: {answer}");
    }
    let mut long = server.connect();
    let _ = write!(long, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "y".repeat(100_000));
    let answer = rest(long);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(server.status().starts_with("HTTP/1.1 200"), "everybody else is served");
}

#[test]
fn connections_have_a_bound_and_whoever_comes_beyond_is_let_in_when_one_leaves() {
    let short = Duration::from_millis(300);
    let server = Server::start(Patience { connections_max: 4, head: short, ..Patience::default() });
    let idle: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
    // Four sit there and say nothing; when their time is over, the fifth is served.
    assert!(server.status().starts_with("HTTP/1.1 200"));
    drop(idle);
}

/// Issue 3: whoever asks and asks and takes no answer is let go, and its place goes to the next.
#[test]
fn a_client_that_stops_reading_is_let_go() {
    let short = Duration::from_millis(300);
    let server = Server::start(Patience { connections_max: 1, answer: short, ..Patience::default() });
    let mut deaf = server.connect();
    deaf.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let question = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(64);
    // Answers pile up until the kernel takes no more of them, and no more questions either.
    let asked = (0..10_000).take_while(|_| deaf.write_all(&question).is_ok()).count();
    assert!(asked < 10_000, "the server took every question without anybody taking an answer");
    assert!(server.status().starts_with("HTTP/1.1 200"), "the only place is free again");
    drop(deaf);
}
