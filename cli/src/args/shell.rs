use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print completions for a shell
///
/// For example: countersign completions bash > ~/.local/share/bash-completion/completions/countersign
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the man page, of the command or of a subcommand
///
/// For example: countersign man | man -l -
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The subcommand
    pub subcommand: Option<String>,

    /// Write the pages of the command and of all subcommands to this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "subcommand")]
    pub to: Option<PathBuf>,
}
