team sound members "sound@example.org"

rule bad : tier 2
  when     any required bundle has flaky rate over last 20 runs > 5 %
  because  "x"
rule worse : tier 2
  always when tests removed
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
