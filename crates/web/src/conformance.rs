//! How this house comes out on messages of others, with the verdicts that those recorded: the last board of each suite.

use customhouse::conformance::{Case, MeasuredBoard, SuiteBoards};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, empty, heading, table, th};
use crate::visit::Visit;
use crate::words::{count, minute, percent, texts};

/// What makes a board.
const COMMAND: &str = "tidewaiter conformance SUITE --cases DIR --data DATA";
/// Lines that are shown without being asked for.
const LINES_OPEN_MAX: usize = 12;

/// The page.
pub(crate) async fn show(visit: Visit) -> Result<Markup, Failure> {
    let boards = visit.work(|house, _| house.measured_boards()).await?;
    let command = html! { p { code { (COMMAND) } } };
    let content = html! {
        (heading(visit.say(texts::CONFORMANCE), &html! { (visit.say(texts::CONFORMANCE_INTRODUCTION)) }, &html! {}))
        @if boards.is_empty() { (empty(visit.say(texts::NO_BOARDS), visit.say(texts::NO_BOARDS_TEXT), &command)) }
        @else {
            div class="boards" { @for board in &boards { (suite(&visit, board)) } }
            p class="help" { (visit.say(texts::BOARD_HELP)) " " code { (COMMAND) } }
        }
    };
    Ok(Page::new(&visit, Room::Elsewhere, visit.say(texts::CONFORMANCE)).show(&content))
}

/// One suite: a bar and its figures in a row, what else it says and where the sides disagree below.
fn suite(visit: &Visit, boards: &SuiteBoards) -> Markup {
    let MeasuredBoard { at, board, .. } = &boards.latest;
    let sums = |agreed: u64, total: u64| format!("{} / {}", count(agreed), count(total));
    let mark = match board.disagreed() {
        0 => chip("good", &format!("✓ {}", visit.say(texts::BOARD_ALL_AGREE))),
        n => chip("warn", &format!("≠ {}", visit.fill(texts::BOARD_DISAGREE, &[("n", &count(n))]))),
    };
    html! {
        section class="card board" id=(board.suite) {
            div class="board-row" {
                h2 { code { (board.suite) } }
                div class="board-bar" {
                    progress max=(board.total) value=(board.agreed) aria-label=(visit.fill(texts::BOARD_OF, &[("suite", &board.suite)])) {}
                    strong { (sums(board.agreed, board.total)) } " " span class="soft" { (percent(board.agreed, board.total)) }
                }
                div { (mark) }
                div class="soft" {
                    time datetime=(at) { (minute(*at)) " UTC" } " · " (board.program_version)
                    @if board.skipped > 0 { " · " (visit.fill(texts::BOARD_SKIPPED, &[("n", &count(board.skipped))])) }
                    @if let Some(before) = &boards.before {
                        div { (visit.fill(texts::BOARD_BEFORE, &[("sums", &sums(before.agreed, before.total)), ("time", &minute(before.at)), ("version", &before.program_version)])) }
                    }
                }
            }
            @if !board.lines.is_empty() {
                details open[board.lines.len() <= LINES_OPEN_MAX] {
                    summary { (visit.say(texts::BOARD_LINES)) " (" (board.lines.len()) ")" }
                    ul class="board-lines" { @for line in &board.lines { li { code { (line) } } } }
                }
            }
            @if board.disagreed() > 0 {
                details {
                    summary { (visit.fill(texts::BOARD_DISAGREE, &[("n", &count(board.disagreed()))])) }
                    (disagreements(visit, board.disagreed(), &board.disagreements))
                }
            }
        }
    }
}

fn disagreements(visit: &Visit, all: u64, kept: &[Case]) -> Markup {
    let head = html! {
        (th(visit, texts::BOARD_CASE, false)) (th(visit, texts::BOARD_EXPECTED, false)) (th(visit, texts::BOARD_GOT, false)) (th(visit, texts::BOARD_BECAUSE, false))
    };
    let body = html! {
        @for case in kept {
            tr {
                td { code { (case.case) } }
                td { (case.expected) }
                td { (case.got) }
                td { @match &case.because { Some(because) => (because), None => (absent()) } }
            }
        }
    };
    let more = all.saturating_sub(u64::try_from(kept.len()).unwrap_or(u64::MAX));
    html! {
        (table(visit.say(texts::BOARD_CASE), &head, &body))
        @if more > 0 { p class="soft" { (visit.fill(texts::AND_MORE, &[("n", &count(more))])) } }
    }
}
