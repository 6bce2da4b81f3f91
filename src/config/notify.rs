//! `notify:` below `apply:`: who is told that migrations begin, and how they have ended.

use super::apply::time;
use super::environments::variable;
use super::schema;
use crate::rule::node::{Fault, Node};
use crate::rule::shape::{Key, Object, Shape, words};
use std::time::Duration;

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// How they are reached.
    pub to: To,
    /// What they are told of.
    pub on: Vec<Moment>,
    /// How it is written.
    pub format: Format,
    /// How long one try to tell them may take. Default: 5 seconds.
    pub timeout: Duration,
}

/// How somebody is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// By POST to this address.
    Url(String),
    /// By POST to the address that this environment variable holds.
    UrlEnv(String),
    /// By a program, without a shell, that reads it from its standard input. It runs in the directory of the config.
    Command(Vec<String>),
}

/// When somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It is agreed, and begins.
    Start,
    /// Everything that was due has run.
    Success,
    /// It has not begun, or has ended otherwise.
    Failure,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object of JSON with all that is known.
    Json,
    /// What Slack, and who imitates it, take: an object with `text` alone.
    Slack,
}

const MOMENTS: &[(&str, Moment)] = &[("start", Moment::Start), ("success", Moment::Success), ("failure", Moment::Failure)];
const FORMATS: &[(&str, Format)] = &[("json", Format::Json), ("slack", Format::Slack)];

/// The keys of a route.
pub(super) const ROUTE: Object = Object::of(&[
    Key::new("url", Shape::Text, "the address that gets a POST; one that is secret stands in an environment variable: url_env"),
    Key::new("url_env", Shape::Schema(schema::variable), "the environment variable that holds the address"),
    Key::new("command", Shape::List(&Shape::Text), "a program and its arguments, which reads it from its standard input"),
    Key::new("on", Shape::Items(&Shape::Words(|| words(MOMENTS))), "what is told of: start, success, failure; all of them if left out"),
    Key::new("format", Shape::Words(|| words(FORMATS)), "json, with all that is known, or slack, with a sentence"),
    Key::new("timeout", Shape::Schema(schema::positive_time), "how long one try may take: 5s"),
]);

/// Reads `[{ url_env: TEAM_HOOK, on: failure, format: slack }, { command: [bin/tell, team] }]`.
pub(super) fn read(node: &Node) -> Result<Vec<Route>, Fault> {
    node.list()?.iter().map(route).collect()
}

fn route(node: &Node) -> Result<Route, Fault> {
    let fields = ROUTE.fields(node)?;
    let mut ways = Vec::new();
    if let Some(url) = fields.get("url") {
        ways.push((url, To::Url(address(url)?)));
    }
    if let Some(name) = fields.get("url_env") {
        ways.push((name, To::UrlEnv(variable(name)?)));
    }
    if let Some(command) = fields.get("command") {
        let words: Vec<_> = command.list()?.iter().map(|word| word.text().map(str::to_owned)).collect::<Result<_, _>>()?;
        if words.is_empty() {
            return Err(command.fault("no program is named here"));
        }
        ways.push((command, To::Command(words)));
    }
    let mut ways = ways.into_iter();
    let to = match (ways.next(), ways.next()) {
        (Some((_, to)), None) => to,
        (None, _) => return Err(node.fault("nobody is named here").help("name one of `url`, `url_env`, `command`")),
        (Some(_), Some((second, _))) => {
            return Err(second.fault("this is a second way to the same place").help("write two routes: `- url: ...` and `- command: ...`"));
        }
    };
    let on = match fields.get("on").map(Node::items) {
        None => MOMENTS.iter().map(|(_, moment)| *moment).collect(),
        Some(words) => words.iter().map(|word| word.one_of(MOMENTS)).collect::<Result<_, _>>()?,
    };
    let format = fields.get("format").map_or(Ok(Format::Json), |node| node.one_of(FORMATS))?;
    let timeout = fields.get("timeout").map_or(Ok(Duration::from_secs(5)), time)?;
    Ok(Route { to, on, format, timeout })
}

fn address(node: &Node) -> Result<String, Fault> {
    let written = node.text()?;
    match ["https://", "http://"].iter().any(|scheme| written.starts_with(scheme)) {
        true => Ok(written.to_owned()),
        false => Err(node.fault("this is no address that takes a POST").help("write https://HOST/PATH, or name a variable in `url_env`")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::tests;
    use super::*;
    use insta::assert_snapshot;

    fn config(routes: &str) -> Result<Config, String> {
        tests::config(&format!("apply:\n  notify: {routes}\n"))
    }

    fn fault(routes: &str) -> String {
        config(routes).expect_err("there is a fault in it")
    }

    #[test]
    fn a_route_has_one_way_and_tells_of_everything_unless_it_says_otherwise() {
        let routes = config("[{ url_env: TEAM_HOOK, on: failure, format: slack }, { command: [bin/tell, team], timeout: 1s }]")
            .unwrap_or_else(|why| panic!("{why}"))
            .apply
            .notify;
        assert_eq!(routes[0].to, To::UrlEnv("TEAM_HOOK".into()));
        assert_eq!(
            (&routes[0].on[..], routes[0].format, routes[0].timeout),
            (&[Moment::Failure][..], Format::Slack, Duration::from_secs(5))
        );
        assert_eq!(routes[1].to, To::Command(vec!["bin/tell".into(), "team".into()]));
        assert_eq!((routes[1].on.len(), routes[1].timeout), (3, Duration::from_secs(1)));
    }

    #[test]
    fn what_is_wrong_points_at_itself() {
        assert_snapshot!(fault("[{ on: start }]"), @"apply.notify[0]: nobody is named here <- { (name one of `url`, `url_env`, `command`)");
        assert_snapshot!(fault("[{ url: 'https://example.org', command: [tell] }]"), @"apply.notify[0].command: this is a second way to the same place <- [tell (write two routes: `- url: ...` and `- command: ...`)");
        assert_snapshot!(fault("[{ url: example.org }]"), @"apply.notify[0].url: this is no address that takes a POST <- example.org (write https://HOST/PATH, or name a variable in `url_env`)");
        assert_snapshot!(fault("[{ command: [] }]"), @"apply.notify[0].command: no program is named here <- [");
        assert_snapshot!(fault("[{ command: [tell], on: falure }]"), @"apply.notify[0].on: there is no `falure` here, did you mean `failure`? <- falure (one of: start, success, failure)");
    }
}
