//! Those who are told of a run, and cannot be reached.

use super::project::{BRIEF, LOGGED, Scene};
use crate::listener::{Answer, Listener};

#[test]
fn nobody_can_be_told() {
    let done = "webhooks: one is down, one answers 500, one never answers; a program that is to be told fails, and one hangs";
    let mut scene = Scene::new("listeners", done).with_shop();
    let (refusing, silent) = (Listener::that(Answer::Status(500)), Listener::that(Answer::Silence));
    let route = |port: u16| format!("{{ url: 'http://127.0.0.1:{port}/secret', timeout: 300ms }}");
    let programs = "{ command: ['false'] }, { command: [sleep, '60'], timeout: 300ms }";
    let routes = format!("[{}, {}, {}, {programs}]", route(1), route(refusing.port), route(silent.port));
    scene.configure(&format!("{}, notify: {routes} }}", BRIEF.trim_end_matches(" }")));
    let answer = scene.ends_with(&["apply"], 0);
    let port = refusing.port;
    let unreached = [
        "127.0.0.1:1 was not told of this run: connection refused".to_owned(),
        format!("127.0.0.1:{port} was not told of this run: it answers 500"),
        format!("127.0.0.1:{} was not told of this run: it does not answer within 0.3 s", silent.port),
        "false was not told of this run: it ends with exit status: 1".to_owned(),
        "sleep was not told of this run: it does not end within 0.3 s".to_owned(),
    ];
    let all = unreached.iter().all(|words| answer.err.to_lowercase().contains(words));
    scene.saw("the run is as without them, and each is named", all, &answer.err);
    assert!(!answer.err.contains("secret"), "{}", answer.err);
    assert_eq!(refusing.heard().len(), 4, "two messages, and two tries for each");
    scene.settles(LOGGED);
}
