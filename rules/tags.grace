# Tags by what code is, not by how it is spelt: what it inherits from, what decorates it, where it stands, what uses it.
# A class named `PopcornKernel` in a test is no kernel; a subclass of `BaseKernel` named `Scheduler` is one, with all of its
# methods. Tests bear no tag: they are chosen by what they reach. `grace.seed_tags` is the other way; adopt one of the two.
#
# The names of base classes and directories are the usual ones. A project with others adds its own `tag … on …` items.

module grace.tags
use    grace.vocabulary

define product = all
  except (tests plus path("**/tests/**") plus path("**/test/**") plus path("**/conftest.py"))

# Kernels: whatever inherits from a kernel base at any distance, whatever registers itself as one, and the package of kernels.
define kernel_bases   = header of (class("Base*Kernel") plus class("*DomainKernel")
  plus class("KernelSDK"))  may be empty
define kernel_classes = members of (subtypes(kernel_bases, any distance)
  plus decorated("*register_kernel"))  may be empty

tag kernel on (kernel_classes plus path("**/kernels/**")) within product  may be empty

# Governance: the package, what inherits from its engines and policies, and the constitution.
define governance_bases   = header of (class("*GovernanceEngine") plus class("BasePolicy")
  plus class("Policy") plus class("ConstitutionalEngine"))  may be empty
define governance_classes = members of (subtypes(governance_bases, any distance)
  plus decorated("*register_policy"))  may be empty

tag governance_policy on (governance_classes plus path("**/governance/**")
  plus path("**/governance_system/**") plus path("**/constitution*/**")) within product
  may be empty

# Model wrappers: what inherits from an adapter base, and what registers itself as one.
define adapter_bases   = header of (class("*ModelAdapter") plus class("ModelWrapper")
  plus class("BaseLLM") plus class("LLMProvider"))  may be empty
define adapter_classes = members of (subtypes(adapter_bases, any distance)
  plus decorated("*register_model") plus decorated("*register_adapter"))  may be empty

tag oss_model_wrapper on adapter_classes within product  may be empty

# Layer 1: what boots the system, the bases that every kernel stands on, and the adapters that boot code stands on.
tag layer1_adapter on (path("**/layer1/**")
  plus members of subtypes(header of class("Layer1Adapter"), any distance)) within product
  may be empty

tag layer(layer1) on (path("**/boot/**") plus path("**/core_kernel/**") plus members of kernel_bases
  plus members of subtypes(header of class("BootKernel"), any distance) plus tag(layer1_adapter))
  within product  may be empty
tag layer(layer2) on tag(governance_policy) plus tag(oss_model_wrapper)  may be empty
tag layer(layer3) on (path("**/layer3/**") plus path("**/intents/**")
  plus decorated("*register_intent")) within product  may be empty

# Domains: the first that holds a part decides, so the stricter policy comes first.
tag domain(governance) on tag(governance_policy)  may be empty

# By use: a module that imports a wrapper and stands beside it routes to it.
tag domain(model_routing) on (tag(oss_model_wrapper)
  plus (certain importers(tag(oss_model_wrapper), within 1)
  within (path("**/models/**") plus path("**/model*/**"))) plus path("**/*model_adapter*")
  plus path("**/*model_rout*") plus path("**/routing/**") plus path("**/models/*registry*")
  plus path("**/models/*rout*") plus path("**/models/*failover*") plus path("**/models/*health*"))
  within product  may be empty

tag domain(self_healing) on (path("**/self_heal/**") plus path("**/self_healing/**")
  plus decorated("*playbook") plus members of subtypes(header of class("*Playbook"), any distance))
  within product  may be empty

tag domain(cognition)    on (path("**/cognition/**")
  plus members of subtypes(header of class("CognitiveLoop"), any distance)) within product
  may be empty
tag domain(memory)       on (path("**/memory/**") plus path("**/memory_*/**")) within product
  may be empty
tag domain(execution)    on path("**/execution/**") within product  may be empty
tag domain(intelligence) on (path("**/intelligence/**") plus path("**/ml_*/**")) within product
  may be empty
tag domain(agentic)      on (path("**/agents/**") plus path("**/agents_core/**")) within product
  may be empty
