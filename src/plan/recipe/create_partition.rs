//! A new partition that stops nobody: a table like the parent, then attached.

use super::attach_partition::{ATTACH, BESIDE, beside_default, is_partition};
use super::{Cooked, is_known};
use crate::model::operation::{Bound, CreateTable, Operation, Persistence};
use crate::plan::clauses::Clauses;
use crate::plan::names::Names;
use crate::plan::{Ask, Phase, Refusal, Stage};

/// CREATE TABLE ... (LIKE ...) and ATTACH PARTITION instead of CREATE TABLE ... PARTITION OF.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::CreateTable(create)) = ask.operation() else { return Err(Refusal::Unknown("this makes no partition".to_owned())) };
    let Some((parent_name, bound)) = &create.partition_of else { return Err(Refusal::Unknown("this makes no partition".to_owned())) };
    let parent = ask.table(parent_name)?;
    let name = ask.before.creation_name(&create.name, create.persistence);
    if is_known(ask.before, &name) {
        return Err(Refusal::Unknown(format!("there is something called `{}` already", name.name)));
    }
    let written = Written::of(ask, create)?;
    let (table, of) = (create.name.sql(), parent_name.sql());
    let mut names = Names::new(ask.before);
    let check = match bound {
        Bound::Default => None,
        Bound::In(_) | Bound::Range { .. } | Bound::Hash { .. } | Bound::Unknown => {
            beside_default(ask, parent, parent_name, bound, &mut names)?
        }
    };
    let mut phases: Vec<Phase> = check.iter().flat_map(|check| check.phases(BESIDE)).collect();
    let mut make = Phase::new(Stage::Expand, "make")
        .why(format!(
            "CREATE TABLE ... PARTITION OF would take ACCESS EXCLUSIVE on {of} and wait for the slowest of its queries, with all others behind \
             it. ATTACH PARTITION takes SHARE UPDATE EXCLUSIVE, and there is no row to read in a new table."
        ))
        .meanwhile(format!("reads and writes of {of} as before"))
        // Like the parent it has no key if that has none.
        .run_accepting(written.create(&table, &of), &["create-table-without-primary-key"])
        .run_accepting(format!("ALTER TABLE {of} ATTACH PARTITION {table} {}", written.bound), ATTACH)
        .verify(is_partition(&create.name));
    if let Some(check) = &check {
        make = make.run_accepting(check.drop(), &["drop-constraint", "alter-table-twice"]);
    }
    make = make.back(format!("ALTER TABLE {of} DETACH PARTITION {table}")).back(format!("DROP TABLE {table}"));
    phases.push(make);
    let differs = if create.if_not_exists {
        vec![format!("where {table} exists already the plan fails, and does not pass over it")]
    } else {
        Vec::new()
    };
    Ok(Cooked { name: format!("partition-{}", name.name), phases, manual: Vec::new(), differs })
}

/// What the statement says beside the names.
struct Written {
    /// `UNLOGGED `.
    persistence: &'static str,
    bound: String,
    /// PARTITION BY, USING, WITH, TABLESPACE.
    tail: String,
}

impl Written {
    fn of(ask: &Ask<'_>, create: &CreateTable) -> Result<Self, Refusal> {
        let unread = || Refusal::Unknown("this CREATE TABLE ... PARTITION OF cannot be read".to_owned());
        let persistence = match create.persistence {
            Persistence::Permanent => "",
            Persistence::Unlogged => "UNLOGGED ",
            Persistence::Temporary => return Err(Refusal::Unknown("nobody else can see a temporary table".to_owned())),
        };
        if create.foreign {
            return Err(Refusal::Window("a foreign table cannot be made LIKE another one before PostgreSQL 18".to_owned()));
        }
        let clauses = Clauses::of(ask.source, ask.statements.first().ok_or_else(unread)?.span);
        let of = (0..clauses.len()).find(|at| clauses.is(*at, "of") && clauses.is(at.saturating_sub(1), "partition")).ok_or_else(unread)?;
        let begin = clauses.behind_name(of + 1);
        let start = clauses.find(begin, &["for", "default"]).ok_or_else(unread)?;
        if start != begin || !create.columns.is_empty() || ask.operations().count() > 1 {
            return Err(Refusal::Window(
                "columns or constraints of its own stand in the statement, which LIKE would not give it".to_owned(),
            ));
        }
        let end = clauses.find(start, &["partition", "using", "tablespace", "on"]).unwrap_or(clauses.len());
        // WITH (MODULUS ...) belongs to the bound, the next one is that of storage parameters.
        let first = clauses.find(start, &["with"]).filter(|at| *at < end);
        let values = |at: usize| clauses.is(at.saturating_sub(1), "values");
        let storage = match first {
            Some(at) if values(at) => clauses.find(at + 1, &["with"]).filter(|at| *at < end),
            other => other,
        };
        let end = storage.unwrap_or(end);
        Ok(Self { persistence, bound: clauses.text(start, end), tail: clauses.text(end, clauses.len()) })
    }

    /// Storage and defaults are the parent's, as those of a partition are; a comment, or statistics of its own, no partition gets.
    fn create(&self, table: &str, parent: &str) -> String {
        let tail = if self.tail.is_empty() { String::new() } else { format!(" {}", self.tail) };
        format!(
            "CREATE {}TABLE {table} (LIKE {parent} INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS EXCLUDING STATISTICS){tail}",
            self.persistence
        )
    }
}
