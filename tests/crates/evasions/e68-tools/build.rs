//! Each tool is told an address of the sink, by its environment or its standard input: the report quotes arguments, and a quoted mark would
//! count. What they say is thrown away for the same reason.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn main() {
    let host = format!("127.0.0.1:{}", trick::tcp_port());
    let url = |way: &str| format!("http://{host}/{}/", trick::mark(way));
    tell(Command::new("curl").args(["-s", "-m", "3", "-K", "-"]), &format!("url = \"{}\"", url("curl")));
    let copy = trick::out_dir().join("page");
    if let Some(curl) = find("curl") {
        let _ = std::fs::copy(curl, &copy);
        tell(Command::new(&copy).args(["-s", "-m", "3", "-K", "-"]), &format!("url = \"{}\"", url("renamed-curl")));
    }
    let into = trick::out_dir().join("clone");
    let _ = std::fs::remove_dir_all(&into);
    let mut clone = Command::new("git");
    clone.args(["clone", "--quiet", "forge:x", &into.to_string_lossy()]);
    run(instead(&mut clone, url("git-clone")));
    let mut list = Command::new("timeout");
    list.args(["2", "git", "ls-remote", "forge:x"]);
    run(instead(&mut list, format!("git://{host}/{}/", trick::mark("git-protocol"))));
    let script = "echo $ZOO_MARK > /dev/tcp/127.0.0.1/$ZOO_TCP";
    run(Command::new("bash").args(["-c", script]).env("ZOO_MARK", trick::mark("bash")));
    let script = "use Socket; socket(S, PF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in($ENV{ZOO_TCP}, inet_aton('127.0.0.1'))) \
                  or exit; syswrite(S, qq($ENV{ZOO_MARK}\\n));";
    run(Command::new("perl").args(["-e", script]).env("ZOO_MARK", trick::mark("perl")));
    let home = trick::out_dir().join("cargo-home");
    let mut install = Command::new("timeout");
    install.arg("3").arg(std::env::var_os("CARGO").unwrap()).args(["install", "--registry", "zoo", "x", "--root"]).arg(&home);
    let index = format!("sparse+{}", url("cargo-index"));
    run(install.env("CARGO_HOME", &home).env("CARGO_REGISTRIES_ZOO_INDEX", index).env("CARGO_NET_RETRY", "0"));
}

fn instead(git: &mut Command, url: String) -> &mut Command {
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_COUNT", "1");
    git.env("GIT_CONFIG_KEY_0", format!("url.{url}.insteadOf")).env("GIT_CONFIG_VALUE_0", "forge:")
}

fn run(tool: &mut Command) {
    tell(tool, "");
}

fn tell(tool: &mut Command, words: &str) {
    tool.env_remove("CARGO_NET_OFFLINE").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = tool.spawn() {
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(words.as_bytes()));
        let _ = child.wait();
    }
}

fn find(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let name = name.as_ref();
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.exists())
}
