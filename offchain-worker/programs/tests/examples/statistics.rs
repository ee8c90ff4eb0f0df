//! Statistics of a column, with floats of the processor in the other corner.

use super::{Job, Mode, Numbers, assert_unusable, field};

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/statistics.bin");

/// A table with some fields that are quoted, and some that are no numbers; and the numbers of its column `price`, in millionths.
fn table(rows: usize) -> (String, Vec<i64>) {
    let mut numbers = Numbers(rows as u64);
    let (mut text, mut prices) = ("id,\"name, in full\", price ,note\r\n".to_owned(), Vec::new());
    for row in 0..rows {
        let price = numbers.below(2_000_000_000) as i64 - 1_000_000_000;
        let (sign, size) = (if price < 0 { "-" } else { "" }, price.unsigned_abs());
        let shown = match row % 50 {
            7 => "n/a".to_owned(),
            13 => String::new(),
            21 => "1e5".to_owned(),
            33 => "1000000001".to_owned(),
            _ => {
                prices.push(price);
                format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
            }
        };
        let shown = if row % 3 == 0 { format!("\"{shown}\"") } else { shown };
        text += &format!("{row},\"a, {}\",{shown},\n", "b".repeat(numbers.below(40) as usize));
    }
    (text, prices)
}

fn run(text: &str, column: &str, items: u32) -> Vec<String> {
    let job = Job {
        image: IMAGE,
        inputs: &[text.as_bytes(), column.as_bytes()],
        mode: Mode::Map,
        items,
        record_bytes: 1024,
    };
    job.texts()
}

#[test]
fn one_item_tells_what_the_column_is_like() {
    let (text, mut prices) = table(3000);
    let shown = run(&text, "price\n", 1);
    let [line] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(field::<usize>(line, "rows"), 3000);
    assert_eq!(field::<usize>(line, "count"), prices.len());
    prices.sort_unstable();
    let values: Vec<f64> = prices.iter().map(|&price| price as f64 / 1e6).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let near = |name: &str, expected: f64| {
        let found: f64 = field(line, name);
        assert!(
            (found - expected).abs() <= 1e-6 + expected.abs() * 1e-9,
            "{name}: {found}, not {expected}"
        );
    };
    near("sum", values.iter().sum());
    near("mean", mean);
    near("variance", variance);
    near("least", values[0]);
    near("greatest", values[values.len() - 1]);
    let quartiles: Vec<f64> = field(line, "quartiles");
    for (quarter, found) in (1..).zip(quartiles) {
        // So many quarters of the values are not greater, and no smaller one has as many.
        let not_greater = values.iter().filter(|&&value| value <= found).count() as f64;
        let smaller = values.iter().filter(|&&value| value < found).count() as f64;
        let wanted = count * f64::from(quarter) / 4.0;
        assert!(smaller < wanted && wanted <= not_greater, "{quarter}: {found}");
    }
}

#[test]
fn sums_of_several_items_are_those_of_the_whole() {
    let (text, prices) = table(1000);
    let lines = run(&text, "price", 9);
    let total = |name: &str| lines.iter().map(|line| field::<u64>(line, name)).sum::<u64>();
    assert_eq!((total("rows"), total("count")), (1000, prices.len() as u64));
    let sum: f64 = lines.iter().map(|line| field::<f64>(line, "sum")).sum();
    let expected = prices.iter().sum::<i64>() as f64 / 1e6;
    assert!((sum - expected).abs() < 1e-5, "{sum}, not {expected}");
}

#[test]
fn the_variance_of_values_that_are_all_but_equal_is_exact() {
    // The mean is between two millionths: 1.0000005.
    let lines = run("x\n1.000000\n1.000001\n", "x", 1);
    assert_eq!(
        lines[0],
        "{\"rows\":2,\"count\":2,\"sum\":2.000001,\"mean\":1.000000,\"variance\":0.000000000000,\
        \"least\":1.000000,\"quartiles\":[1.000000,1.000000,1.000001],\"greatest\":1.000001}\n"
    );
    let lines = run("x\n-3\n-3\n-1.5\n", "x", 1);
    assert_eq!(field::<f64>(&lines[0], "mean"), -2.5);
    assert_eq!(field::<f64>(&lines[0], "variance"), 0.5);
    assert_eq!(run("x\nnone\n", "x", 1), ["{\"rows\":1,\"count\":0}\n"]);
}

#[test]
fn a_column_that_there_is_not_is_refused() {
    let (text, _) = table(30);
    for inputs in [&[text.as_bytes(), b"prices"][..], &[text.as_bytes()]] {
        assert_unusable(&Job {
            image: IMAGE,
            inputs,
            mode: Mode::Map,
            items: 2,
            record_bytes: 1024,
        });
    }
}
