"""Mathematical programs around the plans, one a file; each loads CP-SAT (0.7 s, 90 MB) when it is imported."""
