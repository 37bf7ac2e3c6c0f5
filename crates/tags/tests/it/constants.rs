//! No two tags of the catalogue differ only in a constant.

use std::collections::BTreeMap;

use tags::TagDefinition;

use crate::built_in::shipped;

/// A tag's meaning with every constant gone: numbers, texts, names of lists, lengths of windows and of beginnings.
fn skeleton(tag: &TagDefinition, lists: &[String]) -> String {
    let mut text = without_constants(&tag.when, lists);
    // The longest names first: one name may begin another.
    let mut names: Vec<&String> = tag.aggregates.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        let own = &tag.aggregates[name];
        let by: Vec<String> = own.by.iter().map(|part| part.field.clone()).collect();
        let of = own.of.as_ref().map(|of| {
            format!("{}/{}", of.field.field, of.divided_by.as_ref().map_or("", |part| part.field.as_str()))
        });
        let condition = own.condition.as_ref().map(|source| without_constants(source, lists));
        let meaning = format!(
            "<{:?} {of:?} by {by:?} where {condition:?} {} {}>",
            own.measure,
            own.same_day,
            own.days.is_some()
        );
        text = text.replace(name.as_str(), &meaning);
    }
    if tag.on == spine::noun::SubjectKind::Enterprise {
        text.push_str(&tag.enterprise_field);
    }
    text
}

fn without_constants(source: &str, lists: &[String]) -> String {
    let mut text = String::new();
    let mut characters = source.chars().peekable();
    let mut word = String::new();
    while let Some(c) = characters.next() {
        if c.is_ascii_alphanumeric()
            || c == '_'
            || (c == '.' && word.starts_with(|w: char| w.is_ascii_digit()))
        {
            word.push(c);
            continue;
        }
        finish(&mut word, &mut text, lists);
        if c == '\'' || c == '"' {
            while characters.next().is_some_and(|inner| inner != c) {}
            text.push('"');
        } else if !c.is_whitespace() {
            text.push(c);
        }
    }
    finish(&mut word, &mut text, lists);
    text
}

fn finish(word: &mut String, text: &mut String, lists: &[String]) {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        text.push('0');
    } else if lists.contains(word) {
        text.push('"');
    } else {
        text.push_str(word);
    }
    word.clear();
}

#[test]
fn constants_leave_no_trace_in_a_skeleton() {
    let lists = ["hubs".to_owned()];
    let a = without_constants("a < 0.4 && b in hubs && c == 'x'", &lists);
    assert_eq!(a, without_constants("a<12 && b in hubs && c == \"yz\"", &lists));
    assert_eq!(a, "a<0&&bin\"&&c==\"");
}

#[test]
fn no_two_tags_differ_only_in_a_constant() {
    let (set, packs) = shipped();
    let lists: Vec<String> = packs.iter().flat_map(|pack| pack.lists().into_keys()).collect();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut doubles = Vec::new();
    for tag in set.definitions() {
        let skeleton = skeleton(tag, &lists);
        if let Some(other) = seen.insert(skeleton.clone(), &tag.id) {
            doubles.push(format!("{other} and {}: {skeleton}", tag.id));
        }
    }
    assert!(doubles.is_empty(), "{}", doubles.join("\n"));
}
