team sound members "sound@example.org"

kpi bad
  bettr  higher
  from   prometheus "main", query "q"
audit cycle
  every       15 actions
  on failur   halt

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
