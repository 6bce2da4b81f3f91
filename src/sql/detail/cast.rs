//! The type that a cast names.

use crate::model::types::TypeName;
use crate::sql::lex::Token;
use crate::sql::recognise::cursor::{Cursor, Notes};
use crate::sql::recognise::type_name;
use crate::text::SourceFile;

/// The type that begins at `at`, and the place behind it.
pub(super) fn type_at(source: &SourceFile, tokens: &[Token], at: usize) -> Option<(TypeName, usize)> {
    let notes = Notes::default();
    let mut cursor = Cursor::new(source, tokens, &notes);
    cursor.skip(at);
    let read = type_name::read(&mut cursor).ok()?;
    Some((read, cursor.mark()))
}
