//! The subcommands that print what was signed: `sign`, `presign`, `post-form`, `token` and `credentials`.

mod support;
mod token;
