//! The pack of rules on entry summary declarations: on a message written here, and, where they are there, on the
//! messages of others with the verdicts of another implementation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use formats::{XmlBounds, read_xml};
use rules::{Lists, RulePack};
use serde_json::Value;
use spine::Severity;
use spine::tree::Tree;

/// Code and location.
type Verdict = BTreeSet<(String, String)>;

/// Steps that are plenty for one rule file on an ordinary message: the whole pack is done in a millisecond.
const STEPS_ORDINARY: u64 = 20_000;
/// The same for each item of a large one.
const STEPS_AN_ITEM: u64 = 1_000;

fn pack() -> Vec<RulePack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/ens-entry-summary");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension().is_some_and(|ending| ending == "toml") && !path.ends_with("pack.toml")
        })
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let (rules, findings) =
                RulePack::from_toml(&path.display().to_string(), &text, &Lists::default());
            assert!(findings.is_empty(), "{}", findings.iter().map(ToString::to_string).collect::<String>());
            rules
        })
        .collect()
}

fn tree(bytes: &[u8]) -> Tree {
    read_xml(bytes, XmlBounds::default()).unwrap().tree
}

fn verdict(pack: &[RulePack], tree: &Tree, severity: Severity) -> Verdict {
    pack.iter()
        .flat_map(|rules| rules.check(tree))
        .filter(|finding| finding.severity == severity)
        .map(|finding| (finding.code, finding.location))
        .collect()
}

/// A declaration of two items that breaks nothing: by rail, the first item from an enterprise of this administration,
/// the second consigned to order.
const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<d:CC315A xmlns:d="http://ics.dgtaxud.ec/CC315A">
  <MesSenMES3>GB987654321000/0000000010</MesSenMES3><MesRecMES6>GBCHIEF</MesRecMES6>
  <DatOfPreMES9>260303</DatOfPreMES9><TimOfPreMES10>0911</TimOfPreMES10>
  <MesIdeMES19>TW0001</MesIdeMES19><MesTypMES20>CC315A</MesTypMES20>
  <HEAHEA>
    <RefNumHEA4>TW-2026-0001</RefNumHEA4><TraModAtBorHEA76>2</TraModAtBorHEA76>
    <IdeOfMeaOfTraCroHEA85>9123456</IdeOfMeaOfTraCroHEA85>
    <TotNumOfIteHEA305>2</TotNumOfIteHEA305><TotNumOfPacHEA306>12</TotNumOfPacHEA306>
    <TotGroMasHEA307>1250.5</TotGroMasHEA307>
    <PlaLoaGOOITE334>Hull yard</PlaLoaGOOITE334>
    <DecDatTimHEA114>202603030915</DecDatTimHEA114>
  </HEAHEA>
  <GOOITEGDS>
    <IteNumGDS7>1</IteNumGDS7><GooDesGDS23>Cast iron valves</GooDesGDS23><GroMasGDS46>1000.5</GroMasGDS46>
    <PlaUnlGOOITE333>Dover</PlaUnlGOOITE333>
    <PRODOCDC2><DocTypDC21>N720</DocTypDC21><DocRefDC23>CIM-1</DocRefDC23></PRODOCDC2>
    <TRACONCO2><TINCO259>GB111111111000</TINCO259></TRACONCO2>
    <TRACONCE2><NamCE27>Müller GmbH</NamCE27><StrAndNumCE222>Ring 3</StrAndNumCE222>
      <PosCodCE223>50667</PosCodCE223><CitCE224>Köln</CitCE224><CouCE225>DE</CouCE225>
      <TINCE259>DE222222222000</TINCE259></TRACONCE2>
    <PACGS2><KinOfPacGS23>CT</KinOfPacGS23><MarNumOfPacGSL21>AB 1-12</MarNumOfPacGSL21>
      <NumOfPacGS24>12</NumOfPacGS24></PACGS2>
  </GOOITEGDS>
  <GOOITEGDS>
    <IteNumGDS7>2</IteNumGDS7><GroMasGDS46>250</GroMasGDS46><ComRefNumGIM1>ORDER-77</ComRefNumGIM1>
    <PlaUnlGOOITE333>Dover</PlaUnlGOOITE333>
    <SPEMENMT2><AddInfCodMT23>10600</AddInfCodMT23></SPEMENMT2>
    <TRACONCO2><TINCO259>GB333333333000</TINCO259></TRACONCO2>
    <COMCODGODITM><ComNomCMD1>2601</ComNomCMD1></COMCODGODITM>
    <PACGS2><KinOfPacGS23>CT</KinOfPacGS23><MarNumOfPacGSL21>AB 1-12</MarNumOfPacGSL21>
      <NumOfPacGS24>0</NumOfPacGS24></PACGS2>
    <PRTNOT640><TINPRTNOT641>GB444444444000</TINPRTNOT641></PRTNOT640>
  </GOOITEGDS>
  <ITI><CouOfRouCodITI1>FR</CouOfRouCodITI1></ITI><ITI><CouOfRouCodITI1>GB</CouOfRouCodITI1></ITI>
  <PERLODSUMDEC><TINPLD1>GB987654321000</TINPLD1></PERLODSUMDEC>
  <CUSOFFFENT730><RefNumCUSOFFFENT731>GB000060</RefNumCUSOFFFENT731>
    <ExpDatOfArrFIRENT733>202603042359</ExpDatOfArrFIRENT733></CUSOFFFENT730>
</d:CC315A>"#;

/// What is replaced | by what | codes and places, below the root, of the errors that follow
const EDITS: &str = r"
    # existence, by the identification number of a trader
    <TINCO259>GB111111111000</TINCO259> | <NamCO27>Iron Ltd</NamCO27><CitCO224>Leeds</CitCO224> | 8138 GOOITEGDS[1]/TRACONCO2[1], 8139 GOOITEGDS[1]/TRACONCO2[1], 8141 GOOITEGDS[1]/TRACONCO2[1]
    <TINCE259>DE222222222000 | <TINCE259>GB222222222000 | 8646 GOOITEGDS[1]/TRACONCE2[1]/NamCE27[1], 8647 GOOITEGDS[1]/TRACONCE2[1]/StrAndNumCE222[1], 8648 GOOITEGDS[1]/TRACONCE2[1]/PosCodCE223[1], 8649 GOOITEGDS[1]/TRACONCE2[1]/CitCE224[1], 8650 GOOITEGDS[1]/TRACONCE2[1]/CouCE225[1]
    <CitCE224>Köln</CitCE224> | | 8245 GOOITEGDS[1]/TRACONCE2[1]
    <TINPLD1>GB987654321000 | <NamPLD1>Rail Co</NamPLD1><TINPLD1>FR1 | 8661 PERLODSUMDEC[1]/NamPLD1[1], 8692 PERLODSUMDEC[1]/TINPLD1[1]
    <PERLODSUMDEC> | <CUSOFFLON><RefNumCOL1> GB000060 </RefNumCOL1></CUSOFFLON><PERLODSUMDEC> | 8616 CUSOFFLON[1]/RefNumCOL1[1]
    # existence, in the header or in each item
    <PlaLoaGOOITE334>Hull yard</PlaLoaGOOITE334> | | 8104 GOOITEGDS[1], 8104 GOOITEGDS[2]
    <PlaLoaGOOITE334>Hull yard</PlaLoaGOOITE334> | <PlaLoaGOOITE334>Hull</PlaLoaGOOITE334><PlaUnlGOOITE334>Dover</PlaUnlGOOITE334> | 8171 GOOITEGDS[1]/PlaUnlGOOITE333[1], 8171 GOOITEGDS[2]/PlaUnlGOOITE333[1]
    <ComRefNumGIM1>ORDER-77</ComRefNumGIM1> | | 8170 GOOITEGDS[2]
    <GooDesGDS23>Cast iron valves</GooDesGDS23> | | 8207 GOOITEGDS[1]
    <TotGroMasHEA307>1250.5</TotGroMasHEA307> | |
    # across traders, items and special mentions
    <TINCO259>GB333333333000 | <TINCO259>GB111111111000 | 8193
    <AddInfCodMT23>10600 | <AddInfCodMT23>10601 | 8620 GOOITEGDS[2]/PRTNOT640[1], 8623 GOOITEGDS[2]
    <TotNumOfIteHEA305>2 | <TraChaMetOfPayHEA1>A</TraChaMetOfPayHEA1><TotNumOfIteHEA305>3 | 8206 HEAHEA[1]
    <PERLODSUMDEC> | <TRACONCE1><TINCE159>GB5</TINCE159></TRACONCE1><PERLODSUMDEC> | 8204 TRACONCE1[1], 8625 GOOITEGDS[1]/TRACONCE2[1]
    <PERLODSUMDEC> | <NOTPAR670><TINNOTPAR671>GB5</TINNOTPAR671></NOTPAR670><PERLODSUMDEC> | 8619 NOTPAR670[1], 8621 GOOITEGDS[2]/PRTNOT640[1]
    <PERLODSUMDEC> | <TRACARENT601><TINTRACARENT602>GB987654321000</TINTRACARENT602></TRACARENT601><PERLODSUMDEC> | 8195 TRACARENT601[1]/TINTRACARENT602[1]
    # counting and adding
    <ITI><CouOfRouCodITI1>FR</CouOfRouCodITI1></ITI> | | 8684
    <IteNumGDS7>2 | <IteNumGDS7>1 | 8102
    <TotGroMasHEA307>1250.5 | <TotGroMasHEA307>1250.499 | 8686 HEAHEA[1]
    <NumOfPacGS24>12 | <NumOfPacGS24>0 | 8153 GOOITEGDS[1]/PACGS2[1], 8153 GOOITEGDS[2]/PACGS2[1]
    # kinds of packages
    <KinOfPacGS23>CT | <KinOfPacGS23>VO | 8149 GOOITEGDS[1]/PACGS2[1], 8149 GOOITEGDS[2]/PACGS2[1]
    <KinOfPacGS23>CT | <KinOfPacGS23>NE | 8150 GOOITEGDS[1]/PACGS2[1], 8150 GOOITEGDS[2]/PACGS2[1]
    # the mode of transport
    <TraModAtBorHEA76>2 | <TraModAtBorHEA76>08 | 8690 HEAHEA[1]
    <TraModAtBorHEA76>2 | <TraModAtBorHEA76>4 | 8113 HEAHEA[1], 8118 HEAHEA[1]
    <TraModAtBorHEA76>2 | <TraModAtBorHEA76>7 | 8689 HEAHEA[1]
    <IdeOfMeaOfTraCroHEA85>9123456</IdeOfMeaOfTraCroHEA85> | | 8199 GOOITEGDS[1], 8199 GOOITEGDS[2]
    <PRODOCDC2> | <IDEMEATRAGI970><IdeMeaTraGIMEATRA971>T 1</IdeMeaTraGIMEATRA971></IDEMEATRAGI970><PRODOCDC2> | 8198 GOOITEGDS[1]/IDEMEATRAGI970[1]
    # how things are written
    GB987654321000/0000000010 | GB987654321000/10 | 4065 MesSenMES3[1]
    <GroMasGDS46>250 | <GroMasGDS46>+0250.0000 | 8674 GOOITEGDS[2]/GroMasGDS46[1], 8676 GOOITEGDS[2]/GroMasGDS46[1], 8679 GOOITEGDS[2]/GroMasGDS46[1]
";

#[test]
fn one_edit_of_a_good_message_breaks_exactly_the_rules_it_touches() {
    let pack = pack();
    let good = tree(MESSAGE.as_bytes());
    assert_eq!(verdict(&pack, &good, Severity::Error), Verdict::new());
    assert_eq!(verdict(&pack, &good, Severity::Warning), Verdict::new());
    for line in EDITS.lines().map(str::trim).filter(|line| line.contains('|')) {
        let row: Vec<&str> = line.split('|').map(str::trim).collect();
        assert!(MESSAGE.contains(row[0]), "{row:?}");
        let edited = MESSAGE.replace(row[0], row[1]);
        let expected: Verdict = row[2]
            .split(", ")
            .filter(|error| !error.is_empty())
            .map(|error| {
                let (code, place) = error.split_once(' ').unwrap_or((error, ""));
                let below = if place.is_empty() { String::new() } else { format!("/{place}") };
                (code.to_owned(), format!("/ie:CC315A[1]{below}"))
            })
            .collect();
        assert_eq!(verdict(&pack, &tree(edited.as_bytes()), Severity::Error), expected, "{row:?}");
    }
}

#[test]
fn dates_that_can_hardly_be_meant_are_warned_of() {
    let pack = pack();
    let arrival = "<ExpDatOfArrFIRENT733>202603042359";
    let cases = [
        (arrival, "<ExpDatOfArrFIRENT733>202603030914", "arrival_before_declaration"),
        (arrival, "<ExpDatOfArrFIRENT733>202603030915", ""),
        (arrival, "<ExpDatOfArrFIRENT733>202609190915", ""),
        (arrival, "<ExpDatOfArrFIRENT733>202609200915", "arrival_after_200_days"),
        (arrival, "<ExpDatOfArrFIRENT733>202602300915", ""),
        ("<DatOfPreMES9>260303", "<DatOfPreMES9>260304", "prepared_after_declaration"),
    ];
    for (from, to, code) in cases {
        let found = verdict(&pack, &tree(MESSAGE.replace(from, to).as_bytes()), Severity::Warning);
        let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes.join(" "), code, "{to}");
    }
}

#[test]
fn every_rule_has_an_id_of_its_own_and_an_ordinary_message_costs_little() {
    let pack = pack();
    let mut lines = BTreeMap::new();
    for rule in pack.iter().flat_map(RulePack::definitions) {
        assert_eq!(lines.insert(&rule.id, rule.line), None, "{} is there twice", rule.id);
    }
    let codes: BTreeSet<&str> =
        pack.iter().flat_map(RulePack::definitions).map(|rule| rule.code.as_str()).collect();
    println!("ens-entry-summary: {} rules, {} codes", lines.len(), codes.len());
    let message = tree(MESSAGE.as_bytes());
    for rules in &pack {
        assert_eq!(rules.check_within(&message, STEPS_ORDINARY), []);
    }
}

#[test]
fn the_largest_message_costs_as_many_times_more_as_it_has_items_more() {
    let pack = pack();
    let (head, rest) = MESSAGE.split_once("<GOOITEGDS>").unwrap();
    let (item, _) = rest.split_once("<GOOITEGDS>").unwrap();
    let (_, tail) = MESSAGE.rsplit_once("</GOOITEGDS>").unwrap();
    let items: String = (1..=999)
        .map(|number| {
            let item = item.replace("<IteNumGDS7>1<", &format!("<IteNumGDS7>{number}<"));
            let item = item.replace("GB111111111000", &format!("GB{number:012}"));
            format!("<GOOITEGDS>{}", item.replace("<GroMasGDS46>1000.5", "<GroMasGDS46>1.25"))
        })
        .collect();
    let text = format!("{head}{items}{tail}").replace("<TotNumOfIteHEA305>2", "<TotNumOfIteHEA305>999");
    let message = tree(text.as_bytes());
    for rules in &pack {
        assert_eq!(rules.check_within(&message, 999 * STEPS_AN_ITEM), []);
    }
}

/// The messages of others, or the name of what is skipped.
fn cases() -> Option<PathBuf> {
    let root = env::var_os("TIDEWAITER_CASES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let folder = root.join("messages/ens-ics");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: ens-rules (no {})", folder.display());
    None
}

#[test]
fn others_messages_get_the_verdicts_that_another_implementation_gave_them() {
    let Some(cases) = cases() else { return };
    let pack = pack();
    let claimed: BTreeSet<&str> =
        pack.iter().flat_map(RulePack::definitions).map(|rule| rule.code.as_str()).collect();
    let (mut agreed, mut total, mut left_to_schema) = (0, 0, 0);
    let (mut disagreements, mut unclaimed) = (Vec::new(), Vec::new());
    let mut exercised: BTreeSet<String> = BTreeSet::new();
    for folder in ["ie315-rules", "ie313-rules"] {
        let folder = cases.join(folder);
        let expected: BTreeMap<String, Vec<Value>> =
            serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
        for (file, errors) in expected {
            total += 1;
            let errors: Option<Verdict> = errors
                .iter()
                .map(|error| Some((error.get("code")?.as_str()?.into(), error["location"].as_str()?.into())))
                .collect();
            // A text without a code: the schema refuses the message, and no rule is asked.
            let Some(errors) = errors else {
                left_to_schema += 1;
                continue;
            };
            let found = verdict(&pack, &tree(&fs::read(folder.join(&file)).unwrap()), Severity::Error);
            exercised.extend(errors.iter().map(|(code, _)| code.clone()));
            agreed += u32::from(found == errors);
            for (code, place) in found.symmetric_difference(&errors) {
                let list = if claimed.contains(code.as_str()) { &mut disagreements } else { &mut unclaimed };
                list.push(format!("{file}: {code} {place}"));
            }
        }
    }
    println!(
        "ens-rules: {} codes claimed, {} of them expected by a case; {left_to_schema} messages are the schema's to refuse",
        claimed.len(),
        exercised.iter().filter(|code| claimed.contains(code.as_str())).count(),
    );
    println!("ens-rules: {agreed}/{total}");
    assert_eq!(disagreements, Vec::<String>::new());
    assert_eq!(unclaimed, Vec::<String>::new(), "codes that no rule claims");
    assert_eq!(agreed + left_to_schema, total);
}
