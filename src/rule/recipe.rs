//! The recipes by name: what a rule may point to for a change that takes several phases. `plan` cooks them.

/// A way of making a change in phases while code goes on running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// A column under a new name: two columns, kept equal by a trigger.
    RenameColumn,
}

/// The recipes by their words.
pub(crate) const RECIPES: &[(&str, Recipe)] = &[("rename-column", Recipe::RenameColumn)];

impl Recipe {
    /// The word for it, as rule files and the headers of plans write it.
    pub fn word(self) -> &'static str {
        RECIPES.iter().find(|(_, recipe)| *recipe == self).map_or("", |(word, _)| word)
    }

    /// The recipe that a word stands for.
    pub fn named(word: &str) -> Option<Self> {
        RECIPES.iter().find(|(known, _)| *known == word).map(|(_, recipe)| *recipe)
    }
}
