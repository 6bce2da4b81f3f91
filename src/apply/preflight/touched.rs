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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::discover::{Discovered, Role, in_memory};
    use crate::lint::{self, Settings};
    use crate::model::effects::Version;
    use crate::rule::set::RuleSet;
    use crate::text::SourceFile;

    fn touched(sql: &str) -> Touched {
        let schema = "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE TABLE orders (id int PRIMARY KEY, buyer bigint);";
        let config = Config::default();
        let file = SourceFile::new("0002_change.sql", sql);
        let history = in_memory(Some(SourceFile::new("schema.sql", schema)), &[(file, Role::Subject)], &config);
        let found = Discovered { histories: vec![history], ..Discovered::default() };
        let settings = Settings { rules: &RuleSet::embedded(), config: &config, server: Version(15) };
        Touched::by(&lint::run(found, &settings).migrations)
    }

    fn names<'a>(names: impl IntoIterator<Item = &'a QualifiedName>) -> String {
        names.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_strongest_lock_on_each_relation_counts_and_temporary_ones_do_not() {
        let touched = touched(
            "CREATE TEMP TABLE drafts (id bigint); CREATE INDEX ON drafts (id); UPDATE users SET email = '' WHERE id = 1;
             ALTER TABLE users ADD COLUMN name text; ALTER TABLE orders ADD FOREIGN KEY (buyer) REFERENCES users;",
        );
        assert_eq!(names(touched.locks.keys()), "public.orders, public.users");
        assert_eq!(touched.locks.values().copied().collect::<Vec<_>>(), [LockMode::ShareRowExclusive, LockMode::AccessExclusive]);
        assert!(touched.builds.is_empty() && touched.makes && !touched.makes_schemas && !touched.waits_for_all);
    }

    #[test]
    fn what_is_written_anew_and_what_is_built_is_kept_with_its_tables() {
        let touched = touched("ALTER TABLE orders ALTER COLUMN id TYPE bigint; CREATE INDEX orders_buyer ON orders (buyer);");
        assert_eq!((names(&touched.rewrites), names(&touched.rebuilds)), ("public.orders".to_owned(), "public.orders_pkey".to_owned()));
        assert_eq!(names(touched.builds.keys()), "public.orders_buyer");
        assert!(touched.builds.values().all(|tables| names(tables) == "public.orders"));
    }

    #[test]
    fn what_runs_concurrently_waits_for_all_and_what_cannot_be_told_is_counted() {
        assert!(touched("CREATE INDEX CONCURRENTLY users_email ON users (email);").waits_for_all);
        assert!(!touched("DROP INDEX IF EXISTS users_email;").waits_for_all);
        assert_eq!(touched("DO $$ BEGIN EXECUTE (SELECT email FROM users); END $$;").opaque, 1);
        assert!(touched("CREATE SCHEMA shop;").makes_schemas);
    }
}
