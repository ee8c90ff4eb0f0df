mod bounds;
mod limits;
mod made;
mod pieces;
mod unusable;
mod vectors;
pub mod work;
