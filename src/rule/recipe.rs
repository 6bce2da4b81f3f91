//! The recipes by name: what a rule may point to for a change that takes several phases. `plan` cooks them.

/// A way of making a change in phases while code goes on running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// A column under a new name: two columns, kept equal by a trigger.
    RenameColumn,
    /// A column of another type: a second one that takes its place.
    ChangeColumnType,
    /// An enum value by another name: a second one beside it.
    ChangeEnum,
    /// Columns that are computed from others, which go: ADD COLUMN, UPDATE and DROP COLUMN together.
    SplitColumn,
    /// Columns that move to another table: ADD COLUMN, UPDATE and DROP COLUMN together.
    MoveColumn,
    /// A column that every row gets a value of its own in: a default that differs from row to row, a number, or none that is known.
    AddColumn,
    /// A column that is computed from others.
    AddGeneratedColumn,
    /// NOT NULL, proven while others write.
    SetNotNull,
    /// CHECK: NOT VALID, then VALIDATE.
    AddCheck,
    /// FOREIGN KEY: NOT VALID, then VALIDATE.
    AddForeignKey,
    /// The same, with an index on its columns first.
    IndexForeignKey,
    /// UNIQUE and PRIMARY KEY over an index that is built beforehand.
    AddUnique,
    /// A label of an enum, in a transaction of its own.
    AddEnumValue,
    /// A table that becomes a partition once its rows are proven to belong there.
    AttachPartition,
    /// A change of many rows, batch by batch.
    Batches,
    /// An index, built while everybody goes on; that of a partitioned table partition by partition.
    CreateIndex,
    /// A new partition: a table like the parent, then attached.
    CreatePartition,
    /// A partition that leaves its parent while everybody goes on.
    DetachPartition,
    /// A column that goes once nothing uses it any more.
    DropColumn,
    /// Indexes that go while everybody goes on.
    DropIndex,
    /// A primary key that goes once replication goes by another key.
    DropPrimaryKey,
    /// A table that goes once nothing uses it any more.
    DropTable,
    /// Indexes that are built anew while everybody goes on.
    Reindex,
    /// A table or view under a new name: a view takes the old one.
    RenameTable,
}

/// The recipes by their words.
pub(crate) const RECIPES: &[(&str, Recipe)] = &[
    ("rename-column", Recipe::RenameColumn),
    ("change-column-type", Recipe::ChangeColumnType),
    ("change-enum", Recipe::ChangeEnum),
    ("split-column", Recipe::SplitColumn),
    ("move-column", Recipe::MoveColumn),
    ("add-column", Recipe::AddColumn),
    ("add-generated-column", Recipe::AddGeneratedColumn),
    ("set-not-null", Recipe::SetNotNull),
    ("add-check", Recipe::AddCheck),
    ("add-foreign-key", Recipe::AddForeignKey),
    ("index-foreign-key", Recipe::IndexForeignKey),
    ("add-unique", Recipe::AddUnique),
    ("add-enum-value", Recipe::AddEnumValue),
    ("attach-partition", Recipe::AttachPartition),
    ("batches", Recipe::Batches),
    ("create-index", Recipe::CreateIndex),
    ("create-partition", Recipe::CreatePartition),
    ("detach-partition", Recipe::DetachPartition),
    ("drop-column", Recipe::DropColumn),
    ("drop-index", Recipe::DropIndex),
    ("drop-primary-key", Recipe::DropPrimaryKey),
    ("drop-table", Recipe::DropTable),
    ("reindex", Recipe::Reindex),
    ("rename-table", Recipe::RenameTable),
];

impl Recipe {
    /// The word for it, as rule files and the headers of plans write it.
    pub fn word(self) -> &'static str {
        RECIPES.iter().find(|(_, recipe)| *recipe == self).map_or("", |(word, _)| word)
    }

    /// Whether it does all that the other does, and more.
    pub fn includes(self, other: Self) -> bool {
        match self {
            Self::IndexForeignKey => matches!(other, Self::AddForeignKey | Self::AddCheck | Self::AddUnique),
            Self::AddColumn => {
                matches!(other, Self::IndexForeignKey | Self::AddForeignKey | Self::AddCheck | Self::AddUnique | Self::SetNotNull)
            }
            _ => false,
        }
    }

    /// The recipe that a word stands for.
    pub fn named(word: &str) -> Option<Self> {
        RECIPES.iter().find(|(known, _)| *known == word).map(|(_, recipe)| *recipe)
    }
}
