team sound members "sound@example.org"

policy bad
  when     tests removed
  covers   tests
  tier     2
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
