//! What a path says: the naming conventions of migration runners, one row each.

use std::path::{Path, PathBuf};

/// What a path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The directory whose history it belongs to.
    pub history: PathBuf,
    /// The version, as written.
    pub version: Option<String>,
    /// The rest of the name.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// How its runner takes its version.
    pub sequence: Sequence,
}

/// How a runner takes versions, as far as the naming tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    /// As text or as number, nobody knows: both have to give the same order.
    Plain,
    /// As number.
    ByNumber,
    /// The folder counts; the numbers of its files only sort them.
    ByFolder,
    /// The whole name counts; the number in it only sorts.
    ByName,
    /// As its tool is known to: nobody doubts the order.
    Known,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It changes the schema.
    Up,
    /// It is run again whenever it changes, after all that have a version.
    Repeatable,
    /// It undoes another one.
    Down,
    /// It checks what another one has done, or fills tables.
    Aside,
    /// Another database's dialect.
    OtherDatabase,
}

/// A path, taken apart for the conventions.
struct Parts<'a> {
    path: &'a Path,
    /// The file's name without `.sql`.
    stem: &'a str,
    /// The name of its directory.
    folder: &'a str,
}

/// Where the version and the name stand in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// On the folder; the file in it is `migration.sql`.
    FolderWithMigration,
    /// On the folder; the files in it are `up.sql` and `down.sql`.
    FolderWithUp,
    /// On the file, behind a letter that says what it is for.
    Prefixed,
    /// On the file, in a folder with a number.
    NumberedFolder,
    /// On the file, before `.up` and `.down`.
    UpAndDown,
    /// On the file.
    Numbered,
    /// There is no version.
    Unnumbered,
}

/// How one runner names its files.
struct Convention {
    /// Who does it so, with an example.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests and readers use it"))]
    example: &'static str,
    form: Form,
    read: fn(&Parts<'_>) -> Option<Named>,
}

/// In the order in which they are tried: the last one takes everything.
const CONVENTIONS: &[Convention] = &[
    Convention {
        example: "Prisma, Drizzle: 20240101120000_add_orders/migration.sql",
        form: Form::FolderWithMigration,
        read: folder_with_migration,
    },
    Convention {
        example: "diesel, Hasura: 2024-01-01-120000_add_orders/up.sql and down.sql",
        form: Form::FolderWithUp,
        read: folder_with_up,
    },
    Convention {
        example: "Flyway, refinery: V1.2__add_orders.sql, U1.2__add_orders.sql, R__views.sql",
        form: Form::Prefixed,
        read: prefixed,
    },
    Convention { example: "numbered folders: delta/72/03_add_orders.sql", form: Form::NumberedFolder, read: numbered_folder },
    Convention { example: "golang-migrate, sqlx: 0001_add_orders.up.sql and .down.sql", form: Form::UpAndDown, read: up_and_down },
    Convention {
        example: "goose, dbmate, node-pg-migrate ...: 20240101120000_add_orders.sql, 0001-add-orders.sql",
        form: Form::Numbered,
        read: numbered,
    },
    Convention { example: "no number: add_orders.sql", form: Form::Unnumbered, read: unnumbered },
];

/// What a path says by the first convention that knows it; `None` if it is no SQL file.
pub(super) fn read(path: &Path) -> Option<Named> {
    read_with_form(path).map(|(named, _)| named)
}

/// The same, and where in the path it says it.
pub(super) fn read_with_form(path: &Path) -> Option<(Named, Form)> {
    let file = path.file_name()?.to_string_lossy();
    let (stem, other_database) = stem(&file)?;
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let parts = Parts { path, stem, folder: &folder };
    let (mut named, form) = CONVENTIONS.iter().find_map(|convention| Some(((convention.read)(&parts)?, convention.form)))?;
    if other_database {
        named.purpose = Purpose::OtherDatabase;
    }
    Some((named, form))
}

/// What a path says although its name does not end as SQL files do: somebody asked for it.
pub(super) fn read_any(path: &Path) -> Named {
    read(path).unwrap_or_else(|| Named {
        history: parent(path),
        version: None,
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        purpose: Purpose::Up,
        sequence: Sequence::Plain,
    })
}

/// Endings of SQL files, and whether they say that it is another database's.
const ENDINGS: &[(&str, bool)] = &[
    (".sql", false),
    (".pgsql", false),
    (".psql", false),
    (".sql.postgres", false),
    (".sql.postgresql", false),
    (".sql.sqlite", true),
    (".sql.mysql", true),
];

pub(super) fn stem(file: &str) -> Option<(&str, bool)> {
    ENDINGS.iter().find_map(|(ending, other)| Some((file.strip_suffix(ending)?, *other))).filter(|(stem, _)| !stem.is_empty())
}

fn folder_with_migration(parts: &Parts<'_>) -> Option<Named> {
    (parts.stem == "migration").then_some(())?;
    folder_named(parts, Purpose::Up).map(|named| Named { sequence: Sequence::ByName, ..named })
}

fn folder_with_up(parts: &Parts<'_>) -> Option<Named> {
    let purpose = match parts.stem {
        "up" => Purpose::Up,
        "down" => Purpose::Down,
        _ => return None,
    };
    // Without a number on its folder, `down.sql` still undoes something.
    folder_named(parts, purpose).or_else(|| (purpose == Purpose::Down).then(|| named(parent(parts.path), None, parts.folder, purpose)))
}

fn folder_named(parts: &Parts<'_>, purpose: Purpose) -> Option<Named> {
    let (version, name) = version(parts.folder)?;
    Some(named(grandparent(parts.path), Some(version), name, purpose))
}

fn prefixed(parts: &Parts<'_>) -> Option<Named> {
    let (head, name) = parts.stem.split_once("__")?;
    let (kind, version) = head.split_at_checked(1)?;
    let is_version =
        |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '_');
    let purpose = match kind {
        "V" | "v" | "B" if is_version(version) => Purpose::Up,
        "U" | "u" if is_version(version) => Purpose::Down,
        "R" | "r" if version.is_empty() => Purpose::Repeatable,
        _ => return None,
    };
    let version = (!version.is_empty()).then(|| version.replace('_', "."));
    Some(Named { history: parent(parts.path), version, name: name.to_owned(), purpose, sequence: Sequence::ByNumber })
}

fn numbered_folder(parts: &Parts<'_>) -> Option<Named> {
    let all_digits = !parts.folder.is_empty() && parts.folder.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then_some(())?;
    let (stem, purpose) = direction(parts.stem);
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (number, name) = stem.split_at(digits);
    let version = if number.is_empty() { parts.folder.to_owned() } else { format!("{}/{number}", parts.folder) };
    Some(Named {
        history: grandparent(parts.path),
        version: Some(version),
        name: trimmed(name).to_owned(),
        purpose,
        sequence: Sequence::ByFolder,
    })
}

fn up_and_down(parts: &Parts<'_>) -> Option<Named> {
    let (stem, purpose) = direction(parts.stem);
    (stem.len() < parts.stem.len()).then_some(())?;
    match version(stem) {
        Some((version, name)) => Some(Named { sequence: Sequence::ByNumber, ..named(parent(parts.path), Some(version), name, purpose) }),
        None => Some(named(parent(parts.path), None, stem, purpose)),
    }
}

fn numbered(parts: &Parts<'_>) -> Option<Named> {
    let (version, name) = version(parts.stem)?;
    Some(named(parent(parts.path), Some(version), name, Purpose::Up))
}

fn unnumbered(parts: &Parts<'_>) -> Option<Named> {
    Some(named(parent(parts.path), None, parts.stem, Purpose::Up))
}

/// `x.up` and `x.down`, and the words that some write instead.
pub(super) fn direction(stem: &str) -> (&str, Purpose) {
    for (ending, purpose) in [(".up", Purpose::Up), (".down", Purpose::Down), (".undo", Purpose::Down), (".rollback", Purpose::Down)] {
        if let Some(stem) = stem.strip_suffix(ending) {
            return (stem, purpose);
        }
    }
    (stem, Purpose::Up)
}

/// A version at the start of a name, and the rest: digits, dotted digits, or a date with its parts set apart.
pub(super) fn version(name: &str) -> Option<(&str, &str)> {
    let length = date_length(name).unwrap_or_else(|| number_length(name));
    let (version, rest) = name.split_at(length);
    // `3rd_party` has no version, `003rd_party` has.
    let set_apart = rest.is_empty() || rest.starts_with(['_', '-', '.', ' ']) || length >= 2;
    (length > 0 && set_apart).then(|| (version, trimmed(rest)))
}

fn trimmed(name: &str) -> &str {
    name.trim_start_matches(['_', '-', '.', ' '])
}

/// `12` of `12_x`, `1.2` of `1.2_x`.
fn number_length(name: &str) -> usize {
    let bytes = name.as_bytes();
    let digits_from = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits_from(0);
    while length > 0 && bytes.get(length) == Some(&b'.') {
        match digits_from(length + 1) {
            0 => break,
            digits => length += 1 + digits,
        }
    }
    length
}

/// `2024-01-31` and `2024_01_31_120000`: year, month and day with one kind of sign between them, and digits behind it.
fn date_length(name: &str) -> Option<usize> {
    let bytes = name.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let sign = *bytes.get(4).filter(|sign| matches!(sign, b'-' | b'_'))?;
    (digits(0..4) && digits(5..7) && bytes.get(7) == Some(&sign) && digits(8..10)).then_some(())?;
    let time = bytes
        .get(10)
        .filter(|byte| matches!(byte, b'-' | b'_' | b'T'))
        .map_or(0, |_| bytes[11..].iter().take_while(|byte| byte.is_ascii_digit()).count());
    let end = if time >= 4 { 11 + time } else { 10 };
    // diesel counts on where two have the same second: `2024-01-31-120000-0001_add_orders`.
    let more = bytes.get(end) == Some(&b'-') && digits(end + 1..end + 5) && matches!(bytes.get(end + 5), None | Some(b'_'));
    Some(if more && time >= 4 { end + 5 } else { end })
}

fn named(history: PathBuf, version: Option<&str>, name: &str, purpose: Purpose) -> Named {
    Named { history, version: version.map(str::to_owned), name: name.to_owned(), purpose, sequence: Sequence::Plain }
}

pub(super) fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

pub(super) fn grandparent(path: &Path) -> PathBuf {
    parent(&parent(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn words(path: &str) -> String {
        let Some(named) = read(Path::new(path)) else { return "no SQL".to_owned() };
        let version = named.version.as_deref().unwrap_or("-");
        format!("{:?} {version} {} in {}", named.purpose, named.name, named.history.display())
    }

    #[test]
    fn each_convention_reads_its_own_example() {
        for (at, convention) in CONVENTIONS.iter().enumerate() {
            let (_, examples) = convention.example.split_once(": ").expect("an example follows the name");
            for path in examples
                .split(", ")
                .flat_map(|part| part.split(" and "))
                .filter(|part| part.contains("sql") && part.contains(['0', '1', '2', '3', '_']))
            {
                let path = PathBuf::from(path.trim_end_matches(" ..."));
                let file = path.file_name().expect("a file").to_string_lossy();
                let Some((stem, _)) = stem(&file) else { panic!("{file} is SQL") };
                let folder = parent(&path).file_name().unwrap_or_default().to_string_lossy().into_owned();
                let first = CONVENTIONS.iter().position(|other| (other.read)(&Parts { path: &path, stem, folder: &folder }).is_some());
                assert_eq!(first, Some(at), "{}", path.display());
            }
        }
    }

    #[test]
    fn folders_with_a_version_belong_to_the_history_above_them() {
        assert_snapshot!(words("db/migrations/20240101120000_add_orders/migration.sql"), @"Up 20240101120000 add_orders in db/migrations");
        assert_snapshot!(words("migrations/2024-01-01-120000_add_orders/down.sql"), @"Down 2024-01-01-120000 add_orders in migrations");
        assert_snapshot!(words("storage/delta/72/03add_orders.sql.postgres"), @"Up 72/03 add_orders in storage/delta");
        assert_snapshot!(words("storage/delta/72/03add_orders.sql.sqlite"), @"OtherDatabase 72/03 add_orders in storage/delta");
    }

    #[test]
    fn versions_are_read_off_file_names() {
        assert_snapshot!(words("m/V1_2__add_orders.sql"), @"Up 1.2 add_orders in m");
        assert_snapshot!(words("m/U3__add_orders.sql"), @"Down 3 add_orders in m");
        assert_snapshot!(words("m/R__order_views.sql"), @"Repeatable - order_views in m");
        assert_snapshot!(words("m/0007_add_orders.up.sql"), @"Up 0007 add_orders in m");
        assert_snapshot!(words("m/2024_01_31_120000_add_orders.sql"), @"Up 2024_01_31_120000 add_orders in m");
        assert_snapshot!(words("m/2024-01-31-120000-0001_add_orders/up.sql"), @"Up 2024-01-31-120000-0001 add_orders in m");
        assert_snapshot!(words("m/2024-01-31-add-orders.sql"), @"Up 2024-01-31 add-orders in m");
        assert_snapshot!(words("m/1.10.2-add-orders.sql"), @"Up 1.10.2 add-orders in m");
        assert_snapshot!(words("m/007.sql"), @"Up 007  in m");
        assert_snapshot!(words("m/3rd_party.sql"), @"Up - 3rd_party in m");
        assert_snapshot!(words("add_orders.sql"), @"Up - add_orders in");
        assert_snapshot!(words("m/readme.md"), @"no SQL");
    }
}
