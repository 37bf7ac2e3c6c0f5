//! Messages that are broken or too large, and the places of what is found.

use xsd::{Entry, Limits};

use crate::support::{codes, judged, schema};

const ANYTHING: &str = r#"<xs:element name="r"/>"#;

#[test]
fn what_is_not_well_formed_is_refused() {
    let schema = schema(ANYTHING);
    for message in [
        "",
        " ",
        "text",
        "<r>",
        "<r></s>",
        "<r/><r/>",
        "<r/>text",
        "text<r/>",
        "<r/>&amp;",
        "<r/><![CDATA[x]]>",
        "<r a=1/>",
        "<r a='1'b='2'/>",
        "<r a='1' a='2'/>",
        "<r a='<'/>",
        "<r a='&unknown;'/>",
        "<r a='&amp'/>",
        "<r a/>",
        "<r>&unknown;</r>",
        "<r>&#0;</r>",
        "<r>&#xFFFF;</r>",
        "<r>&#x;</r>",
        "<r>a & b</r>",
        "<r>]]></r>",
        "<r>\u{1}</r>",
        "<r>\u{FFFF}</r>",
        "<r><!-- -- --></r>",
        "<r><!--></r>",
        "<r><?xml x?></r>",
        " <?xml version='1.0'?><r/>",
        "<?xml encoding='UTF-8'?><r/>",
        "<?xml version='1.0' version='1.0'?><r/>",
        "<r><1/></r>",
        "<r><a:b:c/></r>",
        "<r><p:a/></r>",
        "<r p:a='1'/>",
        "<other><deep p:a='1'/></other>",
        "<r xmlns:p='x' xmlns:q='x' p:a='1' q:a='1'/>",
        "<r xmlns:p=''/>",
        "<r xmlns:xml='x'/>",
        "<r xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<r",
        "<r/",
        "</r>",
        "<r><![CDATA[x</r>",
        "<r><!-- x</r>",
        "<r><? ?></r>",
    ] {
        let found = codes(&schema, message);
        let expected = if message.is_empty() { "file_empty" } else { "xml_not_well_formed" };
        assert_eq!(found.split(' ').next_back(), Some(expected), "{message:?}");
    }
}

#[test]
fn what_is_well_formed_is_read() {
    let schema = schema(ANYTHING);
    for message in [
        "\u{FEFF}<r/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes'?>\n<!-- a --><?p i?>\n<r/>\n<!-- b -->\n",
        "<r ></r >",
        "<r\na = '1'\tb=\"2\"/>",
        "<r a='&lt;&#x41;\n'>&gt;]] ></r>",
        "<ä:r xmlns:ä='x' xmlns='y'><ä:ö/></ä:r>",
        "<r xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='x'/>",
    ] {
        let found: Vec<_> =
            judged(&schema, message).into_iter().map(|violation| violation.finding.code).collect();
        assert!(found.iter().all(|code| code == "xsd_root_unknown"), "{message:?} {found:?}");
    }
}

#[test]
fn document_types_and_entities_are_refused() {
    let schema = schema(ANYTHING);
    for message in [
        "<!DOCTYPE r><r/>",
        "<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><r>&b;</r>",
        "<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>",
    ] {
        assert_eq!(codes(&schema, message), "xml_document_type", "{message}");
    }
}

#[test]
fn what_exceeds_a_bound_is_refused_by_name() {
    let schema = schema(ANYTHING);
    let limits =
        Limits { bytes_max: 400, depth_max: 8, attributes_max: 3, namespaces_max: 2, findings_max: 2 };
    let deep = format!("{}{}", "<r>".repeat(9), "</r>".repeat(9));
    for (message, expected) in [
        (deep.as_str(), "xml_too_deep"),
        ("<r a='' b='' c='' d=''/>", "xml_too_many_attributes"),
        ("<r xmlns:a='a' xmlns:b='b'><s xmlns:c='c'/></r>", "xml_too_many_namespaces"),
        ("<r xmlns:a='a'><s xmlns:b='b'/><s xmlns:b='b'/></r>", ""),
        (&format!("<r>{}</r>", "x".repeat(400)), "xml_too_large"),
    ] {
        let found = schema.validate(message, Entry::Root, limits);
        let found: Vec<&str> = found.iter().map(|violation| violation.finding.code.as_str()).collect();
        assert_eq!(found.join(" "), expected, "{message}");
    }
    let many = crate::support::schema(
        r#"<xs:element name="r"><xs:complexType><xs:sequence><xs:element name="n" type="xs:int" maxOccurs="9"/></xs:sequence></xs:complexType></xs:element>"#,
    );
    let found = many.validate("<r><n/><n/><n/></r>", Entry::Root, limits);
    let found: Vec<&str> = found.iter().map(|violation| violation.finding.code.as_str()).collect();
    assert_eq!(found, ["xsd_value_type", "xsd_value_type", "xsd_too_many_findings"]);
}

#[test]
fn a_finding_says_where_what_and_what_was_expected() {
    let schema = schema(
        r#"<xs:element name="r"><xs:complexType><xs:sequence>
             <xs:element name="item" maxOccurs="9"><xs:complexType><xs:sequence>
               <xs:element name="mass" type="xs:decimal"/><xs:element name="note" type="xs:string" minOccurs="0"/>
             </xs:sequence><xs:attribute name="n" type="xs:int"/></xs:complexType></xs:element>
           </xs:sequence></xs:complexType></xs:element>"#,
    );
    let message = "<r>\n  <item><mass>1</mass></item>\n  <item n='ü'><mass>heavy</mass></item>\n  <item><note/></item>\n  <item>ä<mass>1</mass><mass>2</mass></item>\n</r>";
    let found: Vec<String> = judged(&schema, message)
        .iter()
        .map(|violation| {
            let finding = &violation.finding;
            format!(
                "{}:{} {} {} found {:?}, expected {}",
                violation.line,
                violation.column,
                finding.pointer,
                finding.code,
                finding.found,
                finding.expected
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "3:3 r[1]/item[2]/@n xsd_value_type found \"ü\", expected a value of type int",
            "3:15 r[1]/item[2]/mass[1] xsd_value_type found \"heavy\", expected a value of type decimal",
            "4:9 r[1]/item[3]/note[1] xsd_element_unexpected found \"note\", expected mass",
            "5:9 r[1]/item[4] xsd_text_unexpected found \"ä\", expected no text here",
            "5:24 r[1]/item[4]/mass[2] xsd_element_unexpected found \"mass\", expected note",
        ]
    );
}

#[test]
fn one_mistake_does_not_hide_the_next() {
    let schema = schema(
        r#"<xs:element name="r"><xs:complexType><xs:sequence>
             <xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int"/><xs:element name="c" type="xs:int"/>
           </xs:sequence></xs:complexType></xs:element>"#,
    );
    for (message, expected) in [
        ("<r><b>x</b><a>y</a></r>", "xsd_element_unexpected xsd_value_type xsd_value_type"),
        ("<r><unknown><a>x</a></unknown><a>x</a></r>", "xsd_element_unexpected xsd_value_type"),
        ("<r><a>x</a><b>y</b><c>1</c></r>", "xsd_value_type xsd_value_type"),
    ] {
        assert_eq!(codes(&schema, message), expected, "{message}");
    }
}
