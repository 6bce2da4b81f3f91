//! GRANT and REVOKE: who has which rights on relations and columns.

use super::details::Grant;
use super::{Catalog, Relation};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{ObjectKind, Privilege};

/// What ALL stands for, of a relation and of a column. MAINTAIN (17) stays in `all` alone: an older server does not know the word.
const OF_RELATION: [&str; 7] = ["select", "insert", "update", "delete", "truncate", "references", "trigger"];
const OF_COLUMN: [&str; 4] = ["select", "insert", "update", "references"];

impl Catalog {
    /// GRANT and REVOKE.
    pub(super) fn privilege(&mut self, privilege: &Privilege) {
        self.grants_to_come |= privilege.grant && privilege.to_come;
        if privilege.to_come || !matches!(privilege.object, ObjectKind::Table | ObjectKind::Sequence) {
            return;
        }
        for name in self.privileged(privilege) {
            self.edit_relation(&name, |relation| {
                relation.granted |= privilege.grant && privilege.object == ObjectKind::Table && !privilege.all_in_schema;
                relation.take_privilege(privilege);
            });
        }
    }

    /// The relations that it names, as far as they are known.
    fn privileged(&self, privilege: &Privilege) -> Vec<QualifiedName> {
        if !privilege.all_in_schema {
            let named = privilege.objects.iter().map(|object| self.resolve(object));
            return named.filter(|name| self.get(name).is_some()).collect();
        }
        let is_meant = |relation: &&Relation| {
            let kind = match relation.kind {
                ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => ObjectKind::Table,
                kind => kind,
            };
            kind == privilege.object && privilege.schemas.contains(&relation.name.schema)
        };
        self.relations().filter(is_meant).map(|relation| relation.name.clone()).collect()
    }
}

impl Relation {
    fn take_privilege(&mut self, privilege: &Privilege) {
        let columns = privilege.columns.iter().chain(std::iter::repeat(const { &Vec::new() }));
        for ((word, columns), grantee) in
            privilege.what.iter().zip(columns).flat_map(|what| privilege.roles.iter().map(move |role| (what, role)))
        {
            for column in columns {
                let known = &mut self.learn_column(column).details_mut().grants;
                change(known, privilege, word, grantee, &OF_COLUMN);
            }
            if columns.is_empty() {
                change(&mut self.details_mut().grants, privilege, word, grantee, &OF_RELATION);
                // What is taken away of the relation is taken away of its columns.
                let of_columns = if privilege.grant { &mut [][..] } else { &mut self.columns[..] };
                for details in of_columns.iter_mut().filter_map(|column| column.details.as_mut()) {
                    change(&mut details.grants, privilege, word, grantee, &OF_COLUMN);
                }
            }
        }
    }
}

fn change(grants: &mut Vec<Grant>, privilege: &Privilege, word: &str, grantee: &Ident, all: &[&str]) {
    let Privilege { grant, option, .. } = *privilege;
    if grant {
        if let Some(known) = grants.iter_mut().find(|known| *known.privilege == *word && known.grantee == *grantee) {
            known.option |= option;
        } else {
            grants.push(Grant { privilege: word.into(), grantee: grantee.clone(), option });
        }
        return;
    }
    // Of ALL, the rest stays.
    let whole = grants.iter().position(|known| known.grantee == *grantee && *known.privilege == *"all");
    if let Some(whole) = whole.filter(|_| word != "all" && !option) {
        let had = grants.remove(whole);
        for word in all {
            if !grants.iter().any(|known| known.grantee == *grantee && *known.privilege == **word) {
                grants.push(Grant { privilege: (*word).into(), ..had.clone() });
            }
        }
    }
    let is_meant = |known: &Grant| known.grantee == *grantee && (word == "all" || *known.privilege == *word);
    if option {
        grants.iter_mut().filter(|known| is_meant(known)).for_each(|known| known.option = false);
    } else {
        grants.retain(|known| !is_meant(known));
    }
}
