//! One request as pages see it: who asks, in which language and theme, and the token that its forms must carry.
//!
//! **Cookies.** The session's cookie is `__Host-tidewaiter`: `Secure`, `HttpOnly`, `SameSite=Lax`, the whole host, no
//! domain. Browsers keep `Secure` cookies of `http://127.0.0.1` and `http://localhost` too (Chromium since 89, Firefox
//! since 75 count loopback as trustworthy); Safari does not, and any other address needs TLS in front, which is what
//! we want. `Lax` lets a link in a message open the page it names; what changes anything is a POST with a token.
//!
//! **Forms.** Every POST carries the session's token, in a field `csrf` or a header `x-csrf-token`. Before anybody is
//! signed in, the token is that of a cookie of its own, which no other host can set because of its `__Host-` prefix.
//! Beside that, a POST that a browser marks as coming from another site is refused.
//!
//! **Programs.** Under `/api` a header `Authorization: Bearer` names a token of an account or of a client. It stands for itself: no
//! browser sends it unasked, so that no form token is wanted beside it, and a cookie that came along is not looked at.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::identity::{Permission, Reader, Session};
use customhouse::{Customhouse, Error, Kind};
use serde::de::DeserializeOwned;
use spine::{Language, LocalizedText};
use subtle::ConstantTimeEq;

use crate::failure::{Failure, problem};
use crate::shell;
use crate::words::{self, Text};

/// Cookie of the session.
const SESSION_COOKIE: &str = "__Host-tidewaiter";
/// Cookie of the token that forms carry before anybody is signed in.
const FORM_COOKIE: &str = "__Host-tidewaiter-form";
/// Header of what a page asks without a person: it keeps no session alive.
const UNATTENDED_HEADER: &str = "x-unattended";
/// Where a token says who asks.
const API: &str = "/api/";
/// Where programs ask: no cookie is set, and what goes wrong is told as a document.
const PLACES_FOR_PROGRAMS: [&str; 3] = [API, "/oauth2/", "/.well-known/"];
/// Cookie of the chosen language.
pub(crate) const LANGUAGE_COOKIE: &str = "tidewaiter-language";
/// Cookie of the chosen theme.
pub(crate) const THEME_COOKIE: &str = "tidewaiter-theme";

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All themes in the order in which the switch shows them.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Stable name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads a stable name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

#[derive(Debug)]
struct Inner {
    house: Arc<Customhouse>,
    language: Language,
    theme: Theme,
    place: String,
    path: String,
    address: String,
    for_programs: bool,
    token: Option<String>,
    session: Option<Session>,
    program: Option<Program>,
    form_token: String,
    form_token_is_new: bool,
}

/// A program that acts by a token.
#[derive(Debug)]
struct Program {
    secret: String,
    /// Whose token it is; `None`: it is worthless.
    reader: Option<Reader>,
}

impl Program {
    fn of(house: &Customhouse, headers: &HeaderMap) -> Option<Self> {
        let given = headers.get(header::AUTHORIZATION)?;
        let (scheme, secret) =
            given.to_str().ok().and_then(|given| given.split_once(' ')).unwrap_or_default();
        let secret = if scheme.eq_ignore_ascii_case("bearer") { secret.trim() } else { "" };
        let reader = house.accounts().token_reader(secret, house.wall_now());
        Some(Self { secret: secret.to_owned(), reader })
    }
}

/// One request. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Visit(Arc<Inner>);

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(own, value)| (own == name).then_some(value))
}

fn language_of(headers: &HeaderMap) -> Language {
    if let Some(language) = cookie(headers, LANGUAGE_COOKIE).and_then(Language::from_code) {
        return language;
    }
    let accepted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted
        .split(',')
        .filter_map(|part| Language::from_code(part.split(';').next().unwrap_or_default().trim()))
        .next()
        .unwrap_or_default()
}

fn random_token() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal("no_random_bytes", &error))?;
    Ok(hex::encode(bytes))
}

impl Visit {
    fn of(house: &Arc<Customhouse>, request: &Request) -> Result<Self, Error> {
        let headers = request.headers();
        let path = request.uri().path();
        let for_programs = PLACES_FOR_PROGRAMS.iter().any(|place| path.starts_with(place));
        let program = if path.starts_with(API) { Program::of(house, headers) } else { None };
        let token = cookie(headers, SESSION_COOKIE).filter(|_| program.is_none()).map(str::to_owned);
        let session = match &token {
            Some(token) if headers.contains_key(UNATTENDED_HEADER) => {
                house.accounts().session_unattended(token, house.wall_now())?
            }
            Some(token) => house.accounts().session(token, house.wall_now())?,
            None => None,
        };
        let known = cookie(headers, FORM_COOKIE).filter(|token| token.len() == 64).map(str::to_owned);
        let form_token_is_new = known.is_none();
        let form_token = match known {
            Some(token) => token,
            None => random_token()?,
        };
        let uri = request.uri();
        Ok(Self(Arc::new(Inner {
            house: Arc::clone(house),
            language: language_of(headers),
            theme: cookie(headers, THEME_COOKIE).and_then(Theme::from_name).unwrap_or(Theme::System),
            place: uri.path_and_query().map_or("/", |place| place.as_str()).to_owned(),
            path: uri.path().to_owned(),
            address: request
                .extensions()
                .get::<ConnectInfo<SocketAddr>>()
                .map_or_else(|| "unknown".to_owned(), |info| info.0.ip().to_string()),
            for_programs,
            token,
            session,
            program,
            form_token,
            form_token_is_new,
        })))
    }

    /// The application.
    pub(crate) fn house(&self) -> &Arc<Customhouse> {
        &self.0.house
    }

    /// Language of the reader.
    pub(crate) fn language(&self) -> Language {
        self.0.language
    }

    /// Theme of the reader.
    pub(crate) fn theme(&self) -> Theme {
        self.0.theme
    }

    /// Path with its query: what a link would name.
    pub(crate) fn place(&self) -> &str {
        &self.0.place
    }

    /// Path without its query.
    pub(crate) fn path(&self) -> &str {
        &self.0.path
    }

    /// Network address of the caller.
    pub(crate) fn address(&self) -> &str {
        &self.0.address
    }

    /// The session, if somebody is signed in.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.0.session.as_ref()
    }

    /// Secret token of the session's cookie, as it was sent.
    pub(crate) fn session_token(&self) -> Option<&str> {
        self.0.token.as_deref()
    }

    /// Token that forms of this reader carry.
    pub(crate) fn csrf(&self) -> &str {
        self.0.session.as_ref().map_or(self.0.form_token.as_str(), |session| session.csrf.as_str())
    }

    /// Who looks.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        match &self.0.program {
            Some(program) => program.reader.clone().ok_or(Failure::TokenWorthless),
            None => self.session().map(Session::reader).ok_or(Failure::SignIn),
        }
    }

    /// May who looks do that?
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.reader().is_ok_and(|reader| reader.may(permission))
    }

    /// Refuses what who looks may not do.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Failure> {
        Ok(self.reader()?.require(permission)?)
    }

    /// A text in the reader's language.
    pub(crate) fn say(&self, text: Text) -> &'static str {
        text.in_language(self.0.language)
    }

    /// A text with its names in braces filled.
    pub(crate) fn fill(&self, text: Text, values: &[(&str, &str)]) -> String {
        words::filled(self.say(text), values)
    }

    /// What people call something that data names.
    pub(crate) fn named<'a>(&self, family: &str, name: &'a str) -> &'a str {
        words::named(family, name, self.0.language)
    }

    /// A text that came with the data.
    pub(crate) fn localized<'a>(&self, text: &'a LocalizedText) -> &'a str {
        text.in_language(self.0.language)
    }

    /// Does the session, or the token, by which this was asked still hold?
    pub(crate) fn still_holds(&self) -> bool {
        let (accounts, now) = (self.house().accounts(), self.house().wall_now());
        match (&self.0.program, &self.0.token) {
            (Some(program), _) => accounts.token_reader(&program.secret, now).is_some(),
            (None, Some(token)) => {
                accounts.session_unattended(token, now).is_ok_and(|session| session.is_some())
            }
            (None, None) => false,
        }
    }

    /// Asks the application on a thread that may wait for the disk.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Arc<Customhouse>, &Reader) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let reader = self.reader()?;
        let house = Arc::clone(self.house());
        let task = move || {
            // What the same reader wrote through another process is there.
            house.catch_up();
            task(&house, &reader)
        };
        Ok(blocking(task).await?)
    }

    fn accepts(&self, token: &str) -> bool {
        bool::from(self.csrf().as_bytes().ct_eq(token.as_bytes()))
    }

    /// Refuses a form without the right token.
    pub(crate) fn check_token(&self, token: Option<&str>) -> Result<(), Failure> {
        if self.0.program.is_some() {
            return self.reader().map(|_| ());
        }
        if token.is_some_and(|token| self.accepts(token)) { Ok(()) } else { Err(Failure::stale_form()) }
    }
}

/// Runs what may wait for the disk.
pub(crate) async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(task).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal("task_stopped", &error)),
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The query of a link; one that cannot be read is a failure with its remedy.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Self(asked))
            .map_err(|error| Failure::unreadable(format!("the address is not understood: {error}")))
    }
}

/// The fields of a form that carried the right token.
#[derive(Debug, Default)]
pub(crate) struct Posted(pub(crate) Vec<(String, String)>);

impl Posted {
    /// A field's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A field's value, or empty.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// A field's value where something was written.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// All values of a field that may be given several times.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect()
    }
}

fn header_token(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-csrf-token").and_then(|value| value.to_str().ok())
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Failure;
    async fn from_request(mut request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let visit = request
            .extract_parts_with_state::<Visit, S>(state)
            .await
            .map_err(|_| Error::internal("no_visit", &"the request was not attended"))?;
        let header = header_token(request.headers()).map(str::to_owned);
        let axum::Form(fields) = axum::Form::<Vec<(String, String)>>::from_request(request, state)
            .await
            .map_err(|error| Failure::unreadable(format!("the form is not understood: {error}")))?;
        let posted = Self(fields);
        visit.check_token(header.as_deref().or_else(|| posted.get("csrf")))?;
        Ok(posted)
    }
}

/// A JSON body whose request carried the right token in its header.
pub(crate) struct PostedJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for PostedJson<T> {
    type Rejection = Failure;
    async fn from_request(mut request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let visit = request
            .extract_parts_with_state::<Visit, S>(state)
            .await
            .map_err(|_| Error::internal("no_visit", &"the request was not attended"))?;
        visit.check_token(header_token(request.headers()))?;
        let bytes = Bytes::from_request(request, state).await.map_err(|error| body_refused(&error))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Failure::unreadable(format!("the body is not the JSON that is expected: {error}"))
        })
    }
}

/// A body as it came, with its media type, of a request that carried the right token in its header.
pub(crate) struct PostedBytes {
    /// The body.
    pub(crate) bytes: Bytes,
    /// What the header `content-type` says; empty where there is none.
    pub(crate) media_type: String,
}

impl<S: Send + Sync> FromRequest<S> for PostedBytes {
    type Rejection = Failure;
    async fn from_request(mut request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let visit = request
            .extract_parts_with_state::<Visit, S>(state)
            .await
            .map_err(|_| Error::internal("no_visit", &"the request was not attended"))?;
        visit.reader()?;
        visit.check_token(header_token(request.headers()))?;
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let bytes = Bytes::from_request(request, state).await.map_err(|error| body_refused(&error))?;
        Ok(Self { bytes, media_type })
    }
}

/// Why a body was not taken: too long, or broken off.
fn body_refused(rejection: &BytesRejection) -> Failure {
    let status = rejection.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return protocol(status);
    }
    Failure::unreadable(format!("the body cannot be read: {}", rejection.body_text()))
}

/// Value of a cookie header.
pub(crate) fn set_cookie(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The session's cookie; an empty token removes it.
pub(crate) fn session_cookie(token: &str) -> HeaderValue {
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    set_cookie(&format!("{SESSION_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"))
}

/// A cookie that remembers a choice for a year. Scripts need not read it.
pub(crate) fn preference_cookie(name: &str, value: &str) -> HeaderValue {
    set_cookie(&format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"))
}

/// Attends every request: finds out who asks, refuses what another site sends, turns failures into pages or problems.
pub(crate) async fn attend(
    State(house): State<Arc<Customhouse>>,
    mut request: Request,
    next: Next,
) -> Response {
    let visit = match Visit::of(&house, &request) {
        Ok(visit) => visit,
        Err(error) => return problem(&error.into()),
    };
    request.extensions_mut().insert(visit.clone());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let site =
        request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok()).unwrap_or("none");
    let mut response = if changes && !matches!(site, "same-origin" | "none") {
        Failure::stale_form().into_response()
    } else {
        next.run(request).await
    };
    if let Some(failure) = failure_of(&mut response) {
        response = tell(&visit, &failure);
    }
    if visit.0.session.is_none() && visit.0.form_token_is_new && !visit.0.for_programs {
        let token = &visit.0.form_token;
        let value = format!("{FORM_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict");
        response.headers_mut().append(header::SET_COOKIE, set_cookie(&value));
    }
    response
}

/// What went wrong, also where it was not one of our handlers that noticed.
fn failure_of(response: &mut Response) -> Option<Failure> {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        return Some(failure);
    }
    let status = response.status();
    // What speaks for itself already stays as it is.
    let speaks = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| !value.as_bytes().starts_with(b"text/plain"));
    ((status.is_client_error() || status.is_server_error()) && !speaks).then(|| protocol(status))
}

/// What the protocol says no to, in words.
pub(crate) fn protocol(status: StatusCode) -> Failure {
    let (kind, code, detail, how_to_fix) = match status {
        StatusCode::NOT_FOUND => (
            Kind::NotFound,
            "page_unknown",
            "there is no such page",
            "Check the address, or start from the overview.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            Kind::NotFound,
            "method_unknown",
            "this address takes no request of this method",
            "See /api/v1/openapi.json for what it takes.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            Kind::Invalid,
            "request_too_large",
            "the request is larger than this page takes",
            "Send less at once.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            Kind::Invalid,
            "media_type_unknown",
            "content of this type is not taken here",
            "Send a declaration as application/json or application/xml, anything else as /api/v1/openapi.json says.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            Kind::Busy,
            "took_too_long",
            "this took too long and was stopped",
            "Ask for less at once, or try again.",
        ),
        status if status.is_server_error() => {
            (Kind::Internal, "page_failed", "the program could not make this page", "Try again.")
        }
        _ => (
            Kind::Invalid,
            "request_unreadable",
            "the request is not understood",
            "Check the address, or start from the overview.",
        ),
    };
    Failure::Protocol(status, Arc::new(Error::new(kind, code, detail, how_to_fix)))
}

fn tell(visit: &Visit, failure: &Failure) -> Response {
    if let Failure::Refused(error) = failure
        && error.kind == Kind::Internal
    {
        tracing::error!(code = error.code, detail = error.detail, place = visit.path(), "a request failed");
    }
    if visit.0.for_programs {
        return problem(failure);
    }
    match failure {
        Failure::SignIn | Failure::TokenWorthless => {
            let next = percent_encoded(visit.place());
            Redirect::to(&format!("/sign-in?next={next}")).into_response()
        }
        Failure::Refused(error) | Failure::Protocol(_, error) => {
            (failure.status(), shell::error_page(visit, error)).into_response()
        }
    }
}

/// A text as the value of a query.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A place of our own to go on to; anything else is the overview.
pub(crate) fn own_place(next: Option<&str>) -> &str {
    next.filter(|place| {
        place.starts_with('/') && !place.starts_with("//") && !place.contains(['\\', '\n', '\r'])
    })
    .unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_our_own_are_gone_on_to() {
        for (next, place) in [
            (Some("/pool?page=2"), "/pool?page=2"),
            (Some("//elsewhere.example"), "/"),
            (Some("/\\elsewhere.example"), "/"),
            (Some("https://elsewhere.example"), "/"),
            (None, "/"),
        ] {
            assert_eq!(own_place(next), place);
        }
        assert_eq!(percent_encoded("/pool?q=a b&x=é"), "/pool%3Fq%3Da%20b%26x%3D%C3%A9");
    }

    #[test]
    fn the_language_is_chosen_or_else_the_browsers_first_one_that_we_speak() {
        let mut headers = HeaderMap::new();
        assert_eq!(language_of(&headers), Language::En);
        headers
            .insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("de-DE,de;q=0.9,zh-CN;q=0.8,en;q=0.5"));
        assert_eq!(language_of(&headers), Language::Zh);
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; tidewaiter-language=es"));
        assert_eq!(language_of(&headers), Language::Es);
    }
}
