# Ways of working to begin with. None of them was taken from a story of this project: each says where it comes from, and none was
# measured when it was shipped. What is counted of them is counted from stories that name them in `playbooks_used`.

module grace.practices

practice audit_log_grows_only
  kind        refactor
  says        "Change what is written to an audit log without changing what was written."
  step        "Add a field; never rename or drop one."
  step        "Read an old log with the new code in a test."
  step        "Run governance_decisions and policy_enforcement."
  applies to  governance
  because     "Follows from MAINTAIN_AUDIT_TRAIL."

practice baseline_before_model_change
  kind        telemetry_hook
  says        "Measure a model before it is exchanged."
  step        "Probe the model that serves now."
  step        "Exchange it in one place."
  step        "Probe again with the same seed."
  step        "Compare the intervals, not the points."
  applies to  oss_model_wrapper, model_routing
  because     "Follows from KEEP_MODELS_VERIFIABLE."

practice boot_order_by_test
  kind        test_suite
  says        "Write down the order of boot as a test before it is touched."
  step        "Assert the order that holds now."
  step        "Make the change."
  step        "Run layer1_boot and chaos_smoke."
  applies to  layer1, kernel
  because     "Follows from the policy layer1."

practice bound_every_loop
  kind        refactor
  says        "Give a cognitive loop an end that can be counted."
  step        "Name the most rounds."
  step        "Say what is returned when they are used up."
  step        "Test the last round."
  step        "Run cognition_loops."
  applies to  cognition
  because     "Follows from the policy cognition."

practice breaker_around_playbook
  kind        playbook
  says        "Stop a playbook that heals nothing."
  step        "Count its failures in a row."
  step        "Leave it out after three."
  step        "Tell somebody."
  step        "Run self_healing_flows."
  applies to  self_healing
  not for     layer1
  because     "Follows from the policy self_healing."

practice chaos_before_merge
  kind        test_suite
  says        "Break the part on purpose before others depend on it."
  step        "Name the fault."
  step        "Write it as a chaos test."
  step        "Run chaos_smoke on the change and on its base."
  applies to  layer1, kernel, layer1_adapter
  because     "Follows from PRESERVE_LAYER1_STABILITY."

practice compliance_flags_first
  kind        adapter_api
  says        "Carry the compliance flags over before anything else of an adapter."
  step        "List the flags of the old adapter."
  step        "Assert that the new one has each."
  step        "Run multi_model_routing."
  applies to  oss_model_wrapper
  because     "Follows from PRESERVE_MODEL_COMPLIANCE."

practice contract_version_with_shape
  kind        adapter_api
  says        "A schema that changes gets a version that changes."
  step        "Raise the version."
  step        "Keep reading the old shape."
  step        "Measure the contract again."
  step        "Run multi_model_routing and model_failover."
  applies to  oss_model_wrapper, model_routing
  because     "Follows from KEEP_MODELS_VERIFIABLE."

practice decision_table_in_tests
  kind        test_suite
  says        "Write a governance decision as a table of cases."
  step        "One row for each answer that there is."
  step        "One row for what is missing."
  step        "Run governance_decisions."
  applies to  governance, governance_policy
  because     "Follows from PROTECT_GOVERNANCE_DECISIONS."

practice deprecate_then_remove
  kind        refactor
  says        "Remove a public function in two changes."
  step        "Make callers use the new one."
  step        "Log each use of the old one."
  step        "Remove it when nothing was logged for a release."
  applies to  agentic, execution, memory, intelligence
  because     "A habit of library authors."

practice failover_by_injection
  kind        test_suite
  says        "Prove a failover by taking the first choice away."
  step        "Make the first model fail in a test."
  step        "Assert which one answers."
  step        "Assert what is recorded."
  step        "Run model_failover."
  applies to  model_routing, oss_model_wrapper
  because     "Follows from the policy model_routing."

practice golden_answers
  kind        test_suite
  says        "Keep the answers of pure code as files before it is rewritten."
  step        "Write down the answers to a hundred inputs."
  step        "Rewrite."
  step        "Compare byte for byte."
  applies to  cognition, intelligence, memory
  not for     governance
  because     "A habit of people who rewrite code."

practice idempotent_playbook
  kind        playbook
  says        "A playbook may be started twice."
  step        "Look whether it is done already."
  step        "Do the rest."
  step        "Start it twice in a test."
  step        "Run self_healing_flows."
  applies to  self_healing
  because     "Follows from the policy self_healing."

practice kpi_with_the_change
  kind        telemetry_hook
  says        "What a change is to improve is measured before it goes."
  step        "Name the measure and its direction."
  step        "Let a day of it pass."
  step        "Deploy, and watch 24 hours."
  applies to  self_healing, layer1, model_routing
  because     "Follows from how this system judges deployments."

practice narrow_the_prompt
  kind        playbook
  says        "Give a model less, not more."
  step        "Take out what the answer does not use."
  step        "Probe for hallucination before and after."
  step        "Keep the smaller one if it is no worse."
  applies to  cognition, oss_model_wrapper
  because     "A guess; nobody has measured it here."

practice one_kernel_a_change
  kind        playbook
  says        "Change one kernel at a time."
  step        "Part the change by kernels."
  step        "Plan each part alone."
  step        "Run layer1_boot for each."
  applies to  kernel, layer1
  because     "Follows from the policy layer1."

practice replay_before_memory_change
  kind        test_suite
  says        "Replay recorded sessions before a change of memory."
  step        "Record ten sessions."
  step        "Replay them on both sides."
  step        "Compare what is remembered."
  applies to  memory
  because     "A habit of people who keep state."

practice shadow_before_route
  kind        playbook
  says        "Let a new route answer beside the old one first."
  step        "Send it a copy of what is asked."
  step        "Compare the answers for a day."
  step        "Route a tenth to it, then all."
  applies to  model_routing
  not for     layer1
  because     "A habit of people who run services."

practice timeout_on_every_call
  kind        adapter_api
  says        "No call to a model without an end."
  step        "Name the time that a caller can wait."
  step        "Say what is returned after it."
  step        "Test it with a server that does not answer."
  step        "Run model_failover."
  applies to  oss_model_wrapper, layer1_adapter
  because     "Follows from the contract of adapters."

practice trigger_in_dry_run
  kind        playbook
  says        "Let a new trigger count before it acts."
  step        "Log what it would have started."
  step        "Compare with what people did for a week."
  step        "Let it act."
  step        "Run trigger_system."
  applies to  self_healing
  not for     governance
  because     "A habit of people who automate."
