//! A signature goes only to the host that it was made for.

use countersign::{Timestamp, Verifier};

use crate::support::{Server, answer, request, verify};

/// Redirects `/from` to `to`, and verifies every other request.
fn server(status: u16, to: &'static str) -> Server {
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap().accept_dot_segments();
    Server::new(move |arrived| {
        let verified = verify(&verifier, arrived, Timestamp::now());
        match (arrived.target.as_str(), verified) {
            (_, Err(error)) => answer(403, &[], &error.to_string()),
            ("/from/a", Ok(())) => answer(status, &[("Location", to)], "moved"),
            (_, Ok(())) => answer(200, &[], "ok"),
        }
    })
}

#[test]
fn each_request_on_the_same_host_is_signed_anew() {
    for (to, target) in [("/to?a=1", "/to?a=1"), ("b", "/from/b"), ("?c", "/from/a?c"), ("/to#part", "/to")] {
        let server = server(307, to);
        let done = request(&["-L", "-d", "data", "-w", " %{num_redirects} %{http_code}", &server.url("/from/a")]);
        assert_eq!((done.code, done.out.as_str()), (0, "ok 1 200"), "{done:?}");
        let arrived = server.arrived();
        assert_eq!((arrived[1].target.as_str(), arrived[1].method.as_str()), (target, "POST"));
        assert_eq!(arrived[1].body, b"data");
        assert_ne!(arrived[0].header("authorization"), arrived[1].header("authorization"));
    }
}

#[test]
fn a_post_becomes_a_get_as_with_curl() {
    for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let server = server(status, "/to");
        let done = request(&["-L", "-d", "data", &server.url("/from/a")]);
        assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{status}: {done:?}");
        let last = server.arrived().pop().unwrap();
        let body: &[u8] = if method == "GET" { b"" } else { b"data" };
        assert_eq!((last.method.as_str(), last.body.as_slice()), (method, body), "{status}");
    }
}

#[test]
fn another_host_gets_nothing() {
    let other = Server::new(|_| answer(200, &[], "stolen"));
    let location = other.url("/to?X-Amz-Security-Token=hidden-token");
    let server = Server::new(move |_| answer(307, &[("Location", &location)], "moved"));
    for arguments in [&["-L"] as &[&str], &["-L", "-v"], &[]] {
        let done = request(&[arguments, &[&server.url("/from/a")]].concat());
        assert_eq!((done.code, done.out.as_str()), (0, "moved"), "{done:?}");
        assert!(done.err.contains("is not followed") && done.err.contains(&other.address.to_string()), "{done:?}");
    }
    assert_eq!(other.arrived().len(), 0);
    // The same host with another port or scheme is another server.
    let location = format!("https://{}/to", other.address);
    let server = Server::new(move |_| answer(301, &[("Location", &location)], "moved"));
    assert_eq!(request(&["-L", &server.url("/")]).out, "moved");
    assert_eq!(other.arrived().len(), 0);
}

#[test]
fn without_the_flag_nothing_is_followed() {
    let server = server(302, "/to");
    let done = request(&[&server.url("/from/a")]);
    assert_eq!((done.code, done.out.as_str(), server.arrived().len()), (0, "moved", 1));
    assert!(done.err.contains("-L"), "{done:?}");
    assert_eq!(request(&["-s", &server.url("/from/a")]).err, "");
}

#[test]
fn redirects_end() {
    let server = Server::new(|_| answer(302, &[("Location", "/again")], ""));
    let done = request(&["-L", "--max-redirs", "3", &server.url("/")]);
    assert_eq!((done.code, server.arrived().len()), (47, 4), "{done:?}");
}

#[test]
fn a_target_that_must_be_encoded_is_not_followed() {
    let server = Server::new(|_| answer(302, &[("Location", "/a b")], ""));
    let done = request(&["-L", &server.url("/")]);
    assert_eq!((done.code, server.arrived().len()), (2, 1), "{done:?}");
}
