//! A client and a witness that are not ours, over loopback: the Python packages `aics-tlog` and `aics-witness`. The
//! client reads a log of ours from a plain file server; the witness cosigns what we ask it to, and only that.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use journal::log::witness::{AddCheckpoint, WitnessAnswer, ask_witness};
use journal::log::{Policy, SignedCheckpoint, VerifierKey};
use tempfile::TempDir;

use super::sample::{Sample, known};
use super::support::{ORIGIN, Source, key};

/// Python environment with the two packages; `cargo xtask test` makes one. Tests fetch nothing.
const ENVIRONMENT: &str = "TIDEWAITER_AICS";
/// Without it the tests fail instead of being skipped.
const REQUIRED: &str = "TIDEWAITER_REQUIRE_AICS";

struct Peer {
    programs: PathBuf,
}

impl Peer {
    fn installed() -> Option<Self> {
        let programs = env::var_os(ENVIRONMENT).map(|folder| Path::new(&folder).join("bin"));
        let programs = programs.filter(|programs| programs.join("aics-witness").is_file());
        if programs.is_none() {
            assert!(env::var_os(REQUIRED).is_none_or(|value| value != "1"), "{ENVIRONMENT} has no packages");
            println!("skipped: second peer (aics-tlog and aics-witness)");
        }
        programs.map(|programs| Self { programs })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // Of this machine's proxies and settings nothing is wanted on loopback.
        command.env("NO_PROXY", "127.0.0.1").env("PYTHONUNBUFFERED", "1").stdin(Stdio::null());
        command
    }

    /// What a program prints, and whether it ends well.
    fn run<I: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = I>) -> (bool, String) {
        let output = self.command(program).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// Starts a program that says at which port of the loopback it listens.
    fn serve(&self, program: &str, arguments: &[&OsStr]) -> Server {
        let folder = TempDir::new().unwrap();
        let said = folder.path().join("said");
        let file = File::create(&said).unwrap();
        let mut command = self.command(program);
        command.args(arguments).stdout(file.try_clone().unwrap()).stderr(file);
        let mut server = Server { child: command.spawn().unwrap(), port: 0, _folder: folder };
        for _ in 0..1_500 {
            let text = fs::read_to_string(&said).unwrap();
            let port = text.split_once("http://127.0.0.1:").map(|(_, rest)| rest);
            let end = port.and_then(|port| port.find(|letter: char| !letter.is_ascii_digit()));
            if let (Some(port), Some(end)) = (port, end) {
                server.port = port[..end].parse().unwrap();
                return server;
            }
            assert!(server.child.try_wait().unwrap().is_none(), "{program}: {text}");
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{program}: {}", fs::read_to_string(&said).unwrap());
    }
}

/// A program that ends with the test.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Status and body.
    fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        connection.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let status = str::from_utf8(&answer[..end]).unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_off(end + 4))
    }
}

#[test]
fn a_client_that_is_not_ours_reads_our_log_from_a_plain_file_server() {
    let Some(peer) = Peer::installed() else { return };
    let sample = Sample::of(Source::of(5_000), 700);
    let arguments = ["-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"].map(OsStr::new);
    let server = peer.serve("python", &[&arguments[..], &[sample.path("log").as_os_str()]].concat());
    let run = |command: &str, further: &[OsString]| {
        let shape = ["--tiles", &server.url(), "--origin", ORIGIN, "--vkey-file"].map(OsString::from);
        let vkey = sample.path("vkey").into_os_string();
        peer.run("aics-tlog", [&[command.into()], &shape[..], &[vkey], further].concat())
    };
    let inclusion = |index: u64, leaf: &str| {
        let index = index.to_string();
        run("verify-inclusion", &["--index".into(), index.into(), "--leaf".into(), sample.path(leaf).into()])
    };
    let (holds, said) = run("verify-checkpoint", &[]);
    assert!(holds && said.contains("\"size\": 5000"), "{said}");
    for index in [0, 255, 256, 700, 4_999] {
        fs::write(sample.path(&format!("{index}.entry")), sample.proof(index).1).unwrap();
        let (holds, said) = inclusion(index, &format!("{index}.entry"));
        assert!(holds, "{index}: {said}");
    }
    for checkpoint in &sample.checkpoints {
        let (holds, said) = run("verify-consistency", &["--old-checkpoint".into(), checkpoint.into()]);
        assert!(holds, "{}: {said}", checkpoint.display());
    }
    assert!(!inclusion(700, "256.entry").0);
    for (path, place) in [("tile/0/002", 10), ("tile/1/000.p/19", 70), ("checkpoint", 25)] {
        let file = sample.path("log").join(path);
        let before = fs::read(&file).unwrap();
        let mut bytes = before.clone();
        bytes[place] ^= 4;
        fs::write(&file, bytes).unwrap();
        let (holds, said) = inclusion(700, "700.entry");
        assert!(!holds, "{path}: {said}");
        fs::write(&file, before).unwrap();
    }
    let (holds, said) = inclusion(700, "700.entry");
    assert!(holds, "{said}");
}

/// A witness that knows our log, and its key.
fn witness(peer: &Peer, folder: &Path) -> (Server, VerifierKey) {
    let settings = folder.join("witness.json");
    let settings = settings.to_str().unwrap();
    let name = "witness.example/w";
    let init = ["init", "--config", settings, "--name", name, "--listen", "127.0.0.1:0"];
    let (made, said) = peer.run("aics-witness", init);
    let verifier = said.lines().find(|line| line.starts_with(name)).map(VerifierKey::parse);
    assert!(made && verifier.is_some(), "{said}");
    let vkey = key(1).verifier().to_string();
    let (added, said) =
        peer.run("aics-witness", ["add-log", "--config", settings, "--origin", ORIGIN, "--vkey", &vkey]);
    assert!(added, "{said}");
    let server = peer.serve("aics-witness", &["serve", "--config", settings].map(OsStr::new));
    (server, verifier.unwrap().unwrap())
}

#[test]
fn a_witness_that_is_not_ours_cosigns_what_grew_and_nothing_else() {
    let Some(peer) = Peer::installed() else { return };
    let sample = Sample::of(Source::of(5_000), 1_000);
    let folder = TempDir::new().unwrap();
    let (server, verifier) = witness(&peer, folder.path());
    let signed: Vec<_> = (sample.checkpoints.iter())
        .map(|path| SignedCheckpoint::parse(&fs::read(path).unwrap()).unwrap())
        .collect();
    let ask = |request: &AddCheckpoint| {
        let (status, body) = server.post("/add-checkpoint", &request.to_bytes());
        WitnessAnswer::read(status, &body, &request.checkpoint, std::slice::from_ref(&verifier)).unwrap()
    };
    let request = |old: u64, which: usize| AddCheckpoint::new(&sample.reader(), &signed[which], old).unwrap();
    let refused = |answer: &WitnessAnswer| matches!(answer, WitnessAnswer::Refused { status: 422, .. });
    assert!(matches!(ask(&request(0, 0)), WitnessAnswer::Cosigned(_)));
    let mut wrong = request(1_000, 2);
    wrong.path.swap(0, 1);
    assert!(refused(&ask(&wrong)));
    assert!(matches!(ask(&request(1_000, 2)), WitnessAnswer::Cosigned(_)));
    // Back to what it has gone past, and from what it never saw.
    for stale in [request(0, 0), request(1_000, 1), request(4_000, 4)] {
        assert_eq!(ask(&stale), WitnessAnswer::StandsAt(3_000));
    }
    // A history that was rewritten, with the real key.
    let source = Source::of(6_000);
    source.0.lock().unwrap()[2_500] = b"another event".to_vec();
    let rewritten = Sample::of(source, 6_000);
    let other = SignedCheckpoint::parse(&fs::read(&rewritten.checkpoints[0]).unwrap()).unwrap();
    assert!(refused(&ask(&AddCheckpoint::new(&rewritten.reader(), &other, 3_000).unwrap())));
    // A log that has forgotten where the witness stands learns it from the answer.
    let mut carry = |body: &[u8]| Ok(server.post("/add-checkpoint", body));
    let answer = ask_witness(&sample.reader(), &signed[4], &verifier, 0, &mut carry).unwrap();
    let WitnessAnswer::Cosigned(cosigned) = answer else { panic!("{answer:?}") };

    let policy = format!("log {}\nwitness W {verifier}\nquorum W\n", known()[0]);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert!(policy.check(&signed[4], &[]).is_err());
    assert_eq!(policy.check(&cosigned, &[]).unwrap().witnesses.len(), 1);
    let note = folder.path().join("cosigned");
    fs::write(&note, cosigned.to_bytes()).unwrap();
    let vkey = sample.path("vkey");
    let arguments = ["--vkey-file".as_ref(), vkey.as_os_str(), "--note".as_ref(), note.as_os_str()];
    let quorum = ["--quorum", "1", "--witness-key", &verifier.to_string()].map(OsString::from);
    let arguments = [&["verify-checkpoint".into()], &arguments.map(OsString::from)[..], &quorum].concat();
    let (holds, said) = peer.run("aics-tlog", &arguments);
    assert!(holds && said.contains("\"cosignatures\": 1"), "{said}");
    // The same of the checkpoint without its cosignature.
    fs::write(&note, signed[4].to_bytes()).unwrap();
    assert!(!peer.run("aics-tlog", &arguments).0);
}
