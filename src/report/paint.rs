//! Colours, if they are wanted.

use crate::rule::{Class, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};
use std::fmt::Display;

/// Paints, or leaves the text as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    pub(crate) fn new(colour: bool) -> Self {
        Self { colour }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.code("1", text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.code("2", text)
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.code("32", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.code("31", text)
    }

    pub(crate) fn hint(self, text: impl Display) -> String {
        self.code("36", text)
    }

    pub(crate) fn severity(self, severity: Severity, text: impl Display) -> String {
        match severity {
            Severity::Error => self.code("31", text),
            Severity::Warning => self.code("33", text),
            Severity::Advice => self.code("36", text),
        }
    }

    pub(crate) fn class(self, class: Class) -> String {
        match class {
            Class::Additive => self.code("32", class),
            Class::ThreePhase => self.code("33", class),
            Class::MaintenanceWindow => self.code("31", class),
        }
    }

    fn code(self, code: &str, text: impl Display) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// miette's handler in the same colours.
    pub(crate) fn handler(self, width: usize) -> GraphicalReportHandler {
        let styles = if self.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
        let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
        GraphicalReportHandler::new_themed(theme).with_width(width).with_context_lines(0).with_links(false).without_syntax_highlighting()
    }
}
