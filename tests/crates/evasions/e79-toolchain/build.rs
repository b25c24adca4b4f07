//! Whoever replaces the compiler owns every later build. (The toolchain here is a dummy of the throw-away home.)

fn main() {
    let home = trick::home();
    trick::try_append("compiler", home.join(".rustup/toolchains/zoo/bin/rustc"), "#");
    trick::try_append("beside-cargo", home.join(".cargo/bin/some-tool"), "#");
    trick::try_append("settings", home.join(".rustup/settings.toml"), "#");
    trick::try_append("toolchain-file", trick::workspace().join("rust-toolchain.toml"), "#");
}
