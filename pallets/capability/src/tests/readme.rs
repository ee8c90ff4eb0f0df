/// The example that the README gives is the one that this crate's own tests are built with.
#[test]
fn the_readme_has_the_composition_of_the_mock() {
    let (_, example) = include_str!("../mock.rs")
        .split_once("// begin: composition\n")
        .unwrap();
    let (example, _) = example.split_once("// end: composition\n").unwrap();
    assert!(include_str!("../../README.md").contains(example));
}
