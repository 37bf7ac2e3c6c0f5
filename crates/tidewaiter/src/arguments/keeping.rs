//! Arguments of what keeps a data folder safe.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use customhouse::Location;

use super::DataArguments;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tidewaiter backup --data ./data --to /mnt/other-disk/tidewaiter
  tidewaiter backup --data ./data --to /mnt/other-disk/tidewaiter --check      (once a month)

Run it as the user that runs the server. Ctrl-C or a loss of power leaves what was carried: run it again.")]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,

    /// Folder of the backup: a new one, an empty one, or a backup of this house.
    #[arg(long, value_name = "BACKUP")]
    pub(crate) to: PathBuf,

    /// Read everything that the backup holds already and compare it.
    #[arg(long)]
    pub(crate) check: bool,

    /// Print what was carried as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tidewaiter restore --from /mnt/other-disk/tidewaiter --to ./data
  tidewaiter restore --from ./backup --database postgres://localhost/customs --shared ./site
  tidewaiter restore --from ./backup --to ./data --checkpoint seen-by-our-witness.txt
  tidewaiter restore --from ./old-backup --to ./data --erasures /mnt/other-disk/erasures.json

Exit code 1 if something does not hold: the folder is then not opened by any command.")]
pub(crate) struct RestoreArguments {
    /// The backup; it is only read.
    #[arg(long, value_name = "BACKUP")]
    pub(crate) from: PathBuf,

    /// Folder to restore into: a new or an empty one. The journal stands in a file in it.
    #[arg(long, value_name = "DIR", required_unless_present = "database", conflicts_with_all = ["database", "shared"])]
    pub(crate) to: Option<PathBuf>,

    /// The PostgreSQL database to restore the journal into, instead: postgres://USER@HOST/NAME, an empty one.
    #[arg(
        long,
        value_name = "URL",
        env = "TIDEWAITER_DATABASE",
        hide_env_values = true,
        requires = "shared"
    )]
    pub(crate) database: Option<String>,

    /// Folder for all that does not stand in the database, which its processes are to share: a new or an empty one.
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDEWAITER_SHARED",
        hide_env_values = true,
        requires = "database"
    )]
    pub(crate) shared: Option<PathBuf>,

    /// A checkpoint of the log that somebody else kept, such as a witness: the restored log must contain it.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// A newer erasures.json, with erasure.key beside it: what was erased after the backup is erased again.
    #[arg(long, value_name = "FILE")]
    pub(crate) erasures: Option<PathBuf>,

    /// The last run of the backup has not ended and cannot be completed: restore what the one before it left.
    #[arg(long)]
    pub(crate) last_complete: bool,

    /// A key of the log that you know from elsewhere; without one, those that the backup itself names.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,

    /// Print what was proven as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl RestoreArguments {
    /// Where the house is to stand.
    pub(crate) fn location(&self) -> Location {
        let folder = self.to.clone().or_else(|| self.shared.clone()).unwrap_or_default();
        Location { data: folder, database: self.database.clone(), shared: self.shared.clone() }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  tidewaiter export --data ./data --to ./everything")]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,

    /// Folder to write into: a new or an empty one.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,

    /// Print the manifest as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter journal copy --from ./data --to postgres://tidewaiter@localhost/customs
  tidewaiter journal copy --from postgres://tidewaiter@localhost/customs --to ./journal.sqlite")]
pub(crate) enum JournalCommand {
    /// Copy a journal from a file into a database, or back, and prove by the log's root that both hold the same. What an
    /// interrupted copy left is gone on with. Nobody else may record into the destination meanwhile.
    Copy {
        /// A data folder that is not in use, the file of a journal, or postgres://USER@HOST/NAME.
        #[arg(long, value_name = "PLACE")]
        from: String,
        /// The file of a journal, or postgres://USER@HOST/NAME; made where there is none.
        #[arg(long, value_name = "PLACE")]
        to: String,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
}
