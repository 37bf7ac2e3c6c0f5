//! Clients of a party: made, changed and closed by people, or by scripts with a token of an account.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use customhouse::identity::{Client, ClientSecret, Permission, Scopes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use crate::failure::Failure;
use crate::visit::{PostedBytes, PostedJson, Visit};

/// Routes of this part.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/api/v1/clients", get(clients).post(open_client))
        .route("/api/v1/clients/{id}", get(client))
        .route("/api/v1/clients/{id}/scopes", post(change_client_scopes))
        .route("/api/v1/clients/{id}/secrets", post(make_client_secret))
        .route("/api/v1/clients/{id}/secrets/{secret}/revoke", post(revoke_client_secret))
        .route("/api/v1/clients/{id}/close", post(close_client))
}

/// Software of an enterprise.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientAnswer {
    /// Its `client_id`.
    id: String,
    /// What its owner calls it.
    name: String,
    /// The party for which it acts.
    party: String,
    /// What it is let do, with blanks between.
    scope: String,
    /// A closed client gets no token.
    closed: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Secrets that hold, the latest first.
    secrets: Vec<SecretAnswer>,
}

/// A secret of a client, without what is secret of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SecretAnswer {
    /// Id: no secret.
    id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// When a token was last asked for with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
}

/// A secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeAnswer {
    /// The `client_id`.
    client_id: String,
    /// The `client_secret`.
    client_secret: String,
}

impl From<Client> for ClientAnswer {
    fn from(client: Client) -> Self {
        let Client { id, name, party, scopes, closed, opened_at, secrets } = client;
        let secrets = secrets.into_iter().map(|secret| {
            let ClientSecret { id, made_at, used_at } = secret;
            SecretAnswer { id, made_at, used_at }
        });
        let secrets = secrets.collect();
        Self { id, name, party, scope: scopes.to_string(), closed, opened_at, secrets }
    }
}

/// A client to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewClient {
    /// Which software it is, in 1 to 80 characters.
    name: String,
    /// What it is let do, with blanks between.
    scope: String,
    /// The party for which it acts; absent: that of the caller.
    #[serde(default)]
    party: Option<String>,
}

/// What a client is let do.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewScopes {
    /// Scopes with blanks between.
    scope: String,
}

/// Clients that the caller manages.
#[utoipa::path(get, path = "/api/v1/clients", responses((status = 200, description = "Clients", body = Vec<ClientAnswer>), (status = 403, description = "Not permitted", body = Problem)))]
pub(super) async fn clients(visit: Visit) -> Result<Json<Vec<ClientAnswer>>, Failure> {
    let clients = visit.work(|house, reader| house.clients(reader)).await?;
    Ok(Json(clients.into_iter().map(ClientAnswer::from).collect()))
}

/// Makes a client and answers with its secret, this once.
#[utoipa::path(post, path = "/api/v1/clients", request_body = NewClient, responses((status = 201, description = "It is made", body = MadeAnswer), (status = 400, description = "No such scope, or no name", body = Problem), (status = 403, description = "Not permitted, or the party of others", body = Problem), (status = 422, description = "The party has too many", body = Problem)))]
pub(super) async fn open_client(
    visit: Visit,
    PostedJson(new): PostedJson<NewClient>,
) -> Result<Response, Failure> {
    visit.require(Permission::ManageClients)?;
    let scopes = Scopes::parse(&new.scope)?;
    let made = visit.work(move |house, reader| {
        let party = new.party.or_else(|| reader.party.clone()).unwrap_or_default();
        house.open_client(reader, &new.name, &party, &scopes)
    });
    let (client, client_secret) = made.await?;
    Ok((StatusCode::CREATED, Json(MadeAnswer { client_id: client.id, client_secret })).into_response())
}

/// One client.
#[utoipa::path(get, path = "/api/v1/clients/{id}", params(("id" = String, Path, description = "client_id")), responses((status = 200, description = "The client", body = ClientAnswer), (status = 404, description = "There is none that the caller manages", body = Problem)))]
pub(super) async fn client(visit: Visit, Path(id): Path<String>) -> Result<Json<ClientAnswer>, Failure> {
    Ok(Json(visit.work(move |house, reader| house.client(reader, &id)).await?.into()))
}

/// Lets a client do something else; its tokens lose at once what is taken away.
#[utoipa::path(post, path = "/api/v1/clients/{id}/scopes", params(("id" = String, Path, description = "client_id")), request_body = NewScopes, responses((status = 200, description = "The client", body = ClientAnswer), (status = 404, description = "There is none that the caller manages", body = Problem)))]
pub(super) async fn change_client_scopes(
    visit: Visit,
    Path(id): Path<String>,
    PostedJson(new): PostedJson<NewScopes>,
) -> Result<Json<ClientAnswer>, Failure> {
    visit.require(Permission::ManageClients)?;
    let scopes = Scopes::parse(&new.scope)?;
    Ok(Json(visit.work(move |house, reader| house.set_client_scopes(reader, &id, &scopes)).await?.into()))
}

/// Makes another secret, at most two at once, and answers with it, this once.
#[utoipa::path(post, path = "/api/v1/clients/{id}/secrets", params(("id" = String, Path, description = "client_id")), responses((status = 201, description = "It is made", body = MadeAnswer), (status = 404, description = "There is no client that the caller manages", body = Problem), (status = 422, description = "There are two, or the client is closed", body = Problem)))]
pub(super) async fn make_client_secret(
    visit: Visit,
    Path(id): Path<String>,
    _posted: PostedBytes,
) -> Result<Response, Failure> {
    let client_id = id.clone();
    let (_, client_secret) = visit.work(move |house, reader| house.make_client_secret(reader, &id)).await?;
    Ok((StatusCode::CREATED, Json(MadeAnswer { client_id, client_secret })).into_response())
}

/// Makes a secret worthless, and every token that was given for it.
#[utoipa::path(post, path = "/api/v1/clients/{id}/secrets/{secret}/revoke", params(("id" = String, Path, description = "client_id"), ("secret" = String, Path, description = "Id of the secret")), responses((status = 204, description = "It is worthless"), (status = 404, description = "There is none that the caller manages", body = Problem)))]
pub(super) async fn revoke_client_secret(
    visit: Visit,
    Path((id, secret)): Path<(String, String)>,
    _posted: PostedBytes,
) -> Result<StatusCode, Failure> {
    visit.work(move |house, reader| house.revoke_client_secret(reader, &id, &secret)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes a client for good.
#[utoipa::path(post, path = "/api/v1/clients/{id}/close", params(("id" = String, Path, description = "client_id")), responses((status = 200, description = "The client", body = ClientAnswer), (status = 404, description = "There is none that the caller manages", body = Problem)))]
pub(super) async fn close_client(
    visit: Visit,
    Path(id): Path<String>,
    _posted: PostedBytes,
) -> Result<Json<ClientAnswer>, Failure> {
    Ok(Json(visit.work(move |house, reader| house.close_client(reader, &id)).await?.into()))
}
