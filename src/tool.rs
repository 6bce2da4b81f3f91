//! The tools that run migrations: what each is called, how it puts a file into transactions, and how it is told otherwise.

use crate::model::session::TransactionMode;

/// A tool that runs migrations written in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// Numbered files that something runs of which nothing is known.
    Plain,
    /// psql, by a script or by hand.
    Psql,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// dbmate.
    Dbmate,
    /// sqlx, by `sqlx migrate` or `migrate!`.
    Sqlx,
    /// refinery.
    Refinery,
    /// diesel.
    Diesel,
    /// Flyway.
    Flyway,
    /// Liquibase, its changelogs in SQL.
    Liquibase,
    /// sqitch.
    Sqitch,
    /// Prisma.
    Prisma,
    /// Drizzle.
    Drizzle,
    /// Supabase's command line.
    Supabase,
    /// Atlas, its versioned migrations.
    Atlas,
    /// node-pg-migrate, its migrations in SQL.
    NodePgMigrate,
    /// Hasura.
    Hasura,
    /// postgres-migrations.
    PostgresMigrations,
    /// graphile-migrate.
    GraphileMigrate,
    /// pg-sql-migrate.
    PgSqlMigrate,
    /// sql-migrate.
    SqlMigrate,
}

/// How a tool is told that a file must not run in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// By this line at the very top.
    FirstLine(&'static str),
    /// By `-- +goose NO TRANSACTION`.
    Goose,
    /// By `transaction:false` behind its line.
    Dbmate,
    /// By `runInTransaction:false` behind its changeset's line.
    Changeset,
    /// By a file beside it, called after it.
    Conf,
    /// By a file in its folder.
    Metadata,
    /// It need not be told.
    Nothing,
    /// Nobody knows.
    Unknown,
    /// It cannot be told.
    Never(&'static str),
}

/// In which order a tool runs the files of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorting {
    /// Nobody knows; by version as a number, which is what most do.
    Unknown,
    /// By version, its parts as numbers.
    Number,
    /// By the name of the file or folder, as text.
    Text,
    /// By the version as text, without the signs in it.
    Digits,
    /// By time: as a number of milliseconds, or as a date of seventeen digits.
    Milliseconds,
    /// By a list that it keeps.
    List,
}

/// What a tool does with a file, one row each.
struct Kind {
    tool: Tool,
    /// What it is called in the config and in reports.
    word: &'static str,
    /// How it puts a file into transactions if nothing tells it otherwise; `None`: nobody knows.
    mode: Option<TransactionMode>,
    /// All new files share that transaction, and every lock lasts until the last of them has run.
    one_transaction: bool,
    told: Told,
    sorting: Sorting,
    /// What runs outside of a transaction reaches the server as one message: of two statements the server makes a transaction again.
    one_message: bool,
}

/// What most tools do: a transaction around each file.
const fn wraps(tool: Tool, word: &'static str, told: Told) -> Kind {
    Kind { tool, word, mode: Some(TransactionMode::Runner), one_transaction: false, told, sorting: Sorting::Number, one_message: false }
}

/// sqlx's line.
pub const NO_TRANSACTION: &str = "-- no-transaction";

/// One row for each, from their manuals and their sources, which docs/tools.md names.
const KINDS: &[Kind] = &[
    Kind { mode: None, sorting: Sorting::Unknown, ..wraps(Tool::Plain, "plain", Told::Unknown) },
    Kind { mode: Some(TransactionMode::None), sorting: Sorting::Unknown, ..wraps(Tool::Psql, "psql", Told::Nothing) },
    Kind { mode: Some(TransactionMode::OneMessage), one_message: true, ..wraps(Tool::GolangMigrate, "golang-migrate", Told::Nothing) },
    wraps(Tool::Goose, "goose", Told::Goose),
    Kind { sorting: Sorting::Text, one_message: true, ..wraps(Tool::Dbmate, "dbmate", Told::Dbmate) },
    Kind { one_message: true, ..wraps(Tool::Sqlx, "sqlx", Told::FirstLine(NO_TRANSACTION)) },
    wraps(Tool::Refinery, "refinery", Told::Never("refinery puts every file into a transaction")),
    Kind { sorting: Sorting::Digits, one_message: true, ..wraps(Tool::Diesel, "diesel", Told::Metadata) },
    wraps(Tool::Flyway, "flyway", Told::Conf),
    Kind { sorting: Sorting::List, ..wraps(Tool::Liquibase, "liquibase", Told::Changeset) },
    Kind { mode: Some(TransactionMode::None), sorting: Sorting::List, ..wraps(Tool::Sqitch, "sqitch", Told::Nothing) },
    Kind {
        mode: Some(TransactionMode::OneMessage),
        sorting: Sorting::Text,
        one_message: true,
        ..wraps(Tool::Prisma, "prisma", Told::Nothing)
    },
    Kind {
        one_transaction: true,
        sorting: Sorting::List,
        ..wraps(Tool::Drizzle, "drizzle", Told::Never("Drizzle puts all new files into one transaction"))
    },
    Kind {
        mode: Some(TransactionMode::OneMessage),
        sorting: Sorting::Digits,
        one_message: true,
        ..wraps(Tool::Supabase, "supabase", Told::Nothing)
    },
    Kind { sorting: Sorting::Text, ..wraps(Tool::Atlas, "atlas", Told::FirstLine("-- atlas:txmode none\n")) },
    Kind {
        one_transaction: true,
        sorting: Sorting::Milliseconds,
        ..wraps(Tool::NodePgMigrate, "node-pg-migrate", Told::Never("node-pg-migrate puts all new files into one transaction"))
    },
    wraps(Tool::Hasura, "hasura", Told::Never("Hasura sends every file as a transaction")),
    Kind {
        one_message: true,
        ..wraps(Tool::PostgresMigrations, "postgres-migrations", Told::FirstLine("-- postgres-migrations disable-transaction"))
    },
    Kind { one_message: true, ..wraps(Tool::GraphileMigrate, "graphile-migrate", Told::FirstLine("--! no-transaction")) },
    Kind { one_message: true, ..wraps(Tool::PgSqlMigrate, "pg-sql-migrate", Told::FirstLine("-- pg-sql-migrate: DISABLE TRANSACTION")) },
    wraps(Tool::SqlMigrate, "sql-migrate", Told::Unknown),
];

/// The words for the tools, as the config takes them.
pub const WORDS: &[(&str, Tool)] = &words();

const fn words() -> [(&'static str, Tool); KINDS.len()] {
    let mut words = [("", Tool::Plain); KINDS.len()];
    let mut at = 0;
    while at < KINDS.len() {
        words[at] = (KINDS[at].word, KINDS[at].tool);
        at += 1;
    }
    words
}

impl Tool {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|kind| kind.tool)
    }

    /// What it is called in the config and in reports.
    pub fn word(self) -> &'static str {
        self.kind().word
    }

    /// How it puts a file into transactions if nothing tells it otherwise; `None`: nobody knows.
    pub fn mode(self) -> Option<TransactionMode> {
        self.kind().mode
    }

    /// Whether all new files share one transaction, so that every lock lasts until the last of them has run.
    pub fn runs_all_in_one(self) -> bool {
        self.kind().one_transaction
    }

    /// In which order it runs the files of a history.
    pub fn sorting(self) -> Sorting {
        self.kind().sorting
    }

    /// How it is told to leave a file alone.
    pub fn told(self) -> Told {
        self.kind().told
    }

    /// Whether it sends a file that runs alone as one message: of two statements the server makes a transaction again.
    pub fn sends_one_message(self) -> bool {
        self.kind().one_message
    }

    /// How a file runs that is left alone.
    pub fn alone(self) -> TransactionMode {
        if self.sends_one_message() { TransactionMode::OneMessage } else { TransactionMode::None }
    }

    fn kind(self) -> &'static Kind {
        &KINDS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_its_own_row() {
        assert!(Tool::all().all(|tool| tool.kind().tool == tool && WORDS.contains(&(tool.word(), tool))));
    }
}
