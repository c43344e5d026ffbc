"""The service: what is asked, what it costs, when it is due, who fetches it."""
