//! Every client against every server, and what has to be refused.

mod clients;
mod network;
mod servers;

use clients::{Client, clients};
use countersign::Credentials;
use network::{Changing, redirecting};
use servers::servers;

const SERVICES: [&str; 2] = ["s3", "execute-api"];
const UPLOAD: usize = 200_000;
const WRONG_SECRET: &str = "likely: the secret access key doesn't belong to this access key id";

fn permanent() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap()
}

fn temporary() -> Credentials {
    Credentials::new("ASIAEXAMPLE", "another+secret/").unwrap().with_session_token("IQoJb3JpZ2lu+token/==").unwrap()
}

/// Calls `check` with each client, each server, and a name of both.
fn each_pair(service: &str, credentials: &Credentials, check: impl Fn(&str, &dyn Client, &str)) {
    for (server, address) in servers(service, &[permanent(), temporary()]) {
        for (client, new) in clients() {
            let address = address.to_string();
            check(
                &format!("{client} and {server}, {service}"),
                &*new(&address, credentials.clone(), service),
                &address,
            );
        }
    }
}

/// What the servers answer.
fn verified(service: &str, id: &str, method: &str, paths: [&str; 2], query: &[(&str, &str)], length: usize) -> String {
    let path = if service == "s3" { paths[0] } else { paths[1] };
    format!("{id}: {method} {path} {query:?} {length} bytes")
}

#[test]
fn a_get_with_an_awkward_path_and_query_is_verified() {
    let key = "Zürich 100%/a+b/c'd!(e)*~.txt";
    // The canonical path: decoded and encoded once for S3, encoded again for others.
    let paths = [
        "/files/Z%C3%BCrich%20100%25/a%2Bb/c%27d%21%28e%29%2A~.txt",
        "/files/Z%25C3%25BCrich%2520100%2525%252Fa%252Bb%252Fc%2527d%2521%2528e%2529%252A~.txt",
    ];
    let query = [
        ("tag", "z"),
        ("tag", "a b+c"),
        ("empty", ""),
        ("tag", ""),
        ("Ü&=", "ü/&=?#"),
        ("quotes", "'\"<>\\^`{|}"),
        ("escape", "%20"),
    ];
    for service in SERVICES {
        for credentials in [permanent(), temporary()] {
            each_pair(service, &credentials, |name, client, _| {
                let expected = verified(service, credentials.access_key_id(), "GET", paths, &query, 0);
                assert_eq!(client.get(key, &query), Ok(expected), "{name}");
            });
        }
    }
}

#[test]
fn a_post_is_verified_with_its_body() {
    let json = r#"{"name":"Nägel & \"hammers\"!"}"#;
    for service in SERVICES {
        for credentials in [permanent(), temporary()] {
            each_pair(service, &credentials, |name, client, _| {
                let expected = verified(service, credentials.access_key_id(), "POST", ["/items"; 2], &[], json.len());
                assert_eq!(client.post("/items", json), Ok(expected), "{name}");
                let expected = verified(service, credentials.access_key_id(), "POST", ["/items"; 2], &[], 0);
                assert_eq!(client.post("/items", ""), Ok(expected), "{name}");
            });
        }
    }
}

#[test]
fn what_a_client_makes_of_a_url_is_what_is_signed() {
    each_pair("execute-api", &permanent(), |name, client, _| {
        let answer = client.post("/x/./../items?q=\"ü\" '|&r=a+b", "{}");
        if ["reqwest", "blocking", "attohttpc"].contains(&name.split(' ').next().unwrap()) {
            let query = [("q", "\"ü\" '|"), ("r", "a b")];
            let expected = verified("execute-api", "AKIDEXAMPLE", "POST", ["/items"; 2], &query, 2);
            assert_eq!(answer, Ok(expected), "{name}");
        } else {
            // The others send a URL as it is or not at all, so it is an error here.
            assert!(answer.is_err(), "{name}: {answer:?}");
        }
    });
}

#[test]
fn a_presigned_url_is_verified_without_credentials() {
    let paths = ["/files/a%20%2B%20%C3%BC/b", "/files/a%2520%252B%2520%25C3%25BC%252Fb"];
    for service in SERVICES {
        for credentials in [permanent(), temporary()] {
            each_pair(service, &credentials, |name, client, address| {
                let url = client.presign("a + ü/b").unwrap();
                let expected = verified(service, credentials.access_key_id(), "GET", paths, &[], 0);
                let stranger = Credentials::new("AKIDSTRANGER", "none").unwrap();
                for (_, new) in clients().into_iter().filter(|(other, _)| name.starts_with(&format!("{other} "))) {
                    let opener = new(address, stranger.clone(), service);
                    assert_eq!(opener.open(&url), Ok(expected.clone()), "{name}");
                    for changed in
                        [url.replacen("/files/a", "/files/b", 1), url.replace("-Expires=900", "-Expires=901")]
                    {
                        assert_ne!(changed, url);
                        let refusal = opener.open(&changed).unwrap_err();
                        assert!(refusal.contains("signature"), "{name}: {refusal}");
                    }
                }
            });
        }
    }
}

#[test]
fn a_file_is_verified_in_chunks() {
    for credentials in [permanent(), temporary()] {
        each_pair("s3", &credentials, |name, client, _| {
            let path = "/files/up%20load";
            for length in [0, 1, UPLOAD] {
                let expected = verified("s3", credentials.access_key_id(), "PUT", [path; 2], &[], length);
                assert_eq!(client.upload("up load", &vec![b'a'; length]), Ok(expected), "{name}");
            }
        });
    }
}

#[test]
fn a_wrong_secret_is_refused_and_explained() {
    let wrong = Credentials::new("AKIDEXAMPLE", "wrong").unwrap();
    for service in SERVICES {
        each_pair(service, &wrong, |name, client, _| {
            for refusal in [client.get("a b", &[("x", "y")]), client.post("/items", "{}")] {
                let refusal = refusal.unwrap_err();
                assert!(refusal.contains(WRONG_SECRET), "{name}: {refusal}");
            }
            // A client that opens a URL doesn't know what was signed.
            let refusal = client.open(&client.presign("a").unwrap()).unwrap_err();
            assert!(refusal.contains("so the secret"), "{name}: {refusal}");
        });
    }
    // The server may close before it has read the body: see `Changing`.
    each_pair_changed("s3", &wrong, |name, client| {
        let refusal = client.upload("a", &[b'a'; 1000]).unwrap_err();
        assert!(refusal.contains(WRONG_SECRET), "{name}: {refusal}");
    });
}

#[test]
fn an_unknown_key_and_a_wrong_token_are_refused_and_explained() {
    let secret = "another+secret/";
    for (credentials, cause) in [
        (Credentials::new("AKIDSTRANGER", "secret").unwrap(), "access key id"),
        (Credentials::new("ASIAEXAMPLE", secret).unwrap(), "token"),
        (Credentials::new("ASIAEXAMPLE", secret).unwrap().with_session_token("other").unwrap(), "token"),
        (permanent().with_session_token("IQoJb3JpZ2lu+token/==").unwrap(), "token"),
    ] {
        each_pair("execute-api", &credentials, |name, client, _| {
            for refusal in [client.get("a", &[]), client.post("/items", "{}")] {
                let refusal = refusal.unwrap_err();
                assert!(refusal.contains(cause) && !refusal.contains("IQoJ"), "{name}: {refusal}");
            }
        });
    }
}

/// Clients around a connection that turns each `!` into a `?`.
fn each_pair_changed(service: &str, credentials: &Credentials, check: impl Fn(&str, &dyn Client)) {
    for (server, address) in servers(service, &[permanent()]) {
        let changing = Changing::start(address);
        for (client, new) in clients() {
            let client_name = format!("{client} and {server}, {service}");
            check(&client_name, &*new(&changing.address.to_string(), credentials.clone(), service));
        }
    }
}

#[test]
fn a_body_that_was_changed_on_the_way_is_refused() {
    for service in SERVICES {
        each_pair_changed(service, &permanent(), |name, client| {
            let expected = verified(service, "AKIDEXAMPLE", "POST", ["/items"; 2], &[], 2);
            assert_eq!(client.post("/items", "{}"), Ok(expected), "{name}");
            let refusal = client.post("/items", r#"{"name":"hammer!"}"#).unwrap_err();
            assert!(refusal.contains("body"), "{name}: {refusal}");
        });
    }
}

#[test]
fn an_upload_that_was_changed_on_the_way_is_refused() {
    each_pair_changed("s3", &permanent(), |name, client| {
        let upload = |length: usize, changed: Option<usize>| {
            let mut data = vec![b'a'; length];
            changed.into_iter().for_each(|position| data[position] = b'!');
            client.upload("a", &data)
        };
        let expected = verified("s3", "AKIDEXAMPLE", "PUT", ["/files/a"; 2], &[], UPLOAD);
        assert_eq!(upload(UPLOAD, None), Ok(expected), "{name}");
        for (length, position) in [(UPLOAD, UPLOAD - 1), (1000, 0)] {
            let refusal = upload(length, Some(position)).unwrap_err();
            assert!(refusal.contains("SignatureDoesNotMatch"), "{name}: {refusal}");
        }
        // The first chunk is refused while the client is still sending others. Some don't read the answer then.
        assert!(upload(UPLOAD, Some(0)).is_err(), "{name}");
    });
}

#[test]
fn a_redirect_is_not_followed() {
    for (name, new) in clients() {
        let (address, count) = redirecting();
        let client = new(&address.to_string(), permanent(), "s3");
        for answer in [client.get("a", &[]), client.post("/items", "{}"), client.upload("a", b"data")] {
            assert!(answer.unwrap_err().contains("307"), "{name}");
        }
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 3, "{name}");
    }
}
