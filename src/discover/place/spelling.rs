//! How one history spells the paths of its files: the parts of a path, and paths for other versions put together from them.

use crate::discover::convention::{self, Form, Purpose, parent};
use std::path::{Path, PathBuf};

/// A path in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::discover) struct Spelling {
    /// What carries the version.
    pub form: Form,
    /// Where that lies.
    pub directory: PathBuf,
    /// `V` of Flyway.
    letter: String,
    /// As written.
    pub version: String,
    /// What stands between version and name.
    gap: String,
    /// The words.
    name: String,
    /// What follows the name: `.up.sql`, or the file in a folder.
    tail: String,
}

impl Spelling {
    /// The parts of a path whose name says a version.
    pub fn of(path: &Path) -> Option<Self> {
        let (named, form) = convention::read_with_form(path)?;
        named.version.as_ref()?;
        let file = path.file_name()?.to_str()?;
        let directory = parent(path);
        let (carrier, tail, directory) = match form {
            Form::FolderWithMigration | Form::FolderWithUp => (directory.file_name()?.to_str()?, file, parent(&directory)),
            Form::Prefixed | Form::NumberedFolder | Form::UpAndDown | Form::Numbered => {
                let (stem, _) = convention::stem(file)?;
                let (stem, _) =
                    if form == Form::UpAndDown || form == Form::NumberedFolder { convention::direction(stem) } else { (stem, Purpose::Up) };
                (stem, &file[stem.len()..], directory)
            }
            Form::Unnumbered => return None,
        };
        let (letter, rest) = carrier.split_at(if form == Form::Prefixed { 1 } else { 0 });
        let (version, rest) = match form {
            Form::Prefixed => rest.split_at(rest.find("__")?),
            Form::NumberedFolder => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
            _ => rest.split_at(convention::version(rest)?.0.len()),
        };
        let (gap, name) = rest.split_at(rest.find(|c| !matches!(c, '_' | '-' | '.' | ' ')).unwrap_or(rest.len()));
        let owned = str::to_owned;
        let parts =
            Self { form, directory, letter: owned(letter), version: owned(version), gap: owned(gap), name: owned(name), tail: owned(tail) };
        (!version.is_empty()).then_some(parts)
    }

    /// `0001_words.sql`.
    pub fn numbered(directory: &Path) -> Self {
        let owned = str::to_owned;
        let (letter, version, gap) = (String::new(), owned("0001"), owned("_"));
        Self { form: Form::Numbered, directory: directory.to_owned(), letter, version, gap, name: owned("words"), tail: owned(".sql") }
    }

    /// The path of another version, with a name of these words; where names are left out, so is this one.
    pub fn path(&self, version: &str, words: &str) -> PathBuf {
        let name = if self.name.is_empty() { String::new() } else { format!("{}{}", self.gap, self.slug(words)) };
        let (letter, tail) = (&self.letter, &self.tail);
        match self.form {
            Form::FolderWithMigration | Form::FolderWithUp => self.directory.join(format!("{version}{name}")).join(tail),
            _ => self.directory.join(format!("{letter}{version}{name}{tail}")),
        }
    }

    /// The path of the file that undoes the one at `up`, where that is usual. `endings`: those by which this history says so.
    pub fn down(&self, up: &Path, endings: &[String]) -> Option<PathBuf> {
        let name = up.file_name()?.to_str()?;
        let name = match self.form {
            Form::FolderWithMigration | Form::FolderWithUp => "down.sql".to_owned(),
            Form::Prefixed => format!("{}{}", if self.letter == "v" { "u" } else { "U" }, &name[1..]),
            Form::UpAndDown if self.tail.starts_with(".up.") => format!("{}.down{}", name.strip_suffix(&self.tail)?, &self.tail[3..]),
            Form::UpAndDown | Form::Numbered | Form::NumberedFolder | Form::Unnumbered => {
                format!("{}{}", name.strip_suffix(&self.tail)?, endings.first()?)
            }
        };
        Some(up.with_file_name(name))
    }

    /// Words as one name, joined as the others of this history are.
    fn slug(&self, words: &str) -> String {
        let sign = if self.name.contains('-') && !self.name.contains('_') { '-' } else { '_' };
        let mut name = String::new();
        for word in words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if !name.is_empty() {
                name.push(sign);
            }
            name += &word.to_lowercase();
        }
        // A file system takes 255 bytes, and a reader fewer.
        name.truncate(name.floor_char_boundary(80));
        name.trim_end_matches(sign).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn other(path: &str, version: &str) -> String {
        let spelling = Spelling::of(Path::new(path)).expect("it has a version");
        let path = spelling.path(version, "validate orders_buyer-fkey");
        let down = spelling.down(&path, &[]).map_or("-".to_owned(), |path| path.display().to_string());
        format!("{} {} | {down}", spelling.version, path.display())
    }

    #[test]
    fn another_path_is_spelled_as_the_first_one() {
        assert_snapshot!(other("m/0041_add_orders.sql", "0042"), @"0041 m/0042_validate_orders_buyer_fkey.sql | -");
        assert_snapshot!(other("m/0041-add-orders.sql", "0042"), @"0041 m/0042-validate-orders-buyer-fkey.sql | -");
        assert_snapshot!(other("0041.pgsql", "0042"), @"0041 0042.pgsql | -");
        assert_snapshot!(other("m/V1_2__add_orders.sql", "1_3"), @"1_2 m/V1_3__validate_orders_buyer_fkey.sql | m/U1_3__validate_orders_buyer_fkey.sql");
        assert_snapshot!(other("m/7_x.up.sql", "8"), @"7 m/8_validate_orders_buyer_fkey.up.sql | m/8_validate_orders_buyer_fkey.down.sql");
        assert_snapshot!(other("m/2024-01-01-120000_x/up.sql", "2024-01-01-120001"), @"2024-01-01-120000 m/2024-01-01-120001_validate_orders_buyer_fkey/up.sql | m/2024-01-01-120001_validate_orders_buyer_fkey/down.sql");
        assert_snapshot!(other("p/20240101120000_x/migration.sql", "20240101120001"), @"20240101120000 p/20240101120001_validate_orders_buyer_fkey/migration.sql | p/20240101120001_validate_orders_buyer_fkey/down.sql");
        assert_snapshot!(other("delta/72/03add_orders.sql.postgres", "04"), @"03 delta/72/04validate_orders_buyer_fkey.sql.postgres | -");
    }

    #[test]
    fn a_name_without_a_version_tells_nothing() {
        assert_eq!(Spelling::of(Path::new("m/add_orders.sql")), None);
        assert_eq!(Spelling::of(Path::new("m/R__views.sql")), None);
        assert_eq!(Spelling::of(Path::new("delta/72/add_orders.sql")), None);
    }
}
