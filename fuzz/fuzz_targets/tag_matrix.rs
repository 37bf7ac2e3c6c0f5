//! Any bytes as a matrix of entities and tags: refused with a reason, or it answers and is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tags::matrix::{Matrix, Selection};

fuzz_target!(|bytes: &[u8]| match Matrix::read(bytes) {
    Err(error) => assert!(!error.code().is_empty() && error.to_string().len() < 500),
    Ok(matrix) => {
        let selected = matrix.select(&Selection::All(vec![Selection::Carries(0), Selection::CarriesNot(1)]));
        let _ = (matrix.tags_among(&selected, 10), matrix.tags_of(0));
        let mut written = Vec::new();
        assert!(matrix.write(&mut written).is_ok());
        assert!(Matrix::read(written.as_slice()).is_ok_and(|again| again == matrix));
    }
});
