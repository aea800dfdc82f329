team sound members "sound@example.org"

rule bad : tier 2
  when     tests removed && !tests weakened || rationale missing
  because  "x"
define worse = tests | generated

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
