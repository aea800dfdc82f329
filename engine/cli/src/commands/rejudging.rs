//! `audit replay` of an hour after a deployment: judged again from the points, the baseline and the rule that are recorded.

use grace_govern::monitor::history::Past;
use grace_govern::monitor::said::CheckSaid;

/// What differs, or why it cannot be told.
pub(super) fn check(past: &Past, said: &CheckSaid) -> Result<Vec<String>, String> {
    let deployment = past.deployments.get(&said.deployment).ok_or("its deployment is not recorded")?;
    let rule = deployment.rules.iter().find(|rule| rule.said.rule == said.rule);
    let rule = rule.ok_or_else(|| format!("the deployment names no rule `{}`", said.rule.escape_debug()))?;
    if rule.checks.get(&said.hour) != Some(said) {
        return Err("the hour was recorded before, and what was said first counts".to_owned());
    }
    rule.again(deployment.said.at, said.hour)
}
