team sound members "sound@example.org"

rule bad : tier 2
  when     change touches tag(a) plus b plus lay(c) and during d and kpi(e) > 1
  require  bundle(f), validation(g), approval 1 of team(soun)
  upholds  H
  intents  i.j
  because  "x"
use k

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
