//! ...

use super::Operations;
use super::cursor::{Cursor, Read};

pub(super) fn all_in_tablespace(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn relation(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}
