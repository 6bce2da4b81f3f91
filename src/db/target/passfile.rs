//! ~/.pgpass: the password of a role on a server, as libpq looks it up. sqlx reads the file as well, but for a connection that it has parsed
//! itself, and it is silent where it does not like the file.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a password is looked up by.
pub(super) struct Login<'a> {
    /// As it was written: a name, an address, or the folder of a socket.
    pub host: &'a str,
    pub port: u16,
    pub database: &'a str,
    pub user: &'a str,
}

/// Where Debian and PostgreSQL itself put sockets: `localhost` in the file means them as well.
pub(super) const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The password in a file, if it has one for this login.
///
/// # Errors
/// Why the file is passed over, though it is there.
pub(super) fn password(path: &Path, login: &Login<'_>) -> Result<Option<String>, String> {
    let passed_over = |why: &str| format!("{} is passed over: {why}", path.display());
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(passed_over(&error.to_string())),
    };
    if !about.is_file() {
        return Err(passed_over("it is no plain file"));
    }
    if about.permissions().mode() & 0o077 != 0 {
        return Err(passed_over("others may read it; chmod 0600 makes it yours alone"));
    }
    let bytes = fs::read(path).map_err(|error| passed_over(&error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).lines().find_map(|line| password_in(line, login)))
}

/// `HOST:PORT:DATABASE:USER:PASSWORD`, where `*` is anything and `\` takes the meaning from `:` and `\`.
fn password_in(line: &str, login: &Login<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            // Behind the fourth colon all is password.
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    let is = |field: &str, value: &str| field == "*" || field == value;
    let is_host = is(&host, login.host) || (host == "localhost" && SOCKET_FOLDERS.contains(&login.host));
    (is_host && is(&port, &login.port.to_string()) && is(&database, login.database) && is(&user, login.user)).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: Login<'static> = Login { host: "db.example.org", port: 5432, database: "shop", user: "keeper" };

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        for (line, password) in [
            ("db.example.org:5432:shop:keeper:hunter2", Some("hunter2")),
            ("*:*:*:*:hunter2", Some("hunter2")),
            (r"db.example.org:*:shop:keeper:hun\:ter\\2:3", Some(r"hun:ter\2:3")),
            ("localhost:*:*:*:hunter2", None),
            ("db.example.org:5433:*:*:hunter2", None),
            ("#*:*:*:*:hunter2", None),
            ("db.example.org:5432:shop:keeper", None),
            ("", None),
        ] {
            assert_eq!(password_in(line, &SHOP).as_deref(), password, "{line}");
        }
        assert_eq!(password_in("localhost:*:*:*:x", &Login { host: "/tmp", ..SHOP }).as_deref(), Some("x"));
        assert_eq!(password_in("localhost:*:*:*:x", &Login { host: "/srv", ..SHOP }), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_passed_over_aloud() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".pgpass");
        assert_eq!(password(&path, &SHOP), Ok(None));
        fs::write(&path, "# of the shop\n*:*:*:*:hunter2\n").expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("the file is ours");
        let said = password(&path, &SHOP).expect_err("others may read it");
        assert!(said.contains("others may read it") && !said.contains("hunter2"), "{said}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        assert_eq!(password(&path, &SHOP), Ok(Some("hunter2".to_owned())));
        assert!(password(folder.path(), &SHOP).is_err_and(|said| said.contains("no plain file")));
    }
}
