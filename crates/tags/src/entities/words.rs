//! Names, addresses and numbers as they are compared: Latin letters, lower case, without legal forms.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What names are made of, built in.
const BUILT_IN: &str = include_str!("legal-forms.toml");
/// Characters of a name or address that are looked at.
const TEXT_CHARACTERS_MAX: usize = 400;
/// Words of a name or address that are looked at.
const WORDS_MAX: usize = 24;

/// Why a lexicon cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EntitiesError {
    /// The file of legal forms is no such file.
    #[error(
        "the file of legal forms cannot be read: {reason}; mend it where the message says [legal_forms_unreadable]"
    )]
    LegalForms {
        /// What the reader of TOML says.
        reason: String,
    },
    /// The listener asked to stop.
    #[error("the work was stopped; nothing was changed; start it again [cancelled]")]
    Cancelled,
}

impl EntitiesError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::LegalForms { .. } => "legal_forms_unreadable",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    forms: Vec<String>,
    attached: Vec<String>,
    common: Vec<String>,
    address: BTreeMap<String, String>,
}

/// Legal forms, words that are common everywhere, and how words of addresses are shortened.
#[derive(Debug, Clone)]
pub struct Lexicon {
    /// Forms as words, the longest first, by their last and by their first word.
    by_last: BTreeMap<String, Vec<Vec<String>>>,
    by_first: BTreeMap<String, Vec<Vec<String>>>,
    attached: Vec<String>,
    common: BTreeSet<String>,
    address: BTreeMap<String, String>,
}

impl Lexicon {
    /// The one that is built in.
    ///
    /// # Errors
    /// `legal_forms_unreadable`, which a test keeps from being shipped.
    pub fn built_in() -> Result<Self, EntitiesError> {
        Self::of_toml(BUILT_IN)
    }

    /// One from a file of the same shape: `forms`, `attached`, `common`, `[address]`.
    ///
    /// # Errors
    /// `legal_forms_unreadable`.
    pub fn of_toml(text: &str) -> Result<Self, EntitiesError> {
        let file: File = toml::from_str(text)
            .map_err(|error| EntitiesError::LegalForms { reason: error.message().to_owned() })?;
        let (mut by_last, mut by_first) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        let mut forms: Vec<Vec<String>> = file.forms.iter().map(|form| words(form)).collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        for form in forms {
            if let (Some(first), Some(last)) = (form.first(), form.last()) {
                by_first.entry(first.clone()).or_default().push(form.clone());
                by_last.entry(last.clone()).or_default().push(form.clone());
            }
        }
        Ok(Self {
            by_last,
            by_first,
            attached: file.attached,
            // Words of forms that stand elsewhere in a name tell little there too.
            common: file.common.iter().chain(&file.forms).flat_map(|word| words(word)).collect(),
            address: file.address,
        })
    }

    /// Is this a word that half the world calls itself by?
    #[must_use]
    pub fn is_common(&self, word: &str) -> bool {
        self.common.contains(word)
    }

    /// Is this such a word, or one with a letter written otherwise? Words of five letters and fewer are taken as they are.
    #[must_use]
    pub fn is_nearly_common(&self, word: &str) -> bool {
        let near = |own: &String| own.len().abs_diff(word.len()) <= 1 && strsim::osa_distance(own, word) <= 1;
        self.is_common(word) || (word.len() > 5 && self.common.iter().any(near))
    }

    /// What tells a name apart: its words without legal forms at either end, each once, in order of the alphabet.
    /// A name of nothing but forms keeps them.
    #[must_use]
    pub fn name_words(&self, name: &str) -> Vec<String> {
        let bare = self.without_attached(name);
        let all = words(&bare);
        let mut rest = all.as_slice();
        loop {
            let before = rest.len();
            rest = shorter(rest, &self.by_last, false);
            rest = shorter(rest, &self.by_first, true);
            if rest.len() == before {
                break;
            }
        }
        let different: BTreeSet<&String> = rest.iter().collect();
        different.into_iter().cloned().collect()
    }

    /// Words of an address, written out, each once, in order of the alphabet.
    #[must_use]
    pub fn address_words(&self, address: &str) -> Vec<String> {
        let whole = words(address).into_iter().map(|word| self.address.get(&word).cloned().unwrap_or(word));
        let different: BTreeSet<String> = whole.filter(|word| !word.is_empty()).collect();
        different.into_iter().collect()
    }

    /// Without forms that stand at either end without a space.
    fn without_attached<'a>(&self, name: &'a str) -> std::borrow::Cow<'a, str> {
        let mut rest = name.trim();
        // One at each end, and one more: "集团" before "有限公司".
        for _ in 0..3 {
            let cut = self.attached.iter().find_map(|form| {
                rest.strip_suffix(form.as_str()).or_else(|| rest.strip_prefix(form.as_str()))
            });
            match cut.map(str::trim).filter(|cut| !cut.is_empty()) {
                Some(cut) => rest = cut,
                None => break,
            }
        }
        std::borrow::Cow::Borrowed(rest)
    }
}

/// Without the longest form at one end, as long as something is left.
fn shorter<'a>(
    rest: &'a [String],
    forms: &BTreeMap<String, Vec<Vec<String>>>,
    at_beginning: bool,
) -> &'a [String] {
    let end = if at_beginning { rest.first() } else { rest.last() };
    let Some(known) = end.and_then(|word| forms.get(word)) else { return rest };
    let cut = known.iter().filter(|form| form.len() < rest.len()).find_map(|form| {
        if at_beginning { rest.strip_prefix(form.as_slice()) } else { rest.strip_suffix(form.as_slice()) }
    });
    cut.unwrap_or(rest)
}

/// Words in Latin letters and lower case. Letters that stand alone beside each other are one word: "S. A." is "sa".
pub(super) fn words(text: &str) -> Vec<String> {
    let short: String = text.chars().take(TEXT_CHARACTERS_MAX).collect();
    let latin = any_ascii::any_ascii(&short).to_ascii_lowercase();
    let mut all: Vec<String> = Vec::new();
    let mut letters = false;
    let unquoted = latin.replace(['\'', '`', '"'], "");
    for word in unquoted.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let letter = word.len() == 1 && word.chars().all(|sign| sign.is_ascii_alphabetic());
        match all.last_mut() {
            Some(last) if letter && letters => last.push_str(word),
            _ => all.push(word.to_owned()),
        }
        letters = letter;
        if all.len() == WORDS_MAX {
            break;
        }
    }
    all
}

/// Letters and digits of a number that somebody was given, in upper case; `None` where fewer than four are left.
#[must_use]
pub fn folded_identifier(identifier: &str) -> Option<String> {
    let short: String = identifier.chars().take(TEXT_CHARACTERS_MAX).collect();
    let folded: String = any_ascii::any_ascii(&short)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|sign| sign.to_ascii_uppercase())
        .collect();
    (folded.len() >= 4).then_some(folded)
}

/// Digits of a telephone number without the zeros and the plus of its prefix; `None` where fewer than six are left.
#[must_use]
pub fn digits_of_phone(phone: &str) -> Option<String> {
    let short: String = phone.chars().take(TEXT_CHARACTERS_MAX).collect();
    let latin = any_ascii::any_ascii(&short);
    let all: String = latin.chars().filter(char::is_ascii_digit).collect();
    let digits = all.trim_start_matches('0');
    (digits.len() >= 6).then(|| digits.to_owned())
}

/// Consonants of a word, each run once, under what sounds alike: what is left of it in other spellings.
pub(super) fn skeleton(word: &str) -> String {
    let mut bones = String::new();
    let softened =
        word.replace("ph", "f").replace("kh", "h").replace("sch", "s").replace("sh", "s").replace("ck", "k");
    for (at, sign) in softened.chars().enumerate() {
        let bone = match sign {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'w' if at > 0 => continue,
            'h' if at > 0 => continue,
            'c' | 'q' | 'g' | 'k' => 'k',
            'z' | 's' | 'x' => 's',
            'v' | 'f' | 'b' | 'p' => 'p',
            'd' | 't' => 't',
            'j' | 'i' | 'y' => 'y',
            'a' | 'e' | 'o' | 'u' => 'a',
            other => other,
        };
        if !bones.ends_with(bone) {
            bones.push(bone);
        }
    }
    bones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_forms_and_keep_what_tells_them_apart() {
        let lexicon = Lexicon::built_in().unwrap();
        for (name, expected) in [
            ("Müller GmbH", "muller"),
            ("MUELLER Gesellschaft mit beschränkter Haftung", "mueller"),
            ("Banco Central S.A.", "banco central"),
            ("S. A. Banco Central", "banco central"),
            ("Foods Ltd. & Co. KG", "foods"),
            ("ООО Ромашка", "romashka"),
            ("北京长城贸易有限公司", "beijingzhangchengmaoyi"),
            ("Albaadra Foods and Sons", "albaadra foods"),
            ("Ltd", "ltd"),
            ("O'Neil, Sean", "oneil sean"),
            ("", ""),
            ("!!!", ""),
        ] {
            let found = lexicon.name_words(name).join(" ");
            assert_eq!(found.replace("changcheng", "zhangcheng"), expected, "{name}");
        }
    }

    #[test]
    fn addresses_and_numbers_are_the_same_however_they_are_written() {
        let lexicon = Lexicon::built_in().unwrap();
        let same = ["12 Mill Street, Osk", "Mill St. No. 12, OSK", "osk;mill st 12"];
        for address in same {
            assert_eq!(lexicon.address_words(address), ["12", "mill", "osk", "street"], "{address}");
        }
        for (phone, expected) in [
            ("+999 20 123 4567", Some("999201234567")),
            ("00999-20-1234567", Some("999201234567")),
            ("٠٠٩٩٩٢٠١٢٣٤٥٦٧", Some("999201234567")),
            ("12 34", None),
        ] {
            assert_eq!(digits_of_phone(phone).as_deref(), expected, "{phone}");
        }
        assert_eq!(folded_identifier("zz 000-1234").as_deref(), Some("ZZ0001234"));
        assert_eq!(folded_identifier("x-1"), None);
    }

    #[test]
    fn spellings_of_one_sound_have_one_skeleton() {
        for (one, other) in
            [("mohammed", "muhamad"), ("gaddafi", "qadhafi"), ("yusuf", "youssef"), ("schmidt", "shmit")]
        {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }

    #[test]
    fn a_file_that_is_none_says_so() {
        let error = Lexicon::of_toml("forms = 1").unwrap_err();
        assert_eq!(error.code(), "legal_forms_unreadable");
        assert!(error.to_string().contains("[legal_forms_unreadable]"));
    }
}
