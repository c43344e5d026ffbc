"""The one-machine mode: PostgreSQL and Valkey from wheels, and the tree of processes around them."""
