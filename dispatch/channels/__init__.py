"""Ways out to the world; each is a plug-in that knows none of the others."""
