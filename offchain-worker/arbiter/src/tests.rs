mod games;
mod lists;
mod runs;
mod world;
