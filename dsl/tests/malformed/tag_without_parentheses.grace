team sound members "sound@example.org"

tag kernel on path("k/**")
define bad = tag kernel
rule r : tier 2
  when     change touches kernel
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
