//! Packages of transformers without their two tables. Every package has these tables, and they are ten times as long as
//! the rest: a fuzzer would change little else.

use agora_compute::transformer::{ACTIVATION_TABLE, EXPONENT_TABLE};

/// The names of the tables, and how many numbers of four bytes they have.
const TABLES: [(&[u8], usize); 2] = [
    (b"table.exponent", EXPONENT_TABLE),
    (b"table.activation", ACTIVATION_TABLE),
];

/// The bytes in front of a table: its name, its type, one dimension.
fn header((name, count): (&[u8], usize)) -> Vec<u8> {
    [&[name.len() as u8], name, &[2, 1], &(count as u32).to_le_bytes()].concat()
}

/// Where the content of a table begins.
fn content_of(table: (&[u8], usize), bytes: &[u8]) -> Option<usize> {
    let header = header(table);
    let at = bytes.windows(header.len()).position(|window| window == header)?;
    Some(at + header.len())
}

/// A package without its tables, and the tables one after the other.
pub fn split(package: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut rest, mut tables) = (package.to_vec(), Vec::new());
    for table in TABLES {
        let start = content_of(table, &rest).expect("every package has it");
        tables.extend(rest.drain(start..start + 4 * table.1));
    }
    (rest, tables)
}

/// Puts `tables`, as [`split`] returned them, behind their headers. A table whose header is gone is left out.
pub fn join(rest: &[u8], tables: &[u8]) -> Vec<u8> {
    let (mut package, mut tables) = (rest.to_vec(), tables);
    for table in TABLES {
        let (content, others) = tables.split_at(4 * table.1);
        tables = others;
        if let Some(start) = content_of(table, &package) {
            package.splice(start..start, content.iter().copied());
        }
    }
    package
}

/// The package that an input stands for. If it begins with 255, the rest of it is a package without tables. Else it is
/// two scripts that edit `tables` and then `rest`. A script is the number of its edits, and the edits: a place (little
/// endian; places wrap around) and the byte to put there.
pub fn read(input: &[u8], rest: &[u8], tables: &[u8]) -> Vec<u8> {
    if let [255, rest @ ..] = input {
        return join(rest, tables);
    }
    let (mut rest, mut tables) = (rest.to_vec(), tables.to_vec());
    let input = edit(&mut tables, input);
    edit(&mut rest, input);
    join(&rest, &tables)
}

/// Edits `bytes` by the script at the beginning of `input`, and returns the bytes after the script.
fn edit<'a>(bytes: &mut [u8], input: &'a [u8]) -> &'a [u8] {
    let Some((&count, input)) = input.split_first() else {
        return input;
    };
    let (script, others) = input.split_at((3 * usize::from(count)).min(input.len()));
    for &[low, high, byte] in script.as_chunks::<3>().0 {
        let place = usize::from(u16::from_le_bytes([low, high])) % bytes.len();
        bytes[place] = byte;
    }
    others
}
