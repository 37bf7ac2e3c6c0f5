//! Texts in the reader's language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Languages the platform speaks (ISO 639-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, the language every text must have.
    #[default]
    En,
    /// Chinese (simplified).
    Zh,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl Language {
    /// All languages in the order in which the switch shows them.
    pub const ALL: [Self; 4] = [Self::En, Self::Zh, Self::Fr, Self::Es];

    /// ISO 639-1 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }

    /// The language's own name for itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Zh => "中文",
            Self::Fr => "Français",
            Self::Es => "Español",
        }
    }

    /// Reads an ISO 639-1 code; a region after it (`zh-CN`) is ignored.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let primary = code.split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.code() == primary)
    }
}

/// One text in several languages. English is what readers of a missing language get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct LocalizedText(pub BTreeMap<Language, String>);

impl LocalizedText {
    /// A text in English and Chinese.
    #[must_use]
    pub fn en_zh(en: &str, zh: &str) -> Self {
        Self([(Language::En, en.to_owned()), (Language::Zh, zh.to_owned())].into())
    }

    /// The text in `language`, or else in English, or else empty.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        self.0.get(&language).or_else(|| self.0.get(&Language::En)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_language_falls_back_to_english() {
        let text = LocalizedText::en_zh("Office", "关区");
        assert_eq!(text.in_language(Language::Zh), "关区");
        assert_eq!(text.in_language(Language::Fr), "Office");
        assert_eq!(Language::from_code("zh-CN"), Some(Language::Zh));
        assert_eq!(Language::from_code("xx"), None);
    }
}
