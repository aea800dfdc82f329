# The project that the tests beside this file run in: all packs that go together, and people.

module packs.book
adopt  grace.vocabulary, grace.tags, grace.intents, grace.tiers, grace.principles, grace.policies,
  grace.selection, grace.validation, grace.trust, grace.bundles.layer1_boot,
  grace.bundles.self_healing_flows, grace.bundles.governance_decisions,
  grace.bundles.multi_model_routing, grace.bundles.chaos_smoke, grace.bundles.trigger_system,
  grace.bundles.integration, grace.bundles.cognition_loops, grace.bundles.policy_enforcement,
  grace.bundles.model_failover, grace.bundles.lint

team governance  members "gwen@example.org", "goran@example.org"
team peers       members "pat@example.org"
