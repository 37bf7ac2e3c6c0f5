//! Texts piece by piece: what is told of each, and what is refused where. Another reader of XML stands beside this one in
//! the tests of `formats`.

use markup::{Broken, Limits, Reader, Sink, Token, read};

const LIMITS: Limits = Limits { depth_max: 4, nodes_max: 12, attributes_max: 3, namespaces_max: 2 };

/// Everything on one line: `<a {urn:1} c="1"> "text" </>`.
fn told(text: &str) -> Result<String, Broken> {
    let mut reader = Reader::new(text, LIMITS)?;
    let mut told = Vec::new();
    loop {
        match reader.token()? {
            Token::Start => {
                let namespace = reader.scopes().uri(reader.namespace());
                let mut tag = format!("<{}", reader.written());
                if !namespace.is_empty() {
                    tag.push_str(&format!(" {{{namespace}}}"));
                }
                for attribute in reader.attributes() {
                    let uri = reader.scopes().uri(attribute.namespace);
                    let uri = if uri.is_empty() { String::new() } else { format!("{{{uri}}}") };
                    tag.push_str(&format!(" {uri}{}={:?}", attribute.written, attribute.value));
                }
                told.push(format!("{tag}>"));
            }
            // The namespaces that an element declared are in force to its very end.
            Token::End => told.push(match reader.scopes().find("p") {
                Some(bound) => format!("</p is {}>", reader.scopes().uri(bound)),
                None => "</>".to_owned(),
            }),
            Token::Text(piece) => told.push(format!("{piece:?}")),
            Token::Character(character) => told.push(format!("{character:?}")),
            Token::Eof => return Ok(told.join(" ")),
        }
    }
}

#[test]
fn every_piece_is_told_in_its_order() {
    let check = |text: &str, expected: &str| assert_eq!(told(text).as_deref(), Ok(expected), "{text}");
    check("<a/>", "<a> </>");
    check("<?xml version='1.0'?>\n<!-- <b> --><a ><?p <c>?></a >\n", "<a> </>");
    check("<a>1&lt;&#x41;<![CDATA[<b>]]> ]] </a>", "<a> \"1\" '<' 'A' \"<b>\" \" ]] \" </>");
    check("<a c='1' d = \"&quot;\t'\r\n>\"/>", "<a c=\"1\" d=\"\\\" ' >\"> </>");
    check("<a xmlns='urn:1'><b xmlns=''/><b/></a>", "<a {urn:1}> <b> </> <b {urn:1}> </> </>");
    check(
        "<a><p:b xmlns:p='urn:1' p:c='1' c='2'>x</p:b><p xmlns:p='urn:2'/></a>",
        "<a> <p:b {urn:1} {urn:1}p:c=\"1\" c=\"2\"> \"x\" </p is urn:1> <p> </p is urn:2> </>",
    );
    check("<a><p xmlns:p='u'/><p xmlns:p='u'/></a>", "<a> <p> </p is u> <p> </p is u> </>");
}

#[test]
fn the_same_name_has_the_same_number_and_another_another() {
    let mut reader = Reader::new("<a><b a='1'/><p:a xmlns:p='u'/><a/></a>", LIMITS).unwrap();
    let mut numbers = Vec::new();
    while let Ok(token) = reader.token() {
        match token {
            Token::Start => {
                numbers.push(reader.number().position());
                numbers.extend(reader.attributes().iter().map(|attribute| attribute.number.position()));
            }
            Token::Eof => break,
            _ => {}
        }
    }
    // `xmlns:p` is a name too, though no attribute.
    assert_eq!(numbers, [0, 1, 0, 2, 0]);
}

#[test]
fn what_is_refused_has_a_code_and_a_place() {
    let check = |text: &str, code: &str, at: usize| {
        let broken = told(text).unwrap_err();
        assert_eq!((broken.code, broken.at), (code, at), "{text}: {broken:?}");
        assert!(!broken.expected.is_empty() && !broken.remedy().is_empty());
    };
    let ill = "xml_not_well_formed";
    check("", ill, 0);
    check("<a", ill, 2);
    check("<a ", ill, 3);
    check("<a/", ill, 3);
    check("<a b", ill, 4);
    check("<a b='", ill, 6);
    check("<a b='1'c='2'/>", ill, 8);
    check("<a b='1' b='2'/>", ill, 9);
    check("<a b='1<2'/>", ill, 7);
    check("<a b='&x;'/>", ill, 6);
    check("<a>&x;</a>", ill, 3);
    check("<a>&</a>", ill, 3);
    check("<a></b>", ill, 3);
    check("<a></ab>", ill, 3);
    check("<ab></a>", ill, 4);
    check("<a></a", ill, 6);
    check("</a>", ill, 0);
    check("<a/>x", ill, 4);
    check("<a/><a/>", ill, 4);
    check("<a>]]></a>", ill, 3);
    check("<a><!-- -- --></a>", ill, 8);
    check("<a><!-- ", ill, 8);
    check("<a><![CDATA[", ill, 12);
    check("<a><?p", ill, 6);
    check("<a><?xml?></a>", ill, 3);
    check("<?xml version='2'?><a/>", ill, 0);
    check("<a>\u{1}</a>", ill, 3);
    check("<a>\u{FFFF}</a>", ill, 3);
    check("<a:b:c/>", ill, 1);
    check("<p:a/>", ill, 1);
    check("<a p:b=''/>", ill, 3);
    check("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", "xml_too_many_attributes", 0);
    check("<a xmlns:p='u' p:b='' p:b=''/>", ill, 22);
    check("<a><b><c><d><e/>", "xml_too_deep", 12);
    check("<!DOCTYPE a><a/>", "xml_document_type", 0);
    check("<a><!ELEMENT a ANY></a>", "xml_document_type", 3);
    check("<a><b x='' y='' z=''/><b x='' y='' z=''/><b x='' y='' z=''/></a>", "xml_too_many_nodes", 41);
    check("<a xmlns:p='p'><b xmlns:q='q'><c xmlns:r='r'/></b></a>", "xml_too_many_namespaces", 30);
}

/// Hears so many pieces.
struct Hears(usize);

impl<'t> Sink<'t> for Hears {
    fn take(&mut self, _token: Token<'t>, _reader: &Reader<'t>) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }

    fn broken(&mut self, broken: &Broken, text: &'t str) {
        assert!(broken.at <= text.len());
        self.0 = 1_000;
    }
}

#[test]
fn each_listener_hears_as_much_as_it_wants() {
    let check = |text: &str, first: usize, second: usize, left: (usize, usize), fine: bool| {
        let mut both = ((Hears(first), true), (Hears(second), true));
        assert_eq!(read(text, LIMITS, &mut both).is_ok(), fine);
        assert_eq!((both.0.0.0, both.1.0.0), left, "{text}");
    };
    // Start, text, end, and the end of all.
    check("<a>1</a>", 2, 10, (0, 6), true);
    check("<a>1</a>", 10, 2, (6, 0), true);
    // Nobody wants to hear what is wrong.
    check("<a>1</b>", 1, 1, (0, 0), true);
    check("<a>1</b>", 1, 10, (0, 1_000), false);
}
