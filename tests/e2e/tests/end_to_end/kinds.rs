//! Each kind of job on a real node with real workers, from files to a result that a publisher can use.

use crate::{Tests, shared::Shared};
use agora_chain::api::{Event, api::tasks};
use agora_compute::training::Dataset;
use agora_e2e::Market;
use agora_primitives::{TaskId, reputation::Outcome, task::Phase};
use agora_test_support::minilm;
use std::sync::Arc;

/// Blocks until the deadline, which no test waits for: enough for a machine that is busy with all other tests.
const DEADLINE: [&str; 2] = ["--deadline", "300"];

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "kinds::a_network_is_trained_and_then_recognises_digits",
        a_network_is_trained_and_then_recognises_digits,
    );
    tests.sharing(
        "kinds::a_scene_is_rendered_to_a_picture",
        a_scene_is_rendered_to_a_picture,
    );
    tests.sharing(
        "kinds::sentences_are_embedded_near_to_their_paraphrases",
        sentences_are_embedded_near_to_their_paraphrases,
    );
    tests.sharing(
        "kinds::programs_look_through_files_and_go_on_step_by_step",
        programs_look_through_files_and_go_on_step_by_step,
    );
    tests.sharing(
        "kinds::a_program_is_computed_by_the_chain_in_the_block_of_the_reveal",
        a_program_is_computed_by_the_chain_in_the_block_of_the_reveal,
    );
    tests.sharing(
        "kinds::rows_of_a_matrix_are_multiplied",
        rows_of_a_matrix_are_multiplied,
    );
}

/// Waits until `task` is settled, everybody paid and nothing locked, and returns the result.
async fn settled(market: &mut Market, task: TaskId) -> Vec<u8> {
    assert_eq!(market.ended(task).await, Phase::Settled);
    for worker in ["//Worker1", "//Worker2", "//Worker3"] {
        assert_eq!(
            market.outcome(task, worker),
            Some(Outcome::Right { confirmed: true }),
            "{worker}"
        );
    }
    market.assert_conserved(task).await;
    let id = task.to_string();
    let file = market.chain.path(&format!("result {id}"));
    let name = file.display().to_string();
    let publisher = market.agora(&market.publisher);
    publisher.json(&["verify", &id, "--check"]).await.expect("it is right");
    publisher
        .json(&["result", &id, "--file", &name])
        .await
        .expect("it is fetched");
    std::fs::read(file).expect("it was written")
}

async fn a_program_is_computed_by_the_chain_in_the_block_of_the_reveal(shared: Arc<Shared>) {
    let mut market = shared.kinds(14).await;
    let words = format!("{}/../../guests/images/words.bin", env!("CARGO_MANIFEST_DIR"));
    let text = market.chain.file("text", b"one two three\n");
    let program = ["program", words.as_str(), "--input", &text, "--class", "11"];

    // What does not fit is refused before anything is sent.
    let large = ["--gas", "20M"];
    let publish = ["publish"];
    for further in [&[][..], &["--dry-run"]] {
        let refused = market
            .failure(&market.publisher, &[&publish[..], &program, &large, further].concat())
            .await;
        assert!(refused.message.contains("computed by the chain itself"), "{refused}");
    }

    let task = market.publish(&[&program[..], &DEADLINE].concat()).await;
    assert_eq!(market.ended(task).await, Phase::Settled);
    let revealed =
        |event: &Event| matches!(event, Event::Tasks(tasks::Event::Revealed { task: of, .. }) if of.0 == task);
    let settled = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Settled { task: of, .. }) if of.0 == task);
    assert_eq!(market.block_of(revealed), market.block_of(settled));
    let outcomes = ["//Worker1", "//Worker2", "//Worker3"].map(|worker| market.outcome(task, worker));
    let right: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(
        right,
        [Outcome::Right { confirmed: false }],
        "one worker, and nobody else"
    );
    market.assert_conserved(task).await;

    let id = task.to_string();
    let publisher = market.agora(&market.publisher);
    publisher.json(&["verify", &id, "--check"]).await.expect("it is right");
    let file = market.chain.path("counted").display().to_string();
    publisher
        .json(&["result", &id, "--format", "text", "--file", &file])
        .await
        .expect("it is fetched");
    assert_eq!(std::fs::read_to_string(file).expect("it was written"), "3 words\n");
    let shown = publisher.json(&["task", &id]).await.expect("it is shown");
    assert_eq!(shown[0]["judge"], "exact");
}

async fn rows_of_a_matrix_are_multiplied(shared: Arc<Shared>) {
    let mut market = shared.kinds(5).await;
    const COLUMNS: usize = 37;
    let byte = |seed: usize, i: usize| ((i * 197 + seed) % 251) as u8;
    let matrix: Vec<u8> = (0..20 * COLUMNS).map(|i| byte(11, i)).collect();
    let vectors: Vec<u8> = (0..3 * COLUMNS).map(|i| byte(5, i)).collect();
    let [matrix_file, vectors_file] =
        [("matrix", &matrix), ("vectors", &vectors)].map(|(name, content)| market.chain.file(name, content));

    let columns = COLUMNS.to_string();
    let arguments = [
        "matmul",
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
    let task = market.publish(&[&arguments[..], &DEADLINE].concat()).await;
    let result = settled(&mut market, task).await;

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

async fn programs_look_through_files_and_go_on_step_by_step(shared: Arc<Shared>) {
    let mut market = shared.kinds(12).await;
    let image = |name: &str| format!("{}/../../guests/images/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    let files = [("tidy.rs", "fn tidy() {}\n"), ("untidy.rs", "fn untidy() {\t(\n")];
    let [tidy, untidy] = files.map(|(name, text)| market.chain.file(name, text.as_bytes()));
    let lint = image("lint");
    // One item more than there are files.
    let arguments = ["program", &lint, "--input", &tidy, "--input", &untidy, "--items", "3"];
    let linted = market.publish(&[&arguments[..], &DEADLINE].concat()).await;

    let board = market.chain.file("board", b".....\n..#..\n..#..\n..#..\n.....\n");
    let generations = market.chain.file("generations", b"3");
    let life = image("life");
    let arguments = [
        "program",
        &life,
        "--fold",
        "--items",
        "3",
        "--input",
        &board,
        "--input",
        &generations,
    ];
    let gas = ["--gas", "20M"];
    let lived = market.publish(&[&arguments[..], &gas, &DEADLINE].concat()).await;

    let records = settled(&mut market, linted).await;
    assert_eq!(records.len(), 3 * 1024);
    let (publisher, chain) = (market.agora(&market.publisher), Arc::clone(&market.chain));
    let fetched = |task: TaskId, format: &'static str, name: &str| {
        let (publisher, file) = (&publisher, chain.path(name).display().to_string());
        async move {
            let arguments = ["result", &task.to_string(), "--format", format, "--file", &file];
            let answers = publisher.json(&arguments).await.expect("it is fetched");
            (answers[0]["warnings"].clone(), file)
        }
    };
    let (warnings, folder) = fetched(linted, "records", "findings").await;
    assert_eq!(warnings.as_array().map(Vec::len), Some(1), "{warnings}");
    assert!(
        warnings[0]
            .as_str()
            .is_some_and(|text| text.starts_with("item 2: unusable")),
        "{warnings}"
    );
    let found = [0, 1, 2].map(|item| std::fs::read_to_string(format!("{folder}/{item}")).expect("it was written"));
    assert_eq!((found[0].as_str(), found[2].as_str()), ("", ""));
    let places: Vec<(u64, u64)> = found[1]
        .lines()
        .map(|line| {
            let finding: serde_json::Value = serde_json::from_str(line).expect("a line is a finding");
            (
                finding["line"].as_u64().unwrap_or_default(),
                finding["column"].as_u64().unwrap_or_default(),
            )
        })
        .collect();
    // The tab, and the two brackets that are never closed.
    assert_eq!(places, [(1, 14), (1, 13), (1, 15)]);

    settled(&mut market, lived).await;
    let (warnings, file) = fetched(lived, "text", "blinker").await;
    assert_eq!(warnings, serde_json::json!([]));
    // After nine generations it lies across.
    let text = std::fs::read_to_string(file).expect("it was written");
    assert_eq!(text, ".....\n.....\n.###.\n.....\n.....\n");
}

async fn a_network_is_trained_and_then_recognises_digits(shared: Arc<Shared>) {
    let mut market = shared.kinds(6).await;
    const IMAGE: usize = 64;
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/digits/digits.agds");
    let data = Dataset::decode(&std::fs::read(digits).expect("it is in the repository")).expect("it is whole");

    let terms = ["--segments", "4", "--segment-steps", "50"];
    let arguments = [
        &["training", "--data", digits, "--network", "perceptron:32"],
        &terms[..],
        &DEADLINE,
    ]
    .concat();
    let task = market.publish(&arguments).await;
    settled(&mut market, task).await;
    let model = market.chain.path("digits.agmp").display().to_string();
    let id = task.to_string();
    let publisher = market.agora(&market.publisher);
    publisher
        .json(&["result", &id, "--format", "model", "--file", &model])
        .await
        .expect("it is a network");

    let images = market.chain.file("images", &data.pixels[..200 * IMAGE]);
    let arguments = ["classification", "--model", &model, "--images", &images];
    let task = market.publish(&[&arguments[..], &DEADLINE].concat()).await;
    settled(&mut market, task).await;
    let logits = market.chain.path("logits").display().to_string();
    publisher
        .json(&["result", &task.to_string(), "--format", "json", "--file", &logits])
        .await
        .expect("it is numbers");
    let text = std::fs::read_to_string(logits).expect("it was written");
    let found = text.lines().map(|line| {
        let logits: Vec<i32> = serde_json::from_str(line).expect("a line is an item");
        (0..)
            .zip(logits)
            .max_by_key(|&(class, logit)| (logit, std::cmp::Reverse(class)))
    });
    let right = found
        .zip(&data.labels)
        .filter(|(found, label)| found.is_some_and(|(class, _)| class == **label))
        .count();
    assert!(right > 170, "{right} of 200 digits are recognised");
}

async fn a_scene_is_rendered_to_a_picture(shared: Arc<Shared>) {
    let mut market = shared.kinds(7).await;
    let description = br##"{
        "materials": {
            "clay": { "surface": "diffuse", "colour": "#c0704a" },
            "glass": { "surface": "glass", "index": 1.5 }
        },
        "spheres": [
            { "centre": [0, 1, 0], "radius": 1, "material": "clay" },
            { "centre": [2, 0.7, 1], "radius": 0.7, "material": "glass" }
        ],
        "camera": [{ "position": [0, 2, 6], "target": [0, 1, 0], "field_of_view": 40 }]
    }"##;
    let scene = market.chain.file("scene.json", description);

    let arguments = [
        "rendering",
        "--scene",
        &scene,
        "--width",
        "80",
        "--height",
        "50",
        "--samples",
        "4",
    ];
    let task = market.publish(&[&arguments[..], &DEADLINE].concat()).await;
    let pixels = settled(&mut market, task).await;
    assert_eq!(pixels.len(), 80 * 50 * 3);
    let picture = market.chain.path("picture.png").display().to_string();
    let publisher = market.agora(&market.publisher);
    publisher
        .json(&["result", &task.to_string(), "--format", "png", "--file", &picture])
        .await
        .expect("it is a picture");
    let png = std::fs::read(picture).expect("it was written");
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let unfit = market
        .failure(
            "//Publisher",
            &["result", &task.to_string(), "--format", "model", "--file", "/dev/null"],
        )
        .await;
    assert_eq!(unfit.code, Some(2));
    assert!(unfit.message.contains("only training"), "{unfit}");
}

/// The index of the vector that has the largest product with vector `to`, itself excepted.
fn nearest(vectors: &[Vec<f64>], to: usize) -> Option<usize> {
    let product = |other: usize| -> f64 { vectors[to].iter().zip(&vectors[other]).map(|(a, b)| a * b).sum() };
    let others = (0..vectors.len()).filter(|&other| other != to);
    others.max_by(|&a, &b| product(a).total_cmp(&product(b)))
}

async fn sentences_are_embedded_near_to_their_paraphrases(shared: Arc<Shared>) {
    let mut market = shared.kinds(8).await;
    // Each beside its paraphrase.
    let sentences = [
        "The cat sat down on the warm windowsill.",
        "A kitten was resting on the sunny window ledge.",
        "Share prices fell sharply on Monday.",
        "Stocks dropped a lot at the beginning of the week.",
        "Boil the pasta for ten minutes, then drain it.",
        "Cook the noodles for ten minutes and pour off the water.",
        "The train to the coast was cancelled because of snow.",
        "Snowfall stopped the railway service to the seaside.",
    ];
    let texts = market.chain.file("sentences", sentences.join("\n").as_bytes());
    let [model, vectors] = ["minilm.agmp", "embeddings"].map(|name| market.chain.path(name).display().to_string());
    let directory = minilm().display().to_string();

    let publisher = market.agora(&market.publisher);
    let arguments = ["model", "import", &directory, "--file", &model];
    publisher.json(&arguments).await.expect("it is imported");
    let input = ["--model", &model, "--texts", &texts];
    let task = market.publish(&[&["embedding"], &input[..], &DEADLINE].concat()).await;
    settled(&mut market, task).await;
    let arguments = ["result", &task.to_string(), "--format", "json", "--file", &vectors];
    publisher.json(&arguments).await.expect("it is vectors");
    let text = std::fs::read_to_string(vectors).expect("it was written");
    let vectors: Vec<Vec<f64>> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is a vector"))
        .collect();

    assert_eq!(vectors.len(), sentences.len());
    for (number, vector) in vectors.iter().enumerate() {
        assert_eq!(vector.len(), 384);
        // Pairs begin at even numbers.
        let paraphrase = number ^ 1;
        let found = nearest(&vectors, number).map(|found| sentences[found]);
        assert_eq!(found, Some(sentences[paraphrase]), "{}", sentences[number]);
    }
    let arguments = [&["embed"], &input[..], &["--device", "cpu"]].concat();
    let embedded = publisher.json(&arguments).await.expect("they are embedded here, too");
    let here: Vec<Vec<f64>> = embedded
        .into_iter()
        .map(|mut answer| serde_json::from_value(answer["vector"].take()).expect("it has a vector"))
        .collect();
    assert_eq!(here, vectors);
}
