//! What other tools read: each format over the same two shops, as its snapshot in fixtures/formats says and as its schema wants it.

mod edits;
mod github;
mod gitlab;
mod junit;
mod labels;
mod markdown;
mod review;
mod sarif;
mod several;

use super::{Answer, Shop};
use insta::Settings;
use std::path::Path;

impl Shop {
    /// An error, a fix, an allowance, a statement that cannot be read, bytes that are no text, and a config with a fault.
    fn awkward() -> Self {
        let shop = Self::with(&[
            ("lockkeeper.yaml", "migrations: m\ntransaction: none\nrules: { drop-colum: off }\n"),
            (
                "m/0001_shop.sql",
                "CREATE TABLE users (id bigint PRIMARY KEY, email text);\nCREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);\n",
            ),
            ("m/0002_buyer.sql", "SET lock_timeout = '2s';\n/* größer */ CREATE INDEX orders_buyer ON orders (buyer);\n"),
            (
                "m/0003_note.sql",
                "SET lock_timeout = '2s';\n-- lockkeeper: allow drop-column because `nobody` <reads> it since [release 41](https://example.org), says @anna\nALTER TABLE orders DROP COLUMN note;\nALTER TABL orders;\n",
            ),
            ("m/0004_email.sql", "SET lock_timeout = '2s';\nALTER TABLE users RENAME COLUMN email TO email_address;\n"),
        ]);
        shop.write("m/0005_broken.sql", b"SELECT '\xff';\n");
        shop
    }

    /// File names that mean something to shells, to GitHub, to HTML and to tables.
    fn hostile() -> Self {
        let names = ["$(touch x)", "\"; rm -rf ", "new\nline", "::error::", "a|b", "<img src=x>", "`c` @anna #1", "100%,d:e"];
        let shop = Self::new();
        for (at, name) in names.iter().enumerate() {
            shop.write(&format!("m/000{}_{name}.sql", at + 1), format!("DROP TABLE \"or`ders|<b>[{at}](x) ::warning::\";\n"));
        }
        shop
    }

    /// A shop of which git knows everything.
    fn committed(files: &[(&str, &str)]) -> Self {
        let shop = Self::with(files);
        for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "the shop"]] {
            shop.git(".", arguments);
        }
        shop
    }

    /// What is written to standard output.
    fn report(&self, format: &str) -> String {
        self.run(&["lint", "--format", format]).out
    }
}

/// Holds a report against its snapshot. A fingerprint is 16 or 32 hexadecimal digits, and which ones is nobody's affair here.
fn assert_report(name: &str, report: &str) {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let is_hash = |word: &str| [16, 32].contains(&word.len()) && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let word = |piece: &str| match piece.split_at(piece.find(|c| !is_word(c)).unwrap_or(piece.len())) {
        (word, rest) if is_hash(word) => format!("FINGERPRINT{rest}"),
        _ => piece.to_owned(),
    };
    let report: String = report.split_inclusive(|c| !is_word(c)).map(word).collect();
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, report));
}
