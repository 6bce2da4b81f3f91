//! What rules may say: all operations and facts, as one snapshot, so that a word does not change unseen.

use lockkeeper::model::kind::OpKind;
use lockkeeper::rule::facts;
use lockkeeper::rule::vocabulary;
use std::path::Path;

#[test]
fn the_vocabulary_is_known() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    insta::with_settings!({ snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("vocabulary", vocabulary::everything());
    });
}

#[test]
fn a_word_names_one_operation() {
    for op in OpKind::ALL {
        assert_eq!(OpKind::read(op.word()), Some(*op));
    }
}

#[test]
fn an_operation_has_one_fact_of_a_name() {
    for op in OpKind::ALL {
        let mut names: Vec<_> = facts::of(*op).map(|fact| fact.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{op} has two facts of one name among {names:?}");
    }
}

#[test]
fn a_fact_says_what_it_is() {
    for fact in facts::all() {
        assert!(!fact.doc.is_empty() && !fact.of.is_empty(), "{} says nothing", fact.name);
        assert!(fact.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{} is no lower-case word", fact.name);
    }
}
