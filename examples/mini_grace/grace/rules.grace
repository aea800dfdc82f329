# The rules of Mini Grace: the shipped packs, the people, and what is true of this system only.
# A change to this directory is tier 3, whatever it says.

module mini_grace.rules
adopt  grace.vocabulary, grace.tags, grace.intents, grace.tiers, grace.principles, grace.policies,
  grace.selection, grace.validation, grace.trust, grace.bundles.layer1_boot,
  grace.bundles.self_healing_flows, grace.bundles.governance_decisions,
  grace.bundles.multi_model_routing, grace.bundles.chaos_smoke, grace.bundles.trigger_system,
  grace.bundles.integration, grace.bundles.cognition_loops, grace.bundles.policy_enforcement,
  grace.bundles.model_failover

# Members are principals of grace/allowed_signers; the author of a change never counts.
team governance  members "gwen@example.org", "goran@example.org"
team peers       members "pat@example.org", "paula@example.org"

# Instead of the shipped bundle of this name, which needs ruff: what can be said of the code with pytest alone.
bundle lint
  says     "every file compiles, uses what it imports, and stays within its lines"
  tests    path("tests/test_lint.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  60 s in all
  retries  0

# Screens, services, storage: each asks only the next.
define screens  = package("backend.ui")
define services = package("backend.services")
define storage  = package("backend.database")

layers screens_to_storage closed screens over services over storage
  owner    team(governance)
  remedy   "Go through backend/services."
  because  "Screens must not know storage."

# The ledger of decisions is read by auditors, so its form is agreed with them.
rule audit_log_form : tier 3
  when     signatures change in public(module("backend.governance.audit_log"))
  require  approval 2 of team(governance)
  upholds  MAINTAIN_AUDIT_TRAIL
  because  "Old entries are checked with the new code."
