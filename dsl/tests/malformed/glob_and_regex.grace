team sound members "sound@example.org"

define bad = path("src/[a") plus matches(name, "(a") plus path("infra/")
rule good : tier 2
  when     any edit in bad
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
