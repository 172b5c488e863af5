//! `countersign completions` and `countersign man`: made from the arguments themselves, so that they can't be out of date.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::failure::{Failure, Kind};
use crate::output::{Output, write_failure};

pub fn completions(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "countersign", &mut text);
    Output::new().print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

pub fn man(args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut command = Cli::command();
    command.build();
    if let Some(folder) = &args.to {
        write(&page(command.clone())?, &folder.join("countersign.1"))?;
        for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
            let file = format!("countersign-{}.1", subcommand.get_name());
            write(&page(subcommand.clone())?, &folder.join(file))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let text = match &args.subcommand {
        None => page(command)?,
        Some(name) => {
            let subcommand = command.find_subcommand(name);
            let subcommand = subcommand.ok_or_else(|| Failure::usage(format!("there is no subcommand {name:?}")))?;
            page(subcommand.clone())?
        }
    };
    Output::new().print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text).map_err(write_failure)?;
    Ok(text)
}

fn write(page: &[u8], to: &Path) -> Result<(), Failure> {
    std::fs::write(to, page)
        .map_err(|error| Failure::new(Kind::Write, format!("{} can't be written: {error}", to.display())))
}
