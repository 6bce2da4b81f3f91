//! The string literals that an operation holds where an enum value may be meant.

use crate::model::expression::{Constant, Expression};
use crate::model::operation::{AlterAction, ConstraintKind, Operation};

/// Shows each of them, quotes undone.
pub(super) fn literals_of(operation: &Operation, show: &mut dyn FnMut(&str)) {
    match operation {
        Operation::Insert(insert) => insert.literals.iter().for_each(|literal| show(literal)),
        Operation::Update(update) => {
            update.literals.iter().for_each(|literal| show(literal));
            in_expression(update.filter.as_ref(), show);
        }
        Operation::Delete(delete) => in_expression(delete.filter.as_ref(), show),
        Operation::CreateIndex(index) => in_expression(index.predicate.as_ref(), show),
        Operation::CreateTable(table) => table.columns.iter().for_each(|column| in_expression(column.what.default.as_ref(), show)),
        Operation::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::Check { expression } => in_expression(Some(expression), show),
            ConstraintKind::NotNull { .. }
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey(_) => {}
        },
        Operation::Alter(_, action) => match &**action {
            AlterAction::SetDefault { default, .. } => in_expression(Some(default), show),
            AlterAction::AddColumn { column, .. } => in_expression(column.default.as_ref(), show),
            AlterAction::ChangeType { using, .. } => in_expression(using.as_ref(), show),
            _ => {}
        },
        _ => {}
    }
}

fn in_expression(expression: Option<&Expression>, show: &mut dyn FnMut(&str)) {
    let Some(expression) = expression else { return };
    if let Some(Constant::Text(text)) = &expression.constant {
        return show(text);
    }
    // Between two quotes stands a literal; two quotes side by side are one inside of it.
    let mut parts = expression.text.split('\'');
    parts.next();
    let mut literal = String::new();
    while let Some(inside) = parts.next() {
        literal.push_str(inside);
        match parts.next() {
            Some("") if parts.clone().next().is_some() => literal.push('\''),
            _ => {
                show(&literal);
                literal.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_expression;
    use crate::model::expression::Answers;

    fn literals(text: &str) -> String {
        let mut found = Vec::new();
        in_expression(Some(&Answers { text: text.to_owned(), ..Answers::default() }.into()), &mut |literal| found.push(literal.to_owned()));
        found.join(" | ")
    }

    #[test]
    fn the_literals_of_an_expression_are_what_stands_between_its_quotes() {
        insta::assert_snapshot!(literals("state in ( 'open' , 'it''s late' ) and note <> ''''"), @"open | it's late | '");
        insta::assert_snapshot!(literals("state = 'open'"), @"open");
        insta::assert_snapshot!(literals("state = ''"), @"");
        insta::assert_snapshot!(literals("a || 'x' || '' || 'y'''"), @"x |  | y'");
        insta::assert_snapshot!(literals("total > 5"), @"");
    }
}
