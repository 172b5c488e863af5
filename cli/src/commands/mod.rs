//! One module per subcommand, each with a function `run`.

mod credentials;
mod explain;
mod gate;
mod post_form;
mod presign;
mod proxy;
mod request;
mod shell;
mod sign;
mod token;
mod verify;

use std::process::ExitCode;

use crate::args::Command;
use crate::failure::Failure;

pub fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Request(args) => request::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Presign(args) => presign::run(&args),
        Command::PostForm(args) => post_form::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Gate(args) => gate::run(&args),
        Command::Proxy(args) => proxy::run(&args),
        Command::Credentials(args) => credentials::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    }
}
