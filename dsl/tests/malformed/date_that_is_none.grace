team sound members "sound@example.org"

window bad 2026-02-29 to 2026-03-01, zone "UTC"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
