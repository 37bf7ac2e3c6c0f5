//! Any bytes as a table of day buckets: refused with a reason, or it answers and is written as it was read. The bytes
//! are tried as they are and with a checksum of their own behind them, so that more of them come through.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tags::buckets::Table;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let sum = crc32fast::hash(bytes).to_le_bytes();
    read(&[bytes, &sum].concat());
});

fn read(bytes: &[u8]) {
    match Table::read_from(bytes) {
        Err(error) => assert!(!error.code().is_empty() && error.to_string().len() < 500),
        Ok(table) => {
            let mut entities = 0_u64;
            table.each(|_, reading| entities += u64::from(!reading.is_empty()));
            let mut written = Vec::new();
            assert!(table.write_to(&mut written).is_ok());
            let Ok(again) = Table::read_from(written.as_slice()) else { panic!("it does not read what it wrote") };
            let mut same = 0_u64;
            again.each(|_, reading| same += u64::from(!reading.is_empty()));
            assert_eq!(entities, same);
        }
    }
}
