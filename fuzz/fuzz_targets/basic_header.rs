//! Any text as a header `Authorization: Basic`: refused, or taken apart into what it was put together from.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use web::basic_credentials;

fuzz_target!(|text: &str| {
    // As it came.
    if let Some((client, secret)) = basic_credentials(text) {
        assert!(text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic ")), "{text:?}");
        assert!(!client.contains(':'));
        let again = format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")));
        assert_eq!(basic_credentials(&again), Some((client, secret)));
    }
    // And as what is in it.
    let header = format!("basic {}", STANDARD.encode(text));
    let expected = text.split_once(':').map(|(client, secret)| (client.to_owned(), secret.to_owned()));
    assert_eq!(basic_credentials(&header), expected);
});
