//! A declaration looked at before it is lodged: what would be found, with nothing recorded.

use formats::declaration::Form;
use spine::declaration::Declaration;
use spine::{Finding, Pointer, Severity};

use super::commands::not_own;
use super::read_model::known_reference;
use crate::Customhouse;
use crate::error::Error;
use crate::identity::{Permission, Reader};

impl Customhouse {
    /// What would be found in a declaration if the reader lodged it now. Nothing is recorded. Whoever examines it
    /// later may find more.
    pub fn check_declaration(
        &self,
        reader: &Reader,
        bytes: &[u8],
        form: Form,
    ) -> Result<Vec<Finding>, Error> {
        reader.require(Permission::Lodge)?;
        let understood = self.understand(bytes, form).understood;
        let mut findings = understood.findings;
        if let Some(declaration) = &understood.declaration {
            findings.extend(self.findings_of_house(reader, declaration)?);
        }
        Ok(findings)
    }

    /// What is to be said of a declaration besides its content: whose it is, and whether its reference is in use.
    pub(crate) fn findings_of_house(
        &self,
        reader: &Reader,
        declaration: &Declaration,
    ) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        if let Some(party) = &reader.party {
            findings.extend(not_own(declaration, party));
            if let Some(reference) = &declaration.functional_reference_id
                && let Some(known) = known_reference(&self.projection, party, reference)?
            {
                let finding = Finding::new("reference_in_use", Severity::Warning)
                    .at(Pointer("functional_reference_id".to_owned()))
                    .found(reference)
                    .expected(format!("a reference of yours that is not in use; this one is {}", known.mrn))
                    .fix("Choose another reference, unless this is the corrected declaration of that one.");
                findings.push(finding);
            }
        }
        Ok(findings)
    }
}
