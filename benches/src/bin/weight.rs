//! What the dependency weighs: crates in the tree, CPU seconds of a clean release build, and what one call to sign adds
//! to a stripped binary. Builds small packages in a temporary folder and writes `weight.md`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Package {
    name: &'static str,
    dependencies: &'static str,
    /// Prints a signature of the first argument, a URL.
    main: &'static str,
}

const PACKAGES: [Package; 4] = [
    Package {
        name: "countersign",
        dependencies: "countersign = { path = \"COUNTERSIGN\" }",
        main: r#"
use countersign::{Credentials, Payload, Request, Signer, Timestamp};
fn main() {
    let target = std::env::args().nth(1).unwrap();
    let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret").unwrap(), "us-east-1", "execute-api").unwrap();
    let request = Request::new("GET", &target, &[]).with_host("example.com");
    let signed = signer.sign(&request, Payload::EMPTY, Timestamp::now()).unwrap();
    println!("{}", signed.authorization());
}"#,
    },
    Package {
        name: "aws-sigv4",
        dependencies: "aws-sigv4 = \"1.6\"\naws-credential-types = { version = \"1\", features = [\"hardcoded-credentials\"] }",
        main: r#"
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{sign, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4::SigningParams;
fn main() {
    let target = std::env::args().nth(1).unwrap();
    let identity = Credentials::new("AKIDEXAMPLE", "secret", None, None, "weight").into();
    let params = SigningParams::builder().identity(&identity).region("us-east-1").name("execute-api")
        .time(std::time::SystemTime::now()).settings(SigningSettings::default()).build().unwrap().into();
    let url = format!("https://example.com{target}");
    let request = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    println!("{}", instructions.headers().find(|(name, _)| *name == "authorization").unwrap().1);
}"#,
    },
    Package {
        name: "reqsign-aws-v4",
        dependencies: "reqsign-aws-v4 = \"3.3\"\nreqsign-core = \"3.3\"\nhttp = \"1\"",
        main: r#"
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, SignRequest};
use std::task::{Context as Task, Poll, Waker};
fn main() {
    let target = std::env::args().nth(1).unwrap();
    let credential = Credential { access_key_id: "AKIDEXAMPLE".into(), secret_access_key: "secret".into(), ..Default::default() };
    let request = http::Request::get(format!("https://example.com{target}")).body(()).unwrap();
    let (mut parts, ()) = request.into_parts();
    let (signer, context) = (RequestSigner::new("execute-api", "us-east-1"), Context::new());
    {
        let signing = std::pin::pin!(signer.sign_request(&context, &mut parts, Some(&credential), None));
        match std::future::Future::poll(signing, &mut Task::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.unwrap(),
            Poll::Pending => unreachable!(),
        }
    }
    println!("{}", parts.headers["authorization"].to_str().unwrap());
}"#,
    },
    Package {
        name: "rusty-s3",
        dependencies: "rusty-s3 = \"0.11\"",
        main: r#"
use rusty_s3::{actions::{GetObject, S3Action}, Bucket, Credentials, UrlStyle};
fn main() {
    let key = std::env::args().nth(1).unwrap();
    let bucket = Bucket::new("https://s3.amazonaws.com".parse().unwrap(), UrlStyle::Path, "bucket", "us-east-1").unwrap();
    let credentials = Credentials::new("AKIDEXAMPLE", "secret");
    println!("{}", GetObject::new(&bucket, Some(&credentials), &key).sign(std::time::Duration::from_secs(900)));
}"#,
    },
];

const UNUSED: &str = "fn main() { println!(\"{}\", std::env::args().nth(1).unwrap()); }";

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let temporary = std::env::temp_dir().join(format!("countersign-weight-{}", std::process::id()));
    let mut table = String::from(
        "One run of `cargo run --release -p countersign-benches --bin weight`: crates of the tree (default features, itself \
         counted),\nCPU seconds of a clean release build, and bytes that one call to sign adds to a stripped binary.\n\n\
         | | crates | build, CPU s | × countersign | one call, KiB |\n|---|--:|--:|--:|--:|\n",
    );
    let mut ours = None;
    for package in &PACKAGES {
        eprintln!("{}", package.name);
        let folder = write_package(&temporary, package, here.parent().expect("the root"));
        cargo(&folder, &["generate-lockfile"]);
        let crates = crates(&folder);
        cargo(&folder, &["fetch"]);
        let before = children_cpu_seconds();
        cargo(&folder, &["build", "--release", "--bin", "signs"]);
        let seconds = children_cpu_seconds() - before;
        cargo(&folder, &["build", "--release", "--bin", "unused"]);
        let size = |name: &str| std::fs::metadata(folder.join("target/release").join(name)).expect("a binary").len();
        let added = (size("signs") - size("unused")) as f64 / 1024.0;
        let ours = *ours.get_or_insert(seconds);
        let _ = writeln!(table, "| {} | {crates} | {seconds:.1} | {:.2} | {added:.0} |", package.name, seconds / ours);
    }
    std::fs::remove_dir_all(&temporary).expect("the temporary folder goes");
    println!("{table}");
    std::fs::write(here.join("weight.md"), table).expect("weight.md is written");
}

fn write_package(temporary: &Path, package: &Package, root: &Path) -> PathBuf {
    let folder = temporary.join(package.name);
    std::fs::create_dir_all(folder.join("src/bin")).expect("a temporary folder");
    let dependencies = package.dependencies.replace("COUNTERSIGN", &root.display().to_string());
    let manifest = format!(
        "[package]\nname = \"weight\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\n{dependencies}\n\n\
         [profile.release]\nstrip = true\n\n[workspace]\n"
    );
    let files = [("Cargo.toml", manifest.as_str()), ("src/bin/signs.rs", package.main), ("src/bin/unused.rs", UNUSED)];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("a temporary file");
    }
    folder
}

/// The tree without the small package itself.
fn crates(folder: &Path) -> usize {
    let tree = cargo(folder, &["tree", "--edges", "normal", "--prefix", "none"]);
    let mut crates: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    crates.len() - 1
}

fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    // Not what cargo handed to this program, whose build is another one.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        command.env_remove(name);
    }
    let output = command.args(arguments).current_dir(folder).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// User and system time of all processes that this one has waited for, by Linux's `/proc/self/stat`.
fn children_cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = |index: usize| fields.split_whitespace().nth(index).and_then(|field| field.parse::<f64>().ok());
    // cutime and cstime are fields 16 and 17 of the whole line; the name is the second.
    (ticks(13).expect("cutime") + ticks(14).expect("cstime")) / TICKS_PER_SECOND
}
