# Each policy fires, and does not.

module policies_test
use    policies

# --- a

test "a: an edit under infra needs two people, one of them from security"
  given    edit of path("infra/main.tf") in fixture("policies") as of 2026-06-01
  expect   tier 3 from infra_four_eyes
  expect   approval 2 of anyone, 1 of them of team(security) from infra_four_eyes

test "a: an edit elsewhere does not"
  given    edit of function("heading") in fixture("policies") as of 2026-06-01
  expect   tier 2
  expect   no rule infra_four_eyes

test "a: two people of whom none is from security do not do"
  given    edit of path("infra/main.tf") in fixture("policies") as of 2026-06-01
  given    approved by "gwen@example.org"
  given    approved by "rita@example.org"
  expect   decision hold

test "a: one from security and one from governance do"
  given    edit of path("infra/main.tf") in fixture("policies") as of 2026-06-01
  given    approved by "gwen@example.org"
  given    approved by "sam@example.org"
  expect   decision go

test "a: the author is neither"
  given    edit of path("infra/main.tf") in fixture("policies") as of 2026-06-01
  given    actor "sam@example.org"
  given    approved by "gwen@example.org"
  given    approved by "sam@example.org"
  expect   decision hold

# --- b

test "b: a minor bump by the verified bot is tier 1"
  given    replace "version = \"14.1.0\"" by "version = \"14.2.0\"" in "uv.lock"
  given    fixture("policies")
  given    as of 2026-06-01
  given    actor verified bot("renovate")
  expect   tier 1 from tiers.internal
  expect   waived tiers.internal

test "b: a major bump is not"
  given    replace "version = \"14.1.0\"" by "version = \"15.0.0\"" in "uv.lock"
  given    fixture("policies")
  given    as of 2026-06-01
  given    actor verified bot("renovate")
  expect   tier 2

test "b: nor is a bump by somebody who only says to be the bot"
  given    replace "version = \"14.1.0\"" by "version = \"14.2.0\"" in "uv.lock"
  given    fixture("policies")
  given    as of 2026-06-01
  given    actor "renovate"
  expect   tier 2

test "b: nor is it after the waiver has ended"
  given    replace "version = \"14.1.0\"" by "version = \"14.2.0\"" in "uv.lock"
  given    fixture("policies")
  given    as of 2027-07-01
  given    actor verified bot("renovate")
  expect   tier 2

# --- c

test "c: a public signature in x brings the API owners and the contract tests"
  given    replace "def convert(amount: int, currency: str) -> str:" by "def convert(amount: int, currency: str, digits: int) -> str:" in "x/api.py"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 2 from public_signature
  expect   approval 1 of team(api_owners) from public_signature
  expect   bundle(contract_tests) from public_signature

test "c: another body does not"
  given    edit of function("convert") in fixture("policies") as of 2026-06-01
  expect   no rule public_signature
  expect   no bundle(contract_tests)

test "c: nor does a private signature"
  given    replace "def _written(amount: int, currency: str) -> str:" by "def _written(amount: int, currency: str, digits: int = 2) -> str:" in "x/api.py"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   no rule public_signature

# --- d

test "d: a new import from ui to database is denied"
  given    replace "from services.accounts import balance_line" by "from database.storage import rows\nfrom services.accounts import balance_line" in "ui/screens.py"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   denied from ui_to_database

test "d: so is one through a helper"
  given    replace "\"\"\"Accounts, over whatever store it is handed.\"\"\"" by "\"\"\"Accounts.\"\"\"\n\nimport database.storage" in "services/accounts.py"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   denied from ui_to_database

test "d: with the last of them gone, nothing is left to list"
  given    removal of path("ui/legacy.py") in fixture("policies") as of 2026-06-01
  expect   no rule ui_to_database

test "d: the import that stood before is no reason to deny"
  given    edit of function("report_screen") in fixture("policies") as of 2026-06-01
  expect   no denied

# --- e

test "e: what reads customer data needs the privacy team"
  given    edit of function("invoice") in fixture("policies") as of 2026-06-01
  expect   tier 3 from privacy_review
  expect   approval 1 of team(privacy) from privacy_review

test "e: also through one helper"
  given    edit of function("month_end") in fixture("policies") as of 2026-06-01
  expect   approval 1 of team(privacy) from privacy_review

test "e: a report's layout does not"
  given    edit of function("heading") in fixture("policies") as of 2026-06-01
  expect   no approval 1 of team(privacy)

# --- f

test "f: on the last day of the freeze a change needs a ticket and the release team"
  given    edit of function("heading") in fixture("policies") as of 2027-01-03
  expect   tier 3 from freeze
  expect   approval 1 of team(release) from freeze

test "f: the day after it does not"
  given    edit of function("heading") in fixture("policies") as of 2027-01-04
  expect   tier 2
  expect   no rule freeze

test "f: without a hot-fix ticket the approvals alone do not do"
  given    edit of function("heading") in fixture("policies") as of 2026-12-24
  given    approved by "rosa@example.org"
  given    approved by "gwen@example.org"
  expect   decision hold

test "f: with one they do"
  given    edit of function("heading") in fixture("policies") as of 2026-12-24
  given    ticket "HOT-17"
  given    approved by "rosa@example.org"
  given    approved by "gwen@example.org"
  expect   decision go

# --- g

test "g: more than 400 lines ask for an extra approval"
  given    patch "patches/large.patch"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   extra approval 1 of anyone from too_big

test "g: a lock file of that size does not"
  given    patch "patches/large_lock.patch"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   no rule too_big

# --- h

test "h: a model whose licence forbids commercial use is denied"
  given    replace "MODEL = \"mistral:7b\"" by "MODEL = \"orca-mini:3b\"" in "product/assistant.py"
  given    fixture("policies")
  given    as of 2026-06-01
  given    fact commercial_use of model("orca-mini:3b") = not_allowed
  expect   denied from licensed_models_only

test "h: when only the model's licence changes, what stood before is a hold for legal"
  given    edit of path("docs/guide.md") in fixture("policies") as of 2026-06-01
  given    fact commercial_use of model("mistral:7b") = not_allowed
  expect   no denied
  expect   approval 1 of team(legal) from licensed_models_only

test "h: an unknown licence is a hold for legal"
  given    edit of function("MistralAssistant.prompt") in fixture("policies") as of 2026-06-01
  given    unknown commercial_use of model("mistral:7b")
  expect   approval 1 of team(legal) from licensed_models_only
  expect   no denied

test "h: an allowed one is neither"
  given    edit of function("MistralAssistant.prompt") in fixture("policies") as of 2026-06-01
  given    fact commercial_use of model("mistral:7b") = allowed
  expect   no denied
  expect   no rule licensed_models_only

# --- i

test "i: with a flaky bundle a documents-only change is no longer automatic"
  given    edit of path("docs/guide.md") in fixture("policies") as of 2026-06-01
  given    outcome of bundle(docs_check) = passed
  given    fact flaky rate of bundle(docs_check) = 6 %
  expect   rule flaky_evidence

test "i: with a steady one it stays automatic"
  given    edit of path("docs/guide.md") in fixture("policies") as of 2026-06-01
  given    outcome of bundle(docs_check) = passed
  given    fact flaky rate of bundle(docs_check) = 5 %
  expect   no rule flaky_evidence
  expect   decision go

# --- j

test "j: a weakened test needs a reviewer"
  given    replace "    assert convert(99, \"USD\").endswith(\"USD\")" by "    convert(99, \"USD\")" in "tests/contract/test_api.py"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 2 from test_weakened
  expect   approval 1 of team(reviewers) from test_weakened

test "j: so does a removed one"
  given    removal of function("test_an_invoice_names_the_address") in fixture("policies") as of 2026-06-01
  expect   approval 1 of team(reviewers) from test_weakened

test "j: an added test does not"
  given    new file "tests/test_layout.py" containing "from reports.layout import heading\n\n\ndef test_a_heading_is_underlined():\n    assert heading(\"A\") == \"A\\n-\"\n"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   no rule test_weakened
  expect   tier 1

test "j: the reviewer is not the author"
  given    replace "    assert convert(99, \"USD\").endswith(\"USD\")" by "    convert(99, \"USD\")" in "tests/contract/test_api.py"
  given    fixture("policies")
  given    as of 2026-06-01
  given    actor "rita@example.org"
  given    approved by "rita@example.org"
  expect   decision hold
