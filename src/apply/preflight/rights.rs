//! Whether the role that runs the migrations may do what they do.

use super::look::{literal, look};
use super::touched::Touched;
use super::{Check, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use sqlx::Row;

/// Whether it owns what it changes, may write where it writes, and may make what it makes.
pub(super) async fn check(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Check, Refusal> {
    let mut found = Findings::default();
    let rows = look(connection, limits, &about(limits)).await?;
    let Some(row) = rows.first() else {
        let role = limits.role.as_deref().unwrap_or_default();
        found.add(Verdict::Fail, format!("there is no role `{role}`"), Some(format!("CREATE ROLE \"{role}\"")));
        return Ok(found.check("rights"));
    };
    let (role, login): (String, String) = (row.try_get("role")?, row.try_get("login")?);
    let (superuser, member): (bool, bool) = (row.try_get("superuser")?, row.try_get("member")?);
    let (database, creates): (String, bool) = (row.try_get("database")?, row.try_get("creates")?);
    // Whoever logs in makes the ledger; the role writes to it. `None`: there is none yet.
    let (makes_ledger, uses_ledger): (bool, Option<bool>) = (row.try_get("makes_ledger")?, row.try_get("uses_ledger")?);
    if !member {
        let next = format!("GRANT \"{role}\" TO \"{login}\"");
        found.add(Verdict::Fail, format!("`{login}` may not become `{role}`"), Some(next));
    }
    let on_database = |role: &str| Some(format!("GRANT CREATE ON DATABASE \"{database}\" TO \"{role}\""));
    if uses_ledger.is_none() && !makes_ledger {
        let words = format!("`{login}` may not make the schema `lockkeeper` in database `{database}`");
        found.add(Verdict::Fail, words, on_database(&login));
    }
    if superuser {
        found.note(format!("`{role}` is a superuser and may do everything"));
        return Ok(found.check("rights"));
    }
    if uses_ledger == Some(false) {
        let next = format!("GRANT USAGE ON SCHEMA lockkeeper TO \"{role}\"");
        found.add(Verdict::Fail, format!("`{role}` may not write to the ledger in schema `lockkeeper`"), Some(next));
    }
    if !creates && touched.makes_schemas {
        let words = format!("`{role}` may not make a schema or an extension in database `{database}`");
        found.add(Verdict::Fail, words, on_database(&role));
    }
    relations(connection, (touched, limits), &role, &mut found).await?;
    schemas(connection, (touched, limits), &role, &mut found).await?;
    if found.words.is_empty() {
        found.note(format!("`{role}` owns all that is changed, and may make what is made"));
    }
    Ok(found.check("rights"))
}

/// What is altered belongs to the role. A foreign key takes a lock on the table that it points to, and a trigger one on its own; there it is
/// enough to have been granted that.
async fn relations(connection: &mut Connection, on: (&Touched, &Limits), role: &str, found: &mut Findings) -> Result<(), Refusal> {
    let (touched, limits) = on;
    let wanted: Vec<(&QualifiedName, LockMode)> = touched.locks.iter().map(|(name, mode)| (name, *mode)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        wanted.iter().enumerate().map(|(at, (name, _))| format!("({at}, to_regclass({}))", literal(&name.sql()))).collect();
    for row in look(connection, limits, &owners(&names.join(", "), role)).await? {
        let Some((name, mode)) = usize::try_from(row.try_get::<i32, _>("at")?).ok().and_then(|at| wanted.get(at)) else { continue };
        let (owner, owns): (String, bool) = (row.try_get("owner")?, row.try_get("owns")?);
        let (refers, writes, maintains): (bool, bool, bool) = (row.try_get("refers")?, row.try_get("writes")?, row.try_get("maintains")?);
        let next = Some(format!("run as `{owner}`, or GRANT \"{owner}\" TO \"{role}\""));
        let words = |needs: &str| format!("`{role}` {needs} {name}, which belongs to `{owner}`");
        match mode {
            _ if owns => {}
            LockMode::AccessShare | LockMode::RowShare | LockMode::RowExclusive if writes => {}
            LockMode::AccessShare | LockMode::RowShare | LockMode::RowExclusive => {
                found.add(Verdict::Fail, words("may not write to"), next)
            }
            LockMode::ShareRowExclusive if refers => {}
            // REINDEX and VACUUM need no more, ALTER TABLE does.
            LockMode::ShareUpdateExclusive | LockMode::Share | LockMode::Exclusive | LockMode::AccessExclusive if maintains => {
                found.add(Verdict::Warn, words("may maintain, but does not own,"), next);
            }
            LockMode::ShareUpdateExclusive
            | LockMode::Share
            | LockMode::ShareRowExclusive
            | LockMode::Exclusive
            | LockMode::AccessExclusive => found.add(Verdict::Fail, words("does not own"), next),
        }
    }
    Ok(())
}

/// An index lies in the schema of its table; other new things lie where they say, and where they say nothing, in the first schema.
async fn schemas(connection: &mut Connection, on: (&Touched, &Limits), role: &str, found: &mut Findings) -> Result<(), Refusal> {
    let (touched, limits) = on;
    let mut wanted: Vec<String> = touched.builds.keys().map(|index| literal(index.schema.as_str())).collect();
    wanted.sort();
    wanted.dedup();
    let names = if wanted.is_empty() { "NULL".to_owned() } else { wanted.join(", ") };
    // `look` has its own search path, and the first schema is that of the session.
    let first = match touched.makes {
        true => connection.texts("SELECT pg_catalog.current_schema()").await?.concat(),
        false => String::new(),
    };
    let sql = format!(
        "SELECT n.nspname::text FROM pg_namespace n
         WHERE (n.nspname IN ({names}) OR n.nspname = {}) AND NOT has_schema_privilege({}, n.oid, 'CREATE') ORDER BY 1",
        literal(&first),
        literal(role)
    );
    for row in look(connection, limits, &sql).await? {
        let schema: String = row.try_get(0)?;
        let next = format!("GRANT CREATE ON SCHEMA \"{schema}\" TO \"{role}\"");
        found.add(Verdict::Fail, format!("`{role}` may not make anything in schema `{schema}`"), Some(next));
    }
    Ok(())
}

/// From 16 on, to become a role (SET) is another right than to have its rights.
fn about(limits: &Limits) -> String {
    let role = limits.role.as_deref().map_or("current_user".to_owned(), literal);
    format!(
        "SELECT r.rolname::text AS role, session_user::text AS login, r.rolsuper AS superuser, current_database()::text AS database,
                pg_has_role(session_user, r.oid,
                            CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) AS member,
                has_database_privilege(r.oid, current_database(), 'CREATE') AS creates,
                has_database_privilege(session_user, current_database(), 'CREATE') AS makes_ledger,
                CASE WHEN to_regnamespace('lockkeeper') IS NOT NULL
                     THEN has_schema_privilege(r.oid, to_regnamespace('lockkeeper'), 'USAGE') END AS uses_ledger
         FROM pg_roles r WHERE r.rolname = {role}"
    )
}

/// MAINTAIN is there since 17.
fn owners(names: &str, role: &str) -> String {
    let role = literal(role);
    format!(
        "SELECT v.at, o.rolname::text AS owner, pg_has_role({role}, c.relowner, 'USAGE') AS owns,
                has_table_privilege({role}, c.oid, 'REFERENCES, TRIGGER') AS refers,
                has_table_privilege({role}, c.oid, 'INSERT, UPDATE, DELETE') OR c.relkind = 'S' AS writes,
                CASE WHEN current_setting('server_version_num')::int >= 170000
                     THEN has_table_privilege({role}, c.oid, 'MAINTAIN') ELSE false END AS maintains
         FROM (VALUES {names}) v (at, relation) JOIN pg_class c ON c.oid = v.relation JOIN pg_roles o ON o.oid = c.relowner
         ORDER BY v.at"
    )
}
