//! Indexes of the new column: a copy of each that the old one is in, built while others write.

use super::Twin;
use crate::model::catalog::{Catalog, Relation};
use crate::model::name::{Ident, QualifiedName};
use crate::plan::definition::{Build, Gap, qualified};
use crate::plan::names::Names;
use crate::plan::{Manual, Phase, Stage};

/// The copy of an index.
#[derive(Clone, Debug)]
pub struct Copy<'a> {
    /// The index that is there.
    pub of: &'a Relation,
    /// The name of its copy, in the same schema.
    pub name: Ident,
}

impl Copy<'_> {
    /// Something of this name beside it, as SQL.
    pub fn called(&self, name: &Ident) -> String {
        qualified(&QualifiedName { schema: self.of.name.schema.clone(), name: name.clone() })
    }
}

/// Copies of indexes, and the phases that build them.
#[derive(Debug, Default)]
pub struct Copies<'a> {
    /// In the order in which they are built; those of partitions too.
    pub made: Vec<Copy<'a>>,
    /// One for each build.
    pub phases: Vec<Phase>,
    /// What could not be copied, and why.
    pub left: Vec<(&'a Relation, Gap)>,
}

impl<'a> Copies<'a> {
    /// Copies of all indexes that the old column is in.
    pub fn of(twin: &Twin<'a>, catalog: &'a Catalog, names: &mut Names<'_>) -> Self {
        let mut copies = Self::default();
        for table in &twin.family {
            for (index, _) in catalog.indexes_of(table).filter(|(_, index)| index.valid && index.mentions(&twin.old.name)) {
                // Those of partitions are built with their parent's.
                let of_parent =
                    index.partition_of.as_ref().is_some_and(|(parent, _)| catalog.get(parent).is_some_and(|parent| parent.index.is_some()));
                if !of_parent {
                    copies.add(twin, catalog, names, index);
                }
            }
        }
        copies
    }

    /// What could not be copied, for a reader.
    pub fn manual(&self, twin: &Twin<'_>) -> Vec<Manual> {
        let (old, new) = (twin.old.name.sql(), twin.new.sql());
        let manual = |(index, gap): &(&Relation, Gap)| Manual {
            thing: format!("index {}", qualified(&index.name)),
            what: format!("queries by {new} do without it as long as both columns stand there, since it serves {old} only: {gap}"),
        };
        self.left.iter().map(manual).collect()
    }

    fn add(&mut self, twin: &Twin<'a>, catalog: &'a Catalog, names: &mut Names<'_>, index: &'a Relation) {
        let family: Vec<&'a Relation> =
            std::iter::once(index).chain(catalog.descendants(&index.name).iter().filter_map(|name| catalog.get(name))).collect();
        let copies: Vec<Copy<'a>> =
            family.iter().map(|of| Copy { of, name: names.copy_of(&of.name.schema, &of.name.name, &twin.old.name, &twin.new) }).collect();
        match phases(twin, catalog, &copies) {
            Ok(mut phases) => {
                self.phases.append(&mut phases);
                self.made.extend(copies);
            }
            Err(gap) => self.left.push((index, gap)),
        }
    }
}

/// One build, or for a partitioned table: the index of the parent without its partitions, a build on each of them, and their attachment.
fn phases(twin: &Twin<'_>, catalog: &Catalog, copies: &[Copy<'_>]) -> Result<Vec<Phase>, Gap> {
    let definitions = twin.definitions();
    let is_partitioned = |copy: &&Copy<'_>| table_of(catalog, copy).is_ok_and(|table| table.partition_by.is_some());
    let (parents, leaves): (Vec<_>, Vec<_>) = copies.iter().partition(is_partitioned);
    let mut phases = Vec::new();
    let full = |copy: &Copy<'_>| qualified(&QualifiedName { schema: copy.of.name.schema.clone(), name: copy.name.clone() });
    if let Some(top) = parents.first() {
        let mut phase = Phase::new(Stage::Migrate, format!("begin index {}", top.name))
            .why("The index of the partitioned table itself is empty; it becomes valid when each partition has brought its own.")
            .meanwhile("Writes wait for a moment.")
            .back(format!("DROP INDEX IF EXISTS {}", full(top)));
        for parent in &parents {
            phase = phase.run(definitions.index_on(parent.of, table_of(catalog, parent)?, &parent.name, Build::Only)?);
        }
        phases.push(phase);
    }
    for leaf in &leaves {
        let phase = Phase::new(Stage::Migrate, format!("index {}", leaf.name))
            .why(format!("What `{}` does for the old column, this index does for the new one.", leaf.of.name.name))
            .meanwhile("Reads and writes go on while it is built.")
            .alone()
            .run(definitions.index_on(leaf.of, table_of(catalog, leaf)?, &leaf.name, Build::Concurrently)?)
            .verify(format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{}'::regclass", full(leaf).replace('\'', "''")))
            .back(format!("DROP INDEX CONCURRENTLY IF EXISTS {}", full(leaf)));
        phases.push(phase);
    }
    if let Some(top) = parents.first() {
        let mut phase = Phase::new(Stage::Migrate, format!("attach index {}", top.name))
            .why("With the last partition's index the whole becomes valid.")
            .meanwhile("Nothing waits for more than a moment.")
            .verify(format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{}'::regclass", full(top).replace('\'', "''")))
            .back(format!("DROP INDEX IF EXISTS {}", full(top)));
        for copy in copies.iter().rev() {
            let parent = copy.of.partition_of.as_ref().and_then(|(parent, _)| copies.iter().find(|other| other.of.name == *parent));
            if let Some(parent) = parent {
                phase = phase.run(format!("ALTER INDEX {} ATTACH PARTITION {}", full(parent), full(copy)));
            }
        }
        phases.push(phase);
    }
    Ok(phases)
}

fn table_of<'a>(catalog: &'a Catalog, copy: &Copy<'_>) -> Result<&'a Relation, Gap> {
    copy.of.index.as_ref().and_then(|index| catalog.get(&index.table)).ok_or_else(|| Gap::new("its table is not known"))
}
