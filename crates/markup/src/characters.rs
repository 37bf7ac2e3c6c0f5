//! Characters and names of XML.

use crate::broken::Broken;

/// White space between markup.
#[inline]
#[must_use]
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// May it stand in an XML name, the colon aside (XML 1.0, 5th edition, production 4a)?
#[must_use]
pub fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// May it begin an XML name, the colon aside (production 4)?
#[must_use]
pub fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Is it a name, with or without colons?
#[must_use]
pub fn is_name(value: &str, colons: bool) -> bool {
    let mut characters = value.chars();
    characters.next().is_some_and(|first| is_name_start(first) || (colons && first == ':'))
        && characters.all(|c| is_name_character(c) || (colons && c == ':'))
}

/// A name with one colon at the most, as documents with namespaces have them.
pub(crate) fn is_qualified_name(name: &str) -> bool {
    // Most names are letters and digits.
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    }
    match name.split_once(':') {
        Some((prefix, local)) => is_name(prefix, false) && is_name(local, false),
        None => is_name(name, false),
    }
}

/// What no text may hold wherever it stands: looked for once, over the whole of it.
pub(crate) fn check_characters(text: &str) -> Result<(), Broken> {
    // Without shortcuts, so that many bytes are looked at in one step.
    let forbidden = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    let bytes = text.as_bytes();
    // Whole chunks at once, without a way out in between: that is what processors do fast.
    let suspicious =
        |chunk: &[u8]| chunk.iter().fold(0_u8, |found, byte| found | u8::from(forbidden(*byte))) != 0;
    let control =
        if bytes.chunks(256).any(suspicious) { bytes.iter().position(|byte| forbidden(*byte)) } else { None };
    // Both begin with this byte, which few texts have.
    let no_characters = || if bytes.contains(&0xEF) { text.find(['\u{FFFE}', '\u{FFFF}']) } else { None };
    let at = control.or_else(no_characters);
    match at {
        None => Ok(()),
        Some(at) => Err(Broken::not_well_formed(at, "no control characters")),
    }
}

/// What stands between `&` and `;`.
pub(crate) fn reference(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match code.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (code, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let character = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)?;
    let allowed = character >= ' ' || matches!(character, '\t' | '\n' | '\r');
    (allowed && !matches!(character, '\u{FFFE}' | '\u{FFFF}')).then_some(character)
}
