//! The example in a README is code that the tests are built with.

/// Checks that `readme` shows what stands in `source` between the lines `// README: begin` and `// README: end`, less
/// the indentation of the first of the two.
///
/// So the README's example is compiled and run with the unit tests. As a doctest it would be linked once more, with the
/// whole SDK.
pub fn assert_shows(readme: &str, source: &str) {
    let (before, rest) = source
        .split_once("// README: begin\n")
        .expect("the beginning is marked");
    let (example, _) = rest.split_once("// README: end").expect("the end is marked");
    let indentation = before.rsplit('\n').next().unwrap_or_default();
    let example: String = example
        .trim_end_matches(' ')
        .lines()
        .map(|line| line.strip_prefix(indentation).unwrap_or(line).to_owned() + "\n")
        .collect();
    assert!(readme.contains(&example), "the README must contain:\n{example}");
}
