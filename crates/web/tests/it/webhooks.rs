//! Notifications pushed over real sockets: to receivers that take them, fail, fall silent, break off or lead elsewhere.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use customhouse::identity::{Reader, Role};
use customhouse::webhooks::{DeliveryShown, Outbox, OutboxItem, Webhook};
use customhouse::{Customhouse, Error};
use sha2::{Digest, Sha256};
use web::{Patience, Ready, ServeOptions, serve};

/// What a test waits for happens within this time, or never.
const LIMIT: Duration = Duration::from_secs(60);

/// What a receiver does with a request.
#[derive(Debug, Clone)]
enum Does {
    /// Answers with a status, and these fields.
    Says(u16, String),
    /// Answers nothing as long as it lives.
    Nothing,
    /// Breaks off in the midst of its answer's body, or of its head.
    Breaks(&'static str),
    /// Never comes to an end.
    Floods,
}

/// A request as it came.
#[derive(Debug, Clone)]
struct Came {
    head: String,
    body: String,
}

impl Came {
    fn field(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or("")
    }
}

/// A server that does what it is told, request by request, and then answers 200.
struct Receiver {
    address: SocketAddr,
    came: mpsc::Receiver<Came>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    fn that(does: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(VecDeque::from(does.to_vec())));
        let (told, came) = mpsc::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || {
                for stream in listener.incoming() {
                    if ended.load(Ordering::Relaxed) {
                        return;
                    }
                    let (told, script, ended) = (told.clone(), Arc::clone(&script), Arc::clone(&ended));
                    std::thread::spawn(move || attend(stream.unwrap(), &told, &script, &ended));
                }
            }
        });
        Self { address, came, ended, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}/in?key=1", self.address)
    }

    fn next(&self) -> Came {
        self.came.recv_timeout(LIMIT).unwrap()
    }

    fn got_nothing_more(&self) -> bool {
        self.came.try_recv().is_err()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn attend(stream: TcpStream, told: &mpsc::Sender<Came>, script: &Mutex<VecDeque<Does>>, ended: &AtomicBool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    loop {
        let mut line = String::new();
        // Whoever connects and says nothing, or nothing that is HTTP, came for nothing.
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut came = Came { head, body: String::new() };
    let mut body = vec![0; came.field("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    came.body = String::from_utf8(body).unwrap();
    let does = script.lock().unwrap().pop_front().unwrap_or_else(|| Does::Says(200, String::new()));
    let _ = told.send(came);
    let mut stream = stream;
    let _ = match does {
        Does::Says(status, fields) => {
            write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 2\r\n{fields}\r\nok")
        }
        Does::Breaks(answer) => stream.write_all(answer.as_bytes()),
        Does::Nothing => {
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Does::Floods => {
            let _ = stream.write_all(b"HTTP/1.1 200 x\r\nContent-Length: 1000000000\r\n\r\n");
            while !ended.load(Ordering::Relaxed) && stream.write_all(&[b'x'; 8192]).is_ok() {}
            Ok(())
        }
    };
}

/// Notifications that a test puts there.
#[derive(Default)]
struct Shelf(Mutex<Vec<OutboxItem>>);

impl Shelf {
    fn put(&self, position: u64) {
        self.0.lock().unwrap().push(OutboxItem {
            position,
            id: format!("n-{position}"),
            party: "NL0001".to_owned(),
            mrn: format!("26ZZ{position}"),
            function_code: "09".to_owned(),
            issued_at: "2026-03-02T08:00:00Z".parse().unwrap(),
            body: format!("<Response>é {position}</Response>"),
        });
    }
}

impl Outbox for Shelf {
    fn after(&self, party: &str, position: u64, limit: usize) -> Result<Vec<OutboxItem>, Error> {
        let items = self.0.lock().unwrap();
        let own = items.iter().filter(|item| item.party == party && item.position > position);
        Ok(own.take(limit).cloned().collect())
    }

    fn last(&self, _party: &str) -> Result<u64, Error> {
        Ok(self.0.lock().unwrap().last().map_or(0, |item| item.position))
    }
}

/// A served sandbox, so that its clock can be moved, with a trader whose notifications are pushed.
struct Sender {
    house: Arc<Customhouse>,
    shelf: Arc<Shelf>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

fn tara() -> Reader {
    Reader::new("t-1", Role::Trader).of_party(Some("NL0001"))
}

impl Sender {
    fn new(to_private: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Arc::new(Customhouse::open_sandbox(&folder.path().join("data"), None).unwrap());
        let shelf = Arc::new(Shelf::default());
        house.push_from(shelf.clone());
        if to_private {
            house.let_webhooks_reach_private();
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (told, ready) = mpsc::channel::<Ready>();
        let thread = std::thread::spawn({
            let (house, stop) = (Arc::clone(&house), Arc::clone(&stop));
            move || {
                let patience = Patience {
                    push_connect: Duration::from_secs(2),
                    push: Duration::from_secs(3),
                    ..Patience::default()
                };
                let options = ServeOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), patience };
                let ready = |ready: &Ready| told.send(ready.clone()).unwrap();
                serve(house, &options, ready, move || stop.load(Ordering::Relaxed)).unwrap();
            }
        });
        ready.recv().unwrap();
        Self { house, shelf, stop, thread: Some(thread), _folder: folder }
    }

    fn open(&self, url: &str) -> (String, String) {
        let (webhook, secret) = self.house.open_webhook(&tara(), url).unwrap();
        (webhook.id, secret)
    }

    fn shown(&self, webhook: &str) -> (Webhook, Vec<DeliveryShown>) {
        self.house.webhook(&tara(), webhook).unwrap()
    }

    /// The last delivery once it is as is wanted.
    fn delivery(&self, webhook: &str, wanted: impl Fn(&DeliveryShown) -> bool) -> DeliveryShown {
        let begun = Instant::now();
        loop {
            let shown = self.shown(webhook).1.into_iter().next();
            match shown {
                Some(delivery) if wanted(&delivery) => return delivery,
                shown => assert!(begun.elapsed() < LIMIT, "{shown:?}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a try is written down, and answers with what went wrong.
    fn trouble(&self, webhook: &str, tries: u32) -> (Option<u16>, String) {
        let delivery = self.delivery(webhook, |delivery| delivery.tries == tries);
        (delivery.status, delivery.trouble.unwrap_or_default())
    }

    fn forward(&self, seconds: u64) {
        self.house.move_clock(&Reader::new("o-1", Role::Officer), seconds).unwrap();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// HMAC-SHA-256 from its definition (RFC 2104), for keys no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> {
        let mut block = key.to_vec();
        block.resize(64, 0);
        block.iter().map(|byte| byte ^ pad).collect()
    };
    let inner = Sha256::digest([padded(0x36), text.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

fn signed_by(came: &Came, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let text = format!("{}.{}.{}", came.field("webhook-id"), came.field("webhook-timestamp"), came.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, text.as_bytes())));
    came.field("webhook-signature").split(' ').any(|signature| signature == expected)
}

#[test]
fn a_notification_is_delivered_once_in_order_and_signed() {
    let (sender, receiver) = (Sender::new(true), Receiver::that(&[]));
    let (webhook, secret) = sender.open(&receiver.url());
    sender.shelf.put(1);
    sender.shelf.put(2);
    for position in 1..=2 {
        let came = receiver.next();
        assert!(came.head.starts_with("POST /in?key=1 HTTP/1.1\r\n"), "{}", came.head);
        assert_eq!(came.body, format!("<Response>é {position}</Response>"));
        assert_eq!(came.field("webhook-id"), format!("n-{position}"));
        assert_eq!(came.field("content-type"), "application/xml; charset=utf-8");
        assert_eq!(came.field("host"), receiver.address.to_string());
        let second: i64 = came.field("webhook-timestamp").parse().unwrap();
        assert!((sender.house.wall_now().as_second() - second).abs() < 60, "by the clock of everybody");
        assert!(signed_by(&came, &secret), "{}", came.head);
        assert!(!signed_by(&Came { body: "<Response/>".to_owned(), ..came.clone() }, &secret));
    }
    let last = sender.delivery(&webhook, |delivery| delivery.message == "n-2" && delivery.tried_at.is_some());
    assert_eq!((last.fate.name(), last.tries, last.status), ("delivered", 1, Some(200)));
    // After a change both secrets sign.
    let changed = sender.house.change_webhook_secret(&tara(), &webhook).unwrap();
    let test = sender.house.test_webhook(&tara(), &webhook).unwrap();
    let came = receiver.next();
    assert_eq!(came.field("webhook-id"), test);
    assert!(signed_by(&came, &secret) && signed_by(&came, &changed));
    assert!(receiver.got_nothing_more());
}

#[test]
fn what_is_not_taken_comes_again_under_the_same_id_until_it_is() {
    let elsewhere = Receiver::that(&[]);
    let fields = format!("Location: http://{}/latest\r\n", elsewhere.address);
    let receiver = Receiver::that(&[
        Does::Says(500, String::new()),
        Does::Nothing,
        Does::Breaks("HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\nhalf"),
        Does::Breaks("HTTP/1.1 20"),
        Does::Breaks("how do you do"),
        Does::Says(307, fields),
        Does::Floods,
    ]);
    let sender = Sender::new(true);
    let (webhook, _) = sender.open(&receiver.url());
    sender.shelf.put(1);
    for (tries, status, trouble) in [
        (1, Some(500), "refused"),
        (2, None, "timed_out"),
        (3, None, "broken_off"),
        (4, None, "broken_off"),
        (5, None, "broken_off"),
        (6, Some(307), "redirected"),
        (7, Some(200), ""),
    ] {
        assert_eq!(receiver.next().field("webhook-id"), "n-1", "try {tries}");
        assert_eq!(sender.trouble(&webhook, tries), (status, trouble.to_owned()), "try {tries}");
        sender.forward(6 * 3_600);
    }
    assert!(elsewhere.got_nothing_more(), "no redirection is followed");
    assert_eq!(sender.shown(&webhook).0.tries, 0);
}

#[test]
fn neither_a_name_nor_a_port_nor_a_missing_certificate_leads_inwards() {
    let receiver = Receiver::that(&[]);
    let port = receiver.address.port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let public = Sender::new(false);
    let refused = public.house.open_webhook(&tara(), &receiver.url()).unwrap_err();
    assert_eq!(refused.code, "webhook_inwards");
    let (webhook, _) = public.open(&format!("https://localhost:{port}/"));
    public.shelf.put(1);
    assert_eq!(public.trouble(&webhook, 1), (None, "inwards".to_owned()));
    let private = Sender::new(true);
    for (url, trouble) in [
        (format!("https://127.0.0.1:{port}/"), "not_secure"),
        (format!("https://localhost:{port}/"), "not_secure"),
        (format!("http://127.0.0.1:{closed}/"), "not_connected"),
    ] {
        let (webhook, _) = private.open(&url);
        private.house.test_webhook(&tara(), &webhook).unwrap();
        assert_eq!(private.trouble(&webhook, 1), (None, trouble.to_owned()), "{url}");
        private.house.remove_webhook(&tara(), &webhook).unwrap();
    }
    assert!(receiver.got_nothing_more());
}

#[test]
fn a_receiver_that_falls_silent_holds_up_nobody_else() {
    let silent = Receiver::that(&[Does::Nothing]);
    let quick = Receiver::that(&[]);
    let sender = Sender::new(true);
    sender.open(&silent.url());
    sender.open(&quick.url());
    sender.shelf.put(1);
    sender.shelf.put(2);
    silent.next();
    assert_eq!([quick.next(), quick.next()].map(|came| came.field("webhook-id").to_owned()), ["n-1", "n-2"]);
}
