//! The text that is judged in place of a program: what was printed of it, which line of the file is behind which statement, and what the
//! comments of the file say to lockkeeper.

use super::cut::Printed;
use crate::text::{Origin, SourceFile};
use std::sync::Arc;

/// Puts statements together. Each has the line of the file that it comes from.
pub(super) fn text(statements: &[(Printed, u32)], origin: Origin) -> Arc<SourceFile> {
    let mut said = said(&origin.file);
    let mut text = Text { bytes: String::new(), lines: Vec::new() };
    for remark in said.extract_if(.., |remark| remark.whole_file) {
        text.push(&remark.words, remark.line);
    }
    for (at, (printed, line)) in statements.iter().enumerate() {
        let is_first = at == 0 || statements[at - 1].1 != *line;
        let (comments, statement) = printed.text.split_at(printed.begins);
        text.push(comments, *line);
        for remark in said.extract_if(.., |remark| is_first && remark.above == *line) {
            text.push(&remark.words, remark.line);
        }
        text.push(statement, *line);
    }
    // What stands above nothing is to be told.
    said.iter().for_each(|remark| text.push(&remark.words, remark.line));
    SourceFile::rendered(Origin { lines: text.lines, ..origin }, text.bytes)
}

struct Text {
    bytes: String,
    lines: Vec<(u32, u32)>,
}

impl Text {
    fn push(&mut self, words: &str, line: u32) {
        if !words.is_empty() && self.lines.last().is_none_or(|(_, last)| *last != line) {
            self.lines.push((self.bytes.len() as u32, line));
        }
        self.bytes.push_str(words);
    }
}

/// A comment of the file that speaks to lockkeeper, as SQL would have it.
struct Remark {
    words: String,
    /// Where it stands.
    line: u32,
    /// The line below it that is no comment; its own, if it stands behind something.
    above: u32,
    whole_file: bool,
}

/// The signs by which comments of the languages begin in which migrations are written.
const SIGNS: [&str; 3] = ["#", "//", "--"];

fn said(file: &SourceFile) -> Vec<Remark> {
    let text = file.shown();
    let mut remarks: Vec<Remark> = Vec::new();
    // Those that stand above the next line.
    let mut waiting = 0;
    for (line, written) in (1..).zip(text.lines()) {
        let is_comment = SIGNS.iter().any(|sign| written.trim_start().starts_with(sign));
        if !is_comment {
            let from = remarks.len() - waiting;
            remarks[from..].iter_mut().for_each(|remark| remark.above = line);
            waiting = 0;
        }
        let found = SIGNS.iter().find_map(|sign| written.split_once(&format!("{sign} lockkeeper: ")));
        if let Some((_, words)) = found {
            waiting += usize::from(is_comment);
            let words = format!("-- lockkeeper: {}\n", words.trim());
            remarks.push(Remark { whole_file: words.starts_with("-- lockkeeper: allow-file "), words, line, above: line });
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn what_the_file_says_to_lockkeeper_stands_above_the_statement_that_its_line_is_behind() {
        let file = SourceFile::new(
            "0002_note.py",
            "# lockkeeper: allow-file name-without-schema because there is one\n\ndef upgrade():\n    # lockkeeper: allow drop-table because nobody\n    # ever read it\n    op.drop_table('drafts')\n    op.drop_table('notes')  # lockkeeper: allow drop-table because nobody did\n    # lockkeeper: allow drop-table because of nothing\n",
        );
        let statement = |text: &str, begins, line| (Printed { text: text.to_owned(), begins, line: None }, line);
        let statements = [
            statement("-- said\nDROP TABLE drafts;\n", 8, 6),
            statement("DROP TYPE draft;\n", 0, 6),
            statement("DROP TABLE notes;\n", 0, 7),
        ];
        let source = text(&statements, Origin { file, by: "alembic".into(), alone: String::new(), lines: Vec::new() });
        let mut at = 0;
        let mut shown = String::new();
        for line in source.shown().split_inclusive('\n') {
            shown.push_str(&format!("{} {line}", source.place(at).line));
            at += line.len() as u32;
        }
        assert_snapshot!(shown, @r"
        1 -- lockkeeper: allow-file name-without-schema because there is one
        6 -- said
        4 -- lockkeeper: allow drop-table because nobody
        6 DROP TABLE drafts;
        6 DROP TYPE draft;
        7 -- lockkeeper: allow drop-table because nobody did
        7 DROP TABLE notes;
        8 -- lockkeeper: allow drop-table because of nothing
        ");
    }
}
