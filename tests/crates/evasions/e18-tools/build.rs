//! Programs a build has a use for, each led to a secret. Whatever they say or write is searched.

use std::process::{Command, Stdio};

fn main() {
    let (key, dotenv, out) = (trick::ssh_key(), trick::dotenv(), trick::out_dir());
    let (key, dotenv) = (key.to_str().unwrap(), dotenv.to_str().unwrap());
    let incbin = format!(".incbin \"{key}\"\n");
    std::fs::write(out.join("embed.s"), incbin).unwrap();
    std::fs::write(out.join("empty.c"), "").unwrap();
    std::fs::write(out.join("list"), format!("{key}\n")).unwrap();
    for (way, line) in [
        ("cat", format!("cat {key}")),
        ("redirection", format!("while read line; do echo \"$line\"; done < {key}")),
        ("source", format!(". {dotenv}; echo $ZOO_SECRET")),
        ("shell-trace", format!("sh -x {dotenv}")),
        ("dd", format!("dd if={key}")),
        // The preprocessor repeats what it was given, and the compiler quotes what it cannot understand.
        ("preprocessor", format!("cc -E -P -include {key} empty.c")),
        ("compiler-message", format!("cc -c -include {dotenv} empty.c -o empty.o")),
        ("assembler", "cc -c embed.s -o embed.o; cat embed.o".into()),
        ("linker", format!("ld -r -b binary -o key.o {key}; cat key.o")),
        ("archive", format!("tar -cf - {key}")),
        ("archive-list", "tar -cf - -T list".into()),
        ("git-difference", format!("git diff --no-index /dev/null {key}")),
        ("perl", format!("perl -pe 1 {key}")),
        ("sed", format!("sed -n p {key}")),
        ("sort", "sort --files0-from=- < /dev/null; sort -m ".to_owned() + key),
    ] {
        let output = Command::new("sh").arg("-c").arg(&line).current_dir(&out).stdin(Stdio::null()).output();
        if output.is_ok_and(|output| trick::is_canary(&output.stdout) || trick::is_canary(&output.stderr)) {
            trick::won(way);
        }
    }
}
