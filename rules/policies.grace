# The five domain policies: what a change in a domain must go through.
# Each covers direct edits only; `grace.selection` adds the tests for code that a domain leans on.
# Latency and error limits need measured KPIs. They are in `grace.limits`, so that adopting this pack needs no telemetry.
# The owner is the project's: `team governance members …`.

module grace.policies
use    grace.vocabulary, grace.principles, grace.intents

policy layer1
  covers   layer(layer1)
  tier     3
  require  approval 1 of team(governance)
  require  bundle(layer1_boot), bundle(chaos_smoke), bundle(integration)
  trust    at least 0.90
  upholds  PRESERVE_LAYER1_STABILITY, MAINTAIN_AUDIT_TRAIL
  intents  system.boot, system.recovery
  owner    team(governance)
  because  "Everything boots through layer 1; a fault here is not contained."

policy self_healing
  covers   domain(self_healing)
  tier     2
  require  approval 1 of team(governance)
  require  bundle(self_healing_flows), bundle(trigger_system), bundle(chaos_smoke),
           bundle(integration)
  trust    at least 0.80
  upholds  NEVER_SACRIFICE_SAFETY, MAINTAIN_AUDIT_TRAIL
  intents  heal.trigger, heal.verify
  owner    team(governance)
  because  "What repairs the system unattended can also break it unattended."

policy governance
  covers   domain(governance)
  tier     3
  require  approval 1 of team(governance)
  require  bundle(governance_decisions), bundle(policy_enforcement), bundle(integration)
  trust    at least 0.95
  upholds  PROTECT_GOVERNANCE_DECISIONS, MAINTAIN_AUDIT_TRAIL
  intents  govern.approve, govern.audit
  owner    team(governance)
  because  "This code decides what all other code may do."

policy model_routing
  covers   tag(oss_model_wrapper) plus domain(model_routing)
  tier     2
  require  approval 1 of team(governance)
  require  bundle(multi_model_routing), bundle(model_failover), bundle(integration)
  trust    at least 0.75
  upholds  KEEP_MODELS_VERIFIABLE, PRESERVE_MODEL_COMPLIANCE
  intents  model.select, model.route
  owner    team(governance)
  because  "A wrong model, or none when one fails, is seen by every user at once."

policy cognition
  covers   domain(cognition)
  tier     2
  require  bundle(cognition_loops), bundle(integration)
  trust    at least 0.70
  upholds  OPTIMIZE_WITH_CLARITY, RESPECT_TRUST_SCORES
  owner    team(governance)
  because  "A loop that reasons worse than before is not seen in any one answer."
