//! What reads a column: triggers, policies, statistics, views, functions, rules, publications, children.

use super::values::literal;
use super::{Carried, Carrier, Fate, What};
use crate::model::catalog::{Firing, Function, Policy, Trigger};
use crate::model::name::{Ident, QualifiedName};
use crate::plan::definition::{Gap, callable, list};
use crate::sql::lex::{Lexer, Token};
use crate::text::{SourceFile, Span};
use std::sync::Arc;

impl Carrier<'_> {
    pub(super) fn readers(&mut self) {
        self.statistics();
        self.triggers();
        self.policies();
        self.views();
        self.functions();
        self.rules();
        self.publications();
        self.children();
    }

    fn statistics(&mut self) {
        let (table, from) = (self.to.table, self.to.from);
        for statistics in table.statistics.iter().filter(|statistics| statistics.reads(from)) {
            let name = self.names.copy_of(&statistics.name.schema, &statistics.name.name, from, self.to.to);
            let copy = QualifiedName { schema: statistics.name.schema.clone(), name: name.clone() };
            let copied = crate::plan::definition::qualified(&copy);
            let kinds = if statistics.kinds.is_empty() { String::new() } else { format!(" {}", list(&statistics.kinds)) };
            let columns = statistics.columns.iter().map(|column| Ok(self.definitions.name(&table.name, column).sql()));
            let expressions =
                statistics.expressions.iter().map(|expression| Ok(format!("({})", self.definitions.expression(table, expression)?)));
            let on: Result<Vec<String>, Gap> = columns.chain(expressions).collect();
            let carried = on.map(|on| Carried {
                with_column: vec![format!("CREATE STATISTICS {copied}{kinds} ON {} FROM {}", on.join(", "), self.table())],
                after_drop: vec![format!("ALTER STATISTICS {copied} RENAME TO {}", statistics.name.name.sql())],
                ..Carried::default()
            });
            self.carry(What::Statistics, format!("statistics {}", statistics.name.name.sql()), carried);
        }
    }

    /// PostgreSQL drops no column that a trigger names; the trigger is made anew with the other one.
    fn triggers(&mut self) {
        let (table, from) = (self.to.table, self.to.from);
        let names = |trigger: &&Trigger| {
            trigger.of_columns.contains(from) || trigger.when.as_ref().is_some_and(|condition| condition.columns.contains(from))
        };
        for trigger in table.triggers.iter().filter(names) {
            let carried = self.trigger(trigger).map(|create| {
                let (name, table) = (trigger.name.sql(), self.table());
                let mut sql = vec![format!("DROP TRIGGER {name} ON {table}"), create];
                let firing = match trigger.firing {
                    Firing::Origin => None,
                    Firing::Always => Some("ENABLE ALWAYS"),
                    Firing::Replica => Some("ENABLE REPLICA"),
                    Firing::Never => Some("DISABLE"),
                };
                sql.extend(firing.map(|firing| format!("ALTER TABLE {table} {firing} TRIGGER {name}")));
                if let Some(Ok(comment)) = trigger.comment.as_deref().map(literal) {
                    sql.push(format!("COMMENT ON TRIGGER {name} ON {table} IS {comment}"));
                }
                Carried::before(sql)
            });
            self.carry(What::Trigger, format!("trigger {}", trigger.name.sql()), carried);
        }
    }

    /// CREATE TRIGGER.
    fn trigger(&self, trigger: &Trigger) -> Result<String, Gap> {
        let table = self.to.table;
        let function = trigger.function.as_ref().ok_or_else(|| Gap::new("the history does not tell its function"))?;
        let mut sql = format!("CREATE {}TRIGGER {}", if trigger.constraint { "CONSTRAINT " } else { "" }, trigger.name.sql());
        sql.push_str(if trigger.before {
            " BEFORE "
        } else if trigger.instead {
            " INSTEAD OF "
        } else {
            " AFTER "
        });
        let columns: Vec<String> = trigger.of_columns.iter().map(|column| self.definitions.name(&table.name, column).sql()).collect();
        let event = |event: &str| match event {
            "update" if !columns.is_empty() => format!("UPDATE OF {}", columns.join(", ")),
            event => event.to_uppercase(),
        };
        sql.push_str(&trigger.events.iter().map(|word| event(word)).collect::<Vec<_>>().join(" OR "));
        sql.push_str(&format!(" ON {}", self.table()));
        if let Some(from) = &trigger.from {
            sql.push_str(&format!(" FROM {}", from.sql()));
        }
        if trigger.deferrable {
            sql.push_str(if trigger.deferred { " DEFERRABLE INITIALLY DEFERRED" } else { " DEFERRABLE" });
        }
        if let Some(referencing) = &trigger.referencing {
            sql.push_str(&format!(" {referencing}"));
        }
        sql.push_str(if trigger.for_each_row { " FOR EACH ROW" } else { " FOR EACH STATEMENT" });
        if let Some(when) = &trigger.when {
            sql.push_str(&format!(" WHEN ({})", self.definitions.expression(table, when)?));
        }
        Ok(format!("{sql} EXECUTE FUNCTION {}({})", callable(function), trigger.arguments.join(", ")))
    }

    fn policies(&mut self) {
        let (table, from) = (self.to.table, self.to.from);
        let reads = |policy: &&Policy| policy.using.iter().chain(&policy.check).any(|condition| condition.columns.contains(from));
        for policy in table.policies.iter().filter(reads) {
            let carried = self.policy(policy);
            self.carry(What::Policy, format!("policy {}", policy.name.sql()), carried);
        }
    }

    fn policy(&self, policy: &Policy) -> Result<Carried, Gap> {
        let mut sql = format!("ALTER POLICY {} ON {}", policy.name.sql(), self.table());
        if let Some(using) = &policy.using {
            sql.push_str(&format!(" USING ({})", self.definitions.expression(self.to.table, using)?));
        }
        if let Some(check) = &policy.check {
            sql.push_str(&format!(" WITH CHECK ({})", self.definitions.expression(self.to.table, check)?));
        }
        Ok(Carried::before(vec![sql]))
    }

    fn views(&mut self) {
        for view in self.to.catalog.dependents(&self.to.table.name, self.to.from).views {
            let query = view.query.as_ref().and_then(|query| query.text());
            let shown =
                query.map_or(String::new(), |query| format!("; now it is {}", query.split_whitespace().collect::<Vec<_>>().join(" ")));
            let (kind, name) = (view.kind.words(), self.definitions.table(&view.name));
            let (from, to) = (self.to.from.sql(), self.to.to.sql());
            let reason = format!(
                "PostgreSQL drops no column that a view reads: before that, make it read {to}, called {from} as its readers know it{shown}"
            );
            self.push(What::View, format!("{kind} {name}"), Fate::Manual(reason));
        }
    }

    /// Functions whose bodies PostgreSQL keeps parsed, and those that the table's triggers run, as far as their bodies name the column.
    fn functions(&mut self) {
        let (table, from) = (self.to.table, self.to.from);
        let runs = |name: &QualifiedName| {
            table.triggers.iter().filter_map(|trigger| trigger.function.as_ref()).any(|run| self.to.catalog.resolve_function(run) == *name)
        };
        let mut found = Vec::new();
        for (name, function) in self.to.catalog.all_functions() {
            let of_trigger = runs(name);
            if !(of_trigger || function.atomic) {
                continue;
            }
            let words = body_names(function);
            if words.contains(from) && (of_trigger || words.contains(&table.name.name)) {
                found.push((name.clone(), of_trigger));
            }
        }
        found.sort();
        for (name, of_trigger) in found {
            let shown = crate::plan::definition::qualified(&name);
            let (from, to) = (self.to.from.sql(), self.to.to.sql());
            let reason = match of_trigger {
                true => format!("a trigger of the table runs it, and it names {from}: make it write and read {to} before {from} goes"),
                false => format!("PostgreSQL drops no column that its body reads: before that, make it read {to}"),
            };
            self.push(What::Function, format!("function {shown}"), Fate::Manual(reason));
        }
    }

    fn rules(&mut self) {
        for rule in &self.to.table.rules {
            let reason = format!("it may name {}, and its body is not known: make it anew if it does", self.to.from.sql());
            self.push(What::Rule, format!("rule {}", rule.sql()), Fate::Manual(reason));
        }
    }

    fn publications(&mut self) {
        let (table, from, to) = (&self.to.table.name, self.to.from, self.to.to);
        for published in self.to.catalog.publications_of(table) {
            let publication = published.publication.sql();
            let reads_it =
                published.columns.contains(from) || published.filter.as_ref().is_some_and(|filter| filter.columns.contains(from));
            let reason = if reads_it || published.columns.is_empty() {
                let columns = if published.columns.is_empty() {
                    String::new()
                } else {
                    format!(" {}", list(published.columns.iter().map(|column| self.definitions.name(table, column))))
                };
                let filter = published.filter.as_ref().and_then(|filter| self.definitions.expression(self.to.table, filter).ok());
                let filter = filter.map_or(String::new(), |filter| format!(" WHERE ({filter})"));
                let again = match reads_it {
                    true => format!(
                        "; then, in one transaction, ALTER PUBLICATION {publication} DROP TABLE {0} and ADD TABLE {0}{columns}{filter}",
                        self.table()
                    ),
                    false => String::new(),
                };
                format!("subscribers need the column {} before it is published{again}", to.sql())
            } else {
                continue;
            };
            self.push(What::Publication, format!("publication {publication}"), Fate::Manual(reason));
        }
    }

    /// INHERITS children have the column from here, and indexes and keys of their own.
    fn children(&mut self) {
        if self.to.table.partition_by.is_some() {
            return;
        }
        for child in &self.to.table.children {
            let shown = self.definitions.table(child);
            let has_own = self.to.catalog.get(child).is_none_or(|child| {
                self.to.catalog.indexes_of(child).any(|(_, index)| index.mentions(self.to.from))
                    || child.constraints.iter().any(|constraint| constraint.parent.is_none() && constraint.mentions(self.to.from))
            });
            if has_own {
                let reason =
                    format!("it has indexes or constraints of its own over {}: build them over {}", self.to.from.sql(), self.to.to.sql());
                self.push(What::Inheritance, format!("child {shown}"), Fate::Manual(reason));
            }
        }
    }
}

/// The names in the body of a function, its strings not among them; nothing if it is not known where it stands.
pub(in crate::plan) fn body_names(function: &Function) -> Vec<Ident> {
    let Some((source, span)) = &function.body else { return Vec::new() };
    let tokens: Vec<Token> = Lexer::new(source, *span).collect();
    let quoted = match &tokens[..] {
        [literal] => literal.string_value(source),
        _ => None,
    };
    let idents = |source: &Arc<SourceFile>, tokens: &[Token]| tokens.iter().filter_map(|token| token.ident(source)).collect();
    match quoted {
        Some(body) => {
            let inside = SourceFile::new("body", body.as_bytes());
            let tokens: Vec<Token> = Lexer::new(&inside, Span::new(0, body.len() as u32)).collect();
            idents(&inside, &tokens)
        }
        None => idents(source, &tokens),
    }
}
