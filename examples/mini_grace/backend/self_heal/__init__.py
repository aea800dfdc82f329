"""Noticing that something is wrong, and putting it right."""
