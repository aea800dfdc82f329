kpi   self_healing_success_rate
  better     higher
  from       prometheus "main", query "sum(rate(heal_ok[1h])) / sum(rate(heal_total[1h]))"     # endpoints are named in the operator's config, never here

drift heal_regression on self_healing_success_rate
  watch      every 1 h for 24 h after deployment
  alert      worse by more than 20 % of baseline
  missing    unknown
  on suspect    note
  on drift      open story, tier at least 3 for domain(self_healing) during 24 h
  on confirmed  propose rollback, log incident
  because    "A healed system that heals less is degrading."

trust_score
  start      1.0
  lose       0.5 when any critical bundle failed
  lose       0.3 when bundle(lint) failed
  lose       0.2 per contract violation
  below      reject

audit cycle
  every      15 actions
  rerun      bundles of touched
  compare    models with baseline, latency 50 %, error_rate 10 points
  check      repetition, nonsense_identifiers, contradictions
  review     1 of team(peers)
  on failure halt
