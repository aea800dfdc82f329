# Tags by naming convention: case-insensitive substrings of a part's own name and of its path, exactly as the first Grace
# system computed them. Each part is judged for itself: a method does not inherit the tag of its class.
# `grace.tags` does this better (inheritance, decorators, position); adopt one of the two.
#
# Four things to know when reading it:
# - Rows are tried in order and the first that matches a part wins, hence each `except`.
# - The third row claims everything whose name sounds like a model, and then tags classes only: a function named
#   `load_model` gets no tag and never reaches the fourth row.
# - A module's own name is its file's stem, so it is matched on the path; a package's module is named `__init__`.
# - "contains" is a plain substring: `my_kernels/x.py` contains `kernels/`, and `reboot.py` contains `boot`.

module grace.seed_tags
use    grace.vocabulary

# What has a name of its own, and what takes its name from the file.
define seed_named    = header of class("*") plus function("*")
define seed_modules  = language(python) except (header of class("*") plus function("*"))
define seed_python   = language(python) within path("**/*.py")

# 1. kernel
define seed_kernel_name = (named "*kernel*" ignoring case within seed_named)
                     plus (path("**/*kernel*.py") ignoring case within seed_modules)
define seed_kernel      = (seed_kernel_name plus path("**/*kernels/**") ignoring case) within seed_python

# 2. governance policy
define seed_governance_name = (matches(name, "(?i)governance|policy|constitution") within seed_named)
                         plus (matches(path, "(?i)(governance|policy|constitution)[^/]*[.]py$") within seed_modules)
define seed_governance      = (seed_governance_name plus path("**/*governance/**") ignoring case) within seed_python

# 3. what sounds like a model
define seed_model_name = (matches(name, "(?i)adapter|wrapper|llm|model|provider") within seed_named)
                    plus (matches(path, "(?i)(adapter|wrapper|llm|model|provider)[^/]*[.]py$") within seed_modules)

# 4. layer 1 adapter
define seed_l1_name = (named "*l1_*" ignoring case within seed_named)
                 plus (path("**/*l1_*.py") ignoring case within seed_modules)
define seed_layer1  = (seed_l1_name plus matches(path, "(?i)layer1")) within seed_python

tag kernel             on seed_kernel
tag governance_policy  on seed_governance except seed_kernel
tag oss_model_wrapper  on (seed_model_name within header of class("*")) except (seed_kernel plus seed_governance)
tag layer1_adapter     on seed_layer1 except (seed_kernel plus seed_governance plus seed_model_name)

# Layers. Only a core kernel, or a kernel on a path that says `boot`, is layer 1; any other kernel has none.
define seed_core_kernel_name = (named "*core_kernel*" ignoring case within seed_named)
                          plus (path("**/*core_kernel*.py") ignoring case within seed_modules)

tag layer(layer1)  on tag(kernel) within (seed_core_kernel_name plus matches(path, "(?i)boot"))
tag layer(layer1)  on tag(layer1_adapter)
tag layer(layer2)  on tag(governance_policy) plus tag(oss_model_wrapper)

# Domains, first match wins.
define seed_domain_cognition = (named "*cognitive*" ignoring case within seed_named)
                          plus (path("**/*cognitive*.py") ignoring case within seed_modules)
                          plus path("**/*cognition/**") ignoring case
define seed_domain_memory    = (named "*memory_*" ignoring case within seed_named)
                          plus (path("**/*memory_*.py") ignoring case within seed_modules)
                          plus path("**/*memory/**") ignoring case
define seed_domain_execution = (named "*executor*" ignoring case within seed_named)
                          plus (path("**/*executor*.py") ignoring case within seed_modules)
                          plus path("**/*execution/**") ignoring case
define seed_domain_intelligence = (named "*ml_*" ignoring case within seed_named)
                          plus (path("**/*ml_*.py") ignoring case within seed_modules)
                          plus path("**/*intelligence/**") ignoring case
define seed_domain_agentic   = (named "*agent*" ignoring case within seed_named)
                          plus (path("**/*agent*.py") ignoring case within seed_modules)
                          plus path("**/*agents/**") ignoring case

tag domain(cognition)     on seed_domain_cognition within seed_python
tag domain(memory)        on seed_domain_memory within seed_python
tag domain(execution)     on seed_domain_execution within seed_python
tag domain(intelligence)  on seed_domain_intelligence within seed_python
tag domain(agentic)       on seed_domain_agentic within seed_python
tag domain(self_healing)  on path("**/*self_heal/**") ignoring case within seed_python
