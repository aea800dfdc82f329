team sound members "sound@example.org"

define good = tests
polcy bad
  covers   tests
  tier     2
  because  "x"
rule better : tier 2
  when     any edit in good
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
