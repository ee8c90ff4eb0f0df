//! Each kind of job, from files to a result that somebody can use, on a real node with real workers.

use agora_chain::views::Status;
use agora_e2e::Market;
use agora_primitives::{TaskId, money::Purpose};
use std::path::Path;
use tempfile::TempDir;

/// Three workers, one of them on the graphics processor, and two validators.
async fn market() -> (Market, Vec<agora_localnet::Process>) {
    let market = Market::start().await;
    market.register(3, 2).await;
    let mut processes = vec![
        market.mine(1, &[]).await,
        market.mine(2, &[]).await,
        market.spawn("//Worker3", &["mine"]).await,
    ];
    for number in 1..=2 {
        processes.push(market.validate(number, &[]).await);
    }
    (market, processes)
}

/// Waits until `task` is settled, everybody paid and nothing locked, and returns the result.
async fn settled(market: &mut Market, task: TaskId, folder: &Path) -> Vec<u8> {
    assert_eq!(market.ended(task).await, Status::Settled);
    for worker in ["//Worker1", "//Worker2", "//Worker3"] {
        assert_eq!(market.paid_to(worker, Purpose::TaskReward).len(), 1, "{worker}");
    }
    market.assert_conserved(task).await;
    let file = folder.join("result");
    let (id, name) = (task.to_string(), file.display().to_string());
    let publisher = market.agora("//Publisher");
    publisher.json(&["verify", &id, "--check"]).await.expect("it is right");
    publisher
        .json(&["result", &id, "--output", &name])
        .await
        .expect("it is fetched");
    std::fs::read(file).expect("it was written")
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("the folder can be written to");
    path.display().to_string()
}

#[tokio::test]
async fn rows_of_a_matrix_are_multiplied() {
    const COLUMNS: usize = 37;
    let byte = |seed: usize, i: usize| ((i * 197 + seed) % 251) as u8;
    let matrix: Vec<u8> = (0..20 * COLUMNS).map(|i| byte(11, i)).collect();
    let vectors: Vec<u8> = (0..3 * COLUMNS).map(|i| byte(5, i)).collect();
    let folder = TempDir::new().expect("a temporary folder");
    let [matrix_file, vectors_file] =
        [("matrix", &matrix), ("vectors", &vectors)].map(|(name, content)| file(&folder, name, content));

    let (mut market, _processes) = market().await;
    let columns = COLUMNS.to_string();
    let arguments = [
        "rows",
        "--matrix",
        &matrix_file,
        "--columns",
        &columns,
        "--first-row",
        "4",
        "--rows",
        "15",
        "--vectors",
        &vectors_file,
    ];
    let task = market.publish(&[&arguments[..], &["--deadline", "60"]].concat()).await;
    let result = settled(&mut market, task, folder.path()).await;

    let product = |row: &[u8], vector: &[u8]| -> i32 {
        let products = row
            .iter()
            .zip(vector)
            .map(|(&a, &b)| i32::from(a as i8) * i32::from(b as i8));
        products.sum()
    };
    let expected: Vec<u8> = vectors
        .chunks(COLUMNS)
        .flat_map(|vector| {
            let rows = matrix.chunks(COLUMNS).skip(4).take(15);
            rows.flat_map(move |row| product(row, vector).to_le_bytes())
        })
        .collect();
    assert_eq!(result, expected);
}
