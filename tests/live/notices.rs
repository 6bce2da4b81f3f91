//! What servers say beside their answers.

use crate::servers::{new_database, servers};
use lockkeeper::apply::notices::{Heard, Notice, Notices, Severity};
use lockkeeper::db::{Connection, block_on};

fn said(heard: &Heard) -> Vec<String> {
    heard.notices.iter().map(|notice| format!("{}: {}", notice.severity, notice.message)).collect()
}

#[test]
fn notices_and_warnings_are_kept_with_the_statement_that_they_belong_to() {
    for server in servers() {
        block_on(async {
            let options = new_database(server).await;
            let mut work = Connection::open(&options).await.expect("the server answers");
            let mut watch = Connection::open(&options).await.expect("the server answers");
            let notices = Notices::default();
            notices.during(work.run("DROP TABLE IF EXISTS nothing")).await.expect("it is no error");
            assert_eq!(said(&notices.drain()), ["NOTICE: table \"nothing\" does not exist, skipping"]);

            // What another session is told belongs to nobody's step, even if it is told meanwhile.
            let both = async {
                tokio::join!(
                    notices.during(work.run("DO $$ BEGIN RAISE WARNING 'größe %', 1; RAISE INFO 'two'; RAISE LOG 'three'; END $$")),
                    watch.run("DROP TABLE IF EXISTS elsewhere")
                )
            };
            let (worked, watched) = both.await;
            worked.and(watched).expect("neither is an error");
            assert_eq!(said(&notices.drain()), ["WARNING: größe 1", "INFO: two"]);
            assert_eq!(notices.drain(), Heard::default());

            // An error does not take away what was said before it.
            let failed = notices.during(work.run("DO $$ BEGIN RAISE NOTICE 'before'; RAISE EXCEPTION 'no'; END $$")).await;
            assert!(failed.is_err_and(|refusal| refusal.message == "no"));
            let before = Notice { severity: Severity::Notice, message: "before".to_owned() };
            assert_eq!(notices.drain(), Heard { notices: vec![before], more: 0 });

            notices
                .during(work.run("DO $$ BEGIN FOR n IN 1..2000 LOOP RAISE NOTICE '% %', n, repeat('ä', 5000); END LOOP; END $$"))
                .await
                .expect("it is no error");
            let heard = notices.drain();
            assert_eq!(heard.notices.len() + heard.more, 2000);
            assert!(heard.more > 0 && heard.notices.iter().all(|notice| notice.message.len() < 5000), "{}", heard.more);
            work.close().await;
            watch.close().await;
        })
        .expect("an event queue");
    }
}
