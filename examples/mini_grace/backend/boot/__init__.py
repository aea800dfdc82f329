"""Layer 1: everything that must work before anything else does."""

from backend.boot.boot_kernel import BootKernel
from backend.boot.boot_orchestrator import BootOrchestrator, BootPlanError
from backend.boot.control_plane import ControlPlane

__all__ = ["BootKernel", "BootOrchestrator", "BootPlanError", "ControlPlane"]
