//! What migrations need, and what is free.

use super::{Limits, Touched, check, on_each, run, says, touched};
use lockkeeper::apply::preflight::Disk;

const GB: u64 = 1 << 30;

fn with(free: u64, total: u64) -> Limits {
    Limits { disk: Some(Disk { free, total }), ..Limits::default() }
}

#[test]
fn what_is_written_anew_and_built_has_to_fit() {
    on_each(&[], async |_, options| {
        let nothing = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let rewrite = touched(options, "ALTER TABLE orders ALTER COLUMN id TYPE numeric").await;
        let build = touched(options, "CREATE INDEX CONCURRENTLY orders_note ON orders (note)").await;
        let disk = async |touched: &Touched, limits: Limits| check(options, "disk", touched, &limits).await;

        assert_eq!(disk(&nothing, with(50 * GB, 100 * GB)).await, "pass: nothing large is written; 50.0 GB of 100 GB are free (50 %)");
        says(
            &disk(&nothing, with(10 * GB, 100 * GB)).await,
            &["warn: ", "10.0 GB of 100 GB are free (10 %), less than 20 %", " -> make room"],
        );
        says(&disk(&rewrite, with(50 * GB, 100 * GB)).await, &["pass: about ", "rewrite of public.orders ", " MB", "(50 %)"]);
        // What hardly shows in what is free does not fill the disk; what shows does.
        says(&disk(&rewrite, with(10 * GB, 100 * GB)).await, &["warn: about ", "10.0 GB of 100 GB are free (10 %), less than 20 %"]);
        says(&disk(&rewrite, with(100 << 20, 1000 << 20)).await, &["fail: about ", " % will be; 20 % have to stay free"]);
        says(&disk(&rewrite, with(1 << 20, 4 << 20)).await, &["fail: about ", "1.0 MB of 4.0 MB are free (25 %): too little"]);
        says(&disk(&build, with(50 * GB, 100 * GB)).await, &["pass: about ", "build of public.orders_note "]);
    });
}

#[test]
fn the_disk_of_a_local_server_is_looked_at_and_what_cannot_be_seen_is_said() {
    on_each(&[], async |_, options| {
        let nothing = Touched::default();
        let limits = Limits { free: 0.0, ..Limits::default() };
        says(&check(options, "disk", &nothing, &limits).await, &["pass: nothing large is written; ", " of ", " are free ("]);

        run(options, "CREATE ROLE deployer LOGIN").await.close().await;
        let deployer = options.clone().username("deployer");
        let line = check(&deployer, "disk", &nothing, &limits).await;
        says(&line, &["pass: ", "how much is free is not known: data_directory is hidden from this role"]);
        let line = check(&deployer, "disk", &nothing, &Limits { disk_required: true, ..limits }).await;
        says(&line, &["warn: ", "not known", " -> look at the server's disk"]);
    });
}
