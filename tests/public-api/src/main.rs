//! Compares the public API, with all features, with the list of it in `public-api.txt`; `--update` writes the list.
//!
//! Exits with 1 if they differ, and with 2 if the API can't be read.

use public_api::PublicItem;
use rustdoc_types::{Attribute, Crate, FORMAT_VERSION, Id, ItemEnum};
use similar::TextDiff;
use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

const LIST: &str = "tests/public-api/public-api.txt";
const COMMAND: &str = "cargo run --locked --manifest-path tests/public-api/Cargo.toml";

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let update = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--update"] => true,
        _ => return Err(format!("usage: {COMMAND} [-- --update]").into()),
    };
    // As set by `cargo run`: a program in a target directory that worktrees share may have been built in another one.
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or("run it with cargo run")?;
    let root = Path::new(&package).join("../..");
    let list = root.join(LIST);
    let actual = listing(&rustdoc_json(&root)?)?;
    if update {
        fs::write(list, &actual)?;
        return Ok(ExitCode::SUCCESS);
    }
    let listed = fs::read_to_string(list).map_err(|error| format!("{LIST}: {error}"))?;
    if listed == actual {
        println!("{LIST}: {} lines, as in the code", listed.lines().count());
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", TextDiff::from_lines(&listed, &actual).unified_diff().context_radius(0).header(LIST, "the code"));
    println!("\nThe public API is not as listed. If that is intended, write the list anew and commit it:");
    println!("    {COMMAND} -- --update");
    Ok(ExitCode::FAILURE)
}

/// Runs rustdoc as `.ci/structure` does, in the same folder, where the dependencies have been built for it.
fn rustdoc_json(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let target = target_directory(root)?.join("structure");
    let status = cargo(root)
        .args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features", "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTC_BOOTSTRAP", "1")
        .status()?;
    if !status.success() {
        return Err("rustdoc failed".into());
    }
    Ok(target.join("doc/countersign.json"))
}

fn target_directory(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let output = cargo(root)
        .args(["metadata", "--locked", "--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit())
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(metadata["target_directory"].as_str().ok_or("no target directory")?.into())
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn listing(json: &Path) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(json)?;
    let document: serde_json::Value = serde_json::from_str(&text)?;
    if document["format_version"] != FORMAT_VERSION {
        return Err(other_format(&document["format_version"]).into());
    }
    let document: Crate = serde_json::from_value(document)?;
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .include_function_parameter_names(true)
        .build()?;
    let mut seen = HashSet::new();
    let mut lines: Vec<Line> = api.items().filter_map(|item| line(&document, item)).collect();
    // An implementation is listed with each type that it names, and the head of an `impl` once for each block.
    lines.retain(|line| seen.insert(line.text.clone()));
    // It makes no difference which block a method is in.
    for methods in lines.chunk_by_mut(|line, next| line.is_member && next.is_member) {
        methods.sort_by(|line, other| line.text.cmp(&other.text));
    }
    Ok(lines.into_iter().map(|line| line.text + "\n").collect())
}

struct Line {
    text: String,
    /// A function or a constant of a type.
    is_member: bool,
}

/// `None` is a function whose trait says what it is; a derive chooses the names of its parameters.
fn line(document: &Crate, item: &PublicItem) -> Option<Line> {
    let found = |id: Id| document.index.get(&id);
    let is_function = found(item.id()).is_some_and(|item| matches!(item.inner, ItemEnum::Function(_)));
    let is_constant = found(item.id()).is_some_and(|item| matches!(item.inner, ItemEnum::AssocConst { .. }));
    let parent = item.parent_id().and_then(found).map(|parent| &parent.inner);
    let of_trait = matches!(parent, Some(ItemEnum::Impl(parent)) if parent.trait_.is_some());
    if is_function && of_trait {
        return None;
    }
    let mut attributes = found(item.id()).into_iter().flat_map(|item| &item.attrs);
    let must_use = attributes.any(|attribute| matches!(attribute, Attribute::MustUse { .. }));
    let text = format!("{}{item}", if must_use { "#[must_use] " } else { "" });
    Some(Line { text, is_member: is_function || is_constant })
}

fn other_format(found: &serde_json::Value) -> String {
    format!(
        "this toolchain's rustdoc writes JSON of format {found}, and tests/public-api reads format {FORMAT_VERSION}.
For now, run it with Rust 1.95:
    RUSTUP_TOOLCHAIN=1.95.0 {COMMAND}
For good, in tests/public-api/Cargo.toml take the version of public-api that depends on rustdoc-types 0.{found},
and that version of rustdoc-types. Then write the list with --update, and commit it if nothing but its style changed."
    )
}
