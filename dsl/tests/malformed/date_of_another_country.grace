team sound members "sound@example.org"

window bad 24.12.2026 to 2026-12-31, zone "UTC"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
