team sound members "sound@example.org"

kpi boot
  better  lower
  from    push
  unit    ms
rule bad : tier 2
  when     kpi(boot) p95 over 24 h > 5 %
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
