//! Who answers: a primary that may be written to, of a version that is known.

use super::look::look;
use super::{Check, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use crate::model::effects::Version;
use sqlx::Row;

const ABOUT: &str = "
    SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean,
           current_database()::text, session_user::text";

/// Whether this server can run migrations at all.
pub(super) async fn check(connection: &mut Connection, limits: &Limits) -> Result<Check, Refusal> {
    let rows = look(connection, limits, ABOUT).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let (release, standby, read_only): (String, bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (database, user): (String, String) = (row.try_get(3)?, row.try_get(4)?);
    let kind = if standby { "standby" } else { "primary" };
    let mut found = Findings::default();
    found.note(format!("PostgreSQL {release}, {kind}, database `{database}` as `{user}`"));
    if standby {
        let next = "name the primary, or both with target_session_attrs=primary";
        found.add(Verdict::Fail, "a standby takes no migrations", Some(next.to_owned()));
    } else if read_only {
        let next = format!("ALTER DATABASE \"{database}\" RESET default_transaction_read_only, once nobody needs it read only");
        found.add(Verdict::Fail, "default_transaction_read_only is on, so nothing can be changed", Some(next));
    }
    let version = Version(connection.version());
    if version < Version::OLDEST {
        let words = format!("older than {}, the oldest that lockkeeper knows", Version::OLDEST.0);
        found.add(Verdict::Fail, words, None);
    } else if version > Version::NEWEST {
        let words = format!("newer than {}, the newest that lockkeeper knows", Version::NEWEST.0);
        found.add(Verdict::Warn, words, Some("look for a newer lockkeeper".to_owned()));
    }
    Ok(found.check("server"))
}
