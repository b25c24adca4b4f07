//! Clean until its tests are run.

#[test]
fn looks_harmless() {
    trick::try_read("unit-test", trick::ssh_key());
}
