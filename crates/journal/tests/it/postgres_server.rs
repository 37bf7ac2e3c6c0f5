//! A PostgreSQL server of this test process's own, from the programs that Debian installs.
//!
//! It listens on a socket file in a temporary folder. A shell waits beside it for the end of this process, however
//! that comes about, and then stops the server and removes the folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Without a server the tests fail instead of being skipped.
const REQUIRED: &str = "TIDEWAITER_REQUIRE_POSTGRES";
/// Debian's place of each version's programs.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The role that owns the databases of the tests; it may do nothing else.
const ROLE: &str = "tidewaiter";

pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    databases: AtomicU64,
    _guard: Child,
}

/// The server, started on first use; nothing where PostgreSQL is not installed, and then says which test is skipped.
pub(crate) fn running(test: &str) -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start_in(&env::temp_dir(), &["max_connections=60"]));
    if server.is_none() {
        assert!(env::var_os(REQUIRED).is_none_or(|value| value != "1"), "PostgreSQL is not installed");
        println!("skipped: {test} (PostgreSQL is not installed)");
    }
    server.as_ref()
}

/// Programs of version 15 or later.
fn newest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?;
    let numbers = versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.filter(|version| *version >= 15).max()?;
    let programs = Path::new(VERSIONS).join(newest.to_string()).join("bin");
    programs.join("initdb").is_file().then_some(programs)
}

impl Server {
    /// Starts one with these settings whose files stand in this folder; nothing where PostgreSQL is not installed.
    pub(crate) fn start_in(parent: &Path, settings: &[&str]) -> Option<Self> {
        newest_programs().map(|programs| Self::start(&programs, parent, settings))
    }

    fn start(programs: &Path, parent: &Path, settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("journal-postgres-").tempdir_in(parent).unwrap().keep();
        let user = server_user();
        if let Some((user, _)) = user {
            let chown = Command::new("chown").arg(user).arg(&folder).status().unwrap();
            assert!(chown.success());
        }
        // `read` ends when the other end of the pipe is closed: when this process is no more.
        let script = "
            trap '' INT TERM HUP
            programs=$1 folder=$2 user=$3 group=$4
            shift 4
            as_user() {
                if [ -z \"$user\" ]; then exec \"$@\"; fi
                exec setpriv --reuid \"$user\" --regid \"$group\" --clear-groups \"$@\"
            }
            (as_user \"$programs/initdb\" -D \"$folder/data\" -U postgres -A trust -E UTF8 --locale=C --no-sync) \
                >\"$folder/initdb.log\" 2>&1
            as_user \"$programs/postgres\" -D \"$folder/data\" -k \"$folder\" -c listen_addresses= \"$@\" \
                >\"$folder/server.log\" 2>&1 &
            read -r _
            kill -QUIT $!
            wait $!
            rm -rf \"$folder\"";
        let (user, group) = user.unwrap_or_default();
        let guard = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(programs)
            .arg(&folder)
            .args([user, group])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server =
            Self { programs: programs.to_owned(), folder, databases: AtomicU64::new(0), _guard: guard };
        server.wait_until_ready();
        server.sql("postgres", &format!("CREATE ROLE {ROLE} LOGIN"));
        server
    }

    fn wait_until_ready(&self) {
        let started = Instant::now();
        while self.psql("postgres", "SELECT 1").is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        ["initdb.log", "server.log"]
            .map(|name| fs::read_to_string(self.folder.join(name)).unwrap_or_default())
            .concat()
    }

    /// A new, empty database; its address.
    pub(crate) fn database(&self) -> String {
        self.create("pg_default")
    }

    /// A new, empty database whose files stand in this folder.
    pub(crate) fn database_in(&self, folder: &Path) -> String {
        if let Some((user, _)) = server_user() {
            assert!(Command::new("chown").arg(user).arg(folder).status().unwrap().success());
        }
        self.sql("postgres", &format!("CREATE TABLESPACE elsewhere LOCATION '{}'", folder.display()));
        self.create("elsewhere")
    }

    fn create(&self, tablespace: &str) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("journal_{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {ROLE} TABLESPACE {tablespace}"));
        format!("postgres://{ROLE}@/{name}?host={}", self.folder.display())
    }

    /// Removes a database of [`Server::database_in`], so that its folder is free.
    pub(crate) fn drop_database(&self, url: &str) {
        let name = self.sql(url, "SELECT current_database()");
        self.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        self.sql("postgres", "DROP TABLESPACE elsewhere");
    }

    /// Runs SQL as the superuser, in the database of this address or of this name; what it answers, a row a line.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        self.psql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Like [`Server::sql`], for what may fail.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let name = database.rsplit_once("@/").map_or(database, |(_, rest)| rest);
        let name = name.split('?').next().unwrap_or(name);
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
            .arg(&self.folder)
            .args(["-d", name, "-c", sql])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// The server's files.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// PostgreSQL refuses to run as root; somebody else's name then.
fn server_user() -> Option<(&'static str, &'static str)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if id(&["-u"]).is_none_or(|id| id != "0") {
        return None;
    }
    Some(if id(&["-u", "postgres"]).is_some() { ("postgres", "postgres") } else { ("nobody", "nogroup") })
}
