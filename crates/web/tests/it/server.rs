//! Listening, serving over a real socket, and ending when asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use customhouse::Customhouse;
use web::{Patience, Ready, ServeOptions, serve};

fn house() -> (tempfile::TempDir, Arc<Customhouse>) {
    let folder = tempfile::tempdir().unwrap();
    let house = Arc::new(Customhouse::open(&folder.path().join("data")).unwrap());
    (folder, house)
}

#[test]
fn a_taken_port_is_told_with_the_way_out() {
    let (_folder, house) = house();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = ServeOptions { listen: taken.local_addr().unwrap(), patience: Patience::default() };
    let refused = serve(house, &options, |_| panic!("nothing is served"), || true).unwrap_err();
    assert_eq!(refused.code, "address_in_use");
    assert!(refused.how_to_fix.contains("--listen"), "{refused}");
}

#[test]
fn pages_come_over_a_socket_until_it_is_told_to_stop() {
    let (_folder, house) = house();
    let stop = Arc::new(AtomicBool::new(false));
    let (told, ready) = mpsc::channel::<Ready>();
    let server = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let options =
                ServeOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), patience: Patience::default() };
            serve(
                house,
                &options,
                |ready| told.send(ready.clone()).unwrap(),
                move || stop.load(Ordering::Relaxed),
            )
        }
    });
    let ready = ready.recv().unwrap();
    let token = ready.setup_token.unwrap();
    assert_eq!(ready.url, format!("http://{}/set-up?token={token}", ready.address));
    let mut stream = TcpStream::connect(ready.address).unwrap();
    write!(stream, "GET /set-up HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", ready.address).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    stop.store(true, Ordering::Relaxed);
    server.join().unwrap().unwrap();
    assert!(TcpStream::connect(ready.address).is_err(), "nobody listens any more");
}
