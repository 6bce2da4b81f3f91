//! A copy of a server, made by pg_basebackup, that is a server of its own and can be started again.

use super::project::until;
use lockkeeper::db::server::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The copy. It ends with the test; its files go with those of the server that it was made of.
pub struct Copy {
    child: Child,
    bin: PathBuf,
    /// Its files, and its socket.
    pub folder: PathBuf,
}

impl Copy {
    /// Copies a server, and starts the copy. `how` are arguments for pg_basebackup.
    pub fn of(server: &Server, how: &[&str]) -> Self {
        let folder = server.socket().join("copy");
        let bin = server.installation().bin.clone();
        let mut copy = command(&bin.join("pg_basebackup"), server.socket());
        copy.arg("-h")
            .arg(server.socket())
            .args(["-p", "5432", "-U", "postgres", "--checkpoint=fast", "--no-sync", "-D"])
            .arg(&folder)
            .args(how);
        assert!(copy.status().is_ok_and(|status| status.success()), "pg_basebackup copies the server: {}", server.log());
        let child = start(&bin, &folder);
        Self { child, bin, folder }
    }

    /// Starts it again, whether or not it still runs.
    pub fn restart(&mut self) {
        self.stop();
        self.child = start(&self.bin, &self.folder);
    }

    fn stop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")), Signal::SIGQUIT);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs as those run who run servers.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if nix::unistd::geteuid().is_root() {
        let user = nix::unistd::User::from_name("postgres").ok().flatten().expect("who runs servers");
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn start(bin: &Path, folder: &Path) -> Child {
    let socket = folder.join(".s.PGSQL.5432");
    let _ = std::fs::remove_file(&socket);
    let mut start = command(&bin.join("postgres"), folder);
    start.arg("-D").arg(folder).arg("-k").arg(folder).args(["-p", "5432", "-c", "listen_addresses=", "-c", "max_prepared_transactions=10"]);
    let child = start.spawn().expect("postgres starts");
    until("the copy listens", || socket.exists().then_some(()));
    child
}
