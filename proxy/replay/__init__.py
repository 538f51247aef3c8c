"""Recorded requests sent through the real proxy again, and what that would have cost."""
