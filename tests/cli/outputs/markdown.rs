//! `--format markdown`: the comment of a pull request.

use super::{Shop, assert_report};

#[test]
fn a_comment_says_what_its_snapshot_says() {
    let out = Shop::awkward().report("markdown");
    assert!(out.starts_with("<!-- lockkeeper -->\n"), "{out}");
    assert_report("awkward.markdown", &out);
}

#[test]
fn no_name_and_no_sql_breaks_out_of_its_place() {
    let out = Shop::hostile().report("markdown");
    assert_report("hostile.markdown", &out);
    let mut fence: Option<&str> = None;
    for line in out.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if ticks == open => fence = None,
            Some(_) => continue,
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {}
        }
        if fence.is_some() || !ticks.is_empty() {
            continue;
        }
        for forged in ["<img", "<b>](", "](x)", "@anna", "#1.", "`c`", "$(touch x)|"] {
            assert!(!line.contains(forged), "`{forged}` in {line}");
        }
        if line.starts_with("| <code>") {
            assert_eq!(line.matches('|').count(), 6, "another column in {line}");
        }
    }
    assert_eq!(fence, None);
}

#[test]
fn a_long_report_is_cut_to_a_comment_the_worst_first_and_says_so() {
    let shop = Shop::new();
    for at in 0..200 {
        let worst = if at == 199 { "VACUUM FULL payments;\n" } else { "" };
        shop.write(
            &format!("m/{at:04}_drop.sql"),
            format!("{worst}DROP TABLE orders_{at};\n-- lockkeeper: allow drop-table because nobody reads it\nDROP TABLE drafts_{at};\n"),
        );
    }
    let out = shop.report("markdown");
    assert!(out.chars().count() < 65_536, "{} characters", out.chars().count());
    assert!(out.len() > 40_000, "the room is used: {}", out.len());
    let findings = out.split_once("#### Findings").map(|(_, findings)| findings).unwrap_or_default();
    let first = findings.lines().find(|line| line.contains("<summary>")).unwrap_or_default();
    assert!(first.contains("payments"), "{first}");
    assert!(
        out.lines().find(|line| line.starts_with("| <code>")).is_some_and(|row| row.contains("0199")),
        "the worst migration is in the table"
    );
    let said = out.lines().rev().find(|line| !line.is_empty()).unwrap_or_default();
    assert!(said.starts_with("Left out, since a comment has no room for more: ") && said.contains(" findings"), "{said}");
    assert_eq!(out.matches("<details>").count(), out.matches("</details>").count());
}

#[test]
fn a_change_without_migrations_has_nothing_to_say_but_that() {
    let shop = Shop::committed(&[("m/0001_a.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n")]);
    let out = shop.run(&["lint", "m", "--since", "HEAD", "--format", "markdown"]).out;
    assert_eq!(out, "<!-- lockkeeper -->\n### lockkeeper: no migration is added or changed\n\n");
}
