"""A small autonomous system that can be booted, governed, healed and asked to think."""
