//! GRANT, COMMENT, and every kind of statement that touches no table.

use super::Operations;
use super::cursor::{Cursor, Read};

pub(super) fn privilege(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn comment(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn read(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}
