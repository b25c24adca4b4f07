//! Whoever talks to such a daemon runs what it likes as root.

use trick::near::tell;

fn main() {
    tell("docker", trick::place().join("run/docker.sock"));
    tell("podman", trick::place().join("run/podman/podman.sock"));
    tell("containerd", trick::place().join("run/containerd/containerd.sock"));
}
