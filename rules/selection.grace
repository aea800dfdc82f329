# Which bundles a change runs beyond its domain's policy: what a tag obliges, and what stands close to it in the graph.
# A policy runs whole bundles on direct edits. Here a change that only *reaches* a domain runs the tests that it reaches.

module grace.selection
use    grace.vocabulary

# --- what is edited

rule kernel_change : tier 2
  when     change touches tag(kernel)
  require  bundle(chaos_smoke)
  because  "A kernel runs in every agent; a fault here is not contained."

rule kernel_in_layer1 : tier 3
  when     change touches tag(kernel) within layer(layer1)
  require  bundle(layer1_boot), bundle(chaos_smoke), approval 1 of team(governance)
  owner    team(governance)
  because  "The kernels that boot first have nobody to catch them."

rule layer1_change
  when     change touches layer(layer1)
  require  bundle(layer1_boot), bundle(chaos_smoke)
  because  "A change to layer 1 is proved by a boot and by a fault."

rule adapter_change
  when     change touches tag(oss_model_wrapper)
  require  bundle(multi_model_routing), bundle(model_failover)
  because  "An adapter is proved by routing to it, and by doing without it."

rule governance_change
  when     change touches tag(governance_policy) plus domain(governance)
  require  bundle(governance_decisions), bundle(policy_enforcement)
  because  "A change to a policy is proved by the decisions that it gives."

rule code_change
  when     change touches language(python)
  require  bundle(lint)
  because  "Verification is lint and tests; lint is the cheaper half."

# --- what is reached: `dependencies(S)` is S with what it leans on

rule reaches_kernel : tier 2
  when     change touches dependencies(tag(kernel), within 3) except tag(kernel)
  require  bundle(chaos_smoke) narrowed to impacted tests
  because  "A kernel can break through what it calls."

rule reaches_layer1 : tier 2
  when     change touches dependencies(layer(layer1), within 3) except layer(layer1)
  require  bundle(layer1_boot) narrowed to impacted tests
  because  "Boot code can break through what it calls."

rule reaches_governance : tier 2
  when     change touches dependencies(domain(governance), within 2) except domain(governance)
  require  bundle(governance_decisions) narrowed to impacted tests,
           bundle(policy_enforcement) narrowed to impacted tests
  because  "A decision rests on the helpers that it asks."

rule reaches_models : tier 2
  when     change touches dependencies(domain(model_routing), within 2) except domain(model_routing)
  require  bundle(multi_model_routing) narrowed to impacted tests,
           bundle(model_failover) narrowed to impacted tests
  because  "Routing rests on the helpers that it asks."

rule reaches_self_healing : tier 2
  when     change touches dependencies(domain(self_healing), within 2) except domain(self_healing)
  require  bundle(self_healing_flows) narrowed to impacted tests,
           bundle(trigger_system) narrowed to impacted tests
  because  "Healing rests on what it observes with."

rule reaches_cognition : tier 2
  when     change touches dependencies(domain(cognition), within 2) except domain(cognition)
  require  bundle(cognition_loops) narrowed to impacted tests
  because  "A loop rests on what it reads."

# --- after the run

rule flaky_evidence : tier 2
  after    the run
  when     any required bundle has flaky rate over last 20 runs > 5 %
  because  "A test that wavers proves nothing."
