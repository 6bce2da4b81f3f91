//! What happens, for whoever watches: a line for each thing, and a bar for what takes long on a terminal.

use crate::apply::event::Event;
use crate::apply::window::hours;
use crate::text::shown;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// The lines so far.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    terminal: bool,
    /// When a wait was last told of, and what was said.
    told: Option<(Instant, String)>,
}

/// The same wait is told of again after this time.
const AGAIN: Duration = Duration::from_secs(10);

impl Progress {
    pub fn new() -> Self {
        Self { bar: None, terminal: io::stderr().is_terminal(), told: None }
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Progress { phase, done, total } => return self.bar(phase, *done, *total),
            Event::Batches { seen, total, rate, left, .. } if self.terminal => {
                let left = left.map_or(String::new(), |left| format!(", {left:.0} s left"));
                return self.bar(&format!("{rate:.0} rows/s{left}"), *seen, *total);
            }
            Event::Countdown { seconds } => return self.countdown(Duration::from_secs(*seconds)),
            Event::Waiting { blockers, queue } => {
                let line = match queue {
                    0 => format!("      waits for {}", blockers.join("; ")),
                    queue => format!("      waits for {}; {queue} wait behind it", blockers.join("; ")),
                };
                let is_new = self.told.as_ref().is_none_or(|(at, said)| at.elapsed() > AGAIN || *said != blockers.join(";"));
                if is_new {
                    self.told = Some((Instant::now(), blockers.join(";")));
                    self.line(&line);
                }
                return;
            }
            _ => {}
        }
        self.end();
        if let Some(line) = line(event) {
            self.line(&line);
        }
    }

    fn line(&self, line: &str) {
        // If nobody can be told, the journal and the ledger still are.
        let _ = writeln!(io::stderr().lock(), "{}", shown(line));
    }

    /// How long until it begins, second by second on a terminal.
    fn countdown(&mut self, left: Duration) {
        if !self.terminal {
            return;
        }
        let style = || ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.bar.get_or_insert_with(|| ProgressBar::new(1).with_style(style()));
        bar.set_message(format!("the window begins in {}", hours(left)));
        bar.tick();
    }

    fn bar(&mut self, phase: &str, done: u64, total: u64) {
        if !self.terminal {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("      {msg} {wide_bar} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style)
        });
        bar.set_length(total);
        bar.set_position(done);
        bar.set_message(phase.to_owned());
    }
}

fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Stage { stage, outcome } => format!("{stage}: {outcome}"),
        Event::Check { verdict: "pass", .. } => return None,
        Event::Check { id, verdict, evidence } => format!("{verdict}: {id}: {evidence}"),
        Event::Migration { name, at, of, class } => format!("{name} ({at}/{of}, {class})"),
        Event::Step { number, of, title, kind } => match *kind {
            "transaction" => format!("  {number}/{of} {title}"),
            kind => format!("  {number}/{of} {kind}: {title}"),
        },
        Event::StepDone { seconds, .. } => format!("      {seconds:.3} s"),
        Event::StepKnown { number, why } => format!("  {number} is not run: {why}"),
        Event::Notice { severity, text } => format!("      {severity}: {text}"),
        Event::Retry { attempt, why, pause } => format!("      try {attempt} given up: {why}; the next one in {pause:.1} s"),
        Event::Reconnect { why } => format!("      the server has gone away: {why}; calling again"),
        Event::Output { text } => format!("    | {text}"),
        Event::Killed { what } => format!("      {what}"),
        Event::Cleanup { what } => format!("      removes {what}"),
        Event::Unreached { who, why } => format!("{who} was not told of this run: {why}"),
        Event::MigrationDone { seconds, .. } => format!("  done in {seconds:.3} s"),
        Event::Batches { rows, seen, total, batch, rate, left } => {
            let left = left.map_or(String::new(), |left| format!(", about {left:.0} s left"));
            format!("      {rows} rows changed, {seen} of about {total} looked at, {rate:.0} a second in batches of {batch}{left}")
        }
        Event::Waiting { .. } | Event::Progress { .. } | Event::Countdown { .. } => return None,
    })
}
