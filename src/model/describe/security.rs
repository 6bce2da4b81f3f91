//! Privileges and policies in one line each.

use super::Line;
use crate::model::operation::{Policy, Privilege};

pub(super) fn privilege(privilege: &Privilege, line: &mut Line) {
    line.list("what", &privilege.what).flag(privilege.all_in_schema, "all_in_schema").list("on", &privilege.objects);
    line.list("roles", &privilege.roles).flag(privilege.option, "option").flag(privilege.to_come, "to_come");
}

pub(super) fn policy(policy: &Policy, line: &mut Line) {
    line.word(&policy.name).labelled("on", Some(&policy.table)).flag(policy.restrictive, "restrictive");
    line.labelled("for", policy.command.as_ref().filter(|command| ***command != *"all")).list("roles", &policy.roles);
    line.flag(policy.every_row, "every_row").list("reads", &policy.reads).list("calls", &policy.calls);
}
