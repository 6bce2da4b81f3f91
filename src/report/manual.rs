//! The manual of the rules, in Markdown: a table of all, and a page of each with its reason, what to do instead, and its examples.

use crate::lint::example;
use crate::lint::finding::{Finding, Suggestion};
use crate::problem::Problem;
use crate::rule::example::Example;
use crate::rule::file::Rule;
use crate::rule::set::{Entry, RuleSet};
use crate::rule::vocabulary;
use std::fmt::Write;

const HEAD: &str = "# All rules

The class is what a finding makes of a migration as written. Names under *elsewhere* are understood wherever a rule is named. Written by
`lockkeeper rules --markdown`; `lockkeeper explain RULE` shows one of them with a report of its first example.

";

/// All rules.
///
/// # Errors
/// The first rule that cannot be read.
pub fn rules(rules: &mut RuleSet) -> Result<String, Problem> {
    let mut text = HEAD.to_owned();
    text.push_str(&vocabulary::table(rules)?);
    let ids: Vec<_> = rules.all().map(|entry| entry.id.clone()).collect();
    for id in ids {
        // What is off shows what it would say.
        text.push_str(&rules.while_on(&id, page).transpose()?.unwrap_or_default());
    }
    Ok(text)
}

/// What there is to say about a rule.
///
/// # Errors
/// Its file cannot be read.
pub fn page(entry: &Entry, rules: &RuleSet) -> Result<String, Problem> {
    let rule = entry.rule().map_err(Clone::clone)?;
    let examples = entry.examples()?;
    let mut page = Page { text: String::new(), told: Vec::new(), entry, rules };
    page.head(rule);
    for bad in &examples.bad {
        page.bad(bad);
    }
    if !examples.good.is_empty() {
        let good: Vec<_> = examples.good.iter().map(sql).collect();
        let _ = write!(page.text, "\nNothing is said of these:\n\n{}\n", fenced(&good.join("\n\n")));
    }
    Ok(page.text)
}

struct Page<'a> {
    text: String,
    /// Reasons that stand further up.
    told: Vec<String>,
    entry: &'a Entry,
    rules: &'a RuleSet,
}

// Writing to a String does not fail.
impl Page<'_> {
    fn head(&mut self, rule: &Rule) {
        let off = match (rule.opt_in, rule.preset.is_some()) {
            (false, _) => "",
            (true, true) => ", off unless its preset is on",
            (true, false) => ", off by default",
        };
        let _ = write!(self.text, "\n## {}\n\n{}. **{}**, {}{off}.\n", self.entry.id, rule.title, rule.severity, rule.class);
    }

    /// SQL on which it speaks, what it says, and at the first time why and what to do instead.
    fn bad(&mut self, example: &Example) {
        let report = example::report(example, self.rules);
        let mut findings = report.migrations.into_iter().flat_map(|migration| migration.findings);
        let Some(finding) = findings.find(|finding| finding.rule == self.entry.id) else { return };
        let _ = write!(self.text, "\n{}\n", fenced(&sql(example)));
        let _ = write!(self.text, "\n> {}[{}] {}\n", finding.severity, finding.rule, finding.message);
        self.reason(&finding);
    }

    fn reason(&mut self, finding: &Finding) {
        let why = finding.why.trim();
        if !why.is_empty() && !self.told.iter().any(|told| told == why) {
            let _ = write!(self.text, "\n{why}\n");
            self.told.push(why.to_owned());
        }
        if let Some(suggestion) = &finding.suggestion
            && !self.told.contains(&suggestion.title)
        {
            self.instead(suggestion);
            self.told.push(suggestion.title.clone());
        }
    }

    fn instead(&mut self, suggestion: &Suggestion) {
        let _ = write!(self.text, "\nInstead, {}: {}.\n", suggestion.class, suggestion.title.trim_end_matches('.'));
        for step in &suggestion.steps {
            let words = step.text.trim_end();
            match step.phase.as_str() {
                "deploy" => {
                    let _ = write!(self.text, "\n- *deploy*: {words}\n");
                }
                phase => {
                    let _ = write!(self.text, "\n- *{phase}*:\n\n{}\n", fenced(words));
                }
            }
        }
    }
}

/// The files of an example, its name above them.
fn sql(example: &Example) -> String {
    let name = example.name.as_ref().map(|name| format!("-- {name}\n")).unwrap_or_default();
    let others = example.files.iter().map(|file| (file.name.as_str(), file.sql.as_str()));
    let files: Vec<_> = others.chain(example.sql.as_deref().map(|sql| (example.file.as_str(), sql))).collect();
    match files[..] {
        [(_, only)] => name + only.trim_end(),
        _ => name + &files.iter().map(|(file, sql)| format!("-- {file}\n{}", sql.trim_end())).collect::<Vec<_>>().join("\n"),
    }
}

/// As a block of SQL; bytes that no page should hold are shown by their names.
fn fenced(sql: &str) -> String {
    let lines: Vec<_> = sql.lines().map(crate::text::shown).collect();
    format!("```sql\n{}\n```", lines.join("\n"))
}
