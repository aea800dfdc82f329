team sound members "sound@example.org"

rule bad : tier 2
  when     during bad_window
  because  "x"
window bad_windw 2026-12-01 to 2026-11-01, zone "Moon/Crater"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
