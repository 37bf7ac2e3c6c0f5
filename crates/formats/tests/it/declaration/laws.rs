//! What holds for any bytes and any declaration.

use formats::declaration::{Form, part_in, read, responsible_country, tree_of, write_dms, write_json};
use formats::{XmlBounds, read_xml};
use jiff::civil::Date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use spine::declaration::*;
use spine::quantity::{CurrencyCode, Money};
use spine::tree::{NodeId, Tree};
use spine::{Finding, Severity};

use super::EXAMPLE;
use crate::support::assert_helpful;

/// Words as they are kept: no blanks at the ends, nothing unprintable.
fn words() -> impl Strategy<Value = Option<String>> {
    let kept = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    prop_oneof![
        3 => Just(None),
        2 => "[A-Z0-9]{1,17}".prop_map(Some),
        1 => "[<>&'\"\\]/\\\\ a-z.]{1,17}".prop_map(kept),
        1 => "\\PC{1,17}".prop_map(kept),
    ]
}

fn country() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop_oneof!["[A-Z]{2}", Just("NL".to_owned())])
}

fn number() -> impl Strategy<Value = Option<Decimal>> {
    let number = (0_i64..1_000_000_000_000_000, 0_u32..8);
    proptest::option::of(number.prop_map(|(number, scale)| Decimal::new(number, scale)))
}

fn money() -> impl Strategy<Value = Option<Money>> {
    let currency = proptest::sample::select(vec!["EUR", "CNY", "JPY", "XOF"]);
    (number(), currency).prop_map(|(amount, currency)| {
        amount.map(|amount| Money { amount, currency: CurrencyCode::new(currency).unwrap() })
    })
}

fn day() -> impl Strategy<Value = Option<Date>> {
    proptest::option::of(
        (1900_i16..2100, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| jiff::civil::date(y, m, d)),
    )
}

fn party() -> impl Strategy<Value = Party> {
    (words(), words(), words(), (words(), country(), words(), words())).prop_map(
        |(name, id, function_code, (city_name, country_code, line, postcode_id))| Party {
            name,
            id,
            function_code,
            address: Address { city_name, country_code, line, postcode_id },
        },
    )
}

fn means() -> impl Strategy<Value = TransportMeans> {
    (words(), words(), country(), words()).prop_map(
        |(id, identification_type_code, registration_nationality_code, mode_code)| TransportMeans {
            id,
            identification_type_code,
            registration_nationality_code,
            mode_code,
        },
    )
}

fn list<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(of, 0..3)
}

fn documents() -> impl Strategy<Value = Vec<AdditionalDocument>> {
    list((words(), day(), words(), words(), words(), words()).prop_map(
        |(category_code, effective_date, id, name, type_code, lpco_exemption_code)| AdditionalDocument {
            category_code,
            effective_date,
            id,
            name,
            type_code,
            lpco_exemption_code,
        },
    ))
}

fn statements() -> impl Strategy<Value = Vec<AdditionalInformation>> {
    list((words(), words(), words()).prop_map(
        |(statement_code, statement_description, statement_type_code)| AdditionalInformation {
            statement_code,
            statement_description,
            statement_type_code,
        },
    ))
}

fn previous() -> impl Strategy<Value = Vec<PreviousDocument>> {
    list((words(), words(), words(), any::<Option<u32>>()).prop_map(
        |(category_code, id, type_code, line_numeric)| PreviousDocument {
            category_code,
            id,
            type_code,
            line_numeric,
        },
    ))
}

fn equipment() -> impl Strategy<Value = Vec<TransportEquipment>> {
    let seals = list(words().prop_map(|id| Seal { id }));
    // Numbers of other shapes than a container's, which would be put into canonical spelling.
    list(
        (proptest::option::of("[A-Z]{2}[0-9]{1,5}"), seals)
            .prop_map(|(id, seal)| TransportEquipment { id, seal }),
    )
}

fn duties() -> impl Strategy<Value = Vec<DutyTaxFee>> {
    list((words(), number(), words(), words(), (words(), money(), money())).prop_map(
        |(duty_regime_code, tax_rate_numeric, type_code, quota_order_id, payment)| DutyTaxFee {
            duty_regime_code,
            tax_rate_numeric,
            type_code,
            quota_order_id,
            payment: Payment {
                method_code: payment.0,
                tax_assessed_amount: payment.1,
                payment_amount: payment.2,
            },
        },
    ))
}

fn commodity() -> impl Strategy<Value = Commodity> {
    let classification =
        list(("[0-9]{6}|[0-9]{8}", proptest::option::of("HS|TSP|TRC|GN")).prop_map(|(id, kind)| {
            Classification { id: Some(format!("1{id}1")), identification_type_code: kind }
        }));
    let measure = (number(), number(), number());
    (words(), classification, duties(), measure, money(), equipment()).prop_map(
        |(description, classification, duty_tax_fee, measure, price, transport_equipment)| Commodity {
            description,
            classification,
            duty_tax_fee,
            goods_measure: GoodsMeasure {
                gross_mass_measure: measure.0,
                net_net_weight_measure: measure.1,
                tariff_quantity: measure.2,
            },
            invoice_line: InvoiceLine { item_charge_amount: price },
            transport_equipment,
        },
    )
}

fn item() -> impl Strategy<Value = GovernmentAgencyGoodsItem> {
    let procedures = list(
        (words(), words())
            .prop_map(|(current_code, previous_code)| GovernmentProcedure { current_code, previous_code }),
    );
    let origins =
        list((country(), words()).prop_map(|(country_code, type_code)| Origin { country_code, type_code }));
    let packaging =
        list((words(), number(), words()).prop_map(|(marks_numbers_id, quantity_quantity, type_code)| {
            Packaging { marks_numbers_id, quantity_quantity, type_code }
        }));
    let values = (money(), any::<u32>(), money(), words());
    let valuation = (words(), money());
    (
        (values, documents(), statements(), commodity()),
        (valuation, country(), procedures, origins, packaging, previous()),
    )
        .prop_map(
            |(
                (values, additional_document, additional_information, commodity),
                (valuation, export_country, government_procedure, origin, packaging, previous_document),
            )| {
                GovernmentAgencyGoodsItem {
                    customs_value_amount: values.0,
                    sequence_numeric: Some(values.1),
                    statistical_value_amount: values.2,
                    transaction_nature_code: values.3,
                    additional_document,
                    additional_information,
                    commodity,
                    customs_valuation: CustomsValuation {
                        method_code: valuation.0,
                        freight_charge_amount: valuation.1,
                    },
                    export_country,
                    government_procedure,
                    origin,
                    packaging,
                    previous_document,
                }
            },
        )
}

fn shipment() -> impl Strategy<Value = GoodsShipment> {
    let location = (words(), words(), country());
    let place = (words(), means(), location, equipment());
    let parties = (party(), party(), party(), party(), party());
    let rest =
        (words(), country(), country(), (words(), money()), (words(), day()), (words(), words(), words()));
    (parties, place, rest, list(item()), previous()).prop_map(
        |(
            (buyer, consignee, consignor, importer, seller),
            place,
            rest,
            government_agency_goods_item,
            previous_document,
        )| {
            GoodsShipment {
                transaction_nature_code: rest.0,
                buyer,
                consignee,
                consignment: Consignment {
                    container_code: place.0,
                    arrival_transport_means: place.1,
                    goods_location: GoodsLocation {
                        name: place.2.0,
                        type_code: place.2.1,
                        country_code: place.2.2,
                    },
                    transport_equipment: place.3,
                },
                consignor,
                customs_valuation: CustomsValuation {
                    method_code: rest.3.0,
                    freight_charge_amount: rest.3.1,
                },
                destination: rest.1,
                export_country: rest.2,
                government_agency_goods_item,
                importer,
                invoice: Invoice { id: rest.4.0, issue_date: rest.4.1 },
                previous_document,
                seller,
                trade_terms: TradeTerms {
                    condition_code: rest.5.0,
                    location_id: rest.5.1,
                    location_name: rest.5.2,
                },
            }
        },
    )
}

pub(crate) fn declaration() -> impl Strategy<Value = Declaration> {
    let head = (words(), words(), any::<Option<u32>>(), words(), money(), number(), number());
    let offices = (words(), words(), words());
    let holders =
        list((words(), words()).prop_map(|(id, category_code)| AuthorisationHolder { id, category_code }));
    let parties = (party(), party(), party(), party());
    (head, offices, holders, parties, means(), documents(), statements(), shipment()).prop_map(
        |(
            head,
            offices,
            authorisation_holder,
            parties,
            border,
            additional_document,
            additional_information,
            goods_shipment,
        )| {
            Declaration {
                functional_reference_id: head.0,
                type_code: head.1,
                goods_item_quantity: head.2,
                declaration_office_id: head.3,
                invoice_amount: head.4,
                total_gross_mass_measure: head.5,
                total_package_quantity: head.6,
                additional_document,
                additional_information,
                agent: parties.0,
                authorisation_holder,
                border_transport_means: border,
                consignment: DeclarationConsignment { carrier: parties.1 },
                declarant: parties.2,
                exit_office: offices.0,
                exporter: parties.3,
                goods_shipment,
                presentation_office: offices.1,
                supervising_office: offices.2,
            }
        },
    )
}

/// Findings that the reader itself has, not the checks of what a declaration must state.
fn of_the_reader(finding: &Finding) -> bool {
    let codes = ["member_", "element", "value_of", "number_", "text_", "date_", "currency_", "list_"];
    codes.iter().any(|code| finding.code.starts_with(code))
}

/// Bytes changed, left out or put in at a few places.
fn damaged(bytes: &[u8], damages: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, kind, byte) in damages {
        let at = at % bytes.len().max(1);
        match (kind % 3, bytes.get_mut(at)) {
            (0, Some(there)) => *there = *byte,
            (1, Some(_)) => drop(bytes.remove(at)),
            _ => bytes.insert(at.min(bytes.len()), *byte),
        }
    }
    bytes
}

/// Whatever was read, it says why it is refused, and what it kept is kept the same way again.
fn holds(bytes: &[u8], form: Form) -> Result<(), TestCaseError> {
    let understood = read(bytes, form);
    understood.findings.iter().for_each(assert_helpful);
    match &understood.declaration {
        None => prop_assert!(understood.findings.iter().any(|finding| finding.severity == Severity::Error)),
        Some(declaration) => {
            for (form, written) in
                [(Form::Json, write_json(declaration)), (Form::DmsXml, write_dms(declaration))]
            {
                let again = read(&written, form).declaration;
                prop_assert_eq!(again.as_ref(), Some(declaration));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_declaration_written_and_read_again_is_the_same_in_both_forms(declaration in declaration()) {
        for (form, bytes) in [(Form::Json, write_json(&declaration)), (Form::DmsXml, write_dms(&declaration))] {
            let understood = read(&bytes, form);
            prop_assert_eq!(understood.declaration.as_ref(), Some(&declaration));
            let odd = understood.findings.iter().find(|finding| of_the_reader(finding));
            prop_assert_eq!(odd, None);
            prop_assert_eq!(Form::sniff(&bytes), Some(form));
        }
    }

    #[test]
    fn the_tree_of_a_declaration_is_that_of_its_dms_form(declaration in declaration()) {
        let document = read_xml(&write_dms(&declaration), XmlBounds::default()).unwrap();
        let (written, own) = (part_in(&document).unwrap(), tree_of(&declaration, None));
        // The same nodes at the same places; in which order attributes were counted does not matter.
        let nodes = |tree: &Tree| -> Vec<(String, String)> {
            let nodes = (0..u32::try_from(tree.len()).unwrap()).map(NodeId);
            nodes.map(|id| (tree.pointer(id).0, tree.node(id).unwrap().text.to_string())).collect()
        };
        prop_assert_eq!(nodes(&own), nodes(&written));
        let answering = tree_of(&declaration, Some("GB"));
        prop_assert_eq!(responsible_country(&answering), Some("GB"));
    }
}

proptest! {
    #[test]
    fn damaged_messages_are_understood_as_far_as_they_go(
        damages in proptest::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4),
    ) {
        holds(&damaged(EXAMPLE.as_bytes(), &damages), Form::Json)?;
        let xml = write_dms(&serde_json::from_str(EXAMPLE).unwrap());
        holds(&damaged(&xml, &damages), Form::DmsXml)?;
    }

    #[test]
    fn any_bytes_are_a_declaration_or_refused_with_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        holds(&bytes, Form::Json)?;
        holds(&bytes, Form::DmsXml)?;
    }
}
