//! What `reqwest` writes for `.query(..)`, where a space is `+`: signed by Countersign, verified by it and by s3s.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use async_trait::async_trait;
use countersign::{Credentials, Payload, Request, Signer, Timestamp, Verifier};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::dto::{ListObjectsInput, ListObjectsOutput};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result};

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// Whatever the port: the same signed request goes to both servers.
const HOST: &str = "s3.example";
const TIMEOUT: Duration = Duration::from_secs(20);

/// Answers one request after the other on a bare socket, so that nothing but Countersign reads the query.
fn countersign_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let verifier = Verifier::new("us-east-1", "s3").unwrap();
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(&verifier, stream.unwrap())));
    address
}

fn answer(verifier: &Verifier, mut stream: TcpStream) {
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let lines = BufReader::new(&stream).lines().map(Result::unwrap);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let [method, target, _] = head[0].split(' ').collect::<Vec<_>>()[..] else { panic!("{}", head[0]) };
    let headers = head[1..].iter().map(|line| line.split_once(": ").unwrap());
    let headers: Vec<_> = headers.map(|(name, value)| (name, value.as_bytes())).collect();
    let known = Credentials::new(ID, SECRET).unwrap();
    let verified = verifier
        .parse(Request::new(method, target, &headers), Timestamp::now())
        .and_then(|unverified| unverified.with_body(b"").verify(Some(&known)));
    let (status, body) = match verified {
        Ok(verified) => {
            let pairs = verified.query_pairs().map(|(name, value)| [name, "=".as_bytes().into(), value].concat());
            let pairs: Vec<_> = pairs.map(|pair| String::from_utf8(pair).unwrap()).collect();
            (200, format!("{target} is {}", pairs.join("&")))
        }
        Err(error) => (403, error.to_string()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} \r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
}

/// Tells what arrived and how s3s read it.
struct Bucket;

#[async_trait]
impl S3 for Bucket {
    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        let marker = request.uri.query().map(Into::into);
        Ok(S3Response::new(ListObjectsOutput { marker, prefix: request.input.prefix, ..Default::default() }))
    }
}

async fn s3s_server() -> SocketAddr {
    let mut builder = S3ServiceBuilder::new(Bucket);
    builder.set_auth(SimpleAuth::from_single(ID, SECRET));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    address
}

fn signed(client: &reqwest::Client, query: &[(&str, &str)], secret: &str) -> reqwest::Request {
    let mut request = client.get("http://127.0.0.1/bucket").header("host", HOST).query(query).build().unwrap();
    let url = request.url();
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let signer = Signer::new(Credentials::new(ID, secret).unwrap(), "us-east-1", "s3").unwrap();
    let wire = Request::new("GET", &target, &[]).with_host(HOST);
    let signed = signer.sign(wire, Payload::EMPTY, Timestamp::now()).unwrap();
    signed.apply_to(request.headers_mut()).unwrap();
    request
}

async fn send(client: &reqwest::Client, request: &reqwest::Request, to: SocketAddr) -> (u16, String) {
    let mut request = request.try_clone().unwrap();
    request.url_mut().set_port(Some(to.port())).unwrap();
    let response = client.execute(request).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn the_plus_of_reqwest_is_a_space_here_and_there() {
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().unwrap();
    let (ours, theirs) = (countersign_server(), s3s_server().await);

    for name in ["q", "prefix"] {
        let request = signed(&client, &[(name, "a b+c")], SECRET);
        let raw = format!("{name}=a+b%2Bc");
        assert_eq!(send(&client, &request, ours).await, (200, format!("/bucket?{raw} is {name}=a b+c")));
        let (status, body) = send(&client, &request, theirs).await;
        assert!(status == 200 && body.contains(&format!("<Marker>{raw}</Marker>")), "{status} {body}");
        assert_eq!(body.contains("<Prefix>a b+c</Prefix>"), name == "prefix", "{body}");
    }

    let request = signed(&client, &[("q", "a b+c")], SECRET);
    for (query, status) in [("q=a%20b%2Bc", 200), ("q=a+b+c", 403), ("q=a%2Bb%2Bc", 403), ("q=a+b%2Bd", 403)] {
        let mut changed = request.try_clone().unwrap();
        changed.url_mut().set_query(Some(query));
        assert_eq!(send(&client, &changed, ours).await.0, status, "{query}");
        assert_eq!(send(&client, &changed, theirs).await.0, status, "{query}");
    }

    let forged = signed(&client, &[("q", "a b+c")], "another-secret");
    let (status, body) = send(&client, &forged, ours).await;
    assert!(status == 403 && body.contains("signature"), "{status} {body}");
    let (status, body) = send(&client, &forged, theirs).await;
    assert!(status == 403 && body.contains("<Code>SignatureDoesNotMatch</Code>"), "{status} {body}");
}
