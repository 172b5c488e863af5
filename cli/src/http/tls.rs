//! TLS with the certificates of the system, or Mozilla's if there are none.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::args::TransportArgs;
use crate::failure::{Failure, Kind};
use crate::url::Url;

/// What is trusted. The certificates are read at the first handshake, as they take longer than all other preparations.
#[derive(Clone, Debug)]
pub struct Tls {
    insecure: bool,
    cacert: Option<std::path::PathBuf>,
}

impl Tls {
    pub fn new(args: &TransportArgs) -> Result<Self, Failure> {
        if args.insecure && args.cacert.is_some() {
            return Err(Failure::usage("--insecure accepts every certificate, so --cacert has no effect; remove one"));
        }
        // The AWS CLI and SDKs read this variable as well.
        let bundle = || std::env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty()).map(Into::into);
        Ok(Self { insecure: args.insecure, cacert: args.cacert.clone().or_else(bundle) })
    }

    pub async fn handshake(
        &self,
        url: &Url,
        tcp: TcpStream,
        http1: bool,
    ) -> Result<(TlsStream<TcpStream>, bool), Failure> {
        let name = ServerName::try_from(url.host().to_owned())
            .map_err(|_| Failure::usage(format!("the host {} can't be in a certificate", url.host())))?;
        let connector = TlsConnector::from(Arc::new(self.config(http1)?));
        let stream = connector.connect(name, tcp).await.map_err(|error| failure(url, &error))?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((stream, is_http2))
    }

    pub fn config(&self, http1: bool) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(Kind::Tls, error))?;
        let mut config = if self.insecure {
            let verifier = Arc::new(AcceptAny(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        } else {
            builder.with_root_certificates(self.roots()?).with_no_client_auth()
        };
        config.alpn_protocols = if http1 { vec![b"http/1.1".into()] } else { vec![b"h2".into(), b"http/1.1".into()] };
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, Failure> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.cacert {
            roots.add_parsable_certificates(read_pem(file)?);
            return if roots.is_empty() {
                Err(Failure::usage(format!("{} contains no certificate in PEM format", file.display())))
            } else {
                Ok(roots)
            };
        }
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Ok(roots)
    }
}

fn read_pem(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Kind::Read, format!("{}: {error}", file.display()));
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))?;
    certificates.collect::<Result<_, _>>().map_err(|error| failed(&error))
}

fn failure(url: &Url, error: &std::io::Error) -> Failure {
    let host = url.host();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error @ Error::InvalidCertificate(_)) => {
            Failure::new(Kind::Certificate, format!("the certificate of {host} is refused: {error} (see --cacert)"))
        }
        _ => Failure::new(Kind::Tls, format!("no TLS connection to {host}: {error}")),
    }
}

/// `--insecure`. The signatures of the handshake are still checked, as the protocol needs them.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
