//! Any text as a file of rules: what is understood checks a message within a bound, the rest is told.
#![no_main]

use std::sync::LazyLock;

use formats::{XmlBounds, read_xml};
use libfuzzer_sys::fuzz_target;
use rules::{Lists, RulePack};
use spine::tree::Tree;

const STEPS_MAX: u64 = 50_000;

static MESSAGE: LazyLock<Tree> = LazyLock::new(|| {
    let text = b"<CC315A><HEAHEA><TraModAtBorHEA76>4</TraModAtBorHEA76></HEAHEA>\
        <GOOITEGDS><IteNumGDS7>1</IteNumGDS7><PACGS2><KinOfPacGS23>CT</KinOfPacGS23></PACGS2></GOOITEGDS>\
        <GOOITEGDS><IteNumGDS7>3</IteNumGDS7><GroMasGDS46>+1</GroMasGDS46></GOOITEGDS></CC315A>";
    read_xml(text, XmlBounds::default()).expect("a message of our own").tree
});

fuzz_target!(|text: &str| {
    let (pack, findings) = RulePack::from_toml("fuzz.toml", text, &Lists::default());
    for finding in findings {
        assert!(finding.pointer.0.starts_with("fuzz.toml:") && !finding.how_to_fix.is_empty());
    }
    for finding in pack.check_within(&MESSAGE, STEPS_MAX) {
        assert!(finding.location.starts_with('/'));
    }
});
