//! PostgreSQL's tokens, with spans. Never fails: what the server's scanner would refuse is a token of kind [`TokenKind::Broken`].

use crate::text::Span;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// Kinds of token (manual: sql-syntax-lexical).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An unquoted identifier or keyword.
    Word,
    /// `"..."`, also `U&"..."`.
    QuotedIdent,
    /// `'...'`, `E'...'`, `B'...'`, `X'...'`, `N'...'`, `U&'...'`; continuation over a newline included.
    String,
    /// `$tag$...$tag$`.
    DollarString,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator: the longest run that PostgreSQL takes for one.
    Operator,
    /// `(`, `)`, `[`, `]`, `,`, `;`, `.`, `:`, `::`, `:=`, `..`.
    Punctuation,
    /// A psql variable, `:name`, `:'name'`, `:"name"`.
    Variable,
    /// A quote or comment that never ends, a NUL byte, a byte that begins nothing.
    Broken,
}
