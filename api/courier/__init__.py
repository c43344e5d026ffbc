"""What couriers' phones call."""
