//! By what other tools know a file again.

use super::{Table, Tool};
use crate::apply::draft::Draft;
use sha2::{Digest, Sha384};
use std::fmt::Write as _;

/// What the tool would write for this file, in the form in which its table is read; `None`: it writes nothing.
pub(super) fn of(table: &Table, draft: &Draft) -> Option<String> {
    let bytes = draft.source.bytes();
    match table.tool {
        Tool::Sqlx => Some(sqlx(bytes)),
        Tool::Flyway => Some(flyway(bytes).to_string()),
        Tool::Refinery => refinery(draft.version.as_deref()?, &draft.name, bytes, table.version == "bigint").map(|sum| sum.to_string()),
        Tool::GolangMigrate | Tool::Dbmate | Tool::Goose | Tool::Diesel | Tool::Alembic => None,
    }
}

/// SHA-384 of the file (launchbadge/sqlx, sqlx-core/src/migrate/migration.rs: checksum).
fn sqlx(bytes: &[u8]) -> String {
    Sha384::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// CRC-32 of the lines without what ends them and without a byte order mark, as a signed number (flyway/flyway, ChecksumCalculator.java).
fn flyway(bytes: &[u8]) -> i32 {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let sum = bytes.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    (!sum).cast_signed()
}

/// SipHash-1-3 with keys of zero over name, version and text, as Rust hashes them: behind each text a byte 255
/// (rust-db/refinery, refinery_core/src/runner.rs: Migration::unapplied).
fn refinery(version: &str, name: &str, bytes: &[u8], wide: bool) -> Option<u64> {
    let mut all = name.as_bytes().to_vec();
    all.push(255);
    match wide {
        true => all.extend(version.parse::<i64>().ok()?.to_le_bytes()),
        false => all.extend(version.parse::<i32>().ok()?.to_le_bytes()),
    }
    all.extend(bytes);
    all.push(255);
    Some(siphash_1_3(&all))
}

/// SipHash (Aumasson and Bernstein, 2012) with one round for each word and three at the end.
fn siphash_1_3(bytes: &[u8]) -> u64 {
    let mut state: [u64; 4] = [0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        compress(&mut state, word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    let rest = words.remainder().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    // The last byte of the last word is the length.
    compress(&mut state, rest | (bytes.len() as u64) << 56);
    state[2] ^= 0xff;
    (0..3).for_each(|_| round(&mut state));
    state.iter().fold(0, |all, part| all ^ part)
}

fn compress(state: &mut [u64; 4], word: u64) {
    state[3] ^= word;
    round(state);
    state[0] ^= word;
}

fn round(state: &mut [u64; 4]) {
    let [mut a, mut b, mut c, mut d] = *state;
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    #[test]
    fn refinery_hashes_as_rust_hashes_name_version_and_text() {
        for text in ["", "CREATE TABLE users (id bigint);", "SELECT 1;\n"] {
            let hash = |version: &dyn Fn(&mut DefaultHasher)| {
                let mut hasher = DefaultHasher::new();
                "add_users".hash(&mut hasher);
                version(&mut hasher);
                text.hash(&mut hasher);
                hasher.finish()
            };
            assert_eq!(refinery("7", "add_users", text.as_bytes(), false), Some(hash(&|hasher| 7i32.hash(hasher))), "{text}");
            assert_eq!(refinery("7", "add_users", text.as_bytes(), true), Some(hash(&|hasher| 7i64.hash(hasher))), "{text}");
        }
        assert_eq!(refinery("1.2", "add_users", b"", false), None);
    }

    #[test]
    fn flyway_takes_no_notice_of_line_ends() {
        // The check value of CRC-32 (IEEE 802.3).
        assert_eq!(flyway(b"123456789"), 0xcbf4_3926_u32.cast_signed());
        assert_eq!(flyway(b"\xef\xbb\xbf1234\r\n56789\n"), flyway(b"123456789"));
    }

    #[test]
    fn sqlx_takes_the_file_as_it_is() {
        assert!(sqlx(b"").starts_with("38b060a751ac96384cd9327eb1b1e36a"), "the SHA-384 of nothing");
        assert_ne!(sqlx(b"SELECT 1\n"), sqlx(b"SELECT 1\r\n"));
    }
}
