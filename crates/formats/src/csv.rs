//! Reading delimited text: encoding and delimiter are found out and said, every row knows its line, nothing is
//! held that is longer than a bound.

use std::io::{self, Chain, Cursor, Read};

use encoding_rs::{Encoding, UTF_8};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use spine::{Finding, Pointer};

use crate::intake::RowSource;
use crate::record_guard::{CutRecords, RECORD_BYTES_MAX, RecordGuard};

/// Bytes looked at to find out encoding and delimiter.
const HEAD_BYTES: usize = 256 * 1024;
/// More columns than this are refused.
const COLUMNS_MAX: usize = 2_000;

/// What is already known of a file; what is not known is found out.
#[derive(Debug, Clone, Copy, Default)]
pub struct CsvOptions {
    /// Encoding.
    pub encoding: Option<&'static Encoding>,
    /// Delimiter.
    pub delimiter: Option<u8>,
}

type Decoded<R> = RecordGuard<DecodeReaderBytes<Chain<Cursor<Vec<u8>>, R>, Vec<u8>>>;

/// Rows of a delimited text file.
pub struct CsvSource<R: Read> {
    reader: csv::Reader<Decoded<R>>,
    headers: Vec<String>,
    cut: CutRecords,
    findings: Vec<Finding>,
    record: csv::StringRecord,
    delimiter: u8,
}

/// Media that are often mistaken for CSV, by their first bytes.
const OTHER_MEDIA: [(&[u8], &str, &str); 6] = [
    (b"PAR1", "a Parquet file", "Name it with the ending .parquet."),
    (
        b"PK\x03\x04",
        "a ZIP archive or an Excel workbook",
        "Save the sheet as CSV (UTF-8), or unpack the archive.",
    ),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook", "Save the sheet as CSV (UTF-8)."),
    (b"\x1F\x8B", "a gzip archive", "Unpack it first."),
    (b"%PDF", "a PDF document", "Export the table as CSV from the program that made it."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
];

impl<R: Read> CsvSource<R> {
    /// Opens a source. The finding says why there is nothing to read: an empty file, no header, another medium.
    pub fn open(mut source: R, options: CsvOptions) -> Result<Self, Finding> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        source.by_ref().take(limit).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
        let mut findings = Vec::new();
        refuse_other_media(&head)?;
        let encoding = options.encoding.unwrap_or_else(|| guess_encoding(&head, &mut findings));
        let delimiter = options.delimiter.unwrap_or_else(|| guess_delimiter(&encoding.decode(&head).0));
        let decoded = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding))
            .bom_override(true)
            .strip_bom(true)
            .build_with_buffer(Cursor::new(head).chain(source), vec![0; 64 * 1024])
            .map_err(|error| unreadable(&error))?;
        let (guard, cut) = RecordGuard::new(decoded, delimiter);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(guard);
        let mut record = csv::StringRecord::new();
        let any = reader.read_record(&mut record).map_err(|error| csv_unreadable(&error))?;
        if !any {
            return Err(Finding::error("no_header")
                .expected("a header line that names the columns")
                .fix("Put the names of the columns on the first line."));
        }
        let headers = check_headers(&record, &mut findings)?;
        Ok(Self { reader, headers, cut, findings, record, delimiter })
    }

    /// What was noticed about the file as a whole.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The delimiter in use.
    #[must_use]
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }
}

impl<R: Read> RowSource for CsvSource<R> {
    fn headers(&self) -> &[String] {
        &self.headers
    }

    fn file_findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn next_row(&mut self, cells: &mut Vec<String>) -> Result<Option<u64>, Finding> {
        loop {
            let more = self.reader.read_record(&mut self.record).map_err(|error| csv_unreadable(&error))?;
            if !more {
                return Ok(None);
            }
            // A line of nothing, such as the last one many programs write.
            if self.record.len() == 1
                && self.record.get(0).is_some_and(|cell| cell.trim().is_empty())
                && self.headers.len() > 1
            {
                continue;
            }
            let line = self.record.position().map_or(0, csv::Position::line);
            cells.truncate(self.record.len());
            for (at, cell) in self.record.iter().enumerate() {
                if let Some(place) = cells.get_mut(at) {
                    place.clear();
                    place.push_str(cell);
                } else {
                    cells.push(cell.to_owned());
                }
            }
            return Ok(Some(line));
        }
    }

    fn row_finding(&self, line: u64, cells: &[String]) -> Option<Finding> {
        if let Some(cut) = self.cut.at_line(line) {
            return Some(
                Finding::error("line_too_long")
                    .at(Pointer(format!("line[{line}]")))
                    .found(&format!("{} bytes", cut.bytes))
                    .expected(format!("at most {RECORD_BYTES_MAX} bytes a line"))
                    .fix("Look for a missing line break or an unclosed quotation mark on this line."),
            );
        }
        if cells.len() != self.headers.len() {
            return Some(
                Finding::error("cell_count")
                    .at(Pointer(format!("line[{line}]")))
                    .found(&format!("{} cells", cells.len()))
                    .expected(format!("{} cells, as many as the header has", self.headers.len()))
                    .fix(
                        "Add the missing cells, or put cells that contain the delimiter in quotation marks.",
                    ),
            );
        }
        None
    }
}

fn unreadable(error: &io::Error) -> Finding {
    Finding::error("file_unreadable").found(&error.to_string()).fix("Check the file and the disk it is on.")
}

fn csv_unreadable(error: &csv::Error) -> Finding {
    Finding::error("file_unreadable").found(&error.to_string()).fix("Check the file and the disk it is on.")
}

fn refuse_other_media(head: &[u8]) -> Result<(), Finding> {
    if head.is_empty() {
        return Err(Finding::error("file_empty")
            .found("0 bytes")
            .expected("a header line and rows")
            .fix("Export the records again; this file holds nothing."));
    }
    if let Some((_, medium, remedy)) = OTHER_MEDIA.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(Finding::error("not_delimited_text")
            .found(medium)
            .expected("delimited text (CSV)")
            .fix(*remedy));
    }
    let utf_16 = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    if !utf_16 && head.contains(&0) {
        return Err(Finding::error("not_delimited_text")
            .found("bytes of value 0")
            .expected("delimited text (CSV)")
            .fix("Export the records as CSV in UTF-8."));
    }
    Ok(())
}

/// A byte-order mark decides; valid UTF-8 is UTF-8; anything else is guessed and said.
fn guess_encoding(head: &[u8], findings: &mut Vec<Finding>) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return encoding;
    }
    let valid_up_to = match std::str::from_utf8(head) {
        Ok(_) => head.len(),
        Err(error) if error.error_len().is_none() => head.len(),
        Err(error) => error.valid_up_to(),
    };
    if valid_up_to == head.len() {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(head, true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    findings.push(Finding::warning("encoding_guessed").found(encoding.name()).expected("UTF-8").fix(
        "Look at names with accents or Chinese characters in the report; if they are wrong, export as UTF-8.",
    ));
    encoding
}

/// The delimiter that splits the first lines into the same number of cells most often, and into most cells.
fn guess_delimiter(head: &str) -> u8 {
    let lines: Vec<&str> = head.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    let score = |delimiter: u8| {
        let counts: Vec<usize> = lines.iter().map(|line| cells_of(line, delimiter)).collect();
        let first = counts.first().copied().unwrap_or(0);
        let agreeing = counts.iter().filter(|count| **count == first).count();
        if first < 2 { (0, 0) } else { (agreeing, first) }
    };
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

fn cells_of(line: &str, delimiter: u8) -> usize {
    let mut quoted = false;
    let mut cells: usize = 1;
    for byte in line.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        } else if byte == delimiter && !quoted {
            cells = cells.saturating_add(1);
        }
    }
    cells
}

fn check_headers(record: &csv::StringRecord, findings: &mut Vec<Finding>) -> Result<Vec<String>, Finding> {
    if record.len() > COLUMNS_MAX {
        return Err(Finding::error("too_many_columns")
            .found(&format!("{} columns", record.len()))
            .expected(format!("at most {COLUMNS_MAX}"))
            .fix("Export fewer columns."));
    }
    let mut headers: Vec<String> = Vec::with_capacity(record.len());
    for (position, header) in (1_usize..).zip(record.iter()) {
        let name = header.trim().trim_matches('"').to_owned();
        if name.is_empty() {
            findings.push(
                Finding::warning("column_without_name")
                    .at(Pointer(format!("line[1]/column[{position}]")))
                    .expected("a name")
                    .fix("Name the column; until then it is not used."),
            );
            headers.push(String::new());
        } else if headers.contains(&name) {
            findings.push(
                Finding::warning("column_doubled")
                    .at(Pointer::column(&name))
                    .found(&name)
                    .expected("a name that no other column has")
                    .fix("Only the first of them is used; rename or remove the other."),
            );
            headers.push(String::new());
        } else {
            headers.push(name);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers, rows with their lines, codes of what is told.
    type Read = (Vec<String>, Vec<(u64, Vec<String>)>, Vec<String>);

    fn rows(bytes: &[u8]) -> Read {
        let mut source = CsvSource::open(bytes, CsvOptions::default()).unwrap();
        let mut rows = Vec::new();
        let mut cells = Vec::new();
        let mut codes: Vec<String> = source.findings().iter().map(|finding| finding.code.clone()).collect();
        while let Some(line) = source.next_row(&mut cells).unwrap() {
            codes.extend(source.row_finding(line, &cells).map(|finding| finding.code));
            rows.push((line, cells.clone()));
        }
        (source.headers.clone(), rows, codes)
    }

    #[test]
    fn delimiters_and_encodings_are_found_out() {
        let utf_16: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("n°;poids\nA1;1,5\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let cases: [(&[u8], &[&str], &str); 5] = [
            (b"id,mass\nA1,1.5\n", &["id", "mass"], ""),
            (b"id;mass;note\nA1;1,5;a,b\n", &["id", "mass", "note"], ""),
            (b"\xEF\xBB\xBFid\tmass\r\nA1\t1\r\n", &["id", "mass"], ""),
            (&utf_16, &["n°", "poids"], ""),
            ("编号,品名\nA1,机床\n".as_bytes(), &["编号", "品名"], ""),
        ];
        for (bytes, expected, codes) in cases {
            let (headers, rows, found) = rows(bytes);
            assert_eq!(headers, expected);
            assert_eq!(rows.len(), 1);
            assert_eq!(found.join(" "), codes);
        }
    }

    #[test]
    fn chinese_in_gb18030_is_guessed_and_the_guess_is_said() {
        let text = "报关单号,商品名称,原产国\n1,数控机床及其零件,中国\n2,棉制男式衬衫,越南\n".repeat(20);
        let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
        let (headers, _, codes) = rows(&bytes);
        assert_eq!(headers, ["报关单号", "商品名称", "原产国"]);
        assert!(codes.contains(&"encoding_guessed".to_owned()));
    }

    #[test]
    fn doubled_missing_and_nameless_columns_are_said() {
        let (headers, rows, codes) = rows(b"id,mass,mass,\n1,2,3,4\n5,6\n\n");
        assert_eq!(headers, ["id", "mass", "", ""]);
        assert_eq!(codes, ["column_doubled", "column_without_name", "cell_count"]);
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn what_is_not_delimited_text_is_refused_with_what_it_is() {
        let cases: [(&[u8], &str, &str); 4] = [
            (b"", "file_empty", "0 bytes"),
            (b"PAR1....", "not_delimited_text", "a Parquet file"),
            (b"PK\x03\x04....", "not_delimited_text", "a ZIP archive or an Excel workbook"),
            (b"id,\0mass", "not_delimited_text", "bytes of value 0"),
        ];
        for (bytes, code, found) in cases {
            let Err(finding) = CsvSource::open(bytes, CsvOptions::default()) else { panic!("read {found}") };
            assert_eq!((finding.code.as_str(), finding.found.as_str()), (code, found));
        }
    }
}
