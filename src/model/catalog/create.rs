//! Tables, views, sequences and triggers come into being.

use super::replay::add_once;
use super::{Catalog, Column, ColumnDetails, Query, Relation, Statistics, Step, Trigger};
use crate::model::expression::{Answers, Expression};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{self, CreateTable, CreateTableAs, CreateTrigger, CreateView, ObjectKind, Persistence};
use crate::model::types::TypeName;

impl Catalog {
    pub(super) fn create_table(&mut self, create: &CreateTable, step: Step) {
        let name = self.creation_name(&create.name, create.persistence);
        self.passed_over = None;
        if create.if_not_exists && self.relations.contains_key(&name) {
            self.passed_over = Some((name, None));
            return;
        }
        self.make_room(&name);
        let kind = if create.foreign { ObjectKind::ForeignTable } else { ObjectKind::Table };
        let mut table = self.begin_relation(name.clone(), kind, create.if_not_exists, step);
        table.persistence = create.persistence;
        table.partition_by = create.partition_by.clone();
        table.of_type = create.of_type.as_ref().map(|name| self.resolve_type(name));
        table.complete &= create.of_type.is_none();
        self.put(table);
        self.keep_until_commit(&name, create.until_commit);
        for parent in &create.inherits {
            self.inherit(&name, parent, step);
        }
        if let Some((parent, bound)) = &create.partition_of {
            self.create_partition(&name, parent, bound, step);
        }
        for column in &create.columns {
            self.define_column(&name, &column.what, step);
        }
        for (source, words) in &create.like {
            self.copy_like(&name, source, words, step);
        }
        if !create.options.is_empty() {
            self.edit_relation(&name, |table| table.details_mut().options.clone_from(&create.options));
        }
    }

    /// A relation is made under a name that is known already: the old one must have gone by a way that nobody saw.
    pub(super) fn make_room(&mut self, name: &QualifiedName) {
        if self.relations.contains_key(name) {
            self.drop_relation(name);
        }
    }

    /// A relation of this name as it begins. With IF NOT EXISTS it may be older than the statement, and then look different.
    pub(super) fn begin_relation(&self, name: QualifiedName, kind: ObjectKind, if_not_exists: bool, step: Step) -> Relation {
        let surely_made = !if_not_exists || self.lookup(&name) == super::Lookup::Absent || name.schema == "pg_temp";
        let persistence = if name.schema == "pg_temp" { Persistence::Temporary } else { Persistence::Permanent };
        Relation { surely_made, complete: surely_made, persistence, ..Relation::new(name, kind, Some(step)) }
    }

    /// A column of CREATE TABLE or ADD COLUMN: it joins one of the same name that came from a parent.
    pub(super) fn define_column(&mut self, table: &QualifiedName, column: &operation::Column, step: Step) {
        let serial = column.data_type.as_ref().is_some_and(|data_type| data_type.serial);
        let numbered = serial || column.identity.is_some();
        let given = column.identity_options.as_ref().and_then(|options| options.name.as_ref());
        let sequence = numbered.then(|| self.create_owned_sequence((table, &column.name), column.data_type.as_ref(), given, step));
        let mut made = Column::defined(column, step);
        if let (true, Some(sequence)) = (serial, sequence) {
            made.default = Some(next_value(&sequence));
        }
        if let Some(options) = &column.identity_options {
            self.tell_sequence(table, &column.name, options);
        }
        let Some(table) = self.edit(table) else { return };
        // Looking for an older one of the same name costs time that grows with the square of the columns, and only a parent can give one.
        let may_be_there = table.partition_of.is_some() || !table.inherits.is_empty() || !table.complete;
        match table.columns.iter_mut().find(|known| may_be_there && known.name == made.name) {
            Some(known) => known.merge(made),
            None => table.columns.push(made),
        }
    }

    /// The sequence behind a serial or identity column, by the name that was given to it, if one was.
    pub(super) fn create_owned_sequence(
        &mut self,
        (table, column): (&QualifiedName, &Ident),
        data_type: Option<&TypeName>,
        given: Option<&Name>,
        step: Step,
    ) -> QualifiedName {
        let in_schema =
            |name: &Name| QualifiedName { schema: name.schema.clone().unwrap_or_else(|| table.schema.clone()), name: name.name.clone() };
        let name = given.map_or_else(|| self.choose_sequence_name(table, column), in_schema);
        let mut sequence = self.begin_relation(name.clone(), ObjectKind::Sequence, false, step);
        sequence.numbers = data_type.map(|data_type| data_type.name.name.as_str().into());
        sequence.owned_by = Some((table.clone(), column.clone()));
        if let Some(table) = self.edit(table) {
            table.owned_sequences.push(name.clone());
            sequence.persistence = table.persistence;
        }
        self.put(sequence);
        name
    }

    /// LIKE: names, types and NOT NULL; the rest as INCLUDING says. Foreign keys and triggers are never copied.
    fn copy_like(&mut self, table: &QualifiedName, source: &Name, words: &[Box<str>], step: Step) {
        let including = Including::of(words);
        let source = self.resolve(source);
        let Some(from) = self.get(&source).cloned() else {
            return self.now_incomplete(table);
        };
        for column in &from.columns {
            let numbered = including.identity && column.identity.is_some();
            if numbered {
                // The server forgets the column's type here: the copy's sequence counts in bigint.
                self.create_owned_sequence((table, &column.name), None, None, step);
            }
            let copy = Column {
                default: column.default.clone().filter(|_| including.defaults),
                identity: column.identity.filter(|_| including.identity),
                generated: column.generated.clone().filter(|_| including.generated),
                local: true,
                added_in: step,
                updated: false,
                details: column.details.as_ref().and_then(|details| details.for_copy(including.comments, including.storage)),
                ..column.clone()
            };
            if let Some(table) = self.edit(table) {
                table.columns.push(copy);
            }
        }
        if including.constraints {
            self.copy_checks(table, &from, step);
        }
        if including.indexes {
            self.copy_indexes(table, &from, step);
        }
        if including.statistics {
            for statistics in &from.statistics {
                let table = Name { schema: Some(table.schema.clone()), name: table.name.clone() };
                self.create_statistics(None, &table, statistics.clone(), false);
            }
        }
        if !from.complete {
            self.now_incomplete(table);
        }
    }

    pub(super) fn now_incomplete(&mut self, table: &QualifiedName) {
        if let Some(table) = self.edit(table) {
            table.complete = false;
        }
    }

    pub(super) fn create_table_as(&mut self, create: &CreateTableAs, step: Step) {
        let name = self.creation_name(&create.name, create.persistence);
        if create.if_not_exists && self.relations.contains_key(&name) {
            return;
        }
        self.make_room(&name);
        let mut table = self.begin_relation(name, ObjectKind::Table, create.if_not_exists, step);
        table.persistence = create.persistence;
        // Its columns are those of the query, which are not known here.
        table.complete = false;
        table.filled = create.with_data;
        let name = table.name.clone();
        self.put(table);
        self.keep_until_commit(&name, create.until_commit);
    }

    pub(super) fn create_view(&mut self, create: &CreateView, kind: ObjectKind, step: Step) {
        let persistence = if create.temporary { Persistence::Temporary } else { Persistence::Permanent };
        let name = self.creation_name(&create.name, persistence);
        let known = self.relations.contains_key(&name);
        if create.if_not_exists && known {
            return;
        }
        if !create.or_replace {
            self.make_room(&name);
        }
        let mut view = match self.get(&name) {
            Some(old) => old.clone(),
            None => self.begin_relation(name.clone(), kind, create.if_not_exists, step),
        };
        // OR REPLACE of an unknown view may replace one: then it is not this migration's.
        view.surely_made = view.surely_made && (known || !create.or_replace || self.lookup(&name) == super::Lookup::Absent);
        view.columns = create.columns.iter().flatten().map(|column| Column::of_view(column, step)).collect();
        view.complete = create.columns.is_some();
        view.filled = kind == ObjectKind::MaterializedView && create.with_data;
        let reads = self.read_by(&name, view.query.take(), &create.reads);
        let mentions = self.view_mentions(create, &reads);
        view.query = Some(Query { reads, calls: create.calls.clone(), mentions, source: None, span: create.definition });
        if !create.options.is_empty() || create.check_option.is_some() || view.details.is_some() {
            let details = view.details_mut();
            details.options.clone_from(&create.options);
            details.check_option.clone_from(&create.check_option);
        }
        self.put(view);
    }

    /// Tells the relations of a view's query that it reads them, and those of its former query that it no longer does.
    fn read_by(&mut self, view: &QualifiedName, before: Option<Query>, reads: &[Name]) -> Vec<QualifiedName> {
        for relation in before.into_iter().flat_map(|query| query.reads) {
            if let Some(relation) = self.edit(&relation) {
                relation.read_by.retain(|reader| reader != view);
            }
        }
        let mut found = Vec::new();
        for name in reads {
            if let Some(read) = self.mention(name, ObjectKind::Table).filter(|read| read != view) {
                if let Some(relation) = self.edit(&read) {
                    add_once(&mut relation.read_by, view);
                }
                add_once(&mut found, &read);
            }
        }
        found
    }

    pub(super) fn create_sequence(
        &mut self,
        name: &Name,
        if_not_exists: bool,
        persistence: Persistence,
        data_type: Option<&TypeName>,
        step: Step,
    ) {
        let qualified = self.creation_name(name, persistence);
        if if_not_exists && self.relations.contains_key(&qualified) {
            return;
        }
        self.make_room(&qualified);
        let mut sequence = self.begin_relation(qualified, ObjectKind::Sequence, if_not_exists, step);
        sequence.persistence = persistence;
        sequence.numbers = sequence.surely_made.then(|| data_type.map_or("bigint".into(), |data_type| data_type.name.name.as_str().into()));
        self.put(sequence);
    }

    /// ALTER SEQUENCE ... AS. One that is not known stays so.
    pub(super) fn set_sequence_type(&mut self, sequence: &Name, data_type: &TypeName) {
        let sequence = self.resolve(sequence);
        self.edit_relation(&sequence, |sequence| sequence.numbers = Some(data_type.name.name.as_str().into()));
    }

    /// OWNED BY.
    pub(super) fn own_sequence(&mut self, sequence: &Name, (table, column): &(Name, Ident)) {
        let Some(sequence) = self.mention(sequence, ObjectKind::Sequence) else { return };
        let Some(table) = self.mention(table, ObjectKind::Table) else { return };
        let before = self.edit(&sequence).and_then(|relation| relation.owned_by.replace((table.clone(), column.clone())));
        if let Some(owner) = before.and_then(|(owner, _)| self.edit(&owner)) {
            owner.owned_sequences.retain(|owned| *owned != sequence);
        }
        if let Some(owner) = self.edit(&table) {
            owner.owned_sequences.push(sequence);
        }
    }

    /// The names that may be columns of what a view reads. `*` stands for all that the one relation behind it has at this moment.
    fn view_mentions(&self, create: &CreateView, reads: &[QualifiedName]) -> Vec<Ident> {
        let mut mentions = create.mentions.clone();
        if let (true, [only]) = (create.star, reads) {
            let columns = self.get(only).map_or(&[][..], |relation| &relation.columns);
            for column in columns {
                add_once(&mut mentions, &column.name);
            }
        }
        mentions
    }

    pub(super) fn create_trigger(&mut self, create: &CreateTrigger, step: Step) {
        let trigger = Trigger::made(create, step);
        let Some(table) = self.mention(&create.table, ObjectKind::Table) else { return };
        // A row trigger of a partitioned table is copied to its partitions; INHERITS children get none.
        let partitioned = self.get(&table).is_some_and(|table| table.partition_by.is_some());
        for name in self.family(&table, !(partitioned && create.for_each_row)) {
            if let Some(table) = self.edit(&name) {
                table.triggers.retain(|old| old.name != trigger.name);
                table.triggers.push(trigger.clone());
            }
        }
    }

    /// `made` has no name yet.
    pub(super) fn create_statistics(&mut self, name: Option<&Name>, table: &Name, made: Statistics, if_not_exists: bool) {
        let Some(table) = self.mention(table, ObjectKind::Table) else { return };
        let name = match name {
            Some(name) => self.creation_name(name, Persistence::Permanent),
            None => self.statistics_name(&table, &made.columns),
        };
        if let Some(table) = self.edit(&table) {
            if if_not_exists && table.statistics.iter().any(|known| known.name == name) {
                return;
            }
            table.statistics.push(Statistics { name, ..made });
        }
    }
}

impl Column {
    pub(super) fn defined(column: &operation::Column, step: Step) -> Self {
        let data_type = column.data_type.clone().map(|data_type| TypeName { serial: false, ..data_type });
        let serial = column.data_type.as_ref().is_some_and(|data_type| data_type.serial);
        Self {
            name: column.name.clone(),
            data_type,
            collation: column.collation.clone(),
            not_null: column.not_null || serial || column.identity.is_some(),
            default: column.default.clone(),
            identity: column.identity,
            generated: column.generated.clone(),
            local: true,
            added_in: step,
            updated: false,
            details: (column.storage.is_some() || column.compression.is_some()).then(|| {
                let told = |value: &Option<Box<str>>| value.clone().filter(|value| **value != *"default");
                Box::new(ColumnDetails {
                    storage: told(&column.storage),
                    compression: told(&column.compression),
                    ..ColumnDetails::default()
                })
            }),
        }
    }

    fn of_view(name: &Ident, step: Step) -> Self {
        Self { added_in: step, ..Self::mentioned(name.clone()) }
    }

    /// The definition in a child of a column that its parent gives it.
    fn merge(&mut self, own: Self) {
        self.local = true;
        self.not_null |= own.not_null;
        self.data_type = own.data_type.or(self.data_type.take());
        self.default = own.default.or(self.default.take());
        self.identity = own.identity.or(self.identity);
        self.generated = own.generated.or(self.generated.take());
    }
}

/// `nextval('orders_id_seq'::regclass)`.
fn next_value(sequence: &QualifiedName) -> Expression {
    let answers = Answers {
        text: format!("nextval ( '{}' :: regclass )", sequence.sql().replace('\'', "''")),
        understood: true,
        calls: vec![Name::bare(Ident::quoted("nextval"))],
        ..Answers::default()
    };
    answers.into()
}

/// What LIKE copies beyond columns.
#[derive(Default)]
struct Including {
    defaults: bool,
    generated: bool,
    identity: bool,
    constraints: bool,
    indexes: bool,
    statistics: bool,
    comments: bool,
    storage: bool,
}

impl Including {
    /// Reads words such as `including all`, `excluding indexes`, in their order; a bare `all` is INCLUDING.
    fn of(words: &[Box<str>]) -> Self {
        let mut chosen = Self::default();
        let mut value = true;
        for word in words.iter().flat_map(|words| words.split_ascii_whitespace()) {
            match word {
                "including" => value = true,
                "excluding" => value = false,
                "all" => {
                    chosen = Self {
                        defaults: value,
                        generated: value,
                        identity: value,
                        constraints: value,
                        indexes: value,
                        statistics: value,
                        comments: value,
                        storage: value,
                    };
                }
                "defaults" => chosen.defaults = value,
                "generated" => chosen.generated = value,
                "identity" => chosen.identity = value,
                "constraints" => chosen.constraints = value,
                "indexes" => chosen.indexes = value,
                "statistics" => chosen.statistics = value,
                "comments" => chosen.comments = value,
                "storage" | "compression" => chosen.storage = value,
                _ => {}
            }
        }
        chosen
    }
}
