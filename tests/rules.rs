//! Every rule's examples, against all rules: `cargo test --test rules drop_column` runs those of one.

use lockkeeper::lint::example;
use lockkeeper::rule::set::RuleSet;

// One test for each file in `rules/`.
include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

fn speaks_for_itself(id: &str) {
    let mut rules = RuleSet::embedded();
    let tested = rules.while_on(id, example::test).expect("the test was made from the rule");
    let failures = match tested {
        Ok((_, failures)) => failures,
        Err(problem) => panic!("{:?}", miette::Report::new(problem)),
    };
    let words = |failure: &example::Failure| format!("{}\n    {}", failure.example, failure.complaints.join("\n    "));
    assert!(failures.is_empty(), "\n{}\n", failures.iter().map(words).collect::<Vec<_>>().join("\n"));
}
