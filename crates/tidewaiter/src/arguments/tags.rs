//! Arguments of `tidewaiter tags`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::{ActingArguments, DataArguments, OptionalDataArguments, SiteArguments};

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter tags list
  tidewaiter tags show gross_below_net
  tidewaiter tags why gross_below_net --declarations declarations.csv --declaration 2024100000017
  tidewaiter tags usual --declarations declarations.csv --out usual-trade
  tidewaiter tags match --rules rules.jsonl --entries entries.parquet --counts counts.csv
  tidewaiter tags aggregate --entries entries.parquet --by importer_id --as-of 2026-07-01 \\
      --aggregates aggregates.toml --out aggregates.parquet
  tidewaiter tags backfill --rules rules.jsonl --entries entries.parquet --by importer_id --history tagged
  tidewaiter tags query --history tagged 'new_trader && !cheap'
  tidewaiter tags explain --history tagged new_trader NL0001
  tidewaiter tags who --data ./data 'gross_below_net && !new_importer' --of declarations
  tidewaiter tags explain gross_below_net NL0001 --data ./data
  tidewaiter tags depends customs_value
  tidewaiter tags watch 'gross_below_net && !new_importer' --title 'Old hands' \\
      --reason 'Weigh again' --as analyst --data ./data
  tidewaiter tags watched --data ./data
  tidewaiter tags unwatch watch-3f2a9c1d04be --reason 'Mended' --as chief --data ./data")]
pub(crate) enum TagsCommand {
    /// The catalogue.
    List {
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// One tag: definition, legal basis, cases.
    Show {
        /// The tag's id.
        tag: String,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// Why a tag is, or is not, on a row of a file.
    Why {
        /// The tag's id.
        tag: String,
        /// CSV or Parquet file.
        #[arg(long, value_name = "FILE")]
        declarations: PathBuf,
        /// Declaration number.
        #[arg(long, value_name = "ID")]
        declaration: String,
        /// A mapping; without it one is proposed.
        #[arg(long, value_name = "FILE")]
        map: Option<PathBuf>,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// Make a pack of what is usual for each commodity, origin and route in your own records, with a tag for whatever is
    /// not. Look its tables over, then install and approve it like any other pack.
    Usual {
        /// CSV or Parquet file; without it, the pool of the data folder.
        #[arg(long, value_name = "FILE", required_unless_present = "data")]
        declarations: Option<PathBuf>,
        /// A mapping of the file; without it one is proposed.
        #[arg(long, value_name = "FILE", requires = "declarations")]
        map: Option<PathBuf>,
        /// The folder of the pack; it must be new or empty.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The data folder whose pool is looked at.
        #[arg(long, value_name = "DIR", env = "TIDEWAITER_DATA", hide_env_values = true)]
        data: Option<PathBuf>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask very many conditions of the entries of a Parquet file: how many entries fulfil each.
    Match(MatchArguments),
    /// Aggregates over windows of days of the entries of Parquet files: one row an entity, for `match` to ask.
    Aggregate(AggregateArguments),
    /// Name conditions that should be looked at again: dead, always true, doubled, costly, or true of no entry.
    Lint(LintArguments),
    /// Put very many conditions on the entries of Parquet files, and keep who carries what, since when and why. It does
    /// what is missing: new conditions on all entries, all conditions on new entries. Stopped with Ctrl-C, or killed, it
    /// goes on where it was when it is started again. Without --history: the tags in use, on the pool of a data folder.
    Backfill(BackfillArguments),
    /// Who carries some tags and not others, of what `backfill` made: how many, their other tags, their names.
    Query(QueryArguments),
    /// Who carries some tags and not others, of what was lodged in a data folder: the live matrix.
    Who(WhoArguments),
    /// Why a tag is on an entity of a data folder: the declarations that brought it, and what made it true on each. Or
    /// on one of what `backfill` made: how many entries brought it, and what made it true on the first and the last.
    Explain(ExplainArguments),
    /// The tags that rest on a column, a named list or a source contract; without a name, what tags rest on.
    Depends {
        /// Name of the column, list or contract.
        name: Option<String>,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// Watch a combination of tags: warn where it becomes more frequent than its own past says.
    Watch {
        /// Tags joined by &&, || and !, each by its id.
        condition: String,
        /// What people call it.
        #[arg(long)]
        title: String,
        /// Why, and what to look for.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// The combinations that are watched, and how often each held in the last 60 days.
    Watched {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Watch a combination no more.
    Unwatch {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WhoArguments {
    /// Tags joined by &&, || and !, each by its id; empty: everybody.
    pub(crate) condition: String,
    /// What to count.
    #[arg(long, default_value = "entities", value_parser = ["entities", "declarations"])]
    pub(crate) of: String,
    /// Compare with the end of this day (UTC).
    #[arg(long, value_name = "DAY", default_value = "")]
    pub(crate) from: String,
    /// Compare up to the end of this day instead of now.
    #[arg(long, value_name = "DAY", default_value = "")]
    pub(crate) to: String,
    /// Write all of them with their tags into this CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Print as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// Tags joined by &&, || and !, each by its id.
    pub(crate) condition: String,
    /// The folder that `backfill` made.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: PathBuf,
    /// How many of their most frequent tags to show.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) tags: u16,
    /// How many of them to name.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(crate) list: u32,
    /// Print as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// One condition a line, in the rule language over the file's columns: {"id": "...", "when": "..."}.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,
    /// A Parquet file with entries to try them on.
    #[arg(long, value_name = "FILE")]
    pub(crate) entries: PathBuf,
    #[command(flatten)]
    pub(crate) data: OptionalDataArguments,
}

#[derive(Debug, Args)]
pub(crate) struct AggregateArguments {
    /// Parquet files with the same columns; their order does not matter.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) entries: Vec<PathBuf>,
    /// The column that names the entity of each entry.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) by: String,
    /// The column with the day of each entry; without it, the only one of dates or times.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) date: Option<String>,
    /// Windows end before this day.
    #[arg(long, value_name = "DAY")]
    pub(crate) as_of: Date,
    /// The aggregates: a table [aggregate] in a file .toml, or one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) aggregates: PathBuf,
    /// Where to write the answers, as Parquet: the entity, and a column for each aggregate.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Threads that evaluate conditions.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    #[command(flatten)]
    pub(crate) data: OptionalDataArguments,
}

#[derive(Debug, Args)]
pub(crate) struct MatchArguments {
    /// One condition a line, in the rule language over the file's columns: {"id": "...", "when": "..."}.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,
    /// A Parquet file; its columns keep their names.
    #[arg(long, value_name = "FILE")]
    pub(crate) entries: PathBuf,
    /// Where to write the counts, as CSV: id, count.
    #[arg(long, value_name = "FILE")]
    pub(crate) counts: PathBuf,
    /// Threads that match.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Also put together every pair of condition and entry, as for writing them; they are counted and dropped.
    #[arg(long)]
    pub(crate) pairs: bool,
    #[command(flatten)]
    pub(crate) data: OptionalDataArguments,
}

#[derive(Debug, Args)]
pub(crate) struct BackfillArguments {
    /// The folder to keep it in; made where it is missing.
    #[arg(long, value_name = "DIR", required_unless_present = "data")]
    pub(crate) history: Option<PathBuf>,
    /// One condition a line, in the rule language over the files' columns: {"id": "...", "when": "..."}. They take the
    /// place of those before; without it, these go on.
    #[arg(long, value_name = "FILE", requires = "history")]
    pub(crate) rules: Option<PathBuf>,
    /// Parquet files of entries, with the same columns; files that the folder knows already need not be named.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "history")]
    pub(crate) entries: Vec<PathBuf>,
    /// The column that names the entities; a new folder needs it.
    #[arg(long, value_name = "COLUMN", requires = "history")]
    pub(crate) by: Option<String>,
    /// Threads that match and write.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) threads: u16,
    #[command(flatten)]
    pub(crate) data: OptionalDataArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The tag's id.
    pub(crate) tag: String,
    /// The entity's id.
    pub(crate) entity: String,
    /// A folder that `backfill` made.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: Option<PathBuf>,
    /// The data folder; with --history, the one whose packs hold the lists that conditions name.
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDEWAITER_DATA",
        hide_env_values = true,
        required_unless_present = "history"
    )]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) site: SiteArguments,
    /// Print as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
