//! A relay of one's own: it passes on what peers cannot send each other directly, and tells them what address they have.

use crate::Failure;
use iroh_relay::{
    RelayConfig, RelayMap, RelayQuicConfig,
    server::{self, CertConfig, QuicConfig, Server, ServerConfig, TlsConfig},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// How a relay is reached. Its certificate is its own: whoever names the relay says which.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Relay {
    /// Where it answers.
    pub url: String,
    /// The UDP port at which it tells others their addresses.
    pub quic_port: u16,
    /// Its certificate, DER in hex.
    certificate: String,
}

impl Relay {
    pub(crate) fn map(&self) -> RelayMap {
        let url = self.url.parse::<iroh::RelayUrl>();
        let relay = url.map(|url| RelayConfig::new(url, Some(RelayQuicConfig::new(self.quic_port))));
        relay.into_iter().collect()
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        // What is no certificate is refused when the endpoint is made.
        hex::decode(&self.certificate).unwrap_or_default().into()
    }
}

/// Starts a relay at any ports of `address`, with a certificate of its own. It ends when the server is dropped.
///
/// Errors: the address cannot be bound.
pub async fn start(address: IpAddr) -> Result<(Server, Relay), Failure> {
    let own = rcgen::generate_simple_self_signed(vec![address.to_string()])?;
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    let any = SocketAddr::new(address, 0);
    let mut relay = server::RelayConfig::new(any);
    relay.tls = Some(TlsConfig::new(any, CertConfig::Manual { server_config: tls }));
    let mut config = ServerConfig::default();
    config.relay = Some(relay);
    config.quic = Some(QuicConfig::new(any));
    let server = Server::spawn(config).await?;
    let https = server.https_addr().ok_or("the relay serves no HTTPS")?;
    let quic = server.quic_addr().ok_or("the relay tells no addresses")?;
    let relay = Relay {
        url: format!("https://{https}/"),
        quic_port: quic.port(),
        certificate: hex::encode(&certificate),
    };
    Ok((server, relay))
}
