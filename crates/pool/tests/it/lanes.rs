//! Parquet files of others as columns of numbers.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Int8Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{Int32Type, UInt16Type};
use parquet::arrow::ArrowWriter;
use pool::lane_writer::{LaneWriter, WrittenType, WrittenValues};
use pool::lanes::{LaneValues, LanesFile};
use rust_decimal::Decimal;
use spine::{Column, FieldType, Finding};

const ABSENT: i64 = i64::MIN;

fn written(columns: Vec<(&str, ArrayRef)>) -> File {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = tempfile::tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

fn read(name: &str, array: ArrayRef) -> (FieldType, LaneValues) {
    let file = LanesFile::open(written(vec![(name, array)])).unwrap();
    assert_eq!(file.findings(), &[]);
    let mut reader = file.read(&[name], 1_000).unwrap();
    let field_type = reader.schema().field(name).unwrap().field_type;
    let mut lanes = reader.next_lanes().unwrap().unwrap();
    assert_eq!(reader.next_lanes().unwrap(), None);
    (field_type, lanes.remove(0))
}

fn whole(values: &[i64], scale: u32) -> LaneValues {
    LaneValues::Whole { values: values.to_vec(), scale }
}

fn decimals(values: &[Option<&str>]) -> LaneValues {
    let decimal = |text: &Option<&str>| text.map(|text| text.parse::<Decimal>().unwrap());
    LaneValues::Column(Column::Decimal(values.iter().map(decimal).collect()))
}

#[test]
fn every_type_of_column_becomes_what_the_table_says() {
    use FieldType::{Boolean, Date, DateTime, Decimal as Number};
    let cases: Vec<(&str, ArrayRef, (FieldType, LaneValues))> = vec![
        (
            "small",
            Arc::new(Int8Array::from(vec![Some(-1), None, Some(7)])),
            (Number, whole(&[-1, ABSENT, 7], 0)),
        ),
        (
            "half as wide",
            Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX)])),
            (Number, whole(&[-2_147_483_648, ABSENT, 2_147_483_647], 0)),
        ),
        (
            "half as wide without a sign",
            Arc::new(UInt32Array::from(vec![Some(u32::MAX), None])),
            (Number, whole(&[4_294_967_295, ABSENT], 0)),
        ),
        ("shorter", Arc::new(UInt16Array::from(vec![u16::MAX])), (Number, whole(&[65_535], 0))),
        (
            "the number that stands for an absence",
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None])),
            (Number, decimals(&[Some("-9223372036854775808"), None])),
        ),
        (
            "beyond 63 bits",
            Arc::new(UInt64Array::from(vec![u64::MAX])),
            (Number, decimals(&[Some("18446744073709551615")])),
        ),
        (
            "cents",
            Arc::new(Decimal128Array::from(vec![Some(150), None]).with_precision_and_scale(12, 2).unwrap()),
            (Number, whole(&[150, ABSENT], 2)),
        ),
        (
            "fine",
            Arc::new(Decimal128Array::from(vec![Some(1), None]).with_precision_and_scale(38, 10).unwrap()),
            (Number, decimals(&[Some("0.0000000001"), None])),
        ),
        ("days", Arc::new(Date32Array::from(vec![Some(20_000), None])), (Date, whole(&[20_000, ABSENT], 0))),
        (
            "milliseconds",
            Arc::new(TimestampMillisecondArray::from(vec![Some(5), None])),
            (DateTime, whole(&[5_000, ABSENT], 0)),
        ),
        (
            "with a zone",
            Arc::new(TimestampNanosecondArray::from(vec![7_000]).with_timezone("+02:00")),
            (DateTime, whole(&[7], 0)),
        ),
        (
            "yes and no",
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            (Boolean, whole(&[1, 0, ABSENT], 0)),
        ),
    ];
    for (name, array, expected) in cases {
        assert_eq!(read(name, array), expected, "{name}");
    }
}

#[test]
fn floating_point_without_a_number_is_absent() {
    let (_, lane) = read("f", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(f32::NAN)])));
    let LaneValues::Float(values) = lane else { panic!("{lane:?}") };
    assert_eq!(values[0], 0.5);
    assert!(values[1].is_nan() && values[2].is_nan());
}

#[test]
fn texts_are_texts_however_they_are_stored() {
    let texts = [Some("CN"), None, Some(""), Some("CN"), Some("中")];
    let arrays: [ArrayRef; 4] = [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
        Arc::new(texts.into_iter().collect::<DictionaryArray<UInt16Type>>()),
    ];
    for array in arrays {
        let stored = array.data_type().clone();
        let (field_type, lane) = read("t", array);
        let LaneValues::Column(Column::Text(column)) = lane else { panic!("{stored}") };
        assert_eq!(field_type, FieldType::Text);
        assert_eq!((0..5).map(|row| column.get(row)).collect::<Vec<_>>(), texts, "{stored}");
    }
}

#[test]
fn a_column_of_lists_is_told_and_left_out_and_garbage_is_a_finding() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), Some(2)])]);
    let file = LanesFile::open(written(vec![
        ("several", Arc::new(lists)),
        ("one", Arc::new(Int8Array::from(vec![1]))),
    ]))
    .unwrap();
    let told: Vec<(&str, &str)> =
        file.findings().iter().map(|own| (own.code.as_str(), own.pointer.0.as_str())).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "column_not_flat");
    assert_eq!(file.schema().fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["one"]);

    let mut garbage = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut garbage, b"PAR1 and nothing else PAR1").unwrap();
    let refused: Option<Finding> = LanesFile::open(garbage).err();
    assert_eq!(refused.unwrap().code, "parquet_unreadable");
}

#[test]
fn what_is_written_column_by_column_is_read_again() {
    let columns = [
        ("id", WrittenType::Text),
        ("count", WrittenType::Whole),
        ("value", WrittenType::Decimal(2)),
        ("apart", WrittenType::Float),
        ("last", WrittenType::Day),
    ]
    .map(|(name, of)| (name.to_owned(), of));
    let file = tempfile::tempfile().unwrap();
    let out = file.try_clone().unwrap();
    let mut writer =
        LaneWriter::new(out, Path::new("a.parquet"), &columns, &[("day", "1".to_owned())]).unwrap();
    let rows = |from: i64| {
        vec![
            WrittenValues::Text(vec![Some(format!("a{from}")), None]),
            WrittenValues::Whole(vec![Some(from), None]),
            WrittenValues::Decimal(vec![Some(i128::from(from) * 100 + 5), None]),
            WrittenValues::Float(vec![Some(0.5), None]),
            WrittenValues::Day(vec![Some(20_000), None]),
        ]
    };
    writer.write(rows(1)).unwrap();
    let mut wrong = rows(2);
    wrong.swap(1, 3);
    assert!(writer.write(wrong).is_err());
    writer.write(rows(2)).unwrap();
    writer.finish().unwrap();
    let names = ["id", "count", "value", "apart", "last"];
    let mut reader = LanesFile::open(file).unwrap().read(&names, 10).unwrap();
    let lanes = reader.next_lanes().unwrap().unwrap();
    let whole = |values: [i64; 4], scale| LaneValues::Whole { values: values.to_vec(), scale };
    assert_eq!(lanes[1], whole([1, ABSENT, 2, ABSENT], 0));
    assert_eq!(lanes[2], whole([105, ABSENT, 205, ABSENT], 2));
    assert_eq!(lanes[4], whole([20_000, ABSENT, 20_000, ABSENT], 0));
    let LaneValues::Column(Column::Text(texts)) = &lanes[0] else { panic!("{:?}", lanes[0]) };
    assert_eq!([texts.get(0), texts.get(1), texts.get(2)], [Some("a1"), None, Some("a2")]);
    let LaneValues::Float(numbers) = &lanes[3] else { panic!("{:?}", lanes[3]) };
    assert!(numbers[0] == 0.5 && numbers[1].is_nan());
}
