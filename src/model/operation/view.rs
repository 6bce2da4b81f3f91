//! Views and materialized views.

use super::Options;
use crate::model::name::{Ident, Name};
use crate::text::Span;

/// CREATE VIEW, CREATE MATERIALIZED VIEW.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// The view, as written.
    pub name: Name,
    /// OR REPLACE; false for materialized views.
    pub or_replace: bool,
    /// IF NOT EXISTS; false for plain views, which have none.
    pub if_not_exists: bool,
    /// TEMPORARY.
    pub temporary: bool,
    /// Names of its columns if they are written or can be read off the query.
    pub columns: Option<Vec<Ident>>,
    /// `*` stands among its columns: for those that the relations have when the view is made, and no later ones.
    pub star: bool,
    /// Relations that the query names, CTEs and a recursive view's own name not among them, each once.
    pub reads: Vec<Name>,
    /// Functions that the query calls, each once.
    pub calls: Vec<Name>,
    /// Names in the query that may be columns of the relations it reads.
    pub mentions: Vec<Ident>,
    /// WITH DATA; false for WITH NO DATA (materialized views).
    pub with_data: bool,
    /// WITH (...): `security_invoker`, `security_barrier`, `check_option`, storage parameters.
    pub options: Options,
    /// WITH CHECK OPTION: `local` or `cascaded`.
    pub check_option: Option<Box<str>>,
    /// The query: what stands behind AS, without the words about its data or its check.
    pub definition: Span,
    /// WITH (security_invoker) (15): the rights of who asks count, not those of the view's owner.
    pub security_invoker: bool,
}
