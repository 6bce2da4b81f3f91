//! ...

use super::Operations;
use super::cursor::{Cursor, Read};

pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}
