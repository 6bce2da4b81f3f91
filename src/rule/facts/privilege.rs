//! Facts about rights: what GRANT gives and REVOKE takes, and what runs with more rights than its caller has.

use super::row_security::{behind, operations_on};
use super::{Fact, Kind, Value, column, table};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, CreateFunction, ObjectKind, Operation, Privilege};
use crate::rule::moment::Moment;
use crate::rule::outline::first_in;
use crate::sql::lex::{Lexer, Token};
use crate::text::Span;

const GRANT: &[OpKind] = &[OpKind::Grant];
const BOTH: &[OpKind] = &[OpKind::Grant, OpKind::Revoke];
const FUNCTION: &[OpKind] = &[OpKind::CreateFunction];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "privileges", kind: Kind::Text, of: BOTH, read: |m| privilege(m).map(privileges).into(),
           doc: "the privileges in upper case, or the roles" },
    Fact { name: "privileged", kind: Kind::Text, of: BOTH, read: |m| privilege(m).map(objects).into(),
           doc: "what they are on, in words" },
    Fact { name: "privilege_kind", kind: Kind::Words(&["table", "sequence", "schema", "routine", "role", "other"]), of: BOTH, read: kind,
           doc: "the kind of object that they are on; `role` if roles are granted" },
    Fact { name: "privilege_object", kind: Kind::Words(&["existing", "new", "to_come"]), of: BOTH, read: state,
           doc: "`new` if this migration made all of it, `to_come` for ALTER DEFAULT PRIVILEGES" },
    Fact { name: "grantees", kind: Kind::Text, of: BOTH, read: |m| privilege(m).map(|p| list(p.roles.iter().map(role))).into(),
           doc: "who gets them, or loses them" },
    Fact { name: "everyone", kind: Kind::Bool, of: BOTH, read: |m| privilege(m).map(is_public).into(),
           doc: "PUBLIC is among them" },
    Fact { name: "all_privileges", kind: Kind::Bool, of: GRANT, read: |m| privilege(m).map(gives_all).into(),
           doc: "ALL PRIVILEGES" },
    Fact { name: "all_in_schema", kind: Kind::Bool, of: BOTH, read: |m| privilege(m).map(|p| p.all_in_schema).into(),
           doc: "ALL TABLES IN SCHEMA and its kin" },
    Fact { name: "passed_on", kind: Kind::Bool, of: GRANT, read: |m| privilege(m).map(|p| p.option).into(),
           doc: "WITH GRANT OPTION, WITH ADMIN OPTION" },
    Fact { name: "option_only", kind: Kind::Bool, of: &[OpKind::Revoke], read: |m| privilege(m).map(|p| p.option).into(),
           doc: "GRANT OPTION FOR: the privilege itself stays" },
    Fact { name: "powerful", kind: Kind::Bool, of: GRANT, read: |m| privilege(m).map(gives_power).into(),
           doc: "a role is granted that reads or writes everything, or reaches the server's files" },
    Fact { name: "granted_again", kind: Kind::Bool, of: &[OpKind::Revoke], read: |m| privilege(m).map(|p| is_granted_again(m, p)).into(),
           doc: "the same transaction grants something on the same objects: to the same roles, or after PUBLIC to any" },
    Fact { name: "new_owner", kind: Kind::Text, of: &[OpKind::ChangeOwner], read: |m| new_owner(m).map(Ident::sql).into(),
           doc: "the role that gets it" },
    Fact { name: "security_definer", kind: Kind::Bool, of: FUNCTION, read: |m| function(m).map(|function| function.security_definer).into(),
           doc: "SECURITY DEFINER: it runs with the rights of its owner" },
    Fact { name: "search_path_fixed", kind: Kind::Bool, of: FUNCTION, read: |m| function(m).map(|function| is_path_fixed(m, function)).into(),
           doc: "names in its body do not depend on the caller: SET search_path in the statement or in a later ALTER, a body that is bound when it is made, or no SQL" },
    Fact { name: "trusted_language", kind: Kind::Bool, of: FUNCTION, read: |m| function(m).map(|f| f.language.as_ref().is_none_or(|name| !is_untrusted(name))).into(),
           doc: "its language keeps it inside the database" },
    Fact { name: "language", kind: Kind::Text, of: FUNCTION, read: |m| function(m).and_then(|function| function.language.as_ref()).map(Ident::sql).into(),
           doc: "LANGUAGE" },
    Fact { name: "superuser_for", kind: Kind::Words(&["nothing", "server_settings", "library", "language", "role", "extension_update", "ownership"]), of: &[OpKind::Other], read: superuser_for,
           doc: "what it does beyond the database's own: settings of the server, a library, an untrusted language, a role that no check stops" },
    Fact { name: "program", kind: Kind::Bool, of: &[OpKind::Copy], read: |m| matches!(m.operation(), Some(Operation::Copy { program: true, .. })).into(),
           doc: "PROGRAM: a command runs on the server's machine" },
    Fact { name: "extension", kind: Kind::Text, of: &[OpKind::CreateExtension], read: |m| match m.operation() { Some(Operation::CreateExtension { name, .. }) => name.sql().into(), _ => Value::Unknown },
           doc: "the extension" },
    Fact { name: "version_given", kind: Kind::Bool, of: &[OpKind::CreateExtension], read: |m| matches!(m.operation(), Some(Operation::CreateExtension { version: Some(_), .. })).into(),
           doc: "VERSION is said" },
    Fact { name: "other_object", kind: Kind::Text, of: &[OpKind::Other], read: |m| match m.operation() { Some(Operation::Other { object, .. }) => object.as_ref().map(Name::sql).into(), _ => Value::Unknown },
           doc: "what it names" },
];

/// Roles of the server, and of those who host it, that are as good as a superuser or see everything.
const POWERFUL: &[&str] = &[
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
    "postgres",
    "rds_superuser",
    "cloudsqlsuperuser",
    "azure_pg_admin",
];

fn privilege<'a>(m: &Moment<'a>) -> Option<&'a Privilege> {
    match m.operation() {
        Some(Operation::Privilege(privilege)) => Some(privilege),
        _ => None,
    }
}

fn privileges(privilege: &Privilege) -> String {
    let of_roles = privilege.object == ObjectKind::Role;
    list(privilege.what.iter().map(|word| if of_roles { word.to_string() } else { word.to_uppercase() }))
}

fn objects(privilege: &Privilege) -> String {
    if !privilege.objects.is_empty() {
        return list(privilege.objects.iter().map(|name| format!("`{}`", name.sql())));
    }
    let kind = match privilege.object {
        ObjectKind::Table => "tables",
        ObjectKind::Sequence => "sequences",
        ObjectKind::Function | ObjectKind::Procedure => "functions",
        ObjectKind::Type => "types",
        ObjectKind::Schema => "schemas",
        ObjectKind::Role => return "the database".to_owned(),
        _ => "objects",
    };
    if privilege.to_come { format!("all {kind} to come") } else { format!("all {kind} of a schema") }
}

fn kind<'a>(m: &Moment<'a>) -> Value<'a> {
    privilege(m).map_or(Value::Unknown, |privilege| {
        Value::Word(match privilege.object {
            ObjectKind::Table => "table",
            ObjectKind::Sequence => "sequence",
            ObjectKind::Schema => "schema",
            ObjectKind::Function | ObjectKind::Procedure => "routine",
            ObjectKind::Role => "role",
            _ => "other",
        })
    })
}

fn state<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(privilege) = privilege(m) else { return Value::Unknown };
    let is_new = |name: &Name| match privilege.object {
        ObjectKind::Table | ObjectKind::Sequence => matches!(table::state(m, name), "new" | "temporary"),
        ObjectKind::Procedure => is_made_here(m, ObjectKind::Function, name),
        object => is_made_here(m, object, name),
    };
    Value::Word(match privilege {
        Privilege { to_come: true, .. } => "to_come",
        Privilege { objects, .. } if !objects.is_empty() && objects.iter().all(is_new) => "new",
        Privilege { .. } => "existing",
    })
}

fn is_made_here(m: &Moment<'_>, object: ObjectKind, name: &Name) -> bool {
    first_in(m.outline().makes(object, name), &(0..m.index.unwrap_or(0))).is_some()
}

fn list(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn role(role: &Ident) -> String {
    if is_everyone(role) { "PUBLIC".to_owned() } else { role.sql() }
}

/// No role can have this name.
fn is_everyone(role: &Ident) -> bool {
    *role == "public"
}

fn is_public(privilege: &Privilege) -> bool {
    privilege.roles.iter().any(is_everyone)
}

fn gives_all(privilege: &Privilege) -> bool {
    privilege.object != ObjectKind::Role && privilege.what.iter().any(|word| **word == *"all")
}

fn gives_power(privilege: &Privilege) -> bool {
    privilege.object == ObjectKind::Role && privilege.what.iter().any(|role| POWERFUL.contains(&&**role))
}

fn is_granted_again(m: &Moment<'_>, revoked: &Privilege) -> bool {
    let same_objects = |granted: &Privilege| {
        granted.object == revoked.object
            && if revoked.objects.is_empty() {
                granted.all_in_schema == revoked.all_in_schema && granted.what.iter().any(|word| revoked.what.contains(word))
            } else {
                granted.objects.iter().any(|name| revoked.objects.contains(name))
            }
    };
    let same_roles = |granted: &Privilege| is_public(revoked) || granted.roles.iter().any(|role| revoked.roles.contains(role));
    let is_it = |operation: &Operation| matches!(operation, Operation::Privilege(granted) if granted.grant && same_objects(granted) && same_roles(granted));
    let names: Vec<Ident> = match revoked.object {
        ObjectKind::Role => revoked.what.iter().map(|role| Ident::quoted(role)).collect(),
        _ if revoked.objects.is_empty() => vec![Ident::quoted("")],
        _ => revoked.objects.iter().map(|name| name.name.clone()).collect(),
    };
    let (before, rest) = (m.earlier_in_transaction(), m.rest_of_transaction());
    names.iter().any(|name| {
        // What a role was granted before, REVOKE takes away again; others keep it.
        operations_on(m, name, &rest).any(is_it) || (is_public(revoked) && operations_on(m, name, &before).any(is_it))
    })
}

fn new_owner<'a>(m: &Moment<'a>) -> Option<&'a Ident> {
    match column::alter(m)? {
        AlterAction::OwnerTo { role } => Some(role),
        _ => None,
    }
}

fn function<'a>(m: &Moment<'a>) -> Option<&'a CreateFunction> {
    match m.operation() {
        Some(Operation::CreateFunction(function)) => Some(function),
        _ => None,
    }
}

fn is_path_fixed(m: &Moment<'_>, function: &CreateFunction) -> bool {
    let no_sql = function.language.as_ref().is_some_and(|language| matches!(language.as_str(), "c" | "internal"));
    function.sets_search_path || function.atomic || no_sql || is_path_fixed_later(m, function)
}

/// ALTER FUNCTION ... SET search_path further down in the file.
fn is_path_fixed_later(m: &Moment<'_>, function: &CreateFunction) -> bool {
    let behind = behind(m);
    let places = if function.security_definer { m.outline().rights_on(&function.name.name) } else { &[] };
    let later = places.iter().filter(|at| behind.contains(at)).flat_map(|at| &m.file[*at].operations);
    later.into_iter().any(|operation| match &operation.what {
        Operation::Other { words, object: Some(name), .. } => {
            matches!(&**words, "alter function" | "alter procedure" | "alter routine")
                && *name == function.name
                && says(m, operation.span, &["set", "search_path"])
        }
        _ => false,
    })
}

/// Whether keywords stand one behind the other in a statement.
fn says(m: &Moment<'_>, span: Span, words: &[&str]) -> bool {
    let tokens: Vec<Token> = Lexer::new(m.source, span).collect();
    tokens.windows(words.len()).any(|window| window.iter().zip(words).all(|(token, word)| token.is_word(m.source, word)))
}

/// Languages whose functions do what the server's own account may do.
fn is_untrusted(language: &Ident) -> bool {
    matches!(language.as_str(), "c" | "internal" | "plpython3u" | "plpython2u" | "plpythonu" | "plperlu" | "pltclu" | "plrustu" | "plsh")
}

fn superuser_for<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(Operation::Other { words, object, .. }), Some(span)) = (m.operation(), Some(m.place())) else { return Value::Unknown };
    let is_unchecked = || ["superuser", "bypassrls", "replication"].iter().any(|word| says(m, span, &[word]));
    Value::Word(match &**words {
        "alter system" => "server_settings",
        "load" => "library",
        "create language" if object.as_ref().is_some_and(|name| is_untrusted(&name.name)) => "language",
        "create role" | "create user" | "alter role" | "alter user" if is_unchecked() => "role",
        "alter extension" if says(m, span, &["update"]) => "extension_update",
        "reassign owned" => "ownership",
        _ => "nothing",
    })
}
