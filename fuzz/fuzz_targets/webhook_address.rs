//! Any text as the address of a webhook: refused with a reason, or taken apart so that it leads where it says, and
//! nowhere inwards.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use customhouse::webhooks::{Reach, Target, reach};
use libfuzzer_sys::fuzz_target;

/// Networks that no webhook leads to unless that was configured, written out once more: first address and bits.
const INWARDS: [([u8; 4], u32); 6] = [
    ([10, 0, 0, 0], 8),
    ([127, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
    ([169, 254, 0, 0], 16),
    ([100, 64, 0, 0], 10),
];

fn leads_inwards(ip: Ipv4Addr) -> bool {
    let within = |(network, bits): &([u8; 4], u32)| {
        let mask = u32::MAX << (32 - bits);
        ip.to_bits() & mask == u32::from_be_bytes(*network) & mask
    };
    INWARDS.iter().any(within)
}

fuzz_target!(|text: &str| {
    for to_private in [false, true] {
        let target = match Target::parse(text, to_private) {
            Ok(target) => target,
            Err(error) => {
                assert!(!error.code.is_empty() && !error.how_to_fix.is_empty());
                continue;
            }
        };
        // Nothing of it could end a line of a request, or name somebody else.
        let sent = [&target.host, &target.path];
        assert!(sent.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_graphic())), "{target:?}");
        assert!(target.path.starts_with('/') && !target.host.contains(['@', '/', '\\']), "{target:?}");
        assert!(target.secure || to_private, "{target:?}");
        let scheme = if target.secure { "https" } else { "http" };
        let again = format!("{scheme}://{}{}", target.authority(), target.path);
        assert_eq!(Target::parse(&again, to_private).as_ref(), Ok(&target), "{again}");
        // What a resolver may take for a number is one address in one spelling, and was judged as such.
        let number = target.host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
        match target.host.parse::<IpAddr>() {
            Ok(ip) => {
                assert_ne!(reach(ip), Reach::Never, "{target:?}");
                assert_eq!(ip.to_string(), target.host);
                if let IpAddr::V4(ip) = ip {
                    assert!(to_private || !leads_inwards(ip), "{target:?}");
                }
            }
            Err(_) => assert!(!number && !target.host.contains(':'), "{target:?}"),
        }
    }
});
