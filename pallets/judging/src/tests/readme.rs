/// The example that the README gives is the one that this crate's own tests are built with.
#[test]
fn shows_the_composition_that_is_compiled_here() {
    let mock = include_str!("../mock.rs");
    let (_, rest) = mock.split_once("// begin: composition\n").expect("begin is marked");
    let (example, _) = rest.split_once("// end: composition").expect("end is marked");
    assert!(include_str!("../../README.md").contains(example));
}
