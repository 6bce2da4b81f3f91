//! A definition that is written out of the catalog, for a copy of a column, makes what the original made: the server prints both alike.

use super::servers::{new_database, remove_database, servers};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use lockkeeper::model::catalog::{Catalog, Column, Relation, Step};
use lockkeeper::model::effects::Effects;
use lockkeeper::model::name::{Ident, QualifiedName};
use lockkeeper::model::operation::ConstraintKind;
use lockkeeper::model::session::{Session, TransactionMode};
use lockkeeper::plan::definition::{Add, Definitions};
use lockkeeper::plan::names::Names;
use lockkeeper::sql::{Script, read};
use lockkeeper::text::{SourceFile, Span};
use std::path::PathBuf;

#[test]
fn a_copy_of_a_column_has_the_definitions_of_the_original() {
    let mut faults = Vec::new();
    for server in servers() {
        let mut count = Count::default();
        for (path, _) in stories().into_iter().filter(|(_, since)| *since <= server.installation().version.0) {
            let source = SourceFile::read(&path).expect("it was listed");
            let script = read(&source, Span::new(0, source.bytes().len() as u32));
            block_on(compare(&source, &script, server, &mut count)).expect("an event queue");
        }
        println!("{}: {} of {} definitions agree", server.installation().release, count.agree, count.total);
        assert!(count.total > 100, "nothing was compared on {}", server.installation().release);
        faults.extend(count.faults.iter().map(|fault| format!("{}: {fault}", server.installation().release)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// The stories, and the first major version that can run each: `from-15.sql`.
fn stories() -> Vec<(PathBuf, u8)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/definitions");
    let files = folder.read_dir().expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let since = |path: &PathBuf| path.file_stem()?.to_str()?.strip_prefix("from-")?.parse().ok();
    let mut stories: Vec<(PathBuf, u8)> = files.map(|path| (path.clone(), since(&path).expect("its name says since when"))).collect();
    stories.sort();
    stories
}

#[derive(Default)]
struct Count {
    agree: usize,
    total: usize,
    faults: Vec<String>,
}

fn replay(script: &Script) -> Catalog {
    let mut catalog = Catalog::new(true);
    let mut session = Session::new(TransactionMode::Explicit, Step(1));
    for (index, statement) in script.statements.iter().enumerate() {
        for operation in &statement.operations {
            catalog.replay(&operation.what, Step(1));
            session.advance(&operation.what, &Effects::default(), index);
            catalog.follow(&session);
        }
    }
    catalog
}

async fn compare(source: &SourceFile, script: &Script, server: &Server, count: &mut Count) {
    let options = new_database(server).await;
    let mut connection = Connection::open(&options).await.expect("the server answers");
    for statement in &script.statements {
        let text = source.text(statement.span);
        connection.run(&text).await.unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    }
    let catalog = replay(script);
    let mut tables: Vec<&Relation> = catalog.relations().filter(|relation| relation.is_table()).collect();
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    for table in tables {
        for column in &table.columns {
            let mut copy = CopyOf::new(&catalog, table, column);
            connection.run("BEGIN").await.expect("no transaction is open");
            copy.make(&mut connection, count).await;
            connection.run("ROLLBACK").await.expect("a transaction is open");
        }
    }
    connection.close().await;
    remove_database(server, &options).await;
}

/// A column, and the one that is to be like it.
struct CopyOf<'a> {
    catalog: &'a Catalog,
    table: &'a Relation,
    column: &'a Column,
    to: Ident,
    definitions: Definitions<'a>,
    /// What is made, in turn: a query for the original's definition, the statement, and a query for the copy's.
    pairs: Vec<(String, String, String)>,
}

impl<'a> CopyOf<'a> {
    fn new(catalog: &'a Catalog, table: &'a Relation, column: &'a Column) -> Self {
        let mut names = Names::new(catalog);
        let to = names.free(&table.name.schema, column.name.as_str(), "_copy");
        let definitions = Definitions::new(catalog).renaming(&table.name, &column.name, &to);
        Self { catalog, table, column, to, definitions, pairs: Vec::new() }
    }

    fn sql_table(&self) -> String {
        self.definitions.table(&self.table.name)
    }

    async fn make(&mut self, connection: &mut Connection, count: &mut Count) {
        self.list();
        let (table, from, to) = (self.sql_table(), self.column.name.sql(), self.to.sql());
        let mut made = Vec::new();
        for (number, (original, sql, copy)) in std::mem::take(&mut self.pairs).into_iter().enumerate() {
            count.total += 1;
            connection.run("SAVEPOINT one").await.expect("the transaction goes on");
            let before = connection.texts(&original).await.unwrap_or_else(|refusal| panic!("{original}: {refusal}")).join("; ");
            match connection.run(&sql).await {
                Ok(()) => made.push((before, sql, copy)),
                Err(refusal) => {
                    connection.run("ROLLBACK TO one").await.expect("there is a savepoint");
                    count.faults.push(format!("{table}.{from}: {sql}: {refusal}"));
                    if number == 0 {
                        return;
                    }
                }
            }
        }
        // With the names changed places, the server prints the copy as it printed the original.
        connection.run(&format!("ALTER TABLE {table} RENAME COLUMN {from} TO \"the original\"")).await.expect("the column is there");
        connection.run(&format!("ALTER TABLE {table} RENAME COLUMN {to} TO {from}")).await.expect("its copy is there");
        for (before, sql, copy) in made {
            let after = connection.texts(&copy).await.unwrap_or_else(|refusal| panic!("{copy}: {refusal}")).join("; ");
            if before == after && !before.is_empty() {
                count.agree += 1;
            } else {
                count.faults.push(format!("{table}.{from}: {sql}\n  original {before}\n  copy     {after}"));
            }
        }
    }

    /// The column itself, then all that names it. What cannot be written is a fault of its own.
    fn list(&mut self) {
        let (table, definitions) = (self.table, self.definitions.clone());
        let of_column = |name: &Ident| attribute(&table.name, name);
        let sql = match definitions.column(table, self.column) {
            Ok(column) => format!("ALTER TABLE {} ADD COLUMN {column}", self.sql_table()),
            Err(gap) => gap.reason().to_owned(),
        };
        // At the end it has the name of the original.
        self.pairs.push((of_column(&self.column.name), sql, of_column(&self.column.name)));
        let copy = |number: usize| Ident::quoted(&format!("copy {number}"));
        let indexes = self.catalog.indexes_of(table).filter(|(_, index)| index.mentions(&self.column.name));
        for (number, (relation, index)) in indexes.enumerate() {
            // One behind an exclusion constraint is made with that.
            if index.constraint.is_none() || index.unique && index.method == "btree" {
                let name = copy(number);
                let sql = definitions.index(relation, &name, false).unwrap_or_else(|gap| gap.reason().to_owned());
                let made = QualifiedName { schema: relation.name.schema.clone(), name };
                self.pairs.push((index_definition(&relation.name), sql, index_definition(&made)));
            }
        }
        for (number, constraint) in table.constraints.iter().filter(|constraint| constraint.mentions(&self.column.name)).enumerate() {
            // There is one primary key; its index was met above. NOT NULL is the column's.
            if matches!(constraint.kind, ConstraintKind::PrimaryKey(_) | ConstraintKind::NotNull { .. }) {
                continue;
            }
            let name = copy(1000 + number);
            let sql = match definitions.constraint(table, constraint, &name, Add::Whole) {
                Ok(sql) => format!("ALTER TABLE {} ADD {sql}", self.sql_table()),
                Err(gap) => gap.reason().to_owned(),
            };
            let pair = (constraint_definition(&table.name, &constraint.name), sql, constraint_definition(&table.name, &name));
            self.pairs.push(pair);
        }
        let reads =
            |other: &&Column| other.generated.as_ref().is_some_and(|generated| generated.expression.columns.contains(&self.column.name));
        for (number, other) in table.columns.iter().filter(reads).enumerate() {
            let name = copy(2000 + number);
            // Renamed as well, since it cannot stand twice under its own name.
            let definitions = definitions.clone().renaming(&table.name, &other.name, &name);
            let sql = match definitions.column(table, other) {
                Ok(column) => format!("ALTER TABLE {} ADD COLUMN {column}", self.sql_table()),
                Err(gap) => gap.reason().to_owned(),
            };
            self.pairs.push((attribute(&table.name, &other.name), sql, attribute(&table.name, &name)));
        }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// All of a column but its name.
fn attribute(table: &QualifiedName, column: &Ident) -> String {
    format!(
        "SELECT format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation::regcollation::text || ' ' || a.attnotnull::text || ' '
                || a.attidentity::text || a.attgenerated::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = {}::regclass AND a.attname = {}",
        literal(&table.sql()),
        literal(column.as_str())
    )
}

/// CREATE INDEX as the server prints it, without the name.
fn index_definition(index: &QualifiedName) -> String {
    let of = literal(&index.sql());
    let name = literal(index.name.as_str());
    format!("SELECT replace(pg_get_indexdef({of}::regclass), ' ' || quote_ident({name}) || ' ON ', ' ON ')")
}

fn constraint_definition(table: &QualifiedName, name: &Ident) -> String {
    format!(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}",
        literal(&table.sql()),
        literal(name.as_str())
    )
}
