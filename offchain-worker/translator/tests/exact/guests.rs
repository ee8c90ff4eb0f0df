//! The example programs.

use crate::Case;
use agora_machine::Status;
use agora_translator::Policy;

/// Arguments as those of a program job: version, item, items, the record before, and the inputs.
fn arguments(item: u64, before: &[u8], inputs: &[&[u8]]) -> Vec<Vec<u8>> {
    use agora_jobs::BlobRef;
    let mut bytes: Vec<u8> = [1, item, 4]
        .iter()
        .flat_map(|number: &u64| number.to_le_bytes())
        .collect();
    let add = |bytes: &mut Vec<u8>, blob: BlobRef| {
        bytes.extend(blob.hash.0);
        bytes.extend(blob.size.to_le_bytes());
    };
    add(&mut bytes, BlobRef::to(before));
    bytes.extend((inputs.len() as u64).to_le_bytes());
    for input in inputs {
        add(&mut bytes, BlobRef::to(input));
    }
    let mut all = vec![bytes, before.to_vec()];
    all.extend(inputs.iter().map(|input| input.to_vec()));
    all
}

/// The name of an example, its image, and what it reads.
type Example<'a> = (&'a str, &'a [u8], &'a [&'a [u8]]);

#[test]
fn examples_do_the_same() {
    let text = include_str!("guests.rs").repeat(4);
    let rows = (0..300).map(|row| format!("{row},{}.{},x{row}\n", row % 97, row % 10));
    let table: String = ["n,value,name\n".to_owned()].into_iter().chain(rows).collect();
    let board = "#.#..##...#.#.#\n...##..#.##....\n".repeat(8);
    let inputs: [Example<'_>; 6] = [
        (
            "words",
            include_bytes!("../../../../guests/images/words.bin"),
            &[text.as_bytes()],
        ),
        (
            "statistics",
            include_bytes!("../../../../guests/images/statistics.bin"),
            &[table.as_bytes(), b"value"],
        ),
        ("pi", include_bytes!("../../../../guests/images/pi.bin"), &[b"9 3000"]),
        (
            "lint",
            include_bytes!("../../../../guests/images/lint.bin"),
            &[text.as_bytes()],
        ),
        (
            "life",
            include_bytes!("../../../../guests/images/life.bin"),
            &[board.as_bytes(), b"9"],
        ),
        ("primes", include_bytes!("../../../../guests/images/primes.bin"), &[]),
    ];
    for (name, image, inputs) in inputs {
        for item in [0, 3] {
            let case = Case::new(image, arguments(item, &[], inputs));
            let image = case.image();
            let whole = case.traced(1 << 26);
            let (status, translated) = case.compare(&image, 1 << 26, u64::MAX);
            // Of the only file nothing is left for the last item.
            let done = name != "lint" || item == 0;
            assert_eq!(status == Status::Done, done, "{name} {item}: {status:?}");
            println!(
                "{name} {item}: {status:?}, {} gas, {translated} translated",
                whole.gas_used
            );
            // Less gas than it needs, and turns.
            for gas in [whole.gas_used / 2, whole.gas_used / 3 + 1, whole.gas_used - 1] {
                case.compare(&image, gas, u64::MAX);
                case.compare(&image, gas, 9999);
            }
            // As it is used.
            let usual = agora_translator::Translator::new(Policy::default()).unwrap();
            case.compare(&usual.image(&case.image).unwrap(), 1 << 26, 1 << 22);
        }
    }
}
