"""What is measured, side by side in one run, with the command that made it."""
