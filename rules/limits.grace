# Latency and error limits of the five domains, each tied to a KPI of `grace.telemetry`.
# Adopt it once those KPIs are collected: a limit that is broken, or whose KPI has no data, holds the change for its owner.

module grace.limits
use    grace.vocabulary, grace.telemetry

rule layer1_limits
  when     change touches layer(layer1)
  limit    kpi(boot_latency) p95 over 24 h at most 1000 ms
  limit    kpi(boot_error_rate) over 24 h at most 5 %
  owner    team(governance)
  because  "A slow or failing boot is found before more is built on it."

rule self_healing_limits
  when     change touches domain(self_healing)
  limit    kpi(heal_latency) p95 over 24 h at most 5000 ms
  limit    kpi(heal_error_rate) over 24 h at most 5 %
  owner    team(governance)
  because  "Healing that comes late is an outage."

rule governance_limits
  when     change touches domain(governance)
  limit    kpi(policy_violation_rate) over 24 h at most 1 %
  owner    team(governance)
  because  "A decision that was wrong once in a hundred times is not a control."

rule model_routing_limits
  when     change touches tag(oss_model_wrapper) plus domain(model_routing)
  limit    kpi(model_latency) p95 over 24 h at most 3000 ms
  limit    kpi(model_error_rate) over 24 h at most 5 %
  owner    team(governance)
  because  "Routing is judged by the answers that arrive."

rule cognition_limits
  when     change touches domain(cognition)
  limit    kpi(loop_latency) p95 over 24 h at most 10000 ms
  limit    kpi(loop_error_rate) over 24 h at most 5 %
  owner    team(governance)
  because  "A loop that does not close in time decides nothing."
