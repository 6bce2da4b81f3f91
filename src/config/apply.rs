//! `apply:` of lockkeeper.yaml: how long `lockkeeper apply` waits for what, and what its session is set to.

use super::notify::{self, Route};
use super::read::milliseconds;
use super::schema;
use super::window::{self, Windows};
use crate::model::session::Timeout;
use crate::problem::did_you_mean;
use crate::rule::node::{Fault, Node, What};
use crate::rule::shape::{Key, Object, Shape, words};
use std::time::Duration;

/// How migrations are run. What the file leaves out is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// Waiting for locks.
    pub lock: Lock,
    /// Whose sessions are ended if they are in the way for longer than one try. Default: nobody's.
    pub kill: Kill,
    /// `statement_timeout` of a statement that runs in a transaction, its wait for locks included. Default: 5 minutes.
    pub statement_timeout: Duration,
    /// Statements that run outside of a transaction and stop nobody: building and dropping indexes concurrently.
    pub index: Index,
    /// Changes of many rows that are made in batches.
    pub backfill: Backfill,
    /// When migrations may run that stop traffic; an environment may have another one. Default: no such hours.
    pub window: Windows,
    /// For how long a server that has gone away is called again. Default: 5 minutes.
    pub reconnect: Duration,
    /// The command that runs migrations instead of lockkeeper itself: the program and its arguments. Default: none.
    pub with: Vec<String>,
    /// `search_path` of the session, as SET takes it: `shop, public`. Default: the role's.
    pub search_path: Option<String>,
    /// The role that the session becomes, so that what migrations make belongs to it. Default: the one that logs in.
    pub role: Option<String>,
    /// Other settings of the session: names in lower case as the server knows them, and values as SET takes them, in the order of the file.
    pub settings: Vec<(String, String)>,
    /// Who is told that it begins, and how it has ended.
    pub notify: Vec<Route>,
}

/// How long, and how often, a lock is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// `lock_timeout` of one try: whoever comes behind us in the queue waits for no longer than this. Default: 2 seconds.
    pub timeout: Duration,
    /// How long all tries of a step may take together. Default: 3 minutes.
    pub budget: Duration,
    /// How many tries a step has. Default: 30.
    pub attempts: u32,
    /// How many sessions may queue behind ours; with more, the try is given up before its time. Default: 20.
    pub max_waiters: u32,
}

/// Whose sessions are ended if they are in the way. Those of superusers, of other databases and of replication never are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Nobody's.
    Never,
    /// Those that have a transaction open and do nothing for as long as a try takes.
    IdleInTransaction,
    /// Those with one of these for an `application_name`, whatever they do.
    Applications(Vec<String>),
}

/// The times of statements outside of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// `lock_timeout`: these waits stop no reader and no writer, and a short one only leaves an invalid index behind. Default: 10 minutes.
    pub lock_timeout: Duration,
    /// `statement_timeout`. Default: 60 minutes.
    pub timeout: Duration,
}

/// How fast batches follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// How long a batch is to take: its rows are locked for that time. Default: 200 ms.
    pub target: Duration,
    /// How many bytes of WAL a standby may be behind before it is waited for. Default: 64 MB.
    pub max_lag_bytes: u64,
    /// How old what a standby replays may be. Default: 10 seconds.
    pub max_lag: Duration,
    /// With how many other sessions at work it goes on. Default: any number.
    pub max_active: Option<u32>,
}

impl Default for Backfill {
    fn default() -> Self {
        Self { target: Duration::from_millis(200), max_lag_bytes: 64 << 20, max_lag: Duration::from_secs(10), max_active: None }
    }
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

impl Default for Apply {
    fn default() -> Self {
        Self {
            lock: Lock { timeout: Duration::from_secs(2), budget: minutes(3), attempts: 30, max_waiters: 20 },
            kill: Kill::Never,
            statement_timeout: minutes(5),
            index: Index { lock_timeout: minutes(10), timeout: minutes(60) },
            backfill: Backfill::default(),
            window: Windows::default(),
            reconnect: minutes(5),
            with: Vec::new(),
            search_path: None,
            role: None,
            settings: Vec::new(),
            notify: Vec::new(),
        }
    }
}

const TIME: Shape = Shape::Schema(schema::positive_time);

/// The keys of `apply:`.
pub(super) const APPLY: Object = Object::of(&[
    Key::new("lock", Shape::Keys(&LOCK), "waiting for locks"),
    Key::new("statement_timeout", TIME, "of a statement that runs in a transaction, its wait for locks included: 5min"),
    Key::new("index", Shape::Keys(&INDEX), "statements that run outside of a transaction, CREATE INDEX CONCURRENTLY above all"),
    Key::new("backfill", Shape::Keys(&BACKFILL), "changes of many rows that are made in batches"),
    Key::new("window", window::WINDOWS, "when migrations may run that stop traffic: Sun 02:00-04:00 Europe/Riga"),
    Key::new("reconnect", TIME, "for how long a server that has gone away is called again: 5min"),
    Key::new("with", Shape::List(&Shape::Text), "the command that runs migrations instead of lockkeeper itself: [dbmate, up]"),
    Key::new("search_path", Shape::Text, "search_path of the session, as SET takes it: shop, public"),
    Key::new("role", Shape::Text, "the role that the session becomes, so that what migrations make belongs to it"),
    Key::new("settings", Shape::Schema(schema::settings), "other settings of the session, by their names"),
    Key::new("notify", Shape::List(&Shape::Keys(&notify::ROUTE)), "who is told that it begins, and how it has ended"),
]);

const LOCK: Object = Object::of(&[
    Key::new("timeout", TIME, "lock_timeout of one try: whoever queues behind us waits for no longer: 2s"),
    Key::new("budget", TIME, "how long all tries of a step may take together: 3min"),
    Key::new("attempts", Shape::Schema(schema::positive), "how many tries a step has: 30"),
    Key::new("max_waiters", Shape::Schema(schema::natural), "how many sessions may queue behind ours before a try is given up: 20"),
    Key::new("kill", Shape::Either(&[Shape::Words(|| words(KILLS)), Shape::List(&Shape::Text)]), KILL_DOC),
]);

const KILL_DOC: &str =
    "whose sessions are ended that are in the way for longer than one try: never, idle_in_transaction, or names of applications";

const KILLS: &[(&str, Kill)] = &[("never", Kill::Never), ("idle_in_transaction", Kill::IdleInTransaction)];

const INDEX: Object = Object::of(&[
    Key::new("lock_timeout", TIME, "how long it waits for transactions that are older: 10min"),
    Key::new("timeout", TIME, "how long it may take: 60min"),
]);

const BACKFILL: Object = Object::of(&[
    Key::new("target", TIME, "how long a batch is to take, for its rows are locked so long: 200ms"),
    Key::new("max_lag_bytes", Shape::Schema(schema::bytes), "how many bytes of WAL a standby may be behind before it is waited for: 64MB"),
    Key::new("max_lag", TIME, "how old what a standby replays may be: 10s"),
    Key::new(
        "max_active",
        Shape::Schema(schema::positive),
        "with how many other sessions at work in the database it goes on; any number if left out",
    ),
]);

/// Settings that have a key of their own, or that would change who or what the session is.
pub(super) const SET_ELSEWHERE: &[(&str, &str)] = &[
    ("lock_timeout", "it is `lock: { timeout: ... }`, and `index: { lock_timeout: ... }`"),
    ("statement_timeout", "it is `statement_timeout:` below `apply:`, and `index: { timeout: ... }`"),
    ("search_path", "it is `search_path:` below `apply:`"),
    ("role", "it is `role:` below `apply:`"),
    ("session_authorization", "log in as that role, or name it in `role:` below `apply:`"),
];

/// Reads `{ lock: { timeout: 2s }, statement_timeout: 5min, settings: { work_mem: 64MB } }`.
pub(super) fn read(node: &Node) -> Result<Apply, Fault> {
    let fields = APPLY.fields(node)?;
    let mut apply = Apply::default();
    let statement = fields.get("statement_timeout");
    put(&mut apply.statement_timeout, statement, time)?;
    put(&mut apply.window, fields.get("window"), window::read)?;
    put(&mut apply.reconnect, fields.get("reconnect"), time)?;
    for word in fields.get("with").map_or(Ok(&[][..]), Node::list)? {
        apply.with.push(text(word)?);
    }
    apply.search_path = fields.get("search_path").map(text).transpose()?;
    apply.role = fields.get("role").map(text).transpose()?;
    apply.settings = fields.get("settings").map_or(Ok(Vec::new()), settings)?;
    apply.notify = fields.get("notify").map_or(Ok(Vec::new()), notify::read)?;

    let lock = fields.get("lock").map(|lock| LOCK.fields(lock)).transpose()?;
    if let Some(lock) = &lock {
        put(&mut apply.lock.timeout, lock.get("timeout"), time)?;
        put(&mut apply.lock.budget, lock.get("budget"), time)?;
        put(&mut apply.lock.attempts, lock.get("attempts"), |node| count(node, 1))?;
        put(&mut apply.kill, lock.get("kill"), kill)?;
        put(&mut apply.lock.max_waiters, lock.get("max_waiters"), |node| count(node, 0))?;
    }
    let index = fields.get("index").map(|index| INDEX.fields(index)).transpose()?;
    if let Some(index) = &index {
        put(&mut apply.index.lock_timeout, index.get("lock_timeout"), time)?;
        put(&mut apply.index.timeout, index.get("timeout"), time)?;
    }
    if let Some(backfill) = fields.get("backfill").map(|backfill| BACKFILL.fields(backfill)).transpose()? {
        put(&mut apply.backfill.target, backfill.get("target"), time)?;
        put(&mut apply.backfill.max_lag_bytes, backfill.get("max_lag_bytes"), bytes)?;
        put(&mut apply.backfill.max_lag, backfill.get("max_lag"), time)?;
        apply.backfill.max_active = backfill.get("max_active").map(|node| count(node, 1)).transpose()?;
    }

    let written = |key: &str| lock.as_ref().and_then(|lock| lock.get(key));
    let of_index = |key: &str| index.as_ref().and_then(|index| index.get(key));
    ends_later(apply.statement_timeout, apply.lock.timeout, statement.or(written("timeout")), TOO_EARLY)?;
    ends_later(apply.index.timeout, apply.index.lock_timeout, of_index("timeout").or(of_index("lock_timeout")), TOO_EARLY)?;
    // One try alone may wait for all of the budget, but not for more.
    ends_later(apply.lock.budget + Duration::from_millis(1), apply.lock.timeout, written("budget").or(written("timeout")), NO_TRY)?;
    Ok(apply)
}

/// What is said, and what to do, where a time is not longer than the one that has to end first.
type TooShort = (&'static str, &'static str);

/// Else the server says "canceling statement due to statement timeout" where a lock was not free, and nobody tries again.
const TOO_EARLY: TooShort =
    ("the statement's timeout ends before that of its wait for a lock", "a statement's timeout has to be larger than its lock timeout");
const NO_TRY: TooShort = ("all tries together may take less than one of them", "`budget` is the time of all tries, `timeout` that of one");

/// Holds two times against each other, at a place where one of them is written; the defaults are right.
fn ends_later(longer: Duration, shorter: Duration, at: Option<&Node>, (message, help): TooShort) -> Result<(), Fault> {
    match at {
        Some(node) if longer <= shorter => Err(node.fault(message).help(help)),
        Some(_) | None => Ok(()),
    }
}

/// `idle_in_transaction`, or `[reports, cron]`.
fn kill(node: &Node) -> Result<Kill, Fault> {
    if let What::List(names) = &node.what {
        return names.iter().map(text).collect::<Result<_, _>>().map(Kill::Applications);
    }
    let written = node.text()?;
    let known = KILLS.iter().find(|(word, _)| *word == written);
    known.map(|(_, kill)| kill.clone()).ok_or_else(|| {
        let message = format!("there is no `{written}` here{}", did_you_mean(written, words(KILLS)));
        node.fault(message).help("one of: never, idle_in_transaction, or a list of names of applications: [reports, cron]")
    })
}

/// Replaces a default by what is written.
fn put<T>(place: &mut T, written: Option<&Node>, read: impl FnOnce(&Node) -> Result<T, Fault>) -> Result<(), Fault> {
    if let Some(node) = written {
        *place = read(node)?;
    }
    Ok(())
}

/// The server keeps its timeouts as milliseconds in 31 bits.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// A time with its unit: some of these are no settings of PostgreSQL, so that nobody would read a bare number as milliseconds.
pub(super) fn time(node: &Node) -> Result<Duration, Fault> {
    let no_time = || {
        let written = match &node.what {
            What::Number(number) => number.to_string(),
            What::Float(number) => number.to_string(),
            What::Text(text) => text.clone(),
            What::Null | What::Bool(_) | What::List(_) | What::Map(_) => {
                return node.fault("no time stands where one is expected").help(UNIT);
            }
        };
        node.fault(format!("`{written}` is no time with a unit")).help(UNIT)
    };
    let What::Text(written) = &node.what else { return Err(no_time()) };
    let has_unit = !written.trim_end().ends_with(|c: char| c.is_ascii_digit() || c == '.') && !written.trim_end().ends_with("us");
    match milliseconds(written).filter(|_| has_unit) {
        Some(Timeout::After(time)) if time <= LONGEST => Ok(time),
        Some(Timeout::After(_)) => Err(node.fault("PostgreSQL's times end at 24 days")),
        Some(Timeout::Off) => Err(node.fault("0 would be to wait for ever").help("whoever queues behind us would wait for ever, too")),
        Some(Timeout::Unset | Timeout::Unknown) | None => Err(no_time()),
    }
}

const UNIT: &str = "write 500ms, 2s, 5min or 1h";

/// Units of memory as PostgreSQL writes them, capital letters and all (guc.c: memory_unit_conversion_table).
pub(super) const MEMORY: [(&str, u64); 5] = [("B", 1), ("kB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];

fn bytes(node: &Node) -> Result<u64, Fault> {
    let fault = || node.fault("a number of bytes with its unit is expected here").help("write 16MB or 1GB, as in postgresql.conf");
    let What::Text(written) = &node.what else { return Err(fault()) };
    let written = written.trim();
    let unit_at = written.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
    let (number, unit) = written.split_at(unit_at);
    let (_, unit) = MEMORY.iter().find(|(word, _)| *word == unit.trim()).ok_or_else(fault)?;
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit)).ok_or_else(fault)
}

fn count(node: &Node, least: i64) -> Result<u32, Fault> {
    let number = node.number()?;
    u32::try_from(number)
        .ok()
        .filter(|_| number >= least)
        .ok_or_else(|| node.fault(format!("a number from {least} on is expected here, not {number}")))
}

fn text(node: &Node) -> Result<String, Fault> {
    node.text().map(str::to_owned)
}

/// `{ work_mem: 64MB, jit: off }`
fn settings(node: &Node) -> Result<Vec<(String, String)>, Fault> {
    node.map()?.iter().map(|(name, value)| Ok((setting_name(name)?, setting_value(value)?))).collect()
}

/// A name goes into a SET as it is, so it has to be one: words with dots between them.
fn setting_name(node: &Node) -> Result<String, Fault> {
    let name = node.text()?.to_ascii_lowercase();
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !name.split('.').all(is_word) {
        return Err(node
            .fault(format!("`{name}` is no name of a setting"))
            .help("names are as `SHOW ALL` lists them: work_mem, shop.tenant"));
    }
    match SET_ELSEWHERE.iter().find(|(known, _)| *known == name) {
        Some((_, where_it_is)) => Err(node.fault(format!("`{name}` is not set here")).help(*where_it_is)),
        None => Ok(name),
    }
}

fn setting_value(node: &Node) -> Result<String, Fault> {
    match &node.what {
        What::Bool(bool) => Ok(if *bool { "on" } else { "off" }.to_owned()),
        What::Number(number) => Ok(number.to_string()),
        What::Float(number) => Ok(number.to_string()),
        What::Null | What::Text(_) | What::List(_) | What::Map(_) => text(node),
    }
}

#[cfg(test)]
mod tests {
    use super::super::TEMPLATE;
    use super::super::tests::{config, fault};
    use super::*;
    use insta::assert_snapshot;

    fn apply(text: &str) -> Apply {
        config(text).unwrap_or_else(|why| panic!("{why}\n{text}")).apply
    }

    #[test]
    fn what_is_said_is_taken_and_what_is_not_is_the_default() {
        let read = apply(
            "apply: { lock: { timeout: 500ms, attempts: 3 }, reconnect: 1.5h, settings: { work_mem: 64MB, jit: false, Shop.tenant: 7 } }",
        );
        let default = Apply::default();
        assert_eq!(
            read,
            Apply {
                lock: Lock { timeout: Duration::from_millis(500), attempts: 3, ..default.lock },
                reconnect: minutes(90),
                settings: [("work_mem", "64MB"), ("jit", "off"), ("shop.tenant", "7")]
                    .map(|(name, value)| (name.into(), value.into()))
                    .into(),
                ..default
            }
        );
        assert_eq!(apply("apply: { search_path: 'shop, public', role: keeper }").search_path.as_deref(), Some("shop, public"));
    }

    #[test]
    fn the_template_says_the_defaults() {
        let of_apply = |line: &&str| line.starts_with("# apply:\n") || *line == "# apply:" || line.starts_with("#   ");
        let block = TEMPLATE.split("\n\n").find(|block| block.contains("# apply:\n")).expect("the template tells of it");
        let text: String = block.lines().filter(of_apply).map(|line| format!("{}\n", &line[2..])).collect();
        assert!(text.lines().count() > 4, "{text}");
        assert_eq!(apply(&text), Apply::default());
        let others: Vec<_> = block.lines().filter(|line| line.starts_with("# apply: {")).map(|line| apply(&line[2..])).collect();
        assert_eq!(others[0].role.as_deref(), Some("shop_owner"));
        assert_eq!(others[1].with, ["dbmate", "up"]);
        assert!(others[2..4].iter().all(|other| !other.window.hours.is_empty()), "{text}");
    }

    #[test]
    fn a_statement_may_not_end_before_its_wait_for_a_lock() {
        assert_snapshot!(fault("apply: { statement_timeout: 2s }"), @"apply.statement_timeout: the statement's timeout ends before that of its wait for a lock <- 2s (a statement's timeout has to be larger than its lock timeout)");
        assert_snapshot!(fault("apply: { lock: { timeout: 5min, budget: 1h } }"), @"apply.lock.timeout: the statement's timeout ends before that of its wait for a lock <- 5min (a statement's timeout has to be larger than its lock timeout)");
        assert_snapshot!(fault("apply: { index: { timeout: 10min } }"), @"apply.index.timeout: the statement's timeout ends before that of its wait for a lock <- 10min (a statement's timeout has to be larger than its lock timeout)");
        assert_snapshot!(fault("apply: { lock: { timeout: 10s, budget: 9s } }"), @"apply.lock.budget: all tries together may take less than one of them <- 9s (`budget` is the time of all tries, `timeout` that of one)");
    }

    #[test]
    fn a_time_has_a_unit_and_an_end() {
        for (time, said) in [
            ("5", "`5` is no time with a unit"),
            ("'5'", "`5` is no time with a unit"),
            ("0.5", "`0.5` is no time with a unit"),
            ("5 parsecs", "`5 parsecs` is no time with a unit"),
            ("500us", "`500us` is no time with a unit"),
            ("0s", "0 would be to wait for ever"),
            ("25d", "PostgreSQL's times end at 24 days"),
            ("[2s]", "no time stands where one is expected"),
        ] {
            let fault = fault(&format!("apply: {{ reconnect: {time} }}"));
            assert!(fault.starts_with(&format!("apply.reconnect: {said} <- ")), "{time}: {fault}");
        }
    }

    #[test]
    fn batches_have_times_and_bytes_with_units() {
        let read = apply("apply: { backfill: { target: 50ms, max_lag_bytes: 16 MB, max_lag: 5s, max_active: 8 } }").backfill;
        let wanted =
            Backfill { target: Duration::from_millis(50), max_lag_bytes: 16 << 20, max_lag: Duration::from_secs(5), max_active: Some(8) };
        assert_eq!(read, wanted);
        for bytes in ["64", "64mb", "64 megabytes", "1.5GB", "MB", "99999999TB"] {
            let fault = fault(&format!("apply: {{ backfill: {{ max_lag_bytes: {bytes} }} }}"));
            assert!(fault.starts_with("apply.backfill.max_lag_bytes: a number of bytes with its unit"), "{bytes}: {fault}");
        }
    }

    #[test]
    fn a_setting_with_a_key_of_its_own_is_sent_there() {
        assert_snapshot!(fault("apply: { settings: { Lock_Timeout: 1s } }"), @"apply.settings: `lock_timeout` is not set here <- Lock_Timeout (it is `lock: { timeout: ... }`, and `index: { lock_timeout: ... }`)");
        assert_snapshot!(fault("apply: { settings: { 'a = 1; DROP TABLE orders': 1 } }"), @"apply.settings: `a = 1; drop table orders` is no name of a setting <- 'a = 1; DROP TABLE orders' (names are as `SHOW ALL` lists them: work_mem, shop.tenant)");
        assert_snapshot!(fault("apply: { lock: { kill: idle-in-transaction } }"), @"apply.lock.kill: there is no `idle-in-transaction` here, did you mean `idle_in_transaction`? <- idle-in-transaction (one of: never, idle_in_transaction, or a list of names of applications: [reports, cron])");
        assert_snapshot!(fault("apply: { lock: { attempts: 0 } }"), @"apply.lock.attempts: a number from 1 on is expected here, not 0 <- 0");
    }
}
