//! Transactions, settings and maintenance.

use super::words;
use insta::assert_snapshot;

#[test]
fn transactions_open_and_end_in_many_words() {
    assert_snapshot!(words("BEGIN WORK ISOLATION LEVEL REPEATABLE READ, READ ONLY; START TRANSACTION DEFERRABLE; COMMIT AND CHAIN; END TRANSACTION; ABORT; ROLLBACK AND NO CHAIN"), @"
    begin
    begin
    commit and_chain
    commit
    rollback
    rollback
    ");
    assert_snapshot!(words("SAVEPOINT a; ROLLBACK TO SAVEPOINT a; ROLLBACK WORK TO a; RELEASE SAVEPOINT a; RELEASE a"), @"
    savepoint a
    rollback_to_savepoint a
    rollback_to_savepoint a
    release_savepoint a
    release_savepoint a
    ");
    assert_snapshot!(words("PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'; ROLLBACK PREPARED 'x'"), @"
    two_phase prepare
    two_phase commit
    two_phase rollback
    ");
    assert_snapshot!(words("SET TRANSACTION READ WRITE; SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET CONSTRAINTS ALL DEFERRED"), @"
    other [set transaction]
    other [set session characteristics]
    set_constraints deferred
    ");
    assert_snapshot!(words("BEGIN QUICKLY"), @"unreadable syntax error at `QUICKLY`, expected READ ONLY, READ WRITE, DEFERRABLE or NOT DEFERRABLE (unreadable)");
}

#[test]
fn a_setting_has_a_name_a_value_and_a_scope() {
    assert_snapshot!(words("SET lock_timeout = '2s'; SET LOCAL lock_timeout TO 2000; SET SESSION Statement_Timeout TO DEFAULT; SET app.user = admin"), @"
    set lock_timeout to='2s'
    set local lock_timeout to='2000'
    set statement_timeout
    set app.user to='admin'
    ");
    assert_snapshot!(words("SET search_path TO \"$user\", Shop, 'x'; SET SCHEMA 'shop'; SET NAMES 'UTF8'"), @"
    set search_path to='$user','shop','x'
    set search_path to='shop'
    set client_encoding to='UTF8'
    ");
    assert_snapshot!(words("SET TIME ZONE 'UTC'; SET TIME ZONE LOCAL; SET LOCAL TIME ZONE -7; SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE"), @"
    set timezone to='UTC'
    set timezone
    set local timezone to='-7'
    set timezone to=?
    ");
    assert_snapshot!(words("SET ROLE NONE; SET SESSION AUTHORIZATION DEFAULT; SET LOCAL SESSION AUTHORIZATION 'bob'"), @"
    set role to='none'
    set session_authorization
    set local session_authorization to='bob'
    ");
    assert_snapshot!(words("SET lock_timeout TO :'timeout'"), @"set lock_timeout to=?");
    assert_snapshot!(words("SET lock_timeout"), @"unreadable syntax error at the end of the statement, expected = or TO (unreadable)");
}

#[test]
fn reset_and_discard_take_settings_back() {
    assert_snapshot!(words("RESET lock_timeout; RESET ALL; RESET TIME ZONE; RESET SESSION AUTHORIZATION; DISCARD ALL; DISCARD TEMP"), @"
    reset lock_timeout
    reset all
    reset timezone
    reset session_authorization
    other [discard all] outside_transactions
    reset all
    other [discard temp]
    ");
}

#[test]
fn vacuum_takes_old_and_new_options() {
    assert_snapshot!(words("VACUUM"), @"vacuum");
    assert_snapshot!(words("VACUUM FULL FREEZE VERBOSE ANALYZE orders (id)"), @"vacuum orders full analyze");
    assert_snapshot!(words("VACUUM (FULL, ANALYZE false, TRUNCATE off, PARALLEL 4) orders, shop.users"), @"
    vacuum orders full no_truncate
    vacuum shop.users full no_truncate
    ");
}

#[test]
fn analyze_verbose_is_no_table() {
    assert_snapshot!(words("ANALYZE VERBOSE"), @"analyze");
    assert_snapshot!(words("ANALYZE (SKIP_LOCKED) orders, users (id, name)"), @"
    analyze orders
    analyze users
    ");
}

#[test]
fn cluster_and_repack_name_table_and_index() {
    assert_snapshot!(words("CLUSTER; CLUSTER VERBOSE orders USING orders_pkey; CLUSTER orders_pkey ON orders; CLUSTER (VERBOSE) orders"), @"
    cluster
    cluster orders index=orders_pkey
    cluster orders index=orders_pkey
    cluster orders
    ");
    assert_snapshot!(words("REPACK; REPACK (CONCURRENTLY) orders USING INDEX orders_pkey; REPACK (CONCURRENTLY off) orders"), @"
    repack
    repack orders concurrently
    repack orders
    ");
}

#[test]
fn lock_table_is_an_operation_for_each_table() {
    assert_snapshot!(words("LOCK orders"), @"lock_table orders access_exclusive");
    assert_snapshot!(words("LOCK TABLE ONLY orders, users IN SHARE ROW EXCLUSIVE MODE NOWAIT"), @"
    lock_table orders only share_row_exclusive nowait
    lock_table users share_row_exclusive nowait
    ");
    assert_snapshot!(words("LOCK orders IN FRIENDLY MODE"), @"unreadable syntax error at `FRIENDLY`, expected a lock mode (unreadable)");
}
