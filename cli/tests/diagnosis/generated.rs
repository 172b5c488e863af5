//! Completions and man pages.

use crate::support::{folder, run};

const SUBCOMMANDS: [&str; 10] =
    ["request", "sign", "presign", "post-form", "token", "explain", "verify", "credentials", "completions", "man"];

#[test]
fn completions_know_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        run(&["completions", shell], "").expect(0, &SUBCOMMANDS).expect(0, &["canonical-theirs"]);
    }
    run(&["completions", "tcsh"], "").expect(2, &["elvish"]);
}

#[test]
fn each_subcommand_has_a_man_page_with_its_exit_codes() {
    let (_folder, path) = folder();
    run(&["man", "--to", path.to_str().unwrap()], "").expect(0, &[]);
    for name in SUBCOMMANDS {
        let page = std::fs::read_to_string(path.join(format!("countersign-{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH countersign-{name} 1")), "{page}");
        assert_eq!(page, run(&["man", name], "").expect(0, &[]).out);
    }
    for (name, code) in [("explain", "1 no cause was named"), ("verify", "1 refused"), ("request", "22 status 400")] {
        run(&["man", name], "").expect(0, &["Exit codes", code]);
    }
    run(&["man"], "").expect(0, &[".TH countersign 1", "countersign\\-verify(1)"]);
    run(&["man", "none"], "").expect(2, &["no subcommand"]);
    run(&["man", "--to", "/no/such/folder"], "").expect(23, &["can't be written"]);
}
