//! The pack of rules on customs declarations of the WCO DMS profile, on a declaration written here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use formats::{XmlBounds, read_xml};
use rules::{Lists, RuleFinding, RulePack};
use spine::Severity;

/// Steps that are plenty for one rule file on an ordinary declaration.
const STEPS_ORDINARY: u64 = 20_000;

/// The files of the pack, with lists as an administration would install them.
fn pack(lists: &Lists) -> Vec<RulePack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/dms-declaration");
    ["declaration.toml", "procedures.toml", "united-kingdom.toml"]
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            let (rules, findings) = RulePack::from_toml(file, &text, lists);
            assert!(findings.is_empty(), "{}", findings.iter().map(ToString::to_string).collect::<String>());
            rules
        })
        .collect()
}

fn lists() -> Lists {
    let list = |name: &str, values: &[&str]| {
        (name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
    };
    Lists(
        [
            list("authorisation_holders", &["GB700000000000"]),
            list(
                "authorisations",
                &["GB700000000000 CSE", "GB700000000000 TEA", "GB100000000000 CGU", "GB100000000000 SDE"],
            ),
            list(
                "authorisations_in_force",
                &["GB700000000000 CSE", "GB100000000000 CGU", "GB100000000000 SDE"],
            ),
            list("offices_of_exit", &["GB000011"]),
            list("customs_offices", &["GBBEL003"]),
        ]
        .into(),
    )
}

fn found(pack: &[RulePack], message: &str) -> Vec<RuleFinding> {
    let tree = read_xml(message.as_bytes(), XmlBounds::default()).unwrap().tree;
    pack.iter().flat_map(|rules| rules.check(&tree)).collect()
}

/// An import of two items that breaks nothing: the declarant acts for the importer, whose guarantee is authorised.
const MESSAGE: &str = r#"<Declaration ResponsibleCountryCode="GB">
  <FunctionCode>9</FunctionCode><FunctionalReferenceID>TW-1</FunctionalReferenceID><TypeCode>IMA</TypeCode>
  <GoodsItemQuantity>2</GoodsItemQuantity><InvoiceAmount currencyID="EUR">30</InvoiceAmount>
  <AdditionalDocument><CategoryCode>1</CategoryCode><ID>1234567</ID><TypeCode>DAN</TypeCode></AdditionalDocument>
  <AuthorisationHolder><ID>GB100000000000</ID><CategoryCode>CGU</CategoryCode></AuthorisationHolder>
  <AuthorisationHolder><ID>GB700000000000</ID><CategoryCode>CSE</CategoryCode></AuthorisationHolder>
  <Declarant><ID>GB200000000000</ID></Declarant><Exporter><ID>GB300000000000</ID></Exporter>
  <GoodsShipment>
    <Destination><CountryCode>GB</CountryCode></Destination><ExportCountry><ID>US</ID></ExportCountry>
    <DomesticDutyTaxParty><ID>GB100000000</ID><RoleCode>FR1</RoleCode></DomesticDutyTaxParty>
    <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
      <AdditionalInformation><StatementCode>00500</StatementCode></AdditionalInformation>
      <Commodity>
        <DutyTaxFee><DutyRegimeCode>120</DutyRegimeCode><QuotaOrderID>051234</QuotaOrderID><TypeCode>A00</TypeCode><Payment><MethodCode>E</MethodCode></Payment></DutyTaxFee>
        <GoodsMeasure><GrossMassMeasure>12</GrossMassMeasure><NetNetWeightMeasure>10</NetNetWeightMeasure></GoodsMeasure>
        <InvoiceLine><ItemChargeAmount currencyID="EUR">10</ItemChargeAmount></InvoiceLine>
      </Commodity>
      <GovernmentProcedure><CurrentCode>40</CurrentCode><PreviousCode>00</PreviousCode></GovernmentProcedure>
      <GovernmentProcedure><CurrentCode>000</CurrentCode></GovernmentProcedure>
      <Origin><CountryCode>US</CountryCode><TypeCode>1</TypeCode></Origin>
    </GovernmentAgencyGoodsItem>
    <GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric>
      <AdditionalInformation><StatementCode>GEN45</StatementCode></AdditionalInformation>
      <Commodity>
        <GoodsMeasure><GrossMassMeasure>20</GrossMassMeasure><NetNetWeightMeasure>20</NetNetWeightMeasure></GoodsMeasure>
        <InvoiceLine><ItemChargeAmount currencyID="EUR">20</ItemChargeAmount></InvoiceLine>
      </Commodity>
      <GovernmentProcedure><CurrentCode>40</CurrentCode><PreviousCode>71</PreviousCode></GovernmentProcedure>
    </GovernmentAgencyGoodsItem>
    <Importer><ID>GB100000000000</ID></Importer>
  </GoodsShipment>
  <ObligationGuarantee><ID>G1</ID><SecurityDetailsCode>1</SecurityDetailsCode></ObligationGuarantee>
</Declaration>"#;

/// What is replaced | by what | rules broken, each with the last steps of its place
const EDITS: &str = r"
    # numbers of items
    <SequenceNumeric>2< | <SequenceNumeric>1000< | dms_item_number_range GovernmentAgencyGoodsItem[2]/SequenceNumeric[1]
    <SequenceNumeric>2< | <SequenceNumeric>0< | dms_item_number_range SequenceNumeric[1]
    <SequenceNumeric>2< | <SequenceNumeric>3< | dms_item_number_above_total SequenceNumeric[1]
    <GoodsItemQuantity>2< | <GoodsItemQuantity>3< | dms_items_total GoodsItemQuantity[1]
    <GoodsItemQuantity>2</GoodsItemQuantity> | |
    # mass and money
    <NetNetWeightMeasure>20< | <NetNetWeightMeasure>20.001< | dms_net_above_gross NetNetWeightMeasure[1]
    currencyID='EUR'>20 | currencyID='USD'>20 | dms_invoice_currencies GoodsShipment[1], dms_invoice_total_currency InvoiceAmount[1]
    # said once
    <GovernmentAgencyGoodsItem><SequenceNumeric>2 | <GovernmentAgencyGoodsItem><ExportCountry><ID>US</ID></ExportCountry><SequenceNumeric>2 | dms_dispatch_twice ExportCountry[1]/ID[1]
    <GovernmentAgencyGoodsItem><SequenceNumeric>2 | <GovernmentAgencyGoodsItem><Destination><CountryCode>GB</CountryCode></Destination><SequenceNumeric>2 | dms_destination_twice CountryCode[1]
    # parties
    <Destination> | <Consignee><ID>GB4</ID><Name>Four Ltd</Name></Consignee><Destination> | dms_consignee_twice_named Name[1]
    <Destination> | <Consignee><ID>GB300000000000</ID></Consignee><Destination> | dms_consignee_is_exporter ID[1]
    <Destination> | <Seller><ID>GB300000000000</ID></Seller><Destination> | dms_seller_is_exporter ID[1]
    <Destination> | <Buyer><ID>GB100000000000</ID></Buyer><Destination> | dms_buyer_is_importer ID[1]
    # authorisations: a party, a holder who is known, and neither
    <ID>GB100000000000</ID><CategoryCode> | <ID>GB900000000000</ID><CategoryCode> | dms_holder_unknown AuthorisationHolder[1]/ID[1], dms_authorisation_not_held AuthorisationHolder[1]/CategoryCode[1]
    <AuthorisationHolder><ID>GB1 | <AuthorisationHolder><ID>GB900000000000</ID><CategoryCode>IPO</CategoryCode></AuthorisationHolder><AuthorisationHolder><ID>GB900000000000</ID><CategoryCode>OPO</CategoryCode></AuthorisationHolder><AuthorisationHolder><ID>GB1 | dms_authorisation_not_held AuthorisationHolder[1]/CategoryCode[1], dms_authorisation_not_held AuthorisationHolder[2]/CategoryCode[1]
    <CategoryCode>CSE< | <CategoryCode>IPO< | dms_authorisation_not_held AuthorisationHolder[2]/CategoryCode[1]
    <CategoryCode>CSE< | <CategoryCode> CSE < |
    <CategoryCode>CSE< | <CategoryCode>TEA< | dms_authorisation_out_of_time AuthorisationHolder[2]/CategoryCode[1]
    # data sets
    <NetNetWeightMeasure>20</NetNetWeightMeasure> | | dms_net_mass_missing GovernmentAgencyGoodsItem[2]/Commodity[1]/GoodsMeasure[1]/NetNetWeightMeasure[1]
    <GoodsMeasure><GrossMassMeasure>20</GrossMassMeasure><NetNetWeightMeasure>20</NetNetWeightMeasure></GoodsMeasure> | | dms_net_mass_missing GovernmentAgencyGoodsItem[2]/Commodity[1]/GoodsMeasure[1]/NetNetWeightMeasure[1]
    <TypeCode>IMA< | <TypeCode>IMZ< | dms_tax_point_missing AcceptanceDateTime[1]
    <TypeCode>IMA< | <TypeCode>IMC< | dms_simplified_without_authorisation AuthorisationHolder[1]
    <CurrentCode>000< | <CurrentCode>000</CurrentCode></GovernmentProcedure><GovernmentProcedure><CurrentCode>F15< | dms_no_additional_procedure_and_another GovernmentProcedure[1]
    # special procedures
    <CurrentCode>40</CurrentCode><PreviousCode>71 | <CurrentCode>44</CurrentCode><PreviousCode>71 | dms_end_use_without_authorisation CurrentCode[1]
    <CurrentCode>40</CurrentCode><PreviousCode>71 | <CurrentCode>51</CurrentCode><PreviousCode>71 | dms_inward_processing_without_authorisation CurrentCode[1]
    <CurrentCode>40</CurrentCode><PreviousCode>71 | <CurrentCode>53</CurrentCode><PreviousCode>71 | dms_temporary_admission_without_authorisation CurrentCode[1]
    <CurrentCode>40</CurrentCode><PreviousCode>71 | <CurrentCode>21</CurrentCode><PreviousCode>71 | dms_outward_processing_without_authorisation CurrentCode[1]
    <CurrentCode>40</CurrentCode><PreviousCode>71 | <CurrentCode>71</CurrentCode><PreviousCode>00 | dms_warehousing_without_warehouse CurrentCode[1]
    # preference and quota
    <DutyRegimeCode>120< | <DutyRegimeCode>320< | dms_preference_without_origin Origin[1]
    <DutyRegimeCode>120< | <DutyRegimeCode>100< | dms_quota_without_its_preference DutyTaxFee[1]
    <QuotaOrderID>051234</QuotaOrderID> | | dms_preference_without_its_quota DutyTaxFee[1]
    <QuotaOrderID>05 | <QuotaOrderID>09 | uk_union_quota QuotaOrderID[1]
    # offices
    <GoodsShipment> | <ExitOffice><ID>GB999999</ID></ExitOffice><GoodsShipment> | uk_exit_office_unknown ExitOffice[1]/ID[1]
    <GoodsShipment> | <ExitOffice><ID>IE000001</ID></ExitOffice><GoodsShipment> |
    <GoodsShipment> | <SupervisingOffice><ID>GBXXX001</ID></SupervisingOffice><GoodsShipment> | uk_supervising_office_unknown SupervisingOffice[1]/ID[1]
    # references
    <TypeCode>IMA< | <TypeCode>EXA< | uk_export_without_reference PreviousDocument[1]
    <Importer> | <PreviousDocument><TypeCode>MCR</TypeCode></PreviousDocument><PreviousDocument><TypeCode>MCR</TypeCode></PreviousDocument><Importer> | uk_import_with_several_master_references PreviousDocument[1]
    # payment
    <ID>1234567</ID> | | uk_deferred_without_account AdditionalDocument[1]/ID[1]
    <MethodCode>E< | <MethodCode>A< | uk_account_without_deferred_payment AdditionalDocument[1]/ID[1]
    <SecurityDetailsCode>1< | <SecurityDetailsCode>3< | uk_comprehensive_guarantee_of_another_type SecurityDetailsCode[1]
    # tax numbers
    <ID>GB100000000</ID> | <ID>FR100000000</ID> | uk_foreign_tax_number_of_importer DomesticDutyTaxParty[1]/ID[1]
    <Origin> | <DomesticDutyTaxParty><ID>FR1</ID><RoleCode>FR1</RoleCode></DomesticDutyTaxParty><Origin> | uk_foreign_tax_number_of_importer_of_item ID[1]
    <Origin> | <DomesticDutyTaxParty><ID>FR1</ID><RoleCode>FR2</RoleCode></DomesticDutyTaxParty><Origin> |
    # onward supply, movements of Northern Ireland
    <CurrentCode>40</CurrentCode><PreviousCode>71 | <CurrentCode>63</CurrentCode><PreviousCode>71 | uk_onward_supply_outside_northern_ireland StatementCode[1]
    <StatementCode>GEN45< | <StatementCode>OSR42< | uk_onward_supply_without_its_statement StatementCode[1]
    <Importer><ID>GB1 | <Importer><ID>XI1 | uk_movement_missing Importer[1]/ID[1], dms_holder_unknown AuthorisationHolder[1]/ID[1]
    <StatementCode>GEN45< | <StatementCode>NIIMP< | uk_entry_from_outside_on_some_items GovernmentAgencyGoodsItem[1]/AdditionalInformation[1]/StatementCode[1]
    <StatementCode>GEN45< | <StatementCode>NIDOM< | uk_entry_from_great_britain_on_some_items StatementCode[1]
    <StatementCode>GEN45< | <StatementCode>NIEXP< | uk_exit_from_northern_ireland_on_some_items StatementCode[1]
    <StatementCode>GEN45< | <StatementCode>NIREM< | uk_not_at_risk_without_movement StatementCode[1]
    <StatementCode>GEN45< | <StatementCode>NIAID< | uk_aid_without_movement StatementCode[1]
    <StatementCode>00500</StatementCode></AdditionalInformation> | <StatementCode>NIIMP</StatementCode></AdditionalInformation><AdditionalInformation><StatementCode>NIDOM</StatementCode></AdditionalInformation> | uk_movements_of_two_kinds GoodsShipment[1], uk_entry_from_outside_on_some_items StatementCode[1], uk_entry_from_great_britain_on_some_items StatementCode[1]
    # statements that exclude others
    <StatementCode>00500</StatementCode></AdditionalInformation> | <StatementCode>NIEXP</StatementCode></AdditionalInformation><AdditionalDocument><CategoryCode>9</CategoryCode><TypeCode>99L</TypeCode></AdditionalDocument> | uk_licence_waiver_with_movement AdditionalDocument[1], uk_exit_from_northern_ireland_on_some_items StatementCode[1]
    <StatementCode>00500</StatementCode></AdditionalInformation> | <StatementCode>00500</StatementCode></AdditionalInformation><AdditionalDocument><CategoryCode>9</CategoryCode><TypeCode>99L</TypeCode></AdditionalDocument><AdditionalDocument><CategoryCode>9</CategoryCode><TypeCode>99L</TypeCode></AdditionalDocument> | uk_licence_waiver_twice AdditionalDocument[1]
    <StatementCode>GEN45< | <StatementCode>UVC01< | uk_correction_of_value_in_an_original StatementCode[1]
    <CurrentCode>40</CurrentCode><PreviousCode>71</PreviousCode></GovernmentProcedure> | <CurrentCode>40</CurrentCode><PreviousCode>71</PreviousCode></GovernmentProcedure><GovernmentProcedure><CurrentCode>1H7</CurrentCode></GovernmentProcedure> | uk_low_value_set_on_some_items GovernmentAgencyGoodsItem[1]/GovernmentProcedure[1]/CurrentCode[1]
";

#[test]
fn each_rule_is_broken_by_the_change_that_breaks_it_and_by_no_other() {
    let pack = pack(&lists());
    assert_eq!(found(&pack, MESSAGE), []);
    let mut broken = BTreeSet::new();
    for line in EDITS.lines().map(str::trim).filter(|line| line.contains('|')) {
        let row: Vec<&str> = line.split('|').map(str::trim).collect();
        let (from, to) = (row[0].replace('\'', "\""), row[1].replace('\'', "\""));
        assert!(MESSAGE.contains(&from), "{row:?}");
        let mut told: Vec<(String, String)> = found(&pack, &MESSAGE.replacen(&from, &to, 1))
            .into_iter()
            .map(|finding| (finding.rule_id, finding.location))
            .collect();
        for expected in row[2].split(", ").filter(|expected| !expected.is_empty()) {
            let (rule, place) = expected.split_once(' ').unwrap();
            let at = told.iter().position(|(own, location)| own == rule && location.ends_with(place));
            let at = at.unwrap_or_else(|| panic!("{row:?}: {told:?}"));
            broken.insert(told.remove(at).0);
        }
        assert_eq!(told, [], "{row:?}");
    }
    let all: BTreeSet<String> =
        pack.iter().flat_map(RulePack::definitions).map(|rule| rule.id.clone()).collect();
    assert_eq!(all.difference(&broken).collect::<Vec<_>>(), Vec::<&String>::new(), "no change breaks these");
}

#[test]
fn what_only_an_installed_list_decides_is_not_asked_without_it() {
    let without = pack(&Lists::default());
    let missing: BTreeSet<&String> = without.iter().flat_map(RulePack::missing_lists).collect();
    let expected = [
        "authorisation_holders",
        "authorisations",
        "authorisations_in_force",
        "customs_offices",
        "offices_of_exit",
    ];
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), expected);
    let not_asked: usize = without.iter().map(|rules| rules.not_asked().len()).sum();
    assert_eq!(not_asked, 5);
    let office = MESSAGE
        .replace("<GoodsShipment>", "<ExitOffice><ID>GB999999</ID></ExitOffice><GoodsShipment>")
        .replace("<ID>GB700000000000<", "<ID>GB900000000000<");
    assert_eq!(found(&without, &office), []);
    let asked: Vec<String> = found(&pack(&lists()), &office).into_iter().map(|own| own.code).collect();
    assert_eq!(asked, ["CDS12005", "CDS12007", "DMS10020"]);
    let named = office.replacen(
        "<AdditionalInformation>",
        "<AdditionalDocument><ID>GBCSE900000000000E1</ID></AdditionalDocument><AdditionalInformation>",
        1,
    );
    let asked: Vec<String> = found(&pack(&lists()), &named).into_iter().map(|own| own.code).collect();
    assert_eq!(asked, ["CDS12007", "DMS10020"], "the reference of a decision names its holder");
}

#[test]
fn amendments_are_not_asked_and_other_countries_only_what_holds_everywhere() {
    let pack = pack(&lists());
    let wrong =
        MESSAGE.replace("<QuotaOrderID>05", "<QuotaOrderID>09").replace("GB100000000<", "FR100000000<");
    let wrong = wrong.replace("<SequenceNumeric>2<", "<SequenceNumeric>1000<");
    let codes = |message: &str| -> Vec<String> {
        found(&pack, message).into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes(&wrong), ["DMS10020", "CDS12013", "CDS12144"]);
    assert_eq!(codes(&wrong.replace("<FunctionCode>9<", "<FunctionCode>13<")), Vec::<String>::new());
    assert_eq!(codes(&wrong.replace("=\"GB\"", "=\"FR\"")), ["DMS10020"]);
    assert_eq!(codes(&wrong.replace(" ResponsibleCountryCode=\"GB\"", "")), ["DMS10020"]);
}

#[test]
fn texts_are_in_four_languages_and_an_ordinary_declaration_costs_little() {
    let pack = pack(&lists());
    let tree = read_xml(MESSAGE.as_bytes(), XmlBounds::default()).unwrap().tree;
    for rules in &pack {
        assert_eq!(rules.check_within(&tree, STEPS_ORDINARY), []);
        for rule in rules.definitions() {
            for text in [&rule.message, &rule.how_to_fix] {
                assert_eq!(text.0.len(), 4, "{}", rule.id);
            }
            assert!(rule.legal_basis.is_some() && rule.severity != Severity::Information, "{}", rule.id);
        }
    }
}
