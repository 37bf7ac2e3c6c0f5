//! The country's register of traders, as its administration keeps it: received like any other.

use std::collections::BTreeMap;

use country::World;
use customhouse::entities::file_bytes;
use customhouse::identity::Reader;
use customhouse::{Customhouse, Error};
use jiff::civil::Date;
use spine::Progress;

use crate::commands::country_failed;

/// Has the register of a day received.
pub(super) fn receive(
    house: &Customhouse,
    world: &World,
    on: Date,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let file = house.folder().path().join("uploads").join("parties.csv");
    country::write_register(world, on, &file).map_err(|error| country_failed(&error))?;
    let bytes = file_bytes(&file);
    // What cannot be removed now is swept at the next start.
    let _ = std::fs::remove_file(&file);
    house.receive_register(&Reader::local_operator(), &bytes?, None, &BTreeMap::new(), progress).map(drop)
}
