//! Styles, scripts and pictures: compiled in, addressed by the hash of their content, and therefore cached for ever.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Dist;

struct Asset {
    bytes: Cow<'static, [u8]>,
    hash: String,
    media_type: &'static str,
}

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    Dist::iter()
        .filter_map(|name| {
            let bytes = Dist::get(&name)?.data;
            let hash: String = hex::encode(Sha256::digest(&bytes)).chars().take(16).collect();
            Some((name.to_string(), Asset { bytes, hash, media_type: media_type(&name) }))
        })
        .collect()
});

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Was the user interface built before the binary was compiled?
#[must_use]
pub fn user_interface_built() -> bool {
    ASSETS.contains_key("app.css") && ASSETS.contains_key("app.js")
}

/// Where a file is served.
pub(crate) fn url(name: &str) -> String {
    match ASSETS.get(name) {
        Some(asset) => format!("/assets/{}/{name}", asset.hash),
        None => format!("/assets/missing/{name}"),
    }
}

/// A style sheet or script as text; empty where it was not built.
pub(crate) fn text(name: &str) -> &'static str {
    ASSETS.get(name).and_then(|asset| std::str::from_utf8(&asset.bytes).ok()).unwrap_or_default()
}

/// Serves a file under the hash of its content, and under nothing else.
pub(crate) async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    match ASSETS.get(&name).filter(|asset| asset.hash == hash) {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.media_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.bytes.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
