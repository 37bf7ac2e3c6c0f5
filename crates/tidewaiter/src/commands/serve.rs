//! `tidewaiter serve`: the pages and the API.

use std::sync::Arc;

use customhouse::{Customhouse, Error};
use web::{Patience, Ready, ServeOptions};

use super::Answer;
use crate::arguments::ServeArguments;
use crate::terminal;

pub(super) fn run(arguments: &ServeArguments) -> Result<Answer, Error> {
    let house = Arc::new(if arguments.sandbox {
        Customhouse::open_sandbox(&arguments.data.data, None)?
    } else {
        Customhouse::open_at(&arguments.data.location())?
    });
    if arguments.webhooks_to_private {
        house.let_webhooks_reach_private();
    }
    house.keep_time()?;
    let options = ServeOptions { listen: arguments.listen, patience: Patience::default() };
    web::serve(
        house,
        &options,
        |ready| announce(ready, arguments.open, arguments.sandbox),
        terminal::cancelled,
    )?;
    Ok(Answer::Done)
}

pub(super) fn announce(ready: &Ready, open_browser: bool, sandbox: bool) {
    if sandbox {
        terminal::note("SANDBOX: everything in here is simulated, and its clock can be moved.");
    }
    terminal::note(&format!("Serving on http://{}. Ctrl-C stops.", ready.address));
    if ready.setup_token.is_some() {
        terminal::note(&format!("No account yet. Make the first administrator at {}", ready.url));
    }
    if !ready.address.ip().is_loopback() {
        terminal::note("This address is not loopback: put TLS before it, or nobody can sign in.");
    }
    if !web::user_interface_built() {
        terminal::note(
            "Built without its styles and scripts: run `cargo xtask demo` once, then build again.",
        );
    }
    if open_browser && let Err(error) = open::that_detached(&ready.url) {
        terminal::note(&format!("No browser could be opened ({error}). Open {} yourself.", ready.url));
    }
}
