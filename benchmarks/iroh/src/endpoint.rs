//! Endpoints that know no public service.

use crate::{Failure, relay::Relay};
use iroh::{
    Endpoint, EndpointAddr, RelayMode,
    endpoint::{PortmapperConfig, QuicTransportConfig, VarInt, presets},
    tls::CaTlsConfig,
};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Bytes under way on a stream, at most. The default is 1.25 MB, which is 24 MiB/s where a round trip takes 50 ms; this is 40.
///
/// More would not be safe: `noq` 1.4.0 ends a connection with more than 1,024 gaps in a stream, which are as many packets lost.
/// As every other packet of 1,200 bytes at most leaves a gap, there are 874 in this. With 32 MiB, one ended on loopback.
const WINDOW: u32 = 2 << 20;

/// Where an endpoint is reachable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Place {
    /// At this address of this machine alone.
    At(SocketAddr),
    /// At all addresses, and by a relay.
    Relayed(Relay),
    /// By a relay alone: nothing is sent directly.
    RelayOnly(Relay),
}

/// An endpoint that speaks `alpn`, and its address: its key, with the addresses of its sockets or its relay.
///
/// No directory is asked, none is told, no router is asked for a port, and no relay is used but the one that is named.
///
/// Errors: the socket cannot be bound, the relay does not answer within 20 s.
pub async fn endpoint(place: &Place, alpn: &[u8]) -> Result<(Endpoint, EndpointAddr), Failure> {
    let transport = QuicTransportConfig::builder()
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .build();
    let builder = Endpoint::builder(presets::Minimal)
        .alpns(vec![alpn.to_vec()])
        .transport_config(transport)
        .portmapper_config(PortmapperConfig::Disabled);
    let (builder, relay) = match place {
        Place::At(address) => (builder.clear_ip_transports().bind_addr(*address)?, None),
        Place::Relayed(relay) => (builder, Some(relay)),
        Place::RelayOnly(relay) => (builder.clear_ip_transports(), Some(relay)),
    };
    let Some(relay) = relay else {
        let endpoint = builder.bind().await?;
        let address = EndpointAddr::new(endpoint.id());
        let address = endpoint
            .bound_sockets()
            .into_iter()
            .fold(address, EndpointAddr::with_ip_addr);
        return Ok((endpoint, address));
    };
    let endpoint = builder
        .relay_mode(RelayMode::Custom(relay.map()))
        .ca_tls_config(CaTlsConfig::custom_roots([relay.certificate()]))
        .bind()
        .await?;
    let online = tokio::time::timeout(std::time::Duration::from_secs(20), endpoint.online());
    online
        .await
        .map_err(|_| format!("the relay {} does not answer", relay.url))?;
    let address = EndpointAddr::new(endpoint.id()).with_relay_url(relay.url.parse()?);
    Ok((endpoint, address))
}
