# The shipped packs, as a project adopts them, with `grace.tags`. People are made up: nothing is approved with these rules.

module grace_2.rules
adopt  grace.vocabulary, grace.tags, grace.intents, grace.tiers, grace.principles, grace.policies,
  grace.selection, grace.validation, grace.trust, grace.bundles.layer1_boot,
  grace.bundles.self_healing_flows, grace.bundles.governance_decisions,
  grace.bundles.multi_model_routing, grace.bundles.chaos_smoke, grace.bundles.trigger_system,
  grace.bundles.integration, grace.bundles.cognition_loops, grace.bundles.policy_enforcement,
  grace.bundles.model_failover, grace.bundles.lint

team governance  members "gwen@example.org"
team peers       members "pat@example.org"
