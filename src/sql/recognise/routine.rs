//! Functions, triggers, rules, policies, DO and CALL.

use super::Operations;
use super::cursor::{Cursor, Read};

pub(super) fn create_function(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn create_trigger(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn create_rule(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn policy(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn do_block(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}

pub(super) fn call(cursor: &mut Cursor<'_>) -> Read<Operations> {
    Err(cursor.fail("a kind of statement that is read"))
}
