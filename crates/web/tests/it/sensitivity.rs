//! What is above one's clearance is in no byte of any answer.

use axum::http::StatusCode;
use customhouse::identity::Role;

use crate::support::{SECRET_OFFICER, SECRET_RULE, Site};

/// Every place that shows records, findings or tags.
const PLACES: [&str; 15] = [
    "/",
    "/pool",
    "/pool/batches/{batch}",
    "/pool/batches/{batch}/rows",
    "/pool/batches/{batch}/rows/1",
    "/pool/batches/{batch}/quarantine",
    "/tags",
    "/tags/gross_below_net",
    "/tags/gross_below_net/why/{batch}/1",
    "/search?q=SECRET",
    "/search/suggestions?q=SECRET",
    "/api/v1/batches/{batch}",
    "/api/v1/batches/{batch}/rows",
    "/api/v1/batches/{batch}/quarantine",
    "/api/v1/tags/gross_below_net/rows",
];

#[tokio::test]
async fn a_restricted_field_is_in_no_byte_that_an_officer_gets() {
    let site = Site::with(&[Role::Officer, Role::Admin, Role::Analyst]);
    for role in [Role::Officer, Role::Admin] {
        for place in PLACES {
            let answer = site.get(&site.caller(role), &place.replace("{batch}", &site.batch)).await;
            assert_eq!(answer.status, StatusCode::OK, "{place}");
            for secret in [SECRET_OFFICER, SECRET_RULE] {
                assert!(!answer.text.contains(secret), "{place} shows {secret} to {role:?}");
            }
        }
    }
    // Whoever may see them does, so that the test above looks where they are.
    let analyst = site.caller(Role::Analyst);
    for place in
        ["/pool/batches/{batch}/rows", "/pool/batches/{batch}/quarantine", "/api/v1/batches/{batch}/rows"]
    {
        let answer = site.get(&analyst, &place.replace("{batch}", &site.batch)).await;
        assert!(answer.text.contains(SECRET_OFFICER) && answer.text.contains(SECRET_RULE), "{place}");
    }
}

#[tokio::test]
async fn an_export_that_would_lose_secret_cells_is_refused() {
    let site = Site::with(&[Role::Officer, Role::Admin, Role::Analyst]);
    let place = format!("/pool/batches/{}/quarantine.csv", site.batch);
    for (role, status) in [(Role::Officer, 403), (Role::Admin, 403), (Role::Analyst, 200)] {
        let answer = site.get(&site.caller(role), &place).await;
        assert_eq!(answer.status.as_u16(), status, "{role:?}");
        assert_eq!(answer.text.contains(SECRET_OFFICER), status == 200, "{role:?}");
    }
}
