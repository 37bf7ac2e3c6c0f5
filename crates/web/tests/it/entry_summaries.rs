//! Entry summary declarations over the API: accepted, rejected, amended, looked at, stopped.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use customhouse::identity::Role;
use serde_json::json;

use crate::lodging::trader;
use crate::support::{Answer, Site};

/// A message against which the public rules have nothing.
const GOOD: &str = r#"<ie:CC315A xmlns:ie="http://ics.dgtaxud.ec/CC315A">
<MesSenMES3>GB123456789/0000000010</MesSenMES3>
<MesRecMES6>NTA.GB</MesRecMES6>
<DatOfPreMES9>260331</DatOfPreMES9>
<TimOfPreMES10>1405</TimOfPreMES10>
<MesIdeMES19>M1</MesIdeMES19>
<MesTypMES20>CC315A</MesTypMES20>
<HEAHEA>
<RefNumHEA4>LRN-1</RefNumHEA4>
<TraModAtBorHEA76>1</TraModAtBorHEA76>
<IdeOfMeaOfTraCroHEA85>9321483</IdeOfMeaOfTraCroHEA85>
<TotNumOfIteHEA305>1</TotNumOfIteHEA305>
<TotNumOfPacHEA306>10</TotNumOfPacHEA306>
<TotGroMasHEA307>420.75</TotGroMasHEA307>
<DecPlaHEA394>Rotterdam</DecPlaHEA394>
<ComRefNumHEA>REF-1</ComRefNumHEA>
<ConRefNumHEA>VOY-1</ConRefNumHEA>
<PlaLoaGOOITE334>CNSZX</PlaLoaGOOITE334>
<PlaUnlGOOITE334>NLRTM</PlaUnlGOOITE334>
<DecDatTimHEA114>202603311405</DecDatTimHEA114>
</HEAHEA>
<TRACONCO1><TINCO159>GB987654321</TINCO159></TRACONCO1>
<TRACONCE1><TINCE159>GB987654322</TINCE159></TRACONCE1>
<GOOITEGDS>
<IteNumGDS7>1</IteNumGDS7>
<GooDesGDS23>smartphones</GooDesGDS23>
<GroMasGDS46>420.75</GroMasGDS46>
<PRODOCDC2><DocTypDC21>N705</DocTypDC21><DocRefDC23>BL-77</DocRefDC23></PRODOCDC2>
<COMCODGODITM><ComNomCMD1>851713</ComNomCMD1></COMCODGODITM>
<PACGS2><KinOfPacGS23>CT</KinOfPacGS23><NumOfPacGS24>10</NumOfPacGS24><MarNumOfPacGSL21>1-10</MarNumOfPacGSL21></PACGS2>
</GOOITEGDS>
<ITI><CouOfRouCodITI1>CN</CouOfRouCodITI1></ITI>
<ITI><CouOfRouCodITI1>NL</CouOfRouCodITI1></ITI>
<PERLODSUMDEC><TINPLD1>GB123456789</TINPLD1></PERLODSUMDEC>
<CUSOFFFENT730><RefNumCUSOFFFENT731>GB000060</RefNumCUSOFFFENT731><ExpDatOfArrFIRENT733>202604051200</ExpDatOfArrFIRENT733></CUSOFFFENT730>
<TRACARENT601><TINTRACARENT602>GB555555555</TINTRACARENT602></TRACARENT601>
</ie:CC315A>"#;

async fn send(site: &Site, token: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/entry-summaries")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/xml");
    site.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn messages_come_in_and_messages_go_out() {
    let mut site = Site::with(&[Role::Officer]);
    let (tara, token) = trader(&mut site, "tara", "GB123456789");
    let (tom, stranger) = trader(&mut site, "tom", "GB999999999");
    let wrong = GOOD.replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<");
    let rejected = send(&site, &token, &wrong).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", rejected.text);
    assert!(rejected.text.contains("CC316A") && rejected.text.contains("8206"), "{}", rejected.text);
    let accepted = send(&site, &token, GOOD).await;
    assert_eq!(accepted.status, StatusCode::CREATED, "{}", accepted.text);
    assert_eq!(accepted.header("content-type"), "application/xml");
    let place = accepted.header("location").to_owned();
    let again = send(&site, &token, GOOD).await;
    assert_eq!((again.status, &again.text), (StatusCode::OK, &accepted.text));
    let other = GOOD.replace("smartphones", "telephones");
    assert_eq!(send(&site, &token, &other).await.status, StatusCode::CONFLICT);
    assert_eq!(send(&site, &stranger, GOOD).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&site, &token, "<CC315A>").await.status, StatusCode::BAD_REQUEST);
    let own = site.get(&tara, &place).await;
    assert_eq!(own.json()["lrn"].as_str(), Some("LRN-1"));
    assert_eq!(site.get(&tom, &place).await.status, StatusCode::NOT_FOUND);
    let officer = site.caller(Role::Officer);
    assert_eq!(site.get(&officer, &place).await.json()["items"].as_u64(), Some(1));
    let order = |cookie: &str, csrf: &str| {
        let order = json!({ "code": "A002", "text": "Do not load the goods." });
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{place}/intervention"))
            .header(header::COOKIE, cookie)
            .header("x-csrf-token", csrf)
            .header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(order.to_string())).unwrap()
    };
    assert_eq!(site.ask(order(&tara.cookie, &tara.csrf)).await.status, StatusCode::FORBIDDEN);
    let ordered = site.ask(order(&officer.cookie, &officer.csrf)).await;
    assert_eq!(ordered.status, StatusCode::CREATED, "{}", ordered.text);
    assert!(ordered.text.contains("CC351A") && ordered.text.contains("A002"), "{}", ordered.text);
    assert_eq!(site.ask(order(&officer.cookie, &officer.csrf)).await.status, StatusCode::CONFLICT);
}
