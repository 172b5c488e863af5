//! A keys file that is replaced by something else.

use std::process::Command;

use crate::gate::{Gate, Sent, keys, upstream};

/// The old keys stay, and the next file is read.
#[test]
fn pipes_and_endless_files() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    let file = gate.keys_file();
    let replace = |program: &str, arguments: &[&str]| {
        let path = file.with_extension("new");
        let path = path.to_str().expect("a path");
        let _ = std::fs::remove_file(path);
        let done = Command::new(program).args(arguments).arg(path).status();
        assert!(done.expect("it runs").success());
        std::fs::rename(path, &file).expect("it is replaced");
    };
    replace("ln", &["-s", "/dev/zero"]);
    gate.signal("HUP");
    gate.wait_for("longer than 16 MiB");
    assert_eq!(gate.send(&Sent::get("/a")).status, 200);
    // Opening it waits for somebody who writes.
    replace("mkfifo", &[]);
    gate.signal("HUP");
    gate.wait_for("can't be read in time");
    assert_eq!(gate.send(&Sent::get("/a")).status, 200);
    std::fs::remove_file(&file).expect("it is gone");
    std::fs::write(&file, keys().replace("AKIDGATE", "AKIDOTHER")).expect("a file");
    gate.signal("HUP");
    gate.wait_for("1 keys read again");
    assert_eq!(gate.send(&Sent::get("/a")).status, 403);
    assert_eq!(gate.send(&Sent::get("/a").with(|sent| sent.id = "AKIDOTHER")).status, 200);
}
