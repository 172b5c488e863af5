//! Runs the binary against servers on loopback, which verify with the library and record what arrives.

mod output;
mod redirects;
mod refusals;
mod secrets;
mod support;
mod tls;
mod uploads;
mod urls;
