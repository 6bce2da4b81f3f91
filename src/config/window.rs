//! `window:` of lockkeeper.yaml: the hours of the week in which migrations may run that stop traffic.

use crate::problem::did_you_mean;
use crate::rule::node::{Fault, Node, What};
use crate::rule::shape::{Key, Object, Shape, words};
use crate::rule::{CLASSES, Class};
use serde_json::{Value, json};

/// When what may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The hours; none: there is no window, and no class waits for one.
    pub hours: Vec<Hours>,
    /// The classes that run within them alone, in order; maintenance-window is one of them.
    pub classes: Vec<Class>,
}

/// Some hours of a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The days on which they begin, from Monday (1) to Sunday (7).
    pub days: Vec<u8>,
    /// The second of the day with which they begin, by the clocks of the time zone.
    pub from: u32,
    /// The second of that day with which they end; beyond 24 hours it is one of the next day.
    pub to: u32,
    /// The time zone by its IANA name, as it was written; the server says whether there is one.
    pub zone: String,
}

impl Default for Windows {
    fn default() -> Self {
        Self { hours: Vec::new(), classes: vec![Class::MaintenanceWindow] }
    }
}

/// `Sun 02:00-04:00 Europe/Riga`, several of them, or those with classes.
pub(super) const WINDOWS: Shape = Shape::Either(&[HOURS, Shape::Keys(&OBJECT)]);

const HOURS: Shape = Shape::Items(&Shape::Schema(hours_schema));

const OBJECT: Object = Object::of(&[
    Key::needed("at", HOURS, "the hours: Sun 02:00-04:00 Europe/Riga"),
    Key::new("for", Shape::Items(&Shape::Words(|| words(CLASSES))), "classes that run within them alone, besides maintenance-window"),
]);

fn hours_schema() -> Value {
    json!({ "type": "string", "pattern": "^\\s*([A-Za-z][A-Za-z,\\s-]*\\s)?\\d\\d?:\\d\\d(:\\d\\d)?\\s*-\\s*\\d\\d?:\\d\\d(:\\d\\d)?\\s+\\S+\\s*$" })
}

/// Reads `"Sun 02:00-04:00 Europe/Riga"`, a list of such, or `{ at: [...], for: [three-phase] }`.
pub(super) fn read(node: &Node) -> Result<Windows, Fault> {
    let mut windows = Windows::default();
    let at = match &node.what {
        What::Map(_) => {
            let fields = OBJECT.fields(node)?;
            for class in fields.get("for").map_or(&[][..], Node::items) {
                windows.classes.push(class.one_of(CLASSES)?);
            }
            windows.classes.sort();
            windows.classes.dedup();
            fields.need("at")?
        }
        What::Null | What::Bool(_) | What::Number(_) | What::Float(_) | What::Text(_) | What::List(_) => node,
    };
    windows.hours = at.items().iter().map(hours).collect::<Result<_, _>>()?;
    Ok(windows)
}

const EXAMPLE: &str = "write it as `Sun 02:00-04:00 Europe/Riga`, `Mon-Fri 23:00-05:00 UTC`, or without days for every day";

fn hours(node: &Node) -> Result<Hours, Fault> {
    let fault = |why: String| node.fault(why).help(EXAMPLE);
    let written = node.text()?.trim();
    let times_at = written.find(|c: char| c.is_ascii_digit()).ok_or_else(|| fault("no hours stand here".to_owned()))?;
    let (days_written, rest) = written.split_at(times_at);
    let zone_at = rest.find(char::is_alphabetic).ok_or_else(|| fault("the time zone is missing".to_owned()))?;
    let (times, zone) = rest.split_at(zone_at);
    let (from, to) = times.split_once('-').ok_or_else(|| fault(format!("`{}` has no end", times.trim())))?;
    let (from, to) = (time(from).map_err(fault)?, time(to).map_err(fault)?);
    if from == to || from == DAY {
        return Err(fault("it ends when it begins".to_owned()));
    }
    let zone = zone.trim();
    if !zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte)) {
        return Err(fault(format!("`{zone}` is no name of a time zone")));
    }
    let to = if to < from { to + DAY } else { to };
    Ok(Hours { days: days(days_written).map_err(fault)?, from, to, zone: zone.to_owned() })
}

/// The seconds of a day.
const DAY: u32 = 24 * 3600;

/// `02:00`, or `02:00:30`: the second of the day.
fn time(written: &str) -> Result<u32, String> {
    let written = written.trim();
    let number = |digits: &str| (digits.len() <= 2).then(|| digits.parse::<u32>().ok()).flatten();
    let parts: Option<Vec<u32>> = written.split(':').map(number).collect();
    let second = match parts.as_deref() {
        Some([hour, minute]) => Some((hour, minute, &0)),
        Some([hour, minute, second]) => Some((hour, minute, second)),
        Some(_) | None => None,
    };
    let second = second
        .filter(|(_, minute, second)| **minute < 60 && **second < 60)
        .map(|(hour, minute, second)| hour * 3600 + minute * 60 + second);
    second.filter(|second| *second <= DAY).ok_or_else(|| format!("`{written}` is no time of the day"))
}

/// `Sun`, `Sat,Sun`, `Mon-Fri`; nothing: all.
fn days(written: &str) -> Result<Vec<u8>, String> {
    let mut days = Vec::new();
    for part in written.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty()) {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        // Sat-Mon goes around the end of the week.
        days.extend((first..=if last < first { last + 7 } else { last }).map(|day| (day - 1) % 7 + 1));
    }
    days.sort_unstable();
    days.dedup();
    Ok(if days.is_empty() { (1..=7).collect() } else { days })
}

/// From Monday, as ISO 8601 counts them.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn day(written: &str) -> Result<u8, String> {
    let lower = written.to_ascii_lowercase();
    let at = DAYS.iter().position(|day| lower.len() >= 3 && day.starts_with(&lower));
    match at {
        Some(at) => Ok(at as u8 + 1),
        None => Err(format!("`{written}` is no day of the week{}", did_you_mean(&lower, DAYS.iter().copied()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::config;
    use insta::assert_snapshot;

    fn said(window: &str) -> String {
        let windows = match config(&format!("apply: {{ window: {window} }}")) {
            Ok(config) => config.apply.window,
            Err(why) => return why,
        };
        let hours = windows.hours.iter().map(|hours| {
            let time = |second: u32| format!("{}:{:02}", second / 3600, second / 60 % 60);
            format!("{:?} {}-{} {}", hours.days, time(hours.from), time(hours.to), hours.zone)
        });
        let classes = windows.classes.iter().map(ToString::to_string);
        format!("{} for {}", hours.collect::<Vec<_>>().join("; "), classes.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn hours_are_written_as_people_write_them() {
        assert_snapshot!(said(r#""Sun 02:00-04:00 Europe/Riga""#), @"[7] 2:00-4:00 Europe/Riga for maintenance-window");
        assert_snapshot!(said(r#"["Mon-Fri 23:00-05:00 UTC", "sat, Sunday 0:00 - 24:00 Etc/GMT+3"]"#), @"[1, 2, 3, 4, 5] 23:00-29:00 UTC; [6, 7] 0:00-24:00 Etc/GMT+3 for maintenance-window");
        assert_snapshot!(said(r#"{ at: "Sat-Mon 02:30-04:00 UTC", for: three-phase }"#), @"[1, 6, 7] 2:30-4:00 UTC for three-phase, maintenance-window");
        assert_snapshot!(said("[]"), @" for maintenance-window");
    }

    #[test]
    fn an_environment_has_hours_of_its_own() {
        let config =
            config("apply: { window: '02:00-04:00 UTC' }\nenvironments: { staging: { window: [] }, production: {} }").expect("it is right");
        let hours = |name: &str| config.windows(&config.environment(Some(name)).expect("it is there")).hours.len();
        assert_eq!((hours("staging"), hours("production")), (0, 1));
    }

    #[test]
    fn what_is_no_window_is_told_with_its_place() {
        assert_snapshot!(said("Son 02:00-04:00 UTC"), @"apply.window: `Son` is no day of the week <- Son (write it as `Sun 02:00-04:00 Europe/Riga`, `Mon-Fri 23:00-05:00 UTC`, or without days for every day)");
        assert_snapshot!(said("02:00-04:00"), @"apply.window: the time zone is missing <- 02:00-04:00 (write it as `Sun 02:00-04:00 Europe/Riga`, `Mon-Fri 23:00-05:00 UTC`, or without days for every day)");
        for (written, why) in [
            ("02:60-04:00 UTC", "`02:60` is no time of the day"),
            ("02:00-24:30 UTC", "`24:30` is no time of the day"),
            ("02:00-2:00 UTC", "it ends when it begins"),
            ("02:00:60-04:00 UTC", "`02:00:60` is no time of the day"),
            ("02:00 UTC", "`02:00` has no end"),
            ("Sunday", "no hours stand here"),
            ("02:00-04:00 Europe/Riga at night", "`Europe/Riga at night` is no name of a time zone"),
        ] {
            let said = said(written);
            assert!(said.starts_with(&format!("apply.window: {why} <- ")), "{said}");
        }
    }
}
