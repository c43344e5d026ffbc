"""What shops and operators call; one file per subject, each registers its endpoints."""
