//! ...

use super::Operations;
use super::cursor::{Cursor, Read};

pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn create_domain(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn alter(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn alter_domain(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}
