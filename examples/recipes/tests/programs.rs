//! The recipes as programs: each server's and each client's `main`, with credentials from the environment.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const CLIENTS: [&str; 7] = [
    "attohttpc_client",
    "hyper_client",
    "hyper_tower",
    "reqwest_async",
    "reqwest_blocking",
    "tcp_stream",
    "ureq_client",
];

/// `cargo test` builds the examples next to the folder of the tests.
fn program(name: &str, secret: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let folder: PathBuf = tests.ancestors().nth(2).unwrap().join("examples");
    let mut command = Command::new(folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE").env("AWS_SECRET_ACCESS_KEY", secret);
    command.env("AWS_SESSION_TOKEN", "to+ken/=");
    command
}

/// A running server, which is stopped when dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(name: &str) -> Self {
        let mut process = program(name, "secret").arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, address }
    }

    fn run(&self, client: &str, secret: &str) -> Output {
        let scheme = if client == "tcp_stream" { "" } else { "http://" };
        program(client, secret).arg(format!("{scheme}{}", self.address)).output().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn clients_print_what_servers_verified() {
    let length = std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap().len();
    let expected = format!(
        "ASIAEXAMPLE: GET /files/Z%C3%BCrich/Q1%20%2B%20Q2.txt {:?} 0 bytes\n\
         ASIAEXAMPLE: POST /items [] 17 bytes\n\
         ASIAEXAMPLE: GET /files/report.pdf [] 0 bytes\n\
         ASIAEXAMPLE: PUT /files/lock [] {length} bytes\n",
        [("tag", "b c"), ("tag", ""), ("a", "ü&=")],
    );
    for server in ["actix_server", "axum_server", "hyper_server"] {
        let server_process = Server::start(server);
        for client in CLIENTS {
            let output = server_process.run(client, "secret");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{client} and {server}: {errors}");
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{client} and {server}");

            let output = server_process.run(client, "wrong");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && output.stdout.is_empty(), "{client} and {server}");
            let cause = "the secret access key doesn't belong to this access key id";
            assert!(errors.contains(cause) && !errors.contains("to+ken"), "{client} and {server}: {errors}");
        }
    }
}
