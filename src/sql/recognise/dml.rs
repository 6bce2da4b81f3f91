//! INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE and queries.

use super::Operations;
use super::cursor::{Cursor, Read};

pub(super) fn query(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn insert(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn update(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn delete(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn merge(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn explain(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn copy(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn truncate(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}
