//! Names that are longer than the server keeps, where something new gets them.

use super::{Remark, RemarkKind};
use crate::model::name::{Ident, LONGEST_IDENT};
use crate::sql::lex::{Token, TokenKind};
use crate::text::{SourceFile, Span};
use foldhash::{HashMap, HashSet};

/// A name of more than 63 bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct LongName {
    /// All of it, folded or unquoted.
    pub written: Box<str>,
    /// What the server keeps.
    pub kept: Ident,
    /// Another name of the file begins with the same 63 bytes, and came before.
    pub collides: bool,
}

/// The long names of CREATE and ALTER: other statements only speak of what is there.
pub(super) fn find(source: &SourceFile, tokens: &[Token]) -> Vec<(Span, LongName)> {
    let makes = tokens.first().is_some_and(|first| first.is_word(source, "create") || first.is_word(source, "alter"));
    let is_long =
        |token: &&Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) && token.span.len() as usize > LONGEST_IDENT;
    let long = tokens.iter().filter(|_| makes).filter(is_long);
    long.filter_map(|token| {
        let written = token.name(source).filter(|name| name.len() > LONGEST_IDENT)?;
        Some((token.span, LongName { kept: Ident::quoted(&written), written: written.into(), collides: false }))
    })
    .collect()
}

/// Keeps the first place of each name. Of names that are one to the server, those stand that come too late.
pub(super) fn note_collisions(remarks: &mut Vec<Remark>) {
    let mut seen: HashSet<Box<str>> = HashSet::default();
    remarks.retain(|remark| match &remark.what {
        RemarkKind::LongName(name) => seen.insert(name.written.clone()),
        RemarkKind::Secret(_) => true,
    });
    let mut left: HashMap<Ident, (u32, bool)> = HashMap::default();
    for remark in remarks.iter() {
        if let RemarkKind::LongName(name) = &remark.what {
            left.entry(name.kept.clone()).or_default().0 += 1;
        }
    }
    remarks.retain_mut(|remark| {
        let RemarkKind::LongName(name) = &mut remark.what else { return true };
        let Some((alike, one_before)) = left.get_mut(&name.kept) else { return true };
        name.collides = std::mem::replace(one_before, true);
        name.collides || *alike == 1
    });
}
