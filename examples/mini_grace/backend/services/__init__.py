"""What screens may ask for."""
