//! How a sequence counts.

use crate::model::name::Name;

/// The options of a sequence that are said; numbers as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SequenceOptions {
    /// SEQUENCE NAME of an identity column; without a schema it lies in that of the table.
    pub name: Option<Name>,
    /// START.
    pub start: Option<Box<str>>,
    /// INCREMENT.
    pub increment: Option<Box<str>>,
    /// MINVALUE; `None` also for NO MINVALUE.
    pub least: Option<Box<str>>,
    /// MAXVALUE; `None` also for NO MAXVALUE.
    pub most: Option<Box<str>>,
    /// CACHE.
    pub cache: Option<Box<str>>,
    /// CYCLE or NO CYCLE.
    pub cycle: Option<bool>,
}

impl SequenceOptions {
    /// What ALTER SEQUENCE says takes the place of what was said before.
    pub fn take_over(&mut self, later: &Self) {
        let replace = |now: &mut Option<Box<str>>, later: &Option<Box<str>>| {
            if later.is_some() {
                now.clone_from(later);
            }
        };
        replace(&mut self.start, &later.start);
        replace(&mut self.increment, &later.increment);
        replace(&mut self.least, &later.least);
        replace(&mut self.most, &later.most);
        replace(&mut self.cache, &later.cache);
        self.cycle = later.cycle.or(self.cycle);
    }

    /// As SQL, in the order of the manual: `START WITH 5 INCREMENT BY 2`; empty if nothing is said.
    pub fn sql(&self) -> String {
        let told = [
            ("INCREMENT BY", &self.increment),
            ("MINVALUE", &self.least),
            ("MAXVALUE", &self.most),
            ("START WITH", &self.start),
            ("CACHE", &self.cache),
        ];
        let mut words: Vec<String> = told.iter().filter_map(|(word, value)| Some(format!("{word} {}", value.as_ref()?))).collect();
        words.extend(self.cycle.map(|cycle| if cycle { "CYCLE".to_owned() } else { "NO CYCLE".to_owned() }));
        words.join(" ")
    }
}
