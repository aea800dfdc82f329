# What is watched after a deployment, when it counts as degraded, and what is done then.
# Endpoints are named in the operator's configuration, never here; the queries are written for metrics of these names.
# Where events are counted, so many of so many are asked for: an hour of three events weighs less than one of three hundred.

module grace.telemetry

# --- self-healing

kpi self_healing_success_rate
  better  higher
  unit    percent
  from    prometheus "main", numerator "sum(increase(heal_ok_total[1h]))",
          denominator "sum(increase(heal_total[1h]))"

kpi trigger_success_rate
  better  higher
  unit    percent
  from    prometheus "main", numerator "sum(increase(heal_trigger_ok_total[1h]))",
          denominator "sum(increase(heal_trigger_total[1h]))"

kpi playbook_success_rate
  better  higher
  unit    percent
  from    prometheus "main", numerator "sum(increase(heal_playbook_ok_total[1h]))",
          denominator "sum(increase(heal_playbook_total[1h]))"

kpi mean_time_to_repair
  better  lower
  unit    ms
  from    prometheus "main",
          query "1000 * sum(rate(heal_duration_seconds_sum[1h])) / sum(rate(heal_duration_seconds_count[1h]))"

kpi heal_latency
  better  lower
  unit    ms
  from    prometheus "main",
          query "1000 * histogram_quantile(0.95, sum by (le) (rate(heal_trigger_seconds_bucket[1h])))"

kpi heal_error_rate
  better  lower
  unit    percent
  from    prometheus "main", numerator "sum(increase(heal_errors_total[1h]))",
          denominator "sum(increase(heal_total[1h]))"

# --- governance

kpi approval_latency
  better  lower
  unit    ms
  from    prometheus "main",
          query "1000 * sum(rate(governance_approval_seconds_sum[1h])) / sum(rate(governance_approval_seconds_count[1h]))"

kpi policy_violation_rate
  better  lower
  unit    percent
  from    prometheus "main", numerator "sum(increase(governance_violations_total[1h]))",
          denominator "sum(increase(governance_decisions_total[1h]))"

# --- intents

kpi intent_success_rate
  better  higher
  unit    percent
  from    prometheus "main", numerator "sum(increase(intent_ok_total[1h]))",
          denominator "sum(increase(intent_total[1h]))"

# --- boot, models, loops: the subjects of `grace.limits`

kpi boot_latency
  better  lower
  unit    ms
  from    prometheus "main",
          query "1000 * histogram_quantile(0.95, sum by (le) (rate(boot_seconds_bucket[24h])))"

kpi boot_error_rate
  better  lower
  unit    percent
  from    prometheus "main", numerator "sum(increase(boot_errors_total[24h]))",
          denominator "sum(increase(boot_total[24h]))"

kpi model_latency
  better  lower
  unit    ms
  from    prometheus "main",
          query "1000 * histogram_quantile(0.95, sum by (le) (rate(model_request_seconds_bucket[1h])))"

kpi model_error_rate
  better  lower
  unit    percent
  from    prometheus "main", numerator "sum(increase(model_errors_total[1h]))",
          denominator "sum(increase(model_requests_total[1h]))"

kpi loop_latency
  better  lower
  unit    ms
  from    prometheus "main",
          query "1000 * histogram_quantile(0.95, sum by (le) (rate(cognition_loop_seconds_bucket[1h])))"

kpi loop_error_rate
  better  lower
  unit    percent
  from    prometheus "main", numerator "sum(increase(cognition_loop_errors_total[1h]))",
          denominator "sum(increase(cognition_loops_total[1h]))"

# --- drift: every hour for a day, against the baseline of the deployment

drift heal_regression on self_healing_success_rate
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  missing       unknown
  on suspect    note
  on drift      open story, log incident, tier at least 3 for domain(self_healing) during 24 h
  on confirmed  propose rollback, log incident
  because       "A system that heals less is degrading while nobody looks."

drift trigger_regression on trigger_success_rate
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  missing       unknown
  on suspect    note
  on drift      open story, log incident
  on confirmed  propose rollback, log incident
  because       "A fault that triggers nothing is not healed."

drift playbook_regression on playbook_success_rate
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  missing       unknown
  on suspect    note
  on drift      open story, log incident
  on confirmed  propose rollback, log incident
  because       "A playbook that fails leaves the fault, and a change beside it."

drift repair_regression on mean_time_to_repair
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  missing       unknown
  on suspect    note
  on drift      open story, log incident
  on confirmed  propose rollback, log incident
  because       "Repair that takes longer is an outage that lasts longer."

drift approval_regression on approval_latency
  watch       every 1 h for 24 h after deployment
  alert       worse by more than 20 % of baseline
  missing     unknown
  on suspect  note
  on drift    open story, log incident
  because     "Approvals that take longer are soon worked around."

drift violation_regression on policy_violation_rate
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  missing       unknown
  on suspect    note
  on drift      open story, log incident, tier at least 3 for domain(governance) during 24 h
  on confirmed  propose rollback, log incident
  because       "More violations after a change are caused by it until shown otherwise."

drift intent_regression on intent_success_rate
  watch         every 1 h for 24 h after deployment
  alert         worse by more than 20 % of baseline
  missing       unknown
  on suspect    note
  on drift      open story, log incident
  on confirmed  propose rollback, log incident
  because       "Intents are what the system is for."

# --- agents: every 15 actions somebody looks

audit cycle
  every       15 actions
  rerun       bundles of touched
  compare     models with baseline, latency 50 %, error_rate 10 points
  check       repetition, nonsense_identifiers, contradictions
  review      1 of team(peers)
  on failure  halt

# --- what was learned: further practices are suggested from stories that went well

practice threshold_in_steps
  kind        playbook
  says        "Move a trigger's threshold without losing what it caught."
  step        "Record the baseline of the KPIs that the trigger moves."
  step        "Move the threshold by a tenth at most."
  step        "Run chaos_smoke and self_healing_flows."
  step        "Watch for 24 hours."
  step        "Go back when the KPI is worse by more than 20 %."
  applies to  self_healing, layer2
  not for     layer1, governance
  because     "Small steps with a known way back are the only ones whose effect can be told apart."
