//! Reads arguments, calls `cli`, exits; nothing else.

fn main() -> std::process::ExitCode {
    lockkeeper::cli::run(std::env::args_os()).into()
}
