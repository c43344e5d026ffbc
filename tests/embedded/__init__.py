"""The one-machine mode: servers from wheels, the process tree, settings, doctor."""
