//! `--format html`: what the page says, that it is sound, and that nothing out of a file becomes a part of it.

use super::{ORDERS, PLAIN_INDEX, Shop};
use std::collections::BTreeSet;

/// An element of the page: its name and its attributes.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

/// A page, read as a browser reads it.
#[derive(Default)]
struct Html {
    elements: Vec<Element>,
    /// The text, a line for each heading, paragraph, row and item.
    words: Vec<String>,
    style: String,
}

const VOID: [&str; 3] = ["meta", "br", "wbr"];
const LINES: [&str; 16] =
    ["h1", "h2", "h3", "h4", "h5", "p", "li", "dt", "dd", "pre", "summary", "title", "footer", "article", "section", "ul"];

impl Html {
    /// Reads a page, and fails if a tag is not closed where it should be.
    fn read(page: &str) -> Self {
        let mut html = Self::default();
        let mut open: Vec<String> = Vec::new();
        let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a page begins with its type");
        let mut line = String::new();
        while let Some(at) = rest.find('<') {
            line += &rest[..at];
            let (tag, behind) = rest[at + 1..].split_once('>').expect("a tag ends");
            rest = behind;
            let name = tag.trim_start_matches('/').split_whitespace().next().expect("a tag has a name").to_owned();
            if LINES.contains(&&*name) {
                html.say(&mut line);
            }
            if tag.starts_with('/') {
                assert_eq!(open.pop().as_ref(), Some(&name), "</{name}> closes it");
                continue;
            }
            html.elements.push(Element { attributes: attributes(&tag[name.len()..]), name: name.clone() });
            if name == "style" {
                let (style, behind) = rest.split_once("</style>").expect("the style ends");
                (html.style, rest) = (style.to_owned(), behind);
            } else if !VOID.contains(&&*name) {
                open.push(name);
            }
        }
        html.say(&mut line);
        assert!(open.is_empty(), "{open:?} are not closed");
        html
    }

    fn say(&mut self, line: &mut String) {
        let text = line.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            self.words.push(text);
        }
        line.clear();
    }

    fn values(&self, attribute: &str) -> Vec<&str> {
        let attributes = self.elements.iter().flat_map(|element| &element.attributes);
        attributes.filter(|(name, _)| name == attribute).map(|(_, value)| value.as_str()).collect()
    }

    fn text(&self) -> String {
        self.words.join("\n")
    }

    /// What holds of every page: it asks for nothing, its names are unique, its links lead somewhere, and its elements are ours.
    fn check(&self) {
        let ids = self.values("id");
        let known: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "no id stands twice: {ids:?}");
        for href in self.values("href") {
            let to = href.strip_prefix('#').unwrap_or_else(|| panic!("{href} leads away from the page"));
            assert!(known.contains(to), "{href} leads nowhere");
        }
        for word in ["url(", "@import", "http", "//", "expression"] {
            assert!(!self.style.contains(word), "{word} in the style");
        }
        let ours = [
            "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "article", "details", "summary",
            "div", "h1", "h2", "h3", "h4", "h5", "p", "a", "b", "i", "br", "wbr", "ul", "ol", "li", "dl", "dt", "dd", "pre", "code",
            "span", "mark", "del", "ins",
        ];
        let attributes = [
            "class",
            "id",
            "href",
            "lang",
            "charset",
            "http-equiv",
            "content",
            "name",
            "role",
            "aria-label",
            "aria-labelledby",
            "aria-hidden",
        ];
        for element in &self.elements {
            assert!(ours.contains(&&*element.name), "<{}> is none of ours", element.name);
            for (name, value) in &element.attributes {
                let is_ours = attributes.contains(&&**name) || (name == "data-n" && value.parse::<u32>().is_ok()) || name == "open";
                assert!(is_ours, "{name} of <{}> is none of ours", element.name);
            }
        }
        let policies: Vec<_> = self.values("content").into_iter().filter(|value| value.starts_with("default-src 'none';")).collect();
        assert_eq!(policies.len(), 1, "one policy, which allows nothing");
    }
}

fn attributes(mut text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    loop {
        text = text.trim_start();
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        if end == 0 {
            return all;
        }
        let name = text[..end].to_owned();
        text = &text[end..];
        let value = match text.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, behind) = quoted.split_once('"').expect("a value ends");
                text = behind;
                value.to_owned()
            }
            None => String::new(),
        };
        all.push((name, value));
    }
}

fn page(shop: &Shop, arguments: &[&str]) -> Html {
    let answer = shop.run(&[arguments, &["--format", "html"]].concat());
    let html = Html::read(&answer.out);
    html.check();
    html
}

#[test]
fn the_page_tells_of_each_statement_who_waits_for_it_and_until_when() {
    let shop = Shop::with(&[
        ("m/0001_orders.sql", ORDERS),
        (
            "m/0002_total.sql",
            "BEGIN;\nALTER TABLE orders ADD COLUMN total bigint;\nCREATE INDEX orders_total ON orders (total);\nCOMMIT;\n\
             -- lockkeeper: allow create-index-without-concurrently because <orders> is closed on Sundays\n\
             CREATE INDEX orders_id ON orders (id);\n",
        ),
    ]);
    let html = page(&shop, &["lint", "m/0002_total.sql"]);
    let from = html.words.iter().position(|line| line == "Timeline").expect("there is one");
    let to = html.words.iter().position(|line| line == "Findings").expect("there are some");
    let timeline = "\
Timeline
One transaction, opened by BEGIN: 4 statements
line 1 BEGIN
line 2 ALTER TABLE orders ADD COLUMN total bigint
ACCESS EXCLUSIVE on public.orders: reads and writes wait for a moment, and on until the transaction ends (line 4)
warning lock-without-timeout
line 3 CREATE INDEX orders_total ON orders (total) maintenance window
SHARE on public.orders: writes wait as long as it takes, and on until the transaction ends (line 4)
all the while reads and writes of public.orders wait: ACCESS EXCLUSIVE since line 2
reads all of public.orders; builds public.orders_total
error create-index-without-concurrently error statement-while-holding-access-exclusive
line 4 COMMIT
line 6 CREATE INDEX orders_id ON orders (id) maintenance window
SHARE on public.orders: writes wait as long as it takes
reads all of public.orders; builds public.orders_id
advice create-index-redundant allowed create-index-without-concurrently";
    assert_eq!(html.words[from..to].join("\n"), timeline);
    let bars: Vec<_> = html.values("class").into_iter().filter(|class| class.starts_with("bar ") && !class.ends_with('s')).collect();
    // ACCESS EXCLUSIVE from line 2 to COMMIT, and SHARE for as long as line 6 runs.
    assert_eq!(bars, ["bar reads a", "bar reads z", "bar writes a z"]);
    assert!(html.text().contains("Allowed in line 5, because <orders> is closed on Sundays"));
}

#[test]
fn a_lock_that_gets_stronger_goes_on_in_its_lane_and_what_has_no_lane_is_told_in_words() {
    let tables: String = (1..=8).map(|number| format!("CREATE TABLE shop_{number} (id bigint);\n")).collect();
    let alters: String = (1..=8).map(|number| format!("ALTER TABLE shop_{number} ADD COLUMN note text;\n")).collect();
    let sql = format!("BEGIN;\nCREATE INDEX shop_1_id ON shop_1 (id);\n{alters}SELECT 1;\nSELECT 2;\nSELECT 3;\nCOMMIT;\n");
    let shop = Shop::with(&[("m/0001_shops.sql", &tables), ("m/0002_notes.sql", &sql)]);
    let html = page(&shop, &["lint", "m/0002_notes.sql"]);
    let text = html.text();
    for number in 1..=8 {
        let words =
            format!("ACCESS EXCLUSIVE on public.shop_{number}: reads and writes wait for a moment, and on until the transaction ends");
        assert!(text.contains(&words), "`{words}` is not in:\n{text}");
    }
    assert!(text.contains("4 statements for which nobody waits"), "{text}");
    let bars = |class: &str| html.values("class").into_iter().filter(|known| *known == class).count();
    // SHARE for one statement, then ACCESS EXCLUSIVE: six bars that begin in six rows, and end in the last one.
    assert_eq!([bars("bar writes a z"), bars("bar reads a"), bars("bar reads z")], [1, 6, 6]);
    // Those that go on: 1 + 2 + 3 + 4 + 5 beside the next five tables, and 6 each beside the two that have no lane.
    assert_eq!(bars("bar reads"), 15 + 12 + LEGEND);
}

/// Bars in the legend.
const LEGEND: usize = 2;

#[test]
fn the_title_says_the_verdict_and_links_stay_the_same() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let html = page(&shop, &["lint", "m"]);
    assert_eq!(html.words[0], "maintenance-window: 1 error in 2 migrations – lockkeeper");
    let findings: Vec<_> = html.values("id").into_iter().filter(|id| id.starts_with("f-")).map(str::to_owned).collect();
    assert_eq!(findings.len(), 1);
    assert!(html.values("id").contains(&"m-m-0002_index-sql") && html.values("id").contains(&"m-m-0002_index-sql-L2"));
    // Lines and files before it change nothing.
    shop.write("m/0000_users.sql", "CREATE TABLE users (id bigint);\n");
    shop.write("m/0002_index.sql", format!("-- a comment\n\n{PLAIN_INDEX}"));
    let again = page(&shop, &["lint", "m"]);
    assert!(findings.iter().all(|id| again.values("id").contains(&id.as_str())), "{findings:?} are in {:?}", again.values("id"));
}

#[test]
fn what_a_file_says_is_never_a_part_of_the_page() {
    let evil = "</style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onclick=\"x";
    let name = "m/0002_\"><img src=x onerror=alert(1)>&amp;'`.sql";
    let sql = format!(
        "-- {evil}\n-- lockkeeper: allow drop-table because {evil}\nDROP TABLE \"{}\";\nDROP TABLE \"<b>drafts</b>\"; -- {evil}\n\
         DO $$ BEGIN EXECUTE '{}'; END $$;\nINSERT INTO orders VALUES ('{}');\nALTER TABLE orders RENAME COLUMN \"<i>\" TO \"</code>\";\n",
        evil.replace('"', "\"\""),
        evil.replace('\'', "''"),
        evil.replace('\'', "''"),
    );
    let shop = Shop::with(&[("m/0001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, \"<i>\" text);\n"), (name, &sql)]);
    let plan = page(&shop, &["plan", name]);
    assert!(plan.text().contains("RENAME COLUMN \"<i>\" TO \"</code>\""), "{}", plan.text());
    shop.write("lockkeeper.yaml", "rules: { \"<script>alert(2)</script>\": off }\n");
    let html = page(&shop, &["lint", "m"]);
    let text = html.text();
    for part in [evil, "\"><img src=x onerror=alert(1)>&amp;'`.sql", "DROP TABLE \"<b>drafts</b>\"", "<script>alert(2)</script>", "</code>"]
    {
        assert!(text.contains(part), "{part} is text in:\n{text}");
    }
}

#[test]
fn a_finding_with_a_recipe_brings_the_phases_of_its_plan() {
    let users = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);\n";
    let rename = "ALTER TABLE users RENAME COLUMN email TO email_address;\n";
    let shop = Shop::with(&[("m/0001_users.sql", users), ("m/0002_rename.sql", rename)]);
    for command in ["lint", "plan"] {
        let text = page(&shop, &[command, "m/0002_rename.sql"]).text();
        for part in [
            "What to run instead",
            "phases instead of ALTER TABLE users RENAME COLUMN email TO email_address",
            "Deploy",
            "Way back",
            "Go on when this is true:",
        ] {
            assert!(text.contains(part), "{command}: `{part}` is not in:\n{text}");
        }
    }
}

#[test]
fn a_page_of_very_much_says_what_it_leaves_out() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    for file in 3..43 {
        let indexes: String = (0..28).map(|number| format!("CREATE INDEX orders_{file}_{number} ON orders (buyer);\n")).collect();
        shop.write(&format!("m/{file:04}_indexes.sql"), format!("SET LOCAL lock_timeout = '2s';\n{indexes}"));
    }
    let answer = shop.run(&["lint", "m", "--format", "html"]);
    let html = Html::read(&answer.out);
    html.check();
    let findings = html.values("id").into_iter().filter(|id| id.starts_with("f-")).count();
    assert_eq!(findings, 1_000, "what the small files leave over, the large one has");
    let text = html.text();
    assert!(text.contains("are left out, as the page would be too long"), "{text:.2000}");
    assert!(answer.out.len() < 4 << 20, "{} bytes", answer.out.len());
}

#[test]
fn what_could_not_be_judged_stands_on_the_page() {
    let shop = Shop::with(&[("m/0001_orders.sql", "CREATE TABLE orders (id bigint);\nFROBNICATE orders;\n")]);
    let text = page(&shop, &["lint", "m", "nowhere"]).text();
    for part in ["What could not be judged", "nowhere", "1 statement of a kind that nobody knows here"] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}
