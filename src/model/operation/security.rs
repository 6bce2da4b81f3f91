//! Who may do what: GRANT and REVOKE, and the policies of row-level security.

use super::ObjectKind;
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};

/// GRANT or REVOKE, also as what ALTER DEFAULT PRIVILEGES says of objects to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Privilege {
    /// GRANT; false for REVOKE.
    pub grant: bool,
    /// Privileges in lower case, columns aside (`all` for ALL PRIVILEGES); the roles, if roles are granted.
    pub what: Vec<Box<str>>,
    /// The columns behind each privilege; none: all of the object. Empty if no privilege has any.
    pub columns: Vec<Vec<Ident>>,
    /// The kind behind ON, a table if none is said; a role if roles are granted.
    pub object: ObjectKind,
    /// The objects, as written; empty for roles, for objects to come, and for ALL TABLES IN SCHEMA and its kin.
    pub objects: Vec<Name>,
    /// ALL TABLES IN SCHEMA and its kin.
    pub all_in_schema: bool,
    /// Those schemas.
    pub schemas: Vec<Ident>,
    /// Behind TO or FROM; PUBLIC, CURRENT_USER and their kin as that word in lower case.
    pub roles: Vec<Ident>,
    /// WITH GRANT OPTION, WITH ADMIN OPTION: who gets it may pass it on. Of REVOKE: GRANT OPTION FOR, and nothing else is taken.
    pub option: bool,
    /// ALTER DEFAULT PRIVILEGES.
    pub to_come: bool,
}

/// CREATE POLICY, ALTER POLICY.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The policy, unique among those of its table.
    pub name: Ident,
    /// The table behind ON, as written.
    pub table: Name,
    /// CREATE; false for ALTER.
    pub create: bool,
    /// AS RESTRICTIVE: it takes rows away from what the others let through. False for ALTER, which cannot change it.
    pub restrictive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`; `None` for ALTER, which cannot change it.
    pub command: Option<Box<str>>,
    /// TO; empty if nothing is said: everybody then for CREATE, and as before for ALTER.
    pub roles: Vec<Ident>,
    /// USING.
    pub using: Option<Expression>,
    /// WITH CHECK.
    pub check: Option<Expression>,
    /// USING (true) or WITH CHECK (true): every row passes.
    pub every_row: bool,
    /// Relations that subqueries of USING and WITH CHECK read, each once.
    pub reads: Vec<Name>,
    /// Functions that USING and WITH CHECK call, each once.
    pub calls: Vec<Name>,
}
