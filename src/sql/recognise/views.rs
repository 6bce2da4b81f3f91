//! Views and materialized views.

use super::cursor::{Cursor, Read};
use super::{Operations, alter, one, table};
use crate::model::name::Ident;
use crate::model::operation::{CreateView, Operation, Options, Persistence};
use crate::sql::detail::QuerySummary;

/// CREATE VIEW.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let or_replace = cursor.take("or replace");
    let temporary = table::persistence(cursor) == Persistence::Temporary;
    let recursive = cursor.take("recursive");
    cursor.expect("view")?;
    let name = cursor.name()?;
    let columns = columns(cursor)?;
    let options = if cursor.take("with") { alter::options(cursor)? } else { Vec::new() };
    let security_invoker = security_invoker(&options);
    cursor.expect("as")?;
    let query_from = cursor.mark();
    cursor.until(|cursor| cursor.left() <= 4 && check_option(cursor).is_some())?;
    let query = cursor.between(query_from, cursor.mark());
    let definition = cursor.span_from(query_from);
    let words = check_option(cursor).unwrap_or(0);
    // WITH CHECK OPTION alone is cascaded.
    let check_option = (words > 0).then(|| if cursor.sees("with local") { "local".into() } else { "cascaded".into() });
    cursor.skip(words);
    let head = CreateView { or_replace, temporary, security_invoker, columns, options, check_option, definition, ..empty(name) };
    let mut view = with_query(head, query)?;
    if recursive {
        view.reads.retain(|read| *read != view.name);
    }
    Ok(one(cursor, from, Operation::CreateView(Box::new(view))))
}

fn empty(name: crate::model::name::Name) -> CreateView {
    CreateView {
        name,
        or_replace: false,
        if_not_exists: false,
        temporary: false,
        columns: None,
        star: false,
        reads: Vec::new(),
        calls: Vec::new(),
        mentions: Vec::new(),
        with_data: true,
        options: Vec::new(),
        check_option: None,
        definition: crate::text::Span::default(),
        security_invoker: false,
    }
}

/// How many tokens WITH CHECK OPTION has, if it stands here, at the end.
fn check_option(cursor: &Cursor<'_>) -> Option<usize> {
    const FORMS: [&str; 3] = ["with check option", "with cascaded check option", "with local check option"];
    let form = cursor.sees_any(&FORMS)?;
    let words = form.split(' ').count();
    (words == cursor.left()).then_some(words)
}

/// Names in parentheses.
fn columns(cursor: &mut Cursor<'_>) -> Read<Option<Vec<Ident>>> {
    if cursor.sees("(") { cursor.ident_group().map(Some) } else { Ok(None) }
}

/// Behind WITH of the options.
fn security_invoker(options: &Options) -> bool {
    let on = |value: &Option<Box<str>>| match value.as_deref() {
        None => true,
        Some(word) => ["true", "on", "yes", "1"].iter().any(|yes| word.trim_matches('\'').eq_ignore_ascii_case(yes)),
    };
    options.iter().any(|(name, value)| **name == *"security_invoker" && on(value))
}

/// Fills in what the query says.
fn with_query(view: CreateView, mut query: Cursor<'_>) -> Read<CreateView> {
    let tokens = query.rest();
    let QuerySummary { reads, calls, mentions, columns, star, .. } = query.query(tokens)?;
    Ok(CreateView { reads, calls, mentions, star, columns: view.columns.or(columns), ..view })
}

/// CREATE MATERIALIZED VIEW.
pub(super) fn create_materialized(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    cursor.take("unlogged");
    cursor.expect("materialized view")?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name()?;
    let columns = columns(cursor)?;
    let options = table::storage(cursor)?.with;
    cursor.expect("as")?;
    let (query, with_data) = table::query_with_data(cursor)?;
    let definition = query.clone().span_of_rest();
    let head = CreateView { if_not_exists, with_data, columns, options, definition, ..empty(name) };
    Ok(one(cursor, from, Operation::CreateMaterializedView(Box::new(with_query(head, query)?))))
}

/// REFRESH MATERIALIZED VIEW.
pub(super) fn refresh(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("refresh materialized view")?;
    let concurrently = cursor.take("concurrently");
    let name = cursor.name()?;
    let with_data = cursor.take_any(&["with no data", "with data"]) != Some("with no data");
    Ok(one(cursor, from, Operation::RefreshMaterializedView { name, concurrently, with_data }))
}
