# Tags by naming convention: case-insensitive substrings of a part's own name and of its path, exactly as the first Grace
# system computed them. Each part is judged for itself: a method does not inherit the tag of its class.
# `grace.tags` does this better (inheritance, decorators, position); adopt one of the two.
#
# What to know when reading it:
# - A module's own name is its file's stem; a package's is `__init__`.
# - Rows are tried in order and the first that matches a part wins, hence each `except`.
# - The third row claims everything whose name sounds like a model, and then tags classes only: a function named
#   `load_model` gets no tag and never reaches the fourth row.
# - "Contains" is a plain substring: `my_kernels/x.py` contains `kernels/`, and `reboot.py` contains `boot`.

module grace.seed_tags
use    grace.vocabulary

define seed_python = language(python) within path("**/*.py")

define seed_kernel     = named "*kernel*" ignoring case plus path("**/*kernels/**") ignoring case
define seed_governance = matches(name, "(?i)governance|policy|constitution")
  plus path("**/*governance/**") ignoring case
define seed_model_like = matches(name, "(?i)adapter|wrapper|llm|model|provider")
define seed_layer1     = named "*l1_*" ignoring case plus matches(path, "(?i)layer1")

tag kernel            on seed_kernel within seed_python
tag governance_policy on (seed_governance within seed_python) except seed_kernel
tag oss_model_wrapper on (seed_model_like within header of class("*") within seed_python)
  except (seed_kernel plus seed_governance)
tag layer1_adapter    on (seed_layer1 within seed_python)
  except (seed_kernel plus seed_governance plus seed_model_like)

# Only a core kernel, or a kernel on a path that says `boot`, is layer 1; any other kernel has no layer.
tag layer(layer1) on tag(kernel)
  within (named "*core_kernel*" ignoring case plus matches(path, "(?i)boot"))
tag layer(layer1) on tag(layer1_adapter)
tag layer(layer2) on tag(governance_policy) plus tag(oss_model_wrapper)

# The first that matches wins.
tag domain(cognition)    on (path("**/*cognition/**") ignoring case
  plus named "*cognitive*" ignoring case) within seed_python
tag domain(memory)       on (path("**/*memory/**") ignoring case plus named "*memory_*" ignoring case)
  within seed_python
tag domain(execution)    on (path("**/*execution/**") ignoring case
  plus named "*executor*" ignoring case) within seed_python
tag domain(intelligence) on (path("**/*intelligence/**") ignoring case
  plus named "*ml_*" ignoring case) within seed_python
tag domain(agentic)      on (path("**/*agents/**") ignoring case plus named "*agent*" ignoring case)
  within seed_python
tag domain(self_healing) on path("**/*self_heal/**") ignoring case within seed_python
