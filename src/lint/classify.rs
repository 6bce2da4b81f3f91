//! What a statement asks of those who deploy it: who waits for it, and its class.

use super::finding::{Finding, Judged};
use crate::model::catalog::{Catalog, Step};
use crate::model::effects::{BreakKind, Breakage, Effects, Loss};
use crate::model::lock::{Blocked, Blocks, LockMode};
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{Persistence, Realm};
use crate::model::session::Session;
use crate::model::sizes::Sizes;
use crate::rule::Class;
use crate::rule::elsewhere::Elsewhere;

/// What a statement meets.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The schema before it.
    pub catalog: &'a Catalog,
    /// The connection before it.
    pub session: &'a Session,
    /// The migration that it is part of.
    pub step: Step,
    /// How large tables are.
    pub sizes: &'a Sizes,
    /// What the file does elsewhere.
    pub elsewhere: &'a Elsewhere<'a>,
    /// The statement, by its place in the file.
    pub at: usize,
}

impl Scene<'_> {
    /// Who waits for a statement, over all relations that existed before the migration. `held` is the strongest lock that its transaction
    /// holds on one of them.
    pub fn blocks(&self, effects: &Effects, held: Option<LockMode>) -> Blocks {
        let duration = self.duration(effects);
        // What earlier statements of the transaction locked stays locked while this one takes its time.
        let held = held.filter(|_| duration > Blocked::Brief);
        let mut blocks = match duration {
            Blocked::Unknown => Blocks { reads: Blocked::Unknown, writes: Blocked::Unknown },
            Blocked::No | Blocked::Brief | Blocked::Long => Blocks { reads: Blocked::No, writes: Blocked::No },
        };
        let taken = effects.locks.iter().filter(|lock| self.others_wait(effects, &lock.relation)).map(|lock| lock.mode);
        for mode in taken.chain(held) {
            if mode.blocks_reads() {
                blocks.reads = blocks.reads.max(duration);
            }
            if mode.blocks_writes() {
                blocks.writes = blocks.writes.max(duration);
            }
        }
        blocks
    }

    /// How long a statement takes.
    pub fn duration(&self, effects: &Effects) -> Blocked {
        if effects.opaque {
            Blocked::Unknown
        } else if self.takes_long(effects) {
            Blocked::Long
        } else {
            Blocked::Brief
        }
    }

    /// The class that follows from what the statement does.
    pub fn class(&self, effects: &Effects, blocks: Blocks) -> Class {
        if effects.opaque || blocks.reads.max(blocks.writes) > Blocked::Brief {
            Class::MaintenanceWindow
        } else if self.destroys(effects) || effects.breaks.iter().any(|breakage| self.breaks_code(breakage)) {
            Class::ThreePhase
        } else {
            Class::Additive
        }
    }

    /// Whether data goes that was there before the migration.
    pub fn destroys(&self, effects: &Effects) -> bool {
        effects.destroys.iter().any(|loss| self.is_loss(loss))
    }

    /// Whether the time it takes grows with a table that holds rows of others.
    fn takes_long(&self, effects: &Effects) -> bool {
        let large = |relation: &QualifiedName| self.in_use(relation) && !self.sizes.is_small(relation);
        let of_large = |index: &QualifiedName| {
            let table = self.catalog.get(index).and_then(|relation| relation.index.as_ref()).map_or(index, |index| &index.table);
            large(table)
        };
        // To build an index is to read its table, so `scans` tells whether that has rows.
        effects.unbounded || effects.rewrites.iter().chain(&effects.scans).any(large) || effects.rebuilds.iter().any(of_large)
    }

    /// Whether others may be using a relation: it existed before the migration, and is no temporary one.
    pub fn in_use(&self, relation: &QualifiedName) -> bool {
        let is_own = |step: Option<Step>, surely: bool| step == Some(self.step) && surely;
        self.catalog
            .get(relation)
            .is_none_or(|known| known.persistence != Persistence::Temporary && !is_own(known.made_in, known.surely_made))
    }

    /// Whether somebody may wait for a relation that a statement locks: it is in use, and neither what REFRESH fills nor an index of that.
    pub fn others_wait(&self, effects: &Effects, relation: &QualifiedName) -> bool {
        let index = self.catalog.get(relation).and_then(|known| known.index.as_ref());
        let filled = |filled: &QualifiedName| filled == relation || index.is_some_and(|index| index.table == *filled);
        self.in_use(relation) && !effects.fills.as_ref().is_some_and(filled)
    }

    fn is_loss(&self, loss: &Loss) -> bool {
        match loss {
            Loss::Relation(relation) | Loss::Rows(relation) => self.in_use(relation),
            Loss::Column(relation, column) => {
                let added_here = self.catalog.get(relation).and_then(|relation| relation.column(column)).map(|column| column.added_in);
                self.in_use(relation) && added_here != Some(self.step)
            }
            Loss::Schema(_) | Loss::Database => true,
        }
    }

    fn breaks_code(&self, breakage: &Breakage) -> bool {
        match &breakage.column {
            // Code that does not know a column which this migration adds can give it no value.
            _ if breakage.kind == BreakKind::Required => self.in_use(&breakage.relation),
            Some(column) => self.is_loss(&Loss::Column(breakage.relation.clone(), column.clone())),
            None => !self.is_new(breakage) && !self.comes_back(breakage),
        }
    }

    /// Whether code cannot know it, since this migration made it or gave it its name.
    fn is_new(&self, breakage: &Breakage) -> bool {
        let name = &breakage.relation;
        let is_it = |given: &Name| self.leads(breakage.realm, given) == *name;
        let named_here = || self.elsewhere.turnover().given_before(self.at, breakage.realm, &name.name, is_it);
        match breakage.realm {
            Realm::Relation => !self.in_use(name),
            Realm::Function => named_here() || self.catalog.is_function_made_in(name, self.step),
            Realm::Type | Realm::Schema | Realm::Extension => named_here(),
        }
    }

    /// Whether the same transaction gives its name to something else, so that nobody finds it gone.
    fn comes_back(&self, breakage: &Breakage) -> bool {
        if !matches!(breakage.kind, BreakKind::Removed | BreakKind::Renamed) || !self.session.in_transaction() {
            return false;
        }
        let name = &breakage.relation;
        let is_it = |given: &Name| self.leads(breakage.realm, given) == *name;
        let back = self.elsewhere.turnover().given_after(self.at, breakage.realm, &name.name, is_it);
        back.is_some_and(|back| self.elsewhere.outline().rest_of_transaction(self.at + 1).contains(&back))
    }

    /// Where a name leads.
    fn leads(&self, realm: Realm, name: &Name) -> QualifiedName {
        self.catalog.resolve_in_realm(realm, name)
    }
}

/// Adds the classes of the findings to those that follow from the effects, and gives the worst: as written, and with the fixes.
pub(super) fn migration(statements: &mut [Judged], findings: &[Finding]) -> (Class, Class) {
    let mut worst = (Class::Additive, Class::Additive);
    // By statement: the worst class of its findings, the same with fixes, and the worst that has a fix.
    let mut own = vec![(Class::Additive, Class::Additive, None); statements.len()];
    for finding in findings {
        let fixed = finding.class_with_fix.unwrap_or(finding.class);
        let Some((written, with_fixes, fixable)) = finding.statement.and_then(|at| own.get_mut(at)) else {
            worst = (worst.0.max(finding.class), worst.1.max(fixed));
            continue;
        };
        (*written, *with_fixes) = ((*written).max(finding.class), (*with_fixes).max(fixed));
        *fixable = (*fixable).max(finding.class_with_fix.map(|_| finding.class));
    }
    for (statement, (written, with_fixes, fixable)) in statements.iter_mut().zip(own) {
        let effects = statement.class;
        // A fix that takes away the hazard takes away the effects that make it one.
        let rest = if fixable >= Some(effects) { Class::Additive } else { effects };
        statement.class = effects.max(written);
        statement.class_with_fixes = rest.max(with_fixes);
        worst = (worst.0.max(statement.class), worst.1.max(statement.class_with_fixes));
    }
    worst
}
