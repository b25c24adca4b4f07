//! Brig is killed at random moments of a build that steals: supervisor, keeper, both at once or a few milliseconds apart. Whatever is left
//! reads no secret and reaches no sink, what may not go on does not, and the next build works. `scripts/kill-storm` runs it a thousand times.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::effect::Before;
use crate::effect::Effect::Steals;
use crate::place::{Place, brig};
use crate::run::{cargo, child_of, guarded};
use crate::sink::Door;
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
/// Kills in the suite, of all users together.
const FEW: u32 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Supervisor,
    Keeper,
    Both,
    /// One, and the other so many milliseconds later.
    SupervisorFirst(u64),
    KeeperFirst(u64),
}

/// Numbers that can be had again: the seed is printed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn victim(&mut self) -> Victim {
        match self.below(5) {
            0 => Victim::Supervisor,
            1 => Victim::Keeper,
            2 => Victim::Both,
            3 => Victim::SupervisorFirst(self.below(8)),
            _ => Victim::KeeperFirst(self.below(8)),
        }
    }
}

#[test]
fn the_thief_really_steals() {
    for who in Who::all() {
        let place = Place::new("storm", who);
        let before = Before::look(&place, &[]);
        let outcome = cargo(&place, BUILD).env("ZOO_ROUND", "0").env("ZOO_LIFE", "1").go();
        for effect in [Steals(Door::Tcp), Steals(Door::Udp)] {
            assert!(effect.seen(&place, &outcome, &before), "{effect:?}\n{outcome}");
        }
    }
}

#[test]
fn brig_killed_at_any_moment_lets_nothing_through() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number")));
    let kills = number("ZOO_KILLS").unwrap_or(FEW.into());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number("ZOO_SEED").unwrap_or(now);
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let users = Who::all();
    let places: Vec<Place> = users.iter().map(|who| Place::new("storm", *who)).collect();
    for place in &places {
        // The script is compiled beforehand, so that most kills meet it at work; some still meet cargo thinking.
        cargo(place, BUILD).go().exits(0);
    }
    let mut left_over = 0;
    for round in 1..=kills {
        let place = &places[(round % places.len() as u64) as usize];
        let (victim, moment) = (dice.victim(), Duration::from_millis(dice.below(1500)));
        let mut run = start(place, round);
        std::thread::sleep(moment);
        let both = hit(&run, victim, place);
        let story = format!("round {round} of seed {seed}: {victim:?} after {moment:?} as {:?}", place.who);
        left_over += aftermath(place, &mut run, both, &story);
        let next = guarded(place, &[], BUILD).go();
        assert_eq!(next.code, 0, "{story}: the next build does not work\n{next}");
        if round % 50 == 0 {
            println!("{round} kills so far");
        }
    }
    println!(
        "{kills} kills: no secret read, no sink reached, every next build worked; {left_over} processes went on mute after both had been killed at once"
    );
}

fn start(place: &Place, round: u64) -> Child {
    place.hand_over();
    let mut command = Command::new(brig());
    place.environment(&mut command);
    place.who.apply(&mut command);
    command.arg("--report-dir").arg(place.path("report")).args(BUILD).env("ZOO_ROUND", round.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap()
}

/// Returns whether both were there to be hit.
fn hit(keeper: &Child, victim: Victim, place: &Place) -> bool {
    let keeper = Pid::from_raw(keeper.id() as i32);
    // Not split yet, or ended already: then there is one to hit, or none.
    let supervisor = child_of(keeper);
    // Dead ones stay ours until they are waited for, so no number here can be another's.
    let strike = |pid: Option<Pid>| pid.map(|pid| kill(pid, Signal::SIGKILL).ok());
    let pause = |millis| std::thread::sleep(Duration::from_millis(millis));
    match victim {
        Victim::Supervisor => drop(strike(supervisor)),
        Victim::Keeper => drop(strike(Some(keeper))),
        Victim::Both => drop((strike(supervisor), strike(Some(keeper)))),
        Victim::SupervisorFirst(gap) => {
            strike(supervisor);
            pause(gap);
            strike(Some(keeper));
        }
        Victim::KeeperFirst(gap) => {
            strike(Some(keeper));
            pause(gap);
            // The keeper's number is still its own (we have not waited), its child's may be no more.
            strike(supervisor.filter(|pid| of_the_place(*pid, place)));
        }
    }
    supervisor.is_some() && !matches!(victim, Victim::Supervisor | Victim::Keeper)
}

/// Waits for the end, looks at the sinks, and returns how many processes went on.
fn aftermath(place: &Place, run: &mut Child, both: bool, story: &str) -> usize {
    let until = Instant::now() + Duration::from_secs(60);
    while run.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "{story}: it hangs");
        std::thread::sleep(Duration::from_millis(5));
    }
    // One of the two is enough to end everything. A supervisor left alone writes its report first.
    // Of what is ours, nothing stays in any case.
    let begun = Instant::now();
    let over = |left: &[Pid]| {
        let only_forks = both && !left.iter().any(|pid| name(*pid).contains("cargo"));
        left.is_empty() || begun.elapsed() > Duration::from_millis(if only_forks { 600 } else { 20_000 })
    };
    let mut left = everyone(place);
    while !over(&left) {
        std::thread::sleep(Duration::from_millis(10));
        left = everyone(place);
    }
    assert!(both || left.is_empty(), "{story}: {left:?} go on: {:?}", left.iter().map(|pid| name(*pid)).collect::<Vec<_>>());
    for pid in &left {
        // Nothing of ours, and nothing that cargo started itself, may go on; only what was forked below that.
        let name = name(*pid);
        assert!(!name.contains("cargo"), "{story}: {name} goes on");
        kill(*pid, Signal::SIGKILL).ok();
    }
    for door in Door::ALL {
        let heard = place.sinks.heard(door);
        assert!(heard.is_empty(), "{story}: at {door:?}: {}", String::from_utf8_lossy(&heard));
    }
    left.len()
}

fn name(pid: Pid) -> String {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    exe.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Living processes that were started with this place's environment.
fn everyone(place: &Place) -> Vec<Pid> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.map(Pid::from_raw).filter(|pid| of_the_place(*pid, place)).collect()
}

fn of_the_place(pid: Pid, place: &Place) -> bool {
    let needle = place.path("home");
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.windows(needle.as_os_str().len()).any(|window| window == needle.as_os_str().as_encoded_bytes())
}
