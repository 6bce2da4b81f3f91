//! What migrations will touch, as lint has judged them.

use crate::lint::finding::{Assessed, Judged};
use crate::model::effects::InTransaction;
use crate::model::lock::LockMode;
use crate::model::name::{Ident, QualifiedName};
use std::collections::{BTreeMap, BTreeSet};

/// What migrations lock, write anew, build and make. Some of it they make themselves: the server does not know it yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The strongest lock on each relation.
    pub locks: BTreeMap<QualifiedName, LockMode>,
    /// Tables and materialized views whose rows are written anew.
    pub rewrites: BTreeSet<QualifiedName>,
    /// Indexes that are built for the first time, with the tables one of which each is built on.
    pub builds: BTreeMap<QualifiedName, BTreeSet<QualifiedName>>,
    /// Indexes that are built anew.
    pub rebuilds: BTreeSet<QualifiedName>,
    /// Something is built or detached concurrently: it waits for every transaction that is older, whatever that has locked.
    pub waits_for_all: bool,
    /// What is made new: a relation, type or function in a schema.
    pub makes: bool,
    /// What is made new: a schema or an extension in the database.
    pub makes_schemas: bool,
    /// How many statements may do something that nobody can tell.
    pub opaque: usize,
}

impl Touched {
    /// What these migrations touch together.
    pub fn by<'a>(migrations: impl IntoIterator<Item = &'a Assessed>) -> Self {
        let mut touched = Self::default();
        for judged in migrations.into_iter().flat_map(|assessed| &assessed.statements) {
            touched.add(judged);
        }
        touched
    }

    fn add(&mut self, judged: &Judged) {
        let effects = &judged.effects;
        let permanent = |name: &&QualifiedName| !is_temporary(&name.schema);
        for lock in effects.locks.iter().filter(|lock| permanent(&&lock.relation)) {
            let mode = self.locks.entry(lock.relation.clone()).or_insert(lock.mode);
            *mode = lock.mode.max(*mode);
        }
        self.rewrites.extend(effects.rewrites.iter().filter(permanent).cloned());
        self.rebuilds.extend(effects.rebuilds.iter().filter(permanent).cloned());
        let tables: BTreeSet<QualifiedName> = effects.locks.iter().map(|lock| lock.relation.clone()).collect();
        for index in effects.builds.iter().filter(permanent) {
            self.builds.entry(index.clone()).or_default().extend(tables.iter().cloned());
        }
        let words = judged.operations.iter().chain(judged.body.iter().flat_map(|inner| &inner.operations));
        for word in words {
            self.makes_schemas |= matches!(*word, "create_schema" | "create_extension");
            self.makes |= word.starts_with("create_") && !matches!(*word, "create_schema" | "create_extension");
            let concurrent = matches!(*word, "create_index" | "drop_index" | "reindex" | "detach_partition");
            self.waits_for_all |= concurrent && effects.transaction == InTransaction::Forbidden;
        }
        self.opaque += usize::from(effects.opaque);
    }
}

fn is_temporary(schema: &Ident) -> bool {
    *schema == "pg_temp"
}
