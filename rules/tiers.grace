# Autonomy: who has to agree before a change lands. A higher number is stricter.
# Tier 1 is never believed, it is proved from both sides of the diff; a declared operation can only raise.
# The team is the project's: it declares `team governance members …` in its own file.

module grace.tiers

tiers
  1 safe       approve automatically          for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules               for any other change  selection observe
  3 sensitive  approve 1 of team(governance)  for operations update_model, change_security, modify_config,
               update_contract

rule sensitive_paths : tier 3
  when     change touches path("**/security/**") plus path("**/governance/**")
           plus path("**/agents_core/**")
  owner    team(governance)
  because  "Security, governance and the agents' own core decide what everything else may do."
  may be empty

rule sensitive_adapters : tier 3
  when     change touches tag(oss_model_wrapper)
  owner    team(governance)
  because  "A model's adapter decides what the model is asked and what is believed of its answer."
