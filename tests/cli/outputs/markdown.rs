//! `--format markdown`: the comment of a pull request.

use super::{Shop, assert_report};
use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn a_comment_says_what_its_snapshot_says() {
    let out = Shop::awkward().report("markdown");
    assert!(out.starts_with("<!-- lockkeeper -->\n"), "{out}");
    assert_report("awkward.markdown", &out);
}

/// As GitHub shows it: by its own reader of Markdown (cmark-gfm, in Debian and elsewhere), with nothing taken out of it.
fn rendered(markdown: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file for the comment");
    std::fs::write(file.path(), markdown).expect("it is written");
    let extensions = ["table", "autolink", "strikethrough", "tasklist"].iter().flat_map(|extension| ["-e", extension]);
    let output = Command::new("cmark-gfm").args(extensions).arg("--unsafe").arg(file.path()).output();
    let output = output.expect("cmark-gfm is there: install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is text")
}

/// The tags of a page, each once, without its brackets. They have to close what they open.
fn tags(html: &str) -> BTreeSet<String> {
    let mut open = Vec::new();
    let tags = html.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
    for tag in tags.clone().filter(|tag| !tag.starts_with("!--")) {
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "closed out of turn:\n{html}"),
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    tags.filter(|tag| !tag.starts_with('/')).map(str::to_owned).collect()
}

#[test]
fn no_name_and_no_sql_breaks_out_of_its_place() {
    let shop = Shop::hostile();
    assert_report("hostile.markdown", &shop.report("markdown"));
    let evil = "</code></summary></details><h1>x | **b** `c` @anna #1 GH-1 a@b.example https://evil.example www.evil.example ![x](y) <!--";
    shop.write(
        "m/0009_shop.sql",
        format!(
            "DROP TABLE \"{evil}\";\nDROP TABLE \"ticks ``` {evil}\n\n# head\n- item\n\";\n\
             -- lockkeeper: allow truncate-table because {evil}\nTRUNCATE payments;\nCREATE INDEX \"```` {evil}\" ON orders (buyer);\n"
        ),
    );
    shop.write("m/0010_www.evil.example a@b.example https:.sql", "DROP TABLE drafts;\n");
    let html = rendered(&shop.report("markdown"));
    let ours = [
        "!-- --",
        "!-- lockkeeper --",
        "b",
        "code",
        "code class=\"language-diff\"",
        "code class=\"language-sql\"",
        "details",
        "em",
        "h3",
        "h4",
        "li",
        "p",
        "pre",
        "pre lang=\"diff\"",
        "pre lang=\"sql\"",
        "strong",
        "summary",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let others: Vec<_> = tags(&html).into_iter().filter(|tag| !ours.contains(&tag.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    for row in html.split("<tr>").skip(2) {
        assert_eq!(row.matches("<td>").count(), 5, "{row}");
    }
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
