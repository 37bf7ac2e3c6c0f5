//! Arguments of `tidewaiter entities`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{ActingArguments, DataArguments};

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter entities register parties.csv --data ./data
  tidewaiter entities register sanctions.csv --list embargo --column aliases=Details --data ./data
  tidewaiter entities matches --shares succession --one-closed --data ./data
  tidewaiter entities merge ZZ0000001 ZZ0000002 --reason 'Same rooms, same people' --as analyst --data ./data
  tidewaiter entities split d-3f2a --reason 'Two families after all' --as chief --data ./data")]
pub(crate) enum EntitiesCommand {
    /// Receive a file (CSV) of the register of traders, or of a list that names are screened against.
    Register {
        /// Table with a header line and at least the columns id and name.
        file: PathBuf,
        /// It is a list of names, and this is what the list is called; the list's earlier file gives way to it.
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
        /// What one of our columns is called in the file; may be given several times.
        #[arg(long = "column", value_name = "OURS=THEIRS")]
        columns: Vec<String>,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Pairs that may be one, with what speaks for it; or what was decided.
    Matches {
        /// Id of one of them, or part of a name.
        #[arg(default_value = "")]
        search: String,
        /// What they must share: identifier, owner, phone, address, name or succession.
        #[arg(long, value_name = "KIND", default_value = "")]
        shares: String,
        /// Only pairs of which one is closed, or both are.
        #[arg(long)]
        one_closed: bool,
        /// Show decisions instead: `merge_proposed`, `merged`, `split_proposed`, `split`, `apart` or `withdrawn`.
        #[arg(long, value_name = "STATE", default_value = "")]
        state: String,
        /// Which page of 50.
        #[arg(long, value_name = "N", default_value_t = 1)]
        page: usize,
        /// Print as JSON, evidence and all.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Say that two are one; where either is large, another person has to approve it.
    Merge {
        /// One.
        entity: String,
        /// The other.
        into: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Say that two are not the same.
    Apart {
        /// One.
        entity: String,
        /// The other.
        other: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Take two apart that were merged.
    Split {
        /// The decision.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Approve what another person proposed.
    Approve {
        /// The decision.
        id: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Take back a proposal, or that two are not the same.
    Withdraw {
        /// The decision.
        id: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Compute all candidates and hits on lists anew from the files that were received.
    Resolve {
        #[command(flatten)]
        data: DataArguments,
    },
}
