//! The form of a result as it comes in: its fields, and photos or documents that are kept on the way.

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use customhouse::declarations::DOCUMENT_BYTES_MAX;
use customhouse::{Error, Kind};
use spine::noun::Evidence;

use crate::failure::Failure;
use crate::visit::{Visit, blocking};
use crate::words::{Text, texts};

/// Files with one result.
pub(super) const FILES_MAX: usize = 8;
/// Fields of the form.
const FIELDS_MAX: usize = 12_000;
/// Bytes of a field: the longest note.
const FIELD_BYTES_MAX: usize = 20_000;
/// Characters of a file's name that are kept.
const NAME_CHARACTERS_MAX: usize = 120;
/// Largest body of the form.
pub(crate) const RESULT_BODY_BYTES_MAX: usize = FILES_MAX * DOCUMENT_BYTES_MAX + (4 << 20);

/// A form that came in.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Its fields.
    pub(super) fields: Vec<(String, String)>,
    /// What is kept: now, or when the form came in before.
    pub(super) kept: Vec<Evidence>,
    /// Why a file was not kept.
    pub(super) refused: Option<Text>,
}

impl Sent {
    /// A field's value, or empty.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.trim()).unwrap_or_default()
    }
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Error::new(
        Kind::Invalid,
        "upload_broken_off",
        format!("the form did not come in whole: {error}"),
        "Send it again. Nothing was recorded.",
    )
    .into()
}

/// Reads the form; its token comes first, and without it no file is kept.
pub(super) async fn receive(visit: &Visit, mut parts: Multipart) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    let mut trusted = false;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "evidence" {
            if !trusted {
                return Err(Failure::stale_form());
            }
            take_in(visit, part, &mut sent).await?;
            continue;
        }
        let Some(bytes) = bounded(part, FIELD_BYTES_MAX).await? else {
            return Err(Failure::unreadable("a field of the form is too long"));
        };
        let value =
            String::from_utf8(bytes).map_err(|_| Failure::unreadable("a field of the form is not UTF-8"))?;
        match name.as_str() {
            "csrf" => {
                visit.check_token(Some(&value))?;
                trusted = true;
            }
            "kept" => sent.kept.extend(kept(&value)),
            _ => sent.fields.push((name, value)),
        }
        if sent.fields.len() > FIELDS_MAX {
            return Err(Failure::unreadable("the form has too many fields"));
        }
    }
    sent.kept.truncate(FILES_MAX);
    if trusted { Ok(sent) } else { Err(Failure::stale_form()) }
}

/// The bytes of a part, if they are not too many.
async fn bounded(mut part: Field<'_>, bytes_max: usize) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        if bytes.len().saturating_add(piece.len()) > bytes_max {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes))
}

/// Keeps one file, or notes why not. Where none was chosen, a browser sends an empty one without a name.
async fn take_in(visit: &Visit, part: Field<'_>, sent: &mut Sent) -> Result<(), Failure> {
    let name: String = part.file_name().unwrap_or_default().chars().take(NAME_CHARACTERS_MAX).collect();
    let Some(bytes) = bounded(part, DOCUMENT_BYTES_MAX).await? else {
        sent.refused = Some(texts::EVIDENCE_TOO_LARGE);
        return Ok(());
    };
    if bytes.is_empty() {
        return Ok(());
    }
    let Some(media_type) = media_type(&bytes) else {
        sent.refused = Some(texts::EVIDENCE_OTHER_KIND);
        return Ok(());
    };
    if sent.kept.len() >= FILES_MAX {
        sent.refused = Some(texts::EVIDENCE_TOO_MANY);
        return Ok(());
    }
    let (house, reader) = (visit.house().clone(), visit.reader()?);
    let blob = blocking(move || house.keep_document(&reader, &bytes)).await?.sha256;
    if sent.kept.iter().all(|own| own.blob != blob) {
        sent.kept.push(Evidence { blob, media_type: media_type.to_owned(), description: name });
    }
    Ok(())
}

/// What the bytes are, by their beginning; only what an officer sends as evidence.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        _ => None,
    }
}

/// What was kept before, as the form carries it on.
pub(super) fn carried(own: &Evidence) -> String {
    format!("{} {} {}", own.blob, own.media_type, own.description)
}

fn kept(text: &str) -> Option<Evidence> {
    let mut parts = text.splitn(3, ' ');
    let (blob, media_type, description) = (parts.next()?, parts.next()?, parts.next()?);
    let hash = blob.len() == 64 && blob.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let known = ["image/jpeg", "image/png", "image/webp", "application/pdf"].contains(&media_type);
    (hash && known).then(|| Evidence {
        blob: blob.to_owned(),
        media_type: media_type.to_owned(),
        description: description.chars().take(NAME_CHARACTERS_MAX).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_told_by_its_bytes_and_carried_on_as_it_was() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n", Some("image/png")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"<svg onload=alert(1)>", None),
            (b"MZ", None),
            (b"", None),
        ] {
            assert_eq!(media_type(bytes), expected, "{bytes:?}");
        }
        let own = Evidence {
            blob: "a0".repeat(32),
            media_type: "image/png".to_owned(),
            description: "left door.png".to_owned(),
        };
        assert_eq!(kept(&carried(&own)), Some(own));
        for wrong in ["", "x image/png a", &format!("{} text/html a", "a0".repeat(32)), "a b"] {
            assert_eq!(kept(wrong), None, "{wrong}");
        }
    }
}
