//! `--output`: one run, several reports.

use super::Shop;

#[test]
fn one_run_writes_each_report_as_a_run_of_its_own_would() {
    let shop = Shop::awkward();
    let run = shop.run(&[
        "lint",
        "--format",
        "github",
        "--output",
        "sarif=out/lint.sarif",
        "--output",
        "markdown=comment.md",
        "--output",
        "json=report.json",
    ]);
    // The directory is not there, and the others are written all the same.
    assert_eq!(run.code, Some(2));
    assert!(run.out.contains("lint%3A%3Aoutput") && run.out.contains("no such directory"), "{}", run.out);
    std::fs::create_dir(shop.0.path().join("out")).expect("it is made");
    let run = shop.run(&[
        "lint",
        "--format",
        "github",
        "--output",
        "sarif=out/lint.sarif",
        "--output",
        "markdown=comment.md",
        "--output",
        "json=report.json",
    ]);
    assert_eq!(run.out, shop.report("github"));
    for (file, format) in [("out/lint.sarif", "sarif"), ("comment.md", "markdown"), ("report.json", "json")] {
        assert_eq!(shop.text(file), shop.report(format), "{format}");
    }
}

#[test]
fn a_file_gets_no_colours_whatever_the_terminal_wants() {
    let shop = Shop::awkward();
    shop.run(&["--color", "always", "lint", "--output", "human=report.txt"]);
    assert!(shop.text("report.txt").contains("error[") && !shop.text("report.txt").contains('\u{1b}'));
}

#[test]
fn a_wrong_output_is_told_what_would_be_right() {
    let shop = Shop::awkward();
    for (wrong, said) in [
        ("sarf=x", "no format is called `sarf`, did you mean `sarif`?"),
        ("paper=x", "no format is called `paper`; formats are human, "),
        ("sarif", "this is no FORMAT=FILE, as in sarif=lint.sarif"),
        ("sarif=", "behind the `=` stands no file"),
        ("json=-", "to standard output writes `--format json`"),
    ] {
        let run = shop.run(&["lint", "--output", wrong]);
        assert!(run.code == Some(2) && run.err.contains(said), "{wrong}: {}", run.err);
    }
    assert!(shop.run(&["lint", "--help"]).out.contains("FORMAT=FILE"));
}

#[test]
fn no_format_shows_a_secret() {
    let role = "CREATE ROLE app LOGIN PASSWORD 'geheim99';\nCREATE INDEX ON orders (buyer); DROP TABLE users;\n";
    let shop = Shop::with(&[("lockkeeper.yaml", "migrations: m\ntransaction: none\n"), ("m/0001_role.sql", role)]);
    for format in ["human", "short", "json", "sarif", "github", "github-review", "gitlab", "junit", "markdown", "html"] {
        let out = shop.report(format);
        assert!(!out.contains("geheim99") && (out.contains("plaintext-secret") || format == "github-review"), "{format}: {out}");
    }
}
