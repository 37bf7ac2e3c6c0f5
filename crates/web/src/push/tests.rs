//! Pushed over TLS to a server of our own: taken where its certificate is trusted for this host, refused where it is
//! not, and nothing of the message is told to whom it is not meant for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use customhouse::identity::{Reader, Role};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// A server with a certificate that it signed itself, for one connection; what came over it is its answer.
struct Receiver {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    came: JoinHandle<String>,
}

impl Receiver {
    /// Its certificate is for `name`.
    fn named(name: &str) -> Self {
        let signed = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let certificate = signed.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
        let builder = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = Arc::new(builder.with_single_cert(vec![certificate.clone()], key.into()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let came = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
            let mut came = Vec::new();
            let mut part = [0; 4_096];
            // Whoever does not trust us says nothing.
            while !String::from_utf8_lossy(&came).contains("WebhookTest") {
                match stream.read(&mut part) {
                    Ok(read) if read > 0 => came.extend(&part[..read]),
                    _ => return String::from_utf8_lossy(&came).into_owned(),
                }
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            stream.conn.send_close_notify();
            let _ = stream.flush();
            String::from_utf8(came).unwrap()
        });
        Self { address, certificate, came }
    }
}

/// Sends a test to a receiver: what the sender was answered, and what the receiver got to see.
async fn sent(name: &str, trusts_it: bool) -> (Result<u16, Trouble>, String) {
    let folder = tempfile::tempdir().unwrap();
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    house.let_webhooks_reach_private();
    let receiver = Receiver::named(name);
    let trader = Reader::new("t-1", Role::Trader).of_party(Some("NL0001"));
    let url = format!("https://{}/in", receiver.address);
    let (webhook, _) = house.open_webhook(&trader, &url).unwrap();
    house.test_webhook(&trader, &webhook.id).unwrap();
    let delivery = house.due_deliveries(&HashSet::new(), 1).unwrap().remove(0);
    let mut roots = RootCertStore::empty();
    let other = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let root = if trusts_it { receiver.certificate.clone() } else { other.cert.der().clone() };
    roots.add(root).unwrap();
    let answered = post(&delivery, true, Duration::from_secs(20), trusting(roots)).await;
    (answered, receiver.came.join().unwrap())
}

#[tokio::test]
async fn a_server_whose_certificate_is_trusted_gets_it() {
    let (answered, came) = sent("127.0.0.1", true).await;
    assert_eq!(answered, Ok(204));
    assert!(came.starts_with("POST /in HTTP/1.1\r\n") && came.contains("webhook-signature: v1,"), "{came}");
}

#[tokio::test]
async fn a_server_of_an_unknown_issuer_or_another_name_gets_nothing() {
    for (name, trusts_it) in [("127.0.0.1", false), ("127.0.0.2", true), ("hooks.example.org", true)] {
        let (answered, came) = sent(name, trusts_it).await;
        assert_eq!((answered, came.as_str()), (Err(Trouble::NotSecure), ""), "{name}");
    }
    // Nor where this machine trusts nobody.
    let receiver = Receiver::named("127.0.0.1");
    let folder = tempfile::tempdir().unwrap();
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    house.let_webhooks_reach_private();
    let trader = Reader::new("t-1", Role::Trader).of_party(Some("NL0001"));
    let url = format!("https://{}/in", receiver.address);
    let (webhook, _) = house.open_webhook(&trader, &url).unwrap();
    house.test_webhook(&trader, &webhook.id).unwrap();
    let delivery = house.due_deliveries(&HashSet::new(), 1).unwrap().remove(0);
    let answered = post(&delivery, true, Duration::from_secs(20), None).await;
    assert_eq!((answered, receiver.came.join().unwrap().as_str()), (Err(Trouble::NotSecure), ""));
}
