//! The token endpoint for clients: client credentials (RFC 6749, section 4.4), errors as its section 5.2 has them, and
//! where it stands (RFC 8414). Tokens are used as RFC 6750 says: see [`crate::visit`].

use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use customhouse::Error;
use customhouse::identity::{ACCESS_TOKEN_SECONDS, Scope, TokenRefusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::visit::{Visit, blocking};

/// Longest body of a request for a token.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Longest host that is believed.
const HOST_BYTES_MAX: usize = 255;
/// The parameters that mean something here; each may stand once (RFC 6749, section 3.2).
const PARAMETERS: [&str; 4] = ["grant_type", "scope", "client_id", "client_secret"];

/// Routes for everybody: whoever asks shows who it is with what it asks.
pub(crate) fn public_routes() -> Router {
    Router::new()
        .route("/oauth2/token", post(token))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

/// A token (RFC 6749, section 5.1).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// The token, for the header `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds for which it holds.
    expires_in: i64,
    /// What it lets its bearer do, with blanks between.
    scope: String,
}

/// Why there is no token (RFC 6749, section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenProblem {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type`, `invalid_scope`, `temporarily_unavailable` or
    /// `server_error`.
    error: &'static str,
    /// What to do about it.
    error_description: String,
}

/// A refusal on its way to whoever asked.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
    wait_seconds: Option<i64>,
}

impl Refused {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), wait_seconds: None }
    }

    fn request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    fn client() -> Self {
        let text = "client or secret is wrong, or the client is closed";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", text)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        tracing::error!(code = error.code, detail = error.detail, "no token could be given");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", error.how_to_fix)
    }
}

impl From<TokenRefusal> for Refused {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Wrong => Self::client(),
            TokenRefusal::Wait { seconds } => Self {
                wait_seconds: Some(seconds),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "temporarily_unavailable",
                    format!("the secret was wrong too often; wait {seconds} seconds"),
                )
            },
            TokenRefusal::Scope(error) => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                format!("{}. {}", error.detail, error.how_to_fix),
            ),
            TokenRefusal::Failed(error) => error.into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = TokenProblem { error: self.error, error_description: ascii(&self.description) };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"tidewaiter\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        if let Some(seconds) = self.wait_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A description as RFC 6749 lets it be: printable ASCII without quotation marks and backslashes.
fn ascii(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') && c != '\\' && c != '"' { c } else { '\'' }).collect()
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    client: String,
    secret: String,
    scope: Option<String>,
}

impl Asked {
    fn of(headers: &HeaderMap, fields: &[(String, String)]) -> Result<Self, Refused> {
        for name in PARAMETERS {
            if fields.iter().filter(|(own, _)| own == name).count() > 1 {
                return Err(Refused::request(format!("{name} stands there twice")));
            }
        }
        // A parameter without a value is as one that is not there (RFC 6749, section 3.2).
        let field = |name: &str| {
            fields
                .iter()
                .find(|(own, value)| own == name && !value.is_empty())
                .map(|(_, value)| value.as_str())
        };
        match field("grant_type") {
            Some("client_credentials") => {}
            Some(_) => {
                let text = "grant_type must be client_credentials";
                return Err(Refused::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", text));
            }
            None => return Err(Refused::request("grant_type is missing; it must be client_credentials")),
        }
        let in_body = (field("client_id"), field("client_secret"));
        let (client, secret) = match (headers.get(header::AUTHORIZATION), in_body) {
            (Some(_), (_, Some(_))) => {
                return Err(Refused::request(
                    "the secret stands in the header and in the body; send it once",
                ));
            }
            (Some(given), (named, None)) => {
                let (client, secret) = given.to_str().ok().and_then(basic).ok_or_else(Refused::client)?;
                if named.is_some_and(|named| named != client) {
                    return Err(Refused::request("client_id in the body is not that of the header"));
                }
                (client, secret)
            }
            (None, (Some(client), Some(secret))) => (client.to_owned(), secret.to_owned()),
            (None, _) => return Err(Refused::client()),
        };
        Ok(Self { client, secret, scope: field("scope").map(str::to_owned) })
    }
}

/// Client and secret of a header `Authorization: Basic` (RFC 7617); `None` where it holds none. Ours hold nothing that RFC 6749 has escaped before they are joined.
#[must_use]
pub fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, given) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(given.trim()).ok()?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    Some((client.to_owned(), secret.to_owned()))
}

/// Gives a client a token of an hour for its secret, which stands in a header `Authorization: Basic` or in the form.
#[utoipa::path(post, path = "/oauth2/token", security(()), request_body(content((String = "application/x-www-form-urlencoded")), description = "grant_type=client_credentials, and scope with blanks between where not all of the client's are wanted; client_id and client_secret unless they stand in the header"), responses(
    (status = 200, description = "A token", body = TokenAnswer),
    (status = 400, description = "Not understood, or a scope that the client does not have", body = TokenProblem),
    (status = 401, description = "Client or secret is wrong", body = TokenProblem),
    (status = 429, description = "Wrong too often; Retry-After says when to come back", body = TokenProblem)))]
pub(crate) async fn token(
    visit: Visit,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let answer = match form {
        Ok(Form(fields)) => given(&visit, &headers, &fields).await,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Refused::new(rejection.status(), "invalid_request", "the form is too long"))
        }
        Err(_) => Err(Refused::request("send a form: application/x-www-form-urlencoded")),
    };
    answer.map(Json).into_response()
}

async fn given(
    visit: &Visit,
    headers: &HeaderMap,
    fields: &[(String, String)],
) -> Result<TokenAnswer, Refused> {
    let asked = Asked::of(headers, fields)?;
    let (house, address) = (visit.house().clone(), visit.address().to_owned());
    let given = blocking(move || {
        let Asked { client, secret, scope } = &asked;
        let now = house.wall_now();
        Ok(house.accounts().give_access_token((client, secret), scope.as_deref(), &address, now))
    });
    let given = given.await??;
    Ok(TokenAnswer {
        access_token: given.token,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_SECONDS,
        scope: given.scopes.to_string(),
    })
}

/// Where tokens are given, and how (RFC 8414, section 2).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MetadataAnswer {
    /// This server.
    issuer: String,
    /// Where tokens are given.
    token_endpoint: String,
    /// How a client may show its secret.
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// What a client may show for a token.
    grant_types_supported: [&'static str; 1],
    /// There is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    /// What tokens may let their bearers do.
    scopes_supported: [&'static str; 4],
}

/// Where tokens are given, and how.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", security(()), responses((status = 200, description = "As RFC 8414 has it", body = MetadataAnswer)))]
pub(crate) async fn metadata(headers: HeaderMap) -> Json<MetadataAnswer> {
    let issuer = issuer(headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    Json(MetadataAnswer {
        token_endpoint: format!("{issuer}/oauth2/token"),
        issuer,
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        grant_types_supported: ["client_credentials"],
        response_types_supported: [],
        scopes_supported: Scope::ALL.map(Scope::name),
    })
}

/// This server as whoever asks knows it. Anything but loopback stands behind TLS.
fn issuer(host: Option<&str>) -> String {
    let believed = |host: &&str| {
        host.len() <= HOST_BYTES_MAX
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    let host = host.filter(believed).unwrap_or("localhost");
    let name = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or_default(),
        |rest| rest.split(']').next().unwrap_or_default(),
    );
    let loopback = name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    format!("{}://{host}", if loopback { "http" } else { "https" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authorization: Option<&str>, fields: &[(&str, &str)]) -> Result<Asked, &'static str> {
        let mut headers = HeaderMap::new();
        if let Some(given) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(given).unwrap());
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Asked::of(&headers, &fields).map_err(|refused| refused.error)
    }

    #[test]
    fn a_client_shows_its_secret_in_one_of_two_ways() {
        let grant = ("grant_type", "client_credentials");
        let (id, secret) = (("client_id", "c-1"), ("client_secret", "tws_2"));
        let basic = format!("Basic {}", STANDARD.encode("c-1:tws_2"));
        let read = ("scope", "declarations.read");
        let (right, scope) = (Ok(("c-1", "tws_2", None)), Ok(("c-1", "tws_2", Some("declarations.read"))));
        for (authorization, fields, expected) in [
            (None, vec![grant, id, secret], right),
            (None, vec![grant, id, secret, ("scope", ""), ("resource", "x")], right),
            (Some(basic.as_str()), vec![grant, read], scope),
            (Some(&basic), vec![grant, id], right),
            (Some(&basic), vec![grant, id, secret], Err("invalid_request")),
            (Some(&basic), vec![grant, ("client_id", "c-2")], Err("invalid_request")),
            (Some("Bearer tws_2"), vec![grant], Err("invalid_client")),
            (Some("Basic !!!"), vec![grant], Err("invalid_client")),
            (Some("Basic Yy0x"), vec![grant], Err("invalid_client")),
            (None, vec![grant, id], Err("invalid_client")),
            (None, vec![grant], Err("invalid_client")),
            (None, vec![grant, grant, id, secret], Err("invalid_request")),
            (None, vec![grant, id, secret, secret], Err("invalid_request")),
            (None, vec![id, secret], Err("invalid_request")),
            (None, vec![("grant_type", "password"), id, secret], Err("unsupported_grant_type")),
        ] {
            let found = asked(authorization, &fields);
            let found = found.as_ref().map_err(|error| *error);
            let found = found.map(|one| (one.client.as_str(), one.secret.as_str(), one.scope.as_deref()));
            assert_eq!(found, expected, "{authorization:?} {fields:?}");
        }
    }

    #[test]
    fn the_issuer_is_the_host_that_was_asked() {
        for (host, expected) in [
            (Some("customs.example"), "https://customs.example"),
            (Some("customs.example:8443"), "https://customs.example:8443"),
            (Some("127.0.0.1:8420"), "http://127.0.0.1:8420"),
            (Some("[::1]:8420"), "http://[::1]:8420"),
            (Some("localhost"), "http://localhost"),
            (Some("a\"b"), "http://localhost"),
            (None, "http://localhost"),
        ] {
            assert_eq!(issuer(host), expected, "{host:?}");
        }
        assert_eq!(ascii("a \"b\" \\ é"), "a 'b' ' '");
    }
}
