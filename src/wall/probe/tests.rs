//! The probe holds where the walls hold, and fails when one is left out on purpose.

use super::*;

fn abi() -> u32 {
    landlock::abi().expect("a kernel with landlock")
}

fn with(walls: impl FnOnce(&Ground, &Pass) -> Walls) -> Result<Proof, Unproved> {
    let dir = tempfile::tempdir().unwrap();
    let ground = Ground::new(dir.path()).unwrap();
    let pass = Pass::random().unwrap();
    let walls = walls(&ground, &pass);
    prove(walls, &ground, &pass, abi(), Network::Wall)
}

fn leak(result: Result<Proof, Unproved>) -> &'static str {
    match result {
        Err(Unproved::Leak { what, .. }) => what,
        other => panic!("expected a leak, got {other:?}"),
    }
}

fn ruleset(ground: &Ground, network: Network) -> Option<OwnedFd> {
    Some(ruleset::of_grants(&ground.grants(), &[], abi(), network).unwrap())
}

#[test]
fn the_walls_hold_on_this_kernel() {
    let dir = tempfile::tempdir().unwrap();
    for network in [Network::Private, Network::Wall] {
        let proof = probe(dir.path(), abi(), network).unwrap();
        assert_eq!(proof.held.contains(&"a TCP connection"), network == Network::Wall && abi() >= 4);
        assert!(proof.held.len() >= 15, "{proof:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "the probe left something behind");
}

#[test]
fn every_older_abi_is_proved_too() {
    let dir = tempfile::tempdir().unwrap();
    for older in ruleset::LEAST_ABI..=abi() {
        probe(dir.path(), older, Network::Wall).unwrap_or_else(|error| panic!("ABI {older}: {error}"));
    }
}

#[test]
fn a_missing_ruleset_is_noticed() {
    let result = with(|_, pass| Walls { ruleset: None, program: Some(filter::program(pass).unwrap()) });
    assert_eq!(leak(result), "reading a file outside");
}

#[test]
fn a_missing_filter_is_noticed() {
    let result = with(|ground, _| Walls { ruleset: ruleset(ground, Network::Wall), program: None });
    // On a kernel without x32 that number answers ENOSYS anyway.
    assert!(["a call by its x32 number", "clone3"].contains(&leak(result)));
}

#[test]
fn a_filter_for_other_words_is_noticed() {
    let other = Pass { words: [1, 2, 3] };
    let result = with(|ground, _| Walls { ruleset: ruleset(ground, Network::Wall), program: Some(filter::program(&other).unwrap()) });
    assert_eq!(leak(result), "sendmsg with the launcher's words");
}

#[test]
fn a_ruleset_without_the_network_is_noticed() {
    if abi() < 4 {
        return;
    }
    let result = with(|ground, pass| Walls { ruleset: ruleset(ground, Network::Private), program: Some(filter::program(pass).unwrap()) });
    assert_eq!(leak(result), "a TCP connection");
}

#[test]
fn a_ruleset_that_grants_the_canary_is_noticed() {
    let result = with(|ground, pass| {
        let mut grants = ground.grants();
        grants.read.push(ground.path.join("outside"));
        let ruleset = ruleset::of_grants(&grants, &[], abi(), Network::Wall).unwrap();
        Walls { ruleset: Some(ruleset), program: Some(filter::program(pass).unwrap()) }
    });
    assert_eq!(leak(result), "reading a file outside");
}

#[test]
fn a_probe_that_refuses_everything_proves_nothing() {
    let result = with(|_, pass| {
        let nothing = ruleset::of_grants(&KernelGrants::default(), &[], abi(), Network::Wall).unwrap();
        Walls { ruleset: Some(nothing), program: Some(filter::program(pass).unwrap()) }
    });
    assert_eq!(leak(result), "reading a granted file");
}

/// Not a limit to hold (machines differ), but the number to look at: `cargo test cost -- --nocapture`.
#[test]
fn cost_of_a_probe() {
    let dir = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    for _ in 0..20 {
        probe(dir.path(), abi(), Network::Private).unwrap();
    }
    println!("probe: {:?} each", begin.elapsed() / 20);
}
