//! The one place where subxt's errors are converted.

use crate::{Balance, BlockNumber};
use agora_transactions::Answer;
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
    /// This cannot be the URL of a node.
    #[error("{url:?} is not the URL of a node; it looks like ws://host:port or wss://host:port")]
    InvalidUrl {
        /// What was given.
        url: String,
    },
    /// No node is believed: each is of another chain, still syncs, lags, or lost blocks that were final.
    #[error("no node can be believed ({0}); wait until one has caught up, or name another one with --url")]
    NotBelieved(String),
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
    /// The call would take more money than the account has at its disposal.
    #[error(
        "the account does not have that much at its disposal: {free} plancks are free, of which {keep} have to stay, and the fee comes on top; send it funds first, or less"
    )]
    Overdraft {
        /// What is free, in plancks.
        free: Balance,
        /// What has to stay, in plancks.
        keep: Balance,
    },
    /// The account cannot pay what is needed.
    #[error("account {account} needs {needed} plancks for fees and what they are for, and has {spare} to spare; send it {} more", needed.saturating_sub(*spare))]
    CannotAfford {
        /// The account.
        account: String,
        /// What is needed, in plancks.
        needed: Balance,
        /// What it has beyond what must stay and what is set aside for other fees, in plancks.
        spare: Balance,
    },
    /// The account cannot pay the fee.
    #[error("account {account} cannot pay the transaction fee; send it funds first")]
    CannotPayFee {
        /// The account.
        account: String,
    },
    /// No transaction pool takes the transaction.
    #[error("the transaction was refused: {0}")]
    Invalid(String),
    /// It was decided on a block that is on the best chain no more.
    #[error("it was decided on a fork that has lost")]
    OtherFork,
    /// The transaction was not included before it was worth nothing.
    #[error("the {intent} was in no block when block {deadline} was over; nothing more is sent for it")]
    DeadlineOver {
        /// What it was for.
        intent: String,
        /// Its last block.
        deadline: BlockNumber,
    },
    /// Two different calls have one name.
    #[error("another transaction is under way as the {intent}; wait until it is final")]
    IntentInUse {
        /// The name.
        intent: String,
    },
    /// What is known of transactions cannot be read or written. Nothing is sent that is not written down.
    #[error("transactions cannot be written down, and none is sent: {0}; is the disk full?")]
    Log(String),
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
    /// Whether the same call may succeed later without anybody doing something. A node's own errors count among these: it
    /// may be restarted or replaced by another one.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Disconnected(_)
            | Self::NotBelieved(_)
            | Self::IntentInUse { .. }
            | Self::Log(_)
            | Self::Unknown(_)
            | Self::Node(_) => true,
            Self::InvalidUrl { .. }
            | Self::Incompatible(_)
            | Self::Refused { .. }
            | Self::Failed(_)
            | Self::Overdraft { .. }
            | Self::CannotAfford { .. }
            | Self::CannotPayFee { .. }
            | Self::Invalid(_)
            | Self::OtherFork
            | Self::DeadlineOver { .. }
            | Self::NotFound(_) => false,
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
        subxt::rpcs::Error::Client(why) => match why.downcast_ref() {
            Some(ChainError::NotBelieved(reasons)) => ChainError::NotBelieved(reasons.clone()),
            _ => ChainError::Disconnected(why.to_string()),
        },
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

/// What a node's error says about a transaction that was handed to it.
pub(crate) fn pool_answer(error: &subxt::rpcs::Error) -> Answer {
    let subxt::rpcs::Error::User(user) = error else {
        return Answer::Lost;
    };
    let reason = user_error(user);
    let says = |words: &str| reason.contains(words);
    match user.code {
        _ if says("Inability to pay") || says("balance too low") => Answer::CannotPay,
        _ if says("Transaction is outdated") => Answer::Stale,
        // The codes are those of the SDK's `sc-rpc-api`, in `author/error.rs`.
        1010 | 1011 | 1002 => Answer::Invalid(reason),
        1012 => Answer::Banned,
        1013 => Answer::Taken,
        1014 => Answer::Occupied,
        1016 => Answer::Full,
        _ => Answer::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_time_can_mend_is_recoverable_and_nothing_else_is() {
        let text = String::new;
        let recoverable = [
            ChainError::Unreachable {
                url: text(),
                reason: text(),
            },
            ChainError::Disconnected(text()),
            ChainError::NotBelieved(text()),
            ChainError::IntentInUse { intent: text() },
            ChainError::Log(text()),
            ChainError::Unknown(text()),
            ChainError::Node(text()),
        ];
        let lasting = [
            ChainError::InvalidUrl { url: text() },
            ChainError::Incompatible(text()),
            ChainError::Refused {
                pallet: text(),
                error: text(),
                help: text(),
            },
            ChainError::Failed(text()),
            ChainError::Overdraft { free: 1, keep: 1 },
            ChainError::CannotAfford {
                account: text(),
                needed: 1,
                spare: 0,
            },
            ChainError::CannotPayFee { account: text() },
            ChainError::Invalid(text()),
            ChainError::DeadlineOver {
                intent: text(),
                deadline: 1,
            },
            ChainError::NotFound(text()),
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
        let said = |code, message: &str, data: Option<&str>| {
            let data =
                data.map(|data| subxt::rpcs::client::RawValue::from_string(format!("{data:?}")).expect("it is JSON"));
            pool_answer(&subxt::rpcs::Error::User(subxt::rpcs::UserError {
                code,
                message: message.to_owned(),
                data,
            }))
        };
        let invalid = "Invalid Transaction";
        let poor = said(
            1010,
            invalid,
            Some("Inability to pay some fees (e.g. account balance too low)"),
        );
        assert_eq!(poor, Answer::CannotPay);
        assert_eq!(said(1010, invalid, Some("Transaction is outdated")), Answer::Stale);
        assert!(matches!(
            said(1010, invalid, Some("Transaction has a bad signature")),
            Answer::Invalid(_)
        ));
        assert_eq!(said(1012, "Transaction is temporarily banned", None), Answer::Banned);
        assert_eq!(said(1013, "Transaction is already imported", None), Answer::Taken);
        assert_eq!(said(1014, "Priority is too low: (1 vs 1)", None), Answer::Occupied);
        assert_eq!(said(1016, "Immediately Dropped", None), Answer::Full);
        assert_eq!(said(-32000, "Too many requests", None), Answer::Lost);
        assert_eq!(
            pool_answer(&subxt::rpcs::Error::DisconnectedWillReconnect(String::new())),
            Answer::Lost
        );
    }
}
