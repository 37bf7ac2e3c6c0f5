//! Commands of the live platform: serving, the demo, policies, accounts.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};
use customhouse::identity::Role;
use customhouse::plans::PolicyKind;

use super::DataArguments;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tidewaiter serve --data ./data --listen 127.0.0.1:8420
  tidewaiter serve --data ./one --database postgres://tidewaiter@localhost/customs --shared ./site
  tidewaiter serve --data ./two --database postgres://tidewaiter@localhost/customs --shared ./site --listen 127.0.0.1:8421")]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,

    /// Address to listen on. Anything but loopback must stand behind TLS.
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,

    /// Open the first page in a browser.
    #[arg(long)]
    pub(crate) open: bool,

    /// Serve a sandbox: a folder made to be played with, whose clock can be moved. Everything in it is simulated.
    #[arg(long, conflicts_with_all = ["database", "shared"])]
    pub(crate) sandbox: bool,

    /// Let webhooks reach this machine and private networks, over plain HTTP too. Otherwise they reach public ones only.
    #[arg(long)]
    pub(crate) webhooks_to_private: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidewaiter demo --data ./demo --open")]
pub(crate) struct DemoArguments {
    /// The sandbox's folder; new or empty.
    #[arg(long, value_name = "DIR", env = "TIDEWAITER_DATA", hide_env_values = true)]
    pub(crate) data: PathBuf,

    /// Declarations of the country's history, the last 28 days of which go through the full loop.
    #[arg(long, default_value_t = 30_000, value_name = "N", value_parser = value_parser!(u64).range(500..=1_000_000))]
    pub(crate) declarations: u64,

    /// The same seed gives the same country.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Declarations a minute that the country lodges once it lives.
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = value_parser!(u32).range(0..=6_000))]
    pub(crate) pace: u32,

    /// Password of all accounts; without it one is made up and printed.
    #[arg(long, value_name = "PASSWORD")]
    pub(crate) password: Option<String>,

    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,

    /// Open the first page in a browser.
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ActingArguments {
    /// Account that does it.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) account: String,

    #[command(flatten)]
    pub(crate) data: DataArguments,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter policy propose acceptance --as analyst --data ./data
  tidewaiter policy approve 3f2a --as chief --data ./data
  tidewaiter policy list --data ./data")]
pub(crate) enum PolicyCommand {
    /// All policies: what is in force, what waits for approval.
    List {
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON, contents and all.
        #[arg(long)]
        json: bool,
    },
    /// Propose a policy: the one that ships with the program, or one from a file.
    Propose {
        /// acceptance, selection or release.
        #[arg(value_parser = policy_kind)]
        kind: PolicyKind,
        /// The policy as JSON; without it, the standard one.
        file: Option<PathBuf>,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Approve a policy; the second of two people brings it into force.
    Approve {
        /// The policy's hash, or its beginning.
        hash: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Take a policy back.
    Withdraw {
        /// The policy's hash, or its beginning.
        hash: String,
        /// Why.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter erase order party NL0001 --basis 'Data Protection Act, section 17' --reason 'Retention is over' --as chief --data ./data
  tidewaiter erase approve e-3f2a91c0d4e5b6a7 party NL0001 --as admin --data ./data
  tidewaiter erase list --data ./data")]
pub(crate) enum EraseCommand {
    /// All erasures: what waits for approval, what was erased, under which basis.
    List {
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Order an erasure. Nothing is erased before another person approves it.
    Order {
        /// party or declaration.
        #[arg(value_parser = ["party", "declaration"])]
        kind: String,
        /// The party's id as declarations have it, or the MRN.
        subject: String,
        /// Law on which it rests. It stays for ever: name nobody.
        #[arg(long)]
        basis: String,
        /// Why. It stays for ever: name nobody.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Approve an erasure that another person ordered, by naming the subject again. It is carried out at once.
    Approve {
        /// Id of the erasure.
        id: String,
        /// party or declaration.
        #[arg(value_parser = ["party", "declaration"])]
        kind: String,
        /// The party's id as declarations have it, or the MRN.
        subject: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
    /// Take an order back that nobody approved yet.
    Withdraw {
        /// Id of the erasure.
        id: String,
        #[command(flatten)]
        acting: ActingArguments,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter replay decision 26ZZDEXD0000001PY4 --data ./data
  tidewaiter replay sample --decisions 10000 --data ./data")]
pub(crate) enum ReplayCommand {
    /// One decision: as it was recorded, as it is derived again, and as it would be made today. Exit code 1 unless it is
    /// derived exactly as recorded.
    Decision {
        /// Number (MRN) of the declaration.
        mrn: String,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Many decisions drawn at random from all that were made here. Exit code 1 unless all are derived exactly.
    Sample {
        /// At most so many, from 1 to 1,000,000.
        #[arg(long, default_value_t = 1_000, value_name = "N")]
        decisions: usize,
        /// The same seed draws the same decisions.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter verify folder --data ./data
  tidewaiter verify proof receipt.tlog-proof --key tidewaiter/ZZ/n1+1f2e3d4c+AbCd...")]
pub(crate) enum VerifyCommand {
    /// A data folder or a site, while it is served or not: journal, log and checkpoint against each other. Exit code 1 if
    /// something does not hold.
    Folder {
        #[command(flatten)]
        data: DataArguments,
        /// A key of the log that you know from elsewhere; without one, those that the folder itself names.
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// One event of a data folder or a site: against its commitment and its entry in the log. Exit code 1 if something
    /// does not hold.
    Event {
        /// Its position in the journal.
        position: u64,
        #[command(flatten)]
        data: DataArguments,
        /// A key of the log that you know from elsewhere; without one, those that the folder itself names.
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// One proof file, offline and of any log. Exit code 3 if it proves nothing.
    Proof {
        /// The file.
        file: PathBuf,
        /// A key of the log that you know from elsewhere.
        #[arg(long, value_name = "KEY", required_unless_present = "policy")]
        key: Vec<String>,
        /// A policy file (C2SP tlog-policy) that names logs, witnesses and a quorum.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        policy: Option<PathBuf>,
        /// Print as JSON, with what the event says.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter log change-key --data ./data
  tidewaiter log pad 64 --data ./data
  tidewaiter log rebuild --data ./data --checkpoint seen-by-our-witness.txt")]
pub(crate) enum LogCommand {
    /// Make a new key for the transparency log; the old one signs that it gives way, and signs nothing more. The folder
    /// must not be in use, nor any other process of the site be running.
    ChangeKey {
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let the sizes of public checkpoints be multiples of a number, filled up with events that say nothing, so that they
    /// do not tell how much happens. It holds from the next start of every server of the site.
    Pad {
        /// From 2 to 1024; 1 ends the padding.
        events: u64,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Make damaged tiles, checkpoint and memory of the log anew from the journal, if that agrees with every checkpoint
    /// still known. Damaged files are kept aside. The folder must not be in use; exit code 1 if something still does
    /// not hold.
    Rebuild {
        #[command(flatten)]
        data: DataArguments,
        /// A key of the log that you know from elsewhere; without one, those that the folder itself names.
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
        /// A checkpoint of the log that somebody else kept, such as a witness: the log must contain it.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
}

fn policy_kind(text: &str) -> Result<PolicyKind, String> {
    let names: Vec<&str> = PolicyKind::ALL.iter().map(|kind| kind.name()).collect();
    PolicyKind::from_name(text).ok_or_else(|| format!("\"{text}\" is not one of {}", names.join(", ")))
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tidewaiter user add ada --role analyst --data ./data < password.txt
  tidewaiter user list --data ./data")]
pub(crate) enum UserCommand {
    /// All accounts.
    List {
        #[command(flatten)]
        data: DataArguments,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make an account. The password is read from standard input, one line.
    Add {
        /// Sign-in name.
        name: String,
        /// trader, officer, analyst, chief, auditor or admin.
        #[arg(long, value_parser = super::role)]
        role: Role,
        /// Enterprise whose declarations a trader lodges and sees.
        #[arg(long, value_name = "ID")]
        party: Option<String>,
        /// Office at which an official works.
        #[arg(long, value_name = "ID")]
        office: Option<String>,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Say for which enterprise a trader acts and at which office an official works; what is not given is none.
    Assign {
        /// Sign-in name.
        name: String,
        /// Enterprise whose declarations a trader lodges and sees.
        #[arg(long, value_name = "ID")]
        party: Option<String>,
        /// Office at which an official works.
        #[arg(long, value_name = "ID")]
        office: Option<String>,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Issue a token with which a program acts as an account, and print it: it is shown this once.
    Token {
        /// Sign-in name.
        name: String,
        /// Which program will use it.
        #[arg(long, default_value = "command line")]
        label: String,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Set a password, read from standard input, one line. Ends the account's sessions.
    Password {
        /// Sign-in name.
        name: String,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Give an account another role.
    Role {
        /// Sign-in name.
        name: String,
        /// trader, officer, analyst, chief, auditor or admin.
        #[arg(value_parser = super::role)]
        role: Role,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Close an account; what it did stays recorded.
    Close {
        /// Sign-in name.
        name: String,
        #[command(flatten)]
        data: DataArguments,
    },
    /// Open a closed account again.
    Reopen {
        /// Sign-in name.
        name: String,
        #[command(flatten)]
        data: DataArguments,
    },
}
