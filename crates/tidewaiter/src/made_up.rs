//! Declarations of the made-up country, as its traders hand them in.

use spine::Value;
use spine::declaration::{AuthorisationHolder, Declaration, EntryFields};

/// Procedures that need an authorisation (Union Customs Code, Article 211), and its kind in the data annex.
const AUTHORISED: [(&str, &str); 2] = [("51", "IPO"), ("53", "TEA")];

/// The declaration of some items. Its importer holds the authorisations that their procedures need: no trader of the
/// country does without.
pub(crate) fn declaration<R: EntryFields>(reference: &str, items: &[R]) -> Declaration {
    let mut declaration = Declaration::from_rows(reference, items);
    let text = |item: &R, field: &str| match item.field(field) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let importer = items.iter().find_map(|item| text(item, "importer_id"));
    for (procedure, category) in AUTHORISED {
        if items.iter().any(|item| text(item, "procedure_code").is_some_and(|own| own.starts_with(procedure)))
        {
            declaration
                .authorisation_holder
                .push(AuthorisationHolder { id: importer.clone(), category_code: Some(category.to_owned()) });
        }
    }
    declaration
}
