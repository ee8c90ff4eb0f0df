//! Keys that act for an account.

use crate::{
    AccountId, AtBlock, ChainError,
    api::api::{self, runtime_types::agora_runtime::configs::proxy::ProxyType as Raw},
    views::ProxyView,
};

/// What a key may do for the account that has made it its proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyType {
    /// Everything.
    Any,
    /// The work of workers and verifiers.
    Work,
    /// Publish tasks, and cancel them.
    Publish,
}

impl ProxyType {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Work => "work",
            Self::Publish => "publish",
        }
    }
}

impl From<ProxyType> for Raw {
    fn from(proxy_type: ProxyType) -> Self {
        match proxy_type {
            ProxyType::Any => Self::Any,
            ProxyType::Work => Self::Work,
            ProxyType::Publish => Self::Publish,
        }
    }
}

impl From<Raw> for ProxyType {
    fn from(raw: Raw) -> Self {
        match raw {
            Raw::Any => Self::Any,
            Raw::Work => Self::Work,
            Raw::Publish => Self::Publish,
        }
    }
}

impl AtBlock {
    /// The keys that may act for `account`.
    pub async fn proxies(&self, account: &AccountId) -> Result<ProxyView, ChainError> {
        let address = api::storage().proxy().proxies();
        let Some(entry) = self.at.storage().try_fetch(address, (*account,)).await? else {
            return Ok(ProxyView::default());
        };
        let (definitions, deposit) = entry.decode()?;
        let proxies = definitions.0.into_iter();
        Ok(ProxyView {
            proxies: proxies
                .map(|one| (one.delegate, one.proxy_type.into(), one.delay))
                .collect(),
            deposit,
        })
    }
}
