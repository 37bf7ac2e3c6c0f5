//! Where a webhook may point to. Its address is written by a stranger and asked by us, from inside: without these
//! checks it would be a door into the network in which this server stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Kind};

/// Longest address.
const URL_BYTES_MAX: usize = 2_000;
/// Longest name of a host (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;
/// Ports below this one belong to other services, but for those of HTTP itself.
const PORT_MIN: u16 = 1_024;

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Over TLS?
    pub secure: bool,
    /// Name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query, as they are sent.
    pub path: String,
}

/// What lies behind an IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A host of the public network.
    Global,
    /// A host of this machine or of a private network.
    Private,
    /// Nothing that a webhook could stand at: link-local addresses (metadata services of clouds among them), groups,
    /// unassigned and translated addresses.
    Never,
}

/// What lies behind an IP address, by the registries of special-purpose addresses (RFC 6890 and its updates).
#[must_use]
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Private,
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Never,
        _ => Reach::Global,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    if ip.is_loopback() {
        return Reach::Private;
    }
    match ip.segments() {
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocol assignments with Teredo, documentation, 6to4: what they lead to is another address.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Global,
        // Addresses mapped from IPv4 too: whoever means an IPv4 address writes one.
        _ => Reach::Never,
    }
}

fn refused(code: &str, detail: impl Into<String>, how_to_fix: &str) -> Error {
    Error::new(Kind::Invalid, code, detail, how_to_fix)
}

impl Target {
    /// Takes an address apart: `https://host[:port][/path][?query]`, and nothing else.
    ///
    /// # Errors
    /// `webhook_address` for what is none, `webhook_port` for a port that belongs to another service, `webhook_inwards`
    /// for an IP address or a way that is not permitted.
    pub fn parse(url: &str, to_private: bool) -> Result<Self, Error> {
        let target = Self::taken_apart(url).ok_or_else(|| {
            refused(
                "webhook_address",
                "this is not the address of a webhook",
                "Write https:// and a host, then perhaps a port, a path and a query; no name or password in it, no #.",
            )
        })?;
        let usual = if target.secure { 443 } else { 80 };
        if target.port != usual && target.port < PORT_MIN {
            return Err(refused(
                "webhook_port",
                format!("the port {} belongs to another service", target.port),
                "Use the usual port, or one from 1024 on.",
            ));
        }
        if !target.secure && !to_private {
            return Err(inwards("notifications do not go out unencrypted"));
        }
        match target.host.parse() {
            Ok(ip) if !target.may_reach(ip, to_private) => {
                Err(inwards(format!("{ip} is no host of the public network")))
            }
            _ => Ok(target),
        }
    }

    /// May the connection go to this IP address? Plain HTTP goes to private addresses only, and to these it goes only
    /// where that was configured.
    #[must_use]
    pub fn may_reach(&self, ip: IpAddr, to_private: bool) -> bool {
        match reach(ip) {
            Reach::Global => self.secure,
            Reach::Private => to_private,
            Reach::Never => false,
        }
    }

    /// Host and port as the header `Host` has them.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    fn taken_apart(url: &str) -> Option<Self> {
        if url.len() > URL_BYTES_MAX || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if url.contains(['#', '\\', '"', '<', '>', '`', '{', '}', '|', '^']) || authority.contains('@') {
            return None;
        }
        let (host, port) = host_and_port(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if secure => 443,
            None => 80,
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { secure, host, port, path })
    }
}

fn inwards(detail: impl Into<String>) -> Error {
    refused(
        "webhook_inwards",
        detail,
        "Use https:// and a host of the public network; whoever runs this server may let webhooks reach private ones.",
    )
}

/// Host in lower case and without brackets, and the port's digits.
fn host_and_port(authority: &str) -> Option<(String, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, behind) = rest.split_once(']')?;
        let ip: Ipv6Addr = host.parse().ok()?;
        let port = if behind.is_empty() { None } else { Some(behind.strip_prefix(':')?) };
        return Some((ip.to_string(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let named = host.strip_suffix('.').unwrap_or(&host);
    let well_formed = (1..=HOST_BYTES_MAX).contains(&named.len()) && named.split('.').all(is_label);
    // What ends in a number means an IP address to some resolvers, in more ways than one: 127.1, 0x7f000001.
    let ends_in_number =
        named.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    (well_formed && (!ends_in_number || named.parse::<Ipv4Addr>().is_ok())).then(|| (named.to_owned(), port))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_an_address() {
        use Reach::{Global, Never, Private};
        for (ip, expected) in [
            ("93.184.216.34", Global),
            ("1.1.1.1", Global),
            ("172.15.255.255", Global),
            ("172.32.0.1", Global),
            ("100.63.255.255", Global),
            ("100.128.0.1", Global),
            ("192.0.1.1", Global),
            ("198.17.255.255", Global),
            ("223.255.255.255", Global),
            ("10.0.0.1", Private),
            ("127.0.0.1", Private),
            ("127.255.255.254", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("100.64.0.1", Private),
            ("100.127.255.255", Private),
            ("0.0.0.0", Never),
            ("0.1.2.3", Never),
            ("169.254.169.254", Never),
            ("192.0.0.1", Never),
            ("192.0.2.1", Never),
            ("192.88.99.1", Never),
            ("198.18.0.1", Never),
            ("198.19.255.255", Never),
            ("198.51.100.7", Never),
            ("203.0.113.7", Never),
            ("224.0.0.1", Never),
            ("239.255.255.255", Never),
            ("240.0.0.1", Never),
            ("255.255.255.255", Never),
            ("2606:4700:4700::1111", Global),
            ("2a00:1450:4001::1", Global),
            ("2001:200::1", Global),
            ("::1", Private),
            ("fc00::1", Private),
            ("fd00:ec2::254", Private),
            ("::", Never),
            ("::ffff:127.0.0.1", Never),
            ("::ffff:93.184.216.34", Never),
            ("::7f00:1", Never),
            ("64:ff9b::7f00:1", Never),
            ("64:ff9b:1::1", Never),
            ("100::1", Never),
            ("2001::1", Never),
            ("2001:1ff::1", Never),
            ("2001:db8::1", Never),
            ("2002:7f00:1::", Never),
            ("3fff::1", Never),
            ("5f00::1", Never),
            ("fe80::1", Never),
            ("fec0::1", Never),
            ("ff02::1", Never),
        ] {
            assert_eq!(reach(ip.parse().unwrap()), expected, "{ip}");
        }
    }

    #[test]
    fn addresses_are_taken_apart_or_refused() {
        let told = |target: Result<Target, Error>| match target {
            Ok(target) => {
                let scheme = if target.secure { "https" } else { "http" };
                format!("{scheme} {} {} {}", target.host, target.port, target.path)
            }
            Err(error) => error.code,
        };
        for (url, public, private) in [
            ("https://broker.example", "https broker.example 443 /", ""),
            ("HTTPS://Broker.Example:8443/in?a=b", "https broker.example 8443 /in?a=b", ""),
            ("https://broker.example?key=1", "https broker.example 443 /?key=1", ""),
            ("https://broker.example./x", "https broker.example 443 /x", ""),
            ("https://93.184.216.34/x", "https 93.184.216.34 443 /x", ""),
            ("https://[2606:4700::1]:8443/", "https 2606:4700::1 8443 /", ""),
            ("http://93.184.216.34/x", "webhook_inwards", ""),
            ("http://broker.example/x", "webhook_inwards", "http broker.example 80 /x"),
            ("http://127.0.0.1:8080/x", "webhook_inwards", "http 127.0.0.1 8080 /x"),
            ("https://127.0.0.1/", "webhook_inwards", "https 127.0.0.1 443 /"),
            ("https://[::1]/", "webhook_inwards", "https ::1 443 /"),
            ("https://10.1.2.3/", "webhook_inwards", "https 10.1.2.3 443 /"),
            ("https://169.254.169.254/latest", "webhook_inwards", ""),
            ("https://[::ffff:127.0.0.1]/", "webhook_inwards", ""),
            ("https://0.0.0.0/", "webhook_inwards", ""),
            ("https://broker.example:22/", "webhook_port", ""),
            ("https://broker.example:80/", "webhook_port", ""),
            ("http://broker.example:443/", "webhook_port", ""),
            ("https://broker.example:1023/", "webhook_port", ""),
            ("https://2130706433/", "webhook_address", ""),
            ("https://127.1/", "webhook_address", ""),
            ("https://0x7f.0.0.1/", "webhook_address", ""),
            ("https://0x7f000001/", "webhook_address", ""),
            ("https://0177.0.0.1/", "webhook_address", ""),
            ("https://user:password@broker.example/", "webhook_address", ""),
            ("https://broker.example#x", "webhook_address", ""),
            ("https://broker.example\\@10.0.0.1/", "webhook_address", ""),
            ("https://broker.example:/", "webhook_address", ""),
            ("https://broker.example:0/", "webhook_address", ""),
            ("https://broker.example:70000/", "webhook_address", ""),
            ("https://broker.example:+443/", "webhook_address", ""),
            ("https://brok er.example/", "webhook_address", ""),
            ("https://broker.example/a\r\nX: y", "webhook_address", ""),
            ("https://bröker.example/", "webhook_address", ""),
            ("https://-broker.example/", "webhook_address", ""),
            ("https://a..b/", "webhook_address", ""),
            ("https:///x", "webhook_address", ""),
            ("https://[::1/", "webhook_address", ""),
            ("https://[::1]x/", "webhook_address", ""),
            ("ftp://broker.example/", "webhook_address", ""),
            ("broker.example", "webhook_address", ""),
            ("", "webhook_address", ""),
        ] {
            assert_eq!(told(Target::parse(url, false)), public, "{url}");
            let private = if private.is_empty() { public } else { private };
            assert_eq!(told(Target::parse(url, true)), private, "{url} where private ones are let");
        }
        assert_eq!(
            told(Target::parse(&format!("https://a.example/{}", "x".repeat(2_000)), false)),
            "webhook_address"
        );
    }

    #[test]
    fn plain_http_goes_to_private_addresses_only_and_to_these_only_where_that_is_let() {
        let of = |url: &str| Target::parse(url, true).unwrap();
        let (secure, plain) = (of("https://a.example/"), of("http://a.example/"));
        for (ip, of_secure, of_plain) in [
            ("93.184.216.34", [true, true], [false, false]),
            ("10.0.0.1", [false, true], [false, true]),
            ("169.254.169.254", [false, false], [false, false]),
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            let checked = |target: &Target| [false, true].map(|private| target.may_reach(ip, private));
            assert_eq!((checked(&secure), checked(&plain)), (of_secure, of_plain), "{ip}");
        }
        assert_eq!(of("https://[::1]:8443/").authority(), "[::1]:8443");
        assert_eq!(of("http://a.example:80/").authority(), "a.example");
    }
}
