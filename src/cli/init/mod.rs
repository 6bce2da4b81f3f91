//! `lockkeeper init`: a commented config that says what the project tells of itself, and on request a hook, a workflow and an editor's set-up.

mod detect;
mod draft;
mod offer;
mod theirs;

use super::{Console, Exit};
use crate::config::FILE_NAME;
use crate::problem::{Problem, io_words};
use clap::{Args, ValueEnum};
use draft::Draft;
use offer::{Action, Editor, Offer};
use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use theirs::SOURCES;

/// `lockkeeper init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper init                                   look around, and write lockkeeper.yaml
  lockkeeper init --dry-run                         print what would be written
  lockkeeper init --from squawk                     say in it what .squawk.toml says
  lockkeeper init --hook --editor helix             lint before each commit, and while typing
  lockkeeper init --workflow=OWNER/lockkeeper@REF   lint pull requests with the action of a repository

No file that exists is changed: what belongs into one is printed.")]
pub(super) struct Init {
    /// Translate the config of another linter; what has no counterpart is said in the config and here
    #[arg(long, value_name = "LINTER", value_parser = clap::builder::PossibleValuesParser::new(SOURCES.iter().map(|source| source.word)))]
    from: Option<String>,
    /// Write a hook that judges what is about to be committed
    #[arg(long)]
    hook: bool,
    /// Write a GitHub workflow that judges what a pull request changes. ACTION: the repository of lockkeeper's action and the commit
    /// or tag to take of it, `OWNER/lockkeeper@REF`
    #[arg(long, value_name = "ACTION", num_args = 0..=1, require_equals = true)]
    workflow: Option<Option<Action>>,
    /// Set up an editor, or print how
    #[arg(long, value_enum, value_name = "EDITOR")]
    editor: Vec<Editor>,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// A file to be written.
#[derive(Debug)]
struct New {
    path: PathBuf,
    text: String,
    is_program: bool,
}

/// What became of a file.
enum Written {
    /// It is there now.
    New,
    /// It was there before, and is as it was.
    Kept,
}

impl Init {
    pub fn run(self, console: Console) -> Exit {
        match self.steps(console) {
            Ok(exit) => exit,
            Err(problem) => console.failed(&problem),
        }
    }

    fn steps(mut self, console: Console) -> Result<Exit, Box<Problem>> {
        let here = Path::new("");
        let asks = io::stdin().is_terminal() && io::stdout().is_terminal() && !self.dry_run && !self.offers_something();
        let mut draft = Draft::default();
        self.choose_source(here, asks, console)?;
        let offers = self.offers(asks)?;
        if let Some(source) = SOURCES.iter().find(|source| Some(source.word) == self.from.as_deref()) {
            source.translate(here, &mut draft)?;
        }
        let seen = detect::look(here, &mut draft);
        let config = New { path: here.join(FILE_NAME), text: draft.text(), is_program: false };
        match self.write(&config, console)? {
            Written::New => {}
            Written::Kept if !offers.is_empty() => console.note(&format!("{FILE_NAME} is there already, and stays as it is")),
            Written::Kept => {
                let problem = Problem::new("init::exists", "it is there already, and stays as it is");
                return Err(Box::new(
                    problem.help("to begin anew, move it away first; `--dry-run` prints what it would say").about(FILE_NAME),
                ));
            }
        }
        draft.untold.iter().for_each(|untold| console.note(&format!("not translated: {untold}")));
        seen.iter().for_each(|seen| console.note(seen));
        for offer in &offers {
            self.fulfil(offer, console)?;
        }
        let next = if draft.has("render") { "lockkeeper lint --render" } else { "lockkeeper lint" };
        Ok(if self.dry_run { Exit::Clean } else { console.print(Exit::Clean, |out| writeln!(out, "next: {next}")) })
    }

    fn offers_something(&self) -> bool {
        self.hook || self.workflow.is_some() || !self.editor.is_empty()
    }

    /// Says that another linter's config lies here, or asks whether to translate it.
    fn choose_source(&mut self, here: &Path, asks: bool, console: Console) -> Result<(), Box<Problem>> {
        if self.from.is_some() {
            return Ok(());
        }
        for (source, path) in SOURCES.iter().filter_map(|source| Some((source, source.seen(here)?))) {
            if asks && ask(&format!("{} is here: translate it?", path.display()))? {
                self.from = Some(source.word.to_owned());
                return Ok(());
            }
            console.note(&format!(
                "{} is here: `lockkeeper init --from {}` says in lockkeeper.yaml what it says",
                path.display(),
                source.word
            ));
        }
        Ok(())
    }

    /// What is wanted besides the config.
    fn offers(&self, asks: bool) -> Result<Vec<Offer>, Box<Problem>> {
        let mut offers = Vec::new();
        if self.hook || (asks && ask("Lint what is about to be committed, by a hook?")?) {
            offers.push(Offer::Hook);
        }
        let action = match &self.workflow {
            Some(action) => Some(action.clone().or_else(Action::known).ok_or_else(Action::missing)?),
            None if asks => ask_for_action()?,
            None => None,
        };
        offers.extend(action.map(Offer::Workflow));
        offers.extend(self.editor.iter().copied().map(Offer::Editor));
        if asks {
            let known: Vec<_> =
                Editor::value_variants().iter().filter_map(|editor| Some(editor.to_possible_value()?.get_name().to_owned())).collect();
            let word = ask_for(&format!("Set up an editor? {} (empty: none) ", known.join(", ")))?;
            offers.extend(Editor::from_str(&word, true).ok().map(Offer::Editor));
        }
        Ok(offers)
    }

    fn fulfil(&self, offer: &Offer, console: Console) -> Result<(), Box<Problem>> {
        let plan = offer.plan();
        if let Some(new) = &plan.new {
            match self.write(new, console)? {
                Written::New => return Ok(()),
                Written::Kept => {
                    console.note(&format!("{} is there already, and stays as it is; what belongs into it:", new.path.display()))
                }
            }
        }
        match console.print(Exit::Clean, |out| write!(out, "{}", plan.words)) {
            Exit::Clean => Ok(()),
            _ => Err(Box::new(Problem::new("cli::output", "the rest was not done"))),
        }
    }

    /// Writes a file unless there is one, and says so; or prints it.
    fn write(&self, new: &New, console: Console) -> Result<Written, Box<Problem>> {
        if self.dry_run {
            let shown = |out: &mut dyn Write| writeln!(out, "# would write {}{}\n{}", new.path.display(), already(&new.path), new.text);
            console.print(Exit::Clean, shown);
            return Ok(Written::New);
        }
        match create(new) {
            Ok(()) => {
                console.print(Exit::Clean, |out| writeln!(out, "wrote {}", new.path.display()));
                Ok(Written::New)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Kept),
            Err(error) => Err(Box::new(Problem::new("init::unwritable", io_words(&error)).about(&new.path))),
        }
    }
}

fn already(path: &Path) -> &'static str {
    if path.exists() { ", if it were not there already" } else { "" }
}

fn create(new: &New) -> io::Result<()> {
    if let Some(folder) = new.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if new.is_program {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
    }
    options.open(&new.path)?.write_all(new.text.as_bytes())
}

/// Asks on the terminal. Whatever is not a yes is a no.
fn ask(question: &str) -> Result<bool, Box<Problem>> {
    let answer = ask_for(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks on the terminal for a word.
fn ask_for(question: &str) -> Result<String, Box<Problem>> {
    let mut answer = String::new();
    let asked = write!(io::stdout(), "{question}").and_then(|()| io::stdout().flush());
    match asked.and_then(|()| io::stdin().lock().read_line(&mut answer)) {
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(Box::new(Problem::new("init::terminal", io_words(&error)))),
    }
}

/// Asks for a workflow, and for its action if this build does not know where that is.
fn ask_for_action() -> Result<Option<Action>, Box<Problem>> {
    let question = "Lint pull requests on GitHub, by a workflow?";
    if let Some(action) = Action::known() {
        return Ok(ask(question)?.then_some(action));
    }
    let written = ask_for(&format!("{question} With the action of OWNER/lockkeeper@COMMIT (empty: no) "))?;
    if written.is_empty() {
        return Ok(None);
    }
    written.parse().map(Some).map_err(|why: String| Box::new(Problem::new("init::action", why)))
}
