"""Where records are kept. Only services come here."""
