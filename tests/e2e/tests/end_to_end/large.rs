//! Blobs as large as real ones, between strangers over HTTP: what they take of memory and of time. `make test-long` runs it, or
//! `cargo test -p agora-e2e -- --ignored large`.

use crate::{
    Tests,
    blobs::{Serving, announce, serving},
};
use agora_e2e::{Chain, Market, verifier, worker};
use agora_primitives::{TaskId, money::Purpose, reputation::Outcome, task::Phase};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::{
    fs::File,
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Rows and columns of the matrix, 1 GiB. Each of its bytes is multiplied once for each vector: large blobs, and little work.
const ROWS: usize = 1 << 20;
const COLUMNS: usize = 1 << 10;
/// The result has four bytes for each row and vector, 200 MiB.
const VECTORS: usize = 50;
/// Bytes of the inputs and of the result.
const INPUTS: u64 = ((ROWS + VECTORS) * COLUMNS) as u64;
const RESULT: u64 = 4 * (ROWS * VECTORS) as u64;
/// What a process needs besides a job: its program, buffers of transfers, and what the kernel of products packs at a time.
const OWN: u64 = 256 << 20;
/// How long it may take from publication to settlement: seven transfers of the matrix, and of the result.
const PATIENCE: Duration = Duration::from_secs(900);
/// Numbers of the result that are computed again here.
const SAMPLES: usize = 1000;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.long(
        "large::strangers_pass_a_gibibyte_on_and_a_result_of_200_mib_back_in_bounded_memory",
        strangers_pass_a_gibibyte_on_and_a_result_of_200_mib_back_in_bounded_memory,
    );
}

/// The `row`th row of the matrix, or of the vectors with another `seed`.
fn line(seed: u64, row: usize) -> [u8; COLUMNS] {
    let mut line = [0; COLUMNS];
    StdRng::seed_from_u64(seed.wrapping_add(row as u64)).fill_bytes(&mut line);
    line
}

/// Where the rows of the matrix and those of the vectors begin among the seeds.
const MATRIX: u64 = 0;
const INPUT: u64 = 1 << 32;

fn write(path: &Path, seed: u64, rows: usize) {
    let mut file = BufWriter::new(File::create(path).expect("the folder can be written to"));
    for row in 0..rows {
        file.write_all(&line(seed, row)).expect("there is room");
    }
    file.flush().expect("there is room");
}

/// What the result has for this row and vector.
fn product(row: usize, vector: usize) -> i32 {
    let (row, vector) = (line(MATRIX, row), line(INPUT, vector));
    let products = row.iter().zip(vector);
    products.map(|(&a, b)| i32::from(a as i8) * i32::from(b as i8)).sum()
}

/// Compares numbers all over the result with what they should be.
fn assert_right(path: &Path) {
    let mut file = File::open(path).expect("it was written");
    assert_eq!(file.metadata().expect("it is there").len(), RESULT);
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..SAMPLES {
        let (row, vector) = (random.gen_range(0..ROWS), random.gen_range(0..VECTORS));
        let at = 4 * (vector * ROWS + row) as u64;
        let mut number = [0; 4];
        file.seek(SeekFrom::Start(at)).expect("it is as long");
        file.read_exact(&mut number).expect("it is as long");
        assert_eq!(
            i32::from_le_bytes(number),
            product(row, vector),
            "row {row}, vector {vector}"
        );
    }
}

/// Checks that `serving` has never had more than `job` and what every process needs.
fn assert_memory(who: &str, serving: &Serving, job: u64) {
    let peak = serving.process.peak_memory().expect("it runs");
    println!(
        "{who}: at most {} MiB, of which a job has {} MiB",
        peak >> 20,
        job >> 20
    );
    assert!(peak < job + OWN, "{who} has taken {} MiB", peak >> 20);
}

async fn strangers_pass_a_gibibyte_on_and_a_result_of_200_mib_back_in_bounded_memory() {
    // Long enough to fetch and read a GiB in, on a busy machine.
    let chain = Chain::start(|genesis| {
        let classes = genesis["tasks"]["classes"].as_array_mut();
        for class in classes.expect("there are classes") {
            // The last of them always lasts in full.
            for (window, blocks) in [
                ("commitWindow", 400),
                ("workWindow", 400),
                ("revealWindow", 200),
                ("appealWindow", 200),
            ] {
                assert!(class[1][window].is_u64(), "a class has no {window}: {class}");
                class[1][window] = json!(blocks);
            }
        }
    });
    let mut market = Market::on(Arc::new(chain.await), "//Publisher").await;
    let apart = |key: &str| market.agora(key).apart();
    let further = ["--specialisations", "row-transform"];
    market
        .register_all((1..=3).map(|number| (worker(number), "worker", &further[..])))
        .await;
    market.register(0, 2).await;

    let publisher = apart(&market.publisher);
    let source = serving(&publisher, &["blobs", "serve", "127.0.0.1:0"]).await;
    announce(&publisher, &[source.address]).await;
    // One engine each, and nothing that is measured or tuned beside the job.
    let mut workers = Vec::new();
    for number in 1..=3 {
        let agora = apart(&worker(number));
        let mine = ["mine", "--device", "cpu", "--serve", "127.0.0.1:0", "--private-market"];
        workers.push(serving(&agora, &mine).await);
        announce(&agora, &[workers[number - 1].address]).await;
    }
    let check = ["verify-work", "--serve", "127.0.0.1:0", "--private-market"];
    let verifiers = [
        serving(&apart(&verifier(1)), &check).await,
        serving(&apart(&verifier(2)), &check).await,
    ];

    let (matrix, vectors) = (market.chain.path("matrix"), market.chain.path("vectors"));
    write(&matrix, MATRIX, ROWS);
    write(&vectors, INPUT, VECTORS);
    let (matrix, vectors) = (matrix.display().to_string(), vectors.display().to_string());
    let columns = COLUMNS.to_string();
    let began = Instant::now();
    let job = ["publish", "matmul", "--matrix", &matrix, "--vectors", &vectors];
    let published = publisher
        .json(&[&job[..], &["--columns", &columns, "--deadline", "1500"]].concat())
        .await;
    let task = TaskId(
        published.expect("it is published")[0]["task"]
            .as_u64()
            .expect("its number is told"),
    );
    println!("1 GiB was published in {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(market.ended_within(task, PATIENCE).await, Phase::Settled);
    println!("and settled after {:.1} s", began.elapsed().as_secs_f64());
    for number in 1..=3 {
        let outcome = market.outcome(task, &worker(number));
        assert_eq!(outcome, Some(Outcome::Right { confirmed: true }), "worker {number}");
        assert_eq!(market.taken_from(&worker(number), Purpose::TaskBond), 0);
    }
    for (number, verifier) in (1..).zip(&verifiers) {
        let output = verifier.process.output();
        assert!(output.contains("Attested"), "verifier {number} was in time: {output}");
    }

    // Whoever passes blobs on has none of them in memory; whoever computes or checks has the job there, once.
    assert_memory("the publisher's server", &source, 0);
    for (number, worker) in (1..).zip(&workers) {
        assert_memory(&format!("worker {number}"), worker, INPUTS + RESULT);
    }
    for (number, verifier) in (1..).zip(&verifiers) {
        assert_memory(&format!("verifier {number}"), verifier, INPUTS + RESULT);
    }

    let began = Instant::now();
    let output = market.chain.path("product");
    let (id, file) = (task.to_string(), output.display().to_string());
    let fetch = ["result", &id, "--file", &file, "--private-market"];
    publisher.json(&fetch).await.expect("it is fetched");
    println!("the result was fetched in {:.1} s", began.elapsed().as_secs_f64());
    assert_right(&output);
    market.assert_conserved(task).await;
}
