"""The parts together: trouble is noticed, healed or escalated, and shown."""

from backend.boot.control_plane import ControlPlane
from backend.database.records import IncidentRecords
from backend.self_heal.auto_remediation import AutoRemediation
from backend.self_heal.playbook_engine import Playbook, PlaybookEngine, Step
from backend.self_heal.trigger_mesh import TriggerMesh
from backend.self_heal.trigger_system import Trigger, TriggerSystem
from backend.services.incident_service import IncidentService
from backend.ui.status_page import render

TRIGGERS = [Trigger("dead_kernel", metric="dead", above=0.5, clear_below=0.5)]


def system(boot, heal):
    mesh = TriggerMesh()
    engine = PlaybookEngine()
    control = ControlPlane(boot)
    engine.register(
        Playbook("restart", "dead_kernel", (Step("restart", lambda c: heal(control, c)),))
    )
    AutoRemediation(mesh, engine)
    incidents = IncidentService(IncidentRecords(), mesh)
    return TriggerSystem(mesh, TRIGGERS), control, incidents


def test_a_dead_kernel_is_restarted_by_itself(boot):
    boot.start()
    triggers, control, incidents = system(boot, lambda control, c: control.restart(c["source"]))
    boot.kernel("execution").fail("killed")
    triggers.measure("dead", 1, source="execution")
    assert control.ready()
    assert incidents.summaries() == []


def test_what_cannot_be_healed_becomes_an_incident_until_it_clears(boot):
    boot.start()

    def refuse(control, context):
        raise RuntimeError("no")

    triggers, control, incidents = system(boot, refuse)
    boot.kernel("execution").fail("killed")
    triggers.measure("dead", 1, source="execution")
    assert render(control, incidents) == (
        "not ready\n\nmemory     running\nexecution  failed\ncognition  running\n\n"
        "1 open incidents\n- dead_kernel: not healed after 1 attempts\n"
    )
    control.restart("execution")
    triggers.measure("dead", 0)
    assert render(control, incidents).startswith("ready\n")
    assert incidents.summaries() == []
