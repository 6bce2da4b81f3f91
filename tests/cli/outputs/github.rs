//! `--format github`: what the runner makes of each line.

use super::{Shop, assert_report};

/// A line as the runner reads it: the command, its properties, and its text.
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    text: String,
}

impl Command {
    /// As actions/runner does it: up to the first space the name, up to the next `::` the properties, each value unescaped.
    fn read(line: &str) -> Option<Self> {
        let (head, text) = line.trim_start().strip_prefix("::")?.split_once("::")?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let property = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), unescaped(value)));
        let properties = properties.split(',').filter_map(property).collect();
        Some(Self { name: name.to_owned(), properties, text: unescaped(text) })
    }

    fn property(&self, key: &str) -> &str {
        self.properties.iter().find(|(own, _)| own == key).map_or("", |(_, value)| value)
    }
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
}

#[test]
fn annotations_say_what_their_snapshot_says() {
    assert_report("awkward.github", &Shop::awkward().report("github"));
}

#[test]
fn neither_a_name_nor_sql_can_forge_a_command() {
    let shop = Shop::hostile();
    let out = shop.report("github");
    assert_report("hostile.github", &out);
    let (commands, others): (Vec<_>, Vec<_>) = out.lines().partition(|line| Command::read(line).is_some());
    assert!(others.iter().all(|line| line.starts_with("lockkeeper: ")), "{others:#?}");
    let mut seen = 0;
    for command in commands.iter().filter_map(|line| Command::read(line)) {
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{}", command.name);
        let keys: Vec<_> = command.properties.iter().map(|(key, _)| key.as_str()).collect();
        assert!(keys.iter().all(|key| ["file", "line", "endLine", "col", "title"].contains(key)), "{keys:?}");
        let file = shop.0.path().join(command.property("file"));
        assert!(file.is_file(), "no file at {}", file.display());
        seen += usize::from(command.property("title") == "lockkeeper: drop-table" && command.text.contains("::warning::"));
    }
    assert_eq!(seen, 8);
}

#[test]
fn the_worst_come_first_since_ten_of_a_kind_are_shown() {
    let drops: String = (0..12).map(|at| format!("DROP TABLE drafts_{at};\n")).collect();
    let shop = Shop::with(&[("m/0001_a.sql", &drops), ("m/0002_b.sql", "DROP TABLE orders;\nVACUUM FULL payments;\n")]);
    let out = shop.run(&["lint", "m", "nowhere", "--format", "github"]).out;
    let commands: Vec<_> = out.lines().filter_map(Command::read).collect();
    let weight = |name: &str| ["error", "warning", "notice"].iter().position(|known| *known == name);
    assert!(commands.is_sorted_by_key(|command| weight(&command.name)), "{out}");
    let [first, second, ..] = &commands[..] else { panic!("{out}") };
    assert_eq!((first.property("file"), first.property("line")), ("nowhere", ""));
    assert!(second.text.contains("`payments`"), "{}", second.text);
    // The class of the migration before the advice about it.
    let notice = commands.iter().find(|command| command.name == "notice").map(|command| command.property("title"));
    assert!(notice.is_some_and(|title| title.starts_with("lockkeeper: maintenance-window")), "{notice:?}");
    assert!(out.contains("GitHub shows the first 10"), "{out}");
    assert!(out.lines().last().is_some_and(|line| line.starts_with("lockkeeper: maintenance-window")), "{out}");
}

#[test]
fn paths_are_those_of_the_repository_wherever_in_it_lockkeeper_is_run() {
    let shop = Shop::with(&[("app/m/0001_a.sql", "DROP TABLE orders;\n"), (".git/HEAD", "ref: refs/heads/main\n")]);
    let output = shop.command(&["lint", "m", "--format", "github"]).current_dir(shop.0.path().join("app")).output().expect("it runs");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.starts_with("::error file=app/m/0001_a.sql,line=1,endLine=1,col=1,title=lockkeeper%3A drop-table::"), "{out}");
}
