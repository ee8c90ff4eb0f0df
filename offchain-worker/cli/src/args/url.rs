//! The address of a node.

use ::url::Url;

/// Checks that `text` is the URL of a node's JSON-RPC server, and returns it as it is.
///
/// A URL that cannot be right is wrong usage; one that could be, and where nobody answers, is a matter of time.
pub fn node_url(text: &str) -> Result<String, String> {
    let wrong = |why: &str| format!("{why}; write ws://host:port, or wss://host for an encrypted connection");
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "ws" | "wss") {
        return Err(wrong(&format!("the scheme {:?} is not that of a node", url.scheme())));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("the host is missing"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_nodes_are_taken_as_they_are() {
        for text in ["ws://127.0.0.1:9944", "wss://node.example", "ws://[::1]:9944/rpc?key=1"] {
            assert_eq!(node_url(text), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_can_never_be_a_node_is_refused_with_an_example() {
        for text in [
            "",
            "nonsense",
            "http://host:9944",
            "ws://",
            "ws://host:port",
            "127.0.0.1:9944",
        ] {
            let error = node_url(text).expect_err(text);
            assert!(error.contains("ws://host:port"), "{text}: {error}");
        }
    }
}
