//! Who carries which tags: pages and API over declarations lodged here, each link of which leads somewhere.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use customhouse::identity::Role;
use serde_json::json;

use crate::lodging::{Harbour, declaration};

/// Two traders: NL0001 without tare and with, NL0002 with.
async fn told() -> Harbour {
    let harbour = Harbour::new(&[Role::Officer, Role::Analyst]);
    for (token, reference, party, odd) in [
        (&harbour.tara_token, "ODD", "NL0001", true),
        (&harbour.tara_token, "EVEN", "NL0001", false),
        (&harbour.tom_token, "THEIRS", "NL0002", false),
    ] {
        assert_eq!(
            harbour.lodge(token, &declaration(reference, party, odd)).await.status,
            StatusCode::CREATED
        );
    }
    let house = &harbour.site.house;
    let head = house.journal_position();
    assert!(house.wait_until_tags_counted(head, Duration::from_secs(60)) >= head);
    harbour
}

#[tokio::test]
async fn a_condition_is_counted_listed_compared_and_exported() {
    let harbour = told().await;
    let site = &harbour.site;
    let analyst = site.caller(Role::Analyst);
    let count = site.get(&analyst, "/api/v1/tag-query/count?q=no_tare_at_all&of=declarations").await.json();
    assert_eq!((count["count"].as_u64(), count["all"].as_u64()), (Some(1), Some(3)));
    let page = site.get(&analyst, "/tag-query?q=no_tare_at_all&from=2020-01-01").await;
    assert!(
        page.text.contains("/entities/NL0001") && !page.text.contains("/entities/NL0002"),
        "{}",
        page.text
    );
    assert!(page.text.contains("/tag-query.csv?q=no_tare_at_all"), "{}", page.text);
    let file = site.get(&analyst, "/tag-query.csv?q=no_tare_at_all&of=entities").await;
    assert!(file.header("content-type").starts_with("text/csv"));
    let ids: Vec<&str> = file.text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(ids, ["NL0001", "CN0001"]);
    // What is wrong is told with a mark, on the page and in the fragment; programs get a problem.
    for path in ["/tag-query?q=no_tare_at_al", "/tag-query/count?q=no_tare_at_al"] {
        let wrong = site.get(&analyst, path).await;
        assert_eq!(wrong.status, StatusCode::OK, "{path}");
        assert!(wrong.text.contains("class=\"marked\"") && wrong.text.contains('^'), "{}", wrong.text);
    }
    let fragment = site.get(&analyst, "/tag-query/count?q=!no_tare").await.text;
    assert!(fragment.contains("q=%21no_tare_at_all"), "the word is completed: {fragment}");
    let refused = site.get(&analyst, "/api/v1/tag-query?q=no_tare_at_al").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("selection_refused"));
}

#[tokio::test]
async fn an_entity_says_since_when_it_has_a_tag_and_the_reason_names_the_declaration() {
    let harbour = told().await;
    let site = &harbour.site;
    let officer = site.caller(Role::Officer);
    let portrait = site.get(&officer, "/entities/NL0001").await.text;
    let reason = "/entities/NL0001/tags/no_tare_at_all";
    assert!(portrait.contains(&format!("href=\"{reason}\"")), "{portrait}");
    let page = site.get(&officer, reason).await;
    let told = site.get(&officer, &format!("/api/v1{reason}")).await.json();
    let mrn = told["first"]["mrn"].as_str().unwrap();
    assert!(page.text.contains(&format!("/declarations/{mrn}")));
    assert!(told["first"]["values"].as_array().is_some_and(|values| !values.is_empty()), "{told}");
    for (caller, path, status) in [
        (&officer, "/entities/NL0002/tags/no_tare_at_all", StatusCode::NOT_FOUND),
        (&officer, "/api/v1/entities/NL0001/tags/no_such_tag", StatusCode::NOT_FOUND),
        (&harbour.tara, reason, StatusCode::FORBIDDEN),
        (&harbour.tara, "/tag-query/count?q=no_tare_at_all", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(site.get(caller, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_catalogue_and_the_graph_lead_to_those_who_carry_a_tag() {
    let harbour = told().await;
    let site = &harbour.site;
    let analyst = site.caller(Role::Analyst);
    let catalogue = site.get(&analyst, "/tags?sort=-volume&q=no_tare_at_all").await.text;
    assert!(catalogue.contains("/tag-query?q=no_tare_at_all"), "{catalogue}");
    let graph = site.get(&analyst, "/tag-graph?q=no_tare_at_all&of=declarations").await.text;
    assert!(graph.contains("class=\"arcs\"") && graph.contains("of=declarations"), "{graph}");
    let figures = site.get(&analyst, "/api/v1/tag-figures?q=no_tare_at_all").await.json();
    let own = &figures["rows"][0];
    assert_eq!((own["volume"].as_u64(), own["entities"].as_u64()), (Some(1), Some(2)), "{figures}");
    assert_eq!(site.get(&analyst, "/tag-graph?q=no_such_tag").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_combination_is_watched_from_the_query_listed_and_stopped() {
    let harbour = told().await;
    let site = &harbour.site;
    let (analyst, officer) = (site.caller(Role::Analyst), site.caller(Role::Officer));
    // Who may not watch is offered nothing; a condition that names no tag is not offered either.
    let query = "/tag-query?q=no_tare_at_all+||+container_number_wrong";
    for (caller, path, offered) in
        [(&analyst, query, true), (&officer, query, false), (&analyst, "/tag-query", false)]
    {
        let page = site.get(caller, path).await.text;
        assert_eq!(page.contains("action=\"/warnings/watched\""), offered, "{path}: {page}");
    }
    let fields = [
        ("condition", "no_tare_at_all || container_number_wrong"),
        ("title", "Odd boxes"),
        ("reason", "Open them"),
    ];
    let begun = site.post(&analyst, "/warnings/watched", &analyst.csrf, &fields).await;
    assert_eq!((begun.status, begun.header("location")), (StatusCode::SEE_OTHER, "/warnings#watched"));
    let list = site.get(&analyst, "/api/v1/watched").await.json();
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let stop = format!("action=\"/warnings/watched/{id}/stop\"");
    for (caller, may) in [(&analyst, true), (&officer, false)] {
        let page = site.get(caller, "/warnings").await.text;
        assert!(page.contains("Odd boxes") && page.contains("Open them"), "{page}");
        assert_eq!(page.contains(&stop), may, "{page}");
    }
    let stopped =
        site.post(&analyst, &format!("/warnings/watched/{id}/stop"), &analyst.csrf, &[("reason", "x")]).await;
    assert_eq!(stopped.status, StatusCode::SEE_OTHER);
    assert!(!site.get(&analyst, "/warnings").await.text.contains("Odd boxes"));
    // Programs do the same.
    let send = |path: String, body: serde_json::Value| {
        let request = Request::post(path)
            .header(header::COOKIE, &analyst.cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-csrf-token", &analyst.csrf);
        site.ask(request.body(Body::from(body.to_string())).unwrap())
    };
    let new =
        json!({ "condition": "no_tare_at_all && !container_number_wrong", "title": "T", "reason": "R" });
    let own = send("/api/v1/watched".to_owned(), new.clone()).await;
    assert_eq!((own.status, own.json()["tags"].as_array().unwrap().len()), (StatusCode::CREATED, 2));
    assert_eq!(send("/api/v1/watched".to_owned(), new).await.status, StatusCode::CONFLICT);
    let path = format!("/api/v1/watched/{}/stop", own.json()["id"].as_str().unwrap());
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        assert_eq!(send(path.clone(), json!({ "reason": "Enough." })).await.status, status);
    }
}
