//! Parquet files of others, and files that are nothing.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    Int64Array, ListArray, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;
use formats::{Mapping, RowSource};
use parquet::arrow::ArrowWriter;
use spine::Value;

use crate::support::{read_proposed, save};

fn foreign(folder: &Path, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let path = folder.join("foreign.parquet");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

/// What a data-science program writes: whole numbers with gaps as floats, dates as nanoseconds, codes as categories.
fn declarations(folder: &Path) -> PathBuf {
    let days = [1_706_659_200_000_000_000_i64, 1_706_745_600_000_000_000];
    foreign(
        folder,
        vec![
            ("Declaration ID", Arc::new(Int64Array::from(vec![97_061_800, 97_061_801]))),
            ("Date", Arc::new(TimestampNanosecondArray::from(days.to_vec()))),
            (
                "Office ID",
                Arc::new(vec![Some("30"), None].into_iter().collect::<DictionaryArray<Int32Type>>()),
            ),
            ("HS6 Code", Arc::new(Float64Array::from(vec![Some(851_712.0), None]))),
            ("Net Mass", Arc::new(Float64Array::from(vec![Some(108.5), Some(11_352.0)]))),
            (
                "Item Price",
                Arc::new(
                    Decimal128Array::from(vec![Some(37_225_440), Some(5)])
                        .with_precision_and_scale(12, 2)
                        .unwrap(),
                ),
            ),
            ("Country of Origin", Arc::new(BinaryArray::from(vec![&b"CN"[..], &b"BE"[..]]))),
            ("Fraud", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ],
    )
}

#[test]
fn the_same_mapping_machinery_reads_foreign_types() {
    let folder = tempfile::tempdir().unwrap();
    let (_, intake) = read_proposed(&declarations(folder.path()));
    assert_eq!((intake.rows_read, intake.rows_quarantined), (2, 0), "{:?}", intake.findings);
    assert_eq!(intake.lines, [1, 2]);
    let shown = |row: usize| {
        let fields = [
            "declaration_id",
            "date",
            "office_id",
            "commodity_code",
            "net_mass",
            "customs_value",
            "origin_country",
            "irregular",
            "inspected",
        ];
        fields
            .map(|field| intake.table.value(row, field).map_or("-".to_owned(), |value| value.to_string()))
            .join(" ")
    };
    assert_eq!(shown(0), "97061800 2024-01-31 30 851712 108.5 372254.4 CN true true");
    assert_eq!(shown(1), "97061801 2024-02-01 - - 11352 0.05 BE - false");
}

#[test]
fn a_written_mapping_reads_parquet_as_it_reads_csv() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = "version = 1\nschema = \"declaration_item\"\n\
        [fields.declaration_id]\ncolumn = \"number\"\n[fields.date]\ncolumn = \"day\"\nformat = \"%d/%m/%Y\"\n\
        [fields.net_mass]\ncolumn = \"grams\"\nfactor = \"0.001\"\n";
    let mapping = Mapping::from_toml(mapping).unwrap();
    let csv = save(folder.path(), "a.csv", b"number,day,grams\nA1,31/01/2024,1500\n");
    let parquet = foreign(
        folder.path(),
        vec![
            ("number", Arc::new(StringArray::from(vec!["A1"]))),
            ("day", Arc::new(StringArray::from(vec!["31/01/2024"]))),
            ("grams", Arc::new(Int64Array::from(vec![1_500]))),
        ],
    );
    let read = |path: &Path| {
        pool::read_file(path, &mapping, &spine::declaration_entry::schema(), &spine::Silent).unwrap().table
    };
    assert_eq!(read(&csv), read(&parquet));
    assert_eq!(read(&csv).value(0, "net_mass"), Some(Value::Decimal("1.5".parse().unwrap())));
}

#[test]
fn columns_that_are_no_columns_and_zones_that_nobody_knows_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let times =
        TimestampNanosecondArray::from(vec![1_706_659_200_000_000_000]).with_timezone("Atlantis/Port");
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), Some(2)])]);
    let path = foreign(
        folder.path(),
        vec![
            ("goods", Arc::new(list)),
            ("released", Arc::new(times)),
            ("day", Arc::new(Date32Array::from(vec![19_753]))),
        ],
    );
    let mut source = pool::ParquetSource::open(File::open(path).unwrap()).unwrap();
    let codes: Vec<String> = source.file_findings().into_iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["column_not_flat", "time_zone_unknown"]);
    assert_eq!(source.headers(), ["", "released", "day"]);
    let mut cells = Vec::new();
    assert_eq!(source.next_row(&mut cells).unwrap(), Some(1));
    assert_eq!(cells, ["", "2024-01-31T00:00:00", "2024-01-31"]);
    assert_eq!(source.next_row(&mut cells).unwrap(), None);
}

#[test]
fn a_parquet_file_cut_off_or_spoilt_anywhere_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(declarations(folder.path())).unwrap();
    let read = |bytes: &[u8]| -> Result<usize, String> {
        let path = save(folder.path(), "spoilt.parquet", bytes);
        let mut source = pool::open_source(&path, None).map_err(|finding| finding.code)?;
        let mut cells = Vec::new();
        let mut rows = 0;
        while source.next_row(&mut cells).map_err(|finding| finding.code)?.is_some() {
            rows += 1;
            assert!(rows < 10_000);
        }
        Ok(rows)
    };
    assert_eq!(read(&whole), Ok(2));
    for length in (4..whole.len()).step_by(37) {
        assert_eq!(read(&whole[..length]), Err("parquet_unreadable".to_owned()), "cut at {length}");
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut outcomes = [0, 0];
    for at in (4..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xA5;
        match read(&bytes) {
            Ok(_) => outcomes[0] += 1,
            Err(code) => {
                assert_eq!(code, "parquet_unreadable", "spoilt at {at}");
                outcomes[1] += 1;
            }
        }
    }
    std::panic::set_hook(hook);
    assert!(outcomes[1] > 20, "{outcomes:?}");
}

#[test]
fn files_that_are_nothing_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[u8], &str); 4] = [
        (b"", "file_empty"),
        (b"PAR1", "parquet_unreadable"),
        (b"PK\x03\x04 a workbook", "not_delimited_text"),
        (b"\n\n", "no_header"),
    ];
    for (bytes, code) in cases {
        let path = save(folder.path(), "file", bytes);
        let finding = pool::open_source(&path, None).err().unwrap();
        assert_eq!(finding.code, code);
        assert!(!finding.how_to_fix.is_empty());
        assert_eq!(pool::rows_expected(&path), if code == "no_header" { 2 } else { 0 });
    }
    let missing = pool::open_source(&folder.path().join("missing.csv"), None).err().unwrap();
    assert_eq!(missing.code, "file_not_found");
}

#[test]
fn a_mapping_names_an_encoding_and_a_delimiter_or_is_told_that_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), "a.csv", "编号|日期\n1|2024-01-31\n".as_bytes());
    let open = |encoding: Option<&str>, delimiter: Option<char>| {
        let mut mapping = Mapping::new(&spine::declaration_entry::schema());
        mapping.encoding = encoding.map(str::to_owned);
        mapping.delimiter = delimiter;
        pool::open_source(&path, Some(&mapping)).map(|source| source.headers().len()).map_err(|f| f.code)
    };
    assert_eq!(open(Some("utf-8"), Some('|')), Ok(2));
    assert_eq!(open(None, Some(';')), Ok(1));
    assert_eq!(open(Some("klingon"), None), Err("mapping_encoding".to_owned()));
    assert_eq!(open(None, Some('，')), Err("mapping_delimiter".to_owned()));
}

#[test]
fn a_column_that_the_caller_names_and_the_file_lacks_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), "a.csv", b"Declaration ID,Date\n1,2024-01-31\n");
    let proposal = pool::propose_for_file(&path, &spine::declaration_entry::schema(), Some("Fraud")).unwrap();
    assert_eq!(proposal.findings[0].code, "mapping_unknown_column");
}
