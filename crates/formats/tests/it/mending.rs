//! Quarantined rows go out as a file, are mended by a person, and come back: nothing is lost on the way.

use formats::Intake;
use spine::Value;

use crate::support::{proposal, read_with};

/// The quarantine as the file a person mends: the source's own columns.
fn exported(intake: &Intake) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&intake.headers).unwrap();
    for row in &intake.quarantine {
        writer.write_record(&row.cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn quarantined_rows_can_be_mended_and_sent_again_with_the_same_mapping() {
    let sent = "Declaration ID,Date,Goods Description,Net Mass\n\
                A,2024-01-31,\"Pumps, 5\"\" inlet\",12\n\
                B,2024-01-32,\"Valves\nof brass\",5\n\
                C,2024-01-31,Hoses,-7\n\
                D,2024-01-31,Nuts,3\n";
    let mapping = proposal(sent.as_bytes()).unwrap().mapping;
    let first = read_with(sent.as_bytes(), &mapping).unwrap();
    assert_eq!((first.table.len(), first.rows_quarantined), (2, 2));
    // The line is the one an editor shows, also behind a cell of two lines.
    assert_eq!(first.quarantine.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 5]);

    let untouched = exported(&first);
    let again = read_with(untouched.as_bytes(), &mapping).unwrap();
    assert_eq!(
        (again.table.len(), again.rows_quarantined),
        (0, 2),
        "sending it back unmended changes nothing"
    );
    let reasons = |intake: &Intake| -> Vec<String> {
        intake.quarantine.iter().flat_map(|row| &row.findings).map(|finding| finding.code.clone()).collect()
    };
    assert_eq!(reasons(&again), reasons(&first));

    let mended = untouched.replace("2024-01-32", "2024-02-01").replace("-7", "7");
    let second = read_with(mended.as_bytes(), &mapping).unwrap();
    assert_eq!((second.table.len(), second.rows_quarantined), (2, 0));
    assert_eq!(
        second.table.value(0, "goods_description"),
        Some(Value::Text("Valves\nof brass".to_owned())),
        "cells come back as they were"
    );
    assert_eq!(first.table.len() + second.table.len(), 4, "every row that was sent is an entry now");
}
