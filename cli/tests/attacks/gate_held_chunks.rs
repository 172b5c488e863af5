//! Chunks are in memory until they are verified. Clients that never end theirs use no more than --max-buffered-bytes.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::chunked_upload;
use crate::gate::{Gate, Sent, keys};
use crate::wire::Wire;

fn upload(gate: &Gate, body: &[u8], chunk: usize) -> Vec<u8> {
    let signer = Sent::get("/bucket/a").with(|sent| sent.service = "s3").signer();
    chunked_upload::upload(&signer, gate.address, body, chunk)
}

#[test]
fn chunks_that_never_end() {
    let upstream = Wire::ok();
    let url = upstream.url();
    let limits = ["--max-body-bytes", "16777216", "--max-buffered-bytes", "33554432"];
    let own = ["--upstream", url.as_str(), "--service", "s3", "--region", "us-east-1"];
    let gate = Gate::start(&[&own[..], &limits[..]].concat(), &keys());
    let before = gate.peak_memory();
    let whole = upload(&gate, &vec![1; 16 << 20], 16 << 20);
    let waiting: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = gate.connect();
            // It is refused while it is sent, once there is no more memory.
            let _ = stream.write_all(&whole[..whole.len() - 1000]);
            stream
        })
        .collect();
    gate.wait_for("memory");
    let grown = gate.peak_memory() - before;
    assert!(grown < 110, "{grown} MiB for 12 chunks of 16 MiB");
    drop(waiting);
    // It is given back.
    let end = Instant::now() + Duration::from_secs(20);
    while gate.raw(&whole).status != 200 {
        assert!(Instant::now() < end, "{:?}", gate.printed());
        std::thread::sleep(Duration::from_millis(100));
    }
    // Far more than the budget passes, as long as it isn't there at once.
    let small = upload(&gate, &vec![2; 64 << 20], 64 << 10);
    assert_eq!(gate.raw(&small).status, 200, "{:?}", gate.printed());
}
