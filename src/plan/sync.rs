//! The trigger that keeps two shapes of the same value equal while old and new code write side by side.

use super::statement::dollar_quoted;
use crate::model::name::{Ident, LONGEST_IDENT, Name};

/// An old column and a new one, and how each follows from the other.
#[derive(Clone, Debug)]
pub struct Sync {
    /// The table, as the statement writes it.
    pub table: Name,
    /// The old column.
    pub old: Ident,
    /// The new column. It has no default as long as they are kept equal: a default would hide which of them was written.
    pub new: Ident,
    /// The new value out of `NEW` and the old column, as SQL.
    pub forward: String,
    /// The old value out of `NEW` and the new column.
    pub back: String,
    /// Values of the old column have no `=`, so that they are compared as text.
    pub as_text: (bool, bool),
}

impl Sync {
    /// Two columns that hold the same.
    pub fn same(table: &Name, old: &Ident, new: &Ident) -> Self {
        let (forward, back) = (format!("NEW.{}", old.sql()), format!("NEW.{}", new.sql()));
        Self { table: table.clone(), old: old.clone(), new: new.clone(), forward, back, as_text: (false, false) }
    }

    /// The function and the trigger have this name: the trigger comes last among those BEFORE a row, so that it sees what they have made of it.
    fn name(&self) -> Ident {
        let written = format!("zz_{}_{}_sync", self.table.name, self.new);
        if written.len() <= LONGEST_IDENT {
            return Ident::quoted(&written);
        }
        // Two long names that begin alike differ in their ends.
        let room = LONGEST_IDENT - "zz__sync".len() - 17;
        let digest = digest_of(&written);
        let stem = &written[3..3 + written[3..].floor_char_boundary(room)];
        Ident::quoted(&format!("zz_{stem}_{digest:016x}_sync"))
    }

    fn function(&self) -> Name {
        Name { schema: self.table.schema.clone(), name: self.name() }
    }

    /// CREATE FUNCTION.
    pub fn create_function(&self) -> String {
        let (old, new) = (self.old.sql(), self.new.sql());
        let differs = |column: &str, as_text: bool| match as_text {
            true => format!("NEW.{column}::text IS DISTINCT FROM OLD.{column}::text"),
            false => format!("NEW.{column} IS DISTINCT FROM OLD.{column}"),
        };
        let (old_differs, new_differs) = (differs(&old, self.as_text.0), differs(&new, self.as_text.1));
        let (forward, back, function) = (&self.forward, &self.back, self.function().sql());
        let body = format!(
            "\nBEGIN\n  \
               IF TG_OP = 'INSERT' THEN\n    \
                 IF NEW.{new} IS NULL THEN NEW.{new} := {forward}; ELSE NEW.{old} := {back}; END IF;\n  \
               ELSIF {old_differs} THEN NEW.{new} := {forward};\n  \
               ELSIF {new_differs} THEN NEW.{old} := {back};\n  \
               ELSIF NEW.{new} IS NULL THEN NEW.{new} := {forward};\n  \
               END IF;\n  RETURN NEW;\nEND\n"
        );
        format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {}", dollar_quoted("sync", &body))
    }

    /// CREATE TRIGGER.
    pub fn create_trigger(&self) -> String {
        let (trigger, table, function) = (self.name().sql(), self.table.sql(), self.function().sql());
        format!("CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    }

    /// DROP TRIGGER.
    pub fn drop_trigger(&self) -> String {
        format!("DROP TRIGGER {} ON {}", self.name().sql(), self.table.sql())
    }

    /// DROP FUNCTION.
    pub fn drop_function(&self) -> String {
        format!("DROP FUNCTION {}()", self.function().sql())
    }
}

/// A digest that is the same in every run.
fn digest_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
