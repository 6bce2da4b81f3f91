//! `lockkeeper preflight`: whether everything is ready for `apply`.

use super::{Place, ended};
use crate::apply::event::Event;
use crate::apply::verdict::Verdict;
use crate::apply::window::Word;
use crate::apply::wish::{Wanted, Wish};
use crate::cli::{Console, Exit};
use crate::db::block_on;
use clap::Args;
use std::time::Duration;

/// Looks at files, approvals and server as `apply` would, says what it sees, and changes nothing: who is in the way, whether there is room and the
/// right to do it, whether standbys follow, what was left behind, and whether what is due does more on this server than by the files.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 ready, 1 refused (not approved, or not its time), 3 not ready, 2 the run itself failed.")]
pub(in crate::cli) struct Preflight {
    #[command(flatten)]
    place: Place,
}

impl Preflight {
    pub fn run(self, console: Console) -> Exit {
        let ready = match self.place.ready(console) {
            Ok(ready) => ready,
            Err(exit) => return exit,
        };
        let settings = ready.project.settings(ready.server);
        let pipeline = ready.pipeline(&settings, "preflight", Duration::ZERO);
        // Whether others know that they have to wait is asked by `apply`.
        let word = Word { maintenance: true, wait: false };
        let mut lines = Vec::new();
        let mut tell = |event: &Event| match event {
            Event::Check { id, verdict, evidence } => lines.push(format!("{verdict:4}  {id}: {evidence}")),
            Event::Stage { stage, outcome } => lines.push(format!("      {stage}: {outcome}")),
            _ => {}
        };
        match block_on(pipeline.preflight(Wish::Apply(Wanted { word, ..Wanted::default() }), &mut tell)) {
            Ok(verdict) => {
                console.print(Exit::Clean, |out| lines.iter().try_for_each(|line| writeln!(out, "{line}")));
                if let Verdict::Done { stopped: Some(why), .. } = &verdict {
                    console.note(&format!("what comes behind it has to wait: {why}"));
                }
                ended(&verdict, console)
            }
            Err(problem) => console.failed(&problem),
        }
    }
}
