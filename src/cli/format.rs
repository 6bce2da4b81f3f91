//! `--format` and `--output`: in which formats a report is written, and where to.

use crate::lint::Suggest;
use crate::lint::finding::Report;
use crate::problem::{Problem, did_you_mean, io_words};
use crate::report::{self, Format, Run};
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The formats of a run.
#[derive(Debug, Args)]
pub(super) struct FormatArgs {
    /// How the report is written to standard output
    #[arg(long, value_enum, default_value_t = FormatArg::Human, value_name = "FORMAT")]
    format: FormatArg,
    /// Write the report to a file, too, in a format of --format; may be repeated: one run gives all of them (docs/formats.md)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = read_output)]
    output: Vec<OutputFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// excerpts, reasons, fixes, and a closing summary
    Human,
    /// one line each: path:line:column: severity[rule] message
    Short,
    /// for programs; docs/report.schema.json describes it
    Json,
    /// SARIF 2.1.0, for code scanning: with fixes, and what is allowed as suppressions
    Sarif,
    /// annotations for the lines of a pull request, in the log of a GitHub workflow
    Github,
    /// labels for a pull request, one on each line
    GithubLabels,
    /// review comments with suggested changes, as GitHub's API takes them
    GithubReview,
    /// the code quality report of GitLab
    Gitlab,
    /// JUnit XML: what makes the run fail is a test that failed
    Junit,
    /// a comment for a pull request
    Markdown,
    /// one page for a browser, which needs nothing else: timelines of locks, findings, plans, the source
    Html,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Human => Self::Human,
            FormatArg::Short => Self::Short,
            FormatArg::Json => Self::Json,
            FormatArg::Sarif => Self::Sarif,
            FormatArg::Github => Self::Github,
            FormatArg::GithubLabels => Self::GithubLabels,
            FormatArg::GithubReview => Self::GithubReview,
            FormatArg::Gitlab => Self::Gitlab,
            FormatArg::Junit => Self::Junit,
            FormatArg::Markdown => Self::Markdown,
            FormatArg::Html => Self::Html,
        }
    }
}

/// A file that gets the report.
#[derive(Clone, Debug)]
struct OutputFile {
    format: Format,
    path: PathBuf,
}

/// `FORMAT=FILE`.
fn read_output(text: &str) -> Result<OutputFile, String> {
    let words = || FormatArg::value_variants().iter().filter_map(FormatArg::to_possible_value).map(|value| value.get_name().to_owned());
    let known = || words().collect::<Vec<_>>().join(", ");
    let Some((word, path)) = text.split_once('=') else {
        return Err(format!("this is no FORMAT=FILE, as in sarif=lint.sarif; formats are {}", known()));
    };
    let Ok(format) = FormatArg::from_str(word, false) else {
        let all: Vec<_> = words().collect();
        let guess = did_you_mean(word, all.iter().map(String::as_str));
        let end = if guess.is_empty() { ";" } else { "" };
        return Err(format!("no format is called `{word}`{guess}{end} formats are {}", known()));
    };
    match path {
        "" => Err("behind the `=` stands no file".to_owned()),
        "-" => Err(format!("to standard output writes `--format {word}`")),
        path => Ok(OutputFile { format: format.into(), path: path.into() }),
    }
}

impl FormatArgs {
    /// The format of standard output.
    pub fn to_stdout(&self) -> Format {
        self.format.into()
    }

    fn all(&self) -> impl Iterator<Item = Format> {
        self.output.iter().map(|output| output.format).chain([self.to_stdout()])
    }

    /// The suggestions that some of them print.
    pub fn suggestions(&self) -> Suggest {
        self.all().map(Format::suggestions).max().unwrap_or(Suggest::Nothing)
    }

    /// Whether one of them shows plans.
    pub fn shows_plans(&self) -> bool {
        self.all().any(Format::shows_plans)
    }

    /// Writes the files, and gives what went wrong: the others are written all the same.
    pub fn write_files(&self, report: &Report, run: &Run<'_>) -> Vec<Problem> {
        let plain = Run { look: report::Look { colour: false, ..run.look.clone() }, ..run.clone() };
        let written = self.output.iter().map(|output| {
            let written = write_file(report, output.format, &plain, &output.path);
            written.map_err(|error| Problem::new("lint::output", words(&error)).about(&output.path))
        });
        written.filter_map(Result::err).collect()
    }
}

fn write_file(report: &Report, format: Format, run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    report::write(report, format, run, &mut out)?;
    out.flush()
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such directory to write the report to".to_owned(),
        io::ErrorKind::PermissionDenied => "no permission to write the report".to_owned(),
        _ => format!("the report could not be written: {}", io_words(error)),
    }
}
