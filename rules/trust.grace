# How trust in one change is scored after its run. The minimum comes from the policies; the highest one that fires counts.

module grace.trust

trust_score
  start  1.0
  lose   0.5 when any critical bundle failed
  lose   0.3 when any required bundle failed
  lose   0.3 when bundle(lint) failed
  lose   0.2 per contract violation
  below  reject
