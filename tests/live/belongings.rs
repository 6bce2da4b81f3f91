//! With all that hangs on a column carried over, the column that takes its place ends as a renamed one would; undone, nothing is left of it.

use super::same_end::picture::Picture;
use super::servers::{new_database, remove_database, servers};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use lockkeeper::model::catalog::{Catalog, Relation, Step};
use lockkeeper::model::effects::Version;
use lockkeeper::model::name::{Ident, Name};
use lockkeeper::plan::belongings::{Belonging, Replacement, before_drop, belongings};
use lockkeeper::plan::definition::Definitions;
use lockkeeper::sql::{Script, read};
use lockkeeper::text::{SourceFile, Span};

/// The column of each table, and what takes its place.
const FROM: &str = "email";
const TO: &str = "address";

#[test]
fn a_column_that_takes_the_place_of_another_has_all_that_hung_on_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/belongings/from-14.sql");
    let source = SourceFile::read(path).expect("it is there");
    let script = read(&source, Span::new(0, source.bytes().len() as u32));
    let mut catalog = Catalog::new(true);
    for operation in script.statements.iter().flat_map(|statement| &statement.operations) {
        catalog.replay(&operation.what, Step(1));
        catalog.place(&operation.what, &source);
    }
    let mut faults = Vec::new();
    for server in servers().iter().filter(|server| server.installation().version.0 >= 14) {
        let story = Story { source: &source, script: &script, catalog: &catalog, server };
        faults.extend(block_on(story.play()).expect("an event queue"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

struct Story<'a> {
    source: &'a SourceFile,
    script: &'a Script,
    catalog: &'a Catalog,
    server: &'a Server,
}

impl Story<'_> {
    async fn play(&self) -> Vec<String> {
        let mut tables: Vec<&Relation> = self
            .catalog
            .relations()
            .filter(|relation| relation.is_table() && relation.partition_of.is_none() && relation.column(&Ident::quoted(FROM)).is_some())
            .collect();
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        assert!(tables.len() > 3);
        let mut faults = Vec::new();
        let (mut agree, mut carried) = (0, 0);
        for table in &tables {
            let found = self.belongings(table);
            carried += found.len();
            let left: Vec<&Belonging> = found.iter().filter(|belonging| belonging.carried().is_none()).collect();
            assert!(left.is_empty(), "{left:?} has to be carried over");
            let by_name = self.end_of(&[format!("ALTER TABLE {} RENAME COLUMN {FROM} TO {TO}", written(table).sql())]).await;
            let (untouched, plan) = (self.end_of(&[]).await, Plan::of(table, self.catalog, &found));
            let ends =
                [("", by_name, self.end_of(&plan.there()).await), (" and back", untouched, self.end_of(&plan.there_and_back()).await)];
            for (way, expected, end) in ends {
                let differences = match (expected, end) {
                    (Ok(expected), Ok(end)) => differences(&expected, &end),
                    (Err(refusal), _) | (_, Err(refusal)) => vec![refusal],
                };
                agree += usize::from(differences.is_empty());
                let release = &self.server.installation().release;
                faults.extend(differences.iter().map(|difference| format!("{release}, {}{way}: {difference}", table.name)));
            }
        }
        println!("{}: {agree} of {} ends agree, {carried} things carried over", self.server.installation().release, 2 * tables.len());
        faults
    }

    fn belongings(&self, table: &Relation) -> Vec<Belonging> {
        let (from, to, written) = (Ident::quoted(FROM), Ident::quoted(TO), written(table));
        let server = Version(self.server.installation().version.0);
        belongings(&Replacement { catalog: self.catalog, server, table, written: &written, from: &from, to: &to })
    }

    /// The schema after the story and these statements.
    async fn end_of(&self, statements: &[String]) -> Result<Picture, String> {
        let options = new_database(self.server).await;
        let mut connection = Connection::open(&options).await.expect("the server answers");
        // Roles are there for all databases.
        let roles = "DO $$ BEGIN DROP OWNED BY shop_app; DROP ROLE shop_app; EXCEPTION WHEN undefined_object THEN END $$";
        connection.run(roles).await.map_err(|refusal| format!("{roles}: {refusal}"))?;
        let story = self.script.statements.iter().map(|statement| self.source.text(statement.span).into_owned());
        for sql in story.chain(statements.iter().cloned()) {
            connection.run(&sql).await.map_err(|refusal| format!("{sql}: {refusal}"))?;
        }
        let picture = Picture::take(&mut connection).await.map_err(|refusal| refusal.to_string())?;
        connection.run(roles).await.map_err(|refusal| format!("{roles}: {refusal}"))?;
        connection.close().await;
        remove_database(self.server, &options).await;
        Ok(picture)
    }
}

fn written(table: &Relation) -> Name {
    let schema = (table.name.schema != "public").then(|| table.name.schema.clone());
    Name { schema, name: table.name.name.clone() }
}

fn differences(expected: &Picture, end: &Picture) -> Vec<String> {
    let missing =
        expected.lines().iter().filter(|line| !end.lines().contains(line)).map(|(thing, what)| format!("missing {thing}: {what}"));
    let more = end.lines().iter().filter(|line| !expected.lines().contains(line)).map(|(thing, what)| format!("instead {thing}: {what}"));
    missing.chain(more).collect()
}

/// The statements of a plan that has nothing but a copy of the column and what hangs on it.
struct Plan<'a> {
    table: &'a Relation,
    expand: Vec<String>,
    found: &'a [Belonging],
}

impl<'a> Plan<'a> {
    fn of(table: &'a Relation, catalog: &Catalog, found: &'a [Belonging]) -> Self {
        let column = table.column(&Ident::quoted(FROM)).expect("the story gives it one");
        let data_type = Definitions::new(catalog).data_type(column).expect("the story tells it");
        let sql = written(table).sql();
        let mut expand = vec![format!("ALTER TABLE {sql} ADD COLUMN {TO} {data_type}")];
        expand.extend(found.iter().filter_map(Belonging::carried).flat_map(|carried| carried.with_column.clone()));
        expand.push(format!("UPDATE {sql} SET {TO} = {FROM}"));
        Self { table, expand, found }
    }

    fn there(&self) -> Vec<String> {
        let carried = || self.found.iter().filter_map(Belonging::carried);
        let mut statements = self.expand.clone();
        for step in carried().flat_map(|carried| &carried.build) {
            statements.push(step.sql.join("; "));
        }
        let drop = format!("ALTER TABLE {} DROP COLUMN {FROM}", written(self.table).sql());
        let mut contract: Vec<&str> = before_drop(self.found);
        contract.push(&drop);
        contract.extend(carried().flat_map(|carried| &carried.after_drop).map(String::as_str));
        statements.extend(["BEGIN".to_owned(), contract.join("; "), "COMMIT".to_owned()]);
        statements
    }

    fn there_and_back(&self) -> Vec<String> {
        let mut statements = self.expand.clone();
        let steps: Vec<_> = self.found.iter().filter_map(Belonging::carried).flat_map(|carried| &carried.build).collect();
        statements.extend(steps.iter().map(|step| step.sql.join("; ")));
        statements.extend(steps.iter().rev().flat_map(|step| step.back.clone()));
        statements.push(format!("ALTER TABLE {} DROP COLUMN {TO}", written(self.table).sql()));
        statements
    }
}
