//! Arguments of `tidewaiter client`.

use clap::Subcommand;
use customhouse::identity::Scopes;

use super::DataArguments;

fn scopes(text: &str) -> Result<Scopes, String> {
    Scopes::parse(text).map_err(|error| format!("{}. {}", error.detail, error.how_to_fix))
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter client add \"warehouse system\" --party NL0001 --scope \"declarations.lodge declarations.read\" --data ./data
  tidewaiter client rotate c-0011223344556677 --data ./data")]
pub(crate) enum ClientCommand {
    /// All clients, with their secrets' ids and last use.
    List {
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a client and print its id and secret: the secret is shown this once.
    Add {
        /// Which software it is.
        name: String,
        /// Enterprise for which it acts.
        #[arg(long, value_name = "ID")]
        party: String,
        /// What it is let do: names with blanks between, of declarations.lodge, declarations.read, notifications.read,
        /// webhooks.manage.
        #[arg(long, value_name = "SCOPES", value_parser = scopes)]
        scope: Scopes,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Make another secret beside the one in use and print it: it is shown this once.
    Rotate {
        /// Id of the client.
        id: String,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Make a secret worthless, and every token that was given for it.
    Revoke {
        /// Id of the client.
        id: String,
        /// Id of the secret, as the list has it.
        secret: String,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Close a client for good; its secrets and tokens are worthless at once.
    Close {
        /// Id of the client.
        id: String,
        #[command(flatten)]
        data: DataArguments,
    },
}
