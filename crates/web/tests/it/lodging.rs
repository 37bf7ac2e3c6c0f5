//! Declarations over the API: receipts, repeated and changed ones, what cannot be read, tokens, busy times, and what
//! moves as it moves.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::identity::{NewAccount, Reader, Role};
use customhouse::plans::PolicyKind;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use crate::support::{Answer, Caller, PASSWORD, Site};

/// A site whose policies are in force, with traders of two parties.
pub(crate) struct Harbour {
    pub(crate) site: Site,
    /// Acts for NL0001, by page and by token.
    pub(crate) tara: Caller,
    pub(crate) tara_token: String,
    /// Acts for NL0002.
    pub(crate) tom: Caller,
    pub(crate) tom_token: String,
}

/// A declaration of one party; of packages that weigh nothing where it is `odd`, which is a hard rule for the red lane.
pub(crate) fn declaration(reference: &str, party: &str, odd: bool) -> Value {
    json!({
        "functional_reference_id": reference,
        "type_code": "IMA",
        "declaration_office_id": "10",
        "declarant": { "id": party },
        "exporter": { "id": "CN0001" },
        "border_transport_means": { "mode_code": "1" },
        "goods_shipment": {
            "importer": { "id": party },
            "export_country": "CN",
            "government_agency_goods_item": [{
                "sequence_numeric": 1,
                "customs_value_amount": { "amount": "1200.50", "currency": "EUR" },
                "commodity": {
                    "description": format!("telephones of {party}"),
                    "classification": [{ "id": "851713" }],
                    "goods_measure": { "gross_mass_measure": if odd { "10" } else { "12.5" }, "net_net_weight_measure": "10" }
                },
                "government_procedure": [{ "current_code": "40", "previous_code": "00" }],
                "origin": [{ "country_code": "CN" }],
                "packaging": [{ "quantity_quantity": "10", "type_code": "CT" }]
            }]
        }
    })
}

impl Harbour {
    pub(crate) fn new(roles: &[Role]) -> Self {
        let mut site = Site::with(roles);
        for kind in PolicyKind::ALL {
            let mut content = site.house.standard_policy(kind).unwrap();
            if kind == PolicyKind::Selection {
                let hard = json!({ "lane": "red", "legal_basis": "Customs Act, section 1", "reason": { "en": "HARD-RULE-TEXT-5" } });
                content["hard_rules"] = json!({ "no_tare_at_all": hard });
                content["initial_threshold"] = json!(900);
                content["floor_ppm"] = json!(1);
                content["random_share_ppm"] = json!(0);
                content["audit_share_ppm"] = json!(0);
            }
            let (analyst, chief) = (Reader::new("a", Role::Analyst), Reader::new("c", Role::Chief));
            let hash = site.house.propose_policy(&analyst, kind, content).unwrap().hash;
            site.house.approve_policy(&analyst, &hash).unwrap();
            site.house.approve_policy(&chief, &hash).unwrap();
        }
        let (tara, tara_token) = trader(&mut site, "tara", "NL0001");
        let (tom, tom_token) = trader(&mut site, "tom", "NL0002");
        Self { site, tara, tara_token, tom, tom_token }
    }

    /// Sends a body with a token.
    pub(crate) async fn send(
        &self,
        token: &str,
        path: &str,
        media_type: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, media_type);
        self.site.ask(request.body(body.into()).unwrap()).await
    }

    /// Lodges with Tara's token and waits until pages show it.
    pub(crate) async fn lodge(&self, token: &str, declaration: &Value) -> Answer {
        let body = serde_json::to_vec(declaration).unwrap();
        let answer = self.send(token, "/api/v1/declarations", "application/json", body).await;
        let position = answer.json()["position"].as_u64().unwrap_or(0);
        let _ = self.site.house.wait_until_shown(position, Duration::from_secs(60));
        answer
    }

    pub(crate) async fn ask_with(&self, token: &str, path: &str) -> Answer {
        let request = Request::builder().uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.site.ask(request.body(Body::empty()).unwrap()).await
    }
}

pub(crate) fn trader(site: &mut Site, name: &str, party: &str) -> (Caller, String) {
    let operator = Reader::local_operator();
    let new = NewAccount::new(name, Role::Trader, PASSWORD).of_party(Some(party));
    let account = site.house.open_account(&operator, &new).unwrap();
    let (_, secret) = site.house.issue_token(&operator, &account.id, "test").unwrap();
    let cookie = site.house.accounts().sign_in(name, PASSWORD, "test", site.house.wall_now()).unwrap();
    let csrf = site.house.accounts().session(&cookie, site.house.wall_now()).unwrap().unwrap().csrf;
    (Caller { cookie: format!("__Host-tidewaiter={cookie}"), csrf }, secret)
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

#[tokio::test]
async fn the_same_declaration_gets_its_first_receipt_and_another_of_its_reference_is_a_conflict() {
    let harbour = Harbour::new(&[]);
    let one = declaration("R-1", "NL0001", false);
    let first = harbour.lodge(&harbour.tara_token, &one).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let receipt = first.json();
    let mrn = receipt["mrn"].as_str().unwrap().to_owned();
    assert_eq!(first.header("location"), format!("/api/v1/declarations/{mrn}"));
    assert_eq!(
        (receipt["repeated"].as_bool(), receipt["progress"].as_str()),
        (Some(false), Some("released"))
    );
    let again = harbour.lodge(&harbour.tara_token, &one).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    assert_eq!(
        (again.json()["mrn"].as_str(), again.json()["repeated"].as_bool()),
        (Some(mrn.as_str()), Some(true))
    );
    let mut other = one.clone();
    other["type_code"] = json!("IMD");
    let conflict = harbour.lodge(&harbour.tara_token, &other).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{}", conflict.text);
    assert_eq!(conflict.json()["type"], "urn:tidewaiter:problem:reference_in_use");
    let own = harbour.ask_with(&harbour.tara_token, &format!("/api/v1/declarations/{mrn}/receipt")).await;
    assert_eq!((own.status, own.json()["mrn"].as_str()), (StatusCode::OK, Some(mrn.as_str())));
    let list = harbour.ask_with(&harbour.tara_token, "/api/v1/declarations").await;
    assert_eq!(
        (list.json()["total"].as_u64(), list.json()["rows"][0]["lrn"].as_str()),
        (Some(1), Some("R-1"))
    );
    let bytes = harbour.ask_with(&harbour.tara_token, &format!("/api/v1/declarations/{mrn}/original")).await;
    assert_eq!(bytes.text, serde_json::to_string(&one).unwrap(), "the bytes are kept as they came");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_place_value_and_remedy() {
    let harbour = Harbour::new(&[]);
    let mut bad = declaration("R-2", "NL0001", false);
    bad["goods_shipment"]["government_agency_goods_item"][0]["commodity"]["classification"][0]["id"] =
        json!("85A713");
    let rejected = harbour.lodge(&harbour.tara_token, &bad).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", rejected.text);
    let problem = rejected.json();
    assert_eq!(problem["receipt"]["progress"], "rejected", "it was recorded, and its receipt is there");
    let finding = problem["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["severity"] == "error")
        .unwrap();
    assert!(
        finding["pointer"].as_str().unwrap().contains("government_agency_goods_item[1]/commodity"),
        "{finding}"
    );
    assert!(
        finding["found"].as_str().unwrap().contains("85A713") && finding["how_to_fix"] != "",
        "{finding}"
    );
    let check = serde_json::to_vec(&bad).unwrap();
    let checked =
        harbour.send(&harbour.tara_token, "/api/v1/declarations/check", "application/json", check).await;
    assert_eq!((checked.status, checked.json()["acceptable"].as_bool()), (StatusCode::OK, Some(false)));
    // Corrected, it comes again under its reference.
    let good = harbour.lodge(&harbour.tara_token, &declaration("R-2", "NL0001", false)).await;
    assert_eq!(good.status, StatusCode::CREATED, "{}", good.text);
    let long = vec![b' '; (1 << 20) + 1];
    for (body, media_type, status, code) in [
        (&b"{"[..], "application/json", 400, "declaration_unreadable"),
        (b"", "application/json", 400, "declaration_unreadable"),
        (b"<a>", "application/xml", 400, "declaration_unreadable"),
        (b"[]", "application/json", 400, "declaration_unreadable"),
        (b"a,b", "text/csv", 415, "media_type_unknown"),
        (b"{}", "", 415, "media_type_unknown"),
        (&long, "application/json", 413, "request_too_large"),
    ] {
        let answer =
            harbour.send(&harbour.tara_token, "/api/v1/declarations", media_type, body.to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{media_type}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], format!("urn:tidewaiter:problem:{code}"), "{media_type}: {problem}");
        assert!(problem["how_to_fix"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{problem}");
    }
}

#[tokio::test]
async fn xml_of_the_dms_profile_is_lodged_by_its_content_type() {
    let harbour = Harbour::new(&[]);
    let xml = r#"<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"><Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
        <FunctionCode>9</FunctionCode><FunctionalReferenceID>X-1</FunctionalReferenceID><TypeCode>IMA</TypeCode>
        <DeclarationOfficeID>10</DeclarationOfficeID><Declarant><ID>NL0001</ID></Declarant>
        <GoodsShipment><GovernmentAgencyGoodsItem><CustomsValueAmount currencyID="EUR">80</CustomsValueAmount><SequenceNumeric>1</SequenceNumeric>
        <Commodity><Description>chargers</Description><Classification><ID>850440</ID><IdentificationTypeCode>HS</IdentificationTypeCode></Classification>
        <GoodsMeasure><GrossMassMeasure unitCode="KGM">12</GrossMassMeasure><NetNetWeightMeasure unitCode="KGM">10</NetNetWeightMeasure></GoodsMeasure></Commodity>
        <GovernmentProcedure><CurrentCode>40</CurrentCode><PreviousCode>00</PreviousCode></GovernmentProcedure>
        <Origin><CountryCode>CN</CountryCode></Origin></GovernmentAgencyGoodsItem><Importer><ID>NL0001</ID></Importer></GoodsShipment></Declaration></md:MetaData>"#;
    let answer = harbour.send(&harbour.tara_token, "/api/v1/declarations", "application/xml", xml).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json()["functional_reference_id"], "X-1");
}

#[tokio::test]
async fn a_token_stands_for_itself_and_a_worthless_one_is_never_helped_by_a_cookie() {
    let harbour = Harbour::new(&[Role::Officer]);
    let body = serde_json::to_vec(&declaration("R-3", "NL0001", false)).unwrap();
    // A session needs its form's token as well; the wrong one changes nothing.
    for (csrf, status) in [("", 403), (harbour.tom.csrf.as_str(), 403), (harbour.tara.csrf.as_str(), 201)] {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/declarations")
            .header(header::COOKIE, &harbour.tara.cookie)
            .header("x-csrf-token", csrf)
            .header(header::CONTENT_TYPE, "application/json");
        let answer = harbour.site.ask(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{csrf}: {}", answer.text);
    }
    for given in ["Bearer tw_0000", "Bearer", "Basic dGFyYTp4", "tw_0000", "Bearer "] {
        let request = Request::builder()
            .uri("/api/v1/session")
            .header(header::COOKIE, &harbour.tara.cookie)
            .header(header::AUTHORIZATION, given);
        let answer = harbour.site.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{given}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{given}");
    }
    // A token opens the API and no page.
    let page = harbour.ask_with(&harbour.tara_token, "/own").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let session = harbour.ask_with(&harbour.tara_token, "/api/v1/session").await.json();
    assert_eq!((session["role"].as_str(), session["party"].as_str()), (Some("trader"), Some("NL0001")));
    assert!(session.get("csrf").is_none(), "{session}");
    let operator = Reader::local_operator();
    let token = harbour.site.house.tokens(&operator, "tara").unwrap().remove(0);
    harbour.site.house.revoke_token(&operator, "tara", &token.id).unwrap();
    assert_eq!(
        harbour.ask_with(&harbour.tara_token, "/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED
    );
    // Nobody lodges for another party, and officers lodge nothing.
    let other = harbour.lodge(&harbour.tom_token, &declaration("R-4", "NL0001", false)).await;
    assert_eq!(
        other.json()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|own| own["code"] == "party_not_yours")
            .count(),
        1
    );
    let officer = harbour.site.caller(Role::Officer);
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/declarations")
        .header(header::COOKIE, &officer.cookie)
        .header("x-csrf-token", &officer.csrf)
        .header(header::CONTENT_TYPE, "application/json");
    assert_eq!(harbour.site.ask(request.body(Body::from(body)).unwrap()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn two_officers_decide_at_once_and_one_is_told_that_the_other_was_faster() {
    let harbour = Harbour::new(&[Role::Officer, Role::Auditor]);
    let receipt = harbour.lodge(&harbour.tara_token, &declaration("R-5", "NL0001", true)).await.json();
    let mrn = receipt["mrn"].as_str().unwrap().to_owned();
    let operator = Reader::local_operator();
    let second = harbour
        .site
        .house
        .open_account(&operator, &NewAccount::new("olga", Role::Officer, PASSWORD))
        .unwrap();
    let mut tokens = Vec::new();
    for name in ["officer", second.name.as_str(), "auditor"] {
        tokens.push(harbour.site.house.issue_token(&operator, name, "test").unwrap().1);
    }
    let place = format!("/api/v1/declarations/{mrn}");
    let version = harbour.ask_with(&tokens[0], &place).await.json()["version"].as_u64().unwrap();
    let take = json!({ "version": version, "action": "take" }).to_string();
    let path = format!("{place}/actions");
    let (one, two) = tokio::join!(
        harbour.send(&tokens[0], &path, "application/json", take.clone()),
        harbour.send(&tokens[1], &path, "application/json", take.clone()),
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
    let told = if one.status == StatusCode::CONFLICT { one } else { two };
    assert_eq!(told.json()["type"], "urn:tidewaiter:problem:somebody_was_faster");
    // Whoever may not decide does not, whatever version is named.
    for token in [&tokens[2], &harbour.tara_token] {
        let refused = harbour.send(token, &path, "application/json", take.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    }
}

#[tokio::test]
async fn whoever_listens_is_told_that_something_moved_until_signing_out() {
    let harbour = Arc::new(Harbour::new(&[]));
    let request = Request::builder().uri("/api/v1/stream").header(header::COOKIE, &harbour.tara.cookie);
    let response = harbour.site.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let mut told = 0_u64;
    for number in 0..3 {
        let receipt =
            harbour.lodge(&harbour.tara_token, &declaration(&format!("S-{number}"), "NL0001", false)).await;
        let position = receipt.json()["position"].as_u64().unwrap();
        while told < position {
            let text = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
            let data = text.lines().find_map(|line| line.strip_prefix("data: "));
            if let Some(data) = data {
                told = data.parse().unwrap();
                assert!(text.contains("event: moved"), "{text}");
            }
        }
    }
    let token = harbour.tara.cookie.split_once('=').unwrap().1;
    harbour.site.house.accounts().sign_out(token).unwrap();
    harbour.lodge(&harbour.tara_token, &declaration("S-9", "NL0001", false)).await;
    assert!(stream.next().await.is_none(), "nothing is told any more");
    // There is room for a bounded number of listeners, and a seat is free again when one leaves.
    let mut open = Vec::new();
    loop {
        let request = Request::builder().uri("/api/v1/stream").header(header::COOKIE, &harbour.tom.cookie);
        let response = harbour.site.open(request.body(Body::empty()).unwrap()).await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(response.headers().contains_key(header::RETRY_AFTER));
            break;
        }
        open.push(response);
        assert!(open.len() <= 64, "the bound holds");
    }
    assert_eq!(open.len(), 64);
}
