team sound members "sound@example.org"

define bad = tests
define bad = generated
rule bad : tier 2
  when     any edit in bad
  because  "x"
forbid bad
  imports  from package("a") to package("b")
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
