"""The door: everything that speaks HTTP."""
