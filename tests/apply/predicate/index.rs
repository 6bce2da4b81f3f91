//! CREATE INDEX: what is there under its name, and whether that is what it says.

use super::{ANY, PATH, SHOP, before_and_after, each, evidence, evidence_on, in_words};
use crate::interrupted::{OLD_SNAPSHOT, broken_off, interrupted, run, session};
use crate::servers::on_each;
use insta::assert_snapshot;
use lockkeeper::apply::predicate::{Evidence, look};
use lockkeeper::sql;
use lockkeeper::text::{SourceFile, Span};

#[test]
fn an_index_is_done_once_it_is_there_with_all_that_was_said_of_it() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP, "CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper($1)'"]).await;
        before_and_after(
            &database,
            &[
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer)",
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_key ON ONLY public.orders USING btree (id DESC NULLS LAST, buyer)",
                "CREATE INDEX CONCURRENTLY orders_lower ON orders ((lower(orders.note)), shout(state) COLLATE \"C\" text_pattern_ops DESC)",
                "CREATE INDEX CONCURRENTLY orders_open ON orders (placed) INCLUDE (note, buyer) WITH (fillfactor = 70) WHERE state = 'open' AND note LIKE '%\\%'",
                "CREATE INDEX CONCURRENTLY orders_words ON orders USING gin (to_tsvector('english', note))",
                "CREATE INDEX CONCURRENTLY /* ON */ orders_brin ON orders * USING brin (placed) WITH (pages_per_range = 4) TABLESPACE pg_default",
            ],
        )
        .await
    });
    assert_snapshot!(said, @r#"
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer): not yet, done
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_key ON ONLY public.orders USING btree (id DESC NULLS LAST, buyer): not yet, done
CREATE INDEX CONCURRENTLY orders_lower ON orders ((lower(orders.note)), shout(state) COLLATE "C" text_pattern_ops DESC): not yet, done
CREATE INDEX CONCURRENTLY orders_open ON orders (placed) INCLUDE (note, buyer) WITH (fillfactor = 70) WHERE state = 'open' AND note LIKE '%\%': not yet, done
CREATE INDEX CONCURRENTLY orders_words ON orders USING gin (to_tsvector('english', note)): not yet, done
CREATE INDEX CONCURRENTLY /* ON */ orders_brin ON orders * USING brin (placed) WITH (pages_per_range = 4) TABLESPACE pg_default: not yet, done
"#);
}

#[test]
fn an_index_of_another_definition_is_told_from_the_one_that_is_wanted() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP, "CREATE TABLE drafts (id bigint, buyer bigint)"]).await;
        run(&database, &["CREATE INDEX orders_buyer ON orders (buyer)", "CREATE TABLE orders_note (id bigint)"]).await;
        each(
            &database,
            &[
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (note)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer DESC)",
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_buyer ON orders (buyer, note)",
                "CREATE UNIQUE INDEX CONCURRENTLY orders_buyer ON orders (buyer)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders USING hash (buyer)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer) INCLUDE (note)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer) WHERE state = 'open'",
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer) WITH (fillfactor = 50)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer, nothing)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON drafts (buyer)",
                "CREATE INDEX CONCURRENTLY orders_note ON orders (note)",
                "CREATE INDEX CONCURRENTLY orders_buyer ON payments (buyer)",
            ],
        )
        .await
    });
    assert_snapshot!(said, @r#"
CREATE INDEX CONCURRENTLY orders_buyer ON orders (note): differs: there is `public.orders_buyer`, and its key is `buyer int8_ops`, where the statement says `note text_ops`
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer DESC): differs: there is `public.orders_buyer`, and its key is `buyer int8_ops`, where the statement says `buyer int8_ops DESC`
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_buyer ON orders (buyer, note): differs: there is `public.orders_buyer`, and its key is `buyer int8_ops`, where the statement says `buyer int8_ops, note text_ops`
CREATE UNIQUE INDEX CONCURRENTLY orders_buyer ON orders (buyer): differs: there is `public.orders_buyer`, and its kind is `not unique`, where the statement says `unique`
CREATE INDEX CONCURRENTLY orders_buyer ON orders USING hash (buyer): differs: there is `public.orders_buyer`, and its method is `btree`, where the statement says `hash`
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer) INCLUDE (note): differs: there is `public.orders_buyer`, and it has no INCLUDE, where the statement says `note`
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer) WHERE state = 'open': differs: there is `public.orders_buyer`, and it has no WHERE, where the statement says `((state)::text = 'open'::text)`
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer) WITH (fillfactor = 50): differs: there is `public.orders_buyer`, and it has no WITH, where the statement says `fillfactor=50`
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer, nothing): unknown: there is `public.orders_buyer`, and the server says of its definition: column "nothing" does not exist (SQLSTATE 42703)
CREATE INDEX CONCURRENTLY orders_buyer ON drafts (buyer): differs: there is `public.orders_buyer`, an index of another table than `public.drafts`
CREATE INDEX CONCURRENTLY orders_note ON orders (note): differs: there is `public.orders_note`, which is no index
CREATE INDEX CONCURRENTLY orders_buyer ON payments (buyer): not yet
"#);
}

#[test]
fn nulls_not_distinct_is_a_part_of_the_definition() {
    let said = on_each(15, async |database| {
        run(&database, &[SHOP, "CREATE UNIQUE INDEX orders_key ON orders (id, buyer)"]).await;
        each(
            &database,
            &[
                "CREATE UNIQUE INDEX CONCURRENTLY orders_key ON orders (id, buyer) NULLS NOT DISTINCT",
                "CREATE UNIQUE INDEX CONCURRENTLY orders_key ON orders (id, buyer)",
            ],
        )
        .await
    });
    assert_snapshot!(said, @r#"
CREATE UNIQUE INDEX CONCURRENTLY orders_key ON orders (id, buyer) NULLS NOT DISTINCT: differs: there is `public.orders_key`, and its kind is `unique`, where the statement says `unique, nulls not distinct`
CREATE UNIQUE INDEX CONCURRENTLY orders_key ON orders (id, buyer): done
"#);
}

#[test]
fn an_index_without_a_name_is_found_by_its_definition() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP, "CREATE INDEX ON orders (buyer) WHERE state = 'open'"]).await;
        let sql = "CREATE INDEX CONCURRENTLY ON orders (buyer)";
        let mut lines = vec![evidence(&database, sql).await];
        broken_off(&database, OLD_SNAPSHOT, sql).await;
        lines.push(evidence(&database, sql).await);
        run(&database, &[sql]).await;
        lines.push(evidence(&database, sql).await);
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
not yet
leftover: index `public.orders_buyer_idx1` is invalid: its build was broken off; DROP INDEX CONCURRENTLY public.orders_buyer_idx1
done
"#);
}

#[test]
fn a_build_that_was_broken_off_is_busy_while_it_runs_and_a_leftover_behind_it() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP]).await;
        let sql = "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer)";
        let gentle = "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_buyer ON orders (buyer)";
        let while_it_runs = interrupted(&database, OLD_SNAPSHOT, sql, async |_| evidence(&database, sql).await).await;
        let mut lines = vec![while_it_runs, evidence(&database, sql).await, evidence(&database, gentle).await];
        // The server is content with an invalid index.
        run(&database, &[gentle]).await;
        lines.push(evidence(&database, gentle).await);
        let Evidence::Leftover { drop, .. } = evidence_on(&database, PATH, sql).await else { panic!("it is still a leftover") };
        run(&database, &[&drop]).await;
        lines.push(before_and_after(&database, &[sql]).await);
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
busy: index `public.orders_buyer` is not valid, and process N may be building it
leftover: index `public.orders_buyer` is invalid: its build was broken off; DROP INDEX CONCURRENTLY public.orders_buyer
leftover: index `public.orders_buyer` is invalid: its build was broken off; DROP INDEX CONCURRENTLY public.orders_buyer
leftover: index `public.orders_buyer` is invalid: its build was broken off; DROP INDEX CONCURRENTLY public.orders_buyer
CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer): not yet, done
"#);
}

#[test]
fn rows_that_are_not_unique_leave_an_invalid_index() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP]).await;
        let sql = "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)";
        let refusal = session(&database).await.run(sql).await.expect_err("all of them are the same");
        format!("{}, {}", refusal.code, evidence(&database, sql).await)
    });
    assert_snapshot!(said, @"23505, leftover: index `public.users_email` is invalid: its build was broken off; DROP INDEX CONCURRENTLY public.users_email");
}

#[test]
fn names_are_found_as_the_server_finds_them() {
    let said = on_each(ANY, async |database| {
        let long = "order_lines_of_all_the_shops_that_we_have_ever_had_in_all_the_towns_of_the_country";
        let shops = "CREATE SCHEMA app; CREATE SCHEMA \"Old Shop\"; CREATE TABLE app.orders (id bigint, note text);
                     CREATE TABLE \"Old Shop\".\"Orders\"\"\" (id bigint, \"Key\" text); CREATE TABLE orders (id bigint)";
        run(&database, &[shops]).await;
        let mut lines = Vec::new();
        for (path, sql) in [
            ("app, public", "CREATE INDEX CONCURRENTLY orders_id ON orders (id)".to_owned()),
            ("\"Old Shop\"", "CREATE INDEX CONCURRENTLY \"The \"\"Key\"\"\" ON \"Orders\"\"\" ((\"Key\" || 'x'))".to_owned()),
            ("public", format!("CREATE INDEX CONCURRENTLY {long}_id ON app.orders (id, note)")),
            ("", format!("CREATE INDEX CONCURRENTLY {long}_note ON app.orders (id, note)")),
        ] {
            let before = evidence_on(&database, path, &sql).await;
            let mut session = session(&database).await;
            session.run(&format!("SELECT set_config('search_path', '{path}', false)")).await.expect("it is a path");
            // The fourth is there already: the server cuts both names to the same one.
            let refused = session.run(&sql).await.err().map(|refusal| refusal.code).unwrap_or_default();
            let after = evidence_on(&database, path, &sql).await;
            lines.push(format!("{sql}: {}, {refused} {}", in_words(before), in_words(after)));
        }
        // The same statement on another path is about another table.
        let elsewhere = evidence_on(&database, "public, app", "CREATE INDEX CONCURRENTLY orders_id ON orders (id)").await;
        lines.push(in_words(elsewhere));
        lines.push(in_words(evidence_on(&database, "public", "DROP INDEX CONCURRENTLY orders_id").await));
        lines.push(in_words(evidence_on(&database, "public, app", "DROP INDEX CONCURRENTLY orders_id").await));
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
CREATE INDEX CONCURRENTLY orders_id ON orders (id): not yet,  done
CREATE INDEX CONCURRENTLY "The ""Key""" ON "Orders""" (("Key" || 'x')): not yet,  done
CREATE INDEX CONCURRENTLY order_lines_of_all_the_shops_that_we_have_ever_had_in_all_the_towns_of_the_country_id ON app.orders (id, note): not yet,  done
CREATE INDEX CONCURRENTLY order_lines_of_all_the_shops_that_we_have_ever_had_in_all_the_towns_of_the_country_note ON app.orders (id, note): done, 42P07 done
not yet
done
not yet
"#);
}

#[test]
fn a_function_of_the_database_is_not_taken_for_the_servers_own() {
    let said = on_each(ANY, async |database| {
        let evil = "CREATE SCHEMA evil; CREATE FUNCTION evil.lower(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'";
        run(&database, &[SHOP, evil, "CREATE INDEX orders_note ON orders (lower(note))"]).await;
        let mut lines = Vec::new();
        for path in ["public", "evil, pg_catalog, public"] {
            let sql = "CREATE INDEX CONCURRENTLY orders_note ON orders (lower(note))";
            lines.push(in_words(evidence_on(&database, path, sql).await));
        }
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
done
differs: there is `public.orders_note`, and its key is `lower(note) text_ops`, where the statement says `evil.lower(note) text_ops`
"#);
}

#[test]
fn a_role_that_is_no_superuser_is_told_the_same() {
    let said = on_each(ANY, async |database| {
        let name = database.get_database().expect("it was made with a name").to_owned();
        let role = format!(
            "CREATE ROLE owner_of_{name} LOGIN; CREATE SCHEMA app AUTHORIZATION owner_of_{name}; SET ROLE owner_of_{name};
             CREATE TABLE app.orders (id bigint, buyer bigint); CREATE INDEX orders_buyer ON app.orders (buyer)"
        );
        run(&database, &[&role]).await;
        let own = database.clone().username(&format!("owner_of_{name}"));
        let (buyer, id) =
            ("CREATE INDEX CONCURRENTLY orders_buyer ON app.orders (buyer)", "CREATE INDEX CONCURRENTLY orders_id ON app.orders (id)");
        let mut lines = vec![each(&own, &[buyer, id]).await];
        // Somebody else builds it: who he is and what he runs is hidden, that he is there is not.
        lines.push(interrupted(&database, OLD_SNAPSHOT, id, async |_| evidence(&own, id).await).await);
        lines.push(evidence(&own, id).await);
        run(&database, &[&format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")]).await;
        lines.push(evidence(&own, buyer).await.replace(&name, "shop"));
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
CREATE INDEX CONCURRENTLY orders_buyer ON app.orders (buyer): done
CREATE INDEX CONCURRENTLY orders_id ON app.orders (id): not yet
busy: index `app.orders_id` is not valid, and process N may be building it
leftover: index `app.orders_id` is invalid: its build was broken off; DROP INDEX CONCURRENTLY app.orders_id
unknown: there is `app.orders_buyer`, and the server says of its definition: permission denied to create temporary tables in database "shop" (SQLSTATE 42501)
"#);
}

#[test]
fn a_table_that_is_locked_cannot_be_asked_about_now() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP, "CREATE INDEX orders_buyer ON orders (buyer)"]).await;
        let mut holder = session(&database).await;
        holder.run("BEGIN; LOCK TABLE orders").await.expect("nobody else is there");
        let text = "CREATE INDEX CONCURRENTLY orders_buyer ON orders (buyer)";
        let source = SourceFile::new("0001_orders.sql", text);
        let script = sql::read(&source, Span::new(0, text.len() as u32));
        let mut connection = session(&database).await;
        let before = connection.texts("SHOW search_path").await.expect("it answers");
        let refusal = look(&mut connection, &script.statements[0], &source, PATH).await.expect_err("the table cannot be copied");
        let after = connection.texts("SHOW search_path").await.expect("its transaction is over");
        assert_eq!(before, after);
        holder.run("ROLLBACK").await.expect("it waits");
        let after = look(&mut connection, &script.statements[0], &source, PATH).await.expect("the table can be copied");
        format!("{}, {}", refusal.code, in_words(after))
    });
    assert_snapshot!(said, @r#"55P03, done"#);
}

#[test]
fn an_index_may_be_of_a_materialized_view_a_partition_or_a_table_that_has_changed() {
    let said = on_each(ANY, async |database| {
        let given = "CREATE MATERIALIZED VIEW buyers AS SELECT buyer, count(*) AS orders FROM orders GROUP BY buyer;
                     CREATE TABLE payments (id bigint, note text, day date NOT NULL) PARTITION BY RANGE (day);
                     CREATE TABLE payments_1 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
                     CREATE TYPE colour AS ENUM ('red'); CREATE DOMAIN code AS varchar(9) COLLATE \"C\";
                     CREATE TABLE drafts (gone int, buyer bigint, colour colour, code code, tags text[], words jsonb, double int GENERATED ALWAYS AS (1) STORED);
                     ALTER TABLE drafts DROP COLUMN gone; ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
                     CREATE FUNCTION whole(drafts) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1.code'";
        run(&database, &[SHOP, given]).await;
        before_and_after(
            &database,
            &[
                "CREATE UNIQUE INDEX CONCURRENTLY buyers_buyer ON buyers (buyer)",
                "CREATE INDEX CONCURRENTLY payments_1_day ON payments_1 (day, (day IS NULL))",
                "CREATE INDEX CONCURRENTLY drafts_buyer ON drafts (buyer, double)",
                "CREATE INDEX CONCURRENTLY drafts_colour ON drafts (colour, code) WHERE colour = 'red'",
                "CREATE INDEX CONCURRENTLY drafts_words ON drafts USING gin (words jsonb_path_ops, tags)",
                // The row type of a copy is another one.
                "CREATE INDEX CONCURRENTLY drafts_whole ON drafts ((whole(drafts)))",
            ],
        )
        .await
    });
    assert_snapshot!(said, @r#"
CREATE UNIQUE INDEX CONCURRENTLY buyers_buyer ON buyers (buyer): not yet, done
CREATE INDEX CONCURRENTLY payments_1_day ON payments_1 (day, (day IS NULL)): not yet, done
CREATE INDEX CONCURRENTLY drafts_buyer ON drafts (buyer, double): not yet, done
CREATE INDEX CONCURRENTLY drafts_colour ON drafts (colour, code) WHERE colour = 'red': not yet, done
CREATE INDEX CONCURRENTLY drafts_words ON drafts USING gin (words jsonb_path_ops, tags): not yet, done
CREATE INDEX CONCURRENTLY drafts_whole ON drafts ((whole(drafts))): not yet, unknown: there is `public.drafts_whole`, and the server says of its definition: function whole(drafts) does not exist (SQLSTATE 42883)
"#);
}
