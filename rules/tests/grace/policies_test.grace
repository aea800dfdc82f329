# Each domain policy fires with all that its row of the table says, and does not fire elsewhere.

module packs.policies_test

test "layer1"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from layer1
  expect   approval 1 of team(governance) from layer1
  expect   bundle(layer1_boot) from layer1
  expect   bundle(chaos_smoke) from layer1
  expect   bundle(integration) from layer1
  expect   principle PRESERVE_LAYER1_STABILITY from layer1
  expect   principle MAINTAIN_AUDIT_TRAIL from layer1
  expect   no bundle(cognition_loops)

test "self_healing"
  given    edit of path("backend/self_heal/**") in fixture("mini_grace") as of 2026-06-01
  expect   rule self_healing
  expect   approval 1 of team(governance) from self_healing
  expect   bundle(self_healing_flows) from self_healing
  expect   bundle(trigger_system) from self_healing
  expect   bundle(chaos_smoke) from self_healing
  expect   bundle(integration) from self_healing
  expect   principle NEVER_SACRIFICE_SAFETY from self_healing
  expect   principle MAINTAIN_AUDIT_TRAIL from self_healing
  expect   no bundle(governance_decisions) from governance

test "governance"
  given    edit of path("backend/governance/**") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from governance
  expect   approval 1 of team(governance) from governance
  expect   bundle(governance_decisions) from governance
  expect   bundle(policy_enforcement) from governance
  expect   bundle(integration) from governance
  expect   principle PROTECT_GOVERNANCE_DECISIONS from governance
  expect   principle MAINTAIN_AUDIT_TRAIL from governance
  expect   no rule self_healing

test "model_routing"
  given    edit of class("MistralAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   rule model_routing
  expect   approval 1 of team(governance) from model_routing
  expect   bundle(multi_model_routing) from model_routing
  expect   bundle(model_failover) from model_routing
  expect   bundle(integration) from model_routing
  expect   principle KEEP_MODELS_VERIFIABLE from model_routing
  expect   principle PRESERVE_MODEL_COMPLIANCE from model_routing
  expect   no rule cognition

test "cognition"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  expect   tier 2 from cognition
  expect   bundle(cognition_loops) from cognition
  expect   bundle(integration) from cognition
  expect   principle OPTIMIZE_WITH_CLARITY from cognition
  expect   principle RESPECT_TRUST_SCORES from cognition
  expect   no approval 1 of team(governance)
  expect   no rule layer1
  expect   no rule governance
  expect   no rule model_routing

test "documents concern no policy"
  given    edit of path("README.md") in fixture("mini_grace") as of 2026-06-01
  expect   tier 1
  expect   no bundle(lint)
  expect   no bundle(integration)
  expect   no approval 1 of team(governance)
  expect   no principle MAINTAIN_AUDIT_TRAIL
