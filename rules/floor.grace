# The floor: what judges a repository that has no rules yet, and what a project may adopt to begin with.
# It knows nothing of the project: no teams, no tags, no bundle but the project's own tests. So approvals are of anyone
# who is not the author, and a rule stands here only if it is right for nearly every repository.

module grace.floor

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change  selection observe
  3 sensitive  approve 1 of anyone    for operations update_model, change_security, modify_config, update_contract

# --- what is run

bundle impacted_tests
  says     "the project's own tests"
  tests    tests
  run      "python", "-m", "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  120 s each, 1800 s in all
  retries  1
  may be empty

rule code_is_tested
  when     change touches language(python)
  require  bundle(impacted_tests) narrowed to impacted tests
  because  "The tests that reach a change are the cheapest proof of it."
  may be empty

# --- what steers machines

define floor_automation = path(".github/workflows/**") plus path(".github/actions/**")
  plus path("**/.gitlab-ci.yml") plus path("**/Jenkinsfile*") plus path(".circleci/**")
  plus path("**/azure-pipelines*.yml") plus path(".travis.yml") plus path(".buildkite/**")
  plus path(".pre-commit-config.yaml")  may be empty

define floor_secrets = path("**/.env") plus path("**/.env.*") plus path("**/*.pem")
  plus path("**/*.key") plus path("**/*.p12") plus path("**/*.pfx") plus path("**/id_rsa*")
  plus path("**/id_ed25519*") plus path("**/.npmrc") plus path("**/.pypirc")
  plus path("**/credentials.json") plus path("**/service-account*.json")  may be empty

define floor_examples = path("**/.env.example") plus path("**/.env.sample")
  plus path("**/.env.template") plus path("**/*.pub")  may be empty

define floor_lock_files = path("**/*.lock") plus path("**/package-lock.json")
  plus path("**/pnpm-lock.yaml") plus path("**/go.sum") plus path("**/requirements*.txt")
  may be empty

define floor_counted = all except (floor_lock_files plus generated plus tests)

rule automation_changed : tier 3
  when     any edit in floor_automation
  require  approval 1 of anyone
  because  "A pipeline runs with the project's keys; who edits it can use them."
  may be empty

rule secret_files : tier 3
  when     any edit in floor_secrets except floor_examples
  require  approval 1 of anyone
  remedy   "Keep secrets outside the repository; what was committed once is known, so replace it."
  because  "A secret in the history cannot be taken back."
  may be empty

# --- what comes from outside

rule new_dependency : tier 2
  when     package change is new or package change is downgrade
  require  approval 1 of anyone
  because  "A new package runs code of people that nobody here knows; an older one brings back what was fixed."
  may be empty

rule major_upgrade : tier 2
  when     package change is major
  require  approval 1 of anyone, bundle(impacted_tests)
  because  "A major version is free to break its callers."
  may be empty

# --- what lowers the bar

rule tests_weakened : tier 2
  when     tests removed or tests weakened
  require  approval 1 of anyone
  because  "Nobody lowers the bar for their own change."
  may be empty

# Text that runs or is read by what runs; data and pictures hold no checks.
define floor_text = language(python)
  plus path("**/*.{js,jsx,mjs,cjs,ts,tsx,go,rs,java,kt,cs,rb,php,sh,bash,ps1,bat,yml,yaml,toml,cfg,ini}")
  plus path("**/Dockerfile*") plus path("**/Makefile")  may be empty

rule checks_disabled : tier 3
  when     added code lines in floor_text contain "verify=False", "verify = False", "--no-verify",
           "_create_unverified_context"
  require  approval 1 of anyone
  remedy   "Make the check pass, or change the check itself in the open."
  because  "A check that is switched off in passing stays off."
  may be empty

# --- what cannot be read in one sitting

rule large_change : tier 2
  when     lines changed in floor_counted > 1000 or files changed in floor_counted > 50
  require  approval 1 of anyone
  remedy   "Split it; each part is planned alone."
  because  "Large changes are read badly."
