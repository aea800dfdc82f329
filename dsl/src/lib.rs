//! Text of .grace to checked items.
