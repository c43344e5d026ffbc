"""What coordinators call."""
