//! A game of life, against one that keeps the cells that live in a set.

use super::{Job, Mode, Numbers, assert_unusable};
use std::collections::BTreeMap;

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/life.bin");

/// A random board as text.
fn board(width: usize, height: usize) -> String {
    let mut numbers = Numbers(7);
    let mut row = |_| {
        let cell = |_| if numbers.below(3) == 0 { '#' } else { '.' };
        (0..width).map(cell).chain(['\n']).collect::<String>()
    };
    (0..height).map(&mut row).collect()
}

/// The board so many generations later.
fn later(board: &str, generations: u32) -> String {
    let rows: Vec<&str> = board.lines().collect();
    let (width, height) = (rows[0].len(), rows.len());
    let mut living: Vec<(usize, usize)> = Vec::new();
    for (y, row) in rows.iter().enumerate() {
        living.extend(
            row.bytes()
                .enumerate()
                .filter(|&(_, cell)| cell == b'#')
                .map(|(x, _)| (x, y)),
        );
    }
    for _ in 0..generations {
        let mut neighbours = BTreeMap::<(usize, usize), u32>::new();
        for &(x, y) in &living {
            for (dx, dy) in [
                (0, 1),
                (1, 0),
                (1, 1),
                (0, height - 1),
                (width - 1, 0),
                (width - 1, height - 1),
                (1, height - 1),
                (width - 1, 1),
            ] {
                *neighbours.entry(((x + dx) % width, (y + dy) % height)).or_default() += 1;
            }
        }
        let lives = |&(cell, count): &((usize, usize), u32)| count == 3 || (count == 2 && living.contains(&cell));
        living = neighbours.into_iter().filter(lives).map(|(cell, _)| cell).collect();
    }
    let cell = |x, y| if living.contains(&(x, y)) { '#' } else { '.' };
    let row = |y| (0..width).map(|x| cell(x, y)).chain(['\n']).collect::<String>();
    (0..height).map(row).collect()
}

fn job<'a>(inputs: &'a [&'a [u8]], items: u32) -> Job<'a> {
    Job {
        image: IMAGE,
        inputs,
        mode: Mode::Fold,
        items,
        record_bytes: 2048,
    }
}

#[test]
fn steps_go_on_from_each_other() {
    let first = board(37, 29);
    for (items, generations) in [(1, 5), (4, 3), (12, 1)] {
        let text = generations.to_string();
        let found = job(&[first.as_bytes(), text.as_bytes()], items).texts();
        assert_eq!(found, [later(&first, items * generations)]);
    }
}

#[test]
fn what_is_no_board_is_refused_and_so_is_every_step_after() {
    for board in ["", "##\n#\n", "#x\n", "\n"] {
        let board = format!("{board}\n");
        assert_unusable(&job(&[board.as_bytes(), b"1"], 3));
    }
    assert_unusable(&job(&[b"##\n..\n", b"many"], 1));
    assert_unusable(&job(&[b"##\n..\n"], 1));
}
