"""How the system decides."""
