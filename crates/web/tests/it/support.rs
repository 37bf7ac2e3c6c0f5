//! A site with records and one person of every role, asked without a network.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use customhouse::Customhouse;
use customhouse::audit::AuditSpec;
use customhouse::identity::{NewAccount, Reader, Role};
use customhouse::pool::AdmitRequest;
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "correct horse battery";
/// Values in fields that are restricted: no page may show them to an officer.
pub(crate) const SECRET_OFFICER: &str = "OFFICER-SECRET-77";
pub(crate) const SECRET_RULE: &str = "RULE-SECRET-9";

/// Someone who is signed in, or nobody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) struct Site {
    pub(crate) house: Arc<Customhouse>,
    pub(crate) batch: String,
    pub(crate) callers: BTreeMap<Role, Caller>,
    router: Router,
    _folder: tempfile::TempDir,
}

/// Declarations of two years with outcomes; one row cannot be used.
pub(crate) fn records() -> String {
    let mut text = String::from(
        "declaration_id,date,office_id,importer_id,commodity_code,origin_country,gross_mass,net_mass,customs_value,\
         inspected,irregular,officer_id,selection_reason\n",
    );
    for row in 0..240_u32 {
        let (year, month, day) = (2024 + row / 120, row / 10 % 12 + 1, row % 28 + 1);
        let inspected = row % 3 != 0;
        let irregular = if inspected { (row % 7 == 0).to_string() } else { String::new() };
        let (officer, rule) = if inspected { (SECRET_OFFICER, SECRET_RULE) } else { ("", "") };
        writeln!(
            text,
            "D{row:05},{year}-{month:02}-{day:02},10,IMP-{},{}0112,CN,{},{},{},{inspected},{irregular},{officer},{rule}",
            row % 9,
            8400 + row % 20,
            100 + row % 50,
            120 - row % 30,
            1_000 + row * 7,
        )
        .unwrap();
    }
    text.push_str(&format!(
        "D99999,2024-13-77,10,IMP-1,84010112,CN,1,1,1,true,true,{SECRET_OFFICER},{SECRET_RULE}\n"
    ));
    text
}

impl Site {
    /// A site without any account.
    pub(crate) fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Arc::new(Customhouse::open(&folder.path().join("data")).unwrap());
        let router = web::router(Arc::clone(&house));
        Self { house, batch: String::new(), callers: BTreeMap::new(), router, _folder: folder }
    }

    /// A site with records, an audit of them, and one person of each of these roles, signed in.
    pub(crate) fn with(roles: &[Role]) -> Self {
        let mut site = Self::fresh();
        let operator = Reader::local_operator();
        let file = site._folder.path().join("records.csv");
        std::fs::write(&file, records()).unwrap();
        let admission = site.house.admit(&operator, &AdmitRequest::new(&file), &spine::Silent).unwrap();
        site.batch = admission.batch.summary.id;
        assert_eq!((admission.batch.summary.rows, admission.batch.summary.rows_quarantined), (240, 1));
        for role in roles {
            site.house.open_account(&operator, &NewAccount::new(role.name(), *role, PASSWORD)).unwrap();
            let cookie =
                site.house.accounts().sign_in(role.name(), PASSWORD, "test", site.house.wall_now()).unwrap();
            let csrf = site.house.accounts().session(&cookie, site.house.wall_now()).unwrap().unwrap().csrf;
            let cookie = format!("__Host-tidewaiter={cookie}");
            site.callers.insert(*role, Caller { cookie, csrf });
        }
        site
    }

    /// Runs an audit of all records and answers with its id.
    pub(crate) fn audit(&self) -> String {
        let job = self.house.start_audit(&Reader::local_operator(), AuditSpec::default()).unwrap();
        match job.wait(Duration::from_secs(120)).state {
            customhouse::jobs::JobState::Done { result } => result,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn caller(&self, role: Role) -> Caller {
        self.callers[&role].clone()
    }

    /// Asks and leaves the answer's body to be read as it comes.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Answer {
        let request = Request::builder().uri(path).header(header::COOKIE, &caller.cookie);
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form; `token` is what it carries.
    pub(crate) async fn post(
        &self,
        caller: &Caller,
        path: &str,
        token: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut body = format!("csrf={token}");
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", value.replace(' ', "+").replace('%', "%25")));
        }
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::COOKIE, &caller.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-csrf-token", token);
        self.ask(request.body(Body::from(body)).unwrap()).await
    }
}
