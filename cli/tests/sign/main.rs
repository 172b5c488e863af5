//! The subcommands that print what was signed: `sign`, `presign`, `post-form`, `token` and `credentials`.

mod credentials;
#[cfg(unix)]
mod curl;
mod post_form;
mod presign;
mod sign;
mod support;
mod token;
