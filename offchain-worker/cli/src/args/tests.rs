use super::*;
use crate::units::name_of;
use agora_primitives::participants::Role;
use clap::CommandFactory;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_guide_shows_every_command() {
    let guides = [
        include_str!("../../../../docs/guides/auditor.md"),
        include_str!("../../../../docs/guides/miner.md"),
        include_str!("../../../../docs/guides/publisher.md"),
        include_str!("../../../../docs/guides/verifier.md"),
    ];
    for command in Cli::command().get_subcommands() {
        let typed = format!("agora {}", command.get_name());
        let is_end = |rest: &&str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-');
        let shown = |guide: &&str| guide.split(&typed).skip(1).any(|rest| is_end(&rest));
        assert!(guides.iter().any(shown), "no guide shows `{typed}`");
    }
}

#[test]
fn verifiers_work_with_verify_work_and_proofs_are_verified_with_verify() {
    let read = |line: &[&str]| Cli::try_parse_from(line).map(|cli| cli.command);
    assert!(matches!(
        read(&["agora", "verify-work", "--heartbeat", "5"]),
        Ok(Command::VerifyWork(VerifyWorkArgs {
            run: RunArgs { heartbeat: 5, .. },
            ..
        }))
    ));
    assert!(matches!(
        read(&["agora", "verify", "7"]),
        Ok(Command::Verify(VerifyArgs { task: 7, .. }))
    ));
    assert!(read(&["agora", "validate"]).is_err());
}

#[test]
fn checks_take_a_device_and_use_the_best_one_if_none_is_named() {
    let device = |line: &[&str]| match Cli::try_parse_from(line).ok()?.command {
        Command::VerifyWork(args) => Some(args.device),
        Command::Verify(args) => Some(args.device),
        _ => None,
    };
    for line in [&["agora", "verify-work"][..], &["agora", "verify", "7", "--check"]] {
        assert_eq!(device(line).as_deref(), Some("auto"));
        assert_eq!(device(&[line, &["--device", "cpu"]].concat()).as_deref(), Some("cpu"));
    }
    // Without a check nothing is computed.
    assert!(device(&["agora", "verify", "7"]).is_some());
    assert_eq!(device(&["agora", "verify", "7", "--device", "cpu"]), None);
}

#[test]
fn mine_and_verify_work_take_a_heartbeat_and_an_address_for_metrics() {
    for command in ["mine", "verify-work"] {
        let line = ["agora", command, "--heartbeat", "5", "--metrics", "127.0.0.1:9616"];
        let run = match Cli::try_parse_from(line).map(|cli| cli.command) {
            Ok(Command::Mine(MineArgs { run, .. }) | Command::VerifyWork(VerifyWorkArgs { run, .. })) => run,
            _ => panic!("{command} does not take them"),
        };
        assert_eq!(run.heartbeat, 5);
        assert_eq!(run.metrics, Some(([127, 0, 0, 1], 9616).into()));
    }
}

#[test]
fn each_role_is_called_as_the_chain_calls_it() {
    for role in [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert] {
        let line = ["agora", "register", "--bond", "1", "--role", &name_of(&role)];
        let Ok(Command::Register(args)) = Cli::try_parse_from(line).map(|cli| cli.command) else {
            panic!("the role {role:?} is not known");
        };
        assert_eq!(Role::from(args.role), role);
    }
}

#[test]
fn an_unknown_kind_of_work_is_answered_with_the_known_ones() {
    let line = [
        "agora",
        "register",
        "--role",
        "worker",
        "--bond",
        "1",
        "--specialisations",
        "mining",
    ];
    let Err(error) = Cli::try_parse_from(line) else {
        panic!("there is no such kind");
    };
    assert!(error.to_string().contains("row-transform"), "{error}");
}

#[test]
fn several_nodes_are_named_by_commas_or_by_repeating() {
    let line = ["agora", "tasks", "--url", "ws://a:1,ws://b:2", "--url", "ws://c:3"];
    let urls = Cli::try_parse_from(line).map(|cli| cli.global.urls).unwrap_or_default();
    assert_eq!(urls, ["ws://a:1", "ws://b:2", "ws://c:3"]);
}

#[test]
fn the_units_of_deploy_run_commands_that_there_are() {
    let units = [
        include_str!("../../../../deploy/systemd/agora-worker@.service"),
        include_str!("../../../../deploy/systemd/agora-verifier@.service"),
    ];
    let mut commands = 0;
    for line in units
        .iter()
        .flat_map(|unit| unit.lines())
        .filter(|line| line.starts_with("Exec"))
    {
        let (_, command) = line.split_once('=').expect("a setting has a value");
        let words = command.trim_start_matches('-').split_whitespace();
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{line}: {error}");
        }
        commands += 1;
    }
    assert_eq!(commands, 4, "each unit looks before it starts");
}

#[test]
fn the_market_in_containers_runs_commands_that_there_are() {
    let compose = include_str!("../../../../deploy/compose.yml");
    let mut commands = Vec::new();
    for line in compose.lines() {
        let words = line
            .trim()
            .strip_prefix("command: ")
            .map(serde_json::from_str::<Vec<String>>);
        if let Some([shell, option, script]) = words.transpose().expect("a list of words").as_deref() {
            assert_eq!((shell.as_str(), option.as_str()), ("sh", "-c"));
            commands.extend(
                script
                    .split(';')
                    .map(|command| command.trim().trim_start_matches("exec ").to_owned()),
            );
        }
    }
    // What it says to try.
    let tries = compose
        .lines()
        .filter_map(|line| line.strip_prefix("#  ")?.split_once("exec worker "));
    commands.extend(tries.map(|(_, command)| command.to_owned()));
    assert_eq!(commands.len(), 6, "worker and verifier register first: {commands:?}");
    for command in commands {
        if let Err(error) = Cli::try_parse_from(command.split_whitespace()) {
            panic!("{command}: {error}");
        }
    }
}

#[test]
fn a_worker_says_what_it_risks_what_it_asks_and_when_it_takes_tasks() {
    let line = "agora mine --device all --min-profit 0.5 --power-price 0.25 --watts 350 --max-exposure 100 \
                --stop-loss 20 --stop-loss-hours 12 --hours 22-6";
    let Ok(Command::Mine(args)) = Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command) else {
        panic!("mine does not take them");
    };
    let (unit, power) = (crate::units::UNIT, args.power());
    assert_eq!((power.price_per_kwh, power.watts), (unit / 4, 350));
    assert_eq!(args.min_profit.0, unit / 2);
    assert_eq!(args.max_exposure(), 100 * unit);
    assert_eq!(args.run.risk.stop_loss.map(|amount| amount.0), Some(20 * unit));
    assert_eq!(args.run.risk.stop_loss_hours, 12);
    assert_eq!(args.hours, Some("22-6".parse().expect("they are well formed")));
    for wrong in ["--hours 6-6", "--hours night", "--power-price 1", "--stop-loss-hours 0"] {
        let line = format!("agora mine {wrong}");
        assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{wrong}");
    }
}

#[test]
fn an_operator_says_whom_and_what_it_wants_and_what_is_kept() {
    let (one, other) = (
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
        "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
    );
    let hash = "0f".repeat(32);
    for command in ["mine", "verify-work"] {
        let line = format!(
            "agora {command} --publishers {one},{other} --deny-publisher {other} --deny-blob {hash} --keep-days 7 \
             --store-size 100 --stop-loss 5"
        );
        let run = match Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command) {
            Ok(Command::Mine(args)) => args.run,
            Ok(Command::VerifyWork(args)) => args.run,
            _ => panic!("{command} does not take them"),
        };
        let [one, other] = [one, other].map(|text| text.parse().expect("it is an account"));
        let wanted = run.publishers.wanted();
        assert!(wanted.allow(&one) && !wanted.allow(&other), "{wanted:?}");
        assert!(run.deny.denied().contains(&[0x0f; 32]));
        let house = run.keep.housekeeping().expect("house is kept");
        assert_eq!((house.age.as_secs(), house.quota), (7 * 86_400, Some(100 << 30)));
        let stop = run.risk.stop_loss().expect("it is said");
        assert_eq!((stop.most, stop.within.as_secs()), (5 * crate::units::UNIT, 86_400));
        let without = match Cli::try_parse_from(["agora", command, "--keep-all"]).map(|cli| cli.command) {
            Ok(Command::Mine(args)) => args.run,
            Ok(Command::VerifyWork(args)) => args.run,
            _ => panic!("{command} does not take it"),
        };
        assert_eq!(without.keep.housekeeping(), None);
        assert!(without.publishers.wanted().allow(&other), "everybody");
        for wrong in [
            "--publishers nobody",
            "--deny-blob 0f",
            "--deny-publisher 0f",
            "--keep-all --store-size 1",
        ] {
            let line = format!("agora {command} {wrong}");
            assert!(Cli::try_parse_from(line.split_whitespace()).is_err(), "{line}");
        }
    }
}

#[test]
fn the_version_tells_whether_the_build_can_misbehave() {
    let version = Cli::command().render_version();
    assert!(
        version.starts_with(&format!("agora {}", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );
    assert_eq!(
        version.contains("with fault injection"),
        cfg!(feature = "fault-injection"),
        "{version}"
    );
}
