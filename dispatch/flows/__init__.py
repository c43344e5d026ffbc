"""What happens, one verb a file: pure but for the session they are given."""
