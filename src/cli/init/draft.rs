//! The config that `init` is about to write: what was found, each with the reason, put into the commented template.

use crate::config::TEMPLATE;
use std::fmt::Write as _;

/// What the config is going to say.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Values of keys that have one: `postgres`, `transaction`, `tool`, `fail_on`.
    values: Vec<Line>,
    /// Items of keys that have several: `migrations`, `exclude`.
    items: Vec<Line>,
    /// What findings weigh.
    rules: Vec<Line>,
    /// What another linter's config says and this one has no words for.
    pub untold: Vec<String>,
    /// The files that were translated.
    pub from: Vec<String>,
}

/// One line of the config.
#[derive(Debug)]
struct Line {
    key: String,
    value: String,
    why: String,
}

impl Draft {
    /// Gives a key its value, unless it has one: what is said first is said by who knows better.
    pub fn set(&mut self, key: &str, value: impl Into<String>, why: impl Into<String>) {
        if !self.values.iter().any(|line| line.key == key) {
            self.values.push(Line { key: key.to_owned(), value: value.into(), why: why.into() });
        }
    }

    /// Adds an item to a key, once.
    pub fn add(&mut self, key: &str, item: &str, why: impl Into<String>) {
        let item = plain(item);
        if !self.items.iter().any(|line| line.key == key && line.value == item) {
            self.items.push(Line { key: key.to_owned(), value: item, why: why.into() });
        }
    }

    /// Says what a finding of a rule weighs.
    pub fn rule(&mut self, id: &str, level: impl ToString, why: impl Into<String>) {
        if !self.rules.iter().any(|line| line.key == id) {
            self.rules.push(Line { key: id.to_owned(), value: level.to_string(), why: why.into() });
        }
    }

    /// Whether a key has something.
    pub fn has(&self, key: &str) -> bool {
        self.values.iter().chain(&self.items).any(|line| line.key == key)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut written = Vec::new();
        let mut lines = TEMPLATE.lines().peekable();
        let mut is_head = true;
        while let Some(line) = lines.next() {
            if is_head && line.is_empty() {
                text.push_str(&self.head());
                is_head = false;
            }
            let key = key_of(line).filter(|key| !written.contains(key));
            if key == Some("migrations") && !self.has("migrations") {
                // Nothing but programs: there is no directory to name.
                let _ = writeln!(text, "# {line}");
                while let Some(item) = lines.next_if(|next| next.starts_with("  ")) {
                    let _ = writeln!(text, "# {item}");
                }
                continue;
            }
            let Some((key, block)) = key.and_then(|key| Some((key, self.block(key)?))) else {
                let _ = writeln!(text, "{line}");
                continue;
            };
            text.push_str(&block);
            written.push(key);
            // The example that it stands instead of.
            while lines.next_if(|next| next.starts_with("#   ") || next.starts_with("  ")).is_some() {}
        }
        text
    }

    /// What was translated, and what was not.
    fn head(&self) -> String {
        let mut head = String::new();
        for file in &self.from {
            let _ = writeln!(head, "# Translated from {file}.");
        }
        if !self.untold.is_empty() {
            head.push_str("# What it says and could not be translated:\n");
            self.untold.iter().for_each(|untold| _ = writeln!(head, "#   - {untold}"));
        }
        head
    }

    /// A key and all that belongs to it.
    fn block(&self, key: &str) -> Option<String> {
        let mut block = String::new();
        if key == "rules" && !self.rules.is_empty() {
            block.push_str("rules:\n");
            self.rules.iter().for_each(|line| _ = writeln!(block, "  {}: {}{}", line.key, line.value, comment(&line.why)));
        }
        if let Some(line) = self.values.iter().find(|line| line.key == key) {
            let _ = writeln!(block, "{key}: {}{}", line.value, comment(&line.why));
        }
        let mut items = self.items.iter().filter(|line| line.key == key).peekable();
        if items.peek().is_some() {
            let _ = writeln!(block, "{key}:");
            items.for_each(|line| _ = writeln!(block, "  - {}{}", line.value, comment(&line.why)));
        }
        (!block.is_empty()).then_some(block)
    }
}

/// The key that a line of the template gives, or shows an example of.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.strip_prefix("# ").unwrap_or(line).split_once(':')?;
    (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).then_some(key)
}

/// A reason behind a value. What stands in files of others is no line of ours.
fn comment(why: &str) -> String {
    let why: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if why.is_empty() { why } else { format!("  # {why}") }
}

/// A text as YAML needs it: bare if nothing in it means something else.
pub(super) fn plain(text: &str) -> String {
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if is_bare { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
