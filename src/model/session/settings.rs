//! The settings of a connection with their true scope: what SET, SET LOCAL and RESET leave in force, and for how long.

use crate::model::name::Ident;
use crate::model::operation::SettingValue;
use foldhash::HashMap;
use std::time::Duration;

/// What a setting was set to, by which statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value.
    pub value: SettingValue,
    /// Index of the statement that set it; `None` if it was in force before the file.
    pub by: Option<usize>,
    /// SET LOCAL: it ends with the transaction.
    pub local: bool,
}

/// Where the value of a timeout comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// Nobody set it: the server's default, 0, unless the role says otherwise.
    Unset,
    /// Set to 0: waits forever.
    Off,
    /// Set to this.
    After(Duration),
    /// Set to something that cannot be read.
    Unknown,
}

/// The schemas that unqualified names are looked up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchPath {
    /// As the file set it, in order; `$user` is one of its words.
    Schemas(Vec<Ident>),
    /// The server's default: `"$user", public`.
    Default,
    /// Set to something that cannot be read.
    Unknown,
}

/// Values by setting, in the layers that the server keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    /// What RESET goes back to, where the project says so.
    defaults: HashMap<Box<str>, Setting>,
    /// SET: lasts as long as the connection, if its transaction commits. `None`: back to the default.
    session: HashMap<Box<str>, Option<Setting>>,
    /// SET LOCAL: covers the layer below until the transaction ends.
    local: HashMap<Box<str>, Option<Setting>>,
}

/// The layers at one moment, to go back to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Saved {
    session: HashMap<Box<str>, Option<Setting>>,
    local: HashMap<Box<str>, Option<Setting>>,
}

impl Settings {
    /// The value in force, `None` for the server's default.
    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        match self.local.get(name).or_else(|| self.session.get(name)) {
            Some(set) => set.as_ref().or_else(|| self.defaults.get(name)),
            None => self.defaults.get(name),
        }
    }

    pub(super) fn preset(&mut self, name: &str, value: SettingValue) {
        self.defaults.insert(key(name), Setting { value, by: None, local: false });
    }

    /// SET, or RESET of one setting, which is SET to DEFAULT. A plain SET also ends the cover of an earlier SET LOCAL.
    pub(super) fn set(&mut self, name: &str, value: Option<SettingValue>, local: bool, by: usize) {
        let setting = value.map(|value| Setting { value, by: Some(by), local });
        if local {
            self.local.insert(key(name), setting);
        } else {
            self.local.remove(&*key(name));
            self.session.insert(key(name), setting);
        }
    }

    /// RESET ALL: everything but the role, which it leaves alone.
    pub(super) fn reset_all(&mut self) {
        let stays = |name: &str| matches!(name, "role" | "session_authorization");
        self.local.retain(|name, _| stays(name));
        self.session.retain(|name, _| stays(name));
    }

    pub(super) fn save(&self) -> Saved {
        Saved { session: self.session.clone(), local: self.local.clone() }
    }

    pub(super) fn restore(&mut self, saved: Saved) {
        self.session = saved.session;
        self.local = saved.local;
    }

    pub(super) fn end_of_transaction(&mut self) {
        self.local.clear();
    }
}

/// Settings are found whatever the case of their letters.
fn key(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into()
}

impl Timeout {
    /// Reads the value of a timeout as the server does: milliseconds unless a unit follows, rounded to whole ones.
    pub(super) fn of(setting: Option<&Setting>) -> Self {
        match setting.map(|setting| &setting.value) {
            None => Self::Unset,
            Some(SettingValue::Literal(text)) => milliseconds(text).map_or(Self::Unknown, Self::after),
            Some(SettingValue::List(_) | SettingValue::Unknown) => Self::Unknown,
        }
    }

    fn after(milliseconds: u64) -> Self {
        if milliseconds == 0 { Self::Off } else { Self::After(Duration::from_millis(milliseconds)) }
    }
}

/// `2s`, `500ms`, `1 h`, `1.5min`, `2000`; `None` for what the server refuses (guc.c, parse_int; its range ends at 2^31 - 1).
fn milliseconds(text: &str) -> Option<u64> {
    let (number, unit) = number(text.trim_matches(|c: char| c.is_ascii_whitespace()))?;
    let factor = match unit.trim_start() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let value = (number * factor).round_ties_even();
    (value <= f64::from(i32::MAX)).then_some(value as u64)
}

/// The number that the text begins with, and the rest. Integers are read as C does: `010` is 8 and `0x10` is 16.
fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let until = |from: &str, is_part: fn(char) -> bool| from.find(|c| !is_part(c)).unwrap_or(from.len());
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let (digits, rest) = hex.split_at(until(hex, |c| c.is_ascii_hexdigit()));
        return Some((f64::from(u32::from_str_radix(digits, 16).ok()?), rest));
    }
    let mut end = until(text, |c| c.is_ascii_digit());
    if !text[end..].starts_with(['.', 'e', 'E']) {
        let radix = if text.starts_with('0') { 8 } else { 10 };
        return Some((f64::from(u32::from_str_radix(&text[..end], radix).ok()?), &text[end..]));
    }
    if text[end..].starts_with('.') {
        end += 1;
        end += until(&text[end..], |c| c.is_ascii_digit());
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let digits = until(exponent, |c| c.is_ascii_digit());
        end += if digits == 0 { 0 } else { 1 + digits };
    }
    Some((text[..end].parse().ok()?, &text[end..]))
}

impl SearchPath {
    pub(super) fn of(setting: Option<&Setting>) -> Self {
        match setting.map(|setting| &setting.value) {
            None => Self::Default,
            // One string may hold the whole list: set_config takes it so, and so do options of the connection.
            Some(SettingValue::Literal(text)) => schemas_in(text).map_or(Self::Unknown, Self::Schemas),
            Some(SettingValue::List(words)) => Self::Schemas(words.iter().map(|word| Ident::quoted(word)).collect()),
            Some(SettingValue::Unknown) => Self::Unknown,
        }
    }
}

/// Splits a list of identifiers at its commas and folds what is not quoted, as SplitIdentifierString does.
fn schemas_in(list: &str) -> Option<Vec<Ident>> {
    let mut schemas = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (word, after) = unquote(quoted)?;
            schemas.push(Ident::quoted(&word));
            after.trim_start()
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            schemas.push(Ident::folded(rest[..end].trim_end()));
            &rest[end..]
        };
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => "",
            None => return None,
        };
    }
    schemas.retain(|schema| !schema.as_str().is_empty());
    Some(schemas)
}

/// The inside of a quoted identifier up to its closing quote, doubled quotes undone, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        word.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                word.push('"');
                rest = more;
            }
            None => return Some((word, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(text: &str) -> Timeout {
        Timeout::of(Some(&Setting { value: SettingValue::Literal(text.into()), by: None, local: false }))
    }

    #[test]
    fn a_timeout_is_read_as_the_server_reads_it() {
        let after = |milliseconds| Timeout::After(Duration::from_millis(milliseconds));
        for (text, expected) in [
            ("2s", after(2_000)),
            ("500ms", after(500)),
            ("2000", after(2_000)),
            ("1min", after(60_000)),
            (" 1 h ", after(3_600_000)),
            ("1.5s", after(1_500)),
            (".5s", after(500)),
            ("1d", after(86_400_000)),
            ("1500us", after(2)),
            ("5e3", after(5_000)),
            ("0x10", after(16)),
            ("010", after(8)),
            ("+5", after(5)),
            ("500us", Timeout::Off),
            ("0", Timeout::Off),
            ("0s", Timeout::Off),
            ("0.4", Timeout::Off),
            ("2sec", Timeout::Unknown),
            ("2S", Timeout::Unknown),
            ("-1", Timeout::Unknown),
            ("soon", Timeout::Unknown),
            ("", Timeout::Unknown),
            ("25d", Timeout::Unknown),
        ] {
            assert_eq!(timeout(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_search_path_in_one_string_is_split_at_its_commas() {
        let words = |text| schemas_in(text).map(|schemas| schemas.iter().map(Ident::to_string).collect::<Vec<_>>().join(" | "));
        assert_eq!(words("App, public").as_deref(), Some("app | public"));
        assert_eq!(words(r#""$user", "My ""Shop""" , public"#).as_deref(), Some(r#"$user | My "Shop" | public"#));
        assert_eq!(words("").as_deref(), Some(""));
        assert_eq!(words(r#""open"#), None);
    }
}
