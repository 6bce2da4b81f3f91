//! The parts of a connection as libpq calls them: out of a URL, or out of PG* variables.

use crate::config::environments::SCHEMES;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What we know how to follow: a parameter of a URL or a service file, and the variable that says the same.
const FOLLOWED: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("options", "PGOPTIONS"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("application_name", "PGAPPNAME"),
];

/// What somebody may rely on, and sqlx cannot do: that is said, not passed over.
const NOT_FOLLOWED: &[(&str, &str)] = &[
    ("channel_binding", "PGCHANNELBINDING"),
    ("require_auth", "PGREQUIREAUTH"),
    ("sslcrl", "PGSSLCRL"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

/// The variables that alone say where to connect to; the others only fill in what is missing.
pub(super) const PLACES: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"];

/// The parts that somebody has given. There is a password among them, so this is never printed.
#[derive(Clone, Default)]
pub(super) struct Parts {
    given: BTreeMap<&'static str, String>,
    /// Names of parameters that nobody follows.
    pub not_followed: Vec<String>,
}

/// What is wrong with a URL; never what stands in it.
pub(super) type Fault = &'static str;

impl Parts {
    /// What the PG* variables say.
    pub fn of_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let read = |(name, of): &(&'static str, &str)| Some((*name, variable(of)?));
        let not_followed = NOT_FOLLOWED.iter().filter(|(_, of)| variable(of).is_some()).map(|(_, of)| (*of).to_owned());
        Self { given: FOLLOWED.iter().filter_map(read).collect(), not_followed: not_followed.collect() }
    }

    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE`, as libpq does (manual: libpq-connect, connection URIs).
    pub fn of_url(url: &str) -> Result<Self, Fault> {
        let Some(rest) = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)) else {
            return Err(if url.contains('=') { KEY_VALUE } else { "it does not begin with postgres://" });
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        if path.contains('@') {
            return Err(ENCODE);
        }
        let mut parts = Self::default();
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = host_and_port(place)?;
        for (name, value) in [("user", user), ("password", password), ("host", host), ("port", port), ("dbname", path)] {
            if !value.is_empty() {
                parts.put(name, decoded(value)?)?;
            }
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(ENCODE)?;
            parts.put(&decoded(name)?, decoded(value)?)?;
        }
        Ok(parts)
    }

    /// Takes a parameter by its name.
    pub fn put(&mut self, name: &str, value: String) -> Result<(), Fault> {
        // sqlx writes ssl-mode, and JDBC ssl=true.
        let (name, value) = match name {
            "ssl-mode" => ("sslmode", value),
            "ssl-root-cert" | "ssl-ca" => ("sslrootcert", value),
            "ssl-cert" => ("sslcert", value),
            "ssl-key" => ("sslkey", value),
            "ssl" if value == "true" => ("sslmode", "require".to_owned()),
            name => (name, value),
        };
        match FOLLOWED.iter().find(|(known, _)| *known == name) {
            Some(("port", _)) if !value.parse::<u16>().is_ok_and(|port| port > 0) => return Err("its port is no number from 1 to 65535"),
            Some(("host" | "hostaddr", _)) if value.contains(',') => return Err("it names several hosts, and a migration has one target"),
            // A socket's folder may be called anything.
            Some(("host", _)) if !value.starts_with('/') && value.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                return Err("there is white space in its host");
            }
            Some(("hostaddr", _)) if value.parse::<IpAddr>().is_err() => return Err("its hostaddr is no address"),
            Some((known, _)) => drop(self.given.insert(known, value)),
            // It is going to be shown, so it had better be a name.
            None if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') => {
                self.not_followed.push(name.to_owned())
            }
            None => return Err(ENCODE),
        }
        Ok(())
    }

    /// Takes what is missing from other parts. A host is one answer, however it is written: an address of elsewhere does not take its place.
    pub fn fill(&mut self, other: Self) {
        let has_host = self.get("host").or(self.get("hostaddr")).is_some();
        for (name, value) in other.given.into_iter().filter(|(name, _)| !has_host || !["host", "hostaddr"].contains(name)) {
            self.given.entry(name).or_insert(value);
        }
        self.not_followed.extend(other.not_followed);
    }

    /// A part.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }
}

const KEY_VALUE: Fault = "it is a string of key=value pairs, and a URL is expected";
const ENCODE: Fault = "`/`, `?`, `@` and `%` in a password are written %2F, %3F, %40 and %25";

/// `HOST:PORT`, `[::1]:PORT`.
fn host_and_port(place: &str) -> Result<(&str, &str), Fault> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("its host opens a bracket and does not close it")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, port)),
            None if rest.is_empty() => Ok((host, "")),
            None => Err("something stands between its host and its port"),
        };
    }
    match place.split_once(',') {
        // Each of them may have a port.
        Some(_) => Ok((place, "")),
        None => Ok(place.split_once(':').unwrap_or((place, ""))),
    }
}

/// The text behind `%2F`.
fn decoded(text: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let byte = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                rest = behind;
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (high, low) = digit(high).zip(digit(low)).ok_or(ENCODE)?;
                (high * 16 + low) as u8
            }
            (b'%', _) => return Err(ENCODE),
            (byte, _) => *byte,
        };
        bytes.push(byte);
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        Ok(_) | Err(_) => Err("what its %XX stand for is no text"),
    }
}

/// A text as it stands in a URL.
pub(super) fn encoded(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}
