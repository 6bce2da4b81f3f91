//! Config files of other tools, as far as they are lines: properties, `.conf`, INI, and TOML without anything that takes several lines.

/// The values of a file by their keys, in lower case, with the name of the section before them: `flyway.mixed`.
pub(super) fn read(text: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut values = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';', '!']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            section = format!("{}.", name.trim_matches(['[', '"', ' ']).to_lowercase());
        } else if let Some((key, value)) = line.split_once('=') {
            values.push((format!("{section}{}", key.trim().trim_matches('"').to_lowercase()), plain(value).to_owned()));
        }
    }
    values
}

/// The value of a key.
pub(super) fn get<'v>(values: &'v [(String, String)], key: &str) -> Option<&'v str> {
    values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// The texts of a list: `a,b` and `["a", "b"]`.
pub(super) fn items(value: &str) -> impl Iterator<Item = &str> {
    let inner = value.trim_start_matches('[').trim_end_matches(']');
    inner.split(',').map(|item| item.trim().trim_matches(['"', '\''])).filter(|item| !item.is_empty())
}

/// Without quotes, and without the comment behind it.
fn plain(value: &str) -> &str {
    let value = value.trim();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        _ => value.split(" #").next().unwrap_or_default().trim_end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn words(text: &str) -> String {
        read(text).iter().map(|(key, value)| format!("{key} is {value}")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn keys_have_their_section_before_them() {
        assert_snapshot!(words("flyway.mixed=true\n# flyway.group=true\nflyway.locations = filesystem:sql\n"), @"flyway.mixed is true; flyway.locations is filesystem:sql");
        assert_snapshot!(words("[flyway]\nlocations = [\"filesystem:sql\"]\nmixed = true # both\n[flyway.placeholders]\nschema = \"shop\"\n"), @r#"flyway.locations is ["filesystem:sql"]; flyway.mixed is true; flyway.placeholders.schema is shop"#);
        assert_eq!(items("[\"filesystem:sql\", 'classpath:db']").collect::<Vec<_>>(), ["filesystem:sql", "classpath:db"]);
    }
}
