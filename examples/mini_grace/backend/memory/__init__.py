"""What the system remembers, and how it finds it again."""
