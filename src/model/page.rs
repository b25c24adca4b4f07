//! The page of a rule, as `explain`, SARIF and the HTML page show it: Markdown, ours from the first word to the last. The texts lie beside the
//! rules' decisions, in `judge/rules`.

use super::rule::Rule;

/// The whole page.
pub fn page(rule: Rule) -> &'static str {
    match rule {
        Rule::SecretRead => include_str!("../judge/rules/secret_read.md"),
        Rule::SecretThenNetwork => include_str!("../judge/rules/secret_then_network.md"),
        Rule::NetConnect => include_str!("../judge/rules/net_connect.md"),
        Rule::NetDns => include_str!("../judge/rules/net_dns.md"),
        Rule::NetBind => include_str!("../judge/rules/net_bind.md"),
        Rule::FsReadOutside => include_str!("../judge/rules/fs_read_outside.md"),
        Rule::FsWriteOutside => include_str!("../judge/rules/fs_write_outside.md"),
        Rule::FsPersist => include_str!("../judge/rules/fs_persist.md"),
        Rule::FsWriteSource => include_str!("../judge/rules/fs_write_source.md"),
        Rule::FsForeignArtifact => include_str!("../judge/rules/fs_foreign_artifact.md"),
        Rule::ExecUnexpected => include_str!("../judge/rules/exec_unexpected.md"),
        Rule::ExecDownloader => include_str!("../judge/rules/exec_downloader.md"),
        Rule::ExecDropped => include_str!("../judge/rules/exec_dropped.md"),
        Rule::IpcAgent => include_str!("../judge/rules/ipc_agent.md"),
        Rule::CiCommandFile => include_str!("../judge/rules/ci_command_file.md"),
        Rule::ProcTamper => include_str!("../judge/rules/proc_tamper.md"),
        Rule::ProcSurvivor => include_str!("../judge/rules/proc_survivor.md"),
        Rule::ProcTimeout => include_str!("../judge/rules/proc_timeout.md"),
        Rule::EnvWithheld => include_str!("../judge/rules/env_withheld.md"),
        Rule::EnvLoader => include_str!("../judge/rules/env_loader.md"),
        Rule::LinkLoader => include_str!("../judge/rules/link_loader.md"),
        Rule::CoverageLost => include_str!("../judge/rules/coverage_lost.md"),
        Rule::CoverageDegraded => include_str!("../judge/rules/coverage_degraded.md"),
        Rule::PolicyExpired => include_str!("../judge/rules/policy_expired.md"),
        Rule::PolicyUnused => include_str!("../judge/rules/policy_unused.md"),
        Rule::PolicyTooWide => include_str!("../judge/rules/policy_too_wide.md"),
        Rule::PackageMalicious => include_str!("../judge/rules/package_malicious.md"),
        Rule::PackageDenied => include_str!("../judge/rules/package_denied.md"),
        Rule::BaselineUnaccepted => include_str!("../judge/rules/baseline_unaccepted.md"),
        Rule::BaselineNew => include_str!("../judge/rules/baseline_new.md"),
    }
}

/// Its first paragraph, in one line.
pub fn summary(rule: Rule) -> String {
    let text = page(rule).split_once('\n').map_or("", |(_, rest)| rest).trim_start();
    text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_page() {
        for rule in Rule::ALL {
            let text = page(*rule);
            assert!(text.starts_with(&format!("# {}\n", rule.id())), "the page of {} names another rule", rule.id());
            for heading in ["## What it means", "## What to do"] {
                assert!(text.contains(heading), "the page of {} lacks `{heading}`", rule.id());
            }
            let summary = summary(*rule);
            assert!(summary.ends_with('.') && !summary.starts_with('#'), "the page of {} has no summary: {summary}", rule.id());
        }
    }
}
