team sound members "sound@example.org"

define bad = folder("src") plus clas("A*")

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
