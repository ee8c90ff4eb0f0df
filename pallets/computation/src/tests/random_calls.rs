//! Any calls in any order, by some who know the truth, some who lie and some who send anything. The state is checked after each, and in the end
//! whoever played rightly, in time, has lost nothing, and the case is decided rightly.

use super::world::*;
use crate::{Call, Clocked, Defences, Error, Part, Runs, Trials, mock::*};
use agora_disputes::{Accusation, BranchMove, Defence, List, Player, RunEnd, Segment, Shown, Side, Target};
use agora_primitives::{
    courts::Standing,
    job::{StateOpening, blob},
};
use frame_support::assert_ok;
use sp_core::H256;

/// Some trial, defence and runs that are there, or not.
struct Names {
    trial: u64,
    key: H256,
    one: H256,
    other: H256,
}

impl Names {
    fn draw(random: &mut Random) -> Self {
        fn any<T>(all: Vec<T>, random: &mut Random) -> Option<T> {
            let count = all.len() as u64 + 1;
            all.into_iter().nth(random.below(count) as usize)
        }
        let trial = any(Trials::<Test>::iter_keys().collect(), random).unwrap_or(1000);
        let key = any(Defences::<Test>::iter_key_prefix(trial).collect(), random).unwrap_or_default();
        let roots = |random: &mut Random| {
            let all = Runs::<Test>::iter_key_prefix((trial, key)).collect();
            any(all, random).unwrap_or_default()
        };
        let (one, other) = (roots(random), roots(random));
        Self { trial, key, one, other }
    }
}

fn bytes(random: &mut Random) -> Vec<u8> {
    let length = [0, 4, 32, 1024, 5000][random.below(5) as usize];
    vec![random.next() as u8; length]
}

fn hashes(random: &mut Random) -> Vec<H256> {
    (0..random.below(20)).map(|_| random.hash()).collect()
}

/// A call that somebody makes who does not care.
fn anything(random: &mut Random) -> Call<Test> {
    let Names { trial, key, one, other } = Names::draw(random);
    let defence = key;
    let lists = [None, Some(List::States), Some(List::Scans), Some(List::Kept)];
    match random.below(14) {
        0 => Call::show {
            trial,
            shown: Shown::Children(hashes(random)),
        },
        1 => Call::show {
            trial,
            shown: Shown::Chunk(bytes(random)),
        },
        2 => Call::name_child {
            trial,
            child: random.below(4) as u32,
        },
        3 => Call::defend {
            trial,
            defence: Defence {
                states: random.hash(),
                scans: blob::hash(&[]),
                kept: blob::hash(&[]),
                failing: random.below(8) / 7,
            },
        },
        4 => {
            let made = match random.below(5) {
                0 => BranchMove::Choose(lists[random.below(4) as usize]),
                1 => BranchMove::Name(random.below(4) as u32),
                2 => BranchMove::Entry(random.below(4) as u32),
                3 => BranchMove::Show(Shown::Chunk(bytes(random))),
                _ => BranchMove::Bind(StateOpening {
                    index: random.below(4),
                    digest: random.hash(),
                    siblings: hashes(random),
                }),
            };
            Call::dispute_list { trial, defence, made }
        }
        5 => {
            let (root, mut end) = failing_run();
            if random.below(4) == 0 {
                end.state = bytes(random);
            }
            Call::add_run {
                trial,
                defence,
                root,
                end: Box::new(end),
            }
        }
        6 => Call::add_run {
            trial,
            defence,
            root: random.hash(),
            end: Box::new(RunEnd {
                path: vec![[random.hash(); 16]; random.below(10) as usize],
                state: bytes(random),
                chunk: None,
            }),
        },
        7 => Call::challenge {
            trial,
            defence,
            one,
            other,
        },
        8 => Call::open_node {
            trial,
            defence,
            one,
            other,
            player: [Player::First, Player::Second][random.below(2) as usize],
            children: Box::new([random.hash(); 16]),
        },
        9 => Call::execute {
            trial,
            defence,
            one,
            other,
            segment: Box::new(Segment {
                path: vec![],
                state: bytes(random),
                witness: bytes(random),
            }),
        },
        10 => Call::withdraw {
            case: random.below(3),
            accuser: random.below(20),
        },
        11 => Call::commit {
            task: TASK,
            commitment: random.hash(),
        },
        12 => {
            let what = [Clocked::Trial, Clocked::Defence(key), Clocked::Match(key, one, other)];
            Call::advance {
                trial,
                what: what[random.below(3) as usize],
            }
        }
        _ => {
            let part = [
                Part::Accusation,
                Part::Defence(key),
                Part::Run(key, one),
                Part::Match(key, one, other),
            ];
            Call::collect {
                trial,
                part: part[random.below(4) as usize],
            }
        }
    }
}

/// Plays one case to its end. Returns how many calls were tried.
fn play_one(world: &World, seed: u64) -> usize {
    let random = &mut Random(seed);
    let mut tried = 0;
    let liars: Vec<_> = (0..3)
        .map(|_| world.liar(random.below(4) as usize, random.below(4) as usize))
        .collect();
    let is_right = random.below(2) == 0;
    let claim = match is_right {
        true => world.right(),
        false => liars[0].claim(),
    };
    open_case(claim);
    let accuse = |by: &agora_arbiter::Arbiter<Nothing>| {
        by.target(&claim).map(|target| Accusation {
            accused: claim,
            target,
            own: Some(by.claim()),
        })
    };
    // Who accuses, and of what: those who lie, those who send anything, and whoever is honest if the claim is wrong.
    let mut accusations: Vec<(AccountId, Accusation)> = (LIAR..)
        .zip(&liars)
        .filter_map(|(who, liar)| Some((who, accuse(&liar.own)?)))
        .collect();
    let targets = [Target::Output, Target::States, Target::Inputs];
    for who in 10..10 + random.below(3) {
        accusations.push((who, accusation(claim, targets[random.below(3) as usize].clone())));
    }
    accusations.extend(accuse(&world.honest).map(|accusation| (HONEST, accusation)));
    for (who, accusation) in &accusations {
        assert_ok!(commit(*who, accusation));
    }
    run_to_reveal();
    let mut honest_trials = Vec::new();
    for (who, accusation) in &accusations {
        // Some never reveal.
        if *who == HONEST || random.below(5) > 0 {
            let id = reveal(*who, accusation).unwrap();
            honest_trials.extend((*who == HONEST || is_right).then_some(id));
        }
    }
    let side = if is_right { Side::Defence } else { Side::Accuser };
    let against = if is_right { Side::Accuser } else { Side::Defence };
    let honest = Seat::honest(HONEST, side, &world.honest);
    let lying: Vec<_> = (LIAR..)
        .zip(&liars)
        .flat_map(|(who, liar)| [Seat::liar(who, against, liar), Seat::liar(who, side, liar)])
        .collect();
    while matches!(standing(), Standing::Pending { .. }) {
        for id in Trials::<Test>::iter_keys().collect::<Vec<_>>() {
            for seat in &lying {
                if random.below(3) == 0 {
                    play_seat(seat, id, || random.below(4) > 0);
                    tried += 1;
                }
            }
        }
        for _ in 0..random.below(6) {
            let call = anything(random);
            let _ = dispatch(10 + random.below(8), call);
            check_money();
            tried += 1;
        }
        for &id in &honest_trials {
            // Twice: what a first move makes possible is done in the same block.
            for _ in 0..2 {
                play_seat(&honest, id, || true);
            }
        }
        for id in Trials::<Test>::iter_keys().collect::<Vec<_>>() {
            advance_all(id);
        }
        check_money();
        run_to(now() + 1 + random.below(2));
    }
    match is_right {
        true => assert_eq!(standing(), Standing::Stands),
        false => assert!(matches!(standing(), Standing::Fallen { .. })),
    }
    collect_all();
    assert!(has(HONEST) >= ENDOWMENT, "{}", has(HONEST));
    assert!(Reported::get().iter().all(|(who, _)| *who != HONEST));
    tried
}

#[test]
fn whoever_plays_rightly_loses_nothing_and_nothing_is_left() {
    let world = World::new();
    let mut tried = 0;
    for seed in 0..24 {
        println!("seed {seed}");
        run(|| tried += play_one(&world, seed));
    }
    println!("{tried} calls");
    assert!(tried > 2000, "{tried}");
}

#[test]
fn without_anything_to_call_nothing_happens() {
    run(|| {
        let random = &mut Random(99);
        for _ in 0..500 {
            let call = anything(random);
            let is_commit = matches!(call, Call::commit { .. });
            let result = dispatch(10, call);
            assert!(result.is_err());
            assert!(!is_commit || result == Err(Error::<Test>::NoCase.into()));
        }
        nothing_is_left();
    });
}
