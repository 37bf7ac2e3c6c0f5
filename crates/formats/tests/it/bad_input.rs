//! The files that arrive on a bad day. Each is told what is wrong with it, where, and what to do; what was good in it
//! is kept.

use spine::Value;

use crate::support::{assert_helpful, by_name, mapping, open, read, read_with, told};

const HEADER: &str = "Declaration ID,Date,HS Code,Country of Origin,Net Mass,Fraud";

/// One row under [`HEADER`] | `kept` or `quarantined` | what is told
const ROWS: &str = "
    1,2024-01-31,851712,CN,5,0        | kept        |
    1,2024-01-31,851712,CN,,          | kept        |
    1,2024-01-31,851712,CN,-5,0       | quarantined | negative_value Net Mass 1
    1,2024-01-31,851712,CN,5 kg,0     | quarantined | number_unreadable Net Mass 1
    1,2024-01-31,00851712,CN,5,0      | kept        | code_unknown HS Code 1
    1,2024-01-31,99xx,CN,5,0          | kept        | code_unknown HS Code 1
    1,2024-01-31,851712,Atlantis,5,0  | kept        | code_unknown Country of Origin 1
    1,31.02.2024,851712,CN,5,0        | quarantined | date_unreadable Date 1
    1,2024-02-30,851712,CN,5,0        | quarantined | date_unreadable Date 1
    1,0024-01-31,851712,CN,5,0        | quarantined | date_implausible Date 1
    1,,851712,CN,5,0                  | quarantined | required_value_missing Date 1
    ,2024-01-31,851712,CN,5,0         | quarantined | required_value_missing Declaration ID 1
    1,2024-01-31,851712,CN,5,perhaps  | quarantined | yes_or_no_unreadable Fraud 1
    1,2024-01-31,851712,CN,5          | quarantined | cell_count (file) 1
    1,2024-01-31,851712,CN,5,0,0      | quarantined | cell_count (file) 1
    ,,851712,CN,heavy,                | quarantined | number_unreadable Net Mass 1, required_value_missing Date 1, required_value_missing Declaration ID 1
";

#[test]
fn a_row_is_kept_or_quarantined_and_the_reason_is_told() {
    let mapping = by_name();
    for case in ROWS.lines().filter(|line| line.contains('|')) {
        let parts: Vec<&str> = case.split('|').map(str::trim).collect();
        let bytes = format!("{HEADER}\n{}\n", parts[0]);
        let intake = read_with(bytes.as_bytes(), &mapping).unwrap();
        let became = if intake.table.len() == 1 { "kept" } else { "quarantined" };
        assert_eq!((became, told(&intake).as_str()), (parts[1], parts[2]), "{case}");
        for finding in intake.findings.iter().flat_map(|group| &group.examples) {
            assert_helpful(finding);
            assert!(finding.pointer.0.starts_with("line[2]"), "{finding}");
        }
        if let Some(row) = intake.quarantine.first() {
            assert_eq!(row.cells.join(","), parts[0]);
        }
    }
}

#[test]
fn whole_files_that_hold_nothing_to_read_say_what_they_are() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "file_empty"),
        (b"PAR1\x15\x04\x15", "not_delimited_text"),
        (b"PK\x03\x04workbook", "not_delimited_text"),
        (b"\x1F\x8B\x08gzip", "not_delimited_text"),
        (b"%PDF-1.7", "not_delimited_text"),
        (b"id,date\n1,\0\0\n", "not_delimited_text"),
        (b"\n\n\n", "no_header"),
        (b"id,value\n1,2\n", "mapping_required_field"),
        (&[b','; 5_000], "too_many_columns"),
    ];
    for (bytes, code) in cases {
        let findings = read(bytes).map(|intake| told(&intake)).unwrap_err();
        assert_eq!(findings[0].code, code);
        findings.iter().for_each(assert_helpful);
    }
}

#[test]
fn doubled_and_nameless_columns_are_left_out_and_told() {
    let intake =
        read(b"Declaration ID,Date,Net Mass,Net Mass,\n1,2024-01-31,5,6,7\n2,2024-01-31,5,6,7\n").unwrap();
    assert_eq!(told(&intake), "column_doubled (file) 1, column_without_name (file) 1");
    assert_eq!(intake.table.value(0, "net_mass"), Some(Value::Decimal(5.into())));
}

#[test]
fn a_line_of_ten_megabytes_costs_one_row() {
    let long = format!("2,2024-01-31,{},CN,5,0\n", "8".repeat(10_000_000));
    let bytes = format!("{HEADER}\n1,2024-01-31,851712,CN,5,0\n{long}3,2024-01-31,851712,CN,5,1\n");
    let intake = read(bytes.as_bytes()).unwrap();
    assert_eq!((intake.lines.as_slice(), intake.quarantine[0].line), ([2, 4].as_slice(), 3));
    let finding = &intake.quarantine[0].findings[0];
    assert_eq!((finding.code.as_str(), finding.found.as_str()), ("line_too_long", "10000020 bytes"));
}

#[test]
fn an_unclosed_quotation_mark_costs_what_it_swallows_and_no_more() {
    let rows = "9,2024-01-31,851712,CN,5,0\n".repeat(100_000);
    let bytes = format!("{HEADER}\n1,2024-01-31,\"851712,CN,5,0\n{rows}");
    let intake = read(bytes.as_bytes()).unwrap();
    assert_eq!(told(&intake), "line_too_long (file) 1");
    assert_eq!(intake.quarantine[0].line, 2);
    assert!(intake.table.len() > 50_000);
}

/// Form | one day in it
const FORMS: [(&str, &str); 6] = [
    ("%Y-%m-%d", "2024-01-31"),
    ("%d/%m/%Y", "31/01/2024"),
    ("%m/%d/%Y", "01/31/2024"),
    ("%d.%m.%Y", "31.01.2024"),
    ("%Y%m%d", "20240131"),
    ("%Y年%m月%d日", "2024年01月31日"),
];

#[test]
fn one_form_of_dates_is_found_out_and_a_mixture_is_not_guessed_at() {
    let file = |days: &[&str]| {
        let rows: String = days.iter().map(|day| format!("1,{day},851712,CN,5,0\n")).collect();
        format!("{HEADER}\n{rows}").into_bytes()
    };
    for (form, day) in FORMS {
        let intake = read(&file(&[day, day])).unwrap();
        assert_eq!(
            intake.table.value(1, "date").map(|day| day.to_string()).as_deref(),
            Some("2024-01-31"),
            "{form}"
        );
    }
    let days: Vec<&str> = FORMS.iter().map(|(_, day)| *day).collect();
    let intake = read(&file(&days)).unwrap();
    // Both spellings of ISO 8601 can be read only one way; the others are left to a person.
    assert_eq!(
        (intake.lines.as_slice(), told(&intake).as_str()),
        ([2, 6].as_slice(), "date_unreadable Date 4")
    );

    // The same day of the same month, or the twelfth and the first the other way round: nobody can tell.
    let undecided = crate::support::proposal(&file(&["01/02/2024", "03/04/2024"])).unwrap();
    let codes: Vec<&str> = undecided.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["date_form_ambiguous"]);
}

#[test]
fn encodings_other_than_utf_8_are_read_and_the_guess_is_told() {
    let text = "N° déclaration;Date;Désignation des marchandises\n1;2024-01-31;Pièces détachées\n".to_owned()
        + &"2;2024-01-31;Câbles électriques à âme en cuivre\n".repeat(20);
    let windows = encoding_rs::WINDOWS_1252.encode(&text).0;
    let utf_16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (bytes, guessed) in [(windows.as_ref(), true), (&utf_16, false), (text.as_bytes(), false)] {
        let intake = read(bytes).unwrap();
        assert_eq!(
            intake.table.value(0, "goods_description"),
            Some(Value::Text("Pièces détachées".to_owned()))
        );
        assert_eq!(told(&intake).contains("encoding_guessed"), guessed);
    }
}

#[test]
fn a_mapping_that_names_what_is_not_there_reads_nothing_and_says_what_there_is() {
    let bytes = format!("{HEADER}\n1,2024-01-31,851712,CN,5,0\n");
    let fields = "[fields.declaration_id]\ncolumn = \"Declaration ID\"\n[fields.date]\ncolumn = \"Date\"\n";
    let cases = [
        ("[fields.net_mass]\ncolumn = \"Net Weight\"\n", "mapping_unknown_column", "Net Mass"),
        (
            "[fields.net_mass]\ncolumn = \"Nett Mass\"\n",
            "mapping_unknown_column",
            "Did you mean \"Net Mass\"?",
        ),
        ("[fields.net_mas]\ncolumn = \"Net Mass\"\n", "mapping_unknown_field", "Did you mean \"net_mass\"?"),
        ("[fields.net_mass]\nconstant = \"5\"\ncolumn = \"Net Mass\"\n", "mapping_source", "Keep one"),
        ("[fields.net_mass]\nconstant = \"heavy\"\n", "number_unreadable", "Correct"),
        (
            "[fields.commodity_code]\ncolumn = \"HS Code\"\npad_left = 4000000000\n",
            "mapping_pad_left",
            "6 or 10",
        ),
        ("[numbers]\ndecimal = \",\"\ngrouping = \",\"\n", "mapping_numbers", "grouping = \".\""),
        ("[fields.net_mass]\ncolumn = \"Net Mass\"\nformat = \"%Y\"\n", "mapping_format", "Remove"),
        ("[fields.irregular]\ncolumn = \"Fraud\"\nfactor = \"2\"\n", "mapping_factor", "Remove"),
        ("[fields.irregular]\nderived = \"outcome_present\"\n", "mapping_derived", "column or constant"),
    ];
    for (more, code, remedy) in cases {
        let findings = read_with(bytes.as_bytes(), &mapping(&format!("{fields}{more}"))).unwrap_err();
        assert_eq!(findings.len(), 1, "{more}");
        assert_eq!(findings[0].code, code);
        assert!(findings[0].how_to_fix.contains(remedy), "{}", findings[0]);
        assert_helpful(&findings[0]);
    }
}

#[test]
fn other_delimiters_are_found_out() {
    for delimiter in [',', ';', '\t', '|'] {
        let bytes = HEADER.replace(',', &delimiter.to_string());
        assert_eq!(open(bytes.as_bytes()).unwrap().delimiter(), u8::try_from(delimiter).unwrap());
    }
}
