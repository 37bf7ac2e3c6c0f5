//! Tags that occur together: one below the other, with an arc between those that are on the same, and the same as a
//! table.

use customhouse::tags::{TagGraph, TagPair, TagQuery};
use maud::{Markup, html};

use crate::drawing::{Scale, coordinate, place_of as at_place, short};
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{crumbs, empty, heading, place, simulated, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, percent, texts};

/// Height of a row in units of the drawing, which are pixels of the page.
const ROW: f64 = 30.0;
/// Width of the drawing in its own units; the page stretches it.
const WIDTH: f64 = 300.0;
/// From this lift on two tags are together conspicuously often, and up to the other one conspicuously seldom.
const OFTEN: f64 = 1.5;
const SELDOM: f64 = 0.67;

/// The page.
pub(crate) async fn show(visit: Visit, Asked(query): Asked<TagQuery>) -> Result<Markup, Failure> {
    let asked = query.clone();
    let graph = visit.work(move |house, reader| house.tags_together(reader, &asked)).await?;
    let below = html! { (visit.say(texts::TAG_GRAPH_HELP)) " " (simulated(&visit, graph.simulated)) };
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS)), ("/tag-query", visit.say(texts::TAG_QUERY))]))
        (heading(visit.say(texts::TAG_GRAPH), &below, &html! {}))
        (choice(&visit, &query))
        @if graph.nodes.is_empty() { (empty(visit.say(texts::NOBODY_CARRIES), visit.say(texts::NOBODY_CARRIES_TEXT), &html! {})) }
        @else {
            (drawing(&visit, &query, &graph))
            (pairs(&visit, &query, &graph))
        }
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::TAG_GRAPH)).show(&content))
}

fn choice(visit: &Visit, query: &TagQuery) -> Markup {
    let declarations = query.of_declarations();
    html! {
        form class="filters" method="get" action="/tag-graph" {
            label { (visit.say(texts::TOGETHER_WITH)) input type="search" name="q" value=(query.q) placeholder="gross_below_net" autocomplete="off" autocapitalize="none" spellcheck="false"; }
            label {
                (visit.say(texts::TAG_QUERY_OF))
                select name="of" {
                    option value="entities" selected[!declarations] { (visit.say(texts::ENTITIES)) }
                    option value="declarations" selected[declarations] { (visit.say(texts::DECLARATIONS)) }
                }
            }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

fn of(query: &TagQuery) -> &'static str {
    if query.of_declarations() { "declarations" } else { "" }
}

/// The condition that both of a pair's tags fulfil, as an address.
fn both(query: &TagQuery, graph: &TagGraph, pair: &TagPair) -> Option<(String, [String; 2])> {
    let (one, other) = (graph.nodes.get(pair.one)?, graph.nodes.get(pair.other)?);
    let condition = format!("{} && {}", one.tag, other.tag);
    let to = place("/tag-query", &[("q", &condition), ("of", of(query))]);
    Some((to, [one.tag.clone(), other.tag.clone()]))
}

/// Arcs at the left, tags at the right. What an arc says stands in the table too.
fn drawing(visit: &Visit, query: &TagQuery, graph: &TagGraph) -> Markup {
    let height = ROW * at_place(graph.nodes.len());
    let most = graph.edges.iter().map(|edge| edge.count).max().unwrap_or(1);
    let thickness = Scale { max: coordinate(most), from: 1.0, to: 8.0 };
    let reach = Scale { max: at_place(graph.nodes.len()), from: WIDTH - 24.0, to: 8.0 };
    let at = |row: usize| ROW * (at_place(row) + 0.5);
    let path = |edge: &TagPair| {
        let (from, to) = (short(at(edge.one)), short(at(edge.other)));
        let x = short(reach.at(at_place(edge.other.saturating_sub(edge.one))));
        format!("M{WIDTH},{from} C{x},{from} {x},{to} {WIDTH},{to}")
    };
    let class = |edge: &TagPair| match edge.lift {
        lift if lift >= OFTEN => "arc often",
        lift if lift <= SELDOM => "arc seldom",
        _ => "arc",
    };
    html! {
        figure class="together" {
            svg class="arcs" viewBox={ "0 0 300 " (short(height)) } height=(short(height)) preserveAspectRatio="none" role="group" aria-label=(visit.say(texts::TAG_GRAPH)) {
                // The thinnest last, so that none hides another.
                @for edge in &graph.edges {
                    @if let Some((to, [one, other])) = both(query, graph, edge) {
                        a href=(to) tabindex="-1" {
                            path class=(class(edge)) d=(path(edge)) stroke-width=(short(thickness.at(coordinate(edge.count)))) {
                                title { (one) " + " (other) ": " (count(edge.count)) " · " (format!("{:.1}", edge.lift)) }
                            }
                        }
                    }
                }
            }
            ol class="nodes" {
                @for node in &graph.nodes {
                    li class=(node.severity) {
                        a class="node-name" href=(place("/tag-graph", &[("q", &node.tag), ("of", of(query))])) title=(node.tag) { (visit.localized(&node.title)) }
                        a class="node-count" href=(place("/tag-query", &[("q", &node.tag), ("of", of(query))])) { (count(node.count)) }
                        span class="soft node-share" { (percent(node.count, graph.all)) }
                    }
                }
            }
            figcaption class="legend soft" {
                span class="said" { span class="swatch often" {} (visit.say(texts::TOGETHER_OFTEN)) }
                span class="said" { span class="swatch plain" {} (visit.say(texts::TOGETHER_AS_EXPECTED)) }
                span class="said" { span class="swatch seldom" {} (visit.say(texts::TOGETHER_SELDOM)) }
            }
        }
    }
}

fn pairs(visit: &Visit, query: &TagQuery, graph: &TagGraph) -> Markup {
    let head = html! {
        (th(visit, texts::TAG, false)) (th(visit, texts::TOGETHER_WITH, false)) (th(visit, texts::HOW_MANY, true)) (th(visit, texts::LIFT, true))
    };
    let title =
        |place: usize| graph.nodes.get(place).map(|node| visit.localized(&node.title)).unwrap_or_default();
    let body = html! {
        @for edge in &graph.edges {
            @if let Some((to, _)) = both(query, graph, edge) {
                tr {
                    td { (title(edge.one)) } td { (title(edge.other)) }
                    td class="number" { a href=(to) { (count(edge.count)) } }
                    td class="number" { (format!("{:.1}", edge.lift)) }
                }
            }
        }
    };
    html! {
        details open[graph.edges.len() <= 12] {
            summary { (visit.say(texts::AS_TABLE)) }
            p class="help" { (visit.say(texts::LIFT_HELP)) }
            (table(visit.say(texts::TAG_GRAPH), &head, &body))
        }
    }
}
