//! `agora proxy`: keys that act for an account.

use crate::{
    args::{ProxyArgs, ProxyCommand, ProxyOfArgs},
    context::{Context, parse_account},
    exit::CliError,
    output::{answer, not_final},
    units::Amount,
};
use agora_chain::{AccountId, AtBlock, BlockNumber, ProxyType, calls, views::ProxyView};
use serde::Serialize;

/// A key that was allowed to act for an account, or not any more.
#[derive(Serialize)]
pub struct Changed {
    account: String,
    proxy: String,
    #[serde(rename = "type")]
    proxy_type: &'static str,
    block: BlockNumber,
    /// Whether the block is final.
    is_final: bool,
}

/// The keys that may act for an account.
#[derive(Serialize)]
pub struct Proxies {
    account: String,
    proxies: Vec<One>,
    /// What the account deposits for them, in plancks.
    deposit: String,
}

/// A key that may act for an account.
#[derive(Serialize)]
struct One {
    proxy: String,
    #[serde(rename = "type")]
    proxy_type: &'static str,
    /// Blocks from announcing a call to making it.
    delay: BlockNumber,
}

pub async fn run(context: &Context, args: ProxyArgs) -> Result<(), CliError> {
    match args.command {
        ProxyCommand::Add(args) => change(context, args, true).await,
        ProxyCommand::Remove(args) => change(context, args, false).await,
        ProxyCommand::List { account } => list(context, account.as_deref()).await,
    }
}

async fn change(context: &Context, args: ProxyOfArgs, add: bool) -> Result<(), CliError> {
    let (proxy, proxy_type) = (parse_account(&args.proxy)?, ProxyType::from(args.proxy_type));
    let submitter = context.submitter().await?;
    if proxy == *submitter.account() {
        return Err(CliError::Usage(
            "an account acts for itself: name another key's account".to_owned(),
        ));
    }
    let included = match add {
        true => submitter.submit_settled(&calls::add_proxy(proxy, proxy_type)).await?,
        false => {
            submitter
                .submit_settled(&calls::remove_proxy(proxy, proxy_type))
                .await?
        }
    };
    let changed = Changed {
        account: submitter.account().to_string(),
        proxy: proxy.to_string(),
        proxy_type: proxy_type.name(),
        block: included.block.number,
        is_final: included.is_final,
    };
    answer(context, &changed, |one| {
        format!(
            "{} {} act for {} ({}) since block {}{}.",
            one.proxy,
            if add { "may" } else { "may no longer" },
            one.account,
            one.proxy_type,
            one.block,
            not_final(one.is_final)
        )
    });
    Ok(())
}

async fn list(context: &Context, account: Option<&str>) -> Result<(), CliError> {
    let account = context.account(account)?;
    let ProxyView { proxies, deposit } = context.client().await?.best().await?.proxies(&account).await?;
    let proxies = proxies.into_iter().map(|(proxy, proxy_type, delay)| One {
        proxy: proxy.to_string(),
        proxy_type: proxy_type.name(),
        delay,
    });
    let shown = Proxies {
        account: account.to_string(),
        proxies: proxies.collect(),
        deposit: deposit.to_string(),
    };
    answer(context, &shown, |shown| {
        let lines = shown
            .proxies
            .iter()
            .map(|one| format!("\n  {}  {}", one.proxy, one.proxy_type));
        match shown.proxies.len() {
            0 => format!("No other key acts for {}.", shown.account),
            _ => format!(
                "For {} act, against a deposit of {}:{}",
                shown.account,
                Amount(deposit),
                lines.collect::<String>()
            ),
        }
    });
    Ok(())
}

/// By which right `key`, another's, acts for `account` as `wanted`.
///
/// Errors: `WouldBeRefused`: it may not, and what to do.
pub async fn right(
    at: &AtBlock,
    account: &AccountId,
    key: &AccountId,
    wanted: ProxyType,
) -> Result<ProxyType, CliError> {
    let ProxyView { proxies, .. } = at.proxies(account).await?;
    chosen(&proxies, key, wanted).ok_or_else(|| {
        CliError::WouldBeRefused(format!(
            "{account} has not made {key} its proxy for this: with the account's own key, run `agora proxy add {key} --type {}`",
            wanted.name()
        ))
    })
}

/// The right that suffices for `wanted`, the least first. One with a delay does not.
fn chosen(proxies: &[(AccountId, ProxyType, BlockNumber)], key: &AccountId, wanted: ProxyType) -> Option<ProxyType> {
    let has = |right| proxies.contains(&(*key, right, 0));
    [wanted, ProxyType::Any].into_iter().find(|right| has(*right))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn examples() -> [serde_json::Value; 2] {
        let changed = Changed {
            account: "5F".to_owned(),
            proxy: "5G".to_owned(),
            proxy_type: ProxyType::Work.name(),
            block: 1,
            is_final: true,
        };
        let listed = Proxies {
            account: "5F".to_owned(),
            proxies: vec![One {
                proxy: "5G".to_owned(),
                proxy_type: ProxyType::Any.name(),
                delay: 0,
            }],
            deposit: "1".to_owned(),
        };
        [serde_json::json!(changed), serde_json::json!(listed)]
    }

    #[test]
    fn the_least_right_without_a_delay_is_used() {
        use ProxyType::{Any, Publish, Work};
        let (key, other) = (AccountId([1; 32]), AccountId([2; 32]));
        let all = [(key, Any, 5), (key, Work, 0), (key, Publish, 0), (other, Any, 0)];
        assert_eq!(chosen(&all, &key, Work), Some(Work));
        assert_eq!(chosen(&all, &key, Publish), Some(Publish));
        assert_eq!(chosen(&all[..1], &key, Work), None, "it has a delay");
        assert_eq!(chosen(&all, &other, Publish), Some(Any));
        assert_eq!(chosen(&all[1..2], &key, Publish), None);
    }
}
