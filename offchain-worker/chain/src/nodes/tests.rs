//! What of nodes can be tried without a network.

use super::*;

#[test]
fn urls_that_cannot_be_those_of_nodes_are_refused() {
    for right in [
        "ws://127.0.0.1:9944",
        "wss://node.example.org",
        "ws://[::1]:9944/path",
        "ws://[::1]",
    ] {
        assert!(check_url(right).is_ok(), "{right}");
    }
    for wrong in [
        "",
        "ws://",
        "http://127.0.0.1:9944",
        "127.0.0.1:9944",
        "ws://host:99999",
        "ws://a b",
        "ws://:1",
    ] {
        assert!(
            matches!(check_url(wrong), Err(ChainError::InvalidUrl { .. })),
            "{wrong}"
        );
    }
}

#[test]
fn the_chain_is_that_of_most_nodes_or_of_the_first() {
    let hash = H256::repeat_byte;
    assert_eq!(most_common([hash(1), hash(2)].into_iter()), Some(hash(1)));
    assert_eq!(most_common([hash(1), hash(2), hash(2)].into_iter()), Some(hash(2)));
    assert_eq!(most_common(std::iter::empty()), None);
}

use mock::{Chain, MockNode};

const SOON: Duration = Duration::from_secs(5);

fn node(finalised: BlockNumber) -> Arc<MockNode> {
    let node = MockNode::default();
    node.change(|chain| {
        *chain = Chain {
            best: finalised + 3,
            finalised,
            is_up: true,
            ..Chain::default()
        };
    });
    Arc::new(node)
}

async fn connect(nodes: &[Arc<MockNode>], patience: Duration) -> Result<Arc<Nodes>, ChainError> {
    let urls: Vec<String> = (0..nodes.len()).map(|number| format!("ws://node:{number}")).collect();
    Nodes::connect_with(mock::connector(nodes.to_vec()), &urls, patience, None).await
}

fn urls(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| &*node.url).collect()
}

#[tokio::test]
async fn a_node_that_lacks_what_was_final_gets_transactions_and_no_questions() {
    let all = [node(100), node(98)];
    let nodes = connect(&all, SOON).await.expect("one is believed");
    assert_eq!(nodes.url(), "ws://node:0");
    assert_eq!(urls(&nodes.for_sending()), ["ws://node:0", "ws://node:1"]);
    // The first one fails: nobody is asked until the other has finalised what the first one had.
    all[0].change(|chain| chain.is_up = false);
    all[0].disconnect();
    let current = nodes.current();
    tokio::pin!(current);
    assert!(
        tokio::time::timeout(Duration::from_millis(700), &mut current)
            .await
            .is_err()
    );
    assert_eq!(urls(&nodes.for_sending()), ["ws://node:1"]);
    all[1].change(|chain| chain.finalised = 100);
    let next = tokio::time::timeout(SOON, current).await.expect("it is used soon");
    assert_eq!(&*next.expect("it is believed").url, "ws://node:1");
}

#[tokio::test]
async fn a_node_that_comes_back_with_another_chain_answers_nothing() {
    let all = [node(100)];
    let nodes = connect(&all, SOON).await.expect("it is believed");
    let before = nodes.current().await.expect("it is believed");
    let switch = Switch(Arc::clone(&nodes));
    all[0].change(|chain| chain.is_up = false);
    let asked = async { switch.request_raw("chain_getFinalizedHead", None).await };
    let purge = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        all[0].change(|chain| (chain.is_up, chain.fork) = (true, 1));
        all[0].disconnect();
    };
    let (answer, ()) = tokio::join!(asked, purge);
    assert!(
        answer.is_err(),
        "a call that waited is answered by a node that nobody judged: {answer:?}"
    );
    assert!(
        before.legacy.chain_get_finalized_head().await.is_err(),
        "the old connection is used again"
    );
    let answer = switch.request_raw("chain_getFinalizedHead", None).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(matches!(nodes.current().await, Err(ChainError::NotBelieved(_))));
    // The same chain again.
    all[0].change(|chain| chain.fork = 0);
    let again = async {
        while nodes.current().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, again).await.expect("it is believed again");
}

#[tokio::test]
async fn connecting_waits_for_a_node_that_still_syncs() {
    let all = [node(100)];
    all[0].change(|chain| chain.is_syncing = true);
    let short = connect(&all, Duration::from_millis(300)).await;
    assert!(matches!(short, Err(ChainError::NotBelieved(_))));
    let synced = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        all[0].change(|chain| chain.is_syncing = false);
    };
    let (connected, ()) = tokio::join!(connect(&all, SOON), synced);
    assert!(connected.is_ok());
}

#[tokio::test]
async fn what_was_final_in_an_earlier_run_is_expected_from_the_first_question_on() {
    let all = [node(100)];
    let expected = BlockRef {
        number: 90,
        hash: H256::repeat_byte(7),
    };
    let urls = ["ws://node:0".to_owned()];
    let patience = Duration::from_millis(100);
    let connected = Nodes::connect_with(mock::connector(all.to_vec()), &urls, patience, Some(expected)).await;
    assert!(matches!(connected, Err(ChainError::NotBelieved(_))));
}

#[tokio::test]
async fn what_cannot_change_is_asked_once_of_each_node() {
    let all = [node(100), node(100)];
    let nodes = connect(&all, SOON).await.expect("one is believed");
    let rpc = subxt::rpcs::RpcClient::new(Switch(Arc::clone(&nodes)));
    let asked = || all.iter().map(|node| node.asked_for("state_getStorage")).sum::<usize>();
    let ask = async |at: Option<H256>| {
        let before = asked();
        let params = subxt::rpcs::client::rpc_params!["0xab", at];
        let answer = rpc.request::<Option<String>>("state_getStorage", params).await;
        assert_eq!(answer.expect("it answers"), None, "also that there is nothing");
        asked() - before
    };
    let block = Some(all[0].chain().hash(99));
    assert_eq!((ask(block).await, ask(block).await), (1, 0));
    assert_eq!((ask(None).await, ask(None).await), (1, 1));
    all[0].change(|chain| chain.is_up = false);
    all[0].disconnect();
    assert_eq!(ask(block).await, 1, "another node is not answered for");
}
