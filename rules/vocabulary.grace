# The words that the other packs share: layers and domains of a system, and every value that they know.
# It assigns nothing. A tag pack (`grace.tags` or `grace.seed_tags`, one of the two) says which code bears which value;
# a project may add tags of its own. A value that nothing bears is no mistake here: systems differ.

module grace.vocabulary

# Layer 1 boots everything else, layer 2 decides and routes, layer 3 pursues intents.
family layer  values layer1, layer2, layer3  first match wins

# What a piece of code is for. The first tag item that holds a part decides, so tag packs list the stricter domain first.
family domain  values governance, model_routing, self_healing, cognition, memory, execution,
  intelligence, agentic  first match wins
