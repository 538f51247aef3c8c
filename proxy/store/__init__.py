"""What was decided about texts is remembered here; no text ever is."""
