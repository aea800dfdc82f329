# The naming convention, on names that tell its rows apart.

module packs.seed_tags_test
adopt  grace.vocabulary, grace.seed_tags

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of anyone

rule is_kernel : tier 2
  when     change touches tag(kernel)
  because  "Told apart."

rule is_governance : tier 2
  when     change touches tag(governance_policy)
  because  "Told apart."

rule is_model : tier 2
  when     change touches tag(oss_model_wrapper)
  because  "Told apart."

rule is_layer1_adapter : tier 2
  when     change touches tag(layer1_adapter)
  because  "Told apart."

rule is_layer1 : tier 2
  when     change touches layer(layer1)
  because  "Told apart."

rule is_layer2 : tier 2
  when     change touches layer(layer2)
  because  "Told apart."

rule is_memory : tier 2
  when     change touches domain(memory)
  because  "Told apart."

rule is_cognition : tier 2
  when     change touches domain(cognition)
  because  "Told apart."

test "a kernel by its name, of no layer"
  given    new file "a/popcorn.py" containing "class PopcornKernel:\n    pass\n"
  given    fixture("policies")
  expect   rule is_kernel
  expect   no rule is_layer1

test "a kernel by its path, whatever stands before the word"
  given    new file "a/my_Kernels/x.py" containing "def start():\n    pass\n"
  given    fixture("policies")
  expect   rule is_kernel

test "a kernel on a path with boot is layer 1"
  given    new file "a/reboot.py" containing "class AKernel:\n    pass\n"
  given    fixture("policies")
  expect   rule is_layer1

test "a name of both rows is a kernel"
  given    new file "a/x.py" containing "class KernelPolicy:\n    pass\n"
  given    fixture("policies")
  expect   rule is_kernel
  expect   no rule is_governance

test "a class that sounds like a model is a wrapper"
  given    new file "a/x.py" containing "class DataModel:\n    pass\n"
  given    fixture("policies")
  expect   rule is_model
  expect   rule is_layer2

test "a function that sounds like a model is nothing, even on a layer 1 path"
  given    new file "layer1/x.py" containing "VALUE = 1\n"
  given    new file "layer1/provider.py" containing "def load_model():\n    pass\n"
  given    fixture("policies")
  expect   no rule is_model
  expect   rule is_layer1_adapter

test "alone, it does not reach the fourth row"
  given    new file "layer1_provider.py" containing "def load_model():\n    pass\n"
  given    fixture("policies")
  expect   no rule is_layer1_adapter
  expect   no rule is_layer1

test "the first domain wins"
  given    new file "memory/x.py" containing "def cognitive_step():\n    pass\n"
  given    fixture("policies")
  expect   rule is_cognition
  expect   rule is_memory

test "a package is named __init__, so its directory's name says nothing"
  given    new file "kernel/__init__.py" containing "VALUE = 1\n"
  given    fixture("policies")
  expect   no rule is_kernel
