//! `tidewaiter serve`: it answers, keeps others out of its folder, and stops when asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use crate::support::{command, run};

/// Ends the server whatever happens to the test.
pub(crate) struct Served(pub(crate) Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_server_answers_and_keeps_its_folder_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let child = command(folder.path(), &["serve", "--data", "data", "--listen", &address])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut served = Served(child);
    let mut lines = BufReader::new(served.0.stderr.take().unwrap()).lines();
    let said = lines.by_ref().map(Result::unwrap).find(|line| line.contains(&address));
    assert!(said.is_some(), "the address is said");
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    let in_use = run(folder.path(), &["user", "list", "--data", "data"]).expect(4);
    assert!(in_use.err.contains("[data_folder_in_use]"), "{}", in_use.err);
    let taken = run(folder.path(), &["serve", "--data", "other", "--listen", &address]).expect(3);
    assert!(taken.err.contains("[address_in_use]") && taken.err.contains(&address), "{}", taken.err);
    interrupt(&served.0);
    let ended = served.0.wait().unwrap();
    assert!(ended.success(), "asked to stop, it stops in order: {ended:?}");
    run(folder.path(), &["user", "list", "--data", "data"]).expect(0);
}

pub(crate) fn interrupt(child: &Child) {
    let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
}
