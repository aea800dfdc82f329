"""What partners call."""
