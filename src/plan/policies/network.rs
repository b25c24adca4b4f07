//! Sockets, name lookups and whoever listens on this machine.

use super::*;

#[test]
fn network_and_agents() {
    let net = |severity| Alarm(Rule::NetConnect, severity);
    let agent = Alarm(Rule::IpcAgent, High);
    let lookup = |name: &str| Act::Lookup { name: name.into(), via: ip("127.0.0.53:53", None) };
    let abstract_name = |name: &str| Act::Connect { to: Endpoint::UnixAbstract { name: name.into() } };
    let socket = |family: &str| Act::Socket { family: family.into(), kind: "raw".into() };
    check(
        "default",
        &[
            (BuildScript, connect("93.184.216.34:443"), None, net(High)),
            (BuildScript, Act::Send { to: ip("8.8.8.8:9", None) }, None, net(High)),
            (BuildScript, connect("169.254.169.254:80"), None, net(Critical)),
            (BuildScript, connect("[fd00:ec2::254]:80"), None, net(Critical)),
            (BuildScript, connect("[::ffff:169.254.169.254]:80"), None, net(Critical)),
            (BuildScript, connect("127.0.0.1:4226"), None, net(Medium)),
            (BuildScript, connect("8.8.8.8:53"), None, Alarm(Rule::NetDns, Medium)),
            (BuildScript, lookup("evil.example"), None, Alarm(Rule::NetDns, Medium)),
            (BuildScript, lookup("localhost"), None, Allow),
            (Program, connect("127.0.0.1:5432"), None, Allow),
            (Program, connect("[::1]:8080"), None, Allow),
            (Program, connect("93.184.216.34:443"), None, net(High)),
            (Tool, connect("93.184.216.34:443"), None, Allow),
            (BuildScript, unix("/run/user/1000/bus"), file(), agent),
            (BuildScript, unix("/var/run/docker.sock"), file(), agent),
            (Program, unix("/tmp/ssh-XXXX/agent.1"), file(), agent),
            (BuildScript, unix("/home/u/agents/my.sock"), file(), agent),
            (BuildScript, unix("/run/nscd/socket"), None, Quiet),
            (BuildScript, unix("/run/systemd/userdb/io.systemd.DynamicUser"), None, Quiet),
            (BuildScript, unix("/tmp/brig-1/7/s"), file(), Allow),
            (BuildScript, unix("/srv/pg/.s.PGSQL.5432"), file(), Alarm(Rule::IpcAgent, Medium)),
            (BuildScript, abstract_name("/tmp/.X11-unix/X0"), None, agent),
            (Program, abstract_name("somebodys"), None, Alarm(Rule::IpcAgent, Medium)),
            (BuildScript, abstract_name("somebodys"), None, Alarm(Rule::IpcAgent, Medium)),
            (BuildScript, Act::Bind { to: ip("127.0.0.1:0", None) }, None, Note(Rule::NetBind)),
            (Program, Act::Bind { to: ip("127.0.0.1:0", None) }, None, Allow),
            (BuildScript, socket("AF_VSOCK"), None, net(Medium)),
            (BuildScript, socket("netlink-audit"), None, Quiet),
        ],
    );
}
