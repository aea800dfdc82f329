# What is true of this system only; the packs are tested beside the packs.

module mini_grace.rules_test

test "the audit log's form is agreed by two"
  given    replace "def append(self, event: str, " by "def append(self, event: str, severity: int, " in "backend/governance/audit_log.py"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   approval 2 of team(governance) from audit_log_form

test "its inside is agreed by one"
  given    edit of function("AuditLog.verify") in fixture("mini_grace") as of 2026-06-01
  expect   no rule audit_log_form
  expect   approval 1 of team(governance) from governance

test "a screen does not reach for storage"
  given    replace "from backend.boot.control_plane import ControlPlane" by "from backend.boot.control_plane import ControlPlane\nfrom backend.database.records import IncidentRecords" in "backend/ui/status_page.py"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   denied from screens_to_storage

test "a service does"
  given    edit of path("backend/services/**") in fixture("mini_grace") as of 2026-06-01
  expect   no denied
