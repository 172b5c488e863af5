//! The command `countersign`: signs, sends, presigns and verifies AWS requests, and explains refusals.
//!
//! `args` is what can be typed, `commands` has one module per subcommand, and the other modules are what they share:
//! `credentials`, `endpoint` (region and service), `url` (the request target as typed), `http` (the HTTP client of
//! commands that end), `serve` (what the servers `gate` and `proxy` consist of) and `output`. Every error is a [`failure::Failure`], which has the exit code.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

mod args;
mod commands;
mod credentials;
mod endpoint;
mod failure;
mod http;
mod input;
mod output;
mod request;
mod serve;
mod time;
mod url;

use std::process::ExitCode;

use output::Output;

fn main() -> ExitCode {
    hide_panics();
    let cli = match args::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match commands::run(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            Output::new().error(&failure);
            failure.exit_code()
        }
    }
}

/// Prints `--help`, `--version` or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to fail again.
    let _ = error.print();
    if error.use_stderr() { failure::Kind::Usage.exit_code() } else { ExitCode::SUCCESS }
}

/// The message of a panic can contain what was being processed, such as a secret. Only where it happened is printed.
fn hide_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        eprintln!("countersign: internal error{place}. This is a bug; please report it with this line.");
    }));
}

#[cfg(test)]
mod tests {
    /// Runs itself again, because the message of a panic goes to standard error.
    #[test]
    fn the_message_of_a_panic_is_not_printed() {
        const AGAIN: &str = "COUNTERSIGN_TEST_PANIC";
        if std::env::var_os(AGAIN).is_some() {
            super::hide_panics();
            panic!("a-secret-in-a-message");
        }
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        let output =
            command.args(["--exact", "tests::the_message_of_a_panic_is_not_printed", "--nocapture"]).env(AGAIN, "1");
        let output = output.output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        assert!(!output.status.success() && printed.contains("internal error at"), "{printed}");
        assert!(!printed.contains("a-secret-in-a-message"), "{printed}");
    }
}
