# The floor on a repository that knows nothing of it.

module packs.floor_test
adopt  grace.floor

test "code is tier 2 and runs the tests that it reaches"
  given    edit of function("convert") in fixture("policies") as of 2026-06-01
  expect   tier 2
  expect   bundle(impacted_tests) narrowed from code_is_tested
  expect   nothing else

test "documents are tier 1"
  given    edit of path("docs/terms.md") in fixture("policies") as of 2026-06-01
  expect   tier 1
  expect   nothing else

test "a document that code reads is not only for people"
  given    edit of path("docs/guide.md") in fixture("policies") as of 2026-06-01
  expect   tier 2

test "comments are tier 1"
  given    comment edit of function("convert") in fixture("policies") as of 2026-06-01
  expect   tier 1
  expect   nothing else

test "an added test is tier 1"
  given    new file "tests/test_layout.py" containing "from reports.layout import heading\n\n\ndef test_a_heading_is_underlined():\n    assert heading(\"A\") == \"A\\n-\"\n"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 1

test "a workflow is tier 3"
  given    new file ".github/workflows/publish.yml" containing "on: push\n"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 3 from automation_changed
  expect   approval 1 of anyone from automation_changed

test "a key file is tier 3"
  given    new file "deploy/server.pem" containing "-----BEGIN\n"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 3 from secret_files

test "an example of an environment is not"
  given    new file "deploy/.env.example" containing "TOKEN=\n"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   no rule secret_files

test "a new package is looked at"
  given    patch "patches/new_package.patch"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   rule new_dependency
  expect   approval 1 of anyone from new_dependency

test "a major upgrade runs every test"
  given    replace "version = \"14.1.0\"" by "version = \"15.0.0\"" in "uv.lock"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   bundle(impacted_tests) from major_upgrade
  expect   no rule new_dependency

test "a minor upgrade is nobody's concern"
  given    replace "version = \"14.1.0\"" by "version = \"14.2.0\"" in "uv.lock"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 2
  expect   no rule major_upgrade
  expect   no rule new_dependency

test "a weakened test needs somebody else"
  given    replace "    assert \"Analytical\" in text\n" by "" in "tests/test_invoices.py"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   approval 1 of anyone from tests_weakened

test "a check that is switched off is tier 3"
  given    new file "reports/fetch.py" containing "def fetch(get, url):\n    return get(url, verify=False)\n"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   tier 3 from checks_disabled

test "a large change is looked at"
  given    patch "patches/large.patch"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   approval 1 of anyone from large_change

test "a change of 400 lines is not"
  given    patch "patches/medium.patch"
  given    fixture("policies")
  given    as of 2026-06-01
  expect   no rule large_change
