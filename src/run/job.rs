//! Which job of a CI server this is. In: variables, as servers set them. Out: the job's address, or nothing.

use super::stage::{Env, variable};

/// Of GitHub's runners it is put together as their documentation says, others tell it whole. Whatever is no plain address is left out: there may be
/// credentials in it.
pub fn named(env: &Env) -> Option<String> {
    let said = |name: &str| variable(env, name).and_then(|value| value.to_str()).filter(|value| !value.is_empty());
    let github = || {
        let (server, repository) = (said("GITHUB_SERVER_URL")?, said("GITHUB_REPOSITORY")?);
        let (run, attempt) = (said("GITHUB_RUN_ID")?, said("GITHUB_RUN_ATTEMPT").unwrap_or("1"));
        Some(format!("{server}/{repository}/actions/runs/{run}/attempts/{attempt}"))
    };
    let others = || ["CI_JOB_URL", "BUILD_URL"].into_iter().find_map(said).map(str::to_owned);
    github().or_else(others).filter(|address| is_plain(address))
}

fn is_plain(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_~:%".contains(&byte);
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest.len() < 500 && rest.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_servers_say() {
        let of = |variables: &[(&str, &str)]| named(&variables.iter().map(|(name, value)| (name.into(), value.into())).collect());
        let github = [("GITHUB_SERVER_URL", "https://h.example"), ("GITHUB_REPOSITORY", "o/r"), ("GITHUB_RUN_ID", "7")];
        assert_eq!(of(&github).as_deref(), Some("https://h.example/o/r/actions/runs/7/attempts/1"));
        assert_eq!(of(&github[..2]), None);
        assert_eq!(of(&[("CI_JOB_URL", "https://h.example/-/jobs/3")]).as_deref(), Some("https://h.example/-/jobs/3"));
        for odd in ["", "h.example/1", "https://u:p@h.example/1", "https://h.example/?token=x", "file:///etc", "https:///x", "https://h\n"]
        {
            assert_eq!(of(&[("BUILD_URL", odd)]), None, "{odd}");
        }
    }
}
