//! `tidewaiter demo`: a simulated country in a sandbox, served.

use std::sync::Arc;
use std::time::Instant;

use customhouse::Error;
use customhouse::identity::Role;
use web::{Patience, Ready, ServeOptions};

use super::{Answer, Context, serve, shown};
use crate::arguments::DemoArguments;
use crate::terminal;
use crate::world::{self, Life, Visitors, Wish};

pub(super) fn run(arguments: &DemoArguments, context: &Context) -> Result<Answer, Error> {
    let began = Instant::now();
    let password = match &arguments.password {
        Some(password) => password.clone(),
        None => customhouse::sandbox::made_up_password()?,
    };
    let wish =
        Wish { declarations: arguments.declarations, seed: arguments.seed, pace: arguments.pace, password };
    let present = world::begin(&arguments.data, &wish, &context.progress)?;
    context.progress.finish();
    let (house, visitors) = (Arc::clone(&present.house), present.visitors.clone());
    house.keep_time()?;
    let life = Life::begin(present)?;
    let options = ServeOptions { listen: arguments.listen, patience: Patience::default() };
    let ready = |ready: &Ready| {
        welcome(ready, &visitors, began);
        serve::announce(ready, arguments.open, true);
    };
    web::serve(house, &options, ready, terminal::cancelled)?;
    drop(life);
    Ok(Answer::Done)
}

fn welcome(ready: &Ready, visitors: &Visitors, began: Instant) {
    let seconds = shown::count(began.elapsed().as_secs());
    terminal::note(&format!("A simulated country lives at http://{} (made in {seconds} s).", ready.address));
    terminal::note("Everything in it is SIMULATED.\n");
    terminal::note("Sign in as:");
    for role in Role::ALL {
        let about = match role {
            Role::Trader => format!("acts for the party {}", visitors.party),
            Role::Officer => format!("works at the office {}", visitors.office),
            Role::Analyst => "works on rules, tags, plans and audits".to_owned(),
            Role::Chief => "heads the offices: hands over, answers contests, approves".to_owned(),
            Role::Auditor => "reads everything, changes nothing".to_owned(),
            Role::Admin => "manages accounts and packs".to_owned(),
        };
        terminal::note(&format!("  {:<8} {about}", role.name()));
    }
    terminal::note(&format!("Password of all of them: {}\n", visitors.password));
    terminal::note("Four things to try:");
    terminal::note(
        "  1. As officer, take the first control of the work queue, see why it was chosen, record a result.",
    );
    terminal::note(
        "  2. As chief, open the early warning on the overview: since when, how much more, what was found, what to look at.",
    );
    terminal::note("  3. As trader, lodge a declaration by form, and follow it to its release.");
    terminal::note(
        "  4. As analyst, open the plan: hit rate against the random arm, and what more capacity would bring.\n",
    );
}
