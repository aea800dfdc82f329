"""One page of text: the kernels, and what is open."""

from __future__ import annotations

from backend.boot.control_plane import ControlPlane
from backend.services.incident_service import IncidentService


def render(control: ControlPlane, incidents: IncidentService) -> str:
    status = control.status()
    width = max((len(name) for name in status), default=0)
    lines = ["ready" if control.ready() else "not ready", ""]
    lines += [f"{name:<{width}}  {state}" for name, state in status.items()]
    found = incidents.summaries()
    lines += ["", f"{len(found)} open incidents"]
    lines += [f"- {component}: {summary}" for component, summary in found]
    return "\n".join(lines) + "\n"
