//! Files of administrations that write other languages: what the proposal makes of their headers, and that their
//! rows can be read with it as it stands.

use crate::support::{proposal, read, told};

/// The file | field = column, by field
const FILES: [(&str, &str); 4] = [
    (
        "N° déclaration;Date d'enregistrement;Bureau de douane;Régime;Position tarifaire;Désignation des marchandises;Pays d'origine;Pays de provenance;Poids net;Poids brut;Nombre de colis;Valeur en douane;Devise;Taux de droit;Destinataire;Déclarant;Circuit;Agent vérificateur;Litige
D1;31/01/2024;TN01;C100;8517.12;Téléphones;CN;AE;1.234,50;1.300,00;12;98.765,40;EUR;7,5;F001;T9;Rouge;V12;Oui
D2;02/02/2024;TN01;C100;0303.11;Saumons congelés;NO;NO;900,00;950,00;40;2.000,10;EUR;0;F002;T9;Vert;;",
        "commodity_code=Position tarifaire, currency=Devise, customs_value=Valeur en douane, date=Date d'enregistrement, declarant_id=Déclarant, declaration_id=N° déclaration, departure_country=Pays de provenance, goods_description=Désignation des marchandises, gross_mass=Poids brut, importer_id=Destinataire, irregular=Litige, lane=Circuit, net_mass=Poids net, office_id=Bureau de douane, officer_id=Agent vérificateur, origin_country=Pays d'origine, packages=Nombre de colis, procedure_code=Régime, tax_rate=Taux de droit",
    ),
    (
        "Número de declaración|Fecha de aceptación|Aduana|Régimen|Subpartida|País de origen|País de procedencia|Peso neto|Peso bruto|Valor CIF|Importador|Agente de aduanas|Semáforo|Resultado
0001|2024-01-31|118|10|8517120000|CN|PA|1234.50|1300.00|98765.40|20100|A1|Rojo|Irregularidad
0002|2024-02-01|118|10|0303110000|NO|NO|900.00|950.00|2000.10|20101|A1|Verde|Sin novedad",
        "commodity_code=Subpartida, customs_value=Valor CIF, date=Fecha de aceptación, declarant_id=Agente de aduanas, declaration_id=Número de declaración, departure_country=País de procedencia, gross_mass=Peso bruto, importer_id=Importador, irregular=Resultado, lane=Semáforo, net_mass=Peso neto, office_id=Aduana, origin_country=País de origen, procedure_code=Régimen",
    ),
    (
        "报关单号,申报日期,申报地海关,监管方式,运输方式,商品编码,商品名称,原产国,启运国,净重,毛重,件数,完税价格,币制,税率,收货人,申报单位,通道,查验关员,查验结果
530120240001,2024-01-31,5301,0110,2,8517120000,手机,VN,HK,1234.5,1300,12,98765.4,CNY,0,4403,5301A,红,张,违规
530120240002,2024-02-01,5301,0110,2,0303110000,冻鱼,NO,NO,900,950,40,2000.1,CNY,7,4404,5301A,绿,,正常",
        "commodity_code=商品编码, currency=币制, customs_value=完税价格, date=申报日期, declarant_id=申报单位, declaration_id=报关单号, departure_country=启运国, goods_description=商品名称, gross_mass=毛重, importer_id=收货人, irregular=查验结果, lane=通道, net_mass=净重, office_id=申报地海关, officer_id=查验关员, origin_country=原产国, packages=件数, procedure_code=监管方式, tax_rate=税率, transport_mode=运输方式",
    ),
    (
        "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud
1,2020-01-01,30,B,11,21,11,10,A1,B1,C1,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,0,0
2,2020-01-13,40,B,11,21,11,40,A2,B2,C2,D1,71080,CN,CN,8.0,A,Y,11352.0,375751.2,1,2",
        "carrier_id=Courier ID, commodity_code=HS6 Code, customs_value=Item Price, date=Date, declarant_id=Declarant ID, declaration_id=Declaration ID, departure_country=Country of Departure, exporter_id=Seller ID, import_use=Import Use, importer_id=Importer ID, irregular=Fraud, net_mass=Net Mass, office_id=Office ID, origin_country=Country of Origin, origin_marking=Country of Origin Indicator, outcome_code=Critical Fraud, payment_type=Payment Type, procedure_code=Import Type, process_type=Process Type, tax_rate=Tax Rate, tax_type=Tax Type, transport_mode=Mode of Transport",
    ),
];

#[test]
fn headers_in_four_languages_are_understood_and_the_rows_read() {
    for (file, expected) in FILES {
        let proposal = proposal(file.as_bytes()).unwrap();
        let mut fields: Vec<String> =
            proposal.fields.iter().map(|field| format!("{}={}", field.field, field.column)).collect();
        fields.sort();
        assert_eq!(fields.join(", "), expected);
        assert_eq!(proposal.unused_columns, Vec::<String>::new());
        assert_eq!(proposal.findings, []);

        let intake = read(file.as_bytes()).unwrap();
        assert_eq!((intake.table.len(), told(&intake).as_str()), (2, ""), "{expected}");
        let irregular: Vec<Option<bool>> = intake.table.booleans("irregular").unwrap().to_vec();
        assert!(irregular.contains(&Some(true)), "{irregular:?}");
        assert!(intake.table.decimals("customs_value").unwrap().iter().all(Option::is_some));
    }
}

#[test]
fn a_proposal_as_a_person_gets_it_reads_back_as_the_same_mapping() {
    for (file, _) in FILES {
        let proposal = proposal(file.as_bytes()).unwrap();
        let text = proposal.to_toml(&spine::declaration_entry::schema());
        assert_eq!(formats::Mapping::from_toml(&text).unwrap(), proposal.mapping, "{text}");
    }
}
