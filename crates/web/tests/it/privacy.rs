//! Who looked at what, and what was erased, as people see it.

use std::time::Duration;

use axum::http::StatusCode;
use customhouse::identity::Role;

use crate::lodging::{Harbour, declaration};

const ALL: [Role; 4] = [Role::Officer, Role::Chief, Role::Auditor, Role::Admin];

#[tokio::test]
async fn a_trader_is_told_who_looked_without_a_name_and_an_auditor_with_one() {
    let harbour = Harbour::new(&ALL);
    let site = &harbour.site;
    let lodged = harbour.lodge(&harbour.tara_token, &declaration("OWN-1", "NL0001", false)).await.json();
    let mrn = lodged["mrn"].as_str().unwrap().to_owned();
    let own = format!("/own/{mrn}");
    let page = site.get(&harbour.tara, &own).await;
    assert!(page.text.contains("No official has looked at it."), "{}", page.text);
    let officer = site.caller(Role::Officer);
    assert_eq!(site.get(&officer, &format!("/declarations/{mrn}")).await.status, StatusCode::OK);
    assert_eq!(site.get(&officer, &format!("/declarations/{mrn}/original")).await.status, StatusCode::OK);
    // What a page asks again by itself is no look.
    site.get(&officer, &format!("/declarations/{mrn}/moved?version=1")).await;
    assert!(site.house.settle_viewings(Duration::from_secs(30)));
    let page = site.get(&harbour.tara, &own).await.text;
    assert!(page.contains("Officer · Person 1") && page.contains("Original bytes"), "{page}");
    assert!(!page.contains("Person 2"));
    let id = site.house.accounts().find("officer").unwrap().id;
    assert!(!page.contains(&id));
    let told = harbour.ask_with(&harbour.tara_token, &format!("/api/v1/declarations/{mrn}")).await.json();
    assert_eq!(told["viewings"].as_array().unwrap().len(), 2);
    let auditor = site.caller(Role::Auditor);
    let list = site.get(&auditor, &format!("/viewings?record={mrn}&who=officer")).await.text;
    assert!(list.contains(&mrn) && list.contains("officer"), "{list}");
    let none = site.get(&auditor, "/viewings?who=nobody").await.text;
    assert!(none.contains("No looks found"));
    let found = site.get(&auditor, &format!("/api/v1/viewings?record={mrn}")).await.json();
    assert_eq!(found["total"], 2);
}

#[tokio::test]
async fn two_people_erase_a_declaration_and_its_pages_say_so() {
    let harbour = Harbour::new(&ALL);
    let site = &harbour.site;
    let lodged = harbour.lodge(&harbour.tara_token, &declaration("OWN-1", "NL0001", false)).await.json();
    let mrn = lodged["mrn"].as_str().unwrap().to_owned();
    let (chief, admin) = (site.caller(Role::Chief), site.caller(Role::Admin));
    let form = [
        ("kind", "declaration"),
        ("subject", mrn.as_str()),
        ("basis", "Data Protection Act, section 17"),
        ("reason", "It was lodged by mistake."),
    ];
    let ordered = site.post(&chief, "/erasures", &chief.csrf, &form).await;
    assert_eq!(ordered.status, StatusCode::SEE_OTHER, "{}", ordered.text);
    let list = site.get(&admin, "/erasures").await.text;
    assert!(list.contains("waits for another person") && !list.contains(&mrn), "{list}");
    let id = list.split("erasure/e-").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let approve = format!("/erasures/e-{id}/approve");
    let by_same = site.post(&chief, &approve, &chief.csrf, &form[..2]).await;
    assert_eq!(by_same.status, StatusCode::CONFLICT);
    let wrong = [("kind", "declaration"), ("subject", "26XX0000000000000")];
    assert!(site.post(&admin, &approve, &admin.csrf, &wrong).await.text.contains("erasure_subject_differs"));
    let done = site.post(&admin, &approve, &admin.csrf, &form[..2]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let job = done.header("location").to_owned();
    let ended = loop {
        let page = site.get(&admin, &job).await;
        if page.status == StatusCode::SEE_OTHER {
            break page.header("location").to_owned();
        }
        assert!(page.text.contains("aria-busy"), "{}", page.text);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(ended, "/erasures");
    let said = "The content of this declaration was erased at";
    let officer = site.caller(Role::Officer);
    let case = site.get(&officer, &format!("/declarations/{mrn}")).await;
    assert_eq!(case.status, StatusCode::OK);
    assert!(case.text.contains(said) && case.text.contains("section 17") && !case.text.contains("OWN-1"));
    let own = site.get(&harbour.tara, &format!("/own/{mrn}")).await;
    assert!(own.text.contains(said) && !own.text.contains("OWN-1"), "{}", own.text);
    let journal = site.get(&site.caller(Role::Auditor), &format!("/journal?stream=declaration/{mrn}")).await;
    assert!(journal.text.contains("erased"));
    let list = site.get(&harbour.tara, "/own").await;
    assert_eq!(list.status, StatusCode::OK);
}
