use super::*;
use crate::args::Command as Parsed;

struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), text).expect("it is written");
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> Result<Cli, String> {
        let file = self.0.path().join(FILE).into_os_string();
        let line = [OsString::from("agora"), "--config".into(), file];
        let line: Vec<_> = line.into_iter().chain(arguments.iter().map(OsString::from)).collect();
        parse(&line).map_err(|(_, stop)| match stop {
            Stop::Parser(error) => error.to_string(),
            Stop::Error(error) => error.to_string(),
        })
    }

    fn error(&self, arguments: &[&str]) -> String {
        match self.run(arguments) {
            Ok(_) => panic!("{arguments:?} is wrong"),
            Err(error) => error,
        }
    }
}

const TWO: &str = r#"
profile = "home"

[profiles.home]
url = "ws://home:9944"
patience = 30
json = true
key-file = "/home/me/key"

[profiles.home.mine]
device = ["0", "cpu"]
heartbeat = 7

[profiles.home.register]
role = "worker"
bond = "1000"

[profiles.away]
url = "wss://away"
"#;

#[test]
fn a_profile_gives_what_the_command_line_leaves_out() {
    let file = File::new(TWO);
    let home = file.run(&["tasks"]).expect("it is right");
    assert_eq!(
        (home.global.urls.concat(), home.global.patience),
        ("ws://home:9944".to_owned(), 30)
    );
    assert_eq!(home.global.format(), Format::Json);
    let away = file.run(&["--profile", "away", "tasks"]).expect("it is right");
    assert_eq!(
        (away.global.urls.concat(), away.global.patience),
        ("wss://away".to_owned(), 10)
    );
    let line = file.run(&["--url", "ws://line", "tasks"]).expect("it is right");
    assert_eq!(line.global.urls, ["ws://line"]);
}

#[test]
fn a_profile_has_options_of_commands() {
    let file = File::new(TWO);
    let Ok(Parsed::Mine(mine)) = file.run(&["mine"]).map(|cli| cli.command) else {
        panic!("it is right");
    };
    assert_eq!(
        (mine.devices, mine.run.heartbeat),
        (vec!["0".to_owned(), "cpu".to_owned()], 7)
    );
    let Ok(Parsed::Mine(mine)) = file.run(&["mine", "--device", "1"]).map(|cli| cli.command) else {
        panic!("it is right");
    };
    assert_eq!(mine.devices, ["1"]);
    let register = file.run(&["register"]).map(|cli| cli.command);
    assert!(
        matches!(register, Ok(Parsed::Register(_))),
        "an option that is demanded may come from the profile"
    );
}

#[test]
fn a_key_on_the_command_line_goes_before_one_of_the_profile() {
    let file = File::new(TWO);
    let alice = file.run(&["--dev", "//Alice", "tasks"]).expect("it is right").global;
    assert_eq!((alice.dev.as_deref(), alice.key_file), (Some("//Alice"), None));
    let profile = File::new("[profiles.default]\ndev = \"//Bob\"\n");
    let line = profile
        .run(&["--key-file", "key", "tasks"])
        .expect("it is right")
        .global;
    assert_eq!((line.dev, line.key_file), (None, Some("key".into())));
    let default = profile.run(&["tasks"]).expect("it is right").global;
    assert_eq!(
        default.dev.as_deref(),
        Some("//Bob"),
        "the profile called default needs no choosing"
    );
}

#[test]
fn mistakes_in_the_file_are_told_with_their_line() {
    let wrong = [
        ("[profiles.a]\nurll = \"ws://host\"\n", 2, "urll"),
        ("[profiles.a]\nurl = \"http://host\"\n", 2, "ws://host:port"),
        ("[profiles.a]\n[profiles.a.mine]\n\ndevices = \"0\"\n", 4, "devices"),
        ("[profiles.a]\npatience = \"long\"\n", 2, "patience"),
        ("[profiles.a]\nurl = [\"ws://a\", { b = 1 }]\n", 2, "url"),
        ("[profiles.a]\njson = \"maybe\"\n", 2, "json"),
        ("[profiles.a]\nprofile = \"b\"\n", 2, "profile"),
        ("[profiles.a.mining]\ndevice = \"0\"\n", 1, "mining"),
        ("url = \"ws://host\"\n", 1, "profiles"),
        ("\nprofile = \"gone\"\n", 2, "gone"),
        ("[profiles.a\n", 1, ""),
    ];
    for (text, line, word) in wrong {
        let error = File::new(text).error(&["tasks"]);
        assert!(
            error.contains(&format!("{FILE}:{line}: ")) && error.contains(word),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn an_unknown_profile_is_answered_with_the_known_ones() {
    let error = File::new(TWO).error(&["--profile", "work", "tasks"]);
    assert!(error.contains("home") && error.contains("away"), "{error}");
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let line = ["agora", "--config", "/nowhere/config.toml", "tasks"].map(OsString::from);
    let Err((_, Stop::Error(error))) = parse(&line) else {
        panic!("there is no such file");
    };
    assert_eq!(error.code(), 2);
    assert!(error.to_string().contains("/nowhere/config.toml"), "{error}");
}

#[test]
fn a_wrong_line_still_tells_how_its_error_is_to_be_printed() {
    for (line, told) in [
        (["-o", "yaml"], Format::Yaml),
        (["--json", "--patience=1"], Format::Json),
    ] {
        let line = [&["agora"], &line[..], &["tasks", "--nonsense"]].concat();
        let line: Vec<_> = line.into_iter().map(OsString::from).collect();
        let Err((format, Stop::Parser(_))) = parse(&line) else {
            panic!("there is no such option");
        };
        assert_eq!(format, told);
    }
}
