//! Paths as those see them who show reports: from the top of the git working tree, wherever in it lockkeeper is run.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

/// The tree that a review looks at.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The current directory.
    here: PathBuf,
    /// The top.
    root: PathBuf,
}

impl Checkout {
    /// The git working tree around the current directory; that directory itself where there is none.
    pub fn around_here() -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let root = here.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&here).to_owned();
        Self { here, root }
    }

    /// The path from the top, with slashes; as it was given where it leads out of the tree.
    pub fn path(&self, path: &Path) -> String {
        let text = match self.below(path) {
            Some(inside) => inside.to_string_lossy().into_owned(),
            None => path.to_string_lossy().into_owned(),
        };
        if cfg!(windows) { text.replace('\\', "/") } else { text }
    }

    /// The same as a URI reference: relative where the path lies in the tree, and `false`; else of the scheme `file`, and `true`.
    pub fn uri(&self, path: &Path) -> (String, bool) {
        match self.below(path) {
            Some(inside) => (encoded(&inside), false),
            None => (format!("file://{}", encoded(&clean(&self.here.join(path)))), true),
        }
    }

    fn below(&self, path: &Path) -> Option<PathBuf> {
        let absolute = clean(&self.here.join(path));
        if let Ok(inside) = absolute.strip_prefix(&self.root) {
            return Some(inside.to_owned());
        }
        // The way to the tree may lead over links.
        let resolved = std::fs::canonicalize(&absolute).ok()?;
        resolved.strip_prefix(std::fs::canonicalize(&self.root).ok()?).ok().map(Path::to_owned)
    }
}

/// A path without `.` and `..`, by its words alone.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(component),
        }
    }
    clean
}

/// Every byte that means something in a URI, or nothing at all, by its number.
fn encoded(path: &Path) -> String {
    let bytes: Cow<'_, [u8]> = match cfg!(windows) {
        true => path.to_string_lossy().replace('\\', "/").into_bytes().into(),
        false => path.as_os_str().as_encoded_bytes().into(),
    };
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(*byte)),
            // Writing to a String does not fail.
            other => drop(write!(text, "%{other:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Checkout {
        Checkout { here: "/shop/app".into(), root: "/shop".into() }
    }

    #[test]
    fn a_path_is_told_from_the_top_of_the_tree() {
        let told = ["m/1.sql", "./m/../m/1.sql", "../m/1.sql", "/shop/app/m/1.sql", "../../elsewhere/1.sql"]
            .map(|path| shop().path(Path::new(path)));
        assert_eq!(told, ["app/m/1.sql", "app/m/1.sql", "m/1.sql", "app/m/1.sql", "../../elsewhere/1.sql"]);
    }

    #[test]
    fn no_sign_of_a_name_means_anything_in_its_uri() {
        let uri = |path: &str| shop().uri(Path::new(path));
        assert_eq!(uri("m/a b:%?#[1].sql"), ("app/m/a%20b%3A%25%3F%23%5B1%5D.sql".to_owned(), false));
        assert_eq!(uri("größe\n.sql"), ("app/gr%C3%B6%C3%9Fe%0A.sql".to_owned(), false));
        assert_eq!(uri("/else where/1.sql"), ("file:///else%20where/1.sql".to_owned(), true));
    }
}
