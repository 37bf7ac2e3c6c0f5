//! One table a construct: what it lets in and what it refuses.

use xsd::{Entry, Limits, Schema};

use crate::support::{check, codes, files};

const UNEXPECTED: &str = "xsd_element_unexpected";
const MISSING: &str = "xsd_element_missing";

#[test]
fn a_sequence_has_its_order() {
    check(
        r#"<xs:element name="r"><xs:complexType><xs:sequence>
             <xs:element name="a"/><xs:element name="b" minOccurs="0"/><xs:element name="c"/>
           </xs:sequence></xs:complexType></xs:element>"#,
        &[
            ("<r><a/><b/><c/></r>", ""),
            ("<r><a/><c/></r>", ""),
            ("<r> <a/> <!-- between --> <c/>\n</r>", ""),
            ("<r><a/><c/><b/></r>", UNEXPECTED),
            ("<r><a/></r>", MISSING),
            ("<r/>", MISSING),
            ("<r><c/></r>", UNEXPECTED),
            ("<r><a/>text<c/></r>", "xsd_text_unexpected"),
            ("<r><a/>&#32;<c/></r>", ""),
            ("<r><a/>&#65;<c/></r>", "xsd_text_unexpected"),
            ("<other/>", "xsd_root_unknown"),
            ("<r><a/><d/><c/></r>", UNEXPECTED),
        ],
    );
}

#[test]
fn a_choice_takes_one() {
    check(
        r#"<xs:element name="r"><xs:complexType><xs:choice>
             <xs:element name="a"/>
             <xs:sequence><xs:element name="b"/><xs:element name="c" maxOccurs="2"/></xs:sequence>
           </xs:choice></xs:complexType></xs:element>"#,
        &[
            ("<r><a/></r>", ""),
            ("<r><b/><c/><c/></r>", ""),
            ("<r><b/></r>", MISSING),
            ("<r><a/><b/></r>", UNEXPECTED),
            ("<r><b/><c/><c/><c/></r>", UNEXPECTED),
            ("<r/>", MISSING),
        ],
    );
}

#[test]
fn elements_and_groups_repeat_within_their_bounds() {
    check(
        r#"<xs:element name="r"><xs:complexType><xs:sequence>
             <xs:element name="a" minOccurs="2" maxOccurs="3"/>
             <xs:sequence minOccurs="0" maxOccurs="2"><xs:element name="b"/><xs:element name="c" minOccurs="0"/></xs:sequence>
             <xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="d"/><xs:element name="e"/></xs:choice>
             <xs:element name="f" minOccurs="0" maxOccurs="9999"/>
             <xs:element name="never" minOccurs="0" maxOccurs="0"/>
           </xs:sequence></xs:complexType></xs:element>"#,
        &[
            ("<r><a/></r>", MISSING),
            ("<r><a/><a/></r>", ""),
            ("<r><a/><a/><a/></r>", ""),
            ("<r><a/><a/><a/><a/></r>", UNEXPECTED),
            ("<r><a/><b/></r>", UNEXPECTED),
            ("<r><a/><a/><b/><c/><b/></r>", ""),
            ("<r><a/><a/><b/><b/><c/></r>", ""),
            ("<r><a/><a/><b/><b/><b/></r>", UNEXPECTED),
            ("<r><a/><a/><e/><d/><e/><f/></r>", ""),
            ("<r><a/><a/><f/><e/></r>", UNEXPECTED),
            ("<r><a/><a/><never/></r>", UNEXPECTED),
        ],
    );
    // A repetition that meets itself is counted out, not greedily.
    check(
        r#"<xs:element name="r"><xs:complexType><xs:sequence maxOccurs="unbounded">
             <xs:element name="a" minOccurs="2" maxOccurs="3"/></xs:sequence></xs:complexType></xs:element>"#,
        &[
            ("<r><a/></r>", MISSING),
            ("<r><a/><a/><a/><a/></r>", ""),
            ("<r><a/><a/><a/><a/><a/><a/><a/></r>", ""),
        ],
    );
}

#[test]
fn all_takes_each_once_in_any_order() {
    check(
        r#"<xs:element name="r"><xs:complexType><xs:all>
             <xs:element name="a"/><xs:element name="b" minOccurs="0"/><xs:element name="c"/>
           </xs:all></xs:complexType></xs:element>"#,
        &[
            ("<r><c/><a/></r>", ""),
            ("<r><b/><c/><a/></r>", ""),
            ("<r><a/><b/></r>", MISSING),
            ("<r><a/><a/><c/></r>", UNEXPECTED),
        ],
    );
}

#[test]
fn named_groups_and_types_are_used_where_they_are_named() {
    check(
        r#"<xs:element name="r" type="R"/>
           <xs:complexType name="R"><xs:sequence><xs:group ref="g" maxOccurs="2"/><xs:element ref="x" minOccurs="0"/></xs:sequence>
             <xs:attributeGroup ref="at"/></xs:complexType>
           <xs:group name="g"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:group>
           <xs:attributeGroup name="at"><xs:attribute name="k" use="required" type="xs:NCName"/><xs:attribute name="l"/></xs:attributeGroup>
           <xs:element name="x" type="R"/>"#,
        &[
            ("<r k='v'><a>1</a><a>2</a></r>", ""),
            ("<r k='v' l=''><a>1</a><x k='w'><a>2</a></x></r>", ""),
            ("<r><a>1</a></r>", "xsd_attribute_missing"),
            ("<r k='1v'><a>1</a></r>", "xsd_value_type"),
            ("<r k='v' m='1'><a>1</a></r>", "xsd_attribute_unexpected"),
            ("<r k='v'><a>one</a><x/></r>", "xsd_value_type xsd_attribute_missing xsd_element_missing"),
        ],
    );
}

#[test]
fn types_are_extended_and_restricted() {
    check(
        r#"<xs:complexType name="Base"><xs:sequence><xs:element name="a"/></xs:sequence><xs:attribute name="p"/><xs:attribute name="q"/></xs:complexType>
           <xs:complexType name="More"><xs:complexContent><xs:extension base="Base">
             <xs:sequence><xs:element name="b"/></xs:sequence><xs:attribute name="s" use="required"/></xs:extension></xs:complexContent></xs:complexType>
           <xs:complexType name="Less"><xs:complexContent><xs:restriction base="Base">
             <xs:sequence><xs:element name="a"/></xs:sequence><xs:attribute name="p" use="prohibited"/><xs:attribute name="q" use="required"/></xs:restriction></xs:complexContent></xs:complexType>
           <xs:complexType name="Amount"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="currency" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
           <xs:complexType name="Small"><xs:simpleContent><xs:restriction base="Amount"><xs:maxInclusive value="10"/></xs:restriction></xs:simpleContent></xs:complexType>
           <xs:complexType name="None"/><xs:element name="nothing"><xs:complexType><xs:sequence/></xs:complexType></xs:element>
           <xs:complexType name="Never" abstract="true"/>
           <xs:element name="base" type="Base"/><xs:element name="more" type="More"/><xs:element name="less" type="Less"/>
           <xs:element name="amount" type="Amount"/><xs:element name="small" type="Small"/><xs:element name="none" type="None"/>
           <xs:element name="never" type="Never"/><xs:element name="abstract" abstract="true" type="xs:string"/>"#,
        &[
            ("<more s=''><a/><b/></more>", ""),
            ("<more s=''><b/></more>", UNEXPECTED),
            ("<more p=''><a/><b/></more>", "xsd_attribute_missing"),
            ("<less q=''><a/></less>", ""),
            ("<less q='' p=''><a/></less>", "xsd_attribute_unexpected"),
            ("<less><a/></less>", "xsd_attribute_missing"),
            ("<amount currency='EUR'>1.50</amount>", ""),
            ("<amount currency='EUR'>1,50</amount>", "xsd_value_type"),
            ("<amount>1</amount>", "xsd_attribute_missing"),
            ("<amount currency='EUR'>1<b/></amount>", UNEXPECTED),
            ("<small currency='EUR'>10.0</small>", ""),
            ("<small currency='EUR'>10.01</small>", "xsd_value_range"),
            ("<none/>", ""),
            ("<none></none>", ""),
            ("<none><!-- nothing --></none>", ""),
            ("<none>x</none>", "xsd_text_unexpected"),
            ("<none> </none>", "xsd_text_unexpected"),
            ("<none>&#32;</none>", "xsd_text_unexpected"),
            ("<nothing/>", ""),
            ("<nothing> </nothing>", "xsd_text_unexpected"),
            ("<never/>", "xsd_type_abstract"),
            ("<abstract/>", "xsd_element_abstract"),
        ],
    );
}

#[test]
fn xsi_type_and_nil_are_followed() {
    const XSI: &str = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
    let schema = crate::support::schema(
        r#"<xs:complexType name="Base"><xs:sequence><xs:element name="a"/></xs:sequence></xs:complexType>
           <xs:complexType name="More"><xs:complexContent><xs:extension base="Base"><xs:sequence><xs:element name="b"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
           <xs:simpleType name="Short"><xs:restriction base="xs:string"><xs:maxLength value="2"/></xs:restriction></xs:simpleType>
           <xs:element name="r" type="Base" nillable="true"/><xs:element name="s" type="xs:string"/>"#,
    );
    for (message, expected) in [
        (format!("<r {XSI} i:type='More'><a/><b/></r>"), ""),
        (format!("<r {XSI} i:type='Base'><a/></r>"), ""),
        (format!("<r {XSI} i:type='More'><a/></r>"), MISSING),
        (format!("<r {XSI} i:type='Short'><a/></r>"), "xsd_type_not_derived"),
        (format!("<r {XSI} i:type='Nowhere'><a/></r>"), "xsd_type_unknown"),
        (format!("<s {XSI} i:type='Short'>abc</s>"), "xsd_value_length"),
        (
            format!("<s {XSI} xmlns:x='http://www.w3.org/2001/XMLSchema' i:type='x:int'>1</s>"),
            "xsd_type_not_derived",
        ),
        (format!("<r {XSI} i:nil='true'/>"), ""),
        (format!("<r {XSI} i:nil='1'><a/></r>"), "xsd_nil_with_content"),
        (format!("<r {XSI} i:nil='false'><a/></r>"), ""),
        (format!("<r {XSI} i:nil='maybe'><a/></r>"), "xsd_value_type"),
        (format!("<s {XSI} i:nil='true'/>"), "xsd_nil_not_allowed"),
        (format!("<s {XSI} i:schemaLocation='a b' i:noNamespaceSchemaLocation='c'>x</s>"), ""),
        (format!("<s {XSI} i:other='a'>x</s>"), "xsd_attribute_unexpected"),
    ] {
        assert_eq!(codes(&schema, &message), expected, "{message}");
    }
}

#[test]
fn mixed_default_and_fixed_values() {
    check(
        r#"<xs:element name="m"><xs:complexType mixed="true"><xs:sequence><xs:element name="b" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
           <xs:element name="f" fixed="01" type="xs:int"/><xs:element name="d" default="7" type="xs:int"/>
           <xs:element name="k"><xs:complexType><xs:attribute name="v" fixed="1.0" type="xs:decimal"/></xs:complexType></xs:element>"#,
        &[
            ("<m>text <b/> more</m>", ""),
            ("<m>text <c/></m>", UNEXPECTED),
            ("<f>1</f>", ""),
            ("<f/>", ""),
            ("<f>2</f>", "xsd_value_fixed"),
            ("<d/>", ""),
            ("<d>x</d>", "xsd_value_type"),
            ("<k v='1'/>", ""),
            ("<k v='2'/>", "xsd_value_fixed"),
        ],
    );
}

#[test]
fn identifiers_are_unique_and_referred_to() {
    check(
        r#"<xs:element name="r"><xs:complexType><xs:sequence><xs:element name="a" maxOccurs="9"><xs:complexType>
             <xs:attribute name="id" type="xs:ID"/><xs:attribute name="to" type="xs:IDREF"/><xs:attribute name="all" type="xs:IDREFS"/>
           </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>"#,
        &[
            ("<r><a id='x'/><a id='y' to='x' all='y  x'/></r>", ""),
            ("<r><a to='x'/><a id='x'/></r>", ""),
            ("<r><a id='x'/><a id=' x '/></r>", "xsd_id_repeated"),
            ("<r><a to='x'/></r>", "xsd_idref_unknown"),
        ],
    );
}

#[test]
fn wildcards_let_in_what_they_name() {
    let files = files(&[
        (
            "main.xsd",
            r###"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="m" targetNamespace="m" elementFormDefault="qualified">
              <xs:import namespace="o" schemaLocation="other.xsd"/>
              <xs:element name="strict"><xs:complexType><xs:sequence><xs:any namespace="o"/></xs:sequence></xs:complexType></xs:element>
              <xs:element name="lax"><xs:complexType><xs:sequence><xs:any namespace="##other" processContents="lax" maxOccurs="2"/></xs:sequence></xs:complexType></xs:element>
              <xs:element name="skip"><xs:complexType><xs:sequence><xs:any namespace="##targetNamespace ##local" processContents="skip"/></xs:sequence><xs:anyAttribute namespace="##other" processContents="skip"/></xs:complexType></xs:element>
              <xs:element name="attributes"><xs:complexType><xs:anyAttribute namespace="o" processContents="strict"/></xs:complexType></xs:element>
              <xs:element name="anything"/>
            </xs:schema>"###,
        ),
        (
            "other.xsd",
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="o"><xs:element name="n" type="xs:int"/><xs:attribute name="n" type="xs:int"/></xs:schema>"#,
        ),
    ]);
    let schema = Schema::compile(&files, "main.xsd").unwrap();
    for (message, expected) in [
        ("<strict xmlns='m'><n xmlns='o'>1</n></strict>", ""),
        ("<strict xmlns='m'><n xmlns='o'>x</n></strict>", "xsd_value_type"),
        ("<strict xmlns='m'><q xmlns='o'/></strict>", "xsd_element_undeclared"),
        ("<strict xmlns='m'><n>1</n></strict>", UNEXPECTED),
        ("<lax xmlns='m'><q xmlns='o'/><z xmlns='unheard-of'><n xmlns='o'>x</n></z></lax>", "xsd_value_type"),
        ("<lax xmlns='m'><n xmlns='o'>x</n></lax>", "xsd_value_type"),
        ("<lax xmlns='m'><lax/></lax>", UNEXPECTED),
        ("<m:lax xmlns:m='m'><z/></m:lax>", UNEXPECTED),
        ("<skip xmlns='m'><strict/></skip>", ""),
        ("<m:skip xmlns:m='m' xmlns:p='p' p:a='1'><z/></m:skip>", ""),
        ("<m:skip xmlns:m='m' m:a='1'><z/></m:skip>", "xsd_attribute_unexpected"),
        ("<attributes xmlns='m' xmlns:o='o' o:n='1'/>", ""),
        ("<attributes xmlns='m' xmlns:o='o' o:n='x'/>", "xsd_value_type"),
        ("<attributes xmlns='m' xmlns:o='o' o:q='x'/>", "xsd_attribute_unexpected"),
        ("<anything xmlns='m' a='1'>text<strict/></anything>", MISSING),
    ] {
        assert_eq!(codes(&schema, message), expected, "{message}");
    }
}

#[test]
fn files_are_included_and_imported_with_their_namespaces() {
    let files = files(&[
        (
            "a/main.xsd",
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:m="m" xmlns:o="o" targetNamespace="m" elementFormDefault="qualified">
              <xs:include schemaLocation="part.xsd"/><xs:import namespace="o" schemaLocation="../b/other.xsd"/>
              <xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>
              <xs:element name="r"><xs:complexType><xs:sequence><xs:element name="q" type="m:Part"/><xs:element ref="o:n"/></xs:sequence>
                <xs:attribute ref="xml:lang"/><xs:attribute ref="xml:space"/></xs:complexType></xs:element>
            </xs:schema>"#,
        ),
        (
            "a/part.xsd",
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="unqualified">
              <xs:complexType name="Part"><xs:sequence><xs:element name="x" type="Letter"/></xs:sequence></xs:complexType>
              <xs:simpleType name="Letter"><xs:restriction base="xs:string"><xs:length value="1"/></xs:restriction></xs:simpleType>
            </xs:schema>"#,
        ),
        (
            "b/other.xsd",
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="o"><xs:element name="n" type="xs:int"/></xs:schema>"#,
        ),
    ]);
    let schema = Schema::compile(&files, "a/main.xsd").unwrap();
    for (message, expected) in [
        ("<m:r xmlns:m='m'><m:q><x>y</x></m:q><n xmlns='o'>1</n></m:r>", ""),
        (
            "<r xmlns='m' xml:lang='en-GB' xml:space='default'><q><x xmlns=''>y</x></q><n xmlns='o'>1</n></r>",
            "",
        ),
        (
            "<r xmlns='m' xml:lang='' xml:space='none'><q><x xmlns=''>y</x></q><n xmlns='o'>1</n></r>",
            "xsd_value_not_listed",
        ),
        (
            "<r xmlns='m' xml:base='x'><q><x xmlns=''>y</x></q><n xmlns='o'>1</n></r>",
            "xsd_attribute_unexpected",
        ),
        ("<r xmlns='m'><q><x>y</x></q><n xmlns='o'>1</n></r>", UNEXPECTED),
        ("<r xmlns='m'><q><x xmlns=''>yy</x></q><n xmlns='o'>1</n></r>", "xsd_value_length"),
    ] {
        assert_eq!(codes(&schema, message), expected, "{message}");
    }
    assert_eq!(schema.notes(), [""; 0]);
}

#[test]
fn a_message_is_judged_in_its_wrapper_and_without_its_namespaces() {
    let files = files(&[(
        "main.xsd",
        r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="m" elementFormDefault="qualified">
          <xs:element name="r"><xs:complexType><xs:sequence><xs:element name="n" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
        </xs:schema>"#,
    )]);
    let schema = Schema::compile(&files, "main.xsd").unwrap();
    let entry = Entry::Element { namespace: "m", name: "r" };
    for (message, expected) in [
        ("<wrapper><r xmlns='m'><n>1</n></r></wrapper>", ""),
        ("<wrapper any='1'>text<deep><r xmlns='m'><n>x</n></r></deep></wrapper>", "xsd_value_type"),
        ("<r xmlns='m'><n>1</n></r>", ""),
        ("<wrapper><r><n>1</n></r></wrapper>", "xsd_entry_missing"),
        ("<wrapper><r xmlns='m'><n>1</n></r>", "xml_not_well_formed"),
    ] {
        let found = schema.validate(message, entry, Limits::default());
        let found: Vec<&str> = found.iter().map(|violation| violation.finding.code.as_str()).collect();
        assert_eq!(found.join(" "), expected, "{message}");
    }
    for (message, expected) in [
        ("<r><n>1</n></r>", ""),
        ("<r xmlns='m'><n>1</n></r>", ""),
        ("<r><n xmlns='other'>1</n></r>", UNEXPECTED),
        ("<n>1</n>", "xsd_root_unknown"),
    ] {
        let found = schema.validate_assuming(message, Entry::Root, &[("r", "m")], Limits::default());
        let found: Vec<&str> = found.iter().map(|violation| violation.finding.code.as_str()).collect();
        assert_eq!(found.join(" "), expected, "{message}");
    }
}
