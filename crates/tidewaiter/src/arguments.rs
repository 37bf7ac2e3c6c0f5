//! What the command line understands. Help, man pages, completions and `docs/command-line.md` all derive from here.

mod clients;
mod entities;
mod keeping;
mod live;
mod tags;

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use customhouse::Location;
use customhouse::audit::Capacity;
use customhouse::identity::Role;
use spine::quantity::CurrencyCode;

pub(crate) use clients::ClientCommand;
pub(crate) use entities::EntitiesCommand;
pub(crate) use keeping::{BackupArguments, ExportArguments, JournalCommand, RestoreArguments};
pub(crate) use live::{
    ActingArguments, DemoArguments, EraseCommand, LogCommand, PolicyCommand, ReplayCommand, ServeArguments,
    UserCommand, VerifyCommand,
};
pub(crate) use tags::{
    AggregateArguments, BackfillArguments, ExplainArguments, LintArguments, MatchArguments, QueryArguments,
    TagsCommand, WhoArguments,
};

const EXIT_CODES: &str = "Exit codes:
  0    done
  1    done, and something was found that is an error (a check failed, a batch was refused)
  2    the command line itself was not understood
  3    an input cannot be read, or was refused
  4    the data folder cannot be used: in use by another process, or of a newer version
  5    the disk, the network or the program failed
  130  cancelled with Ctrl-C; nothing half-written is left";

const EXAMPLES: &str = "Examples:
  tidewaiter audit --declarations declarations.csv --outcomes outcomes.csv --out report.html
  tidewaiter map declarations.csv --out map.toml
  tidewaiter serve --data ./data";

/// The open Smart Customs platform in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "tidewaiter",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Say more about what happens, on standard error.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,

    /// Results only: no progress display, no summary.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Audit how inspections were chosen: hit rates, curves, leakage, other plans at the same capacity.
    Audit(AuditArguments),
    /// Propose what the columns of a file mean, as a mapping to edit.
    Map(MapArguments),
    /// Make the records of a synthetic country, with known truth.
    Country(CountryArguments),
    /// Bring records into a data folder: history into the pool, declarations to the desk.
    Import(ImportArguments),
    /// Look into the pool: batches, quarantine, where a row came from.
    #[command(subcommand)]
    Pool(PoolCommand),
    /// Packs: the tags, rules and lists in use.
    #[command(subcommand)]
    Pack(PackCommand),
    /// Tags: the catalogue, one tag, why it is on a row, and very many conditions asked of very many entries.
    #[command(subcommand)]
    Tags(TagsCommand),
    /// Who is who: registers and lists, pairs that may be one, merging and taking apart.
    #[command(subcommand)]
    Entities(EntitiesCommand),
    /// Rules: check an expression or a document.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Check messages before they are sent: declarations, entry summary declarations. Nothing is lodged.
    Check(CheckArguments),
    /// Run a conformance suite on cases of others: real messages with verdicts.
    Conformance(ConformanceArguments),
    /// Serve the pages and the API.
    Serve(ServeArguments),
    /// Accounts of a data folder.
    #[command(subcommand)]
    User(UserCommand),
    /// Clients: software of enterprises, which acts within scopes.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Policies of acceptance, selection and release, which two people approve.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Erase what is recorded of a party or a declaration, which two people order and approve.
    #[command(subcommand)]
    Erase(EraseCommand),
    /// Derive past decisions again from what was recorded, and compare.
    #[command(subcommand)]
    Replay(ReplayCommand),
    /// Check that nothing recorded was altered: a whole data folder, or one proof file.
    #[command(subcommand)]
    Verify(VerifyCommand),
    /// Back a house up, while it is served or not; run again, it carries over what is new.
    Backup(BackupArguments),
    /// Restore a backup into a new folder or an empty database, and prove what came back.
    Restore(RestoreArguments),
    /// Write everything that a house holds in open formats: Parquet, JSON, tiles; no keys and no passwords.
    Export(ExportArguments),
    /// The journal: copy it from a file into a database, or back.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// The transparency log: change its key.
    #[command(subcommand)]
    Log(LogCommand),
    /// A simulated country that lives in a sandbox, to look at everything.
    Demo(DemoArguments),
    /// Print shell completions.
    #[command(
        after_help = "Example:\n  tidewaiter completions bash > ~/.local/share/bash-completion/completions/tidewaiter"
    )]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder, or print the first one.
    #[command(after_help = "Example:\n  tidewaiter man ~/.local/share/man/man1")]
    Man {
        /// Folder for one page a command.
        folder: Option<PathBuf>,
    },
    /// Print this reference as Markdown.
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  Outcomes in a file of their own, joined by declaration number:
    tidewaiter audit --declarations declarations.csv --outcomes outcomes.csv --out report.html
  The outcome is a column, and the columns have names of their own:
    tidewaiter map records.csv --out map.toml      (read it, edit it)
    tidewaiter audit --declarations records.csv --outcomes Fraud --map map.toml --out report.html
  Several files, figures for a machine, plans at 5 % of declarations:
    tidewaiter audit --declarations 2024.csv 2025.csv --out r.html --json r.json --capacity 5%")]
pub(crate) struct AuditArguments {
    /// CSV or Parquet files of declared items; several are read as one history.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub(crate) declarations: Vec<PathBuf>,

    /// A file of inspection outcomes, or the name of the column that says whether something was found.
    #[arg(long, value_name = "FILE|COLUMN")]
    pub(crate) outcomes: Option<String>,

    /// A mapping; without it one is proposed from headers and values, and the report says which.
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,

    /// A mapping of the outcomes file, where it is a file with headers of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) outcomes_map: Option<PathBuf>,

    /// Where to write the report: one HTML file that needs no network.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Where to write all figures as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Inspections the other plans may spend: a share of declarations (5%) or a number. Default: as many as were done.
    #[arg(long, value_name = "N|P%", value_parser = capacity)]
    pub(crate) capacity: Option<Capacity>,

    /// Currency of the amounts, where the records do not say (ISO 4217).
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub(crate) currency: Option<String>,

    /// Say in the report that these records are simulated.
    #[arg(long)]
    pub(crate) simulated: bool,

    /// Seed of everything random in the audit; the same seed gives the same report.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Language in which the report opens.
    #[arg(long, value_enum, default_value_t = ReportLanguage::En)]
    pub(crate) language: ReportLanguage,

    /// A data folder whose installed packs count too; nothing is written into it.
    #[arg(long, value_name = "DIR", env = "TIDEWAITER_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
}

/// `5%`, `0.05` is refused: a share needs its sign, a number of inspections is whole.
fn capacity(text: &str) -> Result<Capacity, String> {
    let refused =
        || format!("\"{text}\" is neither a share such as 5% nor a number of inspections such as 2000");
    match text.trim().strip_suffix('%') {
        Some(percent) => percent
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|percent| *percent > 0.0 && *percent <= 100.0)
            .map(|percent| Capacity::Share(percent / 100.0))
            .ok_or_else(refused),
        None => text.trim().parse().ok().filter(|count| *count > 0).map(Capacity::Count).ok_or_else(refused),
    }
}

fn currency(text: &str) -> Result<String, String> {
    CurrencyCode::new(text).map(|code| code.code().to_owned()).map_err(|error| error.to_string())
}

fn role(text: &str) -> Result<Role, String> {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    Role::from_name(text).ok_or_else(|| format!("\"{text}\" is not one of {}", names.join(", ")))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportLanguage {
    /// English.
    En,
    /// Chinese.
    Zh,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tidewaiter conformance cds-xsd --cases ../shared/data/messages
  tidewaiter conformance ncts --cases ../shared/data/messages --data ./data      (on /conformance)")]
pub(crate) struct ConformanceArguments {
    /// Which suite.
    #[arg(value_parser = PossibleValuesParser::new(customhouse::conformance::suites()))]
    pub(crate) suite: String,

    /// The folder of the cases, or the one that holds it as `messages`.
    #[arg(long, value_name = "DIR", env = "TIDEWAITER_CASES", hide_env_values = true)]
    pub(crate) cases: PathBuf,

    // The environment's data folder is not taken: a run that only looks must not write because a variable is set.
    /// The data folder that records how it came out, for the page /conformance; without it nothing is recorded.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// The PostgreSQL database that holds that folder's journal, if one does: postgres://USER@HOST/NAME.
    #[arg(long, value_name = "URL", env = "TIDEWAITER_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,

    /// The folder that all processes on this database share.
    #[arg(long, value_name = "DIR", env = "TIDEWAITER_SHARED", hide_env_values = true)]
    pub(crate) shared: Option<PathBuf>,

    /// Print every case with what was expected and what came out, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidewaiter map declarations.csv --out map.toml")]
pub(crate) struct MapArguments {
    /// CSV or Parquet file.
    pub(crate) file: PathBuf,

    /// Where to write the mapping; without it, to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// The column that says whether something was found, where the proposal should not guess.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) outcome: Option<String>,

    /// Print the proposal with its reasons as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidewaiter country --out world --seed 7 --declarations 30000")]
pub(crate) struct CountryArguments {
    /// Folder to write into: declarations.csv, outcomes.csv, parties.csv, declarations.parquet, dms/, truth/.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// How many declarations; each has 1.7 goods items on average.
    #[arg(long, default_value_t = 30_000)]
    pub(crate) declarations: u64,

    /// How many of the last declarations are also written one by one, as WCO DMS XML.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) dms: u64,

    /// Which world.
    #[arg(long, value_enum, default_value_t = CountryPreset::Ordinary)]
    pub(crate) preset: CountryPreset,

    /// A day, such as 2025-12-20, on which a ring of shell importers begins to undervalue one kind of goods.
    #[arg(long, value_name = "DAY")]
    pub(crate) ring_begins: Option<jiff::civil::Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CountryPreset {
    /// Planted fraud of seven kinds.
    Ordinary,
    /// Irregularities strike at random: nothing is there to be found by any rule.
    Null,
}

#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// The data folder; made where it does not exist.
    #[arg(long, value_name = "DIR", env = "TIDEWAITER_DATA", hide_env_values = true)]
    pub(crate) data: PathBuf,

    #[command(flatten)]
    pub(crate) site: SiteArguments,
}

/// Where the journal is, if it does not stand in the data folder.
#[derive(Debug, Clone, Args)]
pub(crate) struct SiteArguments {
    /// The PostgreSQL database that holds the journal, instead of a file in the data folder: postgres://USER@HOST/NAME.
    /// A password is better given in the environment.
    #[arg(long, value_name = "URL", env = "TIDEWAITER_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,

    /// The folder that all processes on this database share; without it, this process is alone with it.
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDEWAITER_SHARED",
        hide_env_values = true,
        requires = "database"
    )]
    pub(crate) shared: Option<PathBuf>,
}

impl DataArguments {
    /// Where the house stands.
    pub(crate) fn location(&self) -> Location {
        self.site.location(&self.data)
    }
}

impl SiteArguments {
    /// Where the house with this data folder stands.
    pub(crate) fn location(&self, data: &Path) -> Location {
        Location { data: data.to_owned(), database: self.database.clone(), shared: self.shared.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct OptionalDataArguments {
    /// The data folder whose installed packs count too; without it, the built-in packs only.
    #[arg(long, value_name = "DIR", env = "TIDEWAITER_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,

    /// Print as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tidewaiter import --data ./data declarations.csv --outcomes outcomes.csv
  tidewaiter import --data ./data declaration.xml ./more-declarations
  tidewaiter pool quarantine 3f2a --data ./data --out mend.csv     (mend the cells, then)
  tidewaiter import --data ./data mend.csv --mends 3f2a")]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,

    /// CSV and Parquet files, each of which becomes a batch of history; declarations as JSON or WCO DMS XML, which are
    /// lodged one by one; folders, in which declarations are looked for.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// A file of inspection outcomes to join by declaration number, or the name of a column.
    #[arg(long, value_name = "FILE|COLUMN")]
    pub(crate) outcomes: Option<String>,

    /// A mapping; without it one is proposed from headers and values.
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,

    /// A mapping of the outcomes file, where it is a file with headers of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) outcomes_map: Option<PathBuf>,

    /// The source contract under which the records come in; without it, that of declarations.
    #[arg(long, value_name = "NAME")]
    pub(crate) contract: Option<String>,

    /// The batch whose quarantine this file mends.
    #[arg(long, value_name = "BATCH")]
    pub(crate) mends: Option<String>,

    /// Print what was admitted as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter pool list --data ./data
  tidewaiter pool quarantine 3f2a --data ./data --out mend.csv
  tidewaiter pool lineage 3f2a 17 --data ./data
  tidewaiter pool contracts declarations --data ./data > contract.toml      (edit it, then)
  tidewaiter pool declare contract.toml --data ./data")]
pub(crate) enum PoolCommand {
    /// All batches.
    List {
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// One batch: counts, findings, files.
    Show {
        /// The batch's id, or its beginning.
        batch: String,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a batch's quarantined rows as CSV, with their reasons, to be mended and sent again.
    Quarantine {
        /// The batch's id, or its beginning.
        batch: String,
        #[command(flatten)]
        data: DataArguments,
        /// Where to write; without it, to standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Where a row came from: source file and line, batch, Parquet file.
    Lineage {
        /// The batch's id, or its beginning.
        batch: String,
        /// Row of the batch, from 0.
        row: u64,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The source contracts in force, or one of them as TOML to be edited and declared again.
    Contracts {
        /// Name of the contract to print.
        name: Option<String>,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring a source contract into force; one of the same name takes the place of the one before.
    Declare {
        /// The contract as TOML; docs/pool.md shows every key.
        file: PathBuf,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter pack list
  tidewaiter pack check ./our-tags
  tidewaiter pack install ./our-tags --data ./data
  tidewaiter pack diff customs-tags ./our-tags")]
pub(crate) enum PackCommand {
    /// All packs and which version is in use.
    List {
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// One pack.
    Show {
        /// The pack's id.
        pack: String,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// Everything that is wrong with a pack's folder: file, line, remedy.
    Check {
        /// Folder.
        folder: PathBuf,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// Install a pack, or files as others publish them (HS, UN/LOCODE, code lists, schemas).
    Install {
        /// Folder.
        folder: PathBuf,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// What changed between two packs: folders, or ids of packs.
    Diff {
        /// Folder or id.
        before: String,
        /// Folder or id.
        after: String,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tidewaiter check declaration.xml
  tidewaiter check outbox/*.xml --json

Exit code 1: at least one of them would be rejected.")]
pub(crate) struct CheckArguments {
    /// Messages: a customs declaration as JSON or as XML of the WCO DMS profile, or another message for which a pack has
    /// rules, such as an entry summary declaration (IE315, IE313).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) data: OptionalDataArguments,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter rule check 'net_mass > gross_mass'
  tidewaiter rule run ens-entry-summary message.xml")]
pub(crate) enum RuleCommand {
    /// Check an expression over declared items: syntax, fields, types, cost.
    Check {
        /// The expression.
        expression: String,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
    /// Run a rule pack over an XML document and say what it finds.
    Run {
        /// The pack's id.
        pack: String,
        /// XML document.
        file: PathBuf,
        #[command(flatten)]
        data: OptionalDataArguments,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_capacity_is_a_share_with_its_sign_or_a_whole_number() {
        assert_eq!(capacity("5%"), Ok(Capacity::Share(0.05)));
        assert_eq!(capacity("12.5 %"), Ok(Capacity::Share(0.125)));
        assert_eq!(capacity("2000"), Ok(Capacity::Count(2_000)));
        for refused in ["0", "0%", "101%", "0.05", "-3", "many", "%", "nan%"] {
            assert!(capacity(refused).unwrap_err().contains(refused), "{refused}");
        }
        assert_eq!(currency("eur"), Ok("EUR".to_owned()));
        assert!(currency("EURO").is_err() && role("boss").unwrap_err().contains("analyst"));
    }
}
