//! What no report may show.

use super::Shop;

const ROLE: &str = "CREATE ROLE app LOGIN PASSWORD 'hunter2';\nDROP TABLE orders; CREATE SUBSCRIPTION s CONNECTION 'host=db user=app password=hunter3' PUBLICATION p;\n";

fn shop(config: &str) -> Shop {
    Shop::with(&[("m/0001_role.sql", ROLE), ("lockkeeper.yaml", config)])
}

#[test]
fn a_secret_is_in_no_report_whatever_the_rule_weighs() {
    for config in ["", "rules: { plaintext-secret: off }\n"] {
        let shop = shop(config);
        for arguments in [
            &["lint", "m"][..],
            &["lint", "m", "--format", "short"],
            &["lint", "m", "--format", "json"],
            &["lint", "m", "--format", "html"],
            &["lint", "m", "--format", "markdown"],
            &["lint", "m", "--color", "always"],
            &["show", "m/0001_role.sql"],
        ] {
            let answer = shop.run(arguments);
            assert!(answer.out.contains("drop-table"), "{arguments:?}: {}{}", answer.out, answer.err);
            assert!(!answer.out.contains("hunter") && !answer.err.contains("hunter"), "{arguments:?}: {}", answer.out);
        }
    }
}

#[test]
fn the_place_of_a_secret_is_shown_with_stars() {
    let out = shop("").run(&["lint", "m"]).out;
    assert!(out.contains("CREATE ROLE app LOGIN PASSWORD '*******'") && out.contains("user=app password=*******'"), "{out}");
    let lines = shop("").short(&["m"]);
    for place in ["m/0001_role.sql:1:33: error[plaintext-secret]", "m/0001_role.sql:2:80: error[plaintext-secret]"] {
        assert!(lines.iter().any(|line| line == place), "{place} is not in {lines:#?}");
    }
}

#[test]
fn a_file_from_standard_input_has_secrets_as_well() {
    let answer = shop("").run_with_input(&["lint", "-", "--stdin-path", "m/0001_role.sql"], ROLE);
    assert!(answer.out.contains("plaintext-secret") && !answer.out.contains("hunter"), "{}", answer.out);
}

#[test]
fn a_secret_may_be_allowed_where_it_stands() {
    let shop = Shop::with(&[(
        "m/0001_role.sql",
        "-- lockkeeper: allow plaintext-secret because it opens the test server alone\nCREATE ROLE app LOGIN PASSWORD 'hunter2';\n",
    )]);
    assert_eq!(shop.run(&["lint", "m"]).code, Some(0));
}

#[test]
fn a_plan_in_a_report_takes_no_secret_over() {
    let rename = "CREATE TABLE users (email text);";
    let sql = format!("{ROLE}ALTER TABLE users RENAME COLUMN email TO address;\n");
    let shop = Shop::with(&[("m/0000_users.sql", rename), ("m/0001_role.sql", &sql)]);
    for arguments in
        [["lint", "m", "--format", "html"], ["lint", "m", "--format", "markdown"], ["plan", "m/0001_role.sql", "--format", "html"]]
    {
        let answer = shop.run(&arguments);
        assert!(answer.out.contains("rename-column") && !answer.out.contains("hunter"), "{arguments:?}: {}", answer.out);
    }
}
