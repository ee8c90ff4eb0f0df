//! Conway's game of life: a fold. A step goes on from the board that the step before it has written.
//!
//! Inputs: the first board, a text with a line for each row, `#` for a cell that lives and `.` for one that does not; the generations of a step, a
//! number. The board has no edge: what leaves it on one side comes back on the other. The output is a board in the same form.

#![no_std]
#![no_main]

extern crate alloc;

use agora_guest::{Arguments, End, Output};
use alloc::{vec, vec::Vec};
use core::str;

agora_guest::item!(main);

const LIVES: u8 = b'#';

fn main(arguments: &Arguments, output: &mut Output) -> End {
    let [first, generations] = &arguments.inputs[..] else {
        return End::Unusable;
    };
    let generations = generations.bytes();
    let generations = str::from_utf8(&generations)
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    let board = match &arguments.before {
        None => Board::read(&first.bytes()),
        Some(before) => Board::read(&before.output()),
    };
    let (Some(generations), Some(mut board)) = (generations, board) else {
        return End::Unusable;
    };
    for _ in 0..generations {
        board = board.next();
    }
    for row in board.cells.chunks(board.width) {
        output.push(row);
        output.push(b"\n");
    }
    End::Done
}

/// Rows of cells.
struct Board {
    width: usize,
    cells: Vec<u8>,
}

impl Board {
    /// The board of a text. `None`: it has no cells, its lines are not equally long, or it has other characters.
    fn read(text: &[u8]) -> Option<Self> {
        let lines = text.trim_ascii().split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let (mut width, mut cells) = (None, Vec::new());
        for line in lines {
            if *width.get_or_insert(line.len()) != line.len() || line.iter().any(|&cell| cell != LIVES && cell != b'.')
            {
                return None;
            }
            cells.extend_from_slice(line);
        }
        let width = width.filter(|&width| width > 0)?;
        Some(Self { width, cells })
    }

    /// The board a generation later.
    fn next(&self) -> Self {
        let (width, height) = (self.width, self.cells.len() / self.width);
        let mut cells = vec![b'.'; self.cells.len()];
        for row in 0..height {
            let rows = [(row + height - 1) % height, row, (row + 1) % height].map(|row| row * width);
            for column in 0..width {
                let columns = [(column + width - 1) % width, column, (column + 1) % width];
                let mut living = 0;
                for row in rows {
                    for column in columns {
                        living += u32::from(self.cells[row + column] == LIVES);
                    }
                }
                // The cell itself is among them.
                let at = row * width + column;
                if living == 3 || (living == 4 && self.cells[at] == LIVES) {
                    cells[at] = LIVES;
                }
            }
        }
        Self { width, cells }
    }
}
