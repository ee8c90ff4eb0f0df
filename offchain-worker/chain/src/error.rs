//! The one place where subxt's errors are converted.

use subxt::error as of;

/// What can go wrong between a client and the chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// No node answers.
    #[error("cannot reach a node at {url}: {reason}; is it running, and is the URL right (ws://host:port)?")]
    Unreachable {
        /// The URL of the node.
        url: String,
        /// What the network layer reported.
        reason: String,
    },
    /// The connection broke while waiting for an answer.
    #[error("the connection to the node broke: {0}")]
    Disconnected(String),
    /// The node's runtime and this program's types do not fit.
    #[error("this program does not fit the chain's runtime ({0}); use the version made for it")]
    Incompatible(String),
    /// The runtime refused the call.
    #[error("{pallet}.{error}: {help}")]
    Refused {
        /// The pallet that refused it.
        pallet: String,
        /// The name of its error.
        error: String,
        /// What the pallet says about it.
        help: String,
    },
    /// The runtime refused the call for a reason that is no pallet's own.
    #[error("the call failed: {0}")]
    Failed(String),
    /// The account cannot pay the fee.
    #[error("account {account} cannot pay the transaction fee; send it funds first")]
    CannotPayFee {
        /// The account.
        account: String,
    },
    /// The transaction pool refused the transaction.
    #[error("the transaction was refused: {0}")]
    Invalid(String),
    /// Another transaction of the account took its nonce.
    #[error("another transaction took the nonce of account {account}: {reason}")]
    NonceTaken {
        /// The account.
        account: String,
        /// What the node said.
        reason: String,
    },
    /// The transaction was sent, and it is not known whether it was included: look at the chain's state before sending
    /// it again.
    #[error("lost sight of a transaction that was sent ({0}); it may or may not have been included")]
    Unknown(String),
    /// The chain does not have what was asked for.
    #[error("{0}")]
    NotFound(String),
    /// Anything else the node answered.
    #[error("the node answered with an error: {0}")]
    Node(String),
}

impl ChainError {
    /// Whether the same call may succeed later without anybody doing something.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Disconnected(_) | Self::NonceTaken { .. } | Self::Unknown(_) => true,
            Self::Incompatible(_)
            | Self::Refused { .. }
            | Self::Failed(_)
            | Self::CannotPayFee { .. }
            | Self::Invalid(_)
            | Self::NotFound(_)
            | Self::Node(_) => false,
        }
    }

    /// Whether the runtime refused the call with this error of this pallet.
    pub fn is(&self, pallet: &str, error: &str) -> bool {
        matches!(self, Self::Refused { pallet: p, error: e, .. } if p == pallet && e == error)
    }
}

impl From<of::DispatchError> for ChainError {
    fn from(error: of::DispatchError) -> Self {
        let of::DispatchError::Module(module) = &error else {
            return Self::Failed(error.to_string());
        };
        match module.details() {
            Ok(details) => Self::Refused {
                pallet: details.pallet.name().to_owned(),
                error: details.variant.name.clone(),
                help: details.variant.docs.join(" ").trim().to_owned(),
            },
            Err(unknown) => Self::Incompatible(unknown.to_string()),
        }
    }
}

/// Errors of subxt that need no more than their class.
macro_rules! classify {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for ChainError {
            fn from(error: $error) -> Self {
                classify(&error)
            }
        }
    )*};
}

classify! {
    of::BackendError, of::BlockError, of::BlocksError, of::ConstantError, of::EventsError, of::OnlineClientAtBlockError,
    of::OnlineClientError, of::RuntimeApiError, of::StorageError, of::StorageKeyError, of::StorageValueError,
    of::ViewFunctionError, subxt::rpcs::Error,
}

impl From<of::ExtrinsicError> for ChainError {
    fn from(error: of::ExtrinsicError) -> Self {
        // Not a source in the sense of `Error::source`. The pool's reason is in it.
        if let of::ExtrinsicError::ErrorSubmittingTransaction(of::BackendError::Rpc(of::RpcError::ClientError(rpc))) =
            &error
        {
            return from_rpc(rpc);
        }
        classify(&error)
    }
}

fn from_rpc(error: &subxt::rpcs::Error) -> ChainError {
    match error {
        subxt::rpcs::Error::DisconnectedWillReconnect(why) => ChainError::Disconnected(why.clone()),
        subxt::rpcs::Error::Client(why) => ChainError::Disconnected(why.to_string()),
        subxt::rpcs::Error::User(user) => ChainError::Node(user_error(user)),
        other => ChainError::Node(other.to_string()),
    }
}

/// Finds the error's class by walking down its causes.
fn classify(error: &(dyn std::error::Error + 'static)) -> ChainError {
    let text = error.to_string();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rpc) = error.downcast_ref::<subxt::rpcs::Error>() {
            return from_rpc(rpc);
        }
        if let Some(backend) = error.downcast_ref::<of::RpcError>()
            && matches!(backend, of::RpcError::SubscriptionDropped)
        {
            return ChainError::Disconnected(text);
        }
        cause = error.source();
    }
    // Some errors of subxt do not name their cause as their source. Then the text decides: it is that of the RPC
    // client's error.
    let lost = [
        "connection was lost",
        "restart required",
        "subscription was dropped",
        "Subscription closed",
    ];
    if lost.iter().any(|words| text.contains(words)) {
        return ChainError::Disconnected(text);
    }
    if text.contains("not compatible") || text.contains("ncompatible") {
        ChainError::Incompatible(text)
    } else {
        ChainError::Node(text)
    }
}

/// What the node's JSON-RPC server said, its data included: that is where the pool puts the reason.
fn user_error(error: &subxt::rpcs::UserError) -> String {
    match &error.data {
        Some(data) => format!("{}: {}", error.message, data.get().trim_matches('"')),
        None => error.message.clone(),
    }
}

/// Why the pool did not take a transaction of `account`.
pub(crate) fn refused_by_pool(error: ChainError, account: &str) -> ChainError {
    let ChainError::Node(reason) = error else { return error };
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    let account = account.to_owned();
    if has(&["Inability to pay", "balance too low"]) {
        ChainError::CannotPayFee { account }
    } else if has(&[
        "outdated",
        "Priority is too low",
        "Already Imported",
        "already imported",
        "in the future",
    ]) {
        ChainError::NonceTaken { account, reason }
    } else {
        ChainError::Invalid(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_time_can_mend_is_tried_again() {
        let text = String::new;
        let recoverable = [
            ChainError::Unreachable {
                url: text(),
                reason: text(),
            },
            ChainError::Disconnected(text()),
            ChainError::NonceTaken {
                account: text(),
                reason: text(),
            },
            ChainError::Unknown(text()),
        ];
        let lasting = [
            ChainError::Incompatible(text()),
            ChainError::Refused {
                pallet: text(),
                error: text(),
                help: text(),
            },
            ChainError::Failed(text()),
            ChainError::CannotPayFee { account: text() },
            ChainError::Invalid(text()),
            ChainError::NotFound(text()),
            ChainError::Node(text()),
        ];
        for error in recoverable {
            assert!(error.is_recoverable(), "{error:?}");
        }
        for error in lasting {
            assert!(!error.is_recoverable(), "{error:?}");
        }
    }

    #[test]
    fn the_pools_reasons_are_told_apart() {
        let refused = |reason: &str| refused_by_pool(ChainError::Node(reason.to_owned()), "5F");
        assert!(matches!(
            refused("1010: Invalid Transaction: Inability to pay some fees, e.g. account balance too low"),
            ChainError::CannotPayFee { .. }
        ));
        for reason in [
            "Transaction is outdated",
            "Priority is too low: (3 vs 3)",
            "Transaction Already Imported",
        ] {
            assert!(matches!(refused(reason), ChainError::NonceTaken { .. }), "{reason}");
        }
        assert!(matches!(refused("bad signature"), ChainError::Invalid(_)));
        let other = refused_by_pool(ChainError::Disconnected("gone".into()), "5F");
        assert!(matches!(other, ChainError::Disconnected(_)));
    }
}
